//! XML as text: what stands between the tags, in its order.
//!
//! An element of leaves is a record and is written as lines of `name: value`; one with text and elements in it is
//! a paragraph; an element called `title` is a heading. A leaf that holds HTML, as feeds have it, is read as HTML. No
//! entity but the five of XML and characters by number stands for anything, so none can grow, and nothing outside the
//! file is asked for.

use lectern_domain::{AttributeValue, Extracted};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::compose::Composition;
use super::limits::depth;
use super::read::title_line;
use super::{ExtractError, html, text};

/// Elements within elements.
const MAX_DEPTH: usize = 256;

/// Elements whose text is a heading for what stands beside them.
const HEADINGS: [&str; 4] = ["title", "head", "heading", "headline"];

/// A leaf with more bytes than this is a paragraph and no line of a record.
const LONG_LEAF_BYTES: usize = 300;

/// An element.
#[derive(Debug, Default)]
struct Element {
    /// Its name without a prefix.
    name: String,
    children: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

/// Reads XML. What isn't well-formed is read as plain text, with a warning.
pub(super) fn read(source: String) -> Result<Extracted, ExtractError> {
    let root = match parse(&source) {
        Ok(root) => root,
        Err(ParseError::TooDeep) => return Err(ExtractError::TooDeep(depth(MAX_DEPTH))),
        Err(ParseError::Broken(reason)) => {
            let mut extracted = text::read(source);
            extracted
                .warnings
                .push(format!("it begins as XML and isn't: {reason}"));
            return Ok(extracted);
        }
    };
    let mut composition = Composition::default();
    write(&mut composition, &root, 1);
    let mut extracted = composition.finish("application/xml");
    if extracted.text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    extracted.title = title(&root);
    if let Some(author) = author(&root) {
        extracted
            .attributes
            .insert("author".to_owned(), AttributeValue::Text(author));
    }
    Ok(extracted)
}

enum ParseError {
    TooDeep,
    Broken(String),
}

/// The tree of a file, below an element without a name.
fn parse(source: &str) -> Result<Element, ParseError> {
    let mut reader = Reader::from_str(source);
    reader.config_mut().check_end_names = false;
    let mut open = vec![Element::default()];
    let most = depth(MAX_DEPTH);
    loop {
        let event = reader
            .read_event()
            .map_err(|error| ParseError::Broken(error.to_string()))?;
        match event {
            Event::Start(tag) => {
                if open.len() > most {
                    return Err(ParseError::TooDeep);
                }
                open.push(Element {
                    name: String::from_utf8_lossy(tag.local_name().as_ref()).into_owned(),
                    children: Vec::new(),
                });
            }
            Event::End(_) if open.len() > 1 => close(&mut open),
            Event::Text(words) => add_text(&mut open, &words.decode().unwrap_or_default()),
            Event::CData(words) => add_text(&mut open, &words.decode().unwrap_or_default()),
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap_or_default();
                let character = reference.resolve_char_ref().ok().flatten();
                add_text(&mut open, &character.map_or_else(|| entity(&name), String::from));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop()
        .ok_or_else(|| ParseError::Broken("it has no element".to_owned()))
}

fn close(open: &mut Vec<Element>) {
    if let Some(done) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(Node::Element(done));
    }
}

fn add_text(open: &mut [Element], words: &str) {
    let Some(element) = open.last_mut() else {
        return;
    };
    match element.children.last_mut() {
        Some(Node::Text(text)) => text.push_str(words),
        _ => element.children.push(Node::Text(words.to_owned())),
    }
}

/// What an entity stands for; an unknown one stands for itself.
fn entity(name: &str) -> String {
    match name {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        "nbsp" => " ".to_owned(),
        other => format!("&{other};"),
    }
}

impl Element {
    fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    fn is_leaf(&self) -> bool {
        self.elements().next().is_none()
    }

    /// Whether words stand beside its elements.
    fn is_mixed(&self) -> bool {
        let has_words = |child: &Node| matches!(child, Node::Text(text) if !text.trim().is_empty());
        !self.is_leaf() && self.children.iter().any(has_words)
    }

    fn is_heading(&self) -> bool {
        self.is_leaf() && HEADINGS.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    /// All words below it.
    fn words(&self) -> String {
        let mut words = String::new();
        for child in &self.children {
            match child {
                Node::Text(text) => words.push_str(text),
                Node::Element(element) => words.push_str(&element.words()),
            }
        }
        words
    }
}

/// Writes what is in an element; its headings have `level`.
fn write(composition: &mut Composition, element: &Element, level: u8) {
    if element.is_mixed() {
        composition.paragraph(&without_line_breaks(&element.words()));
        return;
    }
    if element.is_leaf() {
        write_long(composition, &element.words());
        return;
    }
    let mut lines: Vec<String> = Vec::new();
    let heading = element.elements().position(Element::is_heading);
    let inner = level + u8::from(heading.is_some());
    if let Some(heading) = element.elements().nth(heading.unwrap_or(usize::MAX)) {
        composition.heading(level, &heading.words());
    }
    for (place, child) in element.elements().enumerate() {
        if Some(place) == heading {
            continue;
        }
        let words = if child.is_leaf() {
            child.words()
        } else {
            String::new()
        };
        if child.is_leaf() && words.len() <= LONG_LEAF_BYTES && !is_html(&words) {
            let words = without_line_breaks(&words);
            if !words.is_empty() {
                lines.push(format!("{}: {words}", child.name));
            }
            continue;
        }
        composition.paragraph(&std::mem::take(&mut lines).join("\n"));
        write(composition, child, inner.min(6));
    }
    composition.paragraph(&lines.join("\n"));
}

/// Writes a long text, which may be HTML.
fn write_long(composition: &mut Composition, words: &str) {
    if is_html(words)
        && let Ok(part) = html::read_part(words)
    {
        composition.append(part);
    } else {
        composition.append(text::read(words.trim().to_owned()));
    }
}

fn is_html(words: &str) -> bool {
    ["</p>", "<br", "</a>", "</div>", "</li>", "<p>"]
        .iter()
        .any(|tag| words.contains(tag))
}

fn without_line_breaks(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first heading of the outermost elements.
fn title(root: &Element) -> Option<String> {
    let first = root.elements().next()?;
    let level_below = first.elements().flat_map(Element::elements);
    first
        .elements()
        .chain(level_below)
        .find(|element| element.is_heading())
        .and_then(|element| title_line(&element.words()))
}

/// The author of the whole, where the outermost elements name one.
fn author(root: &Element) -> Option<String> {
    let first = root.elements().next()?;
    first
        .elements()
        .find(|element| matches!(element.name.as_str(), "author" | "creator"))
        .and_then(|element| title_line(&element.words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_paragraphs_and_headings() {
        let source = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY big \"no\">]><book><title>A &amp; B</title><author>Ann</author>\
                      <p>Words with <b>bold</b> in&#32;them &big;.</p><row><id>1</id><town>K&#xf6;ln</town></row>\
                      <item><title>Inner</title><description>&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</description></item></book>";
        let extracted = read(source.to_owned()).unwrap();
        insta::assert_snapshot!(extracted.text, @r"
        # A & B

        author: Ann

        Words with bold in them &big;.

        id: 1
        town: Köln

        ## Inner

        One.

        Two.
        ");
        assert_eq!(extracted.title.as_deref(), Some("A & B"));
        assert_eq!(
            extracted.attributes["author"],
            AttributeValue::Text("Ann".to_owned())
        );
    }

    #[test]
    fn what_is_broken_is_text_and_what_is_deep_is_refused() {
        let broken = read("<?xml version=\"1.0\"?><a><b".to_owned()).unwrap();
        assert_eq!(broken.warnings.len(), 1);
        assert!(broken.text.contains("<a>"));
        assert_eq!(read("<a>".repeat(5000)).unwrap_err().code(), "nested_too_deep");
    }
}
