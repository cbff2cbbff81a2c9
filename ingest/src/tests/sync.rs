//! What a sync does with what is new, changed, gone, broken or out of reach.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use lectern_domain::{DocumentStatus, ErrorKind, JobCounts, JobState, Searchable};

use super::desk::Desk;
use super::faults::Fault;
use crate::{Cancellation, DocumentFilter, Progress};

const LONG: &str = "one two three four five six\n\nseven eight nine ten eleven twelve\n\n\
                    thirteen fourteen fifteen sixteen seventeen eighteen\n\nnineteen twenty";

#[tokio::test]
async fn what_is_unchanged_is_neither_extracted_nor_embedded() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.shelf.put("b.txt", "short");
    let first = desk.sync_complete().await;
    assert_eq!((first.scanned, first.new), (2, 2));
    assert_eq!(desk.visible().await, desk.on_shelf());

    let work = desk.work();
    let second = desk.sync_complete().await;
    assert_eq!((second.scanned, second.unchanged), (2, 2));
    assert_eq!(desk.work(), work);
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_changed_is_replaced_and_what_is_gone_is_deleted_with_its_text() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.shelf.put("b.txt", "short");
    desk.sync_complete().await;
    assert_eq!(desk.stored_files(), 2);

    desk.shelf.put("a.txt", "another text");
    desk.shelf.take("b.txt");
    let counts = desk.sync_complete().await;
    let expected = JobCounts {
        scanned: 1,
        modified: 1,
        deleted: 1,
        ..JobCounts::default()
    };
    assert_eq!(counts, expected);
    assert_eq!(desk.visible().await, desk.on_shelf());
    assert_eq!(desk.stored_files(), 1, "the texts of what is gone are gone");
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_text_that_two_documents_share_stays_until_both_are_gone() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "the same");
    desk.shelf.put("b.txt", "the same");
    desk.sync_complete().await;
    assert_eq!(desk.stored_files(), 1);
    desk.shelf.take("a.txt");
    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.shelf.take("b.txt");
    desk.sync_complete().await;
    assert_eq!(desk.stored_files(), 0);
}

#[tokio::test]
async fn a_failed_version_leaves_the_one_before_visible_and_is_tried_again() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "good");
    desk.sync_complete().await;
    let before = desk.visible().await;

    desk.shelf.put("a.txt", "BROKEN");
    desk.shelf.put("empty.txt", "");
    let report = desk.sync().await;
    assert_eq!(report.job.state, JobState::Complete);
    assert_eq!((report.job.counts.failed, report.job.counts.skipped), (1, 1));
    let codes: BTreeMap<_, _> = report
        .problems
        .iter()
        .map(|p| (p.key.as_str(), p.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        BTreeMap::from([("a.txt", "pdf_damaged"), ("empty.txt", "empty_file")])
    );
    assert_eq!(desk.visible().await, before);

    let failed = DocumentFilter {
        status: Some(DocumentStatus::Failed),
        source: None,
    };
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, failed, None, 10)
        .await
        .unwrap();
    let reason = page.items[0].reason.clone().unwrap();
    assert!(reason.starts_with("pdf_damaged: "), "{reason}");

    desk.shelf.put("a.txt", "good again");
    assert_eq!(desk.sync_complete().await.modified, 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_failed_document_that_returns_to_its_old_content_is_indexed_again_without_work() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "good");
    desk.sync_complete().await;
    desk.shelf.put("a.txt", "BROKEN");
    desk.sync_complete().await;
    desk.shelf.put("a.txt", "good");
    assert_eq!(desk.sync_complete().await.unchanged, 1);
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, DocumentFilter::default(), None, 10)
        .await;
    assert_eq!(page.unwrap().items[0].status, DocumentStatus::Indexed);
}

#[tokio::test]
async fn a_listing_that_breaks_deletes_nothing() {
    let desk = Desk::new().await;
    for key in ["a.txt", "b.txt", "c.txt"] {
        desk.shelf.put(key, key);
    }
    desk.sync_complete().await;
    desk.shelf.take("c.txt");
    desk.shelf.put("a.txt", "new text");
    *desk.shelf.breaks_after.lock().unwrap() = Some(1);
    let report = desk.sync().await;
    assert_eq!(report.job.state, JobState::Failed);
    assert!(report.job.reason.unwrap().starts_with("source_lost: "));
    assert_eq!((report.job.counts.modified, report.job.counts.deleted), (1, 0));
    assert_eq!(desk.visible().await.len(), 3);
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_is_in_a_folder_that_cannot_be_read_is_left_alone() {
    let desk = Desk::new().await;
    for key in ["in/a.txt", "in/b.txt", "inner.txt", "out.txt"] {
        desk.shelf.put(key, key);
    }
    desk.sync_complete().await;
    desk.shelf.lost.lock().unwrap().push("in/".to_owned());
    desk.shelf.take("inner.txt");
    let counts = desk.sync_complete().await;
    assert_eq!((counts.failed, counts.deleted, counts.unchanged), (1, 1, 1));
    let visible = desk.visible().await;
    assert_eq!(
        visible.keys().collect::<Vec<_>>(),
        ["in/a.txt", "in/b.txt", "out.txt"]
    );
}

#[tokio::test]
async fn what_vanishes_between_listing_and_fetching_is_deleted() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "text");
    desk.sync_complete().await;
    desk.shelf.vanishing.lock().unwrap().push("a.txt".to_owned());
    let counts = desk.sync_complete().await;
    assert_eq!((counts.scanned, counts.skipped, counts.deleted), (1, 1, 1));
    assert!(desk.visible().await.is_empty());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_document_that_comes_back_is_new_and_its_old_chunks_are_not_taken_for_its_new_ones() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    desk.sync_complete().await;
    desk.shelf.take("a.txt");
    desk.sync_complete().await;
    desk.shelf.put("a.txt", "back again");
    assert_eq!(desk.sync_complete().await.new, 1);
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_full_disk_ends_the_job_with_its_reason_and_takes_nothing_away() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "first");
    desk.sync_complete().await;
    let before = desk.visible().await;
    desk.shelf.put("a.txt", "second");
    desk.faults.plan(0, Fault::ErrorBefore, ErrorKind::NoSpace);
    let report = desk.sync().await;
    assert!(desk.faults.clear());
    assert_eq!(report.job.state, JobState::Failed);
    let reason = report.job.reason.unwrap();
    assert!(reason.starts_with("disk_full: "), "{reason}");
    assert_eq!(desk.visible().await, before);
    assert_eq!(desk.sync_complete().await.modified, 1);
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_lost_embedder_ends_the_job_and_the_next_one_does_the_rest() {
    let desk = Desk::new().await;
    for number in 0..20 {
        desk.shelf.put(&format!("{number}.txt"), LONG);
    }
    desk.embedder.is_down.store(true, Ordering::Relaxed);
    let report = desk.sync().await;
    assert_eq!(report.job.state, JobState::Failed);
    assert!(report.job.reason.unwrap().starts_with("embedder_down: "));
    assert_eq!((report.job.counts.new, report.job.counts.deleted), (20, 0));
    assert_eq!(
        desk.visible().await,
        desk.on_shelf(),
        "found by words all the same"
    );
    assert!(desk.visible_by_meaning().await.is_empty());
    desk.assert_clean().await;
    desk.embedder.is_down.store(false, Ordering::Relaxed);
    assert_eq!(desk.sync_complete().await.unchanged, 20);
    assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
}

#[tokio::test]
async fn a_long_document_travels_in_slices_and_appears_whole() {
    let desk = Desk::new().await;
    let paragraphs: Vec<String> = (0..200).map(|n| format!("{n} b c d e f g h i j")).collect();
    desk.shelf.put("long.txt", &paragraphs.join("\n\n"));
    let progress = Progress::new();
    desk.sync_with(progress.clone(), Cancellation::new()).await;
    assert_eq!(desk.visible().await, desk.on_shelf());
    assert!(desk.embedder.largest_call.load(Ordering::Relaxed) <= 3);
    let snapshot = progress.snapshot();
    assert_eq!(snapshot.chunks_published, 200);
    assert_eq!((snapshot.chunks_cut, snapshot.chunks_embedded), (200, 200));
    assert!(snapshot.ended && snapshot.listing_complete);
}

#[tokio::test]
async fn a_document_that_the_embedder_refuses_halfway_is_found_by_words_and_says_why() {
    let desk = Desk::new().await;
    let mut paragraphs: Vec<String> = (0..40).map(|n| format!("{n} b c d e f g h i j")).collect();
    paragraphs.push("REFUSED b c d e f g h i j".to_owned());
    desk.shelf.put("long.txt", &paragraphs.join("\n\n"));
    desk.shelf.put("short.txt", "short");
    let report = desk.sync().await;
    assert_eq!(report.job.state, JobState::Complete);
    assert_eq!(report.job.counts.new, 2);
    assert_eq!(
        (report.problems.len(), report.problems[0].code.as_str()),
        (1, "text_refused")
    );
    assert_eq!(desk.visible().await, desk.on_shelf());
    let by_meaning = desk.visible_by_meaning().await;
    assert_eq!(by_meaning.into_keys().collect::<Vec<_>>(), ["short.txt"]);
    let filter = DocumentFilter::default();
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, None, 10)
        .await
        .unwrap();
    let found: Vec<_> = page
        .items
        .iter()
        .map(|document| (document.key.as_str(), document.searchable))
        .collect();
    assert_eq!(
        found,
        [
            ("long.txt", Searchable::Words),
            ("short.txt", Searchable::WordsAndMeaning)
        ]
    );
    let reason = page.items[0].reason.clone().unwrap();
    assert!(reason.starts_with("text_refused: "), "{reason}");
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_stopped_job_says_so_and_leaves_nothing_half_done() {
    let desk = Desk::new().await;
    for number in 0..50 {
        desk.shelf.put(&format!("{number}.txt"), LONG);
    }
    let cancel = Cancellation::new();
    cancel.cancel();
    let report = desk.sync_with(Progress::new(), cancel).await;
    assert_eq!(report.job.state, JobState::Stopped);
    desk.visible().await;
    desk.assert_clean().await;
    desk.sync_complete().await;
    assert_eq!(desk.visible().await, desk.on_shelf());
}

#[tokio::test]
async fn two_jobs_on_one_knowledge_base_do_not_run_together() {
    let desk = Desk::new().await;
    let begin = || {
        let (progress, cancel) = (Progress::new(), Cancellation::new());
        desk.ingestion.begin_sync(
            &desk.knowledge_base,
            &desk.source,
            desk.shelf.clone(),
            progress,
            cancel,
        )
    };
    let first = begin().await.unwrap();
    assert_eq!(first.job().state, JobState::Running);
    let Err(error) = begin().await else {
        panic!("a second job began");
    };
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "job_running"));
    let error = desk.ingestion.fsck(None).await.unwrap_err();
    assert_eq!(error.code(), "job_running");

    // The caller of the first goes away; the next sync of the source goes on with that job.
    let id = first.job().id;
    drop(first);
    let report = desk.sync().await;
    assert_eq!((report.job.id, report.job.state), (id, JobState::Complete));
    assert_eq!((report.job.attempts, report.job.reason), (2, None));
    assert!(report.job.history[0].what.starts_with("interrupted: "));
}

#[tokio::test]
async fn a_list_of_documents_comes_in_pages_by_key() {
    let desk = Desk::new().await;
    let keys: Vec<String> = (0..25).map(|number| format!("{number:02}:x.txt")).collect();
    for key in &keys {
        desk.shelf.put(key, key);
    }
    desk.sync_complete().await;
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let filter = DocumentFilter::default();
        let page = desk
            .ledger()
            .documents(desk.knowledge_base.id, filter, cursor.as_deref(), 7)
            .await
            .unwrap();
        assert!(page.items.len() <= 7);
        found.extend(page.items.into_iter().map(|document| document.key));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, keys);
    let filter = DocumentFilter::default();
    let error = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, Some("?"), 7)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "cursor_invalid");
}
