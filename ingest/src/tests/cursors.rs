//! How far a source was read is known only where the ledger has what the source had there. Else something could come with one
//! job, go before the next, and be named by none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{Attributes, ErrorKind, JobState, PortError};

use super::desk::Desk;
use crate::{Cancellation, DeletionGuard, JobReport, Progress, SyncRun};

type Pages = BTreeMap<String, String>;

/// A source that tells what changed by comparing what it has with what it had, as a repository does: what came and went in between
/// it doesn't name.
#[derive(Default)]
struct Binder {
    pages: Mutex<Pages>,
    asked: Mutex<Vec<Option<Pages>>>,
    /// After so many pages a listing breaks off.
    breaks_after: Mutex<Option<usize>>,
    has_no_cursor: AtomicBool,
}

impl Binder {
    fn put(&self, key: &str, text: &str) {
        self.pages.lock().unwrap().insert(key.to_owned(), text.to_owned());
    }

    fn take(&self, key: &str) {
        self.pages.lock().unwrap().remove(key);
    }

    fn pages(&self) -> Pages {
        self.pages.lock().unwrap().clone()
    }

    fn breaks_after(&self, pages: Option<usize>) {
        *self.breaks_after.lock().unwrap() = pages;
    }

    /// Whether each listing since the last time was one of changes.
    fn asked_for_changes(&self) -> Vec<bool> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(Option::is_some).collect()
    }
}

#[async_trait]
impl Connector for Binder {
    fn describe(&self) -> String {
        "a binder".to_owned()
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let before: Option<Pages> = since.map(|cursor| serde_json::from_str(&cursor.0).unwrap());
        self.asked.lock().unwrap().push(before.clone());
        let (before, now) = (before.unwrap_or_default(), self.pages());
        let changed = now.iter().filter(|(key, text)| before.get(*key) != Some(text));
        let items = changed.map(|(key, _)| ListEvent::Item(SourceItem::new(key, format!("binder:{key}"))));
        let gone = before.keys().filter(|key| !now.contains_key(*key));
        let gone = gone.map(|key| ListEvent::Gone { key: key.clone() });
        let mut lines: Vec<Result<ListEvent, PortError>> = items.chain(gone).map(Ok).collect();
        if let Some(pages) = *self.breaks_after.lock().unwrap() {
            lines.truncate(pages);
            let lost = PortError::new(ErrorKind::Unavailable, "source_lost", "the binder fell");
            lines.push(Err(lost));
        } else if !self.has_no_cursor.load(Ordering::Relaxed) {
            let cursor = Cursor(serde_json::to_string(&now).unwrap());
            lines.push(Ok(ListEvent::Checkpoint(cursor)));
        }
        stream::iter(lines).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let text = self.pages.lock().unwrap().get(&item.key).cloned();
        let text =
            text.ok_or_else(|| PortError::new(ErrorKind::NotFound, "gone", "there is no such page"))?;
        Ok(Fetched {
            bytes: text.into_bytes().into(),
            file_name: item.key.clone(),
            media_type: None,
            title: None,
            acl: None,
            attributes: Attributes::new(),
        })
    }
}

async fn begin(desk: &Desk, binder: &Arc<Binder>, cancel: Cancellation) -> SyncRun {
    let begun = desk.ingestion.begin_sync(
        &desk.knowledge_base,
        &desk.source,
        binder.clone(),
        Progress::new(),
        cancel,
    );
    begun.await.unwrap()
}

async fn sync(desk: &Desk, binder: &Arc<Binder>) -> JobReport {
    let run = begin(desk, binder, Cancellation::new()).await;
    run.run().await.unwrap()
}

async fn texts(desk: &Desk) -> Pages {
    let visible = desk.visible().await.into_iter();
    visible.map(|(key, (text, _))| (key, text)).collect()
}

/// A source of which everything was read.
async fn read() -> (Desk, Arc<Binder>) {
    let (desk, binder) = (Desk::new().await, Arc::new(Binder::default()));
    binder.put("a.txt", "first");
    assert_eq!(sync(&desk, &binder).await.job.state, JobState::Complete);
    assert_eq!(binder.asked_for_changes(), [false]);
    (desk, binder)
}

#[tokio::test]
async fn what_came_with_a_listing_that_broke_off_and_went_is_deleted() {
    let (desk, binder) = read().await;
    binder.put("b.txt", "secret");
    binder.put("c.txt", "third");
    binder.breaks_after(Some(1));
    assert_eq!(sync(&desk, &binder).await.job.state, JobState::Failed);
    assert!(texts(&desk).await.contains_key("b.txt"), "it came");

    binder.take("b.txt");
    binder.breaks_after(None);
    assert_eq!(sync(&desk, &binder).await.job.state, JobState::Complete);
    assert_eq!(texts(&desk).await, binder.pages());
    assert_eq!(binder.asked_for_changes(), [true, false]);
    sync(&desk, &binder).await;
    assert_eq!(binder.asked_for_changes(), [true]);
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_came_with_a_job_that_still_embeds_and_went_is_deleted() {
    let (desk, binder) = read().await;
    binder.put("b.txt", "secret");
    desk.embedder.is_held.store(true, Ordering::Relaxed);
    let first = begin(&desk, &binder, Cancellation::new()).await;
    let came = desk.embedder.came.notified();
    let (first, ()) = tokio::join!(first.run(), async {
        came.await;
        binder.take("b.txt");
        // The first job has its words, and waits for its vectors; the second one may write as soon as it has given the right back.
        let second = loop {
            let begun = desk.ingestion.begin_sync(
                &desk.knowledge_base,
                &desk.source,
                binder.clone(),
                Progress::new(),
                Cancellation::new(),
            );
            match begun.await {
                Ok(second) => break second,
                Err(error) => assert_eq!(error.code(), "job_running"),
            }
            tokio::task::yield_now().await;
        };
        let release = async {
            while !texts_are(&desk, &binder.pages()).await {
                tokio::task::yield_now().await;
            }
            desk.embedder.is_held.store(false, Ordering::Relaxed);
            desk.embedder.let_go.notify_waiters();
        };
        let (second, ()) = tokio::join!(second.run(), release);
        assert_eq!(second.unwrap().job.state, JobState::Complete);
    });
    assert_eq!(first.unwrap().job.state, JobState::Complete);
    assert_eq!(texts(&desk).await, binder.pages());
    sync(&desk, &binder).await;
    assert_eq!(texts(&desk).await, binder.pages());
    desk.assert_clean().await;
}

/// Whether the documents of the ledger are these.
async fn texts_are(desk: &Desk, pages: &Pages) -> bool {
    let filter = crate::DocumentFilter::default();
    let found = desk.ledger().documents(desk.knowledge_base.id, filter, None, 100);
    let keys: Vec<String> = found
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|found| found.key)
        .collect();
    keys.iter().eq(pages.keys())
}

#[tokio::test]
async fn what_came_with_a_job_that_asked_before_it_deleted_and_went_is_deleted() {
    let (mut desk, binder) = read().await;
    for number in 0..9 {
        binder.put(&format!("{number}.txt"), "one of many");
    }
    sync(&desk, &binder).await;
    desk.source.settings.deletions = DeletionGuard {
        max_share: 0.1,
        more_than: 1,
    };
    (0..9).for_each(|number| binder.take(&format!("{number}.txt")));
    binder.put("b.txt", "secret");
    let asked = sync(&desk, &binder).await;
    assert_eq!(asked.job.state, JobState::Stopped, "{:?}", asked.job);

    binder.take("b.txt");
    desk.source.settings.deletions = DeletionGuard {
        max_share: 1.0,
        more_than: 100,
    };
    assert_eq!(sync(&desk, &binder).await.job.state, JobState::Complete);
    assert_eq!(texts(&desk).await, binder.pages());
    desk.assert_clean().await;
}

#[tokio::test]
async fn a_source_that_is_away_costs_no_listing_of_everything() {
    let (desk, binder) = read().await;
    binder.put("b.txt", "second");
    binder.breaks_after(Some(0));
    for _ in 0..2 {
        assert_eq!(sync(&desk, &binder).await.job.state, JobState::Failed);
    }
    binder.breaks_after(None);
    sync(&desk, &binder).await;
    assert_eq!(binder.asked_for_changes(), [true, true, true]);
    assert_eq!(texts(&desk).await, binder.pages());
}

#[tokio::test]
async fn a_source_that_says_no_more_how_far_it_was_read_is_listed_in_full() {
    let (desk, binder) = read().await;
    binder.has_no_cursor.store(true, Ordering::Relaxed);
    sync(&desk, &binder).await;
    sync(&desk, &binder).await;
    assert_eq!(binder.asked_for_changes(), [true, false]);
    desk.assert_clean().await;
}
