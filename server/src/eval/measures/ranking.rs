//! Measures of a ranking against judgements, as `trec_eval` defines them.
//!
//! A judgement is a grade: 0 or less is not relevant, more is better. A document that nobody judged
//! counts as not relevant. A query without a relevant document measures 0 everywhere, and counts.

use std::collections::HashMap;

/// What was judged for one query: grades by document.
pub type Judgements = HashMap<String, i32>;

/// Normalised discounted cumulative gain of the first `k` (Järvelin and Kekäläinen 2002), with the
/// grade itself as the gain and log2(rank + 1) as the discount, which is `ndcg_cut` of `trec_eval`.
pub fn ndcg_at(ranking: &[String], judgements: &Judgements, k: usize) -> f64 {
    let gained = discounted(ranking.iter().take(k).map(|document| gain(judgements, document)));
    let mut best: Vec<i32> = judgements.values().copied().filter(|grade| *grade > 0).collect();
    best.sort_unstable_by(|left, right| right.cmp(left));
    let possible = discounted(best.into_iter().take(k).map(f64::from));
    share(gained, possible)
}

/// How many of all relevant documents stand among the first `k`.
pub fn recall_at(ranking: &[String], judgements: &Judgements, k: usize) -> f64 {
    let found = ranking
        .iter()
        .take(k)
        .filter(|document| is_relevant(judgements, document))
        .count();
    share(found as f64, relevant_count(judgements) as f64)
}

/// Average precision of the whole ranking: the precision at each relevant document, over all relevant
/// ones, found or not. Its mean over queries is MAP.
pub fn average_precision(ranking: &[String], judgements: &Judgements) -> f64 {
    let mut found = 0_u32;
    let mut sum = 0.0;
    for (index, document) in ranking.iter().enumerate() {
        if is_relevant(judgements, document) {
            found += 1;
            sum += f64::from(found) / (index + 1) as f64;
        }
    }
    share(sum, relevant_count(judgements) as f64)
}

/// One over the rank of the first relevant document, 0 where none is among the first `k`.
pub fn reciprocal_rank_at(ranking: &[String], judgements: &Judgements, k: usize) -> f64 {
    ranking
        .iter()
        .take(k)
        .position(|document| is_relevant(judgements, document))
        .map_or(0.0, |index| 1.0 / (index + 1) as f64)
}

/// 1 where a relevant document is among the first `k`, 0 where none is.
pub fn hit_at(ranking: &[String], judgements: &Judgements, k: usize) -> f64 {
    let mut first = ranking.iter().take(k);
    f64::from(u8::from(first.any(|document| is_relevant(judgements, document))))
}

/// The value that `percent` of `sorted` don't exceed (nearest rank); 0 for no values.
pub fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    gains
        .enumerate()
        .map(|(index, gain)| gain / (index as f64 + 2.0).log2())
        .sum()
}

fn gain(judgements: &Judgements, document: &str) -> f64 {
    f64::from(judgements.get(document).copied().unwrap_or(0).max(0))
}

fn is_relevant(judgements: &Judgements, document: &str) -> bool {
    judgements.get(document).is_some_and(|grade| *grade > 0)
}

fn relevant_count(judgements: &Judgements) -> usize {
    judgements.values().filter(|grade| **grade > 0).count()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&str, i32)]) -> Judgements {
        pairs
            .iter()
            .map(|(document, grade)| ((*document).to_owned(), *grade))
            .collect()
    }

    fn ranked(documents: &[&str]) -> Vec<String> {
        documents.iter().map(|document| (*document).to_owned()).collect()
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    /// Expected values: pytrec_eval-terrier 0.5, `RelevanceEvaluator(qrels, {"ndcg_cut.10,3",
    /// "recall.10,100", "map", "recip_rank"}).evaluate(run)`, scores falling with the rank.
    #[test]
    fn the_measures_are_those_of_trec_eval() {
        let judgements = judged(&[("a", 3), ("b", 1), ("c", 0), ("d", 2), ("x", 1)]);
        let ranking = ranked(&["b", "u", "a", "c", "d"]);
        close(ndcg_at(&ranking, &judgements, 10), 0.630_463_722_033_427_8);
        close(ndcg_at(&ranking, &judgements, 3), 0.525_004_989_384_910_1);
        close(recall_at(&ranking, &judgements, 10), 0.75);
        close(average_precision(&ranking, &judgements), 0.566_666_666_666_666_7);
        close(reciprocal_rank_at(&ranking, &judgements, 10), 1.0);
    }

    #[test]
    fn a_right_document_in_second_place_is_half_as_good_for_a_reader_who_takes_the_first() {
        let judgements = judged(&[("a", 1)]);
        let ranking = ranked(&["b", "a"]);
        close(ndcg_at(&ranking, &judgements, 10), 1.0 / 3.0_f64.log2());
        close(average_precision(&ranking, &judgements), 0.5);
        close(reciprocal_rank_at(&ranking, &judgements, 10), 0.5);
        close(reciprocal_rank_at(&ranking, &judgements, 1), 0.0);
        close(hit_at(&ranking, &judgements, 1), 0.0);
        close(hit_at(&ranking, &judgements, 2), 1.0);
    }

    #[test]
    fn nothing_found_and_nothing_relevant_measure_zero() {
        for judgements in [
            judged(&[("z", 1), ("y", 1)]),
            judged(&[("a", 0)]),
            judged(&[("a", -1)]),
        ] {
            let ranking = ranked(&["a", "b"]);
            close(ndcg_at(&ranking, &judgements, 10), 0.0);
            close(recall_at(&ranking, &judgements, 100), 0.0);
            close(average_precision(&ranking, &judgements), 0.0);
            close(reciprocal_rank_at(&ranking, &judgements, 10), 0.0);
        }
        close(ndcg_at(&[], &judged(&[("a", 1)]), 10), 0.0);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let times: Vec<f64> = (1..=100).map(f64::from).collect();
        close(percentile(&times, 50.0), 50.0);
        close(percentile(&times, 99.0), 99.0);
        close(percentile(&[7.0], 95.0), 7.0);
        close(percentile(&[], 95.0), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn a_measure_lies_between_zero_and_one_and_the_ideal_order_has_all_of_it(
            grades in proptest::collection::vec(0_i32..4, 1..20),
            order in proptest::prelude::any::<u64>(),
        ) {
            let judgements: Judgements =
                grades.iter().enumerate().map(|(index, grade)| (index.to_string(), *grade)).collect();
            let mut ranking: Vec<String> = judgements.keys().cloned().collect();
            ranking.sort_by_key(|document| blake3::hash(format!("{order}{document}").as_bytes()).to_hex());
            for value in [
                ndcg_at(&ranking, &judgements, 10),
                recall_at(&ranking, &judgements, 10),
                average_precision(&ranking, &judgements),
                reciprocal_rank_at(&ranking, &judgements, 10),
            ] {
                proptest::prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{value}");
            }
            ranking.sort_by_key(|document| -judgements[document]);
            let best = ndcg_at(&ranking, &judgements, 10);
            let expected = if grades.iter().any(|grade| *grade > 0) { 1.0 } else { 0.0 };
            proptest::prop_assert!((best - expected).abs() < 1e-12);
        }
    }
}
