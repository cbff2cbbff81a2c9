//! From HTML to Markdown. A link becomes its words and an image its description: where they lead costs tokens and says
//! nothing to a reader of the passage.

use htmd::{Element, HtmlToMarkdown, element_handler::Handlers};

use super::table;
use crate::extract::ExtractError;

/// What holds no text of the document.
const SKIPPED: [&str; 16] = [
    "head", "script", "style", "template", "noscript", "nav", "footer", "aside", "form", "button", "select",
    "iframe", "svg", "canvas", "audio", "video",
];

/// Elements that can be a menu or be hidden, as their attributes say.
const CAN_BE_HIDDEN: [&str; 8] = ["div", "section", "ul", "ol", "span", "p", "header", "dl"];

/// Names of classes whose elements aren't printed, or only read out.
const HIDDEN_CLASSES: [&str; 8] = [
    "mw-editsection",
    "noprint",
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "screen-reader-text",
    "skip-link",
    "mw-jump-link",
];

/// Markdown of a page.
pub(super) fn to_markdown(html: &str) -> Result<String, ExtractError> {
    let html = table::without_marks(html);
    HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], |handlers: &dyn Handlers, element: Element| {
            Some(handlers.walk_children(element.node))
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, element: Element| {
            let description = element
                .attrs
                .iter()
                .find(|attribute| &*attribute.name.local == "alt");
            Some(description.map_or("", |attribute| &*attribute.value).into())
        })
        .add_handler(
            CAN_BE_HIDDEN.to_vec(),
            |handlers: &dyn Handlers, element: Element| {
                if is_hidden(&element) {
                    None
                } else {
                    handlers.fallback(element)
                }
            },
        )
        .add_handler(vec!["td", "th"], table::cell)
        .add_handler(vec!["tr"], table::row)
        .add_handler(vec!["caption"], table::caption)
        .add_handler(vec!["table"], |handlers: &dyn Handlers, element: Element| {
            if is_hidden(&element) {
                None
            } else {
                table::table(handlers, element)
            }
        })
        .build()
        .convert(&html)
        .map_err(|error| ExtractError::ParserFailed(error.to_string()))
}

/// Whether an element says of itself that it isn't shown, or is for finding the way.
fn is_hidden(element: &Element) -> bool {
    element
        .attrs
        .iter()
        .any(|attribute| match &*attribute.name.local {
            "hidden" => true,
            "aria-hidden" => &*attribute.value == "true",
            "role" => matches!(&*attribute.value, "navigation" | "search"),
            "class" => attribute
                .value
                .split_whitespace()
                .any(|class| HIDDEN_CLASSES.contains(&class)),
            "style" => attribute.value.replace(' ', "").contains("display:none"),
            _ => false,
        })
}
