//! Shaping: what extraction found goes through the rules of its source, and is then cut.
//!
//! A job and a preview both go this way, so a preview shows what a job would do.

use std::sync::Arc;

use lectern_domain::ports::{Embedder, Fetched};
use lectern_domain::{Attributes, Extracted};

use crate::chunk::{ChunkDraft, Chunking};
use crate::cut::cut;
use crate::enrich::{DocumentFacts, Enriched, Enricher, enrich};
use crate::error::Result;
use crate::pipeline::IngestionParts;
use crate::run::Problem;

/// What a source wants done to its documents.
pub(crate) struct Shaping<'a> {
    pub(crate) parts: &'a IngestionParts,
    pub(crate) embedder: &'a dyn Embedder,
    pub(crate) enricher: &'a Arc<Enricher>,
    pub(crate) chunking: Chunking,
}

/// A document as it was extracted.
pub(crate) struct Unshaped {
    pub(crate) facts: DocumentFacts,
    pub(crate) title: String,
    /// What the source says of it.
    pub(crate) attributes: Attributes,
    pub(crate) extracted: Extracted,
}

/// A document as it will be stored.
pub(crate) struct Shaped {
    pub(crate) enriched: Enriched,
    pub(crate) chunks: Vec<ChunkDraft>,
    /// Why it isn't taken in; then there are no chunks.
    pub(crate) problem: Option<Problem>,
}

/// Applies the rules and cuts the text. A fault of the document is its problem; one of the embedder is an error.
pub(crate) async fn shape(shaping: &Shaping<'_>, document: Unshaped) -> Result<Result<Shaped, Problem>> {
    let Unshaped {
        facts,
        title,
        attributes,
        extracted,
    } = document;
    let mut enriched = match enrich(shaping.enricher, facts, title, attributes, extracted).await {
        Ok(enriched) => enriched,
        Err(problem) => return Ok(Err(problem)),
    };
    if let Some(problem) = enriched.verdict.problem() {
        return Ok(Ok(Shaped {
            enriched,
            chunks: Vec::new(),
            problem: Some(problem),
        }));
    }
    let extracted = std::mem::take(&mut enriched.extracted);
    let cut = cut(
        shaping.parts,
        shaping.embedder,
        shaping.chunking,
        extracted,
        &enriched.title,
    );
    let (extracted, chunks) = match cut.await? {
        Ok(cut) => cut,
        Err(problem) => return Ok(Err(problem)),
    };
    enriched.extracted = extracted;
    let problem = chunks
        .is_empty()
        .then(|| Problem::skipped("no_text", "there is no text in it"));
    Ok(Ok(Shaped {
        enriched,
        chunks,
        problem,
    }))
}

/// The source's title, else the document's own, else the file's name.
pub(crate) fn title(fetched: &Fetched, extracted: &Extracted) -> String {
    let given = fetched.title.as_ref().or(extracted.title.as_ref());
    match given.map(|title| title.trim()) {
        Some(title) if !title.is_empty() => title.to_owned(),
        _ => fetched.file_name.clone(),
    }
}
