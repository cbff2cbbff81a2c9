//! A condition in the words of a Qdrant server.

use std::time::SystemTime;

use qdrant_client::qdrant::{Condition as Remote, DatetimeRange, Filter, PointId, Range};

use super::super::condition::{Bounds, Condition};
use super::super::payload::{DOCUMENT, RangeField, TERMS};

/// The same for the server.
pub(super) fn of(condition: &Condition) -> Remote {
    let each = |some: &[Condition]| some.iter().map(of).collect::<Vec<_>>();
    match condition {
        Condition::Everything => Remote::from(Filter::default()),
        // No point has one of no ids.
        Condition::Nothing => Remote::has_id(Vec::<PointId>::new()),
        Condition::AnyTerm(terms) => {
            Remote::matches(TERMS, terms.iter().map(|term| term.0).collect::<Vec<i64>>())
        }
        Condition::OneOfDocuments(documents) => {
            let documents = documents.iter().map(ToString::to_string);
            Remote::matches(DOCUMENT, documents.collect::<Vec<String>>())
        }
        Condition::Number { name, bounds } => Remote::range(
            RangeField::Number(name.clone()).path(),
            Range {
                gt: bounds.above,
                gte: bounds.at_least,
                lt: bounds.below,
                lte: bounds.at_most,
            },
        ),
        Condition::Date { name, bounds } => {
            let Bounds {
                above,
                at_least,
                below,
                at_most,
            } = bounds;
            let range = DatetimeRange {
                gt: above.map(|date| SystemTime::from(date).into()),
                gte: at_least.map(|date| SystemTime::from(date).into()),
                lt: below.map(|date| SystemTime::from(date).into()),
                lte: at_most.map(|date| SystemTime::from(date).into()),
            };
            Remote::datetime_range(RangeField::Date(name.clone()).path(), range)
        }
        Condition::All(some) => Remote::from(Filter::must(each(some))),
        Condition::Any(some) => Remote::from(Filter::should(each(some))),
        Condition::Not(inner) => Remote::from(Filter::must_not([of(inner)])),
    }
}
