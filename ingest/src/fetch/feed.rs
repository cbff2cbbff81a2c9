//! Where a run's documents come from: a source's connector, or the queue of pushed documents. Both are
//! listed and fetched in the same way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};
use lectern_domain::{Acl, DocumentId};

use crate::error::Result;
use crate::ledger::{DocumentRef, PendingPush};
use crate::run::{Problem, Run};

/// A listing of changes reads documents that failed before again; where there are more, the source is listed in
/// full instead.
pub(crate) const MAX_RETRIED: usize = 10_000;

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
    /// One that is no longer there.
    Gone(DocumentRef),
    /// Who may read a document from now on, of which no more is known.
    Readers(DocumentRef, Acl),
    /// The same of all whose keys begin so.
    FolderReaders { prefix: String, acl: Acl },
    /// A folder that can't be read: what is under `prefix` is unknown, and stays as it is.
    FolderLost {
        prefix: String,
        uri: String,
        problem: Problem,
    },
}

impl FeedEvent {
    /// The document of a source that it is about.
    pub(crate) fn document(&self) -> Option<DocumentId> {
        match self {
            Self::Item(item) => Some(item.document.id).filter(|_| item.push.is_none()),
            Self::LeftOut { document, .. } | Self::Gone(document) | Self::Readers(document, _) => {
                Some(document.id)
            }
            Self::FolderReaders { .. } | Self::FolderLost { .. } => None,
        }
    }

    /// Whether it is a line of the report.
    pub(crate) fn is_counted(&self) -> bool {
        match self {
            Self::Item(_) | Self::LeftOut { .. } | Self::FolderLost { .. } => true,
            Self::Gone(_) | Self::Readers(..) | Self::FolderReaders { .. } => false,
        }
    }

    /// The key of the document that it settles.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Item(item) => Some(&item.document.key),
            Self::LeftOut { document, .. } | Self::Gone(document) => Some(&document.key),
            Self::Readers(..) | Self::FolderReaders { .. } | Self::FolderLost { .. } => None,
        }
    }
}

impl Feed {
    /// Everything that the feed has.
    pub(crate) fn list<'a>(&'a self, run: &'a Run) -> BoxStream<'a, Result<FeedEvent>> {
        match self {
            Self::Source(connector) => {
                let listed = connector
                    .list(run.since.as_ref())
                    .err_into()
                    .try_filter_map(|event| futures::future::ready(Ok(of_source(run, event))));
                match run.since {
                    None => listed.boxed(),
                    Some(_) => with_retries(run, listed).boxed(),
                }
            }
            Self::Pushes => pushes(run)
                .map_ok(|push| FeedEvent::Item(Box::new(of_push(push))))
                .boxed(),
        }
    }

    /// How many documents are fetched at a time.
    pub(crate) fn fetches_at_once(&self, run: &Run) -> usize {
        let ahead = run.parts.settings.documents_ahead.max(1);
        let wanted = match self {
            Self::Source(connector) => connector.fetches_at_once(),
            Self::Pushes => None,
        };
        wanted.map_or(ahead, |wanted| wanted.max(1))
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

/// A listing of changes, and then the documents that couldn't be read before and aren't among them: their source
/// won't name them again.
fn with_retries<'a>(
    run: &'a Run,
    listed: impl Stream<Item = Result<FeedEvent>> + Send + 'a,
) -> impl Stream<Item = Result<FeedEvent>> + Send + 'a {
    let failed: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let (known, unlisted) = (Arc::clone(&failed), Arc::clone(&failed));
    let load = stream::once(async move {
        let found = run
            .parts
            .ledger
            .failed_documents(run.source.id, MAX_RETRIED)
            .await?;
        known.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        Ok(None)
    });
    let listed = listed.map_ok(move |event| {
        if let Some(key) = event.key() {
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.remove(key);
        }
        Some(event)
    });
    let retried =
        stream::once(
            async move { std::mem::take(&mut *unlisted.lock().unwrap_or_else(PoisonError::into_inner)) },
        );
    let retried = retried.flat_map(move |keys| {
        stream::iter(keys).map(move |(key, uri)| Ok(Some(item_event(run, SourceItem::new(key, uri)))))
    });
    let events = load.chain(listed).chain(retried);
    events.try_filter_map(|event| futures::future::ready(Ok(event)))
}

fn item_event(run: &Run, item: SourceItem) -> FeedEvent {
    FeedEvent::Item(Box::new(FeedItem {
        document: document_ref(run, &item.key),
        item,
        push: None,
    }))
}

/// What an event of a listing means for the documents. A checkpoint means something for the run alone.
fn of_source(run: &Run, event: ListEvent) -> Option<FeedEvent> {
    let (item, problem) = match event {
        ListEvent::Item(item) => return Some(item_event(run, item)),
        ListEvent::Skipped { item, code, reason } => (item, Problem::skipped(code, reason)),
        ListEvent::Failed { item, code, reason } => (item, Problem::failed(code, reason)),
        ListEvent::Gone { key } => return Some(FeedEvent::Gone(document_ref(run, &key))),
        ListEvent::Readers { key, acl } if key.ends_with('/') => {
            return Some(FeedEvent::FolderReaders { prefix: key, acl });
        }
        ListEvent::Readers { key, acl } => return Some(FeedEvent::Readers(document_ref(run, &key), acl)),
        ListEvent::Checkpoint(cursor) => {
            run.reached(cursor);
            return None;
        }
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
        parent: None,
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
fn pushes(run: &Run) -> impl Stream<Item = Result<PendingPush>> + Send + '_ {
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
