//! When the index of vectors is brought into shape, and who waits for that.

use std::sync::atomic::Ordering;

use lectern_domain::{JobCounts, JobState};

use super::desk::Desk;
use crate::{Cancellation, Progress};

/// A desk whose index is optimised after each chunk that is written.
async fn desk() -> Desk {
    let mut desk = Desk::new().await;
    desk.reopen_with(|settings| settings.optimize_chunks = 1).await;
    desk
}

impl Desk {
    fn optimized(&self) -> usize {
        self.vectors.optimized.load(Ordering::Relaxed)
    }

    /// A job as a server runs it, which waits for vectors and for no index.
    async fn job(&self) -> JobCounts {
        let (progress, cancel) = (Progress::new(), Cancellation::new());
        let job = self
            .ingestion
            .begin_sync(
                &self.knowledge_base,
                &self.source,
                self.shelf.clone(),
                progress,
                cancel,
            )
            .await;
        let report = job.unwrap().run().await.unwrap();
        assert_eq!(report.job.state, JobState::Complete, "{report:?}");
        report.job.counts
    }
}

#[tokio::test]
async fn a_single_command_ends_with_an_index_in_shape() {
    let desk = desk().await;
    desk.shelf.put("a.txt", "text");
    let progress = Progress::new();
    let under_way = desk.vectors.optimizing.lock().await;
    let mut sync = std::pin::pin!(desk.sync_with(progress.clone(), Cancellation::new()));
    let mut watched = progress.subscribe();
    tokio::select! {
        biased;
        _ = &mut sync => panic!("it ended before the index was in shape"),
        ended = watched.wait_for(|now| now.ended) => drop(ended.unwrap()),
    }
    tokio::select! {
        biased;
        _ = &mut sync => panic!("it ended before the index was in shape"),
        () = desk.vectors.optimizing_begun.notified() => {}
    }
    drop(under_way);
    assert_eq!(sync.await.job.state, JobState::Complete);
    assert_eq!(desk.optimized(), 1);
}

#[tokio::test]
async fn what_another_process_left_out_of_shape_is_made_up_for_once() {
    let mut desk = desk().await;
    desk.shelf.put("a.txt", "text");
    desk.job().await;
    let before = desk.optimized();
    desk.reopen_with(|settings| settings.optimize_chunks = 1_000)
        .await;
    assert_eq!(desk.sync_complete().await.unchanged, 1);
    assert_eq!(desk.optimized(), before + 1, "nothing was written, and still");
    assert_eq!(desk.sync_complete().await.unchanged, 1);
    assert_eq!(
        desk.optimized(),
        before + 1,
        "this process knows that it is in shape"
    );
}

#[tokio::test]
async fn a_server_brings_into_shape_what_another_process_left_when_it_starts() {
    let mut desk = desk().await;
    desk.shelf.put("a.txt", "text");
    desk.job().await;
    desk.reopen().await;
    let before = desk.optimized();
    let stop = Cancellation::new();
    tokio::join!(desk.ingestion.embed_until_stopped(&stop), async {
        desk.vectors.optimizing_begun.notified().await;
        while desk.optimized() == before {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    });
}

#[tokio::test]
async fn vectors_are_made_while_an_index_is_brought_into_shape() {
    let desk = desk().await;
    let stop = Cancellation::new();
    let under_way = desk.vectors.optimizing.lock().await;
    tokio::join!(desk.ingestion.embed_until_stopped(&stop), async {
        desk.vectors.optimizing_begun.notified().await;
        for key in ["a.txt", "b.txt"] {
            desk.shelf.put(key, key);
            assert_eq!(desk.job().await.new, 1);
        }
        assert_eq!(desk.visible_by_meaning().await, desk.on_shelf());
        assert_eq!(desk.optimized(), 0);
        stop.cancel();
    });
    drop(under_way);
}

#[tokio::test]
async fn whoever_asks_a_command_to_stop_does_not_wait_for_the_index() {
    let desk = desk().await;
    desk.shelf.put("a.txt", "text");
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let _under_way = desk.vectors.optimizing.lock().await;
    let mut watched = progress.subscribe();
    let (report, ()) = tokio::join!(desk.sync_with(progress, cancel.clone()), async {
        drop(watched.wait_for(|now| now.ended).await.unwrap());
        cancel.cancel();
    });
    assert_eq!(report.job.state, JobState::Complete, "all of it can be found");
    assert_eq!(desk.optimized(), 0);
}
