//! Which chunks of a segment a reader may read, and which pass a filter.
//!
//! Both are read into a set, and a segment never changes but for what is deleted of it, so the sets are kept
//! ([`Kept`]): a filter or a reader that comes again costs nothing until something new is written, and then only the
//! new segment is looked at. The meaning of a filter is [`Filter::matches`]; the columns ([`super::attributes`]) tell
//! all of it.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_domain::attribute::parse_date;
use lectern_domain::filter::{Range, order};
use lectern_domain::{AttributeValue, Filter};
use tantivy::index::SegmentId;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{SegmentReader, Term};

use super::attributes::{self, Kind};
use super::members::Members;
use super::schema::FIELDS;
use super::values::{add_keys, add_range, add_texts};
use crate::acl_filter::ReaderNames;

/// The most memory that sets are kept in, for one knowledge base.
const MOST_KEPT_BYTES: usize = 32 << 20;

/// Sets that were made before.
#[derive(Default)]
pub(super) struct Kept {
    sets: Mutex<KeptSets>,
}

#[derive(Default)]
struct KeptSets {
    by_key: HashMap<(SegmentId, String), (u64, Arc<Members>)>,
    bytes: usize,
    clock: u64,
}

impl Kept {
    /// The chunks that somebody of these names may read; some of them may be deleted.
    pub(super) fn readable(
        &self,
        segment: &SegmentReader,
        readers: &ReaderNames,
    ) -> tantivy::Result<Arc<Members>> {
        let key = format!("readers {}", readers.names().join("\u{1f}"));
        self.get(segment, key, || readable(segment, readers))
    }

    /// The chunks that pass a filter; some of them may be deleted.
    pub(super) fn passing(&self, segment: &SegmentReader, filter: &Filter) -> tantivy::Result<Arc<Members>> {
        let key = serde_json::to_string(filter).unwrap_or_else(|_| format!("{filter:?}"));
        self.get(segment, format!("filter {key}"), || passing(segment, filter))
    }

    fn get(
        &self,
        segment: &SegmentReader,
        key: String,
        make: impl FnOnce() -> tantivy::Result<Members>,
    ) -> tantivy::Result<Arc<Members>> {
        let key = (segment.segment_id(), key);
        {
            let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
            sets.clock += 1;
            let now = sets.clock;
            if let Some((used, members)) = sets.by_key.get_mut(&key) {
                *used = now;
                return Ok(Arc::clone(members));
            }
        }
        let members = Arc::new(make()?);
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.add(key, Arc::clone(&members));
        Ok(members)
    }
}

impl KeptSets {
    fn add(&mut self, key: (SegmentId, String), members: Arc<Members>) {
        let bytes = |key: &(SegmentId, String), members: &Members| members.bytes() + key.1.len();
        self.bytes += bytes(&key, &members);
        let now = self.clock;
        // Somebody else may have made it meanwhile.
        if let Some((_, same)) = self.by_key.insert(key.clone(), (now, members)) {
            self.bytes = self.bytes.saturating_sub(bytes(&key, &same));
        }
        while self.bytes > MOST_KEPT_BYTES && self.by_key.len() > 1 {
            let longest_unused = self.by_key.iter().min_by_key(|(_, (used, _))| *used);
            let Some(key) = longest_unused.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some((_, members)) = self.by_key.remove(&key) {
                self.bytes = self.bytes.saturating_sub(bytes(&key, &members));
            }
        }
    }
}

fn readable(segment: &SegmentReader, readers: &ReaderNames) -> tantivy::Result<Members> {
    let mut members = Members::none(segment.max_doc());
    for_each_with(segment, FIELDS.readers, readers, |number| members.insert(number))?;
    for_each_with(segment, FIELDS.denied, readers, |number| members.remove(number))?;
    Ok(members)
}

fn for_each_with(
    segment: &SegmentReader,
    field: Field,
    readers: &ReaderNames,
    mut take: impl FnMut(u32),
) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    for name in readers.names() {
        let term = Term::from_field_text(field, name);
        let Some(mut postings) = index.read_block_postings(&term, IndexRecordOption::Basic)? else {
            continue;
        };
        while !postings.docs().is_empty() {
            postings.docs().iter().for_each(|number| take(*number));
            postings.advance();
        }
    }
    Ok(())
}

fn passing(segment: &SegmentReader, filter: &Filter) -> tantivy::Result<Members> {
    let size = segment.max_doc();
    match filter {
        Filter::And(all) => {
            let mut members = Members::all(size);
            for filter in all {
                members.intersect(&passing(segment, filter)?);
            }
            Ok(members)
        }
        Filter::Or(any) => {
            let mut members = Members::none(size);
            for filter in any {
                members.unite(&passing(segment, filter)?);
            }
            Ok(members)
        }
        Filter::Not(filter) => {
            let mut members = passing(segment, filter)?;
            members.invert();
            Ok(members)
        }
        Filter::Equals(leaf) => equal_to_one(segment, &leaf.attribute, std::slice::from_ref(&leaf.value)),
        Filter::In(leaf) => equal_to_one(segment, &leaf.attribute, &leaf.values),
        Filter::Range(leaf) => within(segment, leaf),
        Filter::StartsWith(leaf) => {
            having_text(segment, &leaf.attribute, |text| text.starts_with(&leaf.text))
        }
        Filter::Contains(leaf) => {
            let wanted = leaf.text.to_lowercase();
            having_text(segment, &leaf.attribute, |text| {
                text.to_lowercase().contains(&wanted)
            })
        }
        Filter::Exists(leaf) => existing(segment, &leaf.attribute),
    }
}

/// Those with one of the values. A list is no value that anything is compared with.
fn equal_to_one(segment: &SegmentReader, name: &str, values: &[AttributeValue]) -> tantivy::Result<Members> {
    let mut members = Members::none(segment.max_doc());
    let (mut numbers, mut dates, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            AttributeValue::Number(number) if !number.is_nan() => {
                numbers.push(attributes::number_key(*number));
            }
            AttributeValue::Date(date) => dates.push(date.timestamp_micros()),
            AttributeValue::Text(text) => {
                texts.push(text.as_str());
                dates.extend(parse_date(text).map(|date| date.timestamp_micros()));
            }
            AttributeValue::Number(_) | AttributeValue::TextList(_) => {}
        }
    }
    for (kind, keys) in [(Kind::Number, numbers), (Kind::Date, dates)] {
        if keys.is_empty() {
            continue;
        }
        if let Some(column) = attributes::keys(segment, kind, name)? {
            add_keys(&mut members, &column, keys);
        }
    }
    if let Some(column) = attributes::texts(segment, name)? {
        let dictionary = column.dictionary();
        let mut ordinals = Vec::with_capacity(texts.len());
        for text in texts {
            ordinals.extend(dictionary.term_ord(text)?);
        }
        add_texts(&mut members, &column, ordinals);
    }
    Ok(members)
}

fn within(segment: &SegmentReader, range: &Range) -> tantivy::Result<Members> {
    let mut members = Members::none(segment.max_doc());
    for kind in [Kind::Number, Kind::Date] {
        let Some(keys) = keys_within(range, kind) else {
            continue;
        };
        if let Some(column) = attributes::keys(segment, kind, &range.attribute)? {
            add_range(&mut members, &column, keys);
        }
    }
    Ok(members)
}

/// The keys of that kind between the bounds. `None` where no value of that kind can be, because a bound is of
/// another kind or there is nothing between them.
fn keys_within(range: &Range, kind: Kind) -> Option<RangeInclusive<i64>> {
    let [above, at_least, below, at_most] = range.bounds();
    let (mut first, mut last) = (i64::MIN, i64::MAX);
    for (bound, excludes) in [(above, true), (at_least, false)] {
        let Some(bound) = bound else { continue };
        let (key, is_exact) = key_of(&bound, kind)?;
        let least = if excludes || !is_exact {
            key.checked_add(1)?
        } else {
            key
        };
        first = first.max(least);
    }
    for (bound, excludes) in [(below, true), (at_most, false)] {
        let Some(bound) = bound else { continue };
        let (key, is_exact) = key_of(&bound, kind)?;
        let greatest = if excludes && is_exact {
            key.checked_sub(1)?
        } else {
            key
        };
        last = last.min(greatest);
    }
    (first <= last).then_some(first..=last)
}

/// The key of a bound, or the one below it, and whether it is the bound itself.
fn key_of(bound: &AttributeValue, kind: Kind) -> Option<(i64, bool)> {
    // What has no order with itself is no bound: a text, or what is no number.
    order(bound, bound)?;
    match (bound, kind) {
        (AttributeValue::Number(number), Kind::Number) => Some((attributes::number_key(*number), true)),
        (AttributeValue::Date(date), Kind::Date) => {
            let is_exact = date.timestamp_subsec_nanos().is_multiple_of(1_000);
            Some((date.timestamp_micros(), is_exact))
        }
        _ => None,
    }
}

/// Those with a text of which `is_wanted` holds. Looks at every text that the segment has under the name, once.
fn having_text(
    segment: &SegmentReader,
    name: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> tantivy::Result<Members> {
    let mut members = Members::none(segment.max_doc());
    let Some(column) = attributes::texts(segment, name)? else {
        return Ok(members);
    };
    let mut ordinals = Vec::new();
    let mut texts = column.dictionary().stream()?;
    while texts.advance() {
        if std::str::from_utf8(texts.key()).is_ok_and(&is_wanted) {
            ordinals.push(texts.term_ord());
        }
    }
    add_texts(&mut members, &column, ordinals);
    Ok(members)
}

fn existing(segment: &SegmentReader, name: &str) -> tantivy::Result<Members> {
    let mut members = Members::none(segment.max_doc());
    for kind in [Kind::Number, Kind::Date] {
        if let Some(column) = attributes::keys(segment, kind, name)? {
            add_range(&mut members, &column, i64::MIN..=i64::MAX);
        }
    }
    if let Some(column) = attributes::texts(segment, name)? {
        add_range(&mut members, column.ords(), 0..=u64::MAX);
    }
    if let Some(column) = attributes::nothings(segment, name)? {
        add_range(&mut members, &column, false..=true);
    }
    Ok(members)
}
