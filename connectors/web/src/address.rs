//! Addresses: one form for each page, and keys made of it.
//!
//! An address that a page or a site names goes this way: it is resolved (`url`, which writes hosts in lower case and as
//! ASCII, takes default ports and dot segments away, and reads IPv4 addresses in all their spellings), loses what names a
//! person or tracks one, and has its percent encoding written in one way (RFC 3986, 6.2.2). The result is the document's
//! address; its key is the same, with a `#` behind it where it would end with a `/`. One that has a token or a signature in
//! its query even then is none: it would be shown to everybody who may read the document, and be another one at each crawl.

use std::borrow::Cow;

use lectern_connector_remote::opens_something;
use percent_encoding::{percent_decode_str, percent_encode_byte};
use url::Url;

/// What is taken out of queries: it tells where a visitor came from, or who they are, and not which page it is.
const DROPPED: [&str; 18] = [
    "utm_*",
    "gclid",
    "gclsrc",
    "dclid",
    "fbclid",
    "msclkid",
    "yclid",
    "twclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "mkt_tok",
    "phpsessid",
    "jsessionid",
];

/// How addresses are written.
#[derive(Clone, Debug)]
pub(crate) struct Spelling {
    dropped: Vec<String>,
    max_bytes: usize,
}

impl Spelling {
    pub(crate) fn new(also_dropped: &[String], max_bytes: usize) -> Self {
        let names = DROPPED.iter().map(|&name| name.to_owned());
        let also = also_dropped.iter().map(|name| name.to_ascii_lowercase());
        Self {
            dropped: names.chain(also).collect(),
            max_bytes,
        }
    }

    /// The one form of an address, where it is one of the web, not too long, and has no secret in it.
    pub(crate) fn normalized(&self, url: Url) -> Option<Url> {
        self.spelled(url).filter(|url| !has_secret(url))
    }

    /// The same, also where it has a secret in it: such an address is neither kept nor told.
    pub(crate) fn spelled(&self, mut url: Url) -> Option<Url> {
        if !matches!(url.scheme(), "http" | "https") || url.as_str().len() > 4 * self.max_bytes {
            return None;
        }
        url.set_fragment(None);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let host = url.host_str()?;
        if let Some(bare) = host.strip_suffix('.') {
            let bare = bare.to_owned();
            url.set_host(Some(&bare)).ok()?;
        }
        let path = tidy(&without_session(url.path()));
        if path != url.path() {
            url.set_path(&path);
        }
        if let Some(query) = url.query() {
            let kept: Vec<String> = query
                .split('&')
                .filter(|pair| !pair.is_empty() && !self.drops(pair))
                .map(tidy)
                .collect();
            url.set_query((!kept.is_empty()).then(|| kept.join("&")).as_deref());
        }
        (url.as_str().len() <= self.max_bytes && url.host_str().is_some_and(|host| !host.is_empty()))
            .then_some(url)
    }

    fn drops(&self, pair: &str) -> bool {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        self.dropped
            .iter()
            .any(|dropped| match dropped.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *dropped,
            })
    }
}

/// Whether the query of an address opens something for whoever has it.
pub(crate) fn has_secret(url: &Url) -> bool {
    url.query().is_some_and(|query| opens_something(&tidy(query)))
}

/// An address as it may be told: without its query, where that has a secret in it.
pub(crate) fn shown(url: &Url) -> Cow<'_, Url> {
    if !has_secret(url) {
        return Cow::Borrowed(url);
    }
    let mut shown = url.clone();
    shown.set_query(None);
    Cow::Owned(shown)
}

/// A path without the session that some servers write into it.
fn without_session(path: &str) -> String {
    const MARK: &str = ";jsessionid=";
    let lower = path.to_ascii_lowercase();
    let Some(start) = lower.find(MARK) else {
        return path.to_owned();
    };
    let rest = &path[start + MARK.len()..];
    let end = rest.find(['/', ';']).unwrap_or(rest.len());
    format!("{}{}", &path[..start], &rest[end..])
}

/// Percent encoding in its one form: upper case, and none for what needs none. What isn't ASCII is encoded.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        let rest = bytes.as_slice();
        match (byte, rest) {
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    push(&mut tidied, high << 4 | low, true);
                    bytes.nth(1);
                }
                _ => tidied.push_str("%25"),
            },
            (b'%', _) => tidied.push_str("%25"),
            (byte, _) => push(&mut tidied, byte, !byte.is_ascii()),
        }
    }
    tidied
}

fn push(text: &mut String, byte: u8, was_encoded: bool) {
    let is_unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if was_encoded && !is_unreserved {
        text.push_str(percent_encode_byte(byte));
    } else {
        text.push(char::from(byte));
    }
}

/// A text with its percent encoding read.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The key of a page. No normalised address has a fragment, so no two have the same key.
pub(crate) fn key_of(url: &str) -> String {
    match url.ends_with('/') {
        true => format!("{url}#"),
        false => url.to_owned(),
    }
}

/// The scheme, the host and the port, as a prefix of all keys of a site.
pub(crate) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// What a page is called in a folder.
pub(crate) fn file_name(url: &Url, media_type: Option<&str>) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let name = decoded(last).replace(['/', '\\', '\0'], "_");
    match (name.as_str(), media_type) {
        ("", Some("text/html" | "application/xhtml+xml")) => "index.html".to_owned(),
        ("", _) => url.host_str().unwrap_or("page").to_owned(),
        _ => name,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normalized(text: &str) -> Option<String> {
        let spelling = Spelling::new(&["ref".to_owned()], 200);
        Some(spelling.normalized(Url::parse(text).ok()?)?.to_string())
    }

    #[test]
    fn each_page_has_one_address() {
        for (written, expected) in [
            (
                "HTTP://User:pass@EXAMPLE.com:80/a/../b#part",
                "http://example.com/b",
            ),
            ("https://example.com.:443", "https://example.com/"),
            (
                "https://example.com/%7eada/%c3%bC%2f",
                "https://example.com/~ada/%C3%BC%2F",
            ),
            ("https://example.com/ü x", "https://example.com/%C3%BC%20x"),
            ("https://example.com/100%", "https://example.com/100%25"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            (
                "https://example.com/a?utm_source=x&b=1&GCLID=2&ref=3&b=%41",
                "https://example.com/a?b=1&b=A",
            ),
            ("https://example.com/a?utm_source=x", "https://example.com/a"),
            ("https://example.com/a?", "https://example.com/a"),
            ("https://example.com/a;jsessionid=12/b", "https://example.com/a/b"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(normalized(written).as_deref(), Some(expected), "{written}");
        }
        let long = format!("https://example.com/{}", "x".repeat(200));
        for none in [
            "ftp://example.com/",
            "mailto:a@example.com",
            "javascript:1",
            &long,
        ] {
            assert_eq!(normalized(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_with_a_secret_is_none_unless_the_parameter_is_dropped() {
        for query in [
            "access_token=hunter2",
            "page=2&ACCESS%5FTOKEN=hunter2",
            "X-Amz-Credential=A&X-Amz-Signature=hunter2",
            "utm_source=x&sig=hunter2#top",
        ] {
            let written = format!("https://example.com/plan.pdf?{query}");
            assert_eq!(normalized(&written), None, "{query}");
            let url = Url::parse(&written).unwrap();
            assert!(!shown(&url).as_str().contains("hunter2"), "{query}");
        }
        for plain in [
            "https://example.com/token?page=2",
            "https://example.com/plan.pdf?token=",
        ] {
            assert_eq!(normalized(plain).as_deref(), Some(plain));
            assert_eq!(shown(&Url::parse(plain).unwrap()).as_str(), plain);
        }
        let dropping = Spelling::new(&["Access_Token".to_owned()], 200);
        let url = Url::parse("https://example.com/plan.pdf?access_token=hunter2&page=2").unwrap();
        assert_eq!(
            dropping.normalized(url).unwrap().as_str(),
            "https://example.com/plan.pdf?page=2"
        );
    }

    proptest! {
        #[test]
        fn what_is_normalized_stays_and_its_key_leads_back(path in "[a-c%0-9A-F./;?&=ü_~-]{0,40}") {
            let first = normalized(&format!("https://example.com/{path}"));
            prop_assume!(first.is_some());
            let first = first.unwrap();
            prop_assert_eq!(normalized(&first), Some(first.clone()));
            let key = key_of(&first);
            prop_assert!(!key.ends_with('/'));
            prop_assert_eq!(normalized(&key), Some(first));
        }
    }
}
