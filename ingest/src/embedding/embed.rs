//! From the chunks of a version to vectors, with the embedder never idle.
//!
//! A version holds the texts and vectors of a few slices only, however long it is: the texts are read from the store
//! slice by slice, and each slice's vectors go to the ledger.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use lectern_domain::ports::Embedder;
use lectern_domain::{ChunkId, ContentHash, ErrorKind, PortError};
use tokio::sync::mpsc::Sender;

use super::Embedding;
use crate::chunk::{ChunkDraft, embedder_text, title_to_embed};
use crate::error::{Error, Result};
use crate::failpoints::failpoint;
use crate::ledger::{PendingVersion, StoredVector, UnembeddedChunk};
use crate::pipeline::IngestionParts;
use crate::queues;
use crate::texts::PieceRequest;

/// Calls of the embedder that one document has under way.
const CALLS_PER_DOCUMENT: usize = 2;

/// What happened to a version on its way.
#[derive(Debug)]
pub(super) enum Step {
    /// Some of its chunks have vectors.
    Slice {
        version: Arc<PendingVersion>,
        vectors: Vec<StoredVector>,
        /// Chunks that the embedder reads otherwise than the ledger has it.
        other_hashes: Vec<(ChunkId, ContentHash)>,
        tokens: u64,
    },
    /// All of them have.
    Complete {
        version: Arc<PendingVersion>,
        /// Chunks whose vectors were known.
        reused: u64,
    },
    /// It can't have any.
    SetAside {
        version: Arc<PendingVersion>,
        reason: String,
    },
    /// It has to wait, and so have the others of its knowledge base.
    PutBack { version: Arc<PendingVersion> },
}

/// Embeds what the feed gives, several versions at once.
pub(super) async fn embed_all(
    embedding: &Embedding,
    feed: impl Stream<Item = Result<PendingVersion>>,
    output: Sender<Step>,
) -> Result<()> {
    feed.try_for_each_concurrent(embedding.parts.settings.documents_embedding.max(1), |version| {
        embed_version(embedding, Arc::new(version), &output)
    })
    .await
}

async fn embed_version(
    embedding: &Embedding,
    version: Arc<PendingVersion>,
    output: &Sender<Step>,
) -> Result<()> {
    let step = match slices(embedding, &version, output).await {
        Ok(reused) => Step::Complete { version, reused },
        Err(error) => match is_at_fault(embedding, &version, &error) {
            true => {
                let reason = format!("{}: {}", error.code(), lectern_domain::error::chain(&error));
                Step::SetAside { version, reason }
            }
            false => {
                embedding.note_fault(Some(version.knowledge_base), &error);
                Step::PutBack { version }
            }
        },
    };
    send(output, step).await
}

/// Whether it is the document that can't be embedded, rather than the embedder that can't embed.
fn is_at_fault(embedding: &Embedding, version: &PendingVersion, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::TooLarge => true,
        ErrorKind::Corrupt => matches!(error, Error::ContentDamaged { .. }),
        // A fault of the embedder or of Lectern, which the same text may cause each time.
        ErrorKind::Internal => matches!(error, Error::Port(_)) && embedding.has_failed_enough(version.id()),
        _ => false,
    }
}

/// Embeds the chunks whose vectors aren't known. Gives how many were.
async fn slices(embedding: &Embedding, version: &Arc<PendingVersion>, output: &Sender<Step>) -> Result<u64> {
    let parts = &embedding.parts;
    let embedder = embedder(embedding, version)?;
    let mut chunks = parts
        .ledger
        .chunks_without_vectors(version.id(), &version.model)
        .await?;
    // What stands in a document twice is embedded once.
    let mut seen = HashSet::new();
    chunks.retain(|chunk| chunk.embed_hash.is_none_or(|hash| seen.insert(hash)));
    let reused = u64::from(version.chunk_count).saturating_sub(chunks.len() as u64);
    let size = parts.settings.texts_per_call.max(1);
    let calls = (0..chunks.len()).step_by(size).map(|first| {
        let slice = chunks.get(first..(first + size).min(chunks.len()));
        embed_slice(embedding, &*embedder, version, slice.unwrap_or_default())
    });
    let mut slices = stream::iter(calls).buffered(CALLS_PER_DOCUMENT);
    while let Some(slice) = slices.try_next().await? {
        send(output, slice).await?;
    }
    Ok(reused)
}

/// The model of the version's knowledge base.
fn embedder(embedding: &Embedding, version: &PendingVersion) -> Result<Arc<dyn Embedder>> {
    let found = embedding.parts.embedders.of_model(&version.model);
    found.ok_or(Error::StageLost { stage: "embedding" })
}

async fn embed_slice(
    embedding: &Embedding,
    embedder: &dyn Embedder,
    version: &Arc<PendingVersion>,
    chunks: &[UnembeddedChunk],
) -> Result<Step> {
    failpoint("embed.before")?;
    let texts = texts(embedding, version, chunks).await?;
    let hashes: Vec<ContentHash> = texts.iter().map(|text| embed_hash(text)).collect();
    let waiting = queues::TEXTS.wait_for(texts.len());
    let vectors = embedding
        .watchers
        .time(version.source, embedder.embed(texts))
        .await?;
    drop(waiting);
    let dimensions = embedder.dimensions();
    if vectors.len() != chunks.len() || vectors.iter().any(|vector| vector.len() != dimensions) {
        let message = format!(
            "the embedder gave {} vectors for {} texts, or one without {dimensions} dimensions",
            vectors.len(),
            chunks.len()
        );
        return Err(PortError::new(ErrorKind::Internal, "embedder_answer_wrong", message).into());
    }
    failpoint("embed.after")?;
    let other_hashes = chunks
        .iter()
        .zip(&hashes)
        .filter(|(chunk, hash)| chunk.embed_hash.as_ref() != Some(*hash))
        .map(|(chunk, hash)| (chunk.id, *hash));
    Ok(Step::Slice {
        version: Arc::clone(version),
        tokens: chunks.iter().map(|chunk| u64::from(chunk.token_count)).sum(),
        other_hashes: other_hashes.collect(),
        vectors: hashes
            .into_iter()
            .zip(vectors)
            .map(|(embed_hash, vector)| StoredVector { embed_hash, vector })
            .collect(),
    })
}

/// What the embedder reads of the chunks: made from the ledger and the stored text, as it was when they were cut.
async fn texts(
    embedding: &Embedding,
    version: &PendingVersion,
    chunks: &[UnembeddedChunk],
) -> Result<Vec<String>> {
    let parts = &embedding.parts;
    let measure = parts.measure(&version.model);
    let title = title_to_embed(&version.title, &*measure.counter, measure.settings);
    let piece = |span, hash| PieceRequest {
        text: version.text_hash,
        span,
        hash,
    };
    let mut requests = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        requests.push(piece(chunk.span, chunk.text_hash));
        requests.extend(chunk.table_header.map(|(span, hash)| piece(span, hash)));
    }
    let mut pieces = parts.texts.pieces(requests).await?.into_iter();
    let mut next = || pieces.next().unwrap_or_default();
    let texts = chunks.iter().map(|chunk| {
        let own = next();
        let header = chunk.table_header.map(|_| next());
        embedder_text(title, &chunk.heading_path, header.as_deref(), &own)
    });
    Ok(texts.collect())
}

/// The names of the vectors that a document will need, chunk by chunk.
pub(crate) fn embed_hashes(
    parts: &IngestionParts,
    embedding_model: &str,
    title: &str,
    text: &str,
    chunks: &[ChunkDraft],
) -> Vec<ContentHash> {
    let measure = parts.measure(embedding_model);
    let title = title_to_embed(title, &*measure.counter, measure.settings);
    let texts = chunks.iter().map(|chunk| chunk.text_to_embed(title, text));
    texts.map(|text| embed_hash(&text)).collect()
}

/// The name of a vector: the hash of exactly what the embedder reads.
fn embed_hash(text_to_embed: &str) -> ContentHash {
    ContentHash::of(text_to_embed.as_bytes())
}

async fn send(output: &Sender<Step>, step: Step) -> Result<()> {
    output
        .send(step)
        .await
        .map_err(|_| Error::StageLost { stage: "keep" })
}
