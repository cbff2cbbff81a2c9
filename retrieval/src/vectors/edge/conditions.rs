//! A condition in the words of the engine in this process.

use chrono::{DateTime, Utc};
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    Condition as Edge, DateTimeWrapper, FieldCondition, Filter, HasIdCondition, JsonPath, Match, Range,
};

use super::super::condition::{Bounds, Condition};
use super::super::payload::{DOCUMENT, RangeField, TERMS};
use crate::acl_filter::edge_path;
use crate::error::Error;

/// The filter that must hold beside those that `also` says.
///
/// # Errors
/// Those of [`edge_path`]; a condition is never left out.
pub(super) fn narrowed(mut also: Filter, condition: &Condition) -> Result<Filter, Error> {
    if *condition != Condition::Everything {
        also.must.get_or_insert_default().push(edge_condition(condition)?);
    }
    Ok(also)
}

fn edge_condition(condition: &Condition) -> Result<Edge, Error> {
    let each = |some: &[Condition]| -> Result<Option<Vec<Edge>>, Error> {
        some.iter()
            .map(edge_condition)
            .collect::<Result<_, _>>()
            .map(Some)
    };
    Ok(match condition {
        Condition::Everything => Edge::Filter(Filter::default()),
        // No point has one of no ids.
        Condition::Nothing => Edge::HasId(std::iter::empty().collect::<HasIdCondition>()),
        Condition::AnyTerm(terms) => {
            let terms: Vec<i64> = terms.iter().map(|term| term.0).collect();
            Edge::Field(FieldCondition::new_match(edge_path(TERMS)?, Match::from(terms)))
        }
        Condition::OneOfDocuments(documents) => {
            let documents: Vec<String> = documents.iter().map(ToString::to_string).collect();
            Edge::Field(FieldCondition::new_match(
                edge_path(DOCUMENT)?,
                Match::from(documents),
            ))
        }
        Condition::Number { name, bounds } => Edge::Field(FieldCondition::new_range(
            path(&RangeField::Number(name.clone()))?,
            range(bounds, OrderedFloat),
        )),
        Condition::Date { name, bounds } => Edge::Field(FieldCondition::new_datetime_range(
            path(&RangeField::Date(name.clone()))?,
            range(bounds, to_the_microsecond),
        )),
        Condition::All(some) => Edge::Filter(Filter {
            must: each(some)?,
            ..Filter::default()
        }),
        Condition::Any(some) => Edge::Filter(Filter {
            should: each(some)?,
            ..Filter::default()
        }),
        Condition::Not(inner) => Edge::Filter(Filter {
            must_not: Some(vec![edge_condition(inner)?]),
            ..Filter::default()
        }),
    })
}

/// The path of a field as the engine wants it.
///
/// # Errors
/// Those of [`edge_path`].
pub(super) fn path(field: &RangeField) -> Result<JsonPath, Error> {
    edge_path(&field.path())
}

fn range<T: Copy, U>(bounds: &Bounds<T>, convert: impl Fn(T) -> U) -> Range<U> {
    Range {
        gt: bounds.above.map(&convert),
        gte: bounds.at_least.map(&convert),
        lt: bounds.below.map(&convert),
        lte: bounds.at_most.map(&convert),
    }
}

/// A date as the payload has it.
fn to_the_microsecond(date: DateTime<Utc>) -> DateTimeWrapper {
    let cut = DateTime::from_timestamp_micros(date.timestamp_micros());
    DateTimeWrapper(cut.unwrap_or(date))
}
