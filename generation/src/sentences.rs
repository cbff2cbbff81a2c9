//! A passage as sentences that can be handed over singly.
//!
//! Sentence borders are those of Unicode (UAX #29) within a paragraph. Much of a handbook says little
//! without what stands above it: an item without the line before its list, a row without the head of its
//! table, a sentence without its heading. So each sentence names the one that introduces it.

use unicode_segmentation::UnicodeSegmentation;

/// A longer sentence is cut between words: it is a table without rows, or text without full stops.
const MAX_SENTENCE_CHARS: usize = 400;

/// What a sentence is in its passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentenceKind {
    /// A heading.
    Heading,
    /// A sentence of running text.
    Text,
    /// An item of a list, or a sentence of one.
    Item,
    /// A row of a table.
    Row,
}

/// A sentence, a heading, an item of a list or a row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// On one line, without the marks of a heading.
    pub text: String,
    /// What it is.
    pub kind: SentenceKind,
    /// The place of the sentence that introduces this one, among those of the passage.
    pub introduced_by: Option<usize>,
}

/// Cuts a passage into its sentences, in their order.
pub fn split(passage: &str) -> Vec<Sentence> {
    let mut splitter = Splitter::default();
    for line in passage.lines() {
        splitter.take(line.trim());
    }
    splitter.end_paragraph();
    splitter.sentences
}

/// What a line of Markdown is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Blank,
    Heading,
    Item,
    Row,
    Rule,
    Text,
}

#[derive(Default)]
struct Splitter {
    sentences: Vec<Sentence>,
    /// The paragraph or item that is being read.
    paragraph: String,
    in_item: bool,
    heading: Option<usize>,
    /// The sentence with a colon before the list that is being read.
    introduction: Option<usize>,
    table_head: Option<usize>,
}

impl Splitter {
    fn take(&mut self, line: &str) {
        let kind = kind_of(line);
        if !matches!(kind, Line::Row | Line::Rule) {
            self.table_head = None;
        }
        match kind {
            Line::Blank => self.end_paragraph(),
            Line::Rule => {}
            Line::Heading => {
                self.end_paragraph();
                self.introduction = None;
                self.heading = Some(self.sentences.len());
                self.add(line.trim_start_matches('#').trim(), SentenceKind::Heading, None);
            }
            Line::Item => {
                self.end_paragraph();
                self.introduction = self.introduction.or_else(|| self.sentence_with_a_colon());
                self.in_item = true;
                self.paragraph.push_str(line);
            }
            Line::Row => {
                self.end_paragraph();
                let head = self.sentences.len();
                self.add(line, SentenceKind::Row, self.table_head.or(self.heading));
                self.table_head = self.table_head.or(Some(head));
            }
            Line::Text => {
                if !self.paragraph.is_empty() {
                    self.paragraph.push(' ');
                }
                self.paragraph.push_str(line);
            }
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if paragraph.is_empty() {
            return;
        }
        let (kind, introduced_by) = if std::mem::take(&mut self.in_item) {
            (SentenceKind::Item, self.introduction.or(self.heading))
        } else {
            self.introduction = None;
            (SentenceKind::Text, self.heading)
        };
        // The number of an item ends in a full stop, and is no sentence.
        let (mut mark, text) = match kind {
            SentenceKind::Item => paragraph.split_at(marker_length(&paragraph)),
            _ => ("", paragraph.as_str()),
        };
        for sentence in text.unicode_sentences() {
            self.add(&format!("{mark}{sentence}"), kind, introduced_by);
            mark = "";
        }
    }

    fn add(&mut self, text: &str, kind: SentenceKind, introduced_by: Option<usize>) {
        // Marks of emphasis are tokens that say nothing.
        let plain = text.replace("**", "").replace('`', "");
        for text in at_most(&plain, MAX_SENTENCE_CHARS) {
            self.sentences.push(Sentence {
                text,
                kind,
                introduced_by,
            });
        }
    }

    fn sentence_with_a_colon(&self) -> Option<usize> {
        let last = self.sentences.len().checked_sub(1)?;
        self.sentences[last].text.ends_with(':').then_some(last)
    }
}

fn kind_of(line: &str) -> Line {
    if line.is_empty() {
        return Line::Blank;
    }
    let is_rule = |character| matches!(character, '|' | '-' | ':' | '=' | '*' | '_' | ' ');
    if line.len() >= 3 && line.chars().all(is_rule) {
        return Line::Rule;
    }
    if line.starts_with('#') {
        return Line::Heading;
    }
    if line.starts_with('|') {
        return Line::Row;
    }
    if marker_length(line) > 0 {
        Line::Item
    } else {
        Line::Text
    }
}

/// How many bytes of a line are the mark of a list's item; 0 where it is none.
fn marker_length(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let marks: &[&str] = match digits {
        0 => &["- ", "* ", "+ ", "• "],
        1..=3 => &[". ", ") "],
        _ => &[],
    };
    marks
        .iter()
        .find(|mark| line[digits..].starts_with(**mark))
        .map_or(0, |mark| digits + mark.len())
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
    fn each_sentence_names_what_introduces_it() {
        let passage = "## Start\nYou get:\n\n- **20** days\n- a desk\n  by the window\n\n| Plan | Price |\n|---|---|\n| S | 5 |\n\nThe end.";
        let sentences = split(passage);
        let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "Start",
                "You get:",
                "- 20 days",
                "- a desk by the window",
                "| Plan | Price |",
                "| S | 5 |",
                "The end."
            ]
        );
        let introduced: Vec<_> = sentences.iter().map(|sentence| sentence.introduced_by).collect();
        assert_eq!(
            introduced,
            [None, Some(0), Some(1), Some(1), Some(0), Some(4), Some(0)]
        );
    }

    #[test]
    fn the_number_of_an_item_is_no_sentence() {
        assert_eq!(
            texts("1. Call us. Wait.\n2) Go."),
            ["1. Call us.", "Wait.", "2) Go."]
        );
        assert_eq!(
            texts("In 2024.\n\n1984 is a book."),
            ["In 2024.", "1984 is a book."]
        );
    }

    #[test]
    fn text_without_full_stops_is_cut_between_words() {
        let long = "word ".repeat(300);
        let pieces = texts(&long);
        assert!(pieces.iter().all(|piece| piece.len() <= MAX_SENTENCE_CHARS));
        assert_eq!(pieces.join(" "), long.trim());
    }
}
