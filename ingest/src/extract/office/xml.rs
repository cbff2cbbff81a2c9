//! XML of an office file as a tree that borrows from the text of its part.
//!
//! Names are local names: a writer may choose the prefixes of namespaces, and strict and transitional OOXML have the same
//! names in different ones. The tree is bounded: in size by what [`Package`](super::package::Package) hands out (about
//! seven bytes of memory for a byte of XML), in depth by [`MAX_DEPTH`]. Entities that a document declares are never
//! expanded.

use std::borrow::Cow;

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::ExtractError;
use super::super::limits::depth;

/// Elements within elements: nested tables of an office file reach about fifty.
const MAX_DEPTH: usize = 400;

/// Elements of one part: a document of a thousand pages has about half a million.
const MAX_ELEMENTS: usize = 6_000_000;

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element<'a> {
    /// The local name.
    pub(super) name: &'a str,
    /// Name with its prefix, and value.
    attributes: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) children: Vec<Node<'a>>,
}

/// What stands in an element.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Element(Element<'a>),
    Text(Cow<'a, str>),
}

/// A part as a tree.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    /// Holds the root element, and is empty where there was none.
    pub(super) root: Element<'a>,
    /// Why the rest is missing, where reading ended before the end.
    pub(super) broken: Option<String>,
}

impl<'a> Element<'a> {
    /// The value of the attribute with this local name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| local(key) == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The value of the attribute with this local name that has a prefix: `r:id` beside `id`.
    pub(super) fn prefixed(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key.contains(':') && local(key) == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The elements directly below.
    pub(super) fn elements(&self) -> impl DoubleEndedIterator<Item = &Element<'a>> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element of this name directly below.
    pub(super) fn child(&self, name: &str) -> Option<&Element<'a>> {
        self.elements().find(|element| element.name == name)
    }

    /// All elements of this name directly below.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Element<'a>> {
        self.elements().filter(move |element| element.name == name)
    }

    /// The element at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Element<'a>> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The attribute `val` of a child, as most properties of OOXML are written.
    pub(super) fn value_of(&self, name: &str) -> Option<&str> {
        self.child(name)?.attribute("val")
    }

    /// Every element of this name at any depth, in the order of the document, not searched further inside; what
    /// stands in a `Fallback`, for readers that don't know the newer form beside it, is left out.
    pub(super) fn descendants<'b>(&'b self, name: &str) -> Vec<&'b Element<'a>> {
        let mut found = Vec::new();
        self.collect(name, &mut found);
        found
    }

    fn collect<'b>(&'b self, name: &str, found: &mut Vec<&'b Element<'a>>) {
        for element in self.elements() {
            if element.name == name {
                found.push(element);
            } else if element.name != "Fallback" {
                element.collect(name, found);
            }
        }
    }

    /// All characters within, as they stand.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        self.push_words(&mut words);
        words
    }

    fn push_words(&self, words: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => words.push_str(text),
                Node::Element(element) => element.push_words(words),
            }
        }
    }
}

/// Reads a part. What is malformed ends the reading, and what came before it is kept.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, ExtractError> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    let mut broken = None;
    let most = depth(MAX_DEPTH);
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event();
        elements += usize::from(matches!(event, Ok(Event::Start(_) | Event::Empty(_))));
        if elements > MAX_ELEMENTS {
            return Err(ExtractError::ArchiveBomb(format!(
                "more than {MAX_ELEMENTS} elements in one part"
            )));
        }
        match event {
            Ok(Event::Start(start)) => {
                if open.len() > most {
                    return Err(ExtractError::TooDeep(most));
                }
                open.push(element(&reader, text, &start, 1));
            }
            Ok(Event::Empty(start)) => add(&mut open, Node::Element(element(&reader, text, &start, 2))),
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(piece)) => {
                if let Ok(piece) = piece.decode() {
                    add(&mut open, Node::Text(piece));
                }
            }
            Ok(Event::CData(piece)) => {
                if let Ok(piece) = piece.decode() {
                    add(&mut open, Node::Text(piece));
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                let character = reference
                    .resolve_char_ref()
                    .ok()
                    .flatten()
                    .or_else(|| named(&reference));
                add(
                    &mut open,
                    Node::Text(character.map_or(Cow::Borrowed(""), |it| it.to_string().into())),
                );
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        }
    }
    if open.len() > 1 && broken.is_none() {
        broken = Some("it ends too early".to_owned());
    }
    while open.len() > 1 {
        close(&mut open);
    }
    Ok(Tree {
        root: open.pop().unwrap_or_default(),
        broken,
    })
}

impl<'a> Tree<'a> {
    /// The root element.
    pub(super) fn top(&self) -> Option<&Element<'a>> {
        self.root.elements().next()
    }
}

fn add<'a>(open: &mut [Element<'a>], node: Node<'a>) {
    if let Some(innermost) = open.last_mut() {
        innermost.children.push(node);
    }
}

fn close(open: &mut Vec<Element<'_>>) {
    if open.len() > 1
        && let Some(ended) = open.pop()
    {
        add(open, Node::Element(ended));
    }
}

/// The five entities that XML itself has.
fn named(reference: &[u8]) -> Option<char> {
    match reference {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        b"nbsp" => Some('\u{a0}'),
        _ => None,
    }
}

/// The element of a tag that was just read. `closing` is how many bytes end it: `>` or `/>`.
fn element<'a>(
    reader: &Reader<&'a [u8]>,
    text: &'a str,
    tag: &BytesStart<'_>,
    closing: usize,
) -> Element<'a> {
    let end = usize::try_from(reader.buffer_position())
        .unwrap_or(usize::MAX)
        .saturating_sub(closing);
    let content = text.get(end.saturating_sub(tag.len())..end).unwrap_or_default();
    let name = content.get(..tag.name().as_ref().len()).unwrap_or_default();
    let attributes = Attributes::new(content, name.len())
        .with_checks(false)
        .flatten()
        .filter_map(|attribute| {
            let key = std::str::from_utf8(attribute.key.into_inner()).ok()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            Some((key, value))
        })
        .collect();
    Element {
        name: local(name),
        attributes,
        children: Vec::new(),
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_local_names_and_whole_texts() {
        let text = "<?xml version='1.0'?><w:a r:id='x' id=\"1 &amp; 2\">one &lt; <b/>&#x41;<![CDATA[<c>]]><w:d>e</w:d></w:a>";
        let tree = parse(text).unwrap();
        let top = tree.top().unwrap();
        assert_eq!((top.name, top.words().as_str()), ("a", "one < A<c>e"));
        assert_eq!(
            (top.prefixed("id"), top.child("d").unwrap().words().as_str()),
            (Some("x"), "e")
        );
        assert_eq!(top.attributes[1], ("id", "1 & 2".into()));
        assert_eq!(tree.broken, None);
    }

    #[test]
    fn what_came_before_a_break_is_kept() {
        let tree = parse("<a><b>one</b><b>two").unwrap();
        assert_eq!(tree.top().unwrap().words(), "onetwo");
        assert!(tree.broken.is_some());
        assert!(parse("").unwrap().top().is_none());
    }

    #[test]
    fn depth_is_bounded_and_declared_entities_are_not_expanded() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(parse(&deep).unwrap_err(), ExtractError::TooDeep(MAX_DEPTH));
        let many = "<a/>".repeat(MAX_ELEMENTS + 1);
        assert_eq!(parse(&many).unwrap_err().code(), "archive_bomb");
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a x='&c;'>&c;!</a>";
        assert_eq!(parse(laughs).unwrap().top().unwrap().words(), "!");
    }
}
