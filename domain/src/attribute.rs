//! What is known about a document besides its text.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// The attributes of a document by name.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// A typed attribute. In JSON it is the bare value; a date is a string in RFC 3339 form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A point in time.
    Date(DateTime<Utc>),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Several texts.
    TextList(Vec<String>),
}

/// The names of the attributes that every document can have, whatever it comes from. Amazon's reserved
/// names stand beside those that mean the same.
pub mod names {
    /// The title, or the file's name where there is none.
    pub const TITLE: &str = "title";
    /// Where a person finds the original (`_source_uri`).
    pub const URI: &str = "uri";
    /// What the source calls it: in a folder, the path under that folder.
    pub const PATH: &str = "path";
    /// The name of the source.
    pub const SOURCE: &str = "source";
    /// The media type, as recognised from the content (`_file_type`).
    pub const TYPE: &str = "type";
    /// The size of the original in bytes.
    pub const SIZE: &str = "size";
    /// Who wrote it (`_authors`): a text or a list.
    pub const AUTHOR: &str = "author";
    /// When it was written (`_created_at`).
    pub const CREATED: &str = "created";
    /// When it was last changed (`_last_updated_at`).
    pub const MODIFIED: &str = "modified";
    /// The language of its text as an ISO 639-1 code (`_language_code`).
    pub const LANGUAGE: &str = "language";
    /// What it belongs to (`_category`).
    pub const CATEGORY: &str = "category";
}

/// The forms of a date beside RFC 3339 that people write; without a zone it is UTC, without a time midnight.
const DATE_TIME_FORMS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
];

/// Reads a date: RFC 3339, the same with a zone such as `+0200`, or without a zone or a time.
pub fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    if let Ok(date) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(date.to_utc());
    }
    let date_time = DATE_TIME_FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let at_midnight = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    date_time.or_else(at_midnight).map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_that_people_write() {
        let noon = "2024-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2024-03-01T12:00:00Z",
            "2024-03-01T14:00:00+02:00",
            "2024-03-01T14:00:00+0200",
            "2024-03-01T12:00:00.000",
            "2024-03-01 12:00",
        ] {
            assert_eq!(parse_date(text), Some(noon), "{text}");
        }
        assert_eq!(
            parse_date("2024-03-01").unwrap().to_rfc3339(),
            "2024-03-01T00:00:00+00:00"
        );
        for text in ["", "March", "2024", "2024-13-01", "01.03.2024"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
