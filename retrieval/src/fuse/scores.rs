//! By scores: a weighted sum of the cosine and of the share of the best BM25 weight.

use std::collections::HashMap;

use lectern_domain::ChunkId;
use lectern_domain::ports::ScoredChunk;

use super::{FusedChunk, best_first};

/// How much the list of the index of vectors counts where its best cosine is 1 and nothing else is said.
pub(super) const VECTORS_WEIGHT: f32 = 0.62;
/// The lowest best cosine that the list of vectors is weighed by.
const LOWEST_BEST: f32 = 0.05;
/// What a chunk beyond the end of the list of vectors has, as a part of the last cosine.
pub(crate) const BEYOND: f32 = 0.5;

/// Gives a chunk, with the `weight` w from 0 to 1, `w * cosine / sqrt(best cosine) + (1 - w) * weight / best weight` (a convex combination; Bruch, Gai
/// and Ingber, ACM TOIS 2023).
///
/// The words are measured by the best one of their list, and the cosines half by theirs and half as they are: the list
/// of vectors counts as much as the square root of its best cosine. Where no passage means what was asked (a name, an
/// error code), all cosines are low and the words decide; so the weight follows the question.
///
/// A chunk that hasn't a word of the question has no share. One that the index of vectors didn't find lies beyond its
/// list, and counts as half of the last one.
pub fn weighted_scores(weight: f32, vectors: &[ScoredChunk], words: &[ScoredChunk]) -> Vec<FusedChunk> {
    let share = share_of_best(words);
    let by_word: HashMap<ChunkId, f32> = words.iter().map(|found| (found.chunk, share(found))).collect();
    let by_vector: HashMap<ChunkId, f32> = vectors.iter().map(|found| (found.chunk, found.score)).collect();
    let best = vectors
        .first()
        .map_or(1.0, |first| cosine(first.score))
        .max(LOWEST_BEST);
    let beyond = vectors.last().map_or(0.0, |last| BEYOND * cosine(last.score));
    let fused = |chunk: ChunkId| {
        let found = by_vector.get(&chunk).copied();
        let by_meaning = found.map_or(beyond, cosine) / best.sqrt();
        let by_words = by_word.get(&chunk).copied().unwrap_or(0.0);
        FusedChunk {
            chunk,
            score: weight * by_meaning + (1.0 - weight) * by_words,
            cosine: found,
        }
    };
    let of_words_alone = words.iter().filter(|found| !by_vector.contains_key(&found.chunk));
    let all = vectors.iter().chain(of_words_alone);
    best_first(all.map(|found| fused(found.chunk)).collect())
}

fn cosine(score: f32) -> f32 {
    score.clamp(0.0, 1.0)
}

/// The share of the best score of a list, from 0 to 1. The best one needn't come first: a list may be in the order of an
/// attribute.
pub(super) fn share_of_best(list: &[ScoredChunk]) -> impl Fn(&ScoredChunk) -> f32 {
    let best = list
        .iter()
        .map(|found| found.score)
        .fold(f32::MIN_POSITIVE, f32::max);
    move |found| (found.score / best).clamp(0.0, 1.0)
}
