//! Conditions, ready to be tested.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use lectern_domain::AttributeValue;
use lectern_domain::attribute::parse_date;
use regex::Regex;
use serde::Serialize;

use super::error::Problem;
use super::facts::{Fact, Subject, TEXT};
use super::pattern::expression;
use super::rules::{Condition, Operand, Operator};

/// The longest value that a failed condition shows, in characters.
const SHOWN_CHARACTERS: usize = 120;

/// A test that a document failed, to be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedCondition {
    /// What was looked at.
    pub attribute: String,
    /// How it was compared.
    pub operator: &'static str,
    /// What was found, if anything; the text of a document isn't repeated here.
    pub found: Option<AttributeValue>,
}

/// One operator on one attribute.
#[derive(Clone, Debug)]
pub(super) struct Test {
    attribute: String,
    operator: Operator,
    comparison: Comparison,
}

#[derive(Clone, Debug)]
enum Comparison {
    Exists(bool),
    Equals {
        value: Comparable,
        wanted: bool,
    },
    Contains {
        text: String,
        wanted: bool,
    },
    BeginsWith(String),
    Order {
        value: Comparable,
        accepts: fn(Ordering) -> bool,
    },
    Matches(Regex),
    Glob(GlobSet),
}

/// A written value in each form in which it can be compared: `"2024-01-01"` is a text and a date.
#[derive(Clone, Debug)]
struct Comparable {
    text: Option<String>,
    texts: Option<Vec<String>>,
    number: Option<f64>,
    date: Option<DateTime<Utc>>,
}

/// Makes the tests of a condition.
pub(super) fn tests(condition: &Condition) -> Result<Vec<Test>, Problem> {
    if condition.tests.is_empty() {
        return Err(Problem::NoOperator {
            attribute: condition.attribute.clone(),
        });
    }
    let test = |(&operator, operand): (&Operator, &Operand)| {
        let comparison = comparison(&condition.attribute, operator, operand)?;
        Ok(Test {
            attribute: condition.attribute.clone(),
            operator,
            comparison,
        })
    };
    condition.tests.iter().map(test).collect()
}

fn comparison(attribute: &str, operator: Operator, operand: &Operand) -> Result<Comparison, Problem> {
    let wrong = |expected| Problem::Operand {
        attribute: attribute.to_owned(),
        operator,
        expected,
    };
    let value = match (operator, operand) {
        (Operator::Exists, Operand::Flag(wanted)) => return Ok(Comparison::Exists(*wanted)),
        (Operator::Exists, _) => return Err(wrong("true or false")),
        (_, Operand::Flag(_)) => return Err(wrong("a text, a number, a date or a list")),
        (_, Operand::Value(value)) => value,
    };
    let comparable = Comparable::new(value);
    let text = || comparable.text.clone().ok_or_else(|| wrong("a text"));
    let ordered = |accepts| match comparable.number.is_some() || comparable.date.is_some() {
        true => Ok(order(&comparable, accepts)),
        false => Err(wrong("a number or a date such as \"2024-01-31\"")),
    };
    let dated = |accepts| match comparable.date.is_some() {
        true => Ok(order(&comparable, accepts)),
        false => Err(wrong("a date such as \"2024-01-31\"")),
    };
    match operator {
        Operator::Equals | Operator::NotEquals => Ok(Comparison::Equals {
            wanted: operator == Operator::Equals,
            value: comparable,
        }),
        Operator::Contains | Operator::NotContains => Ok(Comparison::Contains {
            text: text()?,
            wanted: operator == Operator::Contains,
        }),
        Operator::BeginsWith => Ok(Comparison::BeginsWith(text()?)),
        Operator::GreaterThan => ordered(Ordering::is_gt),
        Operator::GreaterThanOrEquals => ordered(Ordering::is_ge),
        Operator::LessThan => ordered(Ordering::is_lt),
        Operator::LessThanOrEquals => ordered(Ordering::is_le),
        Operator::Before => dated(Ordering::is_lt),
        Operator::After => dated(Ordering::is_gt),
        Operator::Matches => Ok(Comparison::Matches(expression(&text()?)?)),
        Operator::Glob => match value {
            AttributeValue::Text(text) => globs(std::slice::from_ref(text)),
            AttributeValue::TextList(texts) if !texts.is_empty() => globs(texts),
            _ => Err(wrong("a pattern or a list of patterns")),
        },
        Operator::Exists => Err(wrong("true or false")),
    }
}

fn order(value: &Comparable, accepts: fn(Ordering) -> bool) -> Comparison {
    Comparison::Order {
        value: value.clone(),
        accepts,
    }
}

fn globs(patterns: &[String]) -> Result<Comparison, Problem> {
    let malformed = |pattern: &str, reason: String| Problem::Glob {
        pattern: pattern.to_owned(),
        reason,
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| malformed(pattern, error.kind().to_string()))?);
    }
    let set = set.build();
    Ok(Comparison::Glob(set.map_err(|error| {
        malformed(&patterns.join(", "), error.to_string())
    })?))
}

impl Comparable {
    fn new(value: &AttributeValue) -> Self {
        let mut comparable = Self {
            text: None,
            texts: None,
            number: None,
            date: None,
        };
        match value {
            AttributeValue::Text(text) => {
                comparable.date = parse_date(text);
                comparable.text = Some(text.clone());
            }
            AttributeValue::TextList(texts) => comparable.texts = Some(texts.clone()),
            AttributeValue::Number(number) => comparable.number = Some(*number),
            AttributeValue::Date(date) => comparable.date = Some(*date),
        }
        comparable
    }

    fn equals(&self, fact: Fact<'_>) -> bool {
        match fact {
            Fact::Text(text) => {
                let same_date =
                    || self.text.is_none() && self.date.is_some() && self.date == parse_date(text);
                self.text.as_deref() == Some(text) || same_date()
            }
            Fact::Texts(texts) => match (&self.texts, &self.text) {
                (Some(wanted), _) => wanted == texts,
                (None, Some(wanted)) => matches!(texts, [only] if only == wanted),
                _ => false,
            },
            _ => self.order_of(fact) == Some(Ordering::Equal),
        }
    }

    /// How the fact stands to this value, where both can be put in order.
    fn order_of(&self, fact: Fact<'_>) -> Option<Ordering> {
        let number = |fact: f64| fact.partial_cmp(&self.number?);
        let date = |fact: DateTime<Utc>| Some(fact.cmp(&self.date?));
        match fact {
            Fact::Number(fact) => number(fact),
            Fact::Date(fact) => date(fact),
            Fact::Text(text) => match text.trim().parse() {
                Ok(fact) => number(fact),
                Err(_) => date(parse_date(text)?),
            },
            Fact::Texts(_) => None,
        }
    }
}

impl Test {
    /// Nothing where the test holds, else what was found.
    pub(super) fn failure(&self, subject: &Subject) -> Option<FailedCondition> {
        let fact = subject.fact(&self.attribute);
        if self.comparison.holds(fact) {
            return None;
        }
        Some(FailedCondition {
            attribute: self.attribute.clone(),
            operator: self.operator.as_str(),
            found: fact.filter(|_| self.attribute != TEXT).map(shown),
        })
    }

    pub(super) fn attribute(&self) -> &str {
        &self.attribute
    }
}

/// The value, shortened where it is a long text.
fn shown(fact: Fact<'_>) -> AttributeValue {
    match fact {
        Fact::Text(text) => AttributeValue::Text(text.chars().take(SHOWN_CHARACTERS).collect()),
        fact => fact.to_value(),
    }
}

impl Comparison {
    fn holds(&self, fact: Option<Fact<'_>>) -> bool {
        let Some(fact) = fact else {
            return matches!(
                self,
                Self::Exists(false)
                    | Self::Equals { wanted: false, .. }
                    | Self::Contains { wanted: false, .. }
            );
        };
        match self {
            Self::Exists(wanted) => *wanted,
            Self::Equals { value, wanted } => value.equals(fact) == *wanted,
            Self::Contains { text, wanted } => contains(fact, text) == *wanted,
            Self::BeginsWith(start) => fact.texts().iter().any(|text| text.starts_with(start)),
            Self::Order { value, accepts } => value.order_of(fact).is_some_and(accepts),
            Self::Matches(regex) => fact.texts().iter().any(|text| regex.is_match(text)),
            Self::Glob(globs) => fact.texts().iter().any(|text| globs.is_match(text)),
        }
    }
}

/// A text has it in it, a list among its texts.
fn contains(fact: Fact<'_>, wanted: &str) -> bool {
    match fact {
        Fact::Text(text) => text.contains(wanted),
        Fact::Texts(texts) => texts.iter().any(|text| text == wanted),
        Fact::Number(_) | Fact::Date(_) => false,
    }
}
