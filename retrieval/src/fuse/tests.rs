//! What holds for every way to merge.

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

const ALL: [Fusion; 2] = [Fusion::WeightedScores { vectors: 0.62 }, Fusion::ReciprocalRank];

proptest! {
    #[test]
    fn every_chunk_of_either_list_is_there_once(a in any_list(), b in any_list()) {
        for fusion in ALL {
            let merged = fusion.merge(&a, &b);
            let wanted: BTreeSet<_> = a.iter().chain(&b).map(|found| found.chunk).collect();
            let there: BTreeSet<_> = merged.iter().map(|fused| fused.chunk).collect();
            prop_assert_eq!(merged.len(), there.len());
            prop_assert_eq!(wanted, there);
        }
    }

    #[test]
    fn scores_lie_within_0_and_1_and_fall(a in any_list(), b in any_list()) {
        for fusion in ALL {
            let merged = fusion.merge(&a, &b);
            prop_assert!(merged.iter().all(|fused| fused.score >= 0.0 && fused.score <= 1.0 + 1e-6));
            prop_assert!(merged.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }
    }

    #[test]
    fn who_is_no_worse_in_either_list_is_no_worse_in_the_merged_one(a in any_list(), b in any_list()) {
        let rank = |list: &[ScoredChunk], chunk| {
            list.iter().position(|found| found.chunk == chunk).unwrap_or(usize::MAX)
        };
        for fusion in ALL {
            let merged = fusion.merge(&a, &b);
            for (place, better) in merged.iter().enumerate() {
                for worse in &merged[..place] {
                    let no_worse = rank(&a, better.chunk) <= rank(&a, worse.chunk)
                        && rank(&b, better.chunk) <= rank(&b, worse.chunk);
                    prop_assert!(!no_worse || (better.score - worse.score).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn one_list_alone_keeps_its_order(a in any_list()) {
        for fusion in ALL {
            for (vectors, words) in [(a.as_slice(), &[][..]), (&[], a.as_slice())] {
                let order: Vec<_> = a.iter().map(|found| found.chunk).collect();
                let merged: Vec<_> = fusion.merge(vectors, words).iter().map(|fused| fused.chunk).collect();
                prop_assert_eq!(order, merged);
            }
        }
    }

    /// What an index calls a score has no unit: all of them doubled is the same list.
    #[test]
    fn the_unit_of_the_weights_of_words_doesnt_matter(a in any_list(), b in any_list(), unit in 0.01_f32..100.0) {
        let scaled: Vec<ScoredChunk> =
            b.iter().map(|found| ScoredChunk { score: found.score * unit, ..*found }).collect();
        for (one, other) in weighted_scores(0.62, &a, &b).iter().zip(weighted_scores(0.62, &a, &scaled)) {
            prop_assert!((one.score - other.score).abs() < 1e-5);
        }
    }
}

#[test]
fn the_first_of_both_lists_has_the_whole_score() {
    for fusion in ALL {
        let merged = fusion.merge(&list(&[7, 1]), &list(&[7, 2]));
        assert_eq!(merged[0].chunk, ChunkId(Uuid::from_u128(7)));
        assert!((merged[0].score - 1.0).abs() < 1e-6);
        assert_eq!(merged[0].cosine, Some(1.0));
    }
}

#[test]
fn of_equal_scores_the_higher_cosine_comes_first_and_then_the_order_of_the_ids() {
    let merged = reciprocal_rank(&list(&[1, 2]), &list(&[2, 1]));
    assert_eq!(
        merged[0].chunk,
        ChunkId(Uuid::from_u128(1)),
        "second in words, with the higher cosine"
    );
    let merged = weighted_scores(
        0.62,
        &[],
        &[4, 3].map(|id| ScoredChunk {
            chunk: ChunkId(Uuid::from_u128(id)),
            score: 2.0,
        }),
    );
    assert_eq!(merged[0].chunk, ChunkId(Uuid::from_u128(3)));
}

#[test]
fn a_list_in_another_order_has_shares_of_its_best_wherever_that_stands() {
    let in_order = [(1, 2.0), (2, 8.0), (3, 4.0)].map(|(id, score)| ScoredChunk {
        chunk: ChunkId(Uuid::from_u128(id)),
        score,
    });
    let shares: Vec<f32> = words_alone(&in_order).iter().map(|fused| fused.score).collect();
    assert_eq!(shares, [0.25, 1.0, 0.5]);
    let unscored = [(1, 0.0), (2, 0.0)].map(|(id, score)| ScoredChunk {
        chunk: ChunkId(Uuid::from_u128(id)),
        score,
    });
    assert!(words_alone(&unscored).iter().all(|fused| fused.score == 0.0));
}

#[test]
fn the_only_chunk_with_the_words_is_above_those_without_them() {
    let scored = |id: u128, score| ScoredChunk {
        chunk: ChunkId(Uuid::from_u128(id)),
        score,
    };
    let vectors = [scored(1, 0.31), scored(2, 0.30), scored(3, 0.28)];
    let merged = weighted_scores(0.62, &vectors, &[scored(9, 12.0)]);
    assert_eq!(merged[0].chunk, ChunkId(Uuid::from_u128(9)));
}

/// No passage means what was asked, and one has its words: that one comes first. By ranks alone it would come behind one
/// that is second in both lists.
#[test]
fn where_all_cosines_are_low_the_words_decide() {
    let scored = |pairs: [(u128, f32); 3]| {
        pairs.map(|(id, score)| ScoredChunk {
            chunk: ChunkId(Uuid::from_u128(id)),
            score,
        })
    };
    let vectors = scored([(1, 0.21), (2, 0.20), (3, 0.16)]);
    let words = scored([(3, 19.0), (2, 4.0), (1, 1.0)]);
    assert_eq!(
        weighted_scores(0.62, &vectors, &words)[0].chunk,
        ChunkId(Uuid::from_u128(3))
    );
}
