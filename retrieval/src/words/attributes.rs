//! Attributes in columns: what a segment keeps of them, and how it is written.
//!
//! tantivy makes a column for each path of a JSON object and each type. The path of an attribute is its type in a
//! letter and its name, in which all but letters, digits, `-` and `_` are written as `%` and two digits, so that
//! any text is a name. Numbers and dates are written as whole numbers in the same order, because the engine rounds
//! what it takes for a double or a date. Dates are kept to the microsecond, as in the digest of attributes.

use chrono::DateTime;
use lectern_domain::{AttributeValue, Attributes};
use tantivy::SegmentReader;
use tantivy::columnar::{Column, StrColumn};
use tantivy::schema::OwnedValue;

/// The field with all attributes.
pub(super) const ATTRIBUTES: &str = "attributes";

/// What a value is. They are put in order this way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A number, as [`number_key`].
    Number,
    /// A date, in microseconds since 1970.
    Date,
    /// Texts, one or several.
    Text,
    /// A list of no text, or what is no number.
    Nothing,
}

/// What is written of a document's attributes.
pub(super) fn columns_of(attributes: &Attributes) -> Vec<(String, OwnedValue)> {
    let column = |(name, value): (&String, &AttributeValue)| {
        let (kind, value) = match value {
            AttributeValue::Number(number) if !number.is_nan() => {
                (Kind::Number, OwnedValue::I64(number_key(*number)))
            }
            AttributeValue::Date(date) => (Kind::Date, OwnedValue::I64(date.timestamp_micros())),
            AttributeValue::Text(text) => (Kind::Text, OwnedValue::Str(text.clone())),
            AttributeValue::TextList(texts) if !texts.is_empty() => {
                let texts = texts.iter().cloned().map(OwnedValue::Str);
                (Kind::Text, OwnedValue::Array(texts.collect()))
            }
            AttributeValue::Number(_) | AttributeValue::TextList(_) => {
                (Kind::Nothing, OwnedValue::Bool(true))
            }
        };
        (path(kind, name), value)
    };
    attributes.iter().map(column).collect()
}

/// A whole number for a number, in the same order. Both zeros are one.
pub(super) fn number_key(number: f64) -> i64 {
    let number = if number == 0.0 { 0.0 } else { number };
    let bits = number.to_bits().cast_signed();
    bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

/// The number of a key.
pub(super) fn number_of_key(key: i64) -> f64 {
    let bits = key ^ (((key >> 63).cast_unsigned() >> 1).cast_signed());
    f64::from_bits(bits.cast_unsigned())
}

/// The value that a whole number in a column of that kind stands for.
pub(super) fn value_of(kind: Kind, key: i64) -> Option<AttributeValue> {
    match kind {
        Kind::Number => Some(AttributeValue::Number(number_of_key(key))),
        Kind::Date => DateTime::from_timestamp_micros(key).map(AttributeValue::Date),
        Kind::Text | Kind::Nothing => None,
    }
}

/// The numbers or the dates of a segment under a name, as whole numbers. `None` where it has none.
pub(super) fn keys(segment: &SegmentReader, kind: Kind, name: &str) -> tantivy::Result<Option<Column<i64>>> {
    segment.fast_fields().column_opt::<i64>(&full_path(kind, name))
}

/// The texts of a segment under a name. `None` where it has none.
pub(super) fn texts(segment: &SegmentReader, name: &str) -> tantivy::Result<Option<StrColumn>> {
    segment.fast_fields().str(&full_path(Kind::Text, name))
}

/// Where a segment has the attribute and no value of it. `None` where it hasn't.
pub(super) fn nothings(segment: &SegmentReader, name: &str) -> tantivy::Result<Option<Column<bool>>> {
    segment
        .fast_fields()
        .column_opt::<bool>(&full_path(Kind::Nothing, name))
}

/// Whether a document of the segment has, or had, the attribute.
pub(super) fn has(segment: &SegmentReader, name: &str) -> tantivy::Result<bool> {
    Ok(keys(segment, Kind::Number, name)?.is_some()
        || keys(segment, Kind::Date, name)?.is_some()
        || texts(segment, name)?.is_some()
        || nothings(segment, name)?.is_some())
}

fn full_path(kind: Kind, name: &str) -> String {
    format!("{ATTRIBUTES}.{}", path(kind, name))
}

fn path(kind: Kind, name: &str) -> String {
    let letter = match kind {
        Kind::Number => 'n',
        Kind::Date => 'd',
        Kind::Text => 't',
        Kind::Nothing => 'e',
    };
    let mut path = String::with_capacity(name.len() + 1);
    path.push(letter);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => path.push(char::from(byte)),
            other => path.push_str(&format!("%{other:02x}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_of_numbers_have_their_order(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(!one.is_nan() && !other.is_nan());
            prop_assert_eq!(one.partial_cmp(&other), Some(number_key(one).cmp(&number_key(other))));
            prop_assert_eq!(number_of_key(number_key(one)), one);
        }

        #[test]
        fn names_that_differ_have_other_paths(one in any::<String>(), other in any::<String>()) {
            prop_assert_eq!(one == other, path(Kind::Text, &one) == path(Kind::Text, &other));
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "%-_".contains(c);
            prop_assert!(path(Kind::Text, &one).chars().all(is_plain));
        }
    }
}
