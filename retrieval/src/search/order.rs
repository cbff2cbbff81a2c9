//! The order of what was found and vouched for: tuning, a closer judge, or an attribute; then near-duplicates
//! are put behind the best of them.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use lectern_domain::filter::order;
use lectern_domain::ports::{Reranker, SortKey};
use lectern_domain::{AttributeValue, PortError, Score, Tuning};

use super::hit::Found;
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

/// Puts them into the order of attributes. Documents without one come last, whichever way it goes; equal ones stay as
/// they are.
pub(super) fn sort(found: &mut [Found], by: &[SortKey]) {
    found.sort_by(|one, other| {
        by.iter()
            .map(|key| compare(one, other, key))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

fn compare(one: &Found, other: &Found, key: &SortKey) -> Ordering {
    let value = |found: &Found| found.chunk.metadata.attributes.get(&key.attribute).cloned();
    match (value(one), value(other)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => match key.descending {
            true => compare_values(&other, &one),
            false => compare_values(&one, &other),
        },
    }
}

/// Numbers before dates before texts; a list goes by its first text.
fn compare_values(one: &AttributeValue, other: &AttributeValue) -> Ordering {
    let kind = |value: &AttributeValue| match value {
        AttributeValue::Number(_) => 0,
        AttributeValue::Date(_) => 1,
        AttributeValue::Text(_) | AttributeValue::TextList(_) => 2,
    };
    let text = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::TextList(texts) => texts.first().cloned().unwrap_or_default(),
        AttributeValue::Number(_) | AttributeValue::Date(_) => String::new(),
    };
    order(one, other)
        .or_else(|| {
            kind(one)
                .cmp(&kind(other))
                .is_ne()
                .then(|| kind(one).cmp(&kind(other)))
        })
        .unwrap_or_else(|| text(one).cmp(&text(other)))
}

/// Puts near-duplicates behind the best of them, and says different things first where that is asked for.
pub(super) fn gather(request: &SearchRequest, mut found: Vec<Found>) -> Vec<Found> {
    if request.fold {
        found = folded(found);
    }
    if request.diversity > 0.0 {
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
