//! Sidecar files: `NAME.metadata.json` beside `NAME` says what is known about it, in the forms that Amazon Bedrock and Amazon
//! Kendra read beside objects in S3.
//!
//! ```json
//! {"metadataAttributes": {"department": "legal", "year": {"value": {"type": "NUMBER", "numberValue": 2023}}}}
//! ```
//! ```json
//! {"Title": "Lease", "Attributes": {"_created_at": "2023-05-01", "department": "legal"},
//!  "AccessControlList": [{"Name": "legal", "Type": "GROUP", "Access": "ALLOW"}]}
//! ```
//!
//! A sidecar is never a document itself. One that can't be understood fails its document: an access list with a
//! misspelt key must not open a document to everybody, so unknown keys are refused.

use lectern_domain::Acl;
use lectern_domain::attribute::{AttributeValue, Attributes, names, parse_date};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::access::{Entry, acl};

/// What the name of a sidecar ends with.
pub const SUFFIX: &str = ".metadata.json";
/// The largest sidecar that is read. Bedrock allows 10 KB, Kendra 2 KB.
pub const MAX_BYTES: u64 = 64 << 10;
const MAX_ATTRIBUTES: usize = 500;
const MAX_NAME_CHARACTERS: usize = 200;

/// What a sidecar says of its document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sidecar {
    /// A title that is better than the document's own.
    pub title: Option<String>,
    /// What the document is, as a media type.
    pub media_type: Option<String>,
    /// Who may read it; `None` where nothing is said of that.
    pub acl: Option<Acl>,
    /// What is known about it.
    pub attributes: Attributes,
}

/// A sidecar as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    #[serde(rename = "metadataAttributes")]
    metadata_attributes: Option<Map<String, Value>>,
    #[serde(rename = "Attributes")]
    attributes: Option<Map<String, Value>>,
    #[serde(rename = "Title")]
    title: Option<String>,
    #[serde(rename = "ContentType")]
    content_type: Option<String>,
    #[serde(rename = "AccessControlList", alias = "accessControlList")]
    access: Option<Vec<Entry>>,
    /// The document's id is its path here.
    #[serde(rename = "DocumentId")]
    _document_id: Option<Value>,
    /// How Bedrock splits a CSV file into records; all of its columns are text here.
    #[serde(rename = "documentStructureConfiguration")]
    _structure: Option<Value>,
}

/// Reads a sidecar. The error says what is wrong, to be read after its name.
pub fn parse(bytes: &[u8]) -> Result<Sidecar, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let not_one = |error: serde_json::Error| format!("isn't one: {error}");
    // A list would do for a struct too.
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(not_one)?;
    let written: Written = serde_json::from_value(Value::Object(object)).map_err(not_one)?;
    let sections = [written.metadata_attributes, written.attributes];
    let mut attributes = Attributes::new();
    for (name, value) in sections.into_iter().flatten().flatten() {
        let name = plain_name(&name).to_owned();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.chars().any(char::is_control)
        {
            return Err(format!(
                "names the attribute {name:?}; use 1 to {MAX_NAME_CHARACTERS} characters"
            ));
        }
        let value = value_of(&name, &value).map_err(|problem| format!("gives {name:?} {problem}"))?;
        attributes.insert(name, value);
    }
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(format!(
            "has {} attributes; the limit is {MAX_ATTRIBUTES}",
            attributes.len()
        ));
    }
    let title = match attributes.remove(names::TITLE) {
        Some(AttributeValue::Text(title)) => Some(title),
        Some(_) => return Err("gives a title that is no text".to_owned()),
        None => None,
    };
    Ok(Sidecar {
        title: written.title.or(title),
        media_type: written.content_type.map(|stated| media_type(&stated)),
        acl: written.access.map(|entries| acl(&entries)),
        attributes,
    })
}

/// An attribute that a source knows by another name than ours. A text that is a date becomes one.
///
/// The error says what is wrong, to be read after "gives NAME".
pub fn attribute(name: &str, text: &str) -> Result<(String, AttributeValue), String> {
    let name = plain_name(name);
    Ok((name.to_owned(), text_or_date(name, text)?))
}

/// The name that an attribute has here: the reserved ones of Kendra and Bedrock without what marks them.
fn plain_name(name: &str) -> &str {
    match name {
        "_created_at" => names::CREATED,
        "_last_updated_at" => names::MODIFIED,
        "_source_uri" | "x-amz-bedrock-kb-source-uri" => names::URI,
        "_language_code" => names::LANGUAGE,
        "_authors" => names::AUTHOR,
        "_document_title" => names::TITLE,
        name => name.strip_prefix('_').unwrap_or(name),
    }
}

/// The typed value of what is written: a bare value, or Bedrock's object that names its type.
fn value_of(name: &str, value: &Value) -> Result<AttributeValue, String> {
    match value {
        Value::Object(object) => typed(object).and_then(|inner| bare(name, inner)),
        value => bare(name, value),
    }
}

fn bare(name: &str, value: &Value) -> Result<AttributeValue, String> {
    match value {
        Value::String(text) => text_or_date(name, text),
        Value::Number(number) => match number.as_f64() {
            Some(number) => Ok(AttributeValue::Number(number)),
            None => Err("a number that is too large".to_owned()),
        },
        // There are no truth values among the types of attributes, and `equals = "true"` reads well.
        Value::Bool(truth) => Ok(AttributeValue::Text(truth.to_string())),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .map(AttributeValue::TextList)
            .ok_or_else(|| "a list that has more than texts in it".to_owned()),
        Value::Null => Err("no value (null)".to_owned()),
        Value::Object(_) => Err("an object within an object".to_owned()),
    }
}

/// What is a date by its name must be one; elsewhere the full form of RFC 3339 makes a date of a text.
fn text_or_date(name: &str, text: &str) -> Result<AttributeValue, String> {
    if name == names::CREATED || name == names::MODIFIED {
        return parse_date(text)
            .map(AttributeValue::Date)
            .ok_or_else(|| format!("{text:?}, which is no date such as \"2024-01-31\""));
    }
    let full: Result<AttributeValue, _> = serde_json::from_value(Value::String(text.to_owned()));
    full.map_err(|error| error.to_string())
}

/// The value in `{"value": {"type": "STRING", "stringValue": "..."}, "includeForEmbedding": false}`.
fn typed(object: &Map<String, Value>) -> Result<&Value, String> {
    let unknown = object
        .keys()
        .find(|key| !["value", "includeForEmbedding"].contains(&key.as_str()));
    if let Some(unknown) = unknown {
        return Err(format!("an object with the unknown key {unknown:?}"));
    }
    let value = object.get("value").and_then(Value::as_object);
    let value = value.ok_or("an object without a \"value\" that has a \"type\"")?;
    let key = match value.get("type").and_then(Value::as_str) {
        Some("STRING") => "stringValue",
        Some("NUMBER") => "numberValue",
        Some("BOOLEAN") => "booleanValue",
        Some("STRING_LIST") => "stringListValue",
        _ => return Err("a type other than STRING, NUMBER, BOOLEAN and STRING_LIST".to_owned()),
    };
    let found = value.get(key).ok_or_else(|| format!("no {key}"))?;
    let fits = match key {
        "stringValue" => found.is_string(),
        "numberValue" => found.is_number(),
        "booleanValue" => found.is_boolean(),
        _ => found.is_array(),
    };
    match fits {
        true => Ok(found),
        false => Err(format!("a {key} of another type")),
    }
}

/// Kendra's names of formats as media types; a media type stays what it is.
fn media_type(stated: &str) -> String {
    let known = match stated {
        "PDF" => "application/pdf",
        "HTML" => "text/html",
        "PLAIN_TEXT" => "text/plain",
        "MD" => "text/markdown",
        "CSV" => "text/csv",
        "JSON" => "application/json",
        "XML" | "XSLT" => "application/xml",
        "RTF" => "application/rtf",
        "MS_WORD" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "MS_EXCEL" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "PPT" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        stated => stated,
    };
    known.to_owned()
}
