//! Fetching: from a listing to documents that need a new version.
//!
//! A document is *unchanged* when its fingerprint is that of the visible version: nothing is extracted or embedded,
//! and only what the source says about it (address, permissions, attributes) is brought up to date. The
//! listing is a stream, and what was seen is noted in the ledger, so memory doesn't grow with the source.

mod feed;

use std::sync::Mutex;
use std::sync::PoisonError;

use futures::{StreamExt, TryStreamExt};
use lectern_domain::ports::{Fetched, SourceItem};
use lectern_domain::{ContentHash, ErrorKind, PortError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use crate::access;
use crate::error::{Error, Result};
use crate::ledger::{DocumentRef, KnownDocument, Note, SourceMetadata};
use crate::run::{Described, Outcome, Problem, Run};
use crate::texts::blocking;

pub(crate) use feed::Feed;
use feed::{FeedEvent, FeedItem};

/// What a document is taken to weigh where the listing doesn't tell.
const UNKNOWN_SIZE: u64 = 1 << 20;

/// Below this a hash is computed on the spot: handing it to a thread costs more.
const HASHED_ON_THE_SPOT: usize = 64 << 10;

/// A document that needs a new version.
#[derive(Debug)]
pub(crate) struct FetchedDocument {
    pub(crate) document: DocumentRef,
    pub(crate) fetched: Fetched,
    pub(crate) fingerprint: ContentHash,
    pub(crate) metadata: SourceMetadata,
    /// Its share of the memory budget.
    pub(crate) permit: OwnedSemaphorePermit,
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
        .try_for_each_concurrent(run.parts.settings.documents_ahead.max(1), |event| {
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
    run.progress.update(|state| state.listed += 1);
    match event {
        FeedEvent::Item(item) => fetch(run, feed, output, *item).await,
        FeedEvent::LeftOut {
            document,
            item,
            problem,
        } => run.give_up(&document, described(&item), problem).await,
        FeedEvent::FolderLost { prefix, uri, problem } => {
            run.report(&prefix, &uri, &problem);
            match run.job {
                Some(job) => run.parts.ledger.see_under(run.source.id, &prefix, job).await,
                None => Ok(()),
            }
        }
    }
}

async fn fetch(run: &Run, feed: &Feed, output: &Sender<FetchedDocument>, item: FeedItem) -> Result<()> {
    let permit = run.admit(item.item.size_bytes.unwrap_or(UNKNOWN_SIZE)).await?;
    let fetched = match run.clocks.fetch.time(feed.fetch(run, &item)).await {
        Ok(fetched) => fetched,
        Err(error) => return not_fetched(run, &item, error).await,
    };
    let fingerprint = fingerprint(&fetched).await?;
    let metadata = SourceMetadata {
        uri: item.item.uri.clone(),
        acl: fetched
            .acl
            .clone()
            .unwrap_or_else(|| run.source.default_access.0.clone()),
        attributes: fetched.attributes.clone(),
        modified_at: item.item.modified_at,
    };
    if let Some(known) = run.parts.ledger.known(item.document.id).await?
        && known.has_current_version
    {
        if known.fingerprint == Some(fingerprint) {
            return unchanged(run, item.document, known, metadata).await;
        }
        narrow(run, &item.document, &known, &metadata).await?;
    }
    let document = FetchedDocument {
        document: item.document,
        fetched,
        fingerprint,
        metadata,
        permit,
    };
    output
        .send(document)
        .await
        .map_err(|_| Error::StageLost { stage: "prepare" })
}

async fn not_fetched(run: &Run, item: &FeedItem, error: Error) -> Result<()> {
    let error = match error {
        Error::Port(error) if error.kind != ErrorKind::NoSpace => error,
        error => return Err(error),
    };
    if error.kind == ErrorKind::NotFound {
        // Not noted as seen: a document that has gone since the listing is deleted at the end of it.
        let problem = Problem::skipped("vanished", "it was gone when it was fetched");
        run.report(&item.document.key, &item.item.uri, &problem);
        return Ok(());
    }
    run.give_up(&item.document, described(&item.item), Problem::from(&error))
        .await
}

fn described(item: &SourceItem) -> Described<'_> {
    Described {
        uri: &item.uri,
        size_bytes: item.size_bytes.unwrap_or_default(),
        acl: None,
    }
}

async fn unchanged(
    run: &Run,
    document: DocumentRef,
    known: KnownDocument,
    metadata: SourceMetadata,
) -> Result<()> {
    let access_changed = known.metadata.acl != metadata.acl;
    let changed = (known.metadata != metadata).then_some(metadata);
    run.note(Note::Unchanged {
        document,
        job: run.job,
        metadata: changed,
    })
    .await?;
    if access_changed {
        run.write_notes().await?;
    }
    run.account(Outcome::Unchanged);
    Ok(())
}

/// Until the new version is visible, the old one is shown to those only who may read both.
async fn narrow(
    run: &Run,
    document: &DocumentRef,
    known: &KnownDocument,
    metadata: &SourceMetadata,
) -> Result<()> {
    let both = access::intersection(&known.metadata.acl, &metadata.acl);
    if both == known.metadata.acl {
        return Ok(());
    }
    run.parts.ledger.change_access(document.id, &both).await
}

/// The hash of what a version is made from: the content, and the title where the source gives one, since the
/// title is embedded with every chunk.
async fn fingerprint(fetched: &Fetched) -> Result<ContentHash> {
    let content = if fetched.bytes.len() <= HASHED_ON_THE_SPOT {
        ContentHash::of(&fetched.bytes)
    } else {
        let bytes = std::sync::Arc::clone(&fetched.bytes);
        blocking(move || Ok(ContentHash::of(&bytes))).await?
    };
    Ok(match &fetched.title {
        None => content,
        Some(title) => ContentHash::of(&[&content.0, title.as_bytes()].concat()),
    })
}
