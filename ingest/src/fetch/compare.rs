//! Comparing: whether a document needs a new version.
//!
//! Three questions, from the cheapest on. Does the listing say of it what it said last time ([`change_tag`])? Then it
//! isn't read, and stays what it is, also where that is *skipped*. Was the visible version made from this content by this recipe? Then it is *unchanged*, or
//! *metadata only* where its readers, attributes or address are others. Else it goes on and gets a new version.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lectern_domain::attribute::names;
use lectern_domain::ports::{Fetched, SourceItem};
use lectern_domain::{Acl, AttributeValue, ContentHash, DocumentStatus};

use super::{FetchedDocument, Share, attachments};
use crate::access;
use crate::error::Result;
use crate::ledger::{DocumentRef, KnownDocument, Note, SourceMetadata};
use crate::outcome::Outcome;
use crate::queues;
use crate::run::Run;
use crate::texts::blocking;

/// Below this a hash is computed on the spot: handing it to a thread costs more.
const HASHED_ON_THE_SPOT: usize = 64 << 10;

/// A document with its content.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) document: DocumentRef,
    pub(crate) uri: String,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    /// See [`change_tag`].
    pub(crate) change_tag: Option<ContentHash>,
    /// How deep it is attached; 0 where a source lists it.
    pub(crate) depth: usize,
    pub(crate) fetched: Fetched,
    /// What it holds for as long as it is on its way.
    pub(crate) share: Arc<Share>,
}

/// The hash of all that a listing says of a document, and of the settings that it meets. `None` where the
/// listing has no tag.
pub(crate) fn change_tag(run: &Run, item: &SourceItem) -> Option<ContentHash> {
    let tag = item.change_tag.as_ref()?;
    let said = (
        tag,
        &item.uri,
        item.size_bytes,
        item.modified_at,
        run.recipe.to_hex(),
        &run.source.default_access,
    );
    let said = serde_json::to_vec(&said).ok()?;
    Some(ContentHash::of(&said))
}

/// Whether the document needn't even be read; then it is accounted for.
pub(crate) async fn is_untouched(
    run: &Run,
    document: &DocumentRef,
    change_tag: Option<ContentHash>,
) -> Result<bool> {
    if change_tag.is_none() {
        return Ok(false);
    }
    let known = run.parts.ledger.known(document.id, run.job).await?;
    let Some(known) = known.filter(|known| known.is_settled(change_tag)) else {
        return Ok(false);
    };
    if known.status == DocumentStatus::Skipped {
        let (document, job) = (document.clone(), run.job);
        run.report_again(&document.key, &known);
        run.note(Note::StillSkipped { document, job }).await?;
    } else {
        let metadata = known.metadata.clone();
        unchanged(run, document, &known, metadata, change_tag).await?;
    }
    attachments::follow(run, document, &known, None).await?;
    Ok(true)
}

/// Gives the document back if it needs a new version; otherwise it is accounted for.
pub(crate) async fn compare(run: &Run, arrived: Arrived) -> Result<Option<FetchedDocument>> {
    let mut arrived = arrived;
    // An address that the source states beside the document leads to where people read it.
    if let Some(AttributeValue::Text(uri)) = arrived.fetched.attributes.remove(names::URI) {
        arrived.uri = uri;
    }
    let fingerprint = fingerprint(run, &arrived).await?;
    let metadata = SourceMetadata {
        uri: arrived.uri,
        acl: arrived
            .fetched
            .acl
            .clone()
            .unwrap_or_else(|| run.source.default_access.0.clone()),
        attributes: arrived.fetched.attributes.clone(),
        modified_at: arrived.modified_at,
    };
    let known = run.parts.ledger.known(arrived.document.id, run.job).await?;
    let before = known.as_ref().and_then(|known| known.outcome);
    let mut unchanged_since = None;
    if let Some(known) = known.filter(|known| known.has_current_version) {
        let is_same = known.fingerprint == Some(fingerprint) && known.recipe == Some(run.recipe);
        if is_same && !known.attachments_open {
            unchanged(
                run,
                &arrived.document,
                &known,
                metadata.clone(),
                arrived.change_tag,
            )
            .await?;
            attachments::follow(run, &arrived.document, &known, Some(&metadata)).await?;
            return Ok(None);
        }
        narrow(run, &arrived.document, &known, &metadata.acl).await?;
        unchanged_since = is_same.then_some(known);
    }
    Ok(Some(FetchedDocument {
        document: arrived.document,
        fetched: arrived.fetched,
        fingerprint,
        change_tag: arrived.change_tag,
        metadata,
        before,
        unchanged_since,
        depth: arrived.depth,
        share: arrived.share,
        waiting: queues::DOCUMENTS.wait_for(1),
    }))
}

/// Accounts for a document that needs no new version. What the source says about it is brought up to date.
pub(crate) async fn unchanged(
    run: &Run,
    document: &DocumentRef,
    known: &KnownDocument,
    metadata: SourceMetadata,
    change_tag: Option<ContentHash>,
) -> Result<()> {
    // With rules, the fingerprint says that the attributes of the source are the same, and the ledger has what
    // the rules made of them.
    let metadata = match run.enricher.is_empty() {
        true => metadata,
        false => SourceMetadata {
            attributes: known.metadata.attributes.clone(),
            ..metadata
        },
    };
    let access_changed = known.metadata.acl != metadata.acl;
    // When it says that it changed isn't a change.
    let is_changed = access_changed
        || known.metadata.uri != metadata.uri
        || known.metadata.attributes != metadata.attributes;
    let outcome = match is_changed {
        true => Outcome::MetadataOnly,
        false => Outcome::Unchanged,
    };
    let outcome = outcome.after(known.outcome);
    run.note(Note::Unchanged {
        document: document.clone(),
        job: run.job,
        metadata: (known.metadata != metadata).then_some(metadata),
        change_tag,
        outcome,
    })
    .await?;
    if access_changed {
        run.write_notes().await?;
    }
    run.account(outcome);
    Ok(())
}

/// Until a new version is visible, the old one, and what is attached to it, is shown to those only who may
/// read both.
pub(super) async fn narrow(
    run: &Run,
    document: &DocumentRef,
    known: &KnownDocument,
    acl: &Acl,
) -> Result<()> {
    let both = access::intersection(&known.metadata.acl, acl);
    if both != known.metadata.acl {
        run.parts.ledger.change_access(document.id, &both).await?;
    }
    // Also where the document itself was narrowed before: that may have been interrupted here.
    if known.has_attachments {
        attachments::narrow(run, document, acl).await?;
    }
    Ok(())
}

/// The hash of what a version is made from: the content; the title where the source gives one, since the title is
/// embedded with every chunk; and with rules, what else of the source's word they act on.
async fn fingerprint(run: &Run, arrived: &Arrived) -> Result<ContentHash> {
    let fetched = &arrived.fetched;
    let content = if fetched.bytes.len() <= HASHED_ON_THE_SPOT {
        ContentHash::of(&fetched.bytes)
    } else {
        let bytes = Arc::clone(&fetched.bytes);
        blocking(move || Ok(ContentHash::of(&bytes))).await?
    };
    let mut made_from = content.0.to_vec();
    made_from.extend(fetched.title.iter().flat_map(|title| title.bytes()));
    if !run.enricher.is_empty() {
        let attributes = serde_json::to_vec(&fetched.attributes).unwrap_or_default();
        made_from.extend(ContentHash::of(&attributes).0);
        if run.enricher.reads(names::URI) {
            made_from.extend(ContentHash::of(arrived.uri.as_bytes()).0);
        }
        if run.enricher.reads(names::MODIFIED) {
            made_from.extend(format!("{:?}", arrived.modified_at).bytes());
        }
    }
    Ok(match made_from.len() == content.0.len() {
        true => content,
        false => ContentHash::of(&made_from),
    })
}
