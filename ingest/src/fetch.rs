//! Fetching: from a listing to documents that need a new version.
//!
//! [`feed`] lists, everything or what changed; [`compare`] drops what is unchanged, most of it without reading it;
//! [`attachments`] follow the documents that they are attached to. The listing is a stream, and what was seen
//! is noted in the ledger, so memory doesn't grow with the source.

mod feed;
mod compare;
pub(crate) mod attachments;

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use lectern_domain::error::chain;
use lectern_domain::ports::{Fetched, SIDECAR_INVALID, SourceItem};
use lectern_domain::{Acl, ContentHash, ErrorKind, PortError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use crate::error::{Error, Result};
use crate::failpoints::failpoint;
use crate::in_hand::Hand;
use crate::ledger::{DocumentRef, KnownDocument, Note, SourceMetadata};
use crate::outcome::Outcome;
use crate::queues::Place;
use crate::run::{Described, Problem, Run};

use compare::{Arrived, change_tag, is_untouched};
pub(crate) use compare::{compare, unchanged};
pub(crate) use feed::{Feed, MAX_RETRIED};
use feed::{FeedEvent, FeedItem};

/// What a document is taken to weigh where the listing doesn't tell.
const UNKNOWN_SIZE: u64 = 1 << 20;

/// A document that needs a new version.
#[derive(Debug)]
pub(crate) struct FetchedDocument {
    pub(crate) document: DocumentRef,
    pub(crate) fetched: Fetched,
    pub(crate) fingerprint: ContentHash,
    /// The hash of what the listing said of it, where it has a change tag.
    pub(crate) change_tag: Option<ContentHash>,
    pub(crate) metadata: SourceMetadata,
    /// What the job has done with it before.
    pub(crate) before: Option<Outcome>,
    /// Its visible version where that is the same, and only its attachments may be missing.
    pub(crate) unchanged_since: Option<KnownDocument>,
    /// How deep it is attached to other documents.
    pub(crate) depth: usize,
    /// What it and its attachments hold for as long as they are on their way.
    pub(crate) share: Arc<Share>,
    /// Its place among those that can't be found yet.
    pub(crate) waiting: Place,
}

/// What a document holds on its way: its part of the memory budget, and the right to be taken up.
#[derive(Debug)]
pub(crate) struct Share {
    _memory: OwnedSemaphorePermit,
    /// Nothing for a push: one that comes meanwhile overtakes it.
    _hand: Option<Hand>,
}

/// Walks the feed. Gives the error that ended the listing early, if one did.
pub(crate) async fn fetch_stage(
    run: &Run,
    feed: &Feed,
    output: Sender<FetchedDocument>,
) -> Result<Option<PortError>> {
    let broken: Mutex<Option<Error>> = Mutex::default();
    // The first error ends the listing; what came before it still goes its way.
    let events = feed.list(run).scan((), |(), event| {
        let event = event.map_err(|error| {
            *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        });
        futures::future::ready(event.ok())
    });
    events
        .map(Ok)
        .try_for_each_concurrent(feed.fetches_at_once(run), |event| {
            handle(run, feed, &output, event)
        })
        .await?;
    run.progress.update(|state| state.listing_complete = true);
    match broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(None),
        Some(Error::Port(error)) => Ok(Some(error)),
        Some(error) => Err(error),
    }
}

async fn handle(run: &Run, feed: &Feed, output: &Sender<FetchedDocument>, event: FeedEvent) -> Result<()> {
    if event.is_counted() {
        run.progress.update(|state| state.listed += 1);
    }
    run.begin().await?;
    // What the listing said of the same document before comes to its end first.
    let hand = match event.document() {
        None => None,
        Some(document) => {
            let hand = run.in_hand.take(document).await;
            run.settle_note_of(document).await?;
            Some(hand)
        }
    };
    match event {
        FeedEvent::Gone(document) => gone(run, document).await,
        FeedEvent::Item(item) => fetch(run, feed, output, *item, hand).await,
        FeedEvent::LeftOut {
            document,
            item,
            problem,
        } => run.give_up_whole(&document, described(&item), problem).await,
        FeedEvent::Readers(document, acl) => narrow_readers(run, &document, &acl).await,
        FeedEvent::FolderReaders { prefix, acl } => {
            run.parts.ledger.narrow_under(run.source.id, &prefix, &acl).await
        }
        FeedEvent::FolderLost { prefix, uri, problem } => {
            run.report(&prefix, &uri, &problem);
            run.position_is_in_doubt();
            match run.job {
                Some(job) => run.parts.ledger.see_under(run.source.id, &prefix, job).await,
                None => Ok(()),
            }
        }
    }
}

async fn fetch(
    run: &Run,
    feed: &Feed,
    output: &Sender<FetchedDocument>,
    item: FeedItem,
    hand: Option<Hand>,
) -> Result<()> {
    let change_tag = change_tag(run, &item.item);
    if is_untouched(run, &item.document, change_tag).await? {
        return Ok(());
    }
    let memory = run.admit(item.item.size_bytes.unwrap_or(UNKNOWN_SIZE)).await?;
    failpoint("fetch.before")?;
    let fetched = match run.clocks.fetch.time(feed.fetch(run, &item)).await {
        Ok(fetched) => fetched,
        Err(error) => return not_fetched(run, &item, error).await,
    };
    failpoint("fetch.after")?;
    let arrived = Arrived {
        document: item.document,
        uri: item.item.uri,
        modified_at: item.item.modified_at,
        change_tag,
        depth: 0,
        fetched,
        share: Arc::new(Share {
            _memory: memory,
            _hand: hand,
        }),
    };
    let Some(document) = compare(run, arrived).await? else {
        return Ok(());
    };
    output
        .send(document)
        .await
        .map_err(|_| Error::StageLost { stage: "prepare" })
}

/// Notes that a document is no longer there.
async fn gone(run: &Run, document: DocumentRef) -> Result<()> {
    match run.job {
        Some(job) => run.note(Note::Gone { document, job }).await,
        None => Ok(()),
    }
}

async fn not_fetched(run: &Run, item: &FeedItem, error: Error) -> Result<()> {
    let error = match error {
        Error::Port(error) if error.kind != ErrorKind::NoSpace => error,
        // The original of a push: nobody has it any more but who pushed it.
        error @ Error::ContentDamaged { .. } => {
            let reason = format!("{}; push the document again", chain(&error));
            let problem = Problem::failed(error.code(), reason);
            return run.give_up(&item.document, described(&item.item), problem).await;
        }
        error => return Err(error),
    };
    if error.kind == ErrorKind::NotFound {
        // A document that has gone since the listing is deleted at the end of it.
        let problem = Problem::skipped("vanished", "it was gone when it was fetched");
        run.report(&item.document.key, &item.item.uri, &problem);
        return gone(run, item.document.clone()).await;
    }
    if error.code == SIDECAR_INVALID {
        narrow_readers(run, &item.document, &Acl::nobody()).await?;
    }
    run.give_up_whole(&item.document, described(&item.item), Problem::from(&error))
        .await
}

/// Shows what is there of a document, from now on, to those only who may read it by `acl` too.
async fn narrow_readers(run: &Run, document: &DocumentRef, acl: &Acl) -> Result<()> {
    match run.parts.ledger.known(document.id, run.job).await? {
        None => Ok(()),
        Some(known) => compare::narrow(run, document, &known, acl).await,
    }
}

fn described(item: &SourceItem) -> Described<'_> {
    Described {
        uri: &item.uri,
        size_bytes: item.size_bytes.unwrap_or_default(),
        acl: None,
        change_tag: None,
    }
}
