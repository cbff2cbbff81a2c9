//! A job that waits, goes on after a crash under its id, is stopped, or asks before it deletes much.

use lectern_domain::{Acl, ErrorKind, JobCounts, JobId, JobState};

use super::desk::Desk;
use super::faults::Fault;
use crate::{Cancellation, DeletionGuard, Progress, SourceSettings, SyncOptions};

const LONG: &str = "one two three four five six\n\nseven eight nine ten eleven twelve\n\nthirteen fourteen";

/// More calls of the indexes than the scenario makes.
const ENOUGH: usize = 200;

/// Ten documents; then three changed, two gone, five new and one with other readers.
fn before(desk: &Desk) {
    for number in 0..10 {
        desk.shelf
            .put(&format!("{number}.txt"), &format!("{number} {LONG}"));
    }
}

fn after(desk: &Desk) -> JobCounts {
    for number in 0..3 {
        desk.shelf
            .put(&format!("{number}.txt"), &format!("other {number}"));
    }
    for number in 3..5 {
        desk.shelf.take(&format!("{number}.txt"));
    }
    for number in 10..15 {
        desk.shelf
            .put(&format!("{number}.txt"), &format!("new {number} {LONG}"));
    }
    let ada = Acl::allowing(["user:ada".parse().unwrap()]);
    desk.shelf.put_for("5.txt", &format!("5 {LONG}"), Some(ada));
    JobCounts {
        scanned: 13,
        new: 5,
        modified: 3,
        unchanged: 4,
        metadata_only: 1,
        deleted: 2,
        ..JobCounts::default()
    }
}

/// Syncs until the planned fault hangs the process, then opens everything again. Gives the job that was lost, or
/// nothing where the sync ended before.
async fn crash(desk: &mut Desk, call: usize, fault: Fault) -> Option<JobId> {
    desk.faults.plan(call, fault, ErrorKind::Unavailable);
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let sync = desk.ingestion.sync(
        &desk.knowledge_base,
        &desk.source,
        desk.shelf.clone(),
        progress.clone(),
        cancel,
    );
    let ended = tokio::select! {
        report = sync => { report.unwrap(); true }
        () = desk.faults.hung() => false,
    };
    desk.faults.clear();
    desk.reopen().await;
    desk.ingestion.recover().await.unwrap();
    match ended {
        true => None,
        false => progress.snapshot().job,
    }
}

#[tokio::test]
async fn a_killed_job_goes_on_under_its_id_and_its_counts_are_those_of_the_whole_job() {
    for fault in [Fault::HangBefore, Fault::HangAfter] {
        for call in 0..ENOUGH {
            let mut desk = Desk::new().await;
            before(&desk);
            desk.sync_complete().await;
            let expected = after(&desk);
            let Some(lost) = crash(&mut desk, call, fault).await else {
                assert!(call > 10, "the scenario makes {call} calls only");
                break;
            };
            let queued = desk.ledger().queued_jobs().await.unwrap();
            let [waiting] = &queued[..] else {
                panic!("{queued:?}");
            };
            assert_eq!((waiting.id, waiting.state), (lost, JobState::Queued));
            let reason = waiting.reason.clone().unwrap();
            assert!(reason.starts_with("interrupted: "), "{reason}");

            let report = desk.sync().await;
            assert_eq!((report.job.id, report.job.state), (lost, JobState::Complete));
            assert_eq!((report.job.attempts, report.job.reason), (2, None));
            assert_eq!(report.job.counts, expected, "call {call}, {fault:?}");
            assert_eq!(desk.visible().await, desk.on_shelf());
            desk.assert_clean().await;
            assert!(desk.ledger().queued_jobs().await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_job_that_is_killed_again_and_again_goes_on_and_what_vanishes_meanwhile_is_deleted() {
    let mut desk = Desk::new().await;
    for number in 0..30 {
        desk.shelf
            .put(&format!("{number:02}.txt"), &format!("{number} {LONG}"));
    }
    let mut lost = Vec::new();
    for call in [9, 7, 12] {
        lost.extend(crash(&mut desk, call, Fault::HangAfter).await);
    }
    assert_eq!(lost.len(), 3);
    assert!(lost.iter().all(|job| *job == lost[0]));
    // Something that the job has taken in goes before it is complete.
    let visible = desk.visible().await;
    let taken = visible.keys().next().unwrap().clone();
    desk.shelf.take(&taken);
    let report = desk.sync().await;
    assert_eq!((report.job.id, report.job.attempts), (lost[0], 4));
    let counts = report.job.counts;
    assert_eq!((counts.scanned, counts.new, counts.deleted), (29, 29, 1));
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_job_that_gets_nowhere_is_given_up_after_a_while() {
    let mut desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    let mut attempts = 0;
    let job = loop {
        let job = crash(&mut desk, 0, Fault::HangBefore).await.unwrap();
        attempts += 1;
        assert!(attempts < 50, "it goes on for ever");
        let job = desk.ledger().job(job).await.unwrap();
        if job.has_ended() {
            break job;
        }
    };
    assert_eq!((job.state, job.attempts), (JobState::Failed, 20));
    assert!(job.reason.unwrap().starts_with("interrupted: "));
    assert!(job.history.len() <= 50);
    assert_eq!(desk.sync_complete().await.new, 1);
}

#[tokio::test]
async fn a_source_has_one_job_that_waits_and_a_sync_takes_it() {
    let desk = Desk::new().await;
    desk.shelf.put("a.txt", "text");
    let options = SyncOptions::default();
    let first = desk.ingestion.request_sync(&desk.source, options).await.unwrap();
    assert_eq!((first.state, first.started_at), (JobState::Queued, None));
    let allowed = SyncOptions { allow_deletes: true };
    let second = desk.ingestion.request_sync(&desk.source, allowed).await.unwrap();
    assert_eq!((second.id, second.allow_deletes), (first.id, true));
    assert_eq!(desk.ledger().queued_jobs().await.unwrap(), [second]);

    let report = desk.sync().await;
    assert_eq!(report.job.id, first.id);
    assert!(report.job.allow_deletes && report.job.started_at.is_some());
    let history = desk.ledger().jobs_of_source(desk.source.id, 10).await.unwrap();
    assert_eq!(history, [report.job]);
}

#[tokio::test]
async fn a_job_that_waits_is_stopped_at_once_and_one_that_runs_is_told() {
    let desk = Desk::new().await;
    for number in 0..50 {
        desk.shelf.put(&format!("{number}.txt"), LONG);
    }
    let options = SyncOptions::default();
    let waiting = desk.ingestion.request_sync(&desk.source, options).await.unwrap();
    let stopped = desk.ingestion.stop(waiting.id).await.unwrap();
    assert_eq!(stopped.state, JobState::Stopped);
    assert!(stopped.reason.unwrap().starts_with("stopped: "));

    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let begun = desk.ingestion.begin_sync(
        &desk.knowledge_base,
        &desk.source,
        desk.shelf.clone(),
        progress,
        cancel.clone(),
    );
    let begun = begun.await.unwrap();
    let id = begun.job().id;
    assert_ne!(id, waiting.id);
    assert_eq!(desk.ingestion.stop(id).await.unwrap().state, JobState::Running);
    assert!(cancel.is_cancelled());
    let report = begun.run().await.unwrap();
    assert_eq!(report.job.state, JobState::Stopped);
    assert_eq!(report.job.reason.as_deref(), Some("stopped: by request"));
    desk.assert_clean().await;
    // It has ended: asked again, it stays as it is.
    assert_eq!(desk.ingestion.stop(id).await.unwrap(), report.job);
    let error = desk.ingestion.stop(JobId::generate()).await.unwrap_err();
    assert_eq!(error.code(), "job_not_found");
}

#[tokio::test]
async fn a_stop_that_a_crash_overtakes_is_not_forgotten() {
    let mut desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    let begun = desk.ingestion.begin_sync(
        &desk.knowledge_base,
        &desk.source,
        desk.shelf.clone(),
        Progress::new(),
        Cancellation::new(),
    );
    let begun = begun.await.unwrap();
    let id = begun.job().id;
    desk.ledger().request_stop(id).await.unwrap();
    drop(begun);
    desk.reopen().await;
    desk.ingestion.recover().await.unwrap();
    let job = desk.ledger().job(id).await.unwrap();
    assert_eq!(job.state, JobState::Stopped);
    assert!(desk.ledger().queued_jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_job_that_would_take_away_much_of_what_it_skipped_stops_and_asks_too() {
    let desk = Desk::new().await;
    desk.shelf.has_tags();
    for number in 0..12 {
        desk.shelf
            .put(&format!("{number}.txt"), &format!("text {number}"));
    }
    desk.sync_complete().await;
    let before = desk.visible().await;
    // As after a slip in the settings.
    for number in 0..12 {
        let key = format!("{number}.txt");
        desk.shelf.left_out.lock().unwrap().insert(key, "too_large");
    }
    for _ in 0..2 {
        let report = desk.sync().await;
        assert_eq!(
            (report.job.state, report.job.counts.skipped),
            (JobState::Stopped, 12)
        );
        let reason = report.job.reason.unwrap();
        assert!(
            reason.starts_with("too_many_deletes: would delete 12 of 12"),
            "{reason}"
        );
        assert_eq!(desk.visible().await, before);
        desk.assert_clean().await;
    }
    let allowed = SyncOptions { allow_deletes: true };
    desk.ingestion.request_sync(&desk.source, allowed).await.unwrap();
    desk.sync_complete().await;
    assert!(desk.visible().await.is_empty());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_job_that_would_delete_much_stops_and_asks() {
    let desk = Desk::new().await;
    for number in 0..40 {
        desk.shelf
            .put(&format!("{number}.txt"), &format!("text {number}"));
    }
    desk.sync_complete().await;
    for number in 0..11 {
        desk.shelf.take(&format!("{number}.txt"));
    }
    desk.shelf.put("39.txt", "another text");
    desk.shelf.put("new.txt", "new");
    let report = desk.sync().await;
    assert_eq!(report.job.state, JobState::Stopped);
    assert_eq!(
        report.job.reason.as_deref(),
        Some("too_many_deletes: would delete 11 of 40 documents; run again with --allow-deletes")
    );
    let counts = report.job.counts;
    assert_eq!((counts.new, counts.modified, counts.deleted), (1, 1, 0));
    assert_eq!(desk.visible().await.len(), 41);
    desk.assert_clean().await;

    let allowed = SyncOptions { allow_deletes: true };
    desk.ingestion.request_sync(&desk.source, allowed).await.unwrap();
    assert_eq!(desk.sync_complete().await.deleted, 11);
    assert_eq!(desk.visible().await, desk.on_shelf());
}

#[tokio::test]
async fn few_deletions_and_those_that_the_source_allows_pass() {
    let mut desk = Desk::new().await;
    for number in 0..40 {
        desk.shelf.put(&format!("{number}.txt"), "text");
    }
    desk.sync_complete().await;
    for number in 0..10 {
        desk.shelf.take(&format!("{number}.txt"));
    }
    assert_eq!(desk.sync_complete().await.deleted, 10);
    let settings = SourceSettings {
        deletions: DeletionGuard {
            max_share: 1.0,
            more_than: 0,
        },
        ..SourceSettings::default()
    };
    let changed = desk
        .ledger()
        .set_source_settings(desk.source.id, &settings)
        .await
        .unwrap();
    assert_eq!(changed.settings, settings);
    desk.source = changed;
    for number in 10..40 {
        desk.shelf.take(&format!("{number}.txt"));
    }
    assert_eq!(desk.sync_complete().await.deleted, 30);
    assert!(desk.visible().await.is_empty());
}

#[tokio::test]
async fn a_removed_source_takes_its_documents_and_jobs_along_and_its_name_is_free() {
    let mut desk = Desk::new().await;
    desk.shelf.put("a.txt", LONG);
    let job = desk.sync().await.job;
    desk.ingestion
        .remove_source(&desk.knowledge_base, &desk.source)
        .await
        .unwrap();
    assert!(desk.visible().await.is_empty());
    assert!(desk.vectors.entries(desk.knowledge_base.id).is_empty());
    assert!(desk.words.entries(desk.knowledge_base.id).is_empty());
    assert_eq!(desk.stored_files(), 0);
    let error = desk.ledger().job(job.id).await.unwrap_err();
    assert_eq!(error.code(), "job_not_found");
    let error = desk
        .ledger()
        .source(desk.knowledge_base.id, "shelf")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound, "source_not_found")
    );
    let again = desk
        .ingestion
        .remove_source(&desk.knowledge_base, &desk.source)
        .await;
    assert_eq!(again.unwrap_err().code(), "source_not_found");

    let source = &desk.source;
    let made = desk.ledger().ensure_source(
        desk.knowledge_base.id,
        "shelf",
        "shelf",
        &source.config,
        &source.default_access,
    );
    desk.source = made.await.unwrap();
    assert_eq!(desk.sync_complete().await.new, 1);
    assert_eq!(desk.visible().await, desk.on_shelf());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_source_whose_removal_was_interrupted_is_gone_and_its_removal_is_finished() {
    for call in 0..2 {
        let mut desk = Desk::new().await;
        desk.shelf.put("a.txt", LONG);
        desk.sync_complete().await;
        desk.faults.plan(call, Fault::HangAfter, ErrorKind::Unavailable);
        tokio::select! {
            removed = desk.ingestion.remove_source(&desk.knowledge_base, &desk.source) => removed.unwrap(),
            () = desk.faults.hung() => {}
        }
        assert!(desk.faults.clear());
        assert!(
            desk.ledger()
                .sources(desk.knowledge_base.id)
                .await
                .unwrap()
                .is_empty()
        );
        desk.reopen().await;
        desk.ingestion.recover().await.unwrap();
        assert_eq!(desk.stored_files(), 0);
        assert!(desk.words.entries(desk.knowledge_base.id).is_empty());
        desk.assert_clean().await;
    }
}
