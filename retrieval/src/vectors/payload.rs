//! What a point says beside its vector, the same in both engines.
//!
//! ```json
//! { "document": "0b5c…", "readers": ["everyone"], "denied": [],
//!   "attributes": "9f02…", "terms": [-713…, 4402…], "numbers": { "size": 12.0 }, "dates": { "modified": "2026-…" } }
//! ```
//!
//! * `terms` holds a number for each name of an attribute and each of its values: 64 bits of a BLAKE3 hash over the
//!   kind, the name and the value. One index over them tells equality, membership and presence of any attribute, so
//!   the number of attributes costs nothing. Two of a million values meet with a chance of one to 37 million.
//! * A range needs its order, and an index has one type, so numbers and dates stand apart under their names.
//! * `attributes` is their digest, for `lectern fsck`.

use std::collections::BTreeSet;

use chrono::SecondsFormat;
use lectern_domain::attribute::parse_date;
use lectern_domain::{AttributeValue, Attributes, AttributesDigest, Chunk, DocumentMetadata};
use serde_json::{Map, Value, json};

use crate::acl_filter::{AclNames, DENIED, READERS};

/// The id of the document.
pub(super) const DOCUMENT: &str = "document";
/// The names and values of the attributes.
pub(super) const TERMS: &str = "terms";
/// The digest of the attributes.
const DIGEST: &str = "attributes";
/// Attributes that are numbers.
const NUMBERS: &str = "numbers";
/// Attributes that are dates.
const DATES: &str = "dates";

/// Most attributes that have an index for ranges, numbers and dates together. A range of another is told from the
/// payload itself, more slowly.
pub(super) const MOST_RANGES: usize = 64;

/// A name of an attribute, or a name with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term(pub i64);

impl Term {
    fn of(kind: u8, name: &str, value: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[kind]).update(&(name.len() as u64).to_le_bytes());
        let hash = hasher.update(name.as_bytes()).update(value).finalize();
        Self(i64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at])))
    }

    /// The attribute is there.
    pub(super) fn name(name: &str) -> Self {
        Self::of(b'?', name, &[])
    }

    fn text(name: &str, text: &str) -> Self {
        Self::of(b't', name, text.as_bytes())
    }

    fn number(name: &str, number: f64) -> Self {
        // The two zeros are equal.
        Self::of(b'n', name, &(number + 0.0).to_bits().to_le_bytes())
    }

    fn date(name: &str, microseconds: i64) -> Self {
        Self::of(b'd', name, &microseconds.to_le_bytes())
    }

    /// Those of which a point has one if its attribute is `value`. A date may be written as a text.
    pub(super) fn equal_to(name: &str, value: &AttributeValue) -> Vec<Self> {
        let as_date = |text: &str| parse_date(text).map(|date| Self::date(name, date.timestamp_micros()));
        match value {
            AttributeValue::Text(text) => [Some(Self::text(name, text)), as_date(text)]
                .into_iter()
                .flatten()
                .collect(),
            AttributeValue::Number(number) => vec![Self::number(name, *number)],
            AttributeValue::Date(date) => vec![Self::date(name, date.timestamp_micros())],
            AttributeValue::TextList(_) => Vec::new(),
        }
    }

    fn all_of(attributes: &Attributes) -> BTreeSet<Self> {
        let mut terms = BTreeSet::new();
        for (name, value) in attributes {
            terms.insert(Self::name(name));
            match value {
                AttributeValue::TextList(texts) => {
                    terms.extend(texts.iter().map(|text| Self::text(name, text)));
                }
                AttributeValue::Text(text) => {
                    terms.insert(Self::text(name, text));
                }
                single => terms.extend(Self::equal_to(name, single)),
            }
        }
        terms
    }
}

/// What a point says of its document's readers and attributes. Each field is replaced whole.
pub(super) fn of_metadata(metadata: &DocumentMetadata) -> Map<String, Value> {
    let acl = AclNames::from(&metadata.acl);
    let (mut numbers, mut dates) = (Map::new(), Map::new());
    for (name, value) in &metadata.attributes {
        match value {
            AttributeValue::Number(number) => numbers.insert(key(name), json!(number)),
            AttributeValue::Date(date) => {
                let written = date.to_rfc3339_opts(SecondsFormat::Micros, true);
                dates.insert(key(name), Value::from(written))
            }
            AttributeValue::Text(_) | AttributeValue::TextList(_) => None,
        };
    }
    let terms: Vec<i64> = Term::all_of(&metadata.attributes)
        .into_iter()
        .map(|term| term.0)
        .collect();
    let digest = AttributesDigest::from(&metadata.attributes);
    let fields = [
        (READERS, Value::from(acl.readers)),
        (DENIED, Value::from(acl.denied)),
        (DIGEST, Value::from(format!("{:016x}", digest.0))),
        (TERMS, Value::from(terms)),
        (NUMBERS, Value::Object(numbers)),
        (DATES, Value::Object(dates)),
    ];
    fields
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

/// All that a point says.
pub(super) fn of_chunk(chunk: &Chunk, metadata: &DocumentMetadata) -> Map<String, Value> {
    let mut payload = of_metadata(metadata);
    payload.insert(DOCUMENT.to_owned(), Value::from(chunk.document.to_string()));
    payload
}

/// The fields from which an index tells what it knows.
pub(super) const DIGESTED: [&str; 3] = [READERS, DENIED, DIGEST];

/// Reads [`DIGESTED`]; a point of an earlier version has no digest of attributes.
pub(super) fn attributes_digest(written: Option<&str>) -> AttributesDigest {
    let number = written.and_then(|text| u64::from_str_radix(text, 16).ok());
    AttributesDigest(number.unwrap_or_default())
}

/// Where the digest of the attributes stands.
pub(super) fn digest_field() -> &'static str {
    DIGEST
}

/// A field of ranges: a type and the name of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RangeField {
    /// An attribute that is a number.
    Number(String),
    /// An attribute that is a date.
    Date(String),
}

impl RangeField {
    /// The fields for which these documents want an index.
    pub(super) fn all_of<'a>(metadata: impl IntoIterator<Item = &'a DocumentMetadata>) -> BTreeSet<Self> {
        let attributes = metadata.into_iter().flat_map(|metadata| &metadata.attributes);
        let fields = attributes.filter_map(|(name, value)| match value {
            AttributeValue::Number(_) => Some(Self::Number(name.clone())),
            AttributeValue::Date(_) => Some(Self::Date(name.clone())),
            AttributeValue::Text(_) | AttributeValue::TextList(_) => None,
        });
        fields.collect()
    }

    /// Its path in the payload, as both engines write it.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Number(name) => format!("{NUMBERS}.\"{}\"", key(name)),
            Self::Date(name) => format!("{DATES}.\"{}\"", key(name)),
        }
    }

    /// Whether a path, as an engine gives it back, is one of ranges.
    pub(super) fn is_path(path: &str) -> bool {
        [NUMBERS, DATES]
            .iter()
            .any(|field| path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// A name as a key. A path can quote everything but the quotation mark and the backslash.
fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' => key.push_str("%22"),
            '\\' => key.push_str("%5c"),
            '%' => key.push_str("%25"),
            other => key.push(other),
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_term_of_what_it_is_equal_to_and_of_nothing_else() {
        let attributes: Attributes = serde_json::from_str(
            r#"{"pages":0.0,"written":"2026-03-01T00:00:00Z","author":["Ada","Bo"],"ab":"c"}"#,
        )
        .unwrap();
        let terms = Term::all_of(&attributes);
        let has = |name: &str, value: AttributeValue| {
            Term::equal_to(name, &value)
                .iter()
                .any(|term| terms.contains(term))
        };
        assert!(has("pages", AttributeValue::Number(-0.0)));
        assert!(!has("pages", AttributeValue::Text("0".into())));
        assert!(has("written", AttributeValue::Text("2026-03-01".into())));
        assert!(has("author", AttributeValue::Text("Bo".into())));
        assert!(!has("author", AttributeValue::Text("bo".into())));
        assert!(
            !has("a", AttributeValue::Text("bc".into())),
            "a name doesn't run into its value"
        );
        assert!(terms.contains(&Term::name("ab")) && !terms.contains(&Term::name("c")));
    }

    #[test]
    fn names_of_any_letters_have_paths_of_their_own() {
        let names = ["a", "a.b", "a\"b", "a\\b", "a%22b", "", "blå grün[0]"];
        let paths: BTreeSet<String> = names
            .iter()
            .map(|name| RangeField::Number((*name).to_owned()).path())
            .collect();
        assert_eq!(paths.len(), names.len());
        for path in paths {
            assert!(RangeField::is_path(&path), "{path}");
            assert!(qdrant_edge::JsonPath::try_from(path.as_str()).is_ok(), "{path}");
        }
    }
}
