//! What is known of a document beside its text: who may read it, and its attributes. Both indexes keep it with every
//! chunk, so that a search can be narrowed by it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access_digest::AccessDigest;
use crate::acl::Acl;
use crate::attribute::{AttributeValue, Attributes, names};

/// What the indexes know of a document beside its text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentMetadata {
    /// Who may read it.
    pub acl: Acl,
    /// All its attributes by name, those that every document has among them ([`Particulars::attributes`]).
    pub attributes: Attributes,
}

impl DocumentMetadata {
    /// A document without attributes.
    pub fn readable_by(acl: Acl) -> Self {
        Self {
            acl,
            attributes: Attributes::new(),
        }
    }

    /// The digest that an index of it must give.
    pub fn digest(&self) -> MetadataDigest {
        MetadataDigest {
            access: AccessDigest::from(&self.acl),
            attributes: AttributesDigest::from(&self.attributes),
        }
    }
}

/// Small enough to be compared for every chunk of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MetadataDigest {
    /// Of the access list.
    pub access: AccessDigest,
    /// Of the attributes.
    pub attributes: AttributesDigest,
}

/// The first 64 bits of a BLAKE3 hash over attributes in the order of their names. For finding faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttributesDigest(pub u64);

impl From<&Attributes> for AttributesDigest {
    fn from(attributes: &Attributes) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        for (name, value) in attributes {
            add(name.as_bytes());
            match value {
                AttributeValue::Date(date) => add(&date.timestamp_micros().to_le_bytes()),
                AttributeValue::Number(number) => add(&number.to_bits().to_be_bytes()),
                AttributeValue::Text(text) => {
                    add(b"text");
                    add(text.as_bytes());
                }
                AttributeValue::TextList(texts) => {
                    add(b"texts");
                    add(&(texts.len() as u64).to_le_bytes());
                    texts.iter().for_each(|text| add(text.as_bytes()));
                }
            }
        }
        let hash = hasher.finalize();
        let first: [u8; 8] = std::array::from_fn(|at| hash.as_bytes()[at]);
        Self(u64::from_le_bytes(first))
    }
}

/// What every document has: what the source says of it, or the file is.
#[derive(Clone, Copy, Debug)]
pub struct Particulars<'a> {
    /// Its title.
    pub title: &'a str,
    /// Where a person finds it.
    pub uri: &'a str,
    /// What the source calls it.
    pub path: &'a str,
    /// The name of the source.
    pub source: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// The size of the original.
    pub size_bytes: u64,
    /// When the source says that it changed.
    pub modified_at: Option<DateTime<Utc>>,
}

impl Particulars<'_> {
    /// The attributes that a search sees: those of the file and of the source, of which the latter count more, and
    /// the particulars under the names in [`names`]. `modified` may be set by a rule; the others are what they are.
    pub fn attributes(&self, of_file: Attributes, of_source: Attributes) -> Attributes {
        let mut attributes = of_file;
        attributes.extend(of_source);
        let mut set = |name: &str, value| attributes.insert(name.to_owned(), value);
        for (name, text) in [
            (names::TITLE, self.title),
            (names::URI, self.uri),
            (names::PATH, self.path),
            (names::SOURCE, self.source),
            (names::TYPE, self.media_type),
        ] {
            set(name, AttributeValue::Text(text.to_owned()));
        }
        // A size has far fewer digits than a double holds.
        set(names::SIZE, AttributeValue::Number(self.size_bytes as f64));
        // To the millisecond, as it is kept.
        let modified_at = self.modified_at.map(|time| time.timestamp_millis());
        if let Some(modified_at) = modified_at.and_then(DateTime::from_timestamp_millis) {
            attributes
                .entry(names::MODIFIED.to_owned())
                .or_insert(AttributeValue::Date(modified_at));
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(json: &str) -> Attributes {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn attributes_that_differ_have_other_digests() {
        let all = [
            "{}",
            r#"{"a":"b"}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":["b","c"]}"#,
            r#"{"a":["bc"]}"#,
            r#"{"ab":""}"#,
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"a":"2024-01-01T00:00:00Z"}"#,
            r#"{"a":"b","c":"d"}"#,
        ];
        let digests: std::collections::HashSet<_> = all
            .iter()
            .map(|json| AttributesDigest::from(&attributes(json)))
            .collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn the_source_counts_more_than_the_file_and_a_rule_more_than_the_date_of_the_source() {
        let particulars = Particulars {
            title: "Leave",
            uri: "file:///leave.md",
            path: "leave.md",
            source: "handbook",
            media_type: "text/markdown",
            size_bytes: 12,
            modified_at: "2024-01-01T00:00:00Z".parse().ok(),
        };
        let seen = particulars.attributes(
            attributes(r#"{"author":"file","topic":"leave","title":"other"}"#),
            attributes(r#"{"author":"source","modified":"2020-01-01T00:00:00Z"}"#),
        );
        let text = |name: &str| seen.get(name).cloned();
        assert_eq!(text("author"), Some(AttributeValue::Text("source".into())));
        assert_eq!(text("topic"), Some(AttributeValue::Text("leave".into())));
        assert_eq!(text("title"), Some(AttributeValue::Text("Leave".into())));
        assert_eq!(text("size"), Some(AttributeValue::Number(12.0)));
        assert_eq!(
            text("modified"),
            Some(AttributeValue::Date("2020-01-01T00:00:00Z".parse().unwrap()))
        );
    }
}
