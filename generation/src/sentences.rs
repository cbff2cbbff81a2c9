//! A passage as sentences that can be handed over singly.
//!
//! Sentence borders are those of Unicode (UAX #29) within a paragraph. In Markdown a list item and a
//! row of a table stand for themselves, but say little without what introduces them: the line before
//! the list, the head of the table. Such a sentence names the one it depends on.

use unicode_segmentation::UnicodeSegmentation;

/// A longer sentence is cut between words: it is a table without rows, or text without full stops.
const MAX_SENTENCE_CHARS: usize = 400;

/// A sentence, a list item or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// On one line.
    pub text: String,
    /// The place of the sentence that introduces this one, among those of the passage.
    pub introduced_by: Option<usize>,
}

/// What a line of Markdown is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Blank,
    Item,
    Row,
    Rule,
    Text,
}

/// Cuts a passage into its sentences, in their order. Headings come as sentences, too.
pub fn split(passage: &str) -> Vec<Sentence> {
    let mut found = Found::default();
    for line in passage.lines() {
        let text = line.trim();
        match kind_of(text) {
            Line::Blank => found.end_paragraph(true),
            Line::Rule => {}
            Line::Item => {
                found.end_paragraph(false);
                found.open_list();
                found.paragraph.push_str(text);
                found.in_item = true;
            }
            Line::Row => {
                found.end_paragraph(false);
                found.add_row(text);
            }
            Line::Text => {
                found.table_head = None;
                if text.starts_with('#') {
                    found.end_paragraph(true);
                }
                if !found.paragraph.is_empty() {
                    found.paragraph.push(' ');
                }
                found
                    .paragraph
                    .push_str(text.trim_start_matches('#').trim_start());
                if text.starts_with('#') {
                    found.end_paragraph(true);
                }
            }
        }
    }
    found.end_paragraph(true);
    found.sentences
}

#[derive(Default)]
struct Found {
    sentences: Vec<Sentence>,
    paragraph: String,
    in_item: bool,
    introduction: Option<usize>,
    table_head: Option<usize>,
}

impl Found {
    /// Adds the paragraph or item that was collected. A blank line (`apart`) ends a list only when what
    /// follows is no item, so the introduction is kept until a sentence comes in between.
    fn end_paragraph(&mut self, apart: bool) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let introduced_by = if self.in_item { self.introduction } else { None };
        for sentence in paragraph.unicode_sentences() {
            for text in at_most(sentence.trim(), MAX_SENTENCE_CHARS) {
                if !self.in_item {
                    self.introduction = None;
                }
                self.sentences.push(Sentence { text, introduced_by });
            }
        }
        self.in_item = false;
        if apart {
            self.table_head = None;
        }
    }

    /// A list begins or goes on: what stands before it introduces it, if it ends in a colon.
    fn open_list(&mut self) {
        self.table_head = None;
        if self.introduction.is_none() {
            self.introduction = self
                .sentences
                .last()
                .filter(|sentence| sentence.text.ends_with(':'))
                .map(|_| self.sentences.len() - 1);
        }
    }

    fn add_row(&mut self, text: &str) {
        let place = self.sentences.len();
        let introduced_by = self.table_head;
        self.table_head = self.table_head.or(Some(place));
        for text in at_most(text, MAX_SENTENCE_CHARS) {
            self.sentences.push(Sentence { text, introduced_by });
        }
    }
}

fn kind_of(line: &str) -> Line {
    if line.is_empty() {
        return Line::Blank;
    }
    if line.len() >= 3
        && line
            .chars()
            .all(|character| matches!(character, '|' | '-' | ':' | '=' | '*' | ' '))
    {
        return Line::Rule;
    }
    if line.starts_with('|') {
        return Line::Row;
    }
    let bullet = ["- ", "* ", "+ ", "• "].iter().any(|mark| line.starts_with(mark));
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered =
        (1..=3).contains(&digits) && [". ", ") "].iter().any(|mark| line[digits..].starts_with(mark));
    if bullet || numbered {
        Line::Item
    } else {
        Line::Text
    }
}

/// Cuts `text` between words into pieces of at most `limit` characters; a longer word is a piece.
fn at_most(text: &str, limit: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let word_length = word.chars().count();
        match pieces.last_mut() {
            Some(piece) if length + 1 + word_length <= limit => {
                piece.push(' ');
                piece.push_str(word);
                length += 1 + word_length;
            }
            _ => {
                pieces.push(word.to_owned());
                length = word_length;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(passage: &str) -> Vec<String> {
        split(passage).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn a_line_break_is_no_border_and_a_decimal_point_neither() {
        assert_eq!(
            texts("The fee is 3.50 euros\nper day. It is due in May!\n\nNew paragraph."),
            [
                "The fee is 3.50 euros per day.",
                "It is due in May!",
                "New paragraph."
            ]
        );
    }

    #[test]
    fn items_and_rows_name_what_introduces_them() {
        let sentences =
            split("You get:\n\n- 20 days\n- a desk\n\n| Plan | Price |\n|---|---|\n| S | 5 |\n\nThe end.");
        let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "You get:",
                "- 20 days",
                "- a desk",
                "| Plan | Price |",
                "| S | 5 |",
                "The end."
            ]
        );
        let introduced: Vec<_> = sentences.iter().map(|sentence| sentence.introduced_by).collect();
        assert_eq!(introduced, [None, Some(0), Some(0), None, Some(3), None]);
    }

    #[test]
    fn text_without_full_stops_is_cut_between_words() {
        let long = "word ".repeat(300);
        let pieces = texts(&long);
        assert!(pieces.iter().all(|piece| piece.len() <= MAX_SENTENCE_CHARS));
        assert_eq!(pieces.join(" "), long.trim());
    }
}
