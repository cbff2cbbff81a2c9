//! The two documents of Google's JSON interface: a listing, and a refusal.
//!
//! An empty bucket has a listing without items, so what isn't said to be a listing is none.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::store::{Listed, Page};

const LISTING: &str = "storage#objects";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Objects {
    kind: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    /// A number in a text.
    size: String,
    updated: DateTime<Utc>,
    #[serde(default)]
    etag: String,
    /// Another one whenever the content is.
    #[serde(default)]
    generation: String,
    /// Another one whenever the metadata are.
    #[serde(default)]
    metageneration: String,
}

/// Reads a page of `objects.list`.
pub(crate) fn listing(json: &[u8]) -> Result<Page, String> {
    let broken = |error: serde_json::Error| format!("it is broken: {error}");
    let objects: Objects = serde_json::from_slice(json).map_err(broken)?;
    if objects.kind != LISTING {
        return Err(format!("it is no {LISTING}"));
    }
    let objects_of_page = objects.items.into_iter().map(|item| {
        let size_bytes = item.size.parse();
        Ok(Listed {
            size_bytes: size_bytes.map_err(|_| format!("{:?} has no size", item.name))?,
            name: item.name,
            modified_at: Some(item.updated),
            etag: Some(format!(
                "{} {} {}",
                item.etag, item.generation, item.metageneration
            )),
            is_archived: false,
        })
    });
    Ok(Page {
        objects: objects_of_page.collect::<Result<_, String>>()?,
        next: objects.next_page_token.filter(|token| !token.is_empty()),
        told_at: None,
    })
}

#[derive(Deserialize)]
struct Refusal {
    error: Reasons,
}

#[derive(Deserialize)]
struct Reasons {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

/// The first reason of a refusal, where the body is one. It has letters and digits alone.
pub(crate) fn error_code(json: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(json).ok()?;
    let reason = refusal.error.errors.into_iter().next()?.reason;
    let is_plain = reason.len() <= 100 && reason.chars().all(|character| character.is_ascii_alphanumeric());
    is_plain.then_some(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_as_it_is_written_and_never_in_half() {
        let text = r#"{"kind": "storage#objects", "nextPageToken": "more", "items": [
            {"name": " ü", "size": "3", "updated": "2026-01-02T03:04:05.678Z", "etag": "e", "generation": "7",
             "metageneration": "2"}]}"#;
        let page = listing(text.as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("more"));
        let object = &page.objects[0];
        assert_eq!((object.name.as_str(), object.size_bytes), (" ü", 3));
        assert_eq!(object.etag.as_deref(), Some("e 7 2"));
        assert_eq!(object.modified_at.unwrap().timestamp_subsec_millis(), 678);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(listing(&text.as_bytes()[..end]).is_err(), "{}", &text[..end]);
        }
        assert_eq!(
            listing(br#"{"kind": "storage#objects"}"#).unwrap(),
            Page::default()
        );
        for wrong in [
            "{}",
            r#"{"kind": "storage#buckets"}"#,
            r#"{"kind": "storage#objects", "items": [{"name": "a"}]}"#,
            r#"{"kind": "storage#objects", "items": [{"name": "a", "size": "-1", "updated": "2026-01-02T03:04:05Z"}]}"#,
        ] {
            assert!(listing(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_reason() {
        let refusal =
            |reason: &str| format!(r#"{{"error": {{"code": 403, "errors": [{{"reason": "{reason}"}}]}}}}"#);
        assert_eq!(
            error_code(refusal("forbidden").as_bytes()).as_deref(),
            Some("forbidden")
        );
        assert_eq!(error_code(refusal("key=hunter2").as_bytes()), None);
        assert_eq!(error_code(b"{}"), None);
    }
}
