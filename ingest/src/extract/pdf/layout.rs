//! From the pages to one text: lines become paragraphs, words that were broken at the end of a line become whole,
//! numbered headings are recognised. Spans count bytes of the text that is made here, so they are exact.

use lectern_domain::{Block, BlockKind, TextSpan};

use crate::extract::read::title_line;

/// A line of a paragraph is full, and goes on in the next, when it has this part of the usual length.
const FULL_LINE_SHARE: f64 = 0.6;

/// Lines of a paragraph are at least this long, in characters; shorter ones are lists, addresses, tables.
const SHORTEST_PARAGRAPH_LINE: usize = 30;

/// A heading has at most so many characters.
const LONGEST_HEADING: usize = 80;

/// The text of all pages, and the blocks in it.
pub(super) fn lay_out(pages: &[Result<String, String>]) -> (String, Vec<Block>) {
    let mut text = String::new();
    let mut blocks = Vec::new();
    let mut numbering = Numbering::default();
    for (number, page) in (1_u32..).zip(pages) {
        let Ok(page) = page else { continue };
        let clean = clean(page);
        for paragraph in paragraphs(&clean) {
            let (heading, body) = numbering.split_heading(paragraph);
            if let Some((level, line)) = heading {
                let title = title_line(line).unwrap_or_default();
                push(
                    &mut text,
                    &mut blocks,
                    line.to_owned(),
                    BlockKind::Heading { level, title },
                    number,
                );
            }
            push(&mut text, &mut blocks, reflow(body), BlockKind::Paragraph, number);
        }
    }
    (text, blocks)
}

fn push(text: &mut String, blocks: &mut Vec<Block>, piece: String, kind: BlockKind, page: u32) {
    if piece.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let start = text.len();
    text.push_str(&piece);
    blocks.push(Block {
        kind,
        span: TextSpan {
            start,
            end: text.len(),
        },
        page: Some(page),
    });
}

/// The page with letters for ligatures, spaces for special ones, and without what isn't printed.
fn clean(page: &str) -> String {
    let mut clean = String::with_capacity(page.len());
    for character in page.chars() {
        match character {
            'ﬀ' => clean.push_str("ff"),
            'ﬁ' => clean.push_str("fi"),
            'ﬂ' => clean.push_str("fl"),
            'ﬃ' => clean.push_str("ffi"),
            'ﬄ' => clean.push_str("ffl"),
            'ﬅ' | 'ﬆ' => clean.push_str("st"),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => clean.push(' '),
            '\n' | '\t' => clean.push(character),
            '\u{ad}' | '\u{200b}' | '\u{feff}' | char::REPLACEMENT_CHARACTER => {}
            control if control.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}

/// The lines of each paragraph, which stand between blank lines.
fn paragraphs(page: &str) -> Vec<Vec<&str>> {
    let mut paragraphs: Vec<Vec<&str>> = vec![Vec::new()];
    for line in page.lines().map(str::trim) {
        if !line.is_empty() {
            paragraphs.last_mut().into_iter().for_each(|open| open.push(line));
        } else if paragraphs.last().is_some_and(|open| !open.is_empty()) {
            paragraphs.push(Vec::new());
        }
    }
    paragraphs.retain(|lines| !lines.is_empty());
    paragraphs
}

/// Joins the lines of running text, and keeps the lines of what isn't.
fn reflow(lines: Vec<&str>) -> String {
    let usual = usual_length(&lines);
    let is_running = usual >= SHORTEST_PARAGRAPH_LINE;
    let mut text = String::new();
    let mut last_is_full = false;
    for line in lines {
        if !text.is_empty() {
            let begins_low = line.chars().next().is_some_and(char::is_lowercase);
            if begins_low && ends_in_broken_word(&text) {
                text.pop();
            } else if is_running && last_is_full && !is_list_item(line) {
                text.push(' ');
            } else {
                text.push('\n');
            }
        }
        last_is_full = line.chars().count() as f64 >= FULL_LINE_SHARE * usual as f64 && !is_row(line);
        text.push_str(line);
    }
    text
}

/// The length of a line in the middle, when all but the last are sorted by length. The longest would say less: where an
/// engine has put a broken word together, two lines are one.
fn usual_length(lines: &[&str]) -> usize {
    let mut lengths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    if lengths.len() > 1 {
        lengths.pop();
    }
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

/// Whether the text ends with a letter and a hyphen: with a lower-case letter after it, a word goes on.
fn ends_in_broken_word(text: &str) -> bool {
    let mut backwards = text.chars().rev();
    backwards.next() == Some('-') && backwards.next().is_some_and(char::is_alphabetic)
}

/// Whether a line is a row of a table: columns with gaps between them, or mostly figures.
fn is_row(line: &str) -> bool {
    let words = line.split_whitespace().count();
    let figures = line
        .split_whitespace()
        .filter(|word| word.contains(|character: char| character.is_ascii_digit()))
        .count();
    line.matches("   ").count() >= 2 || (words >= 4 && figures * 2 >= words)
}

fn is_list_item(line: &str) -> bool {
    line.starts_with(['•', '◦', '▪', '‣', '–', '*']) || line.starts_with("- ")
}

/// Recognises headings by their numbers, which count on: after 2.1 comes 2.2, 3 or 2.1.1. A row of a table
/// or an item of a list begins with a number too, but hardly ever with the next one.
#[derive(Default)]
struct Numbering {
    last: Vec<u32>,
}

impl Numbering {
    /// The heading that a paragraph begins with, its level, and the other lines.
    fn split_heading<'a>(&mut self, lines: Vec<&'a str>) -> (Option<(u8, &'a str)>, Vec<&'a str>) {
        let Some((&first, rest)) = lines.split_first() else {
            return (None, lines);
        };
        let named = matches!(
            first.to_lowercase().as_str(),
            "abstract" | "references" | "bibliography" | "appendix"
        );
        if named {
            return (Some((1, first)), rest.to_vec());
        }
        match numbered(first).filter(|numbers| self.counts_on(numbers)) {
            Some(numbers) => {
                let level = u8::try_from(numbers.len()).unwrap_or(6).min(6);
                self.last = numbers;
                (Some((level, first)), rest.to_vec())
            }
            None => (None, lines),
        }
    }

    /// Whether `numbers` follow those of the last heading. One may be missing in between, as a page may have been
    /// misread.
    fn counts_on(&self, numbers: &[u32]) -> bool {
        let depth = numbers.len();
        let Some((own, above)) = numbers.split_last() else {
            return false;
        };
        if depth > self.last.len() + 1 || self.last.get(..depth - 1) != Some(above) {
            return false;
        }
        let before = self.last.get(depth - 1).copied().unwrap_or(0);
        (before + 1..=before + 2).contains(own)
    }
}

/// The numbers of a line such as `3.2 Model architecture`, where it can be a heading.
fn numbered(line: &str) -> Option<Vec<u32>> {
    if line.chars().count() > LONGEST_HEADING || line.ends_with(['.', ',', ';', ':']) || is_row(line) {
        return None;
    }
    let (number, title) = line.split_once(' ')?;
    let numbers: Option<Vec<u32>> = number
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().ok().filter(|part| (1..100).contains(part)))
        .collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4)?;
    let title = title.trim_start();
    let begins_high = title.chars().next().is_some_and(char::is_uppercase);
    let letters = title
        .chars()
        .filter(|character| character.is_alphabetic())
        .count();
    (begins_high && letters >= 4 && letters * 10 >= title.chars().count() * 7).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(pages: &[&str]) -> Vec<String> {
        let pages: Vec<Result<String, String>> = pages.iter().map(|page| Ok((*page).to_owned())).collect();
        let (text, blocks) = lay_out(&pages);
        blocks
            .iter()
            .map(|block| {
                let kind = match &block.kind {
                    BlockKind::Heading { level, .. } => format!("h{level}"),
                    other => format!("{other:?}"),
                };
                format!(
                    "{} {kind} {:?}",
                    block.page.unwrap(),
                    block.span.of(&text).unwrap()
                )
            })
            .collect()
    }

    #[test]
    fn lines_become_paragraphs_and_broken_words_whole() {
        let page = "Abstract\nWe present an eﬃcient method for train-\ning models that answer questions about\ndocuments.\n\n1 Introduction\n\
                    Language models are trained on large collec-\ntions of text.\n\nSystem   Dev   Test\nOurs   80.5   81.0\n";
        insta::assert_snapshot!(blocks(&[page]).join("\n"), @r#"
        1 h1 "Abstract"
        1 Paragraph "We present an efficient method for training models that answer questions about documents."
        1 h1 "1 Introduction"
        1 Paragraph "Language models are trained on large collections of text."
        1 Paragraph "System   Dev   Test\nOurs   80.5   81.0"
        "#);
    }

    #[test]
    fn headings_count_on() {
        let pages = [
            "1 Introduction\n\n12 Human performance\n\n2 Model\n\n2.1 Encoder layers",
            "2.2 Decoder\n\n4.1 Results\n\n4 Results\n\n3 Apples and pears",
        ];
        insta::assert_snapshot!(blocks(&pages).join("\n"), @r#"
        1 h1 "1 Introduction"
        1 Paragraph "12 Human performance"
        1 h1 "2 Model"
        1 h2 "2.1 Encoder layers"
        2 h2 "2.2 Decoder"
        2 Paragraph "4.1 Results"
        2 h1 "4 Results"
        2 Paragraph "3 Apples and pears"
        "#);
    }
}
