//! Which documents a search is narrowed to, by their attributes.
//!
//! A filter is a tree. Its leaves compare one attribute; a leaf about an attribute that a document hasn't got is
//! false, and `not` makes it true. [`Filter::matches`] is the meaning; the indexes translate it for speed, and the
//! recheck asks it again of every hit.
//!
//! ```json
//! { "and": [ { "equals": { "attribute": "source", "value": "handbook" } },
//!            { "range": { "attribute": "modified", "at_least": "2026-01-01T00:00:00Z" } },
//!            { "not": { "in": { "attribute": "author", "values": ["ada", "bo"] } } } ] }
//! ```

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::attribute::{AttributeValue, Attributes, parse_date};

/// How deep a filter may be nested.
pub const DEEPEST_FILTER: usize = 12;
/// How many leaves, and values in them, a filter may have.
pub const MOST_FILTER_VALUES: usize = 1_000;

/// A condition on the attributes of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All of them hold. None at all holds.
    And(Vec<Filter>),
    /// One of them holds. None at all doesn't.
    Or(Vec<Filter>),
    /// It doesn't hold.
    Not(Box<Filter>),
    /// The attribute is the value, or is a list that has it. Texts are compared letter by letter.
    Equals(Comparison),
    /// The attribute is one of the values, or is a list that has one.
    In(OneOf),
    /// The number or date lies between bounds.
    Range(Range),
    /// The text, or one of a list, begins with this, letter by letter.
    StartsWith(TextPart),
    /// The text, or one of a list, has this in it, whatever its case.
    Contains(TextPart),
    /// The document has the attribute.
    Exists(Attribute),
}

/// An attribute and what it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Its name.
    pub attribute: String,
    /// A text, a number or a date in RFC 3339 form.
    pub value: AttributeValue,
}

/// An attribute and the values that it may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneOf {
    /// Its name.
    pub attribute: String,
    /// Texts, numbers or dates.
    pub values: Vec<AttributeValue>,
}

/// An attribute and its bounds: numbers, or dates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Its name.
    pub attribute: String,
    /// Greater than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<AttributeValue>,
    /// Greater than this or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<AttributeValue>,
    /// Less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<AttributeValue>,
    /// Less than this or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<AttributeValue>,
}

/// An attribute and a part of its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextPart {
    /// Its name.
    pub attribute: String,
    /// Not empty.
    pub text: String,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub attribute: String,
}

/// A filter that means nothing, or costs too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nested too deep.
    #[error("the filter is nested deeper than {DEEPEST_FILTER}")]
    TooDeep,
    /// Too large.
    #[error("the filter has more than {MOST_FILTER_VALUES} conditions and values")]
    TooLarge,
    /// No name.
    #[error("a condition of the filter names no attribute")]
    NoAttribute,
    /// Nothing to look for.
    #[error("the filter looks for an empty text in {0:?}")]
    EmptyText(String),
    /// No bound, or one that has no order.
    #[error("the range of {0:?} needs a bound, and bounds are numbers or dates in RFC 3339 form")]
    BadRange(String),
    /// A list where a single value is meant.
    #[error("{0:?} is compared with a list; write one condition `in` with its values")]
    ComparedWithList(String),
}

impl Filter {
    /// Whether a document with these attributes passes.
    pub fn matches(&self, attributes: &Attributes) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(attributes)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(attributes)),
            Self::Not(filter) => !filter.matches(attributes),
            Self::Equals(leaf) => attributes
                .get(&leaf.attribute)
                .is_some_and(|is| is_value(is, &leaf.value)),
            Self::In(leaf) => attributes
                .get(&leaf.attribute)
                .is_some_and(|is| leaf.values.iter().any(|value| is_value(is, value))),
            Self::Range(leaf) => attributes.get(&leaf.attribute).is_some_and(|is| leaf.holds(is)),
            Self::StartsWith(leaf) => texts_of(attributes, &leaf.attribute)
                .iter()
                .any(|text| text.starts_with(&leaf.text)),
            Self::Contains(leaf) => {
                let wanted = leaf.text.to_lowercase();
                texts_of(attributes, &leaf.attribute)
                    .iter()
                    .any(|text| text.to_lowercase().contains(&wanted))
            }
            Self::Exists(leaf) => attributes.contains_key(&leaf.attribute),
        }
    }

    /// Whether a part of it is about what stands within a text, which an index of vectors can't tell.
    pub fn looks_into_texts(&self) -> bool {
        match self {
            Self::And(some) | Self::Or(some) => some.iter().any(Self::looks_into_texts),
            Self::Not(filter) => filter.looks_into_texts(),
            Self::StartsWith(_) | Self::Contains(_) => true,
            Self::Equals(_) | Self::In(_) | Self::Range(_) | Self::Exists(_) => false,
        }
    }

    /// Looks at a filter before it is used.
    ///
    /// # Errors
    /// A [`FilterError`], which says what is wrong with it.
    pub fn check(&self) -> Result<(), FilterError> {
        let mut left = MOST_FILTER_VALUES;
        self.check_at(1, &mut left)
    }

    fn check_at(&self, depth: usize, left: &mut usize) -> Result<(), FilterError> {
        if depth > DEEPEST_FILTER {
            return Err(FilterError::TooDeep);
        }
        let values = match self {
            Self::In(leaf) => leaf.values.len().max(1),
            _ => 1,
        };
        *left = left.checked_sub(values).ok_or(FilterError::TooLarge)?;
        match self {
            Self::And(some) | Self::Or(some) => some
                .iter()
                .try_for_each(|filter| filter.check_at(depth + 1, left)),
            Self::Not(filter) => filter.check_at(depth + 1, left),
            Self::Equals(leaf) => check_values(&leaf.attribute, std::slice::from_ref(&leaf.value)),
            Self::In(leaf) => check_values(&leaf.attribute, &leaf.values),
            Self::Range(leaf) => leaf.check(),
            Self::StartsWith(leaf) | Self::Contains(leaf) => leaf.check(),
            Self::Exists(leaf) => named(&leaf.attribute),
        }
    }
}

impl Range {
    /// The bounds as they are compared: a text that is a date counts as one.
    pub fn bounds(&self) -> [Option<AttributeValue>; 4] {
        [&self.above, &self.at_least, &self.below, &self.at_most].map(|bound| bound.as_ref().map(ordered))
    }

    fn holds(&self, value: &AttributeValue) -> bool {
        let [above, at_least, below, at_most] = self.bounds();
        let holds = |bound: Option<AttributeValue>, allowed: &[Ordering]| {
            bound.is_none_or(|bound| order(value, &bound).is_some_and(|order| allowed.contains(&order)))
        };
        holds(above, &[Ordering::Greater])
            && holds(at_least, &[Ordering::Greater, Ordering::Equal])
            && holds(below, &[Ordering::Less])
            && holds(at_most, &[Ordering::Less, Ordering::Equal])
    }

    fn check(&self) -> Result<(), FilterError> {
        named(&self.attribute)?;
        let bounds: Vec<AttributeValue> = self.bounds().into_iter().flatten().collect();
        let has_order = |bound: &AttributeValue| {
            matches!(bound, AttributeValue::Date(_))
                || matches!(bound, AttributeValue::Number(n) if !n.is_nan())
        };
        if bounds.is_empty() || !bounds.iter().all(has_order) {
            return Err(FilterError::BadRange(self.attribute.clone()));
        }
        Ok(())
    }
}

impl TextPart {
    fn check(&self) -> Result<(), FilterError> {
        named(&self.attribute)?;
        match self.text.is_empty() {
            true => Err(FilterError::EmptyText(self.attribute.clone())),
            false => Ok(()),
        }
    }
}

fn named(attribute: &str) -> Result<(), FilterError> {
    match attribute.is_empty() {
        true => Err(FilterError::NoAttribute),
        false => Ok(()),
    }
}

fn check_values(attribute: &str, values: &[AttributeValue]) -> Result<(), FilterError> {
    named(attribute)?;
    match values
        .iter()
        .any(|value| matches!(value, AttributeValue::TextList(_)))
    {
        true => Err(FilterError::ComparedWithList(attribute.to_owned())),
        false => Ok(()),
    }
}

/// A text that people write for a date is one, where only a number or a date makes sense.
fn ordered(bound: &AttributeValue) -> AttributeValue {
    match bound {
        AttributeValue::Text(text) => parse_date(text).map_or_else(|| bound.clone(), AttributeValue::Date),
        other => other.clone(),
    }
}

fn is_value(is: &AttributeValue, wanted: &AttributeValue) -> bool {
    match (is, wanted) {
        (AttributeValue::TextList(texts), AttributeValue::Text(wanted)) => texts.contains(wanted),
        (AttributeValue::Date(is), AttributeValue::Text(wanted)) => parse_date(wanted) == Some(*is),
        _ => is == wanted,
    }
}

/// The order of two numbers or two dates; `None` for values that have none.
pub fn order(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::Number(one), AttributeValue::Number(other)) => one.partial_cmp(other),
        (AttributeValue::Date(one), AttributeValue::Date(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn texts_of<'a>(attributes: &'a Attributes, name: &str) -> &'a [String] {
    match attributes.get(name) {
        Some(AttributeValue::Text(text)) => std::slice::from_ref(text),
        Some(AttributeValue::TextList(texts)) => texts,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str, attributes: &str) -> bool {
        let filter: Filter = serde_json::from_str(filter).unwrap();
        filter.check().unwrap();
        filter.matches(&serde_json::from_str(attributes).unwrap())
    }

    const DOCUMENT: &str =
        r#"{"author":["Ada","Bo"],"pages":12,"modified":"2026-03-01T00:00:00Z","path":"a/b.md"}"#;

    #[test]
    fn leaves_mean_what_they_say() {
        for (filter, expected) in [
            (r#"{"equals":{"attribute":"author","value":"Ada"}}"#, true),
            (r#"{"equals":{"attribute":"author","value":"ada"}}"#, false),
            (r#"{"equals":{"attribute":"pages","value":12}}"#, true),
            (r#"{"equals":{"attribute":"pages","value":"12"}}"#, false),
            (
                r#"{"equals":{"attribute":"modified","value":"2026-03-01"}}"#,
                true,
            ),
            (r#"{"in":{"attribute":"author","values":["Cy","Bo"]}}"#, true),
            (r#"{"in":{"attribute":"author","values":[]}}"#, false),
            (r#"{"range":{"attribute":"pages","above":11,"at_most":12}}"#, true),
            (r#"{"range":{"attribute":"pages","above":12}}"#, false),
            (
                r#"{"range":{"attribute":"modified","at_least":"2026-03-01","below":"2026-04-01"}}"#,
                true,
            ),
            (r#"{"range":{"attribute":"modified","at_least":5}}"#, false),
            (r#"{"starts_with":{"attribute":"path","text":"a/"}}"#, true),
            (r#"{"starts_with":{"attribute":"path","text":"A/"}}"#, false),
            (r#"{"contains":{"attribute":"path","text":"B.M"}}"#, true),
            (r#"{"exists":{"attribute":"pages"}}"#, true),
            (r#"{"exists":{"attribute":"nothing"}}"#, false),
            (r#"{"not":{"equals":{"attribute":"nothing","value":1}}}"#, true),
            (r#"{"and":[]}"#, true),
            (r#"{"or":[]}"#, false),
        ] {
            assert_eq!(passes(filter, DOCUMENT), expected, "{filter}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let refused = |json: &str| serde_json::from_str::<Filter>(json).unwrap().check().unwrap_err();
        assert_eq!(
            refused(r#"{"equals":{"attribute":"","value":1}}"#),
            FilterError::NoAttribute
        );
        assert_eq!(
            refused(r#"{"range":{"attribute":"pages"}}"#),
            FilterError::BadRange("pages".into())
        );
        assert_eq!(
            refused(r#"{"range":{"attribute":"pages","above":"many"}}"#),
            FilterError::BadRange("pages".into())
        );
        assert_eq!(
            refused(r#"{"contains":{"attribute":"path","text":""}}"#),
            FilterError::EmptyText("path".into())
        );
        assert_eq!(
            refused(r#"{"equals":{"attribute":"author","value":["Ada"]}}"#),
            FilterError::ComparedWithList("author".into())
        );
        let deep = "{\"not\":".repeat(DEEPEST_FILTER) + r#"{"and":[]}"# + &"}".repeat(DEEPEST_FILTER);
        assert_eq!(refused(&deep), FilterError::TooDeep);
        let values = vec!["1"; MOST_FILTER_VALUES + 1].join(",");
        assert_eq!(
            refused(&format!(r#"{{"in":{{"attribute":"a","values":[{values}]}}}}"#)),
            FilterError::TooLarge
        );
    }

    #[test]
    fn a_condition_within_a_text_is_found_however_deep() {
        for (filter, expected) in [
            (r#"{"starts_with":{"attribute":"path","text":"a/"}}"#, true),
            (r#"{"contains":{"attribute":"path","text":"b"}}"#, true),
            (r#"{"equals":{"attribute":"path","value":"a/b.md"}}"#, false),
            (r#"{"in":{"attribute":"path","values":["a/b.md"]}}"#, false),
            (r#"{"range":{"attribute":"pages","above":1}}"#, false),
            (r#"{"exists":{"attribute":"path"}}"#, false),
            (r#"{"and":[]}"#, false),
            (
                r#"{"and":[{"exists":{"attribute":"a"}},{"not":{"or":[{"contains":{"attribute":"b","text":"c"}}]}}]}"#,
                true,
            ),
            (
                r#"{"or":[{"exists":{"attribute":"a"}},{"not":{"and":[{"exists":{"attribute":"b"}}]}}]}"#,
                false,
            ),
        ] {
            let read: Filter = serde_json::from_str(filter).unwrap();
            assert_eq!(read.looks_into_texts(), expected, "{filter}");
        }
    }

    #[test]
    fn an_unknown_key_is_no_filter() {
        for json in [
            r#"{"equal":{"attribute":"a","value":1}}"#,
            r#"{"equals":{"attribute":"a","value":1,"x":2}}"#,
        ] {
            assert!(serde_json::from_str::<Filter>(json).is_err(), "{json}");
        }
    }
}
