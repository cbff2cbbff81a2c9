//! Diversity: passages that match and say something else than those above them.
//!
//! Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next passage is the one with the highest
//! `(1 - d) * relevance - d * overlap with the most similar one above`. How alike two passages are is the share of
//! words that they have in common ([`Shingles::overlap`]), because an index gives no vectors back and their texts are
//! at hand.
//!
//! It is for those who ask for it: a passage moves down although it matches better.

use crate::shingles::Shingles;

/// Most passages that are put into another order; the cost grows with the square.
pub const MOST: usize = 100;

/// The order of passages, as places in `found`, which comes best first with a relevance from 0 to 1 and a text each.
/// `diversity` goes from 0, which changes nothing, to 1, which looks at nothing but what was said before. The first
/// one stays the first, and those beyond [`MOST`] stay where they are.
pub fn diversify(found: &[(f32, &str)], diversity: f32) -> Vec<usize> {
    let diversity = if diversity.is_nan() {
        0.0
    } else {
        diversity.clamp(0.0, 1.0)
    };
    let (moved, others) = found.split_at(found.len().min(MOST));
    let shingles: Vec<Shingles> = moved.iter().map(|(_, text)| Shingles::of(text)).collect();
    // The overlap of each passage with the most similar one that was taken.
    let mut overlaps = vec![0.0_f32; moved.len()];
    let mut left: Vec<usize> = (0..moved.len()).collect();
    let mut order = Vec::with_capacity(found.len());
    while !left.is_empty() {
        let worth = |place: &usize| {
            let relevance = moved.get(*place).map_or(0.0, |(relevance, _)| *relevance);
            let overlap = overlaps.get(*place).copied().unwrap_or(0.0);
            (1.0 - diversity) * relevance - diversity * overlap
        };
        let best = if order.is_empty() {
            0
        } else {
            first_best(left.iter().map(worth))
        };
        let taken = left.remove(best);
        order.push(taken);
        for place in &left {
            if let (Some(overlap), Some(one), Some(other)) = (
                overlaps.get_mut(*place),
                shingles.get(*place),
                shingles.get(taken),
            ) {
                *overlap = overlap.max(one.overlap(other));
            }
        }
    }
    order.extend(moved.len()..moved.len() + others.len());
    order
}

/// The place of the highest worth; of equal ones the first.
fn first_best(worths: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (place, worth) in worths.enumerate() {
        if worth > best.1 {
            best = (place, worth);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_says_the_same_moves_down() {
        let found = [
            (0.9, "parents take twenty weeks of leave"),
            (0.8, "parents take twenty weeks of paid leave"),
            (0.7, "the form is signed by the manager"),
        ];
        assert_eq!(diversify(&found, 0.0), [0, 1, 2]);
        assert_eq!(diversify(&found, 0.5), [0, 2, 1]);
    }

    #[test]
    fn a_much_better_passage_stays_before_another_subject() {
        let found = [
            (0.9, "parents take twenty weeks of leave"),
            (0.8, "parents take twenty weeks of paid leave"),
            (0.1, "the form is signed by the manager"),
        ];
        assert_eq!(diversify(&found, 0.3), [0, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_passage_stays_and_the_first_one_first(
            texts in prop::collection::vec("[a-d]( [a-d]){0,4}", 0..30),
            diversity in 0.0_f32..=1.0,
        ) {
            let found: Vec<(f32, &str)> =
                texts.iter().enumerate().map(|(rank, text)| (1.0 / (rank + 1) as f32, text.as_str())).collect();
            let order = diversify(&found, diversity);
            prop_assert!(order.first().is_none_or(|first| *first == 0));
            let mut places = order;
            places.sort_unstable();
            prop_assert_eq!(places, (0..texts.len()).collect::<Vec<_>>());
        }

        #[test]
        fn no_diversity_changes_nothing(texts in prop::collection::vec("[a-d]( [a-d]){0,4}", 0..30)) {
            let found: Vec<(f32, &str)> =
                texts.iter().enumerate().map(|(rank, text)| (1.0 / (rank + 1) as f32, text.as_str())).collect();
            prop_assert_eq!(diversify(&found, 0.0), (0..texts.len()).collect::<Vec<_>>());
        }
    }
}
