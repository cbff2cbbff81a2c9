//! A filter as the payload of a point can tell it, in no engine's terms.
//!
//! ```text
//! Filter -> widest -> Condition -> edge::conditions | server::conditions -> the engine's own filter
//! ```
//!
//! The payload tells exactly about equality, membership, ranges and presence. It can't tell what a text begins with or
//! has in it, so such a leaf is widened: where it stands, to every document that has the attribute; under an odd
//! number of `not`, to none, so that `not` lets everything through. What a search gives is never too little, and the
//! recheck asks the filter itself of every hit.

use chrono::{DateTime, Utc};
use lectern_domain::filter::{Comparison, OneOf, Range};
use lectern_domain::ports::IndexQuery;
use lectern_domain::{AttributeValue, DocumentId, Filter};

use super::payload::Term;

/// What the payload of a point must be like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// Anything.
    Everything,
    /// No point is like that.
    Nothing,
    /// One of the terms is there.
    AnyTerm(Vec<Term>),
    /// The number called `name` lies between bounds.
    Number { name: String, bounds: Bounds<f64> },
    /// The date called `name` lies between bounds.
    Date {
        name: String,
        bounds: Bounds<DateTime<Utc>>,
    },
    /// It is a piece of one of these documents.
    OneOfDocuments(Vec<DocumentId>),
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// It doesn't hold.
    Not(Box<Condition>),
}

/// Where a value may lie. A bound that isn't there doesn't bind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds<T> {
    pub above: Option<T>,
    pub at_least: Option<T>,
    pub below: Option<T>,
    pub at_most: Option<T>,
}

/// Which way a leaf errs that can't be told.
#[derive(Clone, Copy)]
enum Sense {
    /// Holds for all that pass, and perhaps for more.
    Widest,
    /// Holds for nothing that doesn't pass, and perhaps for less.
    Narrowest,
}

impl Condition {
    /// The closest condition that holds for all that pass the filter.
    fn widest(filter: &Filter) -> Self {
        translated(filter, Sense::Widest)
    }

    /// What a query asks for beside its vector.
    pub(super) fn of_query(query: &IndexQuery<'_>) -> Self {
        let filter = query.filter.map_or(Self::Everything, Self::widest);
        let documents = match query.documents {
            None => Self::Everything,
            Some([]) => Self::Nothing,
            Some(some) => Self::OneOfDocuments(some.to_vec()),
        };
        all([documents, filter])
    }
}

fn translated(filter: &Filter, sense: Sense) -> Condition {
    let each =
        |some: &[Filter]| -> Vec<Condition> { some.iter().map(|filter| translated(filter, sense)).collect() };
    match filter {
        Filter::And(some) => all(each(some)),
        Filter::Or(some) => any(each(some)),
        Filter::Not(inner) => not(match sense {
            Sense::Widest => translated(inner, Sense::Narrowest),
            Sense::Narrowest => translated(inner, Sense::Widest),
        }),
        Filter::Equals(Comparison { attribute, value }) => {
            one_of(attribute, std::slice::from_ref(value), sense)
        }
        Filter::In(OneOf { attribute, values }) => one_of(attribute, values, sense),
        Filter::Range(range) => within(range),
        Filter::StartsWith(leaf) | Filter::Contains(leaf) => untold(&leaf.attribute, sense),
        Filter::Exists(leaf) => Condition::AnyTerm(vec![Term::name(&leaf.attribute)]),
    }
}

/// A leaf about an attribute that the payload can't tell.
fn untold(attribute: &str, sense: Sense) -> Condition {
    match sense {
        Sense::Widest => Condition::AnyTerm(vec![Term::name(attribute)]),
        Sense::Narrowest => Condition::Nothing,
    }
}

fn one_of(attribute: &str, values: &[AttributeValue], sense: Sense) -> Condition {
    // A list is no value that an attribute is compared with; a checked filter has none.
    if values
        .iter()
        .any(|value| matches!(value, AttributeValue::TextList(_)))
    {
        return untold(attribute, sense);
    }
    let terms: Vec<Term> = values
        .iter()
        .flat_map(|value| Term::equal_to(attribute, value))
        .collect();
    match terms.is_empty() {
        true => Condition::Nothing,
        false => Condition::AnyTerm(terms),
    }
}

/// Bounds of both kinds, or one that has no order, hold for nothing.
fn within(range: &Range) -> Condition {
    let bounds = range.bounds();
    if bounds.iter().all(Option::is_none) {
        return Condition::AnyTerm(vec![Term::name(&range.attribute)]);
    }
    let name = range.attribute.clone();
    let number = |value: &AttributeValue| match value {
        AttributeValue::Number(number) if !number.is_nan() => Some(*number),
        _ => None,
    };
    let date = |value: &AttributeValue| match value {
        AttributeValue::Date(date) => Some(*date),
        _ => None,
    };
    if let Some(bounds) = bounds_of(&bounds, number) {
        return Condition::Number { name, bounds };
    }
    match bounds_of(&bounds, date) {
        Some(bounds) => Condition::Date { name, bounds },
        None => Condition::Nothing,
    }
}

/// The bounds where all that are there are of one kind.
fn bounds_of<T>(
    bounds: &[Option<AttributeValue>; 4],
    read: impl Fn(&AttributeValue) -> Option<T>,
) -> Option<Bounds<T>> {
    let one = |at: usize| match &bounds[at] {
        None => Some(None),
        Some(bound) => read(bound).map(Some),
    };
    Some(Bounds {
        above: one(0)?,
        at_least: one(1)?,
        below: one(2)?,
        at_most: one(3)?,
    })
}

fn all(some: impl IntoIterator<Item = Condition>) -> Condition {
    let mut rest = Vec::new();
    for condition in some {
        match condition {
            Condition::Everything => {}
            Condition::Nothing => return Condition::Nothing,
            other => rest.push(other),
        }
    }
    match rest.len() {
        0 => Condition::Everything,
        1 => rest.remove(0),
        _ => Condition::All(rest),
    }
}

fn any(some: impl IntoIterator<Item = Condition>) -> Condition {
    let mut rest = Vec::new();
    for condition in some {
        match condition {
            Condition::Everything => return Condition::Everything,
            Condition::Nothing => {}
            other => rest.push(other),
        }
    }
    match rest.len() {
        0 => Condition::Nothing,
        1 => rest.remove(0),
        _ => Condition::Any(rest),
    }
}

fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Everything => Condition::Nothing,
        Condition::Nothing => Condition::Everything,
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(json: &str) -> Condition {
        Condition::widest(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_a_text_has_in_it_is_left_to_the_recheck_on_either_side_of_not() {
        let has_path = Condition::AnyTerm(vec![Term::name("path")]);
        let leaf = r#"{"starts_with":{"attribute":"path","text":"a/"}}"#;
        assert_eq!(widest(leaf), has_path);
        assert_eq!(widest(&format!(r#"{{"not":{leaf}}}"#)), Condition::Everything);
        assert_eq!(widest(&format!(r#"{{"not":{{"not":{leaf}}}}}"#)), has_path);
        let exact = r#"{"exists":{"attribute":"pages"}}"#;
        let has_pages = Condition::AnyTerm(vec![Term::name("pages")]);
        assert_eq!(
            widest(&format!(r#"{{"and":[{exact},{{"not":{leaf}}}]}}"#)),
            has_pages
        );
        assert_eq!(
            widest(&format!(r#"{{"not":{{"and":[{exact},{leaf}]}}}}"#)),
            Condition::Everything,
            "it may be that only the text fails"
        );
        assert_eq!(
            widest(&format!(r#"{{"not":{{"or":[{exact},{leaf}]}}}}"#)),
            Condition::Not(Box::new(has_pages)),
            "neither may hold, and one of them can be told"
        );
    }

    #[test]
    fn constants_and_bounds_without_meaning_are_no_work_for_an_engine() {
        assert_eq!(widest(r#"{"and":[]}"#), Condition::Everything);
        assert_eq!(widest(r#"{"or":[]}"#), Condition::Nothing);
        assert_eq!(
            widest(r#"{"in":{"attribute":"a","values":[]}}"#),
            Condition::Nothing
        );
        assert_eq!(
            widest(r#"{"range":{"attribute":"a","above":1,"below":"2026-01-01"}}"#),
            Condition::Nothing,
            "nothing is a number and a date"
        );
        let dates = widest(r#"{"range":{"attribute":"a","above":"2026-01-01"}}"#);
        assert!(matches!(dates, Condition::Date { .. }), "{dates:?}");
    }
}
