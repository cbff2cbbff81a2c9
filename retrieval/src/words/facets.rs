//! How many documents have each value of an attribute.

use std::cmp::Ordering;
use std::collections::HashMap;

use lectern_domain::filter::Attribute;
use lectern_domain::ports::{Facet, FacetRequest, FacetValue};
use lectern_domain::{AttributeValue, Filter};
use tantivy::SegmentReader;

use super::attributes::{self, Kind};
use super::best::Narrowed;
use super::documents::Meant;
use super::engine::Engine;
use super::members::Members;
use super::order::order_of_values;
use crate::acl_filter::ReaderNames;
use crate::error::Error;

/// How often each value of an attribute was met.
#[derive(Default)]
struct Counts {
    numbers: HashMap<i64, u64>,
    dates: HashMap<i64, u64>,
    texts: HashMap<String, u64>,
}

impl Engine {
    /// Those of `names` that are attributes of a document which these readers may read.
    pub(super) fn attributes_among(
        &self,
        names: Vec<String>,
        readers: &ReaderNames,
    ) -> Result<Vec<String>, Error> {
        let mut there = Vec::new();
        for name in names {
            let is_there = self.is_attribute(&name, readers);
            if is_there.map_err(|error| self.failed("look for attributes", error))? {
                there.push(name);
            }
        }
        Ok(there)
    }

    /// A column alone says nothing: it may be that of documents which are hidden from the reader, or deleted.
    fn is_attribute(&self, name: &str, readers: &ReaderNames) -> tantivy::Result<bool> {
        let exists = Filter::Exists(Attribute {
            attribute: name.to_owned(),
        });
        let narrowed = Narrowed {
            readers,
            filter: Some(&exists),
        };
        for segment in self.searcher().segment_readers() {
            if attributes::has(segment, name)? && !self.counting_alive(segment, narrowed)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn facets(&self, meant: &Meant, wanted: &[FacetRequest]) -> Result<Vec<Facet>, Error> {
        let mut counts: Vec<Counts> = wanted.iter().map(|_| Counts::default()).collect();
        let counted = self.for_each_document(meant, |segment, first, _| {
            for (counts, request) in counts.iter_mut().zip(wanted) {
                counts.add(segment, first, &request.attribute)?;
            }
            Ok(true)
        });
        counted.map_err(|error| self.failed("count the values", error))?;
        let facets = wanted.iter().zip(counts);
        Ok(facets
            .map(|(request, counts)| counts.into_facet(request))
            .collect())
    }
}

impl Counts {
    fn add(&mut self, segment: &SegmentReader, documents: &Members, name: &str) -> tantivy::Result<()> {
        for (kind, counts) in [(Kind::Number, &mut self.numbers), (Kind::Date, &mut self.dates)] {
            let Some(column) = attributes::keys(segment, kind, name)? else {
                continue;
            };
            let keys = documents.iter().filter_map(|document| column.first(document));
            keys.for_each(|key| *counts.entry(key).or_default() += 1);
        }
        let Some(column) = attributes::texts(segment, name)? else {
            return Ok(());
        };
        // By their numbers first: a text is read once, not for every document.
        let mut by_ordinal: HashMap<u64, u64> = HashMap::new();
        for document in documents.iter() {
            // A list may have a text twice; the document counts once.
            let mut ordinals: Vec<u64> = column.term_ords(document).collect();
            ordinals.sort_unstable();
            ordinals.dedup();
            ordinals
                .into_iter()
                .for_each(|ordinal| *by_ordinal.entry(ordinal).or_default() += 1);
        }
        let mut text = String::new();
        for (ordinal, count) in by_ordinal {
            if column.ord_to_str(ordinal, &mut text)? {
                *self.texts.entry(text.clone()).or_default() += count;
            }
        }
        Ok(())
    }

    fn into_facet(self, request: &FacetRequest) -> Facet {
        let value = |kind| move |(key, count)| Some((attributes::value_of(kind, key)?, count));
        let texts = self.texts.into_iter();
        let mut values: Vec<FacetValue> = self
            .numbers
            .into_iter()
            .filter_map(value(Kind::Number))
            .chain(self.dates.into_iter().filter_map(value(Kind::Date)))
            .chain(texts.map(|(text, count)| (AttributeValue::Text(text), count)))
            .map(|(value, documents)| FacetValue { value, documents })
            .collect();
        values.sort_by(frequency_then_value);
        let other_values = values.len().saturating_sub(request.limit) as u64;
        values.truncate(request.limit);
        Facet {
            attribute: request.attribute.clone(),
            values,
            other_values,
        }
    }
}

fn frequency_then_value(one: &FacetValue, other: &FacetValue) -> Ordering {
    let by_frequency = other.documents.cmp(&one.documents);
    by_frequency.then_with(|| order_of_values(&one.value, &other.value))
}
