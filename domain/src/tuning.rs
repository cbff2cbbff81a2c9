//! What makes one document count more than another that matches as well: its age, a number, one of its values.
//!
//! Each rule gives a signal from 0 to 1 and has a weight; the factor of a rule is `1 + weight * signal`, over the
//! largest there can be. So tuning never adds to a score, a document for which every signal is 1 keeps its score, and
//! scores stay within 0 and 1. A document without the attribute has the signal 0.
//!
//! ```json
//! { "freshness": { "attribute": "modified", "half_life_days": 90, "weight": 1.0 },
//!   "numbers": [ { "attribute": "views", "half": 1000, "weight": 0.5 } ],
//!   "values":  [ { "attribute": "category", "value": "policy", "weight": 2.0 } ],
//!   "fields":  { "title": 1.0, "headings": 0.5, "text": 1.0 } }
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::attribute::{AttributeValue, Attributes};

/// The most rules of one kind.
pub const MOST_RULES: usize = 50;
/// The largest weight of a rule.
pub const LARGEST_WEIGHT: f32 = 10.0;

/// How matches are weighed against each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// Newer documents before older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// Documents with a greater number before those with a smaller one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<NumberBoost>,
    /// Documents with a value before those without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueBoost>,
    /// How much a word counts by where it stands; as built in where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<FieldWeights>,
}

/// Newer before older: the signal halves with every `half_life_days` of age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// The name of a date.
    #[serde(default = "modified")]
    pub attribute: String,
    /// After so many days a document counts as half as fresh. More than 0.
    pub half_life_days: f64,
    /// From 0 to [`LARGEST_WEIGHT`].
    pub weight: f32,
}

/// Greater before smaller: the signal of a number is `number / (number + half)`, and 0 for a negative one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberBoost {
    /// The name of a number.
    pub attribute: String,
    /// The number whose signal is a half. More than 0.
    pub half: f64,
    /// From 0 to [`LARGEST_WEIGHT`].
    pub weight: f32,
}

/// The signal is 1 for documents that have the value, or have it in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueBoost {
    /// The name of a text or a list of texts.
    pub attribute: String,
    /// The value, letter by letter.
    pub value: String,
    /// From 0 to [`LARGEST_WEIGHT`].
    pub weight: f32,
}

/// How much a word counts by where it stands, in the index of words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldWeights {
    /// In the title, from 0 to [`LARGEST_WEIGHT`].
    pub title: f32,
    /// In a heading.
    pub headings: f32,
    /// In the text.
    pub text: f32,
}

/// A rule that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TuningError {
    /// A weight.
    #[error("the weight for {0:?} must be from 0 to {LARGEST_WEIGHT}")]
    Weight(String),
    /// A half or a half-life.
    #[error("the half for {0:?} must be more than 0")]
    Half(String),
    /// Too many rules.
    #[error("there may be {MOST_RULES} rules of a kind")]
    TooMany,
}

fn modified() -> String {
    crate::attribute::names::MODIFIED.to_owned()
}

impl Tuning {
    /// Whether it changes the order of what was found.
    pub fn reorders(&self) -> bool {
        self.freshness.is_some() || !self.numbers.is_empty() || !self.values.is_empty()
    }

    /// What a score is multiplied by, more than 0 and at most 1.
    pub fn factor(&self, attributes: &Attributes, now: DateTime<Utc>) -> f32 {
        let freshness = self
            .freshness
            .iter()
            .map(|rule| (rule.signal(attributes, now), rule.weight));
        let numbers = self
            .numbers
            .iter()
            .map(|rule| (rule.signal(attributes), rule.weight));
        let values = self
            .values
            .iter()
            .map(|rule| (rule.signal(attributes), rule.weight));
        freshness
            .chain(numbers)
            .chain(values)
            .map(|(signal, weight)| (1.0 + weight * signal) / (1.0 + weight))
            .product()
    }

    /// Looks at the rules before they are used.
    ///
    /// # Errors
    /// A [`TuningError`], which names the attribute.
    pub fn check(&self) -> Result<(), TuningError> {
        if self.numbers.len() > MOST_RULES || self.values.len() > MOST_RULES {
            return Err(TuningError::TooMany);
        }
        if let Some(rule) = &self.freshness {
            check_weight(&rule.attribute, rule.weight)?;
            check_half(&rule.attribute, rule.half_life_days)?;
        }
        for rule in &self.numbers {
            check_weight(&rule.attribute, rule.weight)?;
            check_half(&rule.attribute, rule.half)?;
        }
        for rule in &self.values {
            check_weight(&rule.attribute, rule.weight)?;
        }
        let fields = self.fields.iter();
        for (name, weight) in fields.flat_map(|fields| {
            [
                ("title", fields.title),
                ("headings", fields.headings),
                ("text", fields.text),
            ]
        }) {
            check_weight(name, weight)?;
        }
        Ok(())
    }
}

impl Freshness {
    fn signal(&self, attributes: &Attributes, now: DateTime<Utc>) -> f32 {
        let Some(AttributeValue::Date(date)) = attributes.get(&self.attribute) else {
            return 0.0;
        };
        let days = (now - *date).num_seconds().max(0) as f64 / 86_400.0;
        0.5_f64.powf(days / self.half_life_days) as f32
    }
}

impl NumberBoost {
    fn signal(&self, attributes: &Attributes) -> f32 {
        match attributes.get(&self.attribute) {
            Some(AttributeValue::Number(number)) if *number > 0.0 && number.is_finite() => {
                (number / (number + self.half)) as f32
            }
            _ => 0.0,
        }
    }
}

impl ValueBoost {
    fn signal(&self, attributes: &Attributes) -> f32 {
        let is_there = match attributes.get(&self.attribute) {
            Some(AttributeValue::Text(text)) => *text == self.value,
            Some(AttributeValue::TextList(texts)) => texts.contains(&self.value),
            _ => false,
        };
        if is_there { 1.0 } else { 0.0 }
    }
}

fn check_weight(attribute: &str, weight: f32) -> Result<(), TuningError> {
    match (0.0..=LARGEST_WEIGHT).contains(&weight) {
        true => Ok(()),
        false => Err(TuningError::Weight(attribute.to_owned())),
    }
}

fn check_half(attribute: &str, half: f64) -> Result<(), TuningError> {
    match half > 0.0 && half.is_finite() {
        true => Ok(()),
        false => Err(TuningError::Half(attribute.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuning(json: &str) -> Tuning {
        serde_json::from_str(json).unwrap()
    }

    fn factor(tuning: &Tuning, attributes: &str) -> f32 {
        let now = "2026-07-01T00:00:00Z".parse().unwrap();
        tuning.factor(&serde_json::from_str(attributes).unwrap(), now)
    }

    #[test]
    fn nothing_said_changes_nothing() {
        assert_eq!(
            factor(&Tuning::default(), r#"{"modified":"2020-01-01T00:00:00Z"}"#),
            1.0
        );
        assert!(!Tuning::default().reorders());
    }

    #[test]
    fn a_half_life_halves_what_freshness_adds() {
        let rule = tuning(r#"{"freshness":{"half_life_days":30,"weight":1}}"#);
        rule.check().unwrap();
        let at = |date: &str| factor(&rule, &format!(r#"{{"modified":"{date}T00:00:00Z"}}"#));
        assert_eq!(at("2026-07-01"), 1.0);
        assert!((at("2026-06-01") - 0.75).abs() < 1e-6);
        assert_eq!(
            at("2027-07-01"),
            1.0,
            "what comes from the future is as fresh as can be"
        );
        assert_eq!(factor(&rule, "{}"), 0.5);
    }

    #[test]
    fn more_never_counts_less() {
        let rule = tuning(r#"{"numbers":[{"attribute":"views","half":10,"weight":2}]}"#);
        let mut before = 0.0;
        for views in [-5, 0, 1, 10, 100, 1_000_000] {
            let now = factor(&rule, &format!(r#"{{"views":{views}}}"#));
            assert!(now >= before && now <= 1.0, "{views}: {now}");
            before = now;
        }
        assert_eq!(factor(&rule, r#"{"views":"many"}"#), factor(&rule, "{}"));
    }

    #[test]
    fn a_value_is_found_in_a_list() {
        let rule = tuning(r#"{"values":[{"attribute":"topic","value":"leave","weight":3}]}"#);
        assert_eq!(factor(&rule, r#"{"topic":["travel","leave"]}"#), 1.0);
        assert_eq!(factor(&rule, r#"{"topic":"Leave"}"#), 0.25);
    }

    #[test]
    fn rules_that_mean_nothing_are_refused() {
        for (json, error) in [
            (
                r#"{"freshness":{"half_life_days":0,"weight":1}}"#,
                TuningError::Half("modified".into()),
            ),
            (
                r#"{"numbers":[{"attribute":"n","half":1,"weight":-1}]}"#,
                TuningError::Weight("n".into()),
            ),
            (
                r#"{"fields":{"title":11,"headings":1,"text":1}}"#,
                TuningError::Weight("title".into()),
            ),
        ] {
            assert_eq!(tuning(json).check().unwrap_err(), error);
        }
    }
}
