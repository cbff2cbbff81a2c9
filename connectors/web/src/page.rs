//! What a page of HTML says to a crawler: where it leads, what it is called, and what may be done with it.
//!
//! The way of a page: its bytes become text (by what the server says of their encoding, or the page itself), the text becomes
//! tags (no tree is built), and the tags are looked through. A page that is broken gives what is in it.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use lectern_connector_markup::{Tag, Token, Tokens, add_decoded};

use tokio::task::spawn_blocking;

use crate::error::Error;
use crate::exchange::Head;
use crate::robots::PRODUCT;

/// What lies behind it is no longer looked at.
const MAX_BYTES: usize = 16 << 20;
/// More links of one page aren't followed.
const MAX_LINKS: usize = 10_000;
/// Where a page that says its encoding says it.
const PRELUDE_BYTES: usize = 1024;

/// What may be done with a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manners {
    /// It isn't to be found.
    pub(crate) noindex: bool,
    /// Its links aren't to be followed.
    pub(crate) nofollow: bool,
}

/// What was found, as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// What the references are relative to.
    pub(crate) base: Option<String>,
    pub(crate) canonical: Option<String>,
    pub(crate) links: Vec<String>,
    pub(crate) manners: Manners,
    /// Not all of it was read.
    pub(crate) is_cut: bool,
}

/// Reads a page on a thread where that may take its time.
pub(crate) async fn read_aside(bytes: &Bytes, charset: Option<&str>) -> Result<Page, Error> {
    let (bytes, charset) = (bytes.clone(), charset.map(str::to_owned));
    let read = spawn_blocking(move || read(&bytes, charset.as_deref()));
    read.await.map_err(Error::ThreadEnded)
}

/// Reads a page.
fn read(bytes: &[u8], charset: Option<&str>) -> Page {
    let is_cut = bytes.len() > MAX_BYTES;
    let bytes = bytes.get(..MAX_BYTES).unwrap_or(bytes);
    let (text, _, _) = encoding(bytes, charset).decode(bytes);
    let mut page = Page {
        is_cut,
        ..Page::default()
    };
    for token in Tokens::new(&text) {
        if let Token::Start(tag) = token {
            page.look_at(&tag);
        }
    }
    page
}

fn encoding(bytes: &[u8], charset: Option<&str>) -> &'static Encoding {
    let told = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    told.or_else(|| {
        let prelude = bytes.get(..PRELUDE_BYTES).unwrap_or(bytes).to_ascii_lowercase();
        let mark = b"charset=";
        let at = prelude.windows(mark.len()).position(|window| window == mark)?;
        let label = prelude.get(at + mark.len()..)?;
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let label = label
            .strip_prefix(b"\"")
            .or(label.strip_prefix(b"'"))
            .unwrap_or(label);
        let is_end = |byte: &u8| is_quote(byte) || matches!(byte, b' ' | b'/' | b'>' | b';');
        Encoding::for_label(label.split(is_end).next()?)
    })
    .unwrap_or(UTF_8)
}

/// The value of an attribute, without the space around it.
fn attribute(tag: &Tag<'_>, name: &str) -> Option<String> {
    let mut value = String::new();
    add_decoded(tag.attribute(name)?, &mut value);
    Some(value.trim().to_owned())
}

/// Whether a list of words has one of them.
fn has_word(words: Option<&String>, word: &str) -> bool {
    words.is_some_and(|words| {
        words
            .split_ascii_whitespace()
            .any(|one| one.eq_ignore_ascii_case(word))
    })
}

impl Page {
    fn look_at(&mut self, tag: &Tag<'_>) {
        let relation = attribute(tag, "rel");
        let relation = relation.as_ref();
        match tag.name.to_ascii_lowercase().as_str() {
            "base" if self.base.is_none() => self.base = attribute(tag, "href"),
            "a" | "area" if !has_word(relation, "nofollow") => self.link(attribute(tag, "href")),
            "frame" | "iframe" => self.link(attribute(tag, "src")),
            "link" if has_word(relation, "canonical") && self.canonical.is_none() => {
                self.canonical = attribute(tag, "href");
            }
            "link" if has_word(relation, "next") || has_word(relation, "prev") => {
                self.link(attribute(tag, "href"));
            }
            "meta" => self.meta(tag),
            _ => {}
        }
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        let content = attribute(tag, "content").unwrap_or_default();
        let name = attribute(tag, "name").unwrap_or_default();
        if name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case(PRODUCT) {
            self.manners.add(&content);
        }
        // `0; url=elsewhere`
        if attribute(tag, "http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("refresh")) {
            let url = content.split_once(';').map(|(_, rest)| rest.trim());
            let url = url.and_then(|rest| {
                let is_url = rest.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"));
                rest.get(3..)?.trim_start().strip_prefix('=').filter(|_| is_url)
            });
            self.link(url.map(|url| url.trim().trim_matches(['"', '\'']).to_owned()));
        }
    }

    fn link(&mut self, reference: Option<String>) {
        let Some(reference) = reference.filter(|text| !text.is_empty() && !text.starts_with('#')) else {
            return;
        };
        if self.links.len() >= MAX_LINKS {
            self.is_cut = true;
            return;
        }
        self.links.push(reference);
    }
}

impl Manners {
    /// What the page and its headers say together: whichever forbids counts.
    pub(crate) fn of(head: &Head, page: &Page) -> Self {
        let mut manners = page.manners;
        for line in &head.robots_tags {
            // `otherbot: noindex` is for another crawler, as far as the next name.
            let mut is_meant = true;
            for part in line.split(',') {
                let directive = match part.split_once(':') {
                    Some((name, rest)) if !is_directive(name) => {
                        is_meant = name.trim().eq_ignore_ascii_case(PRODUCT);
                        rest
                    }
                    _ => part,
                };
                if is_meant {
                    manners.add(directive);
                }
            }
        }
        manners
    }

    fn add(&mut self, directives: &str) {
        for directive in directives.split([',', ' ']) {
            let is = |name: &str| directive.trim().eq_ignore_ascii_case(name);
            self.noindex |= is("noindex") || is("none");
            self.nofollow |= is("nofollow") || is("none");
        }
    }
}

/// Directives that have a value behind a colon, as the name of a crawler has its directives.
fn is_directive(name: &str) -> bool {
    let known = [
        "unavailable_after",
        "max-snippet",
        "max-image-preview",
        "max-video-preview",
    ];
    known.iter().any(|known| name.trim().eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_are_those_of_tags_and_of_no_text() {
        let page = read(
            br##"<!DOCTYPE html><title><a href=no></title><base href="/b/"><base href=no>
                <link rel="stylesheet" href=no><LINK REL="Canonical nothing" HREF=" /c "><link rel=next href=2>
                <script>document.write("<a href=no>")</script><!-- <a href=no> --><style><a href=no></style>
                <a href="one&amp;two">x</a><A HREF=three>y<a name=no><a href="#no"><a rel="external nofollow" href=no>
                <area href='four'><iframe src=five></iframe><img src=no><form action=no>
                <meta http-equiv=Refresh content="0; URL='six'"><meta http-equiv=refresh content="5">
                <p title="<a href=no>">z</p><textarea><a href=no></textarea><a href="broken"##,
            None,
        );
        assert_eq!(page.links, ["2", "one&two", "three", "four", "five", "six"]);
        assert_eq!(page.base.as_deref(), Some("/b/"));
        assert_eq!(page.canonical.as_deref(), Some("/c"));
        assert!(!page.is_cut && page.manners == Manners::default());
    }

    #[test]
    fn a_page_is_read_in_its_encoding() {
        let latin = b"<meta charset='iso-8859-1'><a href=\xfc>";
        assert_eq!(read(latin, None).links, ["ü"]);
        assert_eq!(read(b"<a href=\xfc>", Some("latin1")).links, ["ü"]);
        assert_eq!(read("<a href=ü>".as_bytes(), Some("no such thing")).links, ["ü"]);
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend("<a href=ü>".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(read(&utf16, None).links, ["ü"]);
    }

    #[test]
    fn manners_are_those_of_the_page_and_of_its_headers() {
        let manners = |html: &str, tags: &[&str]| {
            let head = Head {
                robots_tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
                ..Head::default()
            };
            let manners = Manners::of(&head, &read(html.as_bytes(), None));
            (manners.noindex, manners.nofollow)
        };
        for (html, tags, expected) in [
            (
                "<meta name=robots content='index, follow'>",
                vec![],
                (false, false),
            ),
            (
                "<meta name=ROBOTS content='NoIndex,nofollow'>",
                vec![],
                (true, true),
            ),
            ("<meta name=lectern content=none>", vec![], (true, true)),
            ("<meta name=otherbot content=none>", vec![], (false, false)),
            ("", vec!["noindex"], (true, false)),
            ("", vec!["otherbot: noindex, nofollow"], (false, false)),
            ("", vec!["otherbot: noindex, Lectern: nofollow"], (false, true)),
            (
                "",
                vec!["unavailable_after: 25 Jun 2030 15:00:00 PST", "nofollow"],
                (false, true),
            ),
        ] {
            assert_eq!(manners(html, &tags), expected, "{html} {tags:?}");
        }
    }

    #[test]
    fn a_tag_of_a_million_attributes_is_read_like_any_other() {
        let attributes: String = (0..1_000_000).map(|number| format!(" a{number}")).collect();
        let page = read(
            format!("<p{attributes}><a{attributes} href=one>").as_bytes(),
            None,
        );
        assert_eq!(page.links, ["one"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            read(&bytes, None);
        }

        #[test]
        fn any_tags_are_read(text in "[<>/a-fhrs=\"'! -]{0,200}") {
            read(text.as_bytes(), None);
        }
    }
}
