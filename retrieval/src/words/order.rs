//! Documents in the order of attributes.
//!
//! Numbers come before dates and dates before texts, where an attribute has several kinds of values; texts are
//! compared letter by letter. A list counts by its least text, or by its greatest where the greatest come first. What
//! hasn't got the attribute comes last, whatever the direction. What is equal in one attribute is put in order by the
//! next.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use lectern_domain::ports::{ScoredChunk, SortKey};
use lectern_domain::{AttributeValue, ChunkId, DocumentId};
use tantivy::columnar::StrColumn;
use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED};

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Key(Kind, i64),
    Text(Arc<str>),
}

/// A document with its place for each attribute; none for one that it hasn't got.
struct Placed {
    places: Vec<Option<Place>>,
    standing: Standing,
}

impl Engine {
    pub(super) fn in_order(
        &self,
        meant: &Meant,
        by: &[SortKey],
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, Error> {
        let found = self.put_in_order(meant, by, limit);
        found.map_err(|error| self.failed("put in order", error))
    }

    fn put_in_order(&self, meant: &Meant, by: &[SortKey], limit: usize) -> tantivy::Result<Vec<ScoredChunk>> {
        let searcher = self.searcher();
        let by_segment = self.standing(&searcher, meant)?;
        let mut placed: Vec<Placed> = Vec::with_capacity(by_segment.iter().map(Vec::len).sum());
        for (segment, standing) in searcher.segment_readers().iter().zip(by_segment) {
            placed.extend(in_places(segment, standing, by)?);
        }
        let compare = |one: &Placed, other: &Placed| in_direction(one, other, by);
        if limit < placed.len() {
            placed.select_nth_unstable_by(limit, compare);
            placed.truncate(limit);
        }
        placed.sort_unstable_by(compare);
        let chunks = placed.into_iter().map(|placed| ScoredChunk {
            chunk: placed.standing.chunk,
            score: placed.standing.score,
        });
        Ok(chunks.collect())
    }

    /// The documents that are meant, each once, by the segment in which the chunk lies that stands for it.
    fn standing(&self, searcher: &Searcher, meant: &Meant) -> tantivy::Result<Vec<Vec<Standing>>> {
        let mut by_segment: Vec<Vec<Standing>> = vec![Vec::new(); searcher.segment_readers().len()];
        let weight = match &meant.query {
            None => None,
            Some(words) => match clauses::query(words, self, searcher, &meant.readers)? {
                None => return Ok(by_segment),
                Some(query) => Some(query.weight(EnableScoring::enabled_from_searcher(searcher))?),
            },
        };
        let mut standing: HashMap<DocumentId, Standing, ById> = HashMap::default();
        for (at, segment) in searcher.segment_readers().iter().enumerate() {
            let counting = self.counting_alive(segment, meant.narrowed())?;
            take_best((at, segment), weight.as_deref(), &counting, &mut standing)?;
        }
        for standing in standing.into_values() {
            if let Some(of_segment) = by_segment.get_mut(standing.segment) {
                of_segment.push(standing);
            }
        }
        Ok(by_segment)
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

/// The documents of a segment with their places.
fn in_places(
    segment: &SegmentReader,
    standing: Vec<Standing>,
    by: &[SortKey],
) -> tantivy::Result<Vec<Placed>> {
    let numbers: Vec<u32> = standing.iter().map(|standing| standing.number).collect();
    let mut placed: Vec<Placed> = standing
        .into_iter()
        .map(|standing| Placed {
            places: Vec::with_capacity(by.len()),
            standing,
        })
        .collect();
    for key in by {
        for (placed, place) in placed.iter_mut().zip(places(segment, &numbers, key)?) {
            placed.places.push(place);
        }
    }
    Ok(placed)
}

/// The places of chunks of a segment for an attribute.
fn places(segment: &SegmentReader, chunks: &[u32], by: &SortKey) -> tantivy::Result<Vec<Option<Place>>> {
    let mut places: Vec<Option<Place>> = match attributes::texts(segment, &by.attribute)? {
        Some(texts) => places_of_texts(&texts, chunks, by.descending)?,
        None => vec![None; chunks.len()],
    };
    for kind in [Kind::Number, Kind::Date] {
        let Some(column) = attributes::keys(segment, kind, &by.attribute)? else {
            continue;
        };
        for (place, number) in places.iter_mut().zip(chunks) {
            if let Some(key) = column.first(*number) {
                *place = Some(Place::Key(kind, key));
            }
        }
    }
    Ok(places)
}

/// The same for texts, each of which is read once: they are packed in blocks, and to open one for every chunk would cost
/// more than all else.
fn places_of_texts(
    column: &StrColumn,
    chunks: &[u32],
    descending: bool,
) -> tantivy::Result<Vec<Option<Place>>> {
    let ordinal_of = |number: &u32| match descending {
        true => column.term_ords(*number).max(),
        false => column.term_ords(*number).min(),
    };
    let ordinals: Vec<Option<u64>> = chunks.iter().map(ordinal_of).collect();
    let mut distinct: Vec<u64> = ordinals.iter().copied().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut texts: Vec<Arc<str>> = Vec::with_capacity(distinct.len());
    column.dictionary().sorted_ords_to_term_cb(&distinct, |text| {
        texts.push(String::from_utf8_lossy(text).into());
    })?;
    let place = |ordinal: u64| {
        let at = distinct.binary_search(&ordinal).ok()?;
        texts.get(at).cloned().map(Place::Text)
    };
    Ok(ordinals.into_iter().map(|ordinal| place(ordinal?)).collect())
}

fn in_direction(one: &Placed, other: &Placed, by: &[SortKey]) -> Ordering {
    let pairs = one.places.iter().zip(&other.places).zip(by);
    pairs
        .map(|((one, other), key)| match (one, other) {
            (Some(one), Some(other)) if key.descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| one.standing.chunk.cmp(&other.standing.chunk))
}

/// The order of two values of any kinds.
pub(super) fn order_of_values(one: &AttributeValue, other: &AttributeValue) -> Ordering {
    place_of(one).cmp(&place_of(other))
}

fn place_of(value: &AttributeValue) -> Place {
    match value {
        AttributeValue::Number(number) => Place::Key(Kind::Number, attributes::number_key(*number)),
        AttributeValue::Date(date) => Place::Key(Kind::Date, date.timestamp_micros()),
        AttributeValue::Text(text) => Place::Text(text.as_str().into()),
        AttributeValue::TextList(texts) => Place::Text(texts.iter().min().map_or("", String::as_str).into()),
    }
}
