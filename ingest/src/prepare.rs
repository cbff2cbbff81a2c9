//! Preparing: from a file to a version with chunks. Extraction runs in child processes, chunking on rayon's
//! threads, several documents at once; the text is stored before anything refers to it.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use lectern_domain::ports::RawFile;
use lectern_domain::{DocumentId, ErrorKind, Extracted};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::chunk::ChunkDraft;
use crate::cut::cut;
use crate::embedding;
use crate::error::{Error, Result};
use crate::fetch::{FetchedDocument, attachments, compare, unchanged};
use crate::ledger::NewVersion;
use crate::queues::Place;
use crate::run::{Described, Problem, Run};
use crate::texts::Pin;

/// A version that has all that words need.
#[derive(Debug)]
pub(crate) struct PreparedDocument {
    pub(crate) version: NewVersion,
    /// Keeps the stored text until the ledger refers to it.
    _text: Pin,
    /// Its share of the memory budget.
    _memory: Arc<OwnedSemaphorePermit>,
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
    match run.clocks.extract.time(run.parts.extractor.extract(&file)).await {
        Ok(extracted) => Ok(Some((document, extracted))),
        Err(error) if matches!(error.kind, ErrorKind::NoSpace | ErrorKind::Unavailable) => Err(error.into()),
        Err(error) => {
            let problem = Problem::from(&error);
            run.give_up(&document.document, described(&document), problem)
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
    let title = title(&document, &extracted);
    let cutting = cut(
        &run.parts,
        &*run.embedder,
        run.source.settings.chunking,
        extracted,
        &title,
    );
    let (extracted, chunks) = match run.clocks.chunk.time(cutting).await? {
        Ok((extracted, chunks)) if !chunks.is_empty() => (extracted, chunks),
        other => {
            let problem = match other {
                Ok(_) => Problem::skipped("no_text", "there is no text in it"),
                Err(problem) => problem,
            };
            let (ledger, id) = (&run.parts.ledger, document.document.id);
            run.account_deleted(ledger.keep_attachments(id, &attachments, run.job).await?);
            run.give_up(&document.document, described(&document), problem)
                .await?;
            // Nothing is attached to a document that the ledger doesn't know.
            return match attachments.is_empty() {
                true => Ok(()),
                false => run.write_notes().await,
            };
        }
    };
    let prepared = store(run, document, extracted, title, chunks, attachments).await?;
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

/// The source's title, else the document's own, else the file's name.
fn title(document: &FetchedDocument, extracted: &Extracted) -> String {
    let given = document.fetched.title.as_ref().or(extracted.title.as_ref());
    match given.map(|title| title.trim()) {
        Some(title) if !title.is_empty() => title.to_owned(),
        _ => document.fetched.file_name.clone(),
    }
}

async fn store(
    run: &Run,
    document: FetchedDocument,
    extracted: Extracted,
    title: String,
    chunks: Vec<ChunkDraft>,
    attachments: Vec<DocumentId>,
) -> Result<PreparedDocument> {
    for warning in &extracted.warnings {
        tracing::debug!(key = document.document.key, warning, "extraction warning");
    }
    let text: Arc<str> = extracted.text.into();
    let pin = run.parts.texts.put_text(Arc::clone(&text)).await?;
    let embed_hashes = embedding::embed_hashes(&run.parts, &title, &text, &chunks);
    Ok(PreparedDocument {
        version: NewVersion {
            document: document.document,
            job: run.job,
            title,
            media_type: extracted.media_type,
            size_bytes: document.fetched.bytes.len() as u64,
            metadata: document.metadata,
            file_attributes: extracted.attributes,
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
        _memory: document.permit,
        _waiting: document.waiting,
    })
}
