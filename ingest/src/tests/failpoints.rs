//! Every named step fails, before and after it, with an error and with a panic; afterwards everything is in order, each
//! of the two states of a document whole.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use lectern_domain::{Acl, JobState};

use super::crash::{after, before};
use super::desk::Desk;
use crate::failpoints::{FAILPOINTS, arm};
use crate::{Cancellation, Progress};

/// Recovers and syncs with a failpoint set. False where it wasn't reached.
async fn fails(desk: &mut Desk, name: &'static str, actions: &str) -> bool {
    let _armed = arm(name, actions);
    desk.reopen().await;
    let recovered = AssertUnwindSafe(desk.ingestion.recover()).catch_unwind().await;
    if !matches!(recovered, Ok(Ok(_))) {
        return true;
    }
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let shelf = desk.shelf.clone();
    let sync = desk
        .ingestion
        .sync(&desk.knowledge_base, &desk.source, shelf, progress, cancel);
    match AssertUnwindSafe(sync).catch_unwind().await {
        Ok(Ok(report)) => report.job.state != JobState::Complete,
        _ => true,
    }
}

async fn crash_at(name: &'static str, actions: &str) -> bool {
    let about = format!("{name}={actions}");
    let mut desk = Desk::new().await;
    before(&desk);
    desk.sync_complete().await;
    let old = desk.visible().await;
    after(&desk);
    let new = desk.on_shelf();
    let failed = fails(&mut desk, name, actions).await;

    // Before anything is healed, nothing is torn, misfiled or shown in a state that is neither old nor new.
    let seen = desk.visible_after_recheck().await;
    for (key, found) in &seen {
        let (then, now) = (old.get(key), new.get(key));
        let readers = |visible: Option<&(String, Acl)>| visible.map(|(text, _)| text.clone());
        assert!(
            Some(found.0.clone()) == readers(then) || Some(found.0.clone()) == readers(now),
            "{about}: {key}: {found:?}"
        );
    }

    desk.reopen().await;
    desk.ingestion.recover().await.unwrap();
    let report = desk.fsck().await;
    assert!(report.clean, "{about}: {report:#?}");
    for key in old.keys().chain(new.keys()) {
        let found = desk.visible().await.get(key).cloned();
        assert!(
            found.as_ref() == old.get(key) || found.as_ref() == new.get(key),
            "{about}: {key}: {found:?}"
        );
    }

    desk.sync_complete().await;
    assert_eq!(desk.visible().await, new, "{about}");
    assert_eq!(desk.visible_by_meaning().await, new, "{about}");
    desk.assert_clean().await;
    assert_eq!(desk.fsck().await.unreferenced_files, 0, "{about}");
    failed
}

async fn crash_everywhere(action: &str) {
    for name in FAILPOINTS {
        let failed = crash_at(name, action).await;
        // Once its versions are marked the job has everything it waits for, whatever becomes of the worker.
        assert!(failed || *name == "mark.after", "{name} wasn't reached");
        // The second pass, where there is one.
        crash_at(name, &format!("1*off->{action}")).await;
    }
}

#[tokio::test]
async fn an_error_at_any_step_is_healed() {
    crash_everywhere("return(error)").await;
}

#[tokio::test]
async fn a_panic_at_any_step_is_healed() {
    crash_everywhere("panic").await;
}
