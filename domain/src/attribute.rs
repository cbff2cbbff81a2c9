//! What is known about a document besides its text.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
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
