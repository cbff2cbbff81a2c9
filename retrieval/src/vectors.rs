//! The index of vectors, behind one port twice: the Qdrant engine in this process
//! ([`EdgeVectors`]), and a Qdrant server ([`ServerVectors`]).
//!
//! A chunk is a point: its id is the chunk's, its vector what the embedder made of it, and its payload
//! ([`payload`]) says whose it is, who may read it and which attributes its document has. The text isn't there;
//! the ledger has it. Vectors are compared by their cosine. A filter becomes a [`condition`] on the payload, and that
//! an engine's own filter.

mod payload;
mod condition;
mod edge;
mod server;
mod write_ahead_log;

pub use edge::EdgeVectors;
pub use server::{ServerVectors, ServerVectorsConfig};

use lectern_domain::ports::ScoredChunk;

use crate::error::Error;

/// The name of the index of vectors, for logs and `lectern fsck`.
const INDEX: &str = "vectors";

/// How many points are written at a time: some hundred kilobytes.
const POINTS_PER_WRITE: usize = 256;

/// Refuses vectors of the wrong length before any is written.
fn require_dimensions<'a>(
    vectors: impl IntoIterator<Item = &'a [f32]>,
    expected: usize,
) -> Result<(), Error> {
    match vectors.into_iter().find(|vector| vector.len() != expected) {
        None => Ok(()),
        Some(vector) => Err(Error::DimensionMismatch {
            expected,
            actual: vector.len(),
        }),
    }
}

/// Best first; equal scores in the order of the ids.
pub(crate) fn best_first(found: &mut [ScoredChunk]) {
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
}
