//! Where a run's documents come from: a source's connector, or the queue of pushed documents. Both are
//! listed and fetched in the same way.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use lectern_domain::DocumentId;
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};

use crate::error::Result;
use crate::ledger::{DocumentRef, PendingPush};
use crate::run::{Problem, Run};

/// How many waiting pushes are read from the ledger at a time.
const PUSHES_PER_PAGE: usize = 64;

/// Where documents come from.
pub(crate) enum Feed {
    /// What a connector lists.
    Source(Arc<dyn Connector>),
    /// What was pushed and waits.
    Pushes,
}

/// A document of a feed.
#[derive(Debug)]
pub(crate) struct FeedItem {
    pub(crate) document: DocumentRef,
    pub(crate) item: SourceItem,
    push: Option<PendingPush>,
}

/// One line of a feed's listing.
#[derive(Debug)]
pub(crate) enum FeedEvent {
    /// A document that can be fetched.
    Item(Box<FeedItem>),
    /// One that the listing leaves out.
    LeftOut {
        document: DocumentRef,
        item: SourceItem,
        problem: Problem,
    },
    /// A folder that can't be read: what is under `prefix` is unknown, and stays as it is.
    FolderLost {
        prefix: String,
        uri: String,
        problem: Problem,
    },
}

impl Feed {
    /// Everything that the feed has.
    pub(crate) fn list<'a>(&'a self, run: &'a Run) -> BoxStream<'a, Result<FeedEvent>> {
        match self {
            Self::Source(connector) => connector
                .list(None)
                .err_into()
                .try_filter_map(|event| futures::future::ready(Ok(of_source(run, event))))
                .boxed(),
            Self::Pushes => pushes(run)
                .map_ok(|push| FeedEvent::Item(Box::new(of_push(push))))
                .boxed(),
        }
    }

    /// The content of one document.
    pub(crate) async fn fetch(&self, run: &Run, item: &FeedItem) -> Result<Fetched> {
        match (self, &item.push) {
            (Self::Source(connector), _) => Ok(connector.fetch(&item.item).await?),
            (Self::Pushes, None) => Err(crate::Error::StageLost { stage: "push" }),
            (Self::Pushes, Some(push)) => Ok(Fetched {
                bytes: run.parts.texts.original(push.original).await?.into(),
                file_name: push.file_name.clone(),
                media_type: push.media_type.clone(),
                title: push.title.clone(),
                acl: push.acl.clone(),
                attributes: push.attributes.clone(),
            }),
        }
    }
}

/// What an event of a full listing means; a checkpoint means nothing yet.
fn of_source(run: &Run, event: ListEvent) -> Option<FeedEvent> {
    let (item, problem) = match event {
        ListEvent::Item(item) => {
            return Some(FeedEvent::Item(Box::new(FeedItem {
                document: document_ref(run, &item.key),
                item,
                push: None,
            })));
        }
        ListEvent::Skipped { item, code, reason } => (item, Problem::skipped(code, reason)),
        ListEvent::Failed { item, code, reason } => (item, Problem::failed(code, reason)),
        ListEvent::Gone { .. } | ListEvent::Checkpoint(_) => return None,
    };
    if item.key.ends_with('/') {
        return Some(FeedEvent::FolderLost {
            prefix: item.key,
            uri: item.uri,
            problem,
        });
    }
    Some(FeedEvent::LeftOut {
        document: document_ref(run, &item.key),
        item,
        problem,
    })
}

fn document_ref(run: &Run, key: &str) -> DocumentRef {
    DocumentRef {
        id: DocumentId::derive(run.source.id, key),
        knowledge_base: run.source.knowledge_base,
        source: run.source.id,
        key: key.to_owned(),
        push: None,
    }
}

fn of_push(push: PendingPush) -> FeedItem {
    FeedItem {
        document: push.document.clone(),
        item: SourceItem {
            key: push.document.key.clone(),
            uri: push.uri.clone(),
            size_bytes: Some(push.size_bytes),
            modified_at: None,
            change_tag: None,
        },
        push: Some(push),
    }
}

/// The pushes that wait, oldest first, a page at a time. What is pushed meanwhile comes too.
fn pushes(run: &Run) -> impl futures::Stream<Item = Result<PendingPush>> + Send + '_ {
    let start = (0_i64, VecDeque::new());
    stream::try_unfold(start, move |(last, mut page)| async move {
        if page.is_empty() {
            let ledger = &run.parts.ledger;
            let next = ledger
                .pending_after(run.source.knowledge_base, last, PUSHES_PER_PAGE)
                .await?;
            page = VecDeque::from(next);
        }
        let next: Option<PendingPush> = page.pop_front();
        Ok(next.map(|push| {
            let sequence = push.sequence;
            (push, (sequence, page))
        }))
    })
}
