//! What conditions and actions can look at: the attributes, the built-in ones, the title and the text.

use chrono::{DateTime, Utc};
use lectern_domain::Extracted;
use lectern_domain::attribute::{AttributeValue, Attributes, names};

/// The text, as conditions and `derive` name it.
pub(super) const TEXT: &str = "text";

/// What the source says, or the file is, and no rule can change.
pub(super) const FIXED: [&str; 6] = [
    names::PATH,
    names::URI,
    names::SOURCE,
    names::TYPE,
    names::SIZE,
    TEXT,
];

/// What is known about a document beside what is in it.
#[derive(Clone, Debug)]
pub struct DocumentFacts {
    /// What the source calls it.
    pub path: String,
    /// Where a person finds it.
    pub uri: String,
    /// The name of the source.
    pub source: String,
    /// The size of the original.
    pub size_bytes: u64,
    /// When the source says that it changed.
    pub modified_at: Option<DateTime<Utc>>,
}

/// A document on its way through the rules.
pub(super) struct Subject {
    pub(super) facts: DocumentFacts,
    pub(super) title: String,
    pub(super) attributes: Attributes,
    pub(super) extracted: Extracted,
}

/// A value that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Number(f64),
    Date(DateTime<Utc>),
}

impl Subject {
    /// The value under that name, if there is one. An attribute stands before a built-in one that says the same.
    pub(super) fn fact(&self, name: &str) -> Option<Fact<'_>> {
        let fixed = match name {
            TEXT => Fact::Text(&self.extracted.text),
            names::TITLE => Fact::Text(&self.title),
            names::PATH => Fact::Text(&self.facts.path),
            names::URI => Fact::Text(&self.facts.uri),
            names::SOURCE => Fact::Text(&self.facts.source),
            names::TYPE => Fact::Text(&self.extracted.media_type),
            // A size has far fewer digits than a double holds.
            names::SIZE => Fact::Number(self.facts.size_bytes as f64),
            _ => return self.attribute(name),
        };
        Some(fixed)
    }

    fn attribute(&self, name: &str) -> Option<Fact<'_>> {
        match self.attributes.get(name) {
            Some(AttributeValue::Text(text)) => Some(Fact::Text(text)),
            Some(AttributeValue::TextList(texts)) => Some(Fact::Texts(texts)),
            Some(AttributeValue::Number(number)) => Some(Fact::Number(*number)),
            Some(AttributeValue::Date(date)) => Some(Fact::Date(*date)),
            None if name == names::MODIFIED => self.facts.modified_at.map(Fact::Date),
            None => None,
        }
    }
}

impl<'a> Fact<'a> {
    /// The value, to be shown or kept.
    pub(super) fn to_value(self) -> AttributeValue {
        match self {
            Self::Text(text) => AttributeValue::Text(text.to_owned()),
            Self::Texts(texts) => AttributeValue::TextList(texts.to_vec()),
            Self::Number(number) => AttributeValue::Number(number),
            Self::Date(date) => AttributeValue::Date(date),
        }
    }

    /// The texts of it: one, several, or none for a number or date.
    pub(super) fn texts(self) -> Vec<&'a str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Texts(texts) => texts.iter().map(String::as_str).collect(),
            Self::Number(_) | Self::Date(_) => Vec::new(),
        }
    }
}
