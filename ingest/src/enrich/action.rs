//! Actions, ready to be done.

use lectern_domain::attribute::{AttributeValue, names, parse_date};
use regex::Regex;
use serde::Serialize;
use std::collections::BTreeMap;

use super::error::Problem;
use super::facts::{FIXED, Subject};
use super::pattern::{Pattern, expression};
use super::redact::{Redaction, Replaced};
use super::rules::{Action, Derive, MapValues, Redact, ValueType};

/// The longest text of an attribute, in characters; that of Amazon's services.
pub(super) const MAX_VALUE_CHARACTERS: usize = 2_048;
/// The most texts of a derived list.
const MAX_LIST: usize = 100;

/// What an action did, to be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Effect {
    /// An attribute got a value.
    Set {
        /// Which.
        attribute: String,
        /// What it was, if it was there.
        before: Option<AttributeValue>,
        /// What it is now.
        after: AttributeValue,
    },
    /// An attribute was taken away.
    Deleted {
        /// Which.
        attribute: String,
        /// What it was.
        before: AttributeValue,
    },
    /// Nothing changed: there was nothing to find, to map or to delete.
    Nothing {
        /// Which action.
        tried: &'static str,
        /// The attribute it is about, if it is about one.
        attribute: Option<String>,
        /// Why.
        reason: &'static str,
    },
    /// Matches of a pattern were replaced.
    Redacted {
        /// The built-in pattern's name or the expression.
        pattern: String,
        /// Matches in the text.
        in_text: usize,
        /// Matches in the title.
        in_title: usize,
        /// Matches in attributes.
        in_attributes: usize,
    },
    /// The document was left out.
    Dropped,
}

/// An action without what could be wrong with it.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Set {
        attribute: String,
        value: AttributeValue,
    },
    Delete {
        attribute: String,
    },
    Derive(Derivation),
    Map(MapValues),
    Redact {
        name: String,
        redaction: Redaction,
    },
    Drop,
}

#[derive(Clone, Debug)]
pub(super) struct Derivation {
    attribute: String,
    from: String,
    regex: Regex,
    value_type: ValueType,
}

impl Deed {
    pub(super) fn new(action: &Action) -> Result<Self, Problem> {
        match action {
            Action::Set { attribute, value } => {
                check_target(attribute)?;
                check_value(attribute, value)?;
                if attribute == names::TITLE
                    && !matches!(value, AttributeValue::Text(text) if !text.trim().is_empty())
                {
                    return Err(Problem::Title);
                }
                Ok(Self::Set {
                    attribute: attribute.clone(),
                    value: value.clone(),
                })
            }
            Action::Delete { attribute } => {
                check_target(attribute)?;
                if attribute == names::TITLE {
                    return Err(Problem::Title);
                }
                Ok(Self::Delete {
                    attribute: attribute.clone(),
                })
            }
            Action::Derive(derive) => Derivation::new(derive).map(Self::Derive),
            Action::Map(map) => checked_map(map).map(Self::Map),
            Action::Redact(redact) => redaction(redact),
            Action::Drop => Ok(Self::Drop),
        }
    }

    /// The attribute that it looks at, if it looks at one.
    pub(super) fn reads(&self) -> Option<&str> {
        match self {
            Self::Derive(derivation) => Some(&derivation.from),
            Self::Map(map) => Some(&map.attribute),
            _ => None,
        }
    }

    /// Does what changes attributes; redactions and drops are the enricher's.
    pub(super) fn change(&self, subject: &mut Subject) -> Effect {
        match self {
            Self::Set { attribute, value } => set(subject, attribute, value.clone()),
            Self::Delete { attribute } => match subject.attributes.remove(attribute) {
                Some(before) => Effect::Deleted {
                    attribute: attribute.clone(),
                    before,
                },
                None => nothing("delete", attribute, "it isn't there"),
            },
            Self::Derive(derivation) => derivation.change(subject),
            Self::Map(map) => change_by_map(map, subject),
            Self::Redact { name, .. } => redacted(name, Replaced::default()),
            Self::Drop => Effect::Dropped,
        }
    }
}

pub(super) fn redacted(pattern: &str, replaced: Replaced) -> Effect {
    Effect::Redacted {
        pattern: pattern.to_owned(),
        in_text: replaced.in_text,
        in_title: replaced.in_title,
        in_attributes: replaced.in_attributes,
    }
}

fn nothing(tried: &'static str, attribute: &str, reason: &'static str) -> Effect {
    Effect::Nothing {
        tried,
        attribute: Some(attribute.to_owned()),
        reason,
    }
}

fn set(subject: &mut Subject, attribute: &str, after: AttributeValue) -> Effect {
    let before = match &after {
        AttributeValue::Text(title) if attribute == names::TITLE => Some(AttributeValue::Text(
            std::mem::replace(&mut subject.title, title.clone()),
        )),
        _ => subject.attributes.insert(attribute.to_owned(), after.clone()),
    };
    Effect::Set {
        attribute: attribute.to_owned(),
        before,
        after,
    }
}

impl Derivation {
    fn new(derive: &Derive) -> Result<Self, Problem> {
        check_target(&derive.attribute)?;
        check_name(&derive.from)?;
        if derive.attribute == names::TITLE && derive.value_type != ValueType::Text {
            return Err(Problem::Title);
        }
        Ok(Self {
            attribute: derive.attribute.clone(),
            from: derive.from.clone(),
            regex: expression(&derive.pattern)?,
            value_type: derive.value_type,
        })
    }

    fn change(&self, subject: &mut Subject) -> Effect {
        let found = match subject.fact(&self.from) {
            None => return nothing("derive", &self.attribute, "there is nothing to look at"),
            Some(fact) => fact
                .texts()
                .into_iter()
                .flat_map(|text| self.regex.captures_iter(text))
                .filter_map(|captures| captures.get(1).or_else(|| captures.get(0)))
                .map(|found| found.as_str().trim().to_owned())
                .filter(|text| !text.is_empty() && text.chars().count() <= MAX_VALUE_CHARACTERS),
        };
        let value = match self.value_type {
            ValueType::List => list(found),
            value_type => first(found, value_type),
        };
        match value {
            Ok(value) => set(subject, &self.attribute, value),
            Err(reason) => nothing("derive", &self.attribute, reason),
        }
    }
}

fn list(found: impl Iterator<Item = String>) -> Result<AttributeValue, &'static str> {
    let mut texts: Vec<String> = Vec::new();
    for text in found {
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() == MAX_LIST {
            break;
        }
    }
    match texts.is_empty() {
        true => Err("the pattern isn't found"),
        false => Ok(AttributeValue::TextList(texts)),
    }
}

fn first(
    mut found: impl Iterator<Item = String>,
    value_type: ValueType,
) -> Result<AttributeValue, &'static str> {
    let text = found.next().ok_or("the pattern isn't found")?;
    match value_type {
        ValueType::Text | ValueType::List => Ok(AttributeValue::Text(text)),
        ValueType::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(AttributeValue::Number(number)),
            _ => Err("what is found is no number"),
        },
        ValueType::Date => parse_date(&text)
            .map(AttributeValue::Date)
            .ok_or("what is found is no date"),
    }
}

fn change_by_map(map: &MapValues, subject: &mut Subject) -> Effect {
    let target = map.to.as_ref().unwrap_or(&map.attribute);
    let value = match subject.fact(&map.attribute) {
        None => return nothing("map", target, "there is nothing to map"),
        Some(fact) => mapped(map, &fact.to_value()),
    };
    match value {
        Some(value) => set(subject, target, value),
        None => nothing("map", target, "the value isn't among those that are mapped"),
    }
}

/// The new value, or `None` where no text of it is mapped. A text of a list that isn't mapped stays.
fn mapped(map: &MapValues, value: &AttributeValue) -> Option<AttributeValue> {
    let look_up = |text: &str| map.values.get(text).or(map.otherwise.as_ref()).cloned();
    match value {
        AttributeValue::Text(text) => look_up(text).map(AttributeValue::Text),
        AttributeValue::Number(number) => look_up(&number.to_string()).map(AttributeValue::Text),
        AttributeValue::Date(date) => look_up(&date.format("%Y-%m-%d").to_string()).map(AttributeValue::Text),
        AttributeValue::TextList(texts) => {
            let is_mapped = texts.iter().any(|text| look_up(text).is_some());
            let new = texts
                .iter()
                .map(|text| look_up(text).unwrap_or_else(|| text.clone()));
            is_mapped.then(|| AttributeValue::TextList(new.collect()))
        }
    }
}

fn checked_map(map: &MapValues) -> Result<MapValues, Problem> {
    check_name(&map.attribute)?;
    check_target(map.to.as_ref().unwrap_or(&map.attribute))?;
    if map.values.is_empty() && map.otherwise.is_none() {
        return Err(Problem::EmptyMap {
            attribute: map.attribute.clone(),
        });
    }
    let values: &BTreeMap<String, String> = &map.values;
    for value in values.values().chain(&map.otherwise) {
        check_length(&map.attribute, value)?;
    }
    Ok(map.clone())
}

fn redaction(redact: &Redact) -> Result<Deed, Problem> {
    let (name, pattern, default) = match (redact.kind, &redact.pattern) {
        (Some(kind), None) => (
            kind.as_str().to_owned(),
            Pattern::built_in(kind)?,
            format!("[{}]", kind.as_str()),
        ),
        (None, Some(pattern)) => (
            pattern.clone(),
            Pattern::Expression(expression(pattern)?),
            "[redacted]".to_owned(),
        ),
        _ => return Err(Problem::RedactWhat),
    };
    if pattern.is_in("") {
        return Err(Problem::RedactsNothing { pattern: name });
    }
    let replacement = redact.replacement.clone().unwrap_or(default);
    check_length("replacement", &replacement)?;
    if pattern.is_in(&replacement) {
        return Err(Problem::ReplacementMatches { replacement });
    }
    Ok(Deed::Redact {
        name,
        redaction: Redaction { pattern, replacement },
    })
}

/// Whether an attribute can be called so.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let length = name.chars().count();
    if (1..=200).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::AttributeName {
        name: name.to_owned(),
    })
}

/// Whether a rule can change the attribute.
fn check_target(name: &str) -> Result<(), Problem> {
    check_name(name)?;
    match FIXED.contains(&name) {
        true => Err(Problem::FixedAttribute {
            name: name.to_owned(),
        }),
        false => Ok(()),
    }
}

fn check_value(attribute: &str, value: &AttributeValue) -> Result<(), Problem> {
    match value {
        AttributeValue::Text(text) => check_length(attribute, text),
        AttributeValue::TextList(texts) => texts.iter().try_for_each(|text| check_length(attribute, text)),
        AttributeValue::Number(_) | AttributeValue::Date(_) => Ok(()),
    }
}

fn check_length(attribute: &str, text: &str) -> Result<(), Problem> {
    let count = text.chars().count();
    if count <= MAX_VALUE_CHARACTERS {
        return Ok(());
    }
    Err(Problem::ValueTooLong {
        attribute: attribute.to_owned(),
        count,
        limit: MAX_VALUE_CHARACTERS,
    })
}
