//! The process dies, or an index fails, at every single call of an index; afterwards everything is in order.

use std::collections::BTreeMap;

use lectern_domain::{Acl, ErrorKind};

use super::desk::Desk;
use super::faults::{self, Fault};
use crate::{Cancellation, Progress};

/// More calls than the scenario makes.
const ENOUGH: usize = 200;

fn long(word: &str) -> String {
    let paragraphs: Vec<String> = (0..7)
        .map(|number| format!("{word} {number} c d e f g h i"))
        .collect();
    paragraphs.join("\n\n")
}

/// A shelf before and after: something new, changed, shared, deleted, and with other readers.
pub(super) fn before(desk: &Desk) {
    desk.shelf.put("changed.txt", &long("old"));
    desk.shelf.put("deleted.txt", &long("gone"));
    desk.shelf.put("same.txt", "same");
    desk.shelf.put("readers.txt", "readers");
}

pub(super) fn after(desk: &Desk) {
    desk.shelf.put("changed.txt", &long("new"));
    desk.shelf.take("deleted.txt");
    desk.shelf.put("added.txt", &long("added"));
    desk.shelf.put_for(
        "readers.txt",
        "readers",
        Some(Acl::allowing(["user:ada".parse().unwrap()])),
    );
}

/// Runs the second sync with a fault at `call`. False when no such call was made.
async fn crash_at(call: usize, fault: Fault, lose_uncommitted: bool) -> bool {
    let mut desk = Desk::new().await;
    before(&desk);
    desk.sync_complete().await;
    let old = desk.visible().await;
    after(&desk);
    let new = desk.on_shelf();

    desk.faults.plan(call, fault, ErrorKind::Unavailable);
    let shelf = desk.shelf.clone();
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    {
        let sync = desk
            .ingestion
            .sync(&desk.knowledge_base, &desk.source, shelf, progress, cancel);
        tokio::select! {
            report = sync => { report.unwrap(); }
            () = desk.faults.hung() => {}
        }
    }
    let came = desk.faults.clear();
    if lose_uncommitted {
        desk.vectors.lose_uncommitted();
        desk.words.lose_uncommitted();
    }
    desk.reopen().await;

    desk.ingestion.recover().await.unwrap();
    let about = format!("call {call}, {fault:?}, lose_uncommitted {lose_uncommitted}");
    let report = desk.fsck().await;
    assert!(report.clean, "{about}: {report:#?}");
    assert_each_is_old_or_new(&desk.visible().await, &old, &new, &about);
    assert!(!desk.ingestion.recover().await.unwrap().pushes_wait);

    desk.sync_complete().await;
    assert_eq!(desk.visible().await, new, "{about}");
    desk.assert_clean().await;
    assert_eq!(desk.fsck().await.unreferenced_files, 0, "{about}");
    came
}

type Visible = BTreeMap<String, (String, Acl)>;

fn assert_each_is_old_or_new(visible: &Visible, old: &Visible, new: &Visible, about: &str) {
    for key in old.keys().chain(new.keys()) {
        let found = visible.get(key);
        assert!(
            found == old.get(key) || found == new.get(key),
            "{about}: {key}: {found:?}"
        );
    }
}

async fn crash_everywhere(lose_uncommitted: bool) {
    for fault in faults::ALL {
        let mut calls = 0;
        while crash_at(calls, fault, lose_uncommitted).await {
            calls += 1;
            assert!(calls < ENOUGH, "the scenario doesn't end");
        }
        assert!(calls > 10, "the scenario makes {calls} calls only");
    }
}

#[tokio::test]
async fn a_crash_at_any_call_of_an_index_is_healed() {
    crash_everywhere(false).await;
}

#[tokio::test]
async fn a_power_cut_at_any_call_of_an_index_is_healed() {
    crash_everywhere(true).await;
}

#[tokio::test]
async fn a_crash_while_a_knowledge_base_is_deleted_is_finished_by_recovery() {
    for fault in faults::ALL {
        for call in 0..2 {
            let mut desk = Desk::new().await;
            before(&desk);
            desk.sync_complete().await;
            desk.faults.plan(call, fault, ErrorKind::Unavailable);
            tokio::select! {
                deleted = desk.ingestion.delete_knowledge_base(&desk.knowledge_base) => {
                    deleted.unwrap_err();
                }
                () = desk.faults.hung() => {}
            }
            assert!(desk.faults.clear());
            let error = desk.ledger().knowledge_base("library").await.unwrap_err();
            assert_eq!(error.code(), "kb_not_found");

            desk.reopen().await;
            let report = desk.ingestion.recover().await.unwrap();
            assert_eq!(report.erased_knowledge_bases, 1);
            assert!(desk.vectors.entries(desk.knowledge_base.id).is_empty());
            assert!(desk.words.entries(desk.knowledge_base.id).is_empty());
            assert_eq!(desk.stored_files(), 0);
            desk.ledger()
                .create_knowledge_base("library", "", "two-numbers", 2)
                .await
                .unwrap();
        }
    }
}
