//! What doesn't change costs nothing: by content, by tag, by cursor, however the listing comes.

use std::collections::BTreeSet;

use lectern_domain::{Acl, ChunkId, DocumentStatus, JobCounts, JobState};

use super::desk::Desk;
use crate::{Cancellation, DocumentFilter, Progress};

const LONG: &str = "one two three four five six\n\nseven eight nine ten eleven twelve\n\nthirteen fourteen";

fn ada() -> Option<Acl> {
    Some(Acl::allowing(["user:ada".parse().unwrap()]))
}

fn chunks(desk: &Desk) -> BTreeSet<ChunkId> {
    let entries = desk.words.entries(desk.knowledge_base.id);
    entries.iter().map(|entry| entry.chunk.id).collect()
}

fn fill(desk: &Desk, documents: usize) {
    for number in 0..documents {
        desk.shelf
            .put(&format!("{number:02}.txt"), &format!("{number} {LONG}"));
    }
}

#[tokio::test]
async fn a_change_of_readers_alone_extracts_and_embeds_nothing() {
    let desk = Desk::new().await;
    fill(&desk, 3);
    desk.sync_complete().await;
    let (work, written) = (desk.work(), chunks(&desk));
    desk.shelf.put_for("01.txt", &format!("1 {LONG}"), ada());
    let expected = JobCounts {
        scanned: 3,
        unchanged: 2,
        metadata_only: 1,
        ..JobCounts::default()
    };
    assert_eq!(desk.sync_complete().await, expected);
    assert_eq!((desk.work(), chunks(&desk)), (work, written));
    assert_eq!(desk.visible().await, desk.on_shelf());
    assert_eq!(desk.sync_complete().await.unchanged, 3);
    desk.assert_clean().await;
}

#[tokio::test]
async fn the_same_listing_ten_times_over_in_any_order_changes_nothing() {
    let desk = Desk::new().await;
    fill(&desk, 20);
    desk.sync_complete().await;
    let (work, written) = (desk.work(), chunks(&desk));
    for round in 0..10 {
        desk.shelf.turn(round * 7);
        let counts = desk.sync_complete().await;
        assert_eq!((counts.scanned, counts.unchanged), (20, 20));
    }
    assert_eq!((desk.work(), chunks(&desk)), (work, written));
    assert_eq!(desk.visible().await, desk.on_shelf());
}

#[tokio::test]
async fn what_has_its_old_tag_is_not_even_read() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    fill(&desk, 5);
    desk.sync_complete().await;
    assert_eq!(desk.shelf.take_fetched(), 5);
    let counts = desk.sync_complete().await;
    assert_eq!((counts.unchanged, desk.shelf.take_fetched()), (5, 0));

    // Another content, and the same content under a new tag.
    desk.shelf.put("00.txt", "other");
    desk.shelf.put("01.txt", &format!("1 {LONG}"));
    let counts = desk.sync_complete().await;
    assert_eq!((counts.modified, counts.unchanged), (1, 4));
    assert_eq!(desk.shelf.take_fetched(), 2);
    desk.sync_complete().await;
    assert_eq!(desk.shelf.take_fetched(), 0);

    // Other readers by default change what an unread document says.
    let mut desk = desk;
    let access = lectern_domain::DefaultAccess(ada().unwrap());
    desk.source = desk
        .ledger()
        .ensure_source(
            desk.knowledge_base.id,
            "shelf",
            "shelf",
            &desk.source.config,
            &access,
        )
        .await
        .unwrap();
    let counts = desk.sync_complete().await;
    assert_eq!((counts.metadata_only, desk.shelf.take_fetched()), (5, 5));
    assert!(
        desk.visible()
            .await
            .values()
            .all(|(_, acl)| Some(acl) == ada().as_ref())
    );
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_that_failed_is_read_again_whatever_its_tag() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    desk.shelf.put("a.txt", "BROKEN");
    for attempt in 1..=3 {
        assert_eq!(desk.sync_complete().await.failed, 1);
        let document = one(&desk).await;
        assert_eq!(
            (document.attempts, document.status),
            (attempt, DocumentStatus::Failed)
        );
        assert!(document.attempted_at.is_some());
    }
    desk.shelf.put("a.txt", "mended");
    assert_eq!(desk.sync_complete().await.new, 1);
    let document = one(&desk).await;
    assert_eq!((document.attempts, document.status), (4, DocumentStatus::Indexed));
    desk.shelf.put("a.txt", "and changed");
    desk.sync_complete().await;
    assert_eq!(one(&desk).await.attempts, 1);
}

#[tokio::test]
async fn what_was_skipped_is_not_read_again_before_it_changes() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    desk.shelf.put("empty.txt", "");
    let first = desk.sync().await;
    desk.shelf.take_fetched();
    for _ in 0..2 {
        let again = desk.sync().await;
        assert_eq!((again.job.counts.scanned, again.job.counts.skipped), (1, 1));
        assert_eq!(again.problems, first.problems);
        assert_eq!(desk.shelf.take_fetched(), 0);
    }
    assert_eq!(one(&desk).await.attempts, 1);
    desk.shelf.put("empty.txt", "not any more");
    assert_eq!(desk.sync_complete().await.new, 1);
    desk.shelf.put("empty.txt", "");
    assert_eq!(desk.sync_complete().await.skipped, 1);
    assert!(desk.visible().await.is_empty(), "the old text is found");
    desk.shelf.take("empty.txt");
    assert_eq!(desk.sync_complete().await.deleted, 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_becomes_something_that_is_left_out_is_found_no_longer_and_neither_is_what_was_attached() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    for (code, stays) in [
        ("too_large", false),
        ("link_not_followed", false),
        ("archived", true),
    ] {
        desk.shelf.put("mail.txt", "the mail\n=== plan.txt\nthe plan");
        desk.sync_complete().await;
        assert_eq!(desk.visible().await.len(), 2);
        desk.shelf
            .left_out
            .lock()
            .unwrap()
            .insert("mail.txt".to_owned(), code);
        let counts = desk.sync_complete().await;
        assert_eq!(counts.deleted, u64::from(!stays), "{code}");
        assert_eq!(desk.visible().await.len(), if stays { 2 } else { 0 }, "{code}");
        desk.assert_clean().await;
        // Once more, as nothing changed.
        desk.sync_complete().await;
        assert_eq!(desk.visible().await.len(), if stays { 2 } else { 0 }, "{code}");
        desk.shelf.left_out.lock().unwrap().clear();
        desk.sync_complete().await;
        assert_eq!(desk.visible().await.len(), 2, "{code}: it is back");
        desk.assert_clean().await;
    }
}

async fn one(desk: &Desk) -> lectern_domain::Document {
    let filter = DocumentFilter::default();
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, None, 10)
        .await;
    page.unwrap().items.remove(0)
}

#[tokio::test]
async fn another_recipe_makes_every_document_again() {
    let mut desk = Desk::new().await;
    desk.shelf.has_tags();
    fill(&desk, 4);
    desk.sync_complete().await;
    let before = desk.visible().await;
    desk.reopen_with(|settings| settings.chunk.max_tokens = 8).await;
    let counts = desk.sync_complete().await;
    assert_eq!((counts.modified, counts.unchanged), (4, 0));
    assert_eq!(desk.visible().await, before);
    assert_eq!(desk.sync_complete().await.unchanged, 4);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_that_is_marked_is_read_again_though_its_tag_and_its_source_say_nothing_new() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    desk.shelf.keeps_a_log();
    fill(&desk, 2);
    desk.sync_complete().await;
    let document = one(&desk).await;
    desk.ledger().mark_for_reading(document.id).await.unwrap();
    desk.shelf.take_fetched();
    let counts = desk.sync_complete().await;
    assert_eq!((counts.modified, counts.unchanged), (1, 1));
    assert_eq!(desk.shelf.take_fetched(), 1);
}

#[tokio::test]
async fn with_a_cursor_only_what_changed_is_listed_and_what_is_gone_goes() {
    let desk = Desk::new().await;
    desk.shelf.keeps_a_log();
    fill(&desk, 20);
    desk.sync_complete().await;
    assert_eq!(desk.sync_complete().await.scanned, 0);
    desk.shelf.put("00.txt", "other");
    desk.shelf.put("new.txt", "new");
    desk.shelf.take("07.txt");
    let expected = JobCounts {
        scanned: 2,
        new: 1,
        modified: 1,
        deleted: 1,
        ..JobCounts::default()
    };
    assert_eq!(desk.sync_complete().await, expected);
    assert_eq!(desk.visible().await, desk.on_shelf());
    assert_eq!(desk.shelf.take_asked(), [None, Some(20), Some(20)]);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_cursor_is_kept_with_a_complete_listing_only_and_changes_may_come_twice() {
    let desk = Desk::new().await;
    desk.shelf.keeps_a_log();
    fill(&desk, 20);
    desk.sync_complete().await;
    desk.shelf.put("00.txt", "other");
    desk.shelf.put("01.txt", "other, too");
    *desk.shelf.breaks_after.lock().unwrap() = Some(1);
    assert_eq!(desk.sync().await.job.state, JobState::Failed);
    *desk.shelf.breaks_after.lock().unwrap() = None;
    let counts = desk.sync_complete().await;
    assert_eq!(
        (counts.modified, counts.unchanged),
        (1, 19),
        "everything is listed"
    );

    // A job that has to ask keeps none either.
    for number in 2..15 {
        desk.shelf.take(&format!("{number:02}.txt"));
    }
    let report = desk.sync().await;
    let reason = report.job.reason.unwrap();
    assert!(
        reason.starts_with("too_many_deletes: would delete 13 of 20 "),
        "{reason}"
    );
    let allowed = crate::SyncOptions { allow_deletes: true };
    desk.ingestion.request_sync(&desk.source, allowed).await.unwrap();
    assert_eq!(desk.sync_complete().await.deleted, 13);
    assert_eq!(desk.visible().await, desk.on_shelf());
    assert_eq!(desk.shelf.take_asked(), [None, Some(20), None, Some(22), None]);

    // The same changes ten times over.
    let (work, written) = (desk.work(), chunks(&desk));
    for _ in 0..10 {
        desk.shelf.forgets(30);
        desk.sync_complete().await;
    }
    assert_eq!((desk.work(), chunks(&desk)), (work, written));
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_failed_is_tried_again_though_its_source_names_it_no_more() {
    let desk = Desk::new().await;
    desk.shelf.keeps_a_log();
    desk.shelf.put("a.txt", "text");
    desk.shelf.put("b.txt", "BROKEN");
    desk.sync_complete().await;
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.failed), (1, 1));
    // Named and tried again at once: one document, once.
    desk.shelf.put("b.txt", "BROKEN still");
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.failed), (1, 1));
    desk.shelf.take("b.txt");
    assert_eq!(desk.sync_complete().await.deleted, 1);
    assert_eq!(desk.sync_complete().await.scanned, 0);
}

#[tokio::test]
async fn a_cursor_that_is_too_old_or_made_with_other_settings_is_not_used() {
    let mut desk = Desk::new().await;
    desk.shelf.keeps_a_log();
    fill(&desk, 3);
    desk.sync_complete().await;
    desk.shelf.expire();
    desk.shelf.take("00.txt");
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.deleted), (2, 1));
    assert_eq!(desk.shelf.take_asked(), [None, Some(3), None]);
    desk.reopen_with(|settings| settings.chunk.max_tokens = 8).await;
    assert_eq!(desk.sync_complete().await.modified, 2);
    assert_eq!(desk.shelf.take_asked(), [None]);
    let stop = Cancellation::new();
    stop.cancel();
    desk.sync_with(Progress::new(), stop).await;
    assert_eq!(desk.sync_complete().await.scanned, 0);
    assert_eq!(desk.visible().await, desk.on_shelf());
}
