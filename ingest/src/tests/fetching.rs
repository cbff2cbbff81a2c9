//! How many documents are fetched at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{Attributes, PortError};

use super::desk::Desk;
use crate::{Cancellation, Progress};

/// A source whose documents take as long to come as it takes for `together` of them to be asked for.
struct Slow {
    wants: Option<usize>,
    together: usize,
    asked: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Connector for Slow {
    fn describe(&self) -> String {
        "a slow source".to_owned()
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let item = |number| SourceItem::new(format!("{number}.txt"), format!("slow:{number}.txt"));
        stream::iter((0..10).map(item).map(ListEvent::Item).map(Ok)).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let now = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..10_000 {
            if self.most.load(Ordering::SeqCst) >= self.together {
                break;
            }
            tokio::task::yield_now().await;
        }
        // And long enough for one more to be asked for, if one may be.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        self.asked.fetch_sub(1, Ordering::SeqCst);
        Ok(Fetched {
            bytes: item.key.as_bytes().into(),
            file_name: item.key.clone(),
            media_type: None,
            title: None,
            acl: None,
            attributes: Attributes::default(),
        })
    }

    fn fetches_at_once(&self) -> Option<usize> {
        self.wants
    }
}

#[tokio::test]
async fn a_connector_says_how_many_documents_are_fetched_at_a_time() {
    for (wants, most) in [(None, 2), (Some(6), 6), (Some(1), 1)] {
        let mut desk = Desk::new().await;
        desk.reopen_with(|settings| settings.documents_ahead = 2).await;
        let source = Arc::new(Slow {
            wants,
            together: most,
            asked: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let (progress, cancel) = (Progress::new(), Cancellation::new());
        let report = desk
            .ingestion
            .sync(
                &desk.knowledge_base,
                &desk.source,
                source.clone(),
                progress,
                cancel,
            )
            .await;
        assert_eq!(report.unwrap().job.counts.new, 10);
        assert_eq!(source.most.load(Ordering::SeqCst), most, "{wants:?}");
    }
}
