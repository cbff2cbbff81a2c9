//! Merging the lists of the two indexes.
//!
//! Two ways: by scores ([`weighted_scores`], what a search does) and by ranks ([`reciprocal_rank`], the usual
//! baseline, for those who compare: `[retrieval] fusion`).
//!
//! Ranks throw away what tells a question for words from a question for meaning. Where one chunk has the rare words of
//! the question and the others don't, BM25 says so by a gap, and ranks make it a step like any other; and a
//! list of cosines that are all low is as good as one that has found it. Keeping the scores is worth 0.001 to 0.05 over
//! plain reciprocal ranks, on every set, with the one number fitted on the others:
//!
//! | nDCG@10 | Cranfield | XQuAD | SQuAD articles | chunking | ARAGOG |
//! |---|---|---|---|---|---|
//! | words alone | 0.387 | 0.956 | 0.739 | 0.782 | 0.963 |
//! | vectors alone | 0.408 | 0.949 | 0.577 | 0.672 | 0.969 |
//! | reciprocal rank, K 60, equal weights | 0.437 | 0.969 | 0.709 | 0.747 | 0.987 |
//! | the same, K and weights fitted elsewhere | 0.427 | 0.971 | 0.719 | 0.772 | 0.979 |
//! | both by the best (`w` fitted elsewhere) | 0.428 | 0.975 | 0.755 | 0.782 | 0.989 |
//! | both by least and best | 0.428 | 0.974 | 0.751 | 0.776 | 0.972 |
//! | both by mean and deviation (z) | 0.427 | 0.975 | 0.759 | 0.783 | 0.989 |
//! | three deviations to 0..1 | 0.431 | 0.968 | 0.721 | 0.746 | 0.993 |
//! | the cosine as it is | 0.437 | 0.976 | 0.755 | 0.784 | 0.987 |
//! | the same, with a weight for each question | 0.435 | 0.977 | 0.755 | 0.785 | 0.987 |
//! | **cosine by the root of the best** | **0.438** | **0.976** | **0.755** | **0.785** | **0.989** |
//!
//! "Fitted elsewhere" is leave one set out: the number with the highest mean on the other sets (for SQuAD and XQuAD, which
//! share their questions, without either). Only a cosine by the root of the best is above reciprocal ranks everywhere.
//! The numbers were 0.60 for Cranfield, chunking and ARAGOG and 0.64 for SQuAD and XQuAD; from 0.60 to 0.64 nothing
//! changes by more than 0.003 on any set, and what is set is 0.62. The weight for each question was linear in the best
//! cosine, how far both lists stand out, how much they agree, the length, question words, and names and
//! numbers in the question: it gained 0.002 where it was fitted and lost it elsewhere, so there is none. Chunks are graded
//! by how much of the expected paragraph or spans they hold (SQuAD, chunking), documents by their judgements. XQuAD and
//! SQuAD: every third question.

mod ranks;
mod scores;

use lectern_domain::ChunkId;
use lectern_domain::ports::ScoredChunk;

pub use ranks::reciprocal_rank;
pub(crate) use scores::BEYOND;
pub use scores::weighted_scores;

/// How the two lists are merged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// By the scores that the indexes gave: [`weighted_scores`].
    WeightedScores {
        /// How much the list of the index of vectors counts where its best cosine is 1, from 0 to 1; the words count for
        /// the rest.
        vectors: f32,
    },
    /// By the ranks alone: [`reciprocal_rank`].
    ReciprocalRank,
}

impl Default for Fusion {
    fn default() -> Self {
        Self::WeightedScores {
            vectors: scores::VECTORS_WEIGHT,
        }
    }
}

impl Fusion {
    /// What is done and with which numbers, for those who compare searches.
    pub fn describe(self) -> String {
        match self {
            Self::WeightedScores { vectors } => format!("weighted scores, vectors {vectors}"),
            Self::ReciprocalRank => format!("reciprocal rank, K {}", ranks::K),
        }
    }

    /// Merges two lists, each best first. The result is best first and holds every chunk of either list once; of
    /// equal scores the higher cosine comes first, and equal ones in the order of the ids.
    pub fn merge(self, vectors: &[ScoredChunk], words: &[ScoredChunk]) -> Vec<FusedChunk> {
        match self {
            Self::WeightedScores { vectors: weight } => weighted_scores(weight, vectors, words),
            Self::ReciprocalRank => reciprocal_rank(vectors, words),
        }
    }
}

/// A chunk of the merged list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FusedChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// From 0 to 1; 1 for a chunk that nothing can beat.
    pub score: f32,
    /// Its cosine, if the index of vectors found it.
    pub cosine: Option<f32>,
}

impl FusedChunk {
    /// A chunk that no index was asked for: it is shown for its own sake.
    pub fn of_its_own(chunk: ChunkId) -> Self {
        Self {
            chunk,
            score: 1.0,
            cosine: None,
        }
    }
}

/// The list of the index of vectors alone; its scores are cosines.
pub fn vectors_alone(vectors: &[ScoredChunk]) -> Vec<FusedChunk> {
    vectors
        .iter()
        .map(|found| FusedChunk {
            chunk: found.chunk,
            score: found.score.clamp(0.0, 1.0),
            cosine: Some(found.score),
        })
        .collect()
}

/// The list of the index of words alone; its scores are shares of the best one, wherever that stands.
pub fn words_alone(words: &[ScoredChunk]) -> Vec<FusedChunk> {
    let share = scores::share_of_best(words);
    words
        .iter()
        .map(|found| FusedChunk {
            chunk: found.chunk,
            score: share(found),
            cosine: None,
        })
        .collect()
}

fn best_first(mut merged: Vec<FusedChunk>) -> Vec<FusedChunk> {
    let cosine = |fused: &FusedChunk| fused.cosine.unwrap_or(f32::NEG_INFINITY);
    merged.sort_by(|a, b| {
        (b.score.total_cmp(&a.score))
            .then(cosine(b).total_cmp(&cosine(a)))
            .then(a.chunk.cmp(&b.chunk))
    });
    merged
}

#[cfg(test)]
mod tests;
