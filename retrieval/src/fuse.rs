//! Merging the lists of the two indexes by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009):
//! a chunk gets `weight / (K + rank)` from each list that it is in. Ranks can be added up where a
//! cosine and a BM25 weight can't.
//!
//! nDCG@10 on Cranfield, where vectors alone reach 0.400 and words alone 0.391: 0.437, and on xquad-en
//! 0.971 (0.944 and 0.967). Tried before ties were broken by the cosine, which is worth 0.001: the sum of
//! the scores, each stretched to 0..1, gives the same as ranks (0.436 and 0.436) and the choice of a depth
//! on top; with title and headings weighing 1, `K` of 10, 20 and 60 gives 0.428, 0.432 and 0.432, and
//! vectors weighing 1.3 times as much 0.430. `tests/ranking.rs` says how to measure.

use std::collections::HashMap;

use lectern_domain::ChunkId;
use lectern_domain::ports::ScoredChunk;

/// How fast the share of a list falls with the rank.
const K: f32 = 60.0;
/// How much the list of the index of vectors counts.
const VECTORS_WEIGHT: f32 = 1.0;
/// How much the list of the index of words counts.
const WORDS_WEIGHT: f32 = 1.0;

/// A chunk of the merged list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FusedChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// From 0 to 1; 1 for a chunk that is first in both lists.
    pub score: f32,
    /// Its cosine, if the index of vectors found it.
    pub cosine: Option<f32>,
}

/// Merges two lists, each best first. The result is best first and holds every chunk of either list
/// once. Equal scores are frequent (second and third here, third and second there); the higher cosine
/// comes first then, and equal ones in the order of the ids.
pub fn reciprocal_rank(vectors: &[ScoredChunk], words: &[ScoredChunk]) -> Vec<FusedChunk> {
    let best = (VECTORS_WEIGHT + WORDS_WEIGHT) / (K + 1.0);
    let mut merged: HashMap<ChunkId, FusedChunk> = HashMap::with_capacity(vectors.len() + words.len());
    for (list, weight) in [(vectors, VECTORS_WEIGHT), (words, WORDS_WEIGHT)] {
        for (rank, found) in list.iter().enumerate() {
            let share = weight / (K + 1.0 + rank as f32) / best;
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

/// The list of the index of words alone; its scores are shares of the best one.
pub fn words_alone(words: &[ScoredChunk]) -> Vec<FusedChunk> {
    let best = words
        .first()
        .map_or(1.0, |first| first.score.max(f32::MIN_POSITIVE));
    words
        .iter()
        .map(|found| FusedChunk {
            chunk: found.chunk,
            score: (found.score / best).clamp(0.0, 1.0),
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
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn list(ids: &[u128]) -> Vec<ScoredChunk> {
        ids.iter()
            .enumerate()
            .map(|(rank, id)| ScoredChunk {
                chunk: ChunkId(Uuid::from_u128(*id)),
                score: 1.0 / (rank + 1) as f32,
            })
            .collect()
    }

    /// A list without repetitions, as an index gives it.
    fn any_list() -> impl Strategy<Value = Vec<ScoredChunk>> {
        prop::collection::btree_set(0_u128..40, 0..30)
            .prop_map(|ids| ids.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_map(|ids| list(&ids))
    }

    proptest! {
        #[test]
        fn every_chunk_of_either_list_is_there_once(a in any_list(), b in any_list()) {
            let merged = reciprocal_rank(&a, &b);
            let wanted: BTreeSet<_> = a.iter().chain(&b).map(|found| found.chunk).collect();
            let there: BTreeSet<_> = merged.iter().map(|fused| fused.chunk).collect();
            prop_assert_eq!(merged.len(), there.len());
            prop_assert_eq!(wanted, there);
        }

        #[test]
        fn scores_lie_within_0_and_1_and_fall(a in any_list(), b in any_list()) {
            let merged = reciprocal_rank(&a, &b);
            prop_assert!(merged.iter().all(|fused| fused.score > 0.0 && fused.score <= 1.0 + 1e-6));
            prop_assert!(merged.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }

        #[test]
        fn who_is_no_worse_in_either_list_is_no_worse_in_the_merged_one(a in any_list(), b in any_list()) {
            let rank = |list: &[ScoredChunk], chunk| {
                list.iter().position(|found| found.chunk == chunk).unwrap_or(usize::MAX)
            };
            let merged = reciprocal_rank(&a, &b);
            for (place, better) in merged.iter().enumerate() {
                for worse in &merged[..place] {
                    let no_worse = rank(&a, better.chunk) <= rank(&a, worse.chunk)
                        && rank(&b, better.chunk) <= rank(&b, worse.chunk);
                    prop_assert!(!no_worse || (better.score - worse.score).abs() < 1e-6);
                }
            }
        }

        #[test]
        fn one_list_alone_keeps_its_order(a in any_list()) {
            let order: Vec<_> = a.iter().map(|found| found.chunk).collect();
            let merged: Vec<_> = reciprocal_rank(&a, &[]).iter().map(|fused| fused.chunk).collect();
            prop_assert_eq!(order, merged);
        }
    }

    #[test]
    fn the_first_of_both_lists_has_the_whole_score() {
        let merged = reciprocal_rank(&list(&[7, 1]), &list(&[7, 2]));
        assert_eq!(merged[0].chunk, ChunkId(Uuid::from_u128(7)));
        assert!((merged[0].score - 1.0).abs() < 1e-6);
        assert_eq!(merged[0].cosine, Some(1.0));
    }
}
