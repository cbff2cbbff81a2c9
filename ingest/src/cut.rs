//! Cutting: from an extracted text to chunks, as the source wants it.
//!
//! The work is done on a thread of rayon's. Where the source is cut by meaning, its sentences are embedded first,
//! a few calls at a time; of the vectors only the differences between neighbours are kept.

use std::panic::AssertUnwindSafe;

use futures::stream::{self, StreamExt, TryStreamExt};
use lectern_domain::ports::Embedder;
use lectern_domain::{ErrorKind, Extracted, PortError, TextSpan};
use tokio::sync::oneshot;

use crate::chunk::{self, ChunkDraft, Chunking, Differences};
use crate::error::{Error, Result};
use crate::pipeline::{IngestionParts, Measure};
use crate::run::Problem;

/// Calls of the embedder that one document has under way.
const CALLS_PER_DOCUMENT: usize = 2;

/// A text and its chunks, or why there are none.
pub(crate) type Cut = Result<(Extracted, Vec<ChunkDraft>), Problem>;

/// Cuts a text into chunks. A fault of the text is the document's problem; one of the embedder is an error.
pub(crate) async fn cut(
    parts: &IngestionParts,
    embedder: &dyn Embedder,
    chunking: Chunking,
    extracted: Extracted,
    title: &str,
) -> Result<Cut> {
    let model = embedder.model();
    let (extracted, sentences) = match on_a_worker(parts, model, extracted, title, move |text, title, by| {
        chunk::sentences_to_compare(text, title, &*by.counter, by.settings, chunking)
    })
    .await
    {
        Ok(found) => found,
        Err(problem) => return Ok(Err(problem)),
    };
    let differences = match differences(parts, embedder, &extracted.text, &sentences).await {
        Ok(differences) => differences,
        Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::TooLarge) => {
            return Ok(Err(Problem::from(&error)));
        }
        Err(error) => return Err(Error::from(error)),
    };
    Ok(
        on_a_worker(parts, model, extracted, title, move |text, title, by| {
            chunk::split(text, title, &*by.counter, by.settings, chunking, &differences)
        })
        .await,
    )
}

/// How much the text differs at each border between `sentences`.
async fn differences(
    parts: &IngestionParts,
    embedder: &dyn Embedder,
    text: &str,
    sentences: &[TextSpan],
) -> Result<Vec<f32>, PortError> {
    let size = parts.settings.texts_per_call.max(1);
    let calls = (0..sentences.len()).step_by(size).map(|first| {
        let spans = sentences.iter().skip(first).take(size);
        let texts = spans.map(|span| span.of(text).unwrap_or_default().to_owned());
        embedder.embed(texts.collect())
    });
    let mut found = Differences::default();
    let mut slices = stream::iter(calls).buffered(CALLS_PER_DOCUMENT);
    while let Some(vectors) = slices.try_next().await? {
        vectors.into_iter().for_each(|vector| found.push(vector));
    }
    Ok(found.finish())
}

/// Runs `work` on a thread of rayon's, with the measure of this embedding model. A panic there would end the
/// process, so it is caught and becomes the document's problem.
async fn on_a_worker<T: Send + 'static>(
    parts: &IngestionParts,
    embedding_model: &str,
    extracted: Extracted,
    title: &str,
    work: impl FnOnce(&Extracted, &str, &Measure) -> T + Send + 'static,
) -> Result<(Extracted, T), Problem> {
    let (give, take) = oneshot::channel();
    let (measure, title) = (parts.measure(embedding_model), title.to_owned());
    rayon::spawn(move || {
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| work(&extracted, &title, &measure)));
        // Nobody waits any more if the run was stopped.
        drop(give.send(done.map(|done| (extracted, done))));
    });
    match take.await {
        Ok(Ok(done)) => Ok(done),
        _ => Err(Problem::failed(
            "chunking_failed",
            "the chunker failed on its text",
        )),
    }
}
