//! The order of what was found and vouched for: tuning and a closer judge; then near-duplicates are put behind the best
//! of them. An order of attributes is the index's, and neither of the two changes it.

use chrono::{DateTime, Utc};
use lectern_domain::ports::Reranker;
use lectern_domain::{PortError, Score, Tuning};

use super::hit::Found;
use super::plan::Plan;
use crate::request::SearchRequest;
use crate::{diversity, fold};

/// Multiplies the scores by what the tuning says of the documents.
pub(super) fn tune(found: &mut [Found], tuning: &Tuning, now: DateTime<Utc>) {
    for one in found.iter_mut() {
        one.tuning = tuning.factor(&one.chunk.metadata.attributes, now);
        one.score *= one.tuning;
    }
    best_first(found);
}

/// Puts the first passages into the order of a closer judge, whose judgement the tuning weighs as it did the score;
/// those that it doesn't see stay below, with scores no higher than the lowest of the others.
pub(super) async fn rerank(
    reranker: &dyn Reranker,
    question: &str,
    found: &mut [Found],
) -> Result<(), PortError> {
    let (judged, others) = found.split_at_mut(found.len().min(reranker.depth()));
    let texts: Vec<String> = judged.iter().map(|one| one.chunk.text_to_embed()).collect();
    let relevance = reranker.rerank(question, &texts).await?;
    let weight = reranker.weight();
    for (one, relevance) in judged.iter_mut().zip(relevance) {
        let relevance = Score::clamped(relevance).value();
        one.reranked = Some(relevance);
        one.score = weight * relevance * one.tuning + (1.0 - weight) * one.score;
    }
    best_first(judged);
    let lowest = judged.last().map_or(1.0, |one| one.score);
    for one in others {
        one.score = one.score.min(lowest);
    }
    Ok(())
}

/// Puts near-duplicates behind the best of them, and says different things first where that is asked for and no attribute
/// decides the order.
pub(super) fn gather(request: &SearchRequest, plan: &Plan, mut found: Vec<Found>) -> Vec<Found> {
    if request.fold {
        found = folded(found);
    }
    if request.diversity > 0.0 && plan.order().is_none() {
        found = diversified(found, request.diversity);
    }
    found
}

fn folded(found: Vec<Found>) -> Vec<Found> {
    let groups = fold::fold(found.iter().map(|one| one.chunk.text.as_str()));
    let mut found: Vec<Option<Found>> = found.into_iter().map(Some).collect();
    let mut take = |place: usize| found.get_mut(place).and_then(Option::take);
    let mut kept = Vec::with_capacity(groups.len());
    for group in groups {
        if let Some(mut first) = take(group.first) {
            first
                .duplicates
                .extend(group.folded.into_iter().filter_map(&mut take));
            kept.push(first);
        }
    }
    kept
}

fn diversified(found: Vec<Found>, diversity: f32) -> Vec<Found> {
    let texts: Vec<(f32, &str)> = found
        .iter()
        .map(|one| (one.score, one.chunk.text.as_str()))
        .collect();
    let order = diversity::diversify(&texts, diversity);
    let mut found: Vec<Option<Found>> = found.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|place| found.get_mut(place).and_then(Option::take))
        .collect()
}

fn best_first(found: &mut [Found]) {
    found.sort_by(|one, other| {
        other
            .score
            .total_cmp(&one.score)
            .then(one.chunk.chunk.cmp(&other.chunk.chunk))
    });
}
