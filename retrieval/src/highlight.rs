//! What of a passage is shown in bold, and which sentence of it answers.
//!
//! Words are found as the index finds them, by their stems in the language of the document, phrases as a whole and
//! synonyms like what they stand for. Words that every text has are not marked. Nothing here reads an index: both are
//! functions of the texts.

use std::collections::HashSet;

use lectern_domain::{Occurrence, TextSpan, WordField, WordQuery};
use unicode_segmentation::UnicodeSegmentation;

use crate::confidence::{Unit, units};
use crate::words::{StopWords, Word, wordings, words_in};

/// The share of the question, by the weight of its words, that an answer has to cover.
const LEAST_COVERAGE: f64 = 0.6;
/// How much more of the question a second sentence has to cover.
const LEAST_GAIN: f64 = 0.2;
/// The fewest words of the question that an answer has, where the question has as many.
const LEAST_WORDS: usize = 2;
/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 600;

/// Where a text has what was asked for, in bytes, in order and apart from each other. `place` is what the text is:
/// a title, a heading or a text. `language` is the attribute of that name of its document.
pub fn spans(query: &WordQuery, text: &str, place: WordField, language: Option<&str>) -> Vec<TextSpan> {
    let stop_words = StopWords::of(language);
    let words = words_in(text, language);
    let mut spans = Vec::new();
    let wanted = query.clauses.iter().filter(|clause| {
        clause.occurrence != Occurrence::MustNot
            && (clause.field == WordField::Any || place == WordField::Any || clause.field == place)
    });
    for clause in wanted {
        for wording in wordings(clause, language) {
            if wording.is_phrase {
                let runs = words.windows(wording.words.len());
                let runs = runs.filter(|run| run.iter().map(|word| &word.stem).eq(&wording.words));
                spans.extend(runs.filter_map(|run| Some(around(run.first()?, run.last()?))));
                continue;
            }
            let stems: HashSet<&String> = wording.words.iter().collect();
            let is_one = wording.words.len() == 1;
            let found = words.iter().filter(|word| stems.contains(&word.stem));
            let found =
                found.filter(|word| is_one || !stop_words.contain(word.span.of(text).unwrap_or_default()));
            spans.extend(found.map(|word| word.span));
        }
    }
    spans.retain(|span| span.of(text).is_some_and(|marked| !marked.is_empty()));
    apart(spans)
}

fn around(first: &Word, last: &Word) -> TextSpan {
    TextSpan {
        start: first.span.start,
        end: last.span.end,
    }
}

/// The spans in order, those that overlap as one.
fn apart(mut spans: Vec<TextSpan>) -> Vec<TextSpan> {
    spans.sort_unstable();
    let mut apart: Vec<TextSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

/// A sentence and its words.
struct Sentence {
    span: TextSpan,
    stems: HashSet<String>,
}

/// The sentence, or the two, that cover most of a question's words of content, in bytes of the text; what means the same
/// covers a word like the word itself. Words that few sentences of the text have count more. `None` where nothing covers
/// enough of the question to answer it.
pub fn answer(query: &WordQuery, text: &str, language: Option<&str>) -> Option<TextSpan> {
    let stop_words = StopWords::of(language);
    let wanted = units(query, language, |written| !stop_words.contain(written));
    let sentences = sentences(text, language);
    let weights = weights(&wanted, &sentences);
    let total: f64 = weights.iter().sum();
    if total == 0.0 {
        return None;
    }
    let covered = |some: &[Sentence]| -> (f64, usize) {
        let is_said = |unit: &Unit| some.iter().any(|sentence| unit.is_said(&sentence.stems));
        let there = wanted.iter().zip(&weights).filter(|(unit, _)| is_said(unit));
        let there: Vec<f64> = there.map(|(_, weight)| *weight).collect();
        (there.iter().sum::<f64>() / total, there.len())
    };
    let mut best: Option<(f64, TextSpan)> = None;
    for count in [1, 2] {
        for some in sentences.windows(count) {
            let (coverage, words) = covered(some);
            let (Some(first), Some(last)) = (some.first(), some.last()) else {
                continue;
            };
            let span = TextSpan {
                start: first.span.start,
                end: last.span.end,
            };
            let has_enough = coverage >= LEAST_COVERAGE && words >= LEAST_WORDS.min(wanted.len());
            let gain = if count == 1 { 0.0 } else { LEAST_GAIN };
            let is_better = best.is_none_or(|(best, _)| coverage > best + gain);
            if has_enough && is_better && span.len() <= LONGEST_ANSWER {
                best = Some((coverage, span));
            }
        }
    }
    best.map(|(_, span)| span)
}

/// How much each word counts, by how many sentences have it.
fn weights(wanted: &[Unit], sentences: &[Sentence]) -> Vec<f64> {
    let all = sentences.len() as f64;
    let weight = |unit: &Unit| {
        let with = sentences.iter().filter(|sentence| unit.is_said(&sentence.stems));
        (1.0 + (all + 1.0) / (with.count() as f64 + 1.0)).ln()
    };
    wanted.iter().map(weight).collect()
}

/// The sentences of a text: those of Unicode (UAX #29) within a line.
fn sentences(text: &str, language: Option<&str>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        for (at, sentence) in line.split_sentence_bound_indices() {
            let trimmed = sentence.trim_start();
            let start = line_start + at + (sentence.len() - trimmed.len());
            let trimmed = trimmed.trim_end();
            if trimmed.is_empty() {
                continue;
            }
            sentences.push(Sentence {
                span: TextSpan {
                    start,
                    end: start + trimmed.len(),
                },
                stems: words_in(trimmed, language)
                    .into_iter()
                    .map(|word| word.stem)
                    .collect(),
            });
        }
        line_start += line.len();
    }
    sentences
}

#[cfg(test)]
mod tests {
    use lectern_domain::WordClause;
    use proptest::prelude::*;

    use super::*;
    use crate::query_language;

    fn marked<'a>(query: &str, text: &'a str) -> Vec<&'a str> {
        let query = query_language::read(query, |_| false).words;
        let spans = spans(&query, text, WordField::Text, None);
        spans.into_iter().filter_map(|span| span.of(text)).collect()
    }

    #[test]
    fn words_are_marked_by_their_stems() {
        let text = "Parents take leaves. The leave of a parent is paid; leaving isn't.";
        assert_eq!(
            marked("What is parental leave of the parents?", text),
            ["Parents", "leaves", "leave", "parent", "leaving"]
        );
        assert!(marked("-leave", text).is_empty());
        assert!(marked("what is of the", "What is of the").is_empty());
        assert_eq!(marked("café", "A CAFE, and a Café."), ["CAFE", "Café"]);
    }

    #[test]
    fn phrases_are_marked_whole() {
        let text = "Paid time off: time off is paid. Pay for times off.";
        assert_eq!(
            marked("\"time off\"", text),
            ["time off", "time off", "times off"]
        );
        assert_eq!(marked("\"paid time off\" pay", text), ["Paid time off", "Pay"]);
    }

    #[test]
    fn synonyms_are_marked() {
        let query = WordQuery {
            clauses: vec![WordClause {
                text: "pto".into(),
                synonyms: vec!["annual leave".into()],
                ..WordClause::default()
            }],
            ..WordQuery::default()
        };
        let text = "Annual leave is PTO. Leave annual things.";
        let spans = spans(&query, text, WordField::Text, None);
        let marked: Vec<_> = spans.into_iter().filter_map(|span| span.of(text)).collect();
        assert_eq!(marked, ["Annual leave", "PTO"]);
    }

    #[test]
    fn a_word_of_another_field_is_not_marked() {
        let query = query_language::read("title:leave", |_| false).words;
        assert_eq!(spans(&query, "Leave", WordField::Title, None).len(), 1);
        assert!(spans(&query, "Leave", WordField::Text, None).is_empty());
    }

    const TEXT: &str = "# Leave\nWe like our people. Parental leave lasts 20 weeks for each parent. Sick leave is \
        reported to the manager before nine.\nHolidays are booked in the portal. Requests need two weeks.";

    #[test]
    fn the_sentence_that_has_the_words_answers() {
        let of = |question: &str| {
            let span = answer(&WordQuery::plain(question), TEXT, Some("en"))?;
            span.of(TEXT)
        };
        assert_eq!(
            of("How many weeks does parental leave last?"),
            Some("Parental leave lasts 20 weeks for each parent.")
        );
        assert_eq!(
            of("Where are holidays booked, and how many weeks do requests need?"),
            Some("Holidays are booked in the portal. Requests need two weeks.")
        );
        assert_eq!(of("Who repairs the coffee machine?"), None);
        assert_eq!(of("Is leave taxed in Norway by the state?"), None);
        assert_eq!(of("what is it?"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn a_sentence_that_says_it_in_other_words_answers() {
        let query = WordQuery {
            clauses: vec![
                WordClause {
                    text: "where is".into(),
                    ..WordClause::default()
                },
                WordClause {
                    text: "pto".into(),
                    synonyms: vec!["holidays".into()],
                    ..WordClause::default()
                },
                WordClause {
                    text: "booked".into(),
                    ..WordClause::default()
                },
            ],
            ..WordQuery::default()
        };
        let span = answer(&query, TEXT, Some("en")).and_then(|span| span.of(TEXT));
        assert_eq!(span, Some("Holidays are booked in the portal."));
        let typed = answer(&WordQuery::plain("where is pto booked"), TEXT, Some("en"));
        assert_eq!(typed, None, "one of two words");
    }

    proptest! {
        #[test]
        fn spans_fit_the_text(query in any::<String>(), text in any::<String>()) {
            let all = spans(&WordQuery::plain(query.clone()), &text, WordField::Text, None);
            prop_assert!(all.iter().all(|span| span.of(&text).is_some_and(|text| !text.is_empty())));
            prop_assert!(all.windows(2).all(|pair| pair[0].end <= pair[1].start));
            let answered = answer(&WordQuery::plain(query), &text, None);
            prop_assert!(answered.is_none_or(|span| span.of(&text).is_some()));
        }

        #[test]
        fn a_text_answers_itself(words in proptest::collection::vec("[b-z]{5,8}", 3..9)) {
            let sentence = words.join(" ");
            let text = format!("Nothing here. {sentence}. Nor here.");
            let span = answer(&WordQuery::plain(&sentence), &text, None);
            prop_assert!(span.and_then(|span| span.of(&text)).is_some_and(|text| text.contains(&sentence)));
        }
    }
}
