//! A change of readers alone: nothing is read or embedded again, and at no moment does somebody read what
//! they may not.

use lectern_domain::ports::ChunkLookup;
use lectern_domain::{Acl, DefaultAccess, ErrorKind};

use super::desk::Desk;
use super::faults::Fault;

fn only(name: &str) -> Acl {
    Acl::allowing([name.parse().unwrap()])
}

#[tokio::test]
async fn other_readers_reach_both_indexes_without_any_embedding() {
    let desk = Desk::new().await;
    desk.shelf.put_for("a.txt", "secret", Some(only("user:ada")));
    desk.sync_complete().await;
    let work = desk.work();

    desk.shelf.put_for("a.txt", "secret", Some(only("group:staff")));
    assert_eq!(desk.sync_complete().await.metadata_only, 1);
    assert_eq!(desk.work(), work);
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn another_default_reaches_the_documents_that_name_nobody() {
    let mut desk = Desk::new().await;
    desk.shelf.put("a.txt", "text");
    desk.sync_complete().await;
    let access = DefaultAccess(only("group:staff"));
    let config = serde_json::json!({});
    let source = desk
        .ledger()
        .ensure_source(desk.knowledge_base.id, "shelf", "shelf", &config, &access)
        .await;
    desk.source = source.unwrap();
    desk.sync_complete().await;
    assert_eq!(desk.visible().await["a.txt"].1, only("group:staff"));
}

#[tokio::test]
async fn a_narrowed_list_counts_at_once_even_if_the_indexes_are_out_of_reach() {
    let desk = Desk::new().await;
    desk.shelf.put_for("a.txt", "secret", Some(Acl::everyone()));
    desk.sync_complete().await;

    desk.shelf.put_for("a.txt", "secret", Some(only("user:ada")));
    desk.faults.plan(0, Fault::ErrorBefore, ErrorKind::Unavailable);
    desk.sync().await;
    assert!(desk.faults.clear());
    let stale = desk.words.entries(desk.knowledge_base.id);
    assert_eq!(
        stale[0].metadata.acl,
        Acl::everyone(),
        "the index was out of reach"
    );
    let found = desk
        .ledger()
        .look_up(desk.knowledge_base.id, &[stale[0].chunk.id])
        .await
        .unwrap();
    assert_eq!(found[0].metadata.acl, only("user:ada"));
    assert!(!desk.fsck().await.clean, "the debt shows");

    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn an_old_version_is_shown_to_those_only_who_may_read_the_new_one_too() {
    let desk = Desk::new().await;
    desk.shelf.put_for("a.txt", "old", Some(only("group:staff")));
    desk.sync_complete().await;
    // The new version can't be read, so the old one stays, with the readers of both: nobody.
    desk.shelf.put_for("a.txt", "BROKEN", Some(only("user:ada")));
    desk.sync_complete().await;
    let visible = desk.visible().await;
    assert_eq!(visible["a.txt"], ("old".to_owned(), Acl::nobody()));
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_whose_readers_can_not_be_read_any_more_is_read_by_nobody_until_they_can() {
    let desk = Desk::new().await;
    desk.shelf.put_for("a.txt", "secret", Some(Acl::everyone()));
    desk.sync_complete().await;
    desk.shelf.broken_beside.lock().unwrap().push("a.txt".to_owned());
    assert_eq!(desk.sync_complete().await.failed, 1);
    assert_eq!(desk.visible().await["a.txt"].1, Acl::nobody());
    desk.assert_clean().await;

    desk.shelf.broken_beside.lock().unwrap().clear();
    let work = desk.work();
    assert_eq!(desk.sync_complete().await.metadata_only, 1);
    assert_eq!((desk.visible().await, desk.work()), (desk.on_shelf(), work));
}

#[tokio::test]
async fn who_left_a_folder_that_can_not_be_read_reads_no_more_of_it() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    let both = Acl::allowing(["user:ada".parse().unwrap(), "user:bo".parse().unwrap()]);
    desk.shelf.put_for("room/a.txt", "secret", Some(both.clone()));
    desk.shelf.put_for("hall.txt", "open", Some(both.clone()));
    desk.sync_complete().await;
    desk.shelf.lost.lock().unwrap().push("room/".to_owned());
    let readers = Acl::allowing(["user:ada".parse().unwrap(), "user:cy".parse().unwrap()]);
    *desk.shelf.readers_of_lost.lock().unwrap() = Some(readers);
    desk.sync_complete().await;
    let visible = desk.visible().await;
    assert_eq!(visible["room/a.txt"].1, only("user:ada"));
    assert_eq!(visible["hall.txt"].1, both);
    desk.assert_clean().await;

    // When it can be read again, it is what its source says, whatever its tag.
    desk.shelf.lost.lock().unwrap().clear();
    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());
}
