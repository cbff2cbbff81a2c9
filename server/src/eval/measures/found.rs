//! How much of what was expected stands in the passages that were found.
//!
//! A text is looked for by its words, so that neither line breaks nor a change of case hide it: a word counts as
//! found where it stands in a passage in a run of [`RUN`] words as the expected text has it. A paragraph that is
//! cut over two chunks counts for the part that each of them holds.

use std::collections::HashSet;
use std::ops::Range;

use lectern_domain::Passage;

use crate::bench::chunking::spans::{length, share, union};
use crate::eval::questions::{ExpectedSpan, is_named};

/// Words in a row that must be the same. A shorter text is looked for as a whole.
const RUN: usize = 5;

/// The part of the words of `texts` that stands in `passages`.
pub fn texts_found(texts: &[String], passages: &[Passage]) -> f64 {
    let passages: Vec<Vec<String>> = passages
        .iter()
        .map(|passage| words(&passage.readable()))
        .collect();
    let (mut there, mut all) = (0, 0);
    for text in texts {
        let wanted = words(text);
        let run = RUN.min(wanted.len()).max(1);
        let runs: HashSet<&[String]> = passages.iter().flat_map(|words| words.windows(run)).collect();
        let mut is_there = vec![false; wanted.len()];
        for (start, window) in wanted.windows(run).enumerate() {
            if runs.contains(window) {
                is_there[start..start + run].fill(true);
            }
        }
        there += is_there.iter().filter(|is_there| **is_there).count();
        all += wanted.len();
    }
    share(there, all)
}

/// The part of the bytes of `spans` that lies in `passages`.
pub fn spans_found(spans: &[ExpectedSpan], passages: &[Passage]) -> f64 {
    let documents: HashSet<&str> = spans.iter().map(|span| span.document.as_str()).collect();
    let (mut there, mut all) = (0, 0);
    for document in documents {
        let wanted: Vec<Range<usize>> = spans
            .iter()
            .filter(|span| span.document == document)
            .map(|span| span.start..span.end)
            .collect();
        let found = passages.iter().filter(|passage| is_named(document, passage));
        let shared = found.flat_map(|passage| {
            let span = passage.span;
            let overlap = move |wanted: &Range<usize>| wanted.start.max(span.start)..wanted.end.min(span.end);
            wanted.iter().map(overlap)
        });
        there += length(&union(shared.collect()));
        all += length(&union(wanted.clone()));
    }
    share(there, all)
}

fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::passage;
    use super::*;

    #[test]
    fn a_text_is_found_across_line_breaks_and_by_the_part_that_is_there() {
        let text = "One two three four five six seven eight nine ten.".to_owned();
        let whole = passage(
            "a",
            0..1,
            "zero one\ntwo, THREE four five six seven eight nine ten eleven",
        );
        assert_eq!(texts_found(std::slice::from_ref(&text), &[whole]), 1.0);
        let half = passage("a", 0..1, "one two three four five");
        let other = passage("a", 0..1, "six seven eight nine ten");
        assert_eq!(
            texts_found(std::slice::from_ref(&text), std::slice::from_ref(&half)),
            0.5
        );
        assert_eq!(texts_found(std::slice::from_ref(&text), &[half, other]), 1.0);
    }

    #[test]
    fn the_same_words_in_another_order_are_another_text() {
        let found = passage("a", 0..1, "five four three two one");
        assert_eq!(
            texts_found(&["one two three four five".to_owned()], &[found]),
            0.0
        );
        let found = passage("a", 0..1, "it was in May");
        assert_eq!(
            texts_found(&["In May".to_owned()], std::slice::from_ref(&found)),
            1.0
        );
        assert_eq!(texts_found(&["in June".to_owned()], &[found]), 0.0);
    }

    #[test]
    fn a_span_counts_once_and_only_in_its_document() {
        let wanted = |start, end| ExpectedSpan {
            document: "a.md".into(),
            start,
            end,
        };
        let spans = [wanted(10, 20), wanted(40, 50)];
        let first = passage("file:///a.md", 0..15, "");
        let same = passage("file:///a.md", 12..18, "");
        let other = passage("file:///b.md", 0..100, "");
        assert_eq!(spans_found(&spans, &[first.clone(), other]), 0.25);
        assert_eq!(spans_found(&spans, &[first, same]), 0.4);
    }
}
