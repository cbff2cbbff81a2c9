//! By ranks alone: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

use std::collections::HashMap;

use lectern_domain::ChunkId;
use lectern_domain::ports::ScoredChunk;

use super::{FusedChunk, best_first};

/// How fast the share of a list falls with the rank.
pub(super) const K: f32 = 60.0;

/// Gives a chunk `1 / (K + rank)` from each list that it is in. Ranks can be added up where a cosine and a BM25 weight
/// can't, and nothing is to be fitted; but a list that found one thing by far counts no more than one that found nothing
/// in particular.
pub fn reciprocal_rank(vectors: &[ScoredChunk], words: &[ScoredChunk]) -> Vec<FusedChunk> {
    let best = 2.0 / (K + 1.0);
    let mut merged: HashMap<ChunkId, FusedChunk> = HashMap::with_capacity(vectors.len() + words.len());
    for list in [vectors, words] {
        for (rank, found) in list.iter().enumerate() {
            let share = 1.0 / (K + 1.0 + rank as f32) / best;
            let fused = merged.entry(found.chunk).or_insert(FusedChunk {
                chunk: found.chunk,
                score: 0.0,
                cosine: None,
            });
            fused.score += share;
        }
    }
    for found in vectors {
        if let Some(fused) = merged.get_mut(&found.chunk) {
            fused.cosine = Some(found.score);
        }
    }
    best_first(merged.into_values().collect())
}
