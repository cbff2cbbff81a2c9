//! The HTML of a message as Markdown: its words, lists, emphasis and quotes.
//!
//! A link becomes its words and a picture its description. Messages are laid out with tables, so a table becomes lines: a row is one, its
//! cells with `|` between them, and a cell of several lines stands for itself. A heading becomes a bold line, since the headings of
//! the document are the messages. What a program marks as a signature is left out.

use htmd::element_handler::{HandlerResult, Handlers};
use htmd::{Element, HtmlToMarkdown};
use mail_parser::decoders::html::html_to_text;

/// More elements than this in each other are read as words alone: converting them takes calls within calls.
const DEEPEST: usize = 250;
/// The same for more HTML than this.
const MOST_BYTES: usize = 4 << 20;

/// What holds no words.
const SKIPPED: [&str; 12] = [
    "head", "script", "style", "template", "noscript", "svg", "canvas", "audio", "video", "iframe", "form",
    "object",
];
/// What ends a cell until its row is put together: no character that a text has.
const CELL_END: char = '\u{1f}';
/// Elements that have no end.
const WITHOUT_END: [&str; 8] = ["br", "hr", "img", "meta", "link", "input", "col", "wbr"];
/// Classes and ids of signatures.
const SIGNATURES: [&str; 4] = [
    "gmail_signature",
    "moz-signature",
    "Signature",
    "protonmail_signature_block",
];

/// Markdown of HTML.
pub(crate) fn to_markdown(html: &str) -> String {
    if html.len() > MOST_BYTES || depth(html) > DEEPEST {
        return html_to_text(html);
    }
    let converter = HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], |handlers: &dyn Handlers, element: Element| {
            Some(handlers.walk_children(element.node))
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, element: Element| {
            Some(attribute(&element, "alt").unwrap_or_default().as_str().into())
        })
        .add_handler(vec!["h1", "h2", "h3", "h4", "h5", "h6"], heading)
        .add_handler(
            vec!["div", "pre", "span", "p"],
            |handlers: &dyn Handlers, element: Element| {
                if is_left_out(&element) {
                    None
                } else {
                    handlers.fallback(element)
                }
            },
        )
        .add_handler(vec!["td", "th"], cell)
        .add_handler(vec!["tr"], row)
        .add_handler(vec!["table"], block)
        .add_handler(
            vec!["thead", "tbody", "tfoot", "caption"],
            |handlers: &dyn Handlers, element: Element| Some(handlers.walk_children(element.node)),
        )
        .build();
    converter
        .convert(html)
        .map(|text| text.replace(CELL_END, " "))
        .unwrap_or_else(|_| html_to_text(html))
}

fn attribute(element: &Element, name: &str) -> Option<String> {
    let found = element
        .attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name);
    found.map(|attribute| attribute.value.to_string())
}

/// Whether an element is a signature, or isn't shown.
fn is_left_out(element: &Element) -> bool {
    let is_signature = |name: &str| {
        let value = attribute(element, name).unwrap_or_default();
        value.split_whitespace().any(|word| SIGNATURES.contains(&word))
    };
    let style = attribute(element, "style")
        .unwrap_or_default()
        .replace(' ', "")
        .to_lowercase();
    is_signature("class") || is_signature("id") || style.contains("display:none")
}

fn heading(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let words = handlers.walk_children(element.node).content;
    let words = words
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("**", "");
    (!words.is_empty()).then(|| format!("\n\n**{words}**\n\n").into())
}

fn cell(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let content = content.trim();
    Some(match content.contains('\n') {
        true => format!("\n\n{content}\n\n").into(),
        false if content.is_empty() => "".into(),
        false => format!("{content}{CELL_END}").into(),
    })
}

fn row(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let cells = content
        .split(CELL_END)
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    Some(format!("{}\n", cells.collect::<Vec<_>>().join(" | ")).into())
}

fn block(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    Some(format!("\n\n{}\n\n", content.trim()).into())
}

/// How many elements are open at the same time, at most, if every element that needs an end has one.
fn depth(html: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for tag in html.split('<').skip(1) {
        let is_end = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let end = name
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let name = name[..end].to_ascii_lowercase();
        if name.is_empty() || WITHOUT_END.contains(&name.as_str()) {
            continue;
        }
        open = if is_end { open.saturating_sub(1) } else { open + 1 };
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_words_and_quotes() {
        for (html, expected) in [
            ("<p>Hello <b>you</b></p><p>Bye</p>", "Hello **you**\n\nBye"),
            ("<h1>News</h1>text", "**News**\n\ntext"),
            (
                "see <a href='https://a.example/?t=1'>the plan</a> <img src=x alt=map>",
                "see the plan map",
            ),
            ("yes<div class='gmail_signature'>Ada<br>Director</div>", "yes"),
            (
                "yes<blockquote>no<br>maybe</blockquote>",
                "yes\n\n> no  \n> maybe",
            ),
            (
                "<table><tr><td>Monday</td><td>9</td></tr><tr><td>Friday</td><td></td></tr></table>",
                "Monday | 9\nFriday",
            ),
            ("<table><tr><td><p>a</p><p>b</p></td></tr></table>", "a\n\nb"),
        ] {
            assert_eq!(to_markdown(html).trim(), expected, "{html}");
        }
    }

    #[test]
    fn deep_html_is_read_as_words() {
        let html = format!("{}deep{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        assert_eq!(to_markdown(&html).trim(), "deep");
    }
}
