//! Words that no document has which the reader may read, and words that may have been meant.
//!
//! The dictionary holds stems, so a word is looked for by its stems in the languages of the index: those within a
//! letter or two (a Levenshtein automaton over the dictionary; letters that changed places are one error). Which word
//! stood behind a stem is read from a document that the reader may read, and compared with what was typed. Nothing but
//! readable documents counts, neither for what is known nor for what is frequent.

use std::collections::{BTreeMap, BTreeSet};

use lectern_domain::WordField;
use lectern_domain::ports::Correction;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{IndexRecordOption, TantivyDocument, Value};
use tantivy::tokenizer::Token;
use tantivy::{DocAddress, DocSet, Searcher, TERMINATED};

use super::best::Narrowed;
use super::clauses::{fields, languages, stems, term};
use super::engine::Engine;
use super::language::Language;
use super::members::Members;
use super::schema::FIELDS;
use super::tokenizer::{tokens_of, unmarked, unstemmed, unstemmed_in};
use crate::acl_filter::ReaderNames;
use crate::error::Error;

/// A shorter word is too near to too many others.
const SHORTEST_WORD: usize = 4;
/// The longest word that may differ in one letter only.
const LONGEST_WITH_ONE_ERROR: usize = 7;
/// The most words of a text that are looked at.
const MOST_WORDS: usize = 32;
/// The most stems of the dictionary that are compared, for a word and a field of a segment.
const MOST_NEIGHBOURS: usize = 2_000;
/// The most stems whose words are read from documents, and documents for each.
const MOST_STEMS_READ: usize = 8;
const MOST_DOCUMENTS_READ: usize = 3;
/// How many chunks are counted to tell a frequent stem from a rare one.
const MOST_COUNTED: u32 = 1_000;

/// What a reader may read of an index, for spelling.
pub(super) struct Speller<'a> {
    searcher: &'a Searcher,
    readable: Vec<Members>,
}

/// A stem that the reader's documents have.
#[derive(Clone, Debug)]
struct Neighbour {
    stem: String,
    distance: usize,
    chunks: u32,
}

impl Engine {
    pub(super) fn corrections(&self, text: &str, readers: &ReaderNames) -> Result<Vec<Correction>, Error> {
        let searcher = self.searcher();
        let corrected = self
            .speller(&searcher, readers)
            .and_then(|speller| speller.corrections(text));
        corrected.map_err(|error| self.failed("correct words", error))
    }

    pub(super) fn speller<'a>(
        &self,
        searcher: &'a Searcher,
        readers: &ReaderNames,
    ) -> tantivy::Result<Speller<'a>> {
        let narrowed = Narrowed {
            readers,
            filter: None,
        };
        let readable = searcher
            .segment_readers()
            .iter()
            .map(|segment| self.counting_alive(segment, narrowed));
        Ok(Speller {
            searcher,
            readable: readable.collect::<tantivy::Result<_>>()?,
        })
    }
}

impl Speller<'_> {
    fn corrections(&self, text: &str) -> tantivy::Result<Vec<Correction>> {
        let languages = languages(self.searcher)?;
        let mut corrections = Vec::new();
        for token in unstemmed(text).into_iter().take(MOST_WORDS) {
            let Some(stands_there) = text.get(token.offset_from..token.offset_to) else {
                continue;
            };
            // A part of a larger word has no place of its own.
            if unstemmed(stands_there).len() != 1 || !is_spelled(&token.text) {
                continue;
            }
            let stems: Vec<String> = stems(stands_there, &languages).into_iter().flatten().collect();
            if self.is_any_known(&stems)? {
                continue;
            }
            if let Some(corrected) = self.meant_by(&token.text, &stems)? {
                corrections.push(Correction {
                    start: token.offset_from,
                    end: token.offset_to,
                    word: stands_there.to_owned(),
                    corrected,
                });
            }
        }
        Ok(corrections)
    }

    /// Whether a readable chunk has one of the stems.
    pub(super) fn is_any_known(&self, stems: &[String]) -> tantivy::Result<bool> {
        for stem in stems {
            if self.count(stem, 1)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stems that may stand for a word which isn't known, the nearest of them.
    pub(super) fn in_place_of(&self, stems: &[String]) -> tantivy::Result<Vec<String>> {
        let mut neighbours = Vec::new();
        for stem in stems.iter().filter(|stem| is_spelled(stem)) {
            neighbours.extend(self.neighbours(stem, errors_in(stem))?);
        }
        sort(&mut neighbours);
        let nearest = neighbours.first().map(|nearest| nearest.distance);
        let as_near = neighbours
            .into_iter()
            .take_while(|neighbour| Some(neighbour.distance) == nearest);
        Ok(as_near.take(3).map(|neighbour| neighbour.stem).collect())
    }

    /// The word that was most likely meant: the nearest, and of those the most frequent.
    fn meant_by(&self, typed: &str, stems: &[String]) -> tantivy::Result<Option<String>> {
        let mut neighbours = Vec::new();
        for stem in stems {
            // An ending may lose a letter more than the word.
            neighbours.extend(self.neighbours(stem, 2)?);
        }
        sort(&mut neighbours);
        neighbours.dedup_by(|one, other| one.stem == other.stem);
        let mut best: Option<(usize, std::cmp::Reverse<u32>, String)> = None;
        for neighbour in neighbours.into_iter().take(MOST_STEMS_READ) {
            for (word, as_shown) in self.words_behind(&neighbour.stem)? {
                let distance = distance(typed, &word);
                if distance > errors_in(typed) {
                    continue;
                }
                let candidate = (distance, std::cmp::Reverse(neighbour.chunks), as_shown);
                if best.as_ref().is_none_or(|best| candidate < *best) {
                    best = Some(candidate);
                }
            }
        }
        Ok(best.map(|(_, _, word)| word))
    }

    /// The stems of readable chunks within so many errors.
    fn neighbours(&self, stem: &str, errors: usize) -> tantivy::Result<Vec<Neighbour>> {
        let mut near: BTreeSet<String> = BTreeSet::new();
        let errors = u8::try_from(errors).unwrap_or(2).min(2);
        for field in fields(WordField::Any) {
            let wanted = term(*field, stem);
            let in_field = wanted.field();
            let automaton = FuzzyTermQuery::new(wanted, errors, true);
            for segment in self.searcher.segment_readers() {
                let index = segment.inverted_index(in_field)?;
                let mut terms = index.terms().search(automaton.automaton()?).into_stream()?;
                let mut looked_at = 0;
                while looked_at < MOST_NEIGHBOURS && terms.advance() {
                    looked_at += 1;
                    near.insert(String::from_utf8_lossy(terms.key()).into_owned());
                }
            }
        }
        let mut neighbours = Vec::new();
        for near in near {
            let chunks = self.count(&near, MOST_COUNTED)?;
            if chunks > 0 && is_alphabetic(&near) {
                neighbours.push(Neighbour {
                    distance: distance(stem, &near),
                    stem: near,
                    chunks,
                });
            }
        }
        Ok(neighbours)
    }

    /// How many readable chunks have the stem, up to a bound.
    fn count(&self, stem: &str, bound: u32) -> tantivy::Result<u32> {
        let mut count = 0;
        self.for_each_with(stem, |_| {
            count += 1;
            count < bound
        })?;
        Ok(count)
    }

    /// Goes through the readable chunks with a stem until told to stop. A chunk that has it in two fields comes twice.
    fn for_each_with(&self, stem: &str, mut take: impl FnMut(DocAddress) -> bool) -> tantivy::Result<()> {
        for field in fields(WordField::Any) {
            let term = term(*field, stem);
            for (at, (segment, readable)) in
                (0..).zip(self.searcher.segment_readers().iter().zip(&self.readable))
            {
                let index = segment.inverted_index(term.field())?;
                let Some(mut chunks) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                    continue;
                };
                while chunks.doc() != TERMINATED {
                    if readable.contains(chunks.doc()) && !take(DocAddress::new(at, chunks.doc())) {
                        return Ok(());
                    }
                    chunks.advance();
                }
            }
        }
        Ok(())
    }

    /// The words of readable documents with a stem, without diacritics and as they stand there, in lower case.
    fn words_behind(&self, stem: &str) -> tantivy::Result<BTreeMap<String, String>> {
        let mut addresses = Vec::new();
        self.for_each_with(stem, |address| {
            addresses.push(address);
            addresses.len() < MOST_DOCUMENTS_READ
        })?;
        let mut words = BTreeMap::new();
        for address in addresses {
            let stored: TantivyDocument = self.searcher.doc(address)?;
            for field in [FIELDS.title, FIELDS.headings, FIELDS.body] {
                for text in stored.get_all(field).filter_map(|text| text.as_str()) {
                    let (text, language) = unmarked(text);
                    add_words_of(stem, text, language, &mut words);
                }
            }
        }
        Ok(words)
    }
}

fn add_words_of(stem: &str, text: &str, language: Language, words: &mut BTreeMap<String, String>) {
    let with_stem = |(token, _): &(Token, Token)| token.text == stem;
    let tokens = tokens_of(text, language)
        .into_iter()
        .zip(unstemmed_in(text, language));
    for (_, word) in tokens.filter(with_stem) {
        let as_written = text.get(word.offset_from..word.offset_to).unwrap_or_default();
        let is_whole = unstemmed(as_written).len() == 1;
        let shown = if is_whole {
            as_written.to_lowercase()
        } else {
            word.text.clone()
        };
        words.entry(word.text).or_insert(shown);
    }
}

fn sort(neighbours: &mut [Neighbour]) {
    neighbours.sort_by(|one, other| {
        let by_distance = one.distance.cmp(&other.distance);
        by_distance
            .then(other.chunks.cmp(&one.chunks))
            .then(one.stem.cmp(&other.stem))
    });
}

/// How many errors a word may have.
fn errors_in(word: &str) -> usize {
    match word.chars().count() {
        ..=LONGEST_WITH_ONE_ERROR => 1,
        _ => 2,
    }
}

/// Whether a word is written letter by letter, and long enough to be taken for another one.
fn is_spelled(word: &str) -> bool {
    word.chars().count() >= SHORTEST_WORD && is_alphabetic(word)
}

/// Letters of the scripts before Thai: the later ones have many letters of which each says much.
fn is_alphabetic(word: &str) -> bool {
    word.chars().all(|c| c.is_alphabetic() && c < '\u{e00}')
}

/// How many letters are to be added, left out, replaced, or to change places with their neighbour (optimal string
/// alignment), to make one word of another.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.iter().enumerate() {
        let mut next = vec![at + 1; other.len() + 1];
        for (to, wanted) in other.iter().enumerate() {
            let replaced = row[to] + usize::from(letter != wanted);
            let mut least = replaced.min(row[to + 1] + 1).min(next[to] + 1);
            let swapped = at > 0 && to > 0 && one[at - 1] == *wanted && other[to - 1] == *letter;
            if swapped {
                least = least.min(before[to - 1] + 1);
            }
            next[to + 1] = least;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted() {
        for (one, other, errors) in [
            ("", "", 0),
            ("leave", "", 5),
            ("leave", "leave", 0),
            ("leave", "laeve", 1),
            ("leave", "leaves", 1),
            ("receive", "recieve", 1),
            ("kitten", "sitting", 3),
            ("härte", "harte", 1),
        ] {
            assert_eq!(distance(one, other), errors, "{one} {other}");
            assert_eq!(distance(other, one), errors, "{other} {one}");
        }
    }
}
