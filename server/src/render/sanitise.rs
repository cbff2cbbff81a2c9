//! The last gate: only these elements, attributes and schemes reach a browser.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

const ELEMENTS: [&str; 30] = [
    "a",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

static DOCUMENT: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = base();
    builder
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .add_tag_attributes("a", ["href"])
        .add_tag_attribute_values("mark", "id", ["passage"])
        .add_allowed_classes("mark", ["passage"]);
    builder
});

static ANSWER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = base();
    builder
        .url_schemes(HashSet::new())
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .add_tag_attributes("a", ["href", "data-source"])
        .add_allowed_classes("a", ["citation"]);
    builder
});

/// Cleans the HTML of a document: links lead to http and https alone, and tell nothing of this server.
pub fn document(html: &str) -> String {
    DOCUMENT.clean(html).to_string()
}

/// Cleans the HTML of an answer: links lead to its own sources alone.
pub fn answer(html: &str) -> String {
    ANSWER.clean(html).to_string()
}

fn base() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .add_tags(ELEMENTS)
        .add_clean_content_tags(["script", "style"])
        .add_tag_attributes("ol", ["start"])
        .add_url_schemes(["http", "https"]);
    builder
}
