//! Documents in the order of an attribute.
//!
//! Numbers come before dates and dates before texts, where an attribute has several kinds of values; texts are
//! compared letter by letter. A list counts by its least text, or by its greatest where the greatest come first. What
//! hasn't got the attribute comes last, whatever the direction.

use std::cmp::Ordering;
use std::collections::HashMap;

use lectern_domain::ports::{ScoredChunk, SortKey};
use lectern_domain::{AttributeValue, ChunkId, DocumentId};
use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocSet, SegmentReader, TERMINATED};

use super::attributes::{self, Kind};
use super::clauses;
use super::columns::Columns;
use super::documents::{ById, Meant};
use super::engine::Engine;
use super::members::Members;
use crate::error::Error;

/// A document, by the chunk that stands for it.
#[derive(Clone, Copy)]
struct Standing {
    chunk: ChunkId,
    ordinal: u64,
    score: f32,
    segment: usize,
    number: u32,
}

/// What a document is put in order by; less comes first.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Place {
    Key(Kind, i64),
    Text(String),
}

impl Engine {
    pub(super) fn in_order(
        &self,
        meant: &Meant,
        by: &SortKey,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, Error> {
        let found = self.put_in_order(meant, by, limit);
        found.map_err(|error| self.failed("put in order", error))
    }

    fn put_in_order(&self, meant: &Meant, by: &SortKey, limit: usize) -> tantivy::Result<Vec<ScoredChunk>> {
        let searcher = self.searcher();
        let weight = match &meant.query {
            None => None,
            Some(words) => match clauses::query(words, self, &searcher, &meant.readers)? {
                None => return Ok(Vec::new()),
                Some(query) => Some(query.weight(EnableScoring::enabled_from_searcher(&searcher))?),
            },
        };
        let mut standing: HashMap<DocumentId, Standing, ById> = HashMap::default();
        for (at, segment) in searcher.segment_readers().iter().enumerate() {
            let counting = self.counting_alive(segment, meant.narrowed())?;
            take_best((at, segment), weight.as_deref(), &counting, &mut standing)?;
        }
        let mut by_segment: Vec<Vec<Standing>> = vec![Vec::new(); searcher.segment_readers().len()];
        for standing in standing.into_values() {
            if let Some(of_segment) = by_segment.get_mut(standing.segment) {
                of_segment.push(standing);
            }
        }
        let mut placed: Vec<(Option<Place>, Standing)> = Vec::new();
        for (segment, of_segment) in searcher.segment_readers().iter().zip(by_segment) {
            placed.extend(places(segment, of_segment, by)?);
        }
        placed.sort_by(|one, other| in_direction(one, other, by.descending));
        placed.truncate(limit);
        let chunks = placed.into_iter().map(|(_, standing)| ScoredChunk {
            chunk: standing.chunk,
            score: standing.score,
        });
        Ok(chunks.collect())
    }
}

/// Puts the best chunk of each document, or its first one, into the map.
fn take_best(
    (at, segment): (usize, &SegmentReader),
    weight: Option<&dyn Weight>,
    counting: &Members,
    standing: &mut HashMap<DocumentId, Standing, ById>,
) -> tantivy::Result<()> {
    let columns = Columns::of(segment)?;
    let mut take = |number: u32, score: f32| {
        let (Some(chunk), Some(document)) = (columns.chunk(number), columns.document(number)) else {
            return;
        };
        let candidate = Standing {
            chunk,
            ordinal: columns.ordinal(number).unwrap_or(u64::MAX),
            score,
            segment: at,
            number,
        };
        let best = standing.entry(document).or_insert(candidate);
        let rank = |one: &Standing| (-one.score, one.ordinal, one.chunk);
        if rank(&candidate) < rank(best) {
            *best = candidate;
        }
    };
    let Some(weight) = weight else {
        counting.iter().for_each(|number| take(number, 0.0));
        return Ok(());
    };
    let mut scorer = weight.scorer(segment, 1.0)?;
    while scorer.doc() != TERMINATED {
        if counting.contains(scorer.doc()) {
            take(scorer.doc(), scorer.score());
        }
        scorer.advance();
    }
    Ok(())
}

/// The places of the documents of a segment.
fn places(
    segment: &SegmentReader,
    standing: Vec<Standing>,
    by: &SortKey,
) -> tantivy::Result<Vec<(Option<Place>, Standing)>> {
    let numbers = attributes::keys(segment, Kind::Number, &by.attribute)?;
    let dates = attributes::keys(segment, Kind::Date, &by.attribute)?;
    let texts = attributes::texts(segment, &by.attribute)?;
    let place = |number: u32| -> tantivy::Result<Option<Place>> {
        for (kind, column) in [(Kind::Number, &numbers), (Kind::Date, &dates)] {
            if let Some(key) = column.as_ref().and_then(|column| column.first(number)) {
                return Ok(Some(Place::Key(kind, key)));
            }
        }
        let Some(texts) = &texts else { return Ok(None) };
        let ordinals = texts.term_ords(number);
        let ordinal = if by.descending {
            ordinals.max()
        } else {
            ordinals.min()
        };
        let mut text = String::new();
        match ordinal {
            Some(ordinal) if texts.ord_to_str(ordinal, &mut text)? => Ok(Some(Place::Text(text))),
            _ => Ok(None),
        }
    };
    standing
        .into_iter()
        .map(|standing| Ok((place(standing.number)?, standing)))
        .collect()
}

fn in_direction(
    (one, one_standing): &(Option<Place>, Standing),
    (other, other_standing): &(Option<Place>, Standing),
    descending: bool,
) -> Ordering {
    let by_place = match (one, other) {
        (Some(one), Some(other)) => {
            let ascending = one.partial_cmp(other).unwrap_or(Ordering::Equal);
            if descending {
                ascending.reverse()
            } else {
                ascending
            }
        }
        (one, other) => other.is_some().cmp(&one.is_some()),
    };
    by_place.then(one_standing.chunk.cmp(&other_standing.chunk))
}

/// The order of two values of any kinds.
pub(super) fn order_of_values(one: &AttributeValue, other: &AttributeValue) -> Ordering {
    place_of(one)
        .partial_cmp(&place_of(other))
        .unwrap_or(Ordering::Equal)
}

fn place_of(value: &AttributeValue) -> Place {
    match value {
        AttributeValue::Number(number) => Place::Key(Kind::Number, attributes::number_key(*number)),
        AttributeValue::Date(date) => Place::Key(Kind::Date, date.timestamp_micros()),
        AttributeValue::Text(text) => Place::Text(text.clone()),
        AttributeValue::TextList(texts) => Place::Text(texts.iter().min().cloned().unwrap_or_default()),
    }
}
