//! Rules as they are written, in TOML or JSON.

use std::collections::BTreeMap;

use lectern_domain::AttributeValue;
use serde::{Deserialize, Serialize};

use super::enricher::Enricher;
use super::error::RuleError;

/// The rules of a source, in the order in which they are applied. None by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrichment {
    /// At most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl Enrichment {
    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether every rule can be applied; the error names the rule and what is wrong with it.
    pub fn check(&self) -> Result<(), RuleError> {
        Enricher::new(self).map(drop)
    }
}

/// What is done to documents for which all conditions hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unlike that of any other rule. A document that it drops is reported with it.
    pub name: String,
    /// All of these must hold; without any, the rule applies to every document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    /// Done one after the other.
    pub actions: Vec<Action>,
}

/// A test of one attribute: `{ attribute = "path", glob = "drafts/**" }`. Where several operators are given, all
/// must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// An attribute, a built-in one, or `text`.
    pub attribute: String,
    /// The operators with what they compare to.
    #[serde(flatten)]
    pub tests: BTreeMap<Operator, Operand>,
}

/// How a condition compares. The names are those of Kendra's `ConditionOperator`, and four of Lectern's own
/// (`matches`, `glob`, `before`, `after`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Is the value.
    Equals,
    /// Is another value, or is missing.
    NotEquals,
    /// A text with the value in it; a list with the value among its texts.
    Contains,
    /// The contrary, or is missing.
    NotContains,
    /// A text that begins with the value.
    BeginsWith,
    /// `true`: is there; `false`: is missing.
    Exists,
    /// A larger number or a later date.
    GreaterThan,
    /// A number or date at least as large.
    GreaterThanOrEquals,
    /// A smaller number or an earlier date.
    LessThan,
    /// A number or date at most as large.
    LessThanOrEquals,
    /// A date before this one.
    Before,
    /// A date after this one.
    After,
    /// A text in which the regular expression is found.
    Matches,
    /// A text that is like the pattern: `*` is anything but `/`, `**` anything. Of several patterns one suffices.
    Glob,
}

/// What a condition compares to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operand {
    /// For `exists`.
    Flag(bool),
    /// For everything else.
    Value(AttributeValue),
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Gives an attribute a value, whatever it was.
    Set {
        /// Which.
        attribute: String,
        /// The value.
        value: AttributeValue,
    },
    /// Takes an attribute away.
    Delete {
        /// Which.
        attribute: String,
    },
    /// Makes an attribute of what a regular expression finds.
    Derive(Derive),
    /// Replaces the values of an attribute by others.
    Map(MapValues),
    /// Takes what matches a pattern out of the text, the title and the attributes.
    Redact(Redact),
    /// Leaves the document out.
    Drop,
}

/// `{ derive = { attribute = "year", from = "path", pattern = '/(\d{4})/', as = "number" } }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derive {
    /// The attribute that gets the value. Without a match it stays as it is.
    pub attribute: String,
    /// Where the expression looks: `path`, `title`, `text`, `uri` or any attribute.
    pub from: String,
    /// The regular expression. Its first group is the value, or the whole match where it has none.
    pub pattern: String,
    /// What the value is.
    #[serde(default, rename = "as")]
    pub value_type: ValueType,
}

/// The types of attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A text.
    #[default]
    Text,
    /// The texts of all matches, each once, in their order.
    List,
    /// A number.
    Number,
    /// A date.
    Date,
}

/// `{ map = { attribute = "department", values = { hr = "Human Resources" }, otherwise = "Other" } }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapValues {
    /// The attribute whose value is looked up.
    pub attribute: String,
    /// The attribute that gets the new value; the same one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The new value for each old one.
    pub values: BTreeMap<String, String>,
    /// The value for a text that isn't among them; without it, such a text stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// `{ redact = { kind = "email" } }` or `{ redact = { pattern = 'EMP-\d{6}', replacement = "[employee]" } }`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redact {
    /// A built-in pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<BuiltInPattern>,
    /// Or a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What stands in its place: `[email]`, `[card]`, `[iban]`, `[key]` or `[redacted]` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

/// The patterns that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltInPattern {
    /// Addresses of electronic mail.
    Email,
    /// Numbers of payment cards, with their check digit right (ISO/IEC 7812).
    Card,
    /// International bank account numbers, with their check digits right (ISO 13616).
    Iban,
    /// Keys that let programs in: those of cloud providers and code hosts, JSON web tokens, private keys in PEM form, and what is
    /// written as `api_key = ...`.
    Key,
}

impl BuiltInPattern {
    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Key => "key",
        }
    }
}

impl Operator {
    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::NotEquals => "not_equals",
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::BeginsWith => "begins_with",
            Self::Exists => "exists",
            Self::GreaterThan => "greater_than",
            Self::GreaterThanOrEquals => "greater_than_or_equals",
            Self::LessThan => "less_than",
            Self::LessThanOrEquals => "less_than_or_equals",
            Self::Before => "before",
            Self::After => "after",
            Self::Matches => "matches",
            Self::Glob => "glob",
        }
    }
}
