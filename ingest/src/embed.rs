//! Embedding: from chunks to vectors, with the embedder never idle.
//!
//! Several documents are in this stage at once, and each has up to two calls of the embedder under way. So small
//! documents fill the embedder's queue together, and a large one alone keeps it filled too; and a document
//! of ten thousand chunks holds the vectors of a few slices only, not all of them.

use std::ops::Range;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use lectern_domain::{ErrorKind, PortError};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::chunk::title_to_embed;
use crate::error::{Error, Result};
use crate::prepare::PreparedDocument;
use crate::run::{Described, Problem, Run};

/// Calls of the embedder that one document has under way.
const CALLS_PER_DOCUMENT: usize = 2;

/// Some chunks of a document, with their vectors.
#[derive(Debug)]
pub(crate) struct EmbeddedSlice {
    pub(crate) document: Arc<PreparedDocument>,
    /// The ordinal of the first chunk.
    pub(crate) first: usize,
    /// The vectors of that chunk and those after it.
    pub(crate) vectors: Vec<Vec<f32>>,
}

/// Embeds what arrives, several documents at once.
pub(crate) async fn embed_stage(
    run: &Run,
    mut input: Receiver<PreparedDocument>,
    output: Sender<EmbeddedSlice>,
) -> Result<()> {
    stream::poll_fn(move |context| input.poll_recv(context))
        .map(Ok)
        .try_for_each_concurrent(run.parts.settings.documents_embedding.max(1), |document| {
            embed_document(run, Arc::new(document), &output)
        })
        .await
}

async fn embed_document(
    run: &Run,
    document: Arc<PreparedDocument>,
    output: &Sender<EmbeddedSlice>,
) -> Result<()> {
    let chunks = document.version.chunks.len();
    let size = run.parts.settings.texts_per_call.max(1);
    let calls = (0..chunks).step_by(size).map(|first| {
        let range = first..(first + size).min(chunks);
        run.clocks.embed.time(embed_slice(run, &document, range))
    });
    let mut slices = stream::iter(calls).buffered(CALLS_PER_DOCUMENT);
    loop {
        match slices.try_next().await {
            Ok(None) => return Ok(()),
            Ok(Some(slice)) => {
                output
                    .send(slice)
                    .await
                    .map_err(|_| Error::StageLost { stage: "publish" })?;
            }
            // The text is at fault: the document fails. What of it was staged goes at the end of the run.
            Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::TooLarge) => {
                return abandon(run, Arc::clone(&document), Problem::from(&error), output).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives the document up, and has the publisher let go of it: an empty slice is what it wakes for.
async fn abandon(
    run: &Run,
    document: Arc<PreparedDocument>,
    problem: Problem,
    output: &Sender<EmbeddedSlice>,
) -> Result<()> {
    document.abandon();
    let version = &document.version;
    let described = Described {
        uri: &version.metadata.uri,
        size_bytes: version.size_bytes,
        acl: Some(version.acl()),
    };
    run.give_up(&version.document, described, problem).await?;
    let slice = EmbeddedSlice {
        document,
        first: 0,
        vectors: Vec::new(),
    };
    output
        .send(slice)
        .await
        .map_err(|_| Error::StageLost { stage: "publish" })
}

async fn embed_slice(
    run: &Run,
    document: &Arc<PreparedDocument>,
    range: Range<usize>,
) -> Result<EmbeddedSlice, PortError> {
    let version = &document.version;
    let drafts = version.chunks.get(range.clone()).unwrap_or_default();
    let parts = &run.parts;
    let title = title_to_embed(&version.title, &*parts.token_counter, parts.settings.chunk);
    let texts: Vec<String> = drafts
        .iter()
        .map(|draft| draft.text_to_embed(title, &version.text))
        .collect();
    let vectors = run.embedder.embed(texts).await?;
    let dimensions = run.embedder.dimensions();
    if vectors.len() != drafts.len() || vectors.iter().any(|vector| vector.len() != dimensions) {
        return Err(PortError::new(
            ErrorKind::Internal,
            "embedder_answer_wrong",
            format!(
                "the embedder gave {} vectors for {} texts, or one without {dimensions} dimensions",
                vectors.len(),
                drafts.len()
            ),
        ));
    }
    let tokens: u64 = drafts.iter().map(|draft| u64::from(draft.token_count)).sum();
    metrics::counter!("lectern_ingest_chunks_embedded_total").increment(vectors.len() as u64);
    run.progress.update(|state| {
        state.chunks_embedded += vectors.len() as u64;
        state.tokens_embedded += tokens;
    });
    Ok(EmbeddedSlice {
        document: Arc::clone(document),
        first: range.start,
        vectors,
    })
}
