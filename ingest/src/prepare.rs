//! Preparing: from a file to a version with chunks. Extraction runs in child processes, rules and chunking
//! ([`crate::shape`]) on rayon's threads, several documents at once; the text is stored before anything refers to it.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use lectern_domain::ports::RawFile;
use lectern_domain::{Attributes, DocumentId, ErrorKind, Extracted};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::embedding;
use crate::enrich::{DocumentFacts, Enriched};
use crate::error::{Error, Result};
use crate::failpoints::failpoint;
use crate::fetch::{FetchedDocument, Share, attachments, compare, unchanged};
use crate::ledger::NewVersion;
use crate::queues::Place;
use crate::run::{Described, Problem, Run};
use crate::shape::{Shaped, Shaping, Unshaped, shape, title};
use crate::texts::Pin;

/// A version that has all that words need.
#[derive(Debug)]
pub(crate) struct PreparedDocument {
    pub(crate) version: NewVersion,
    /// Keeps the stored text until the ledger refers to it.
    _text: Pin,
    /// What it holds until it is published.
    _share: Arc<Share>,
    _waiting: Place,
}

/// Extracts and cuts what arrives, several documents at once.
pub(crate) async fn prepare_stage(
    run: &Run,
    mut input: Receiver<FetchedDocument>,
    output: Sender<PreparedDocument>,
) -> Result<()> {
    stream::poll_fn(move |context| input.poll_recv(context))
        .map(Ok)
        .try_for_each_concurrent(run.parts.settings.documents_ahead.max(1), |document| {
            prepare(run, document, &output)
        })
        .await
}

/// Prepares a document, then what is attached to it, one after the other.
fn prepare<'a>(
    run: &'a Run,
    document: FetchedDocument,
    output: &'a Sender<PreparedDocument>,
) -> BoxFuture<'a, Result<()>> {
    async move {
        let Some((document, mut extracted)) = extract(run, document).await? else {
            return Ok(());
        };
        let depth = run.parts.settings.attachment_depth;
        let attached = attachments::of(&document, std::mem::take(&mut extracted.attachments), depth);
        let ids: Vec<DocumentId> = attached.iter().map(|arrived| arrived.document.id).collect();
        run.progress.update(|state| state.listed += ids.len() as u64);
        prepare_one(run, document, extracted, ids, output).await?;
        for arrived in attached {
            if let Some(document) = compare(run, arrived).await? {
                prepare(run, document, output).await?;
            }
        }
        Ok(())
    }
    .boxed()
}

/// What is in the file; nothing where it can't be read, and that is accounted for.
async fn extract(run: &Run, document: FetchedDocument) -> Result<Option<(FetchedDocument, Extracted)>> {
    let key = document.document.key.clone();
    run.progress.update(|state| state.current_document = Some(key));
    let file = RawFile {
        name: document.fetched.file_name.clone(),
        media_type: document.fetched.media_type.clone(),
        bytes: Arc::clone(&document.fetched.bytes),
    };
    failpoint("extract.before")?;
    let extracted = run.clocks.extract.time(run.parts.extractor.extract(&file)).await;
    failpoint("extract.after")?;
    match extracted {
        Ok(extracted) => Ok(Some((document, extracted))),
        Err(error) if matches!(error.kind, ErrorKind::NoSpace | ErrorKind::Unavailable) => Err(error.into()),
        Err(error) => {
            let problem = Problem::from(&error);
            run.give_up_whole(&document.document, described(&document), problem)
                .await?;
            Ok(None)
        }
    }
}

/// Cuts the text and hands the version on; one that is visible already stays as it is.
async fn prepare_one(
    run: &Run,
    document: FetchedDocument,
    extracted: Extracted,
    attachments: Vec<DocumentId>,
    output: &Sender<PreparedDocument>,
) -> Result<()> {
    if let Some(known) = &document.unchanged_since {
        let metadata = document.metadata.clone();
        return unchanged(run, &document.document, known, metadata, document.change_tag).await;
    }
    failpoint("chunk.before")?;
    let shaped = match run
        .clocks
        .chunk
        .time(shape_one(run, &document, extracted))
        .await?
    {
        Ok(shaped) => shaped,
        Err(problem) => {
            let (ledger, document_ref) = (&run.parts.ledger, &document.document);
            let detached = ledger
                .keep_attachments(document_ref, &attachments, run.job)
                .await?;
            run.account_deleted(detached);
            run.give_up(&document.document, described(&document), problem)
                .await?;
            // Nothing is attached to a document that the ledger doesn't know.
            return match attachments.is_empty() {
                true => Ok(()),
                false => run.write_notes().await,
            };
        }
    };
    failpoint("chunk.after")?;
    let prepared = store(run, document, shaped, attachments).await?;
    run.progress
        .update(|state| state.chunks_cut += prepared.version.chunks.len() as u64);
    output
        .send(prepared)
        .await
        .map_err(|_| Error::StageLost { stage: "publish" })
}

fn described(document: &FetchedDocument) -> Described<'_> {
    Described {
        uri: &document.metadata.uri,
        size_bytes: document.fetched.bytes.len() as u64,
        acl: Some(&document.metadata.acl),
        change_tag: document.change_tag,
    }
}

/// What the source's rules and its way of cutting make of the document.
async fn shape_one(
    run: &Run,
    document: &FetchedDocument,
    extracted: Extracted,
) -> Result<Result<Shaped, Problem>> {
    let shaping = Shaping {
        parts: &run.parts,
        embedder: &*run.embedder,
        enricher: &run.enricher,
        chunking: run.source.settings.chunking,
    };
    let unshaped = Unshaped {
        facts: DocumentFacts {
            path: document.document.key.clone(),
            uri: document.metadata.uri.clone(),
            source: run.source.name.clone(),
            size_bytes: document.fetched.bytes.len() as u64,
            modified_at: document.metadata.modified_at,
        },
        title: title(&document.fetched, &extracted),
        attributes: document.metadata.attributes.clone(),
        extracted,
    };
    let shaped = shape(&shaping, unshaped).await?;
    Ok(shaped.and_then(|mut shaped| match shaped.problem.take() {
        None => Ok(shaped),
        Some(problem) => Err(problem),
    }))
}

async fn store(
    run: &Run,
    document: FetchedDocument,
    shaped: Shaped,
    attachments: Vec<DocumentId>,
) -> Result<PreparedDocument> {
    let (chunks, enriched) = (shaped.chunks, shaped.enriched);
    let Enriched {
        title,
        extracted,
        attributes,
        file_attributes,
        ..
    } = enriched;
    let mut metadata = document.metadata;
    let file_attributes = file_attributes.unwrap_or_else(|| {
        // What rules made of both counts as the source's word, so that nothing stands before it.
        metadata.attributes = attributes;
        Attributes::new()
    });
    for warning in &extracted.warnings {
        tracing::debug!(key = document.document.key, warning, "extraction warning");
    }
    let text: Arc<str> = extracted.text.into();
    let pin = run.parts.texts.put_text(Arc::clone(&text)).await?;
    let embed_hashes = embedding::embed_hashes(&run.parts, run.embedder.model(), &title, &text, &chunks);
    Ok(PreparedDocument {
        version: NewVersion {
            document: document.document,
            job: run.job,
            title,
            media_type: extracted.media_type,
            size_bytes: document.fetched.bytes.len() as u64,
            metadata,
            file_attributes,
            fingerprint: document.fingerprint,
            recipe: run.recipe,
            change_tag: document.change_tag,
            before: document.before,
            attachments,
            embed_hashes,
            text,
            text_hash: pin.hash(),
            chunks,
        },
        _text: pin,
        _share: document.share,
        _waiting: document.waiting,
    })
}
