//! What a site answers: the page with what is said about it, or why there is none.
//!
//! The way of an answer: its headers become a [`Head`], then as much of its content is read as is wanted, and never more than the
//! limit of the request. The limit counts what comes out of a compressed body, so that a small one can't swell beyond it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};
use serde::{Deserialize, Serialize};

use super::{Ask, Wanted};

/// How young a change may be to be told from the next: HTTP's clock has whole seconds.
const SETTLED_AFTER_S: i64 = 2;
/// A site's own words about a version of a page are short.
const MAX_VALIDATOR_BYTES: usize = 512;

/// What a site calls a version of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
}

impl Validators {
    pub(crate) fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified.is_none()
    }
}

/// What is said about a page before its content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// The media type without its parameters, in lower case.
    pub(crate) media_type: Option<String>,
    /// The encoding of its characters, where it is told.
    pub(crate) charset: Option<String>,
    /// Empty, where what is there can't be told from the next change.
    pub(crate) validators: Validators,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    /// The size of the content as it will come.
    pub(crate) size_bytes: Option<u64>,
    /// All that `X-Robots-Tag` says, a line for each.
    pub(crate) robots_tags: Vec<String>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A page; its content where it was wanted.
    Page(Box<Head>, Option<Bytes>),
    /// The same as before.
    Unchanged,
    /// It is elsewhere: what `Location` says.
    Moved(String),
    /// 404 or 410.
    Gone,
    /// It is larger than the limit.
    TooLarge,
}

/// Reads a page within the bounds of the request. Fails where the transport does.
pub(super) async fn read(ask: &Ask<'_>, mut response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    let mut head = head(response.headers());
    head.size_bytes = response.content_length();
    let is_cut = ask.wanted == Wanted::Beginning;
    if !is_cut && head.size_bytes.is_some_and(|size| size > ask.limit_bytes) {
        return Ok(Answer::TooLarge);
    }
    let is_wanted = match ask.wanted {
        Wanted::Html => head.is_html(),
        Wanted::All | Wanted::Beginning => true,
    };
    if !is_wanted {
        return Ok(Answer::Page(Box::new(head), None));
    }
    let limit = usize::try_from(ask.limit_bytes).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            if !is_cut {
                return Ok(Answer::TooLarge);
            }
            body.truncate(limit);
            break;
        }
    }
    Ok(Answer::Page(Box::new(head), Some(Bytes::from(body))))
}

impl Head {
    pub(crate) fn is_html(&self) -> bool {
        matches!(
            self.media_type.as_deref(),
            Some("text/html" | "application/xhtml+xml")
        )
    }
}

fn head(headers: &HeaderMap) -> Head {
    let content_type = text(headers, CONTENT_TYPE).unwrap_or_default();
    let mut parts = content_type.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    });
    let modified = text(headers, LAST_MODIFIED).filter(|text| text.len() <= MAX_VALIDATOR_BYTES);
    let modified_at = modified.as_deref().and_then(http_date);
    let told_at = text(headers, DATE).as_deref().and_then(http_date);
    let now = told_at.unwrap_or_else(Utc::now);
    let is_settled = modified_at.is_none_or(|at| (now - at).num_seconds() >= SETTLED_AFTER_S);
    let validators = match is_settled {
        true => Validators {
            etag: text(headers, ETAG).filter(|etag| !etag.is_empty() && etag.len() <= MAX_VALIDATOR_BYTES),
            modified: modified.filter(|_| modified_at.is_some()),
        },
        false => Validators::default(),
    };
    let robots = HeaderName::from_static("x-robots-tag");
    let tags = headers.get_all(robots).iter();
    Head {
        media_type: (!essence.is_empty()).then_some(essence),
        charset,
        validators,
        modified_at,
        size_bytes: None,
        robots_tags: tags
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect(),
    }
}

pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.to_utc())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_change_of_this_very_second_has_no_validators() {
        let old = "Sun, 01 Nov 2026 11:00:00 GMT";
        let now = "Sun, 01 Nov 2026 11:59:59 GMT";
        for (modified, count) in [(old, 2), (now, 0)] {
            let head = head(&headers(&[
                ("date", "Sun, 01 Nov 2026 12:00:00 GMT"),
                ("last-modified", modified),
                ("etag", "\"1\""),
                ("content-type", "Text/HTML; Charset=\"latin1\""),
            ]));
            let told = [&head.validators.etag, &head.validators.modified];
            assert_eq!(told.iter().filter(|told| told.is_some()).count(), count);
            assert!(head.is_html());
            assert_eq!(head.charset.as_deref(), Some("latin1"));
        }
        let tagged = head(&headers(&[("etag", "W/\"1\"")]));
        assert_eq!(tagged.validators.etag.as_deref(), Some("W/\"1\""));
    }
}
