//! A paragraph of an `OpenDocument` file as one line, and what hangs on it.

use super::super::marks;
use super::super::xml::{Element, Node};
use super::Reader;

/// More spaces than this in a row aren't meant to be read.
const MAX_SPACES: usize = 100;

/// What is read after the line that it hangs on.
pub(super) enum Hanging<'e, 'x> {
    /// A footnote: the mark in the text, and the body of the note.
    Note(String, &'e Element<'x>),
    Comment(&'e Element<'x>),
    Frame(&'e Element<'x>),
}

#[derive(Default)]
pub(super) struct Line<'e, 'x> {
    pub(super) text: String,
    pub(super) hanging: Vec<Hanging<'e, 'x>>,
}

impl Reader<'_, '_> {
    /// The words of a paragraph or a heading.
    pub(super) fn line<'e, 'x>(&mut self, paragraph: &'e Element<'x>) -> Line<'e, 'x> {
        let mut line = Line::default();
        self.inline(paragraph, &mut line);
        line
    }

    fn inline<'e, 'x>(&mut self, parent: &'e Element<'x>, line: &mut Line<'e, 'x>) {
        for node in &parent.children {
            let element = match node {
                Node::Element(element) => element,
                Node::Text(text) => {
                    push_collapsed(text, &mut line.text);
                    continue;
                }
            };
            match element.name {
                "s" => {
                    let count = element.attribute("c").and_then(|count| count.parse().ok());
                    line.text
                        .push_str(&" ".repeat(count.unwrap_or(1).min(MAX_SPACES)));
                }
                "tab" => line.text.push('\t'),
                "line-break" => line.text.push('\n'),
                "note" => {
                    if let Some(body) = element.child("note-body") {
                        self.notes_shown += 1;
                        let mark = format!("[{}]", self.notes_shown);
                        line.text.push_str(&mark);
                        line.hanging.push(Hanging::Note(mark, body));
                    }
                }
                "annotation" => line.hanging.push(Hanging::Comment(element)),
                "frame" | "custom-shape" | "rect" | "ellipse" | "line" | "connector" | "path" | "polygon"
                | "caption" | "g" => line.hanging.push(Hanging::Frame(element)),
                "a" => {
                    let before = line.text.len();
                    self.inline(element, line);
                    let words = line.text.get(before..).unwrap_or_default();
                    let linked = marks::link(words, element.attribute("href").unwrap_or_default());
                    line.text.truncate(before);
                    line.text.push_str(&linked);
                }
                "ruby" => {
                    let part = |name: &str| element.child(name).map(Element::words).unwrap_or_default();
                    line.text
                        .push_str(&format!("{} ({})", part("ruby-base"), part("ruby-text")));
                }
                "annotation-end" | "bookmark-start" | "bookmark-end" | "change-start" | "change-end" => {}
                _ => self.inline(element, line),
            }
        }
    }

    /// The words of every paragraph in an element, one on a line.
    pub(super) fn words(&mut self, parent: &Element<'_>) -> String {
        let mut words = String::new();
        self.push_words(parent, &mut words);
        words
    }

    fn push_words(&mut self, parent: &Element<'_>, words: &mut String) {
        for element in parent.elements() {
            match element.name {
                "p" | "h" => {
                    words.push_str(&self.line(element).text);
                    words.push('\n');
                }
                // Author, date and initials of a comment.
                "creator" | "date" | "creator-initials" => {}
                _ => self.push_words(element, words),
            }
        }
    }
}

/// White space in the file is one space (ISO/IEC 26300-1, 6.1.2).
fn push_collapsed(text: &str, line: &mut String) {
    for character in text.chars() {
        if !character.is_ascii_whitespace() {
            line.push(character);
        } else if !line.ends_with([' ', '\n', '\t']) {
            line.push(' ');
        }
    }
}
