//! Chunks that have what was typed so far as a phrase, of which the last word may go on.
//!
//! The dictionary holds stems, so a word that is being typed stands behind terms that begin like it, behind its own
//! stem, and behind shorter ones: who has typed `universit` means what is behind `univers`. A shorter term may stand for
//! another word, too. That does no harm, because phrases are cut from texts by their letters ([`crate::phrases`]), but
//! it takes room, so what is behind shorter terms never gets more than half of it where there is enough else.
//!
//! Where many chunks have the phrase, some of them are given from all over the index, so that what many of them say is
//! said by many of these. Only chunks that the reader may read count, whatever others have.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lectern_domain::ChunkId;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};

use super::best::Narrowed;
use super::clauses::languages;
use super::columns::Columns;
use super::engine::Engine;
use super::language::Language;
use super::members::Members;
use super::schema::FIELDS;
use super::tokenizer::{tokens_of, unstemmed_in};
use crate::acl_filter::ReaderNames;
use crate::error::Error;

/// A shorter beginning of a word stands for too many: any word may follow then.
const SHORTEST_BEGINNING: usize = 2;
/// The shortest stem that a longer beginning may stand behind, and how much shorter it may be.
const SHORTEST_STEM: usize = 3;
const LONGEST_ENDING: usize = 6;
/// The most terms of a dictionary that a beginning stands for.
const MOST_TERMS: usize = 2_000;
/// The most chunks of a segment in which places are looked at, for a word and a field.
const MOST_CHUNKS: usize = 20_000;

/// What was typed, cut into words in one of the ways of the languages.
struct Typed {
    /// Words that are whole, each by its stems.
    whole: Vec<Vec<String>>,
    last: Option<Beginning>,
}

/// A word that may go on: what there is of it, and its stems if that is all.
struct Beginning {
    letters: String,
    stems: Vec<String>,
}

/// Chunks of a segment, each with the places where the next word must stand.
type Places = HashMap<u32, Vec<u32>>;

/// Chunks of all segments, by how surely they have what was typed: those with a term that begins like the last word
/// first, then those with ever shorter terms alone. Each chunk once.
type BySureness = Vec<Vec<Members>>;

impl Engine {
    /// Up to `limit` readable chunks. `goes_on` says whether the last word may.
    pub(super) fn with_phrase(
        &self,
        typed: &str,
        goes_on: bool,
        readers: &ReaderNames,
        limit: usize,
    ) -> Result<Vec<ChunkId>, Error> {
        let searcher = self.searcher();
        let found = self
            .matching_phrase(&searcher, typed, goes_on, readers)
            .and_then(|found| chunks_of(&searcher, &chosen(&found, limit)));
        found.map_err(|error| self.failed("look for phrases", error))
    }

    fn matching_phrase(
        &self,
        searcher: &Searcher,
        typed: &str,
        goes_on: bool,
        readers: &ReaderNames,
    ) -> tantivy::Result<BySureness> {
        let narrowed = Narrowed {
            readers,
            filter: None,
        };
        let ways = ways(typed, goes_on, &languages(searcher)?);
        let mut found = vec![Vec::new(); 1 + LONGEST_ENDING];
        for segment in searcher.segment_readers() {
            let readable = self.counting_alive(segment, narrowed)?;
            let mut by_sureness = vec![Members::none(segment.max_doc()); found.len()];
            for field in [FIELDS.headings, FIELDS.body] {
                let of_field = OfField::new(segment, field, &readable)?;
                for way in &ways {
                    of_field.add(way, &mut by_sureness)?;
                }
            }
            let mut surer = Members::none(segment.max_doc());
            for (all, mut of_segment) in found.iter_mut().zip(by_sureness) {
                of_segment.subtract(&surer);
                surer.unite(&of_segment);
                all.push(of_segment);
            }
        }
        Ok(found)
    }
}

/// The ways in which the languages of an index cut what was typed: mostly one, and that of Japanese beside it.
fn ways(typed: &str, goes_on: bool, known: &[Language]) -> Vec<Typed> {
    let (japanese, stemmed): (Vec<Language>, Vec<Language>) = known
        .iter()
        .partition(|language| **language == Language::Japanese);
    let ways = [stemmed, japanese].into_iter();
    ways.filter_map(|languages| way(typed, goes_on, &languages))
        .collect()
}

/// The way of languages that cut alike.
fn way(typed: &str, goes_on: bool, languages: &[Language]) -> Option<Typed> {
    let letters = unstemmed_in(typed, *languages.first()?);
    let mut stems: Vec<Vec<String>> = vec![Vec::new(); letters.len()];
    for language in languages {
        for (stems, token) in stems.iter_mut().zip(tokens_of(typed, *language)) {
            if !stems.contains(&token.text) {
                stems.push(token.text);
            }
        }
    }
    if !goes_on {
        return (!stems.is_empty()).then_some(Typed {
            whole: stems,
            last: None,
        });
    }
    let last = Beginning {
        letters: letters.into_iter().next_back()?.text,
        stems: stems.pop()?,
    };
    let is_long_enough = last.letters.chars().count() >= SHORTEST_BEGINNING;
    (is_long_enough || !stems.is_empty()).then_some(Typed {
        whole: stems,
        last: is_long_enough.then_some(last),
    })
}

/// A field of a segment.
struct OfField<'a> {
    index: Arc<InvertedIndexReader>,
    field: Field,
    readable: &'a Members,
}

impl<'a> OfField<'a> {
    fn new(segment: &SegmentReader, field: Field, readable: &'a Members) -> tantivy::Result<Self> {
        Ok(Self {
            index: segment.inverted_index(field)?,
            field,
            readable,
        })
    }

    fn add(&self, typed: &Typed, found: &mut [Members]) -> tantivy::Result<()> {
        let Some((surely, shortened)) = found.split_first_mut() else {
            return Ok(());
        };
        let places = self.after(&typed.whole)?;
        let Some(last) = &typed.last else {
            for chunk in places.iter().flat_map(HashMap::keys) {
                surely.insert(*chunk);
            }
            return Ok(());
        };
        if places.as_ref().is_some_and(HashMap::is_empty) {
            return Ok(());
        }
        let mut terms = self.index.terms().range().ge(&last.letters).into_stream()?;
        let mut looked_at = 0;
        while looked_at < MOST_TERMS && terms.advance() && terms.key().starts_with(last.letters.as_bytes()) {
            looked_at += 1;
            let option = option_for(places.as_ref());
            let chunks = self.index.read_postings_from_terminfo(terms.value(), option)?;
            self.insert(chunks, places.as_ref(), surely);
        }
        for stem in &last.stems {
            self.insert_with_term(stem, places.as_ref(), surely)?;
        }
        for (stem, found) in shorter(&last.letters).into_iter().zip(shortened) {
            self.insert_with_term(stem, places.as_ref(), found)?;
        }
        Ok(())
    }

    /// Where the words stand one after the other; `None` where there are none.
    fn after(&self, words: &[Vec<String>]) -> tantivy::Result<Option<Places>> {
        let mut places: Option<Places> = None;
        let mut buffer = Vec::new();
        for stems in words {
            let mut next = Places::new();
            for stem in stems {
                let Some(mut chunks) = self.postings(stem, IndexRecordOption::WithFreqsAndPositions)? else {
                    continue;
                };
                while chunks.doc() != TERMINATED && next.len() < MOST_CHUNKS {
                    let chunk = chunks.doc();
                    let wanted = match &places {
                        None => self.readable.contains(chunk).then_some(None),
                        Some(places) => places.get(&chunk).map(Some),
                    };
                    if let Some(wanted) = wanted {
                        chunks.positions(&mut buffer);
                        let here = buffer
                            .iter()
                            .filter(|place| wanted.is_none_or(|all| all.contains(place)));
                        let mut after = here.map(|place| place + 1).peekable();
                        if after.peek().is_some() {
                            next.entry(chunk).or_default().extend(after);
                        }
                    }
                    chunks.advance();
                }
            }
            places = Some(next);
        }
        Ok(places)
    }

    fn postings(&self, word: &str, option: IndexRecordOption) -> tantivy::Result<Option<SegmentPostings>> {
        let term = Term::from_field_text(self.field, word);
        Ok(self.index.read_postings(&term, option)?)
    }

    fn insert_with_term(
        &self,
        word: &str,
        places: Option<&Places>,
        found: &mut Members,
    ) -> tantivy::Result<()> {
        if let Some(chunks) = self.postings(word, option_for(places))? {
            self.insert(chunks, places, found);
        }
        Ok(())
    }

    /// Inserts the readable chunks of a term, those where it stands in one of the places.
    fn insert(&self, mut chunks: SegmentPostings, places: Option<&Places>, found: &mut Members) {
        let mut buffer = Vec::new();
        while chunks.doc() != TERMINATED {
            let chunk = chunks.doc();
            let stands_there = match places {
                None => self.readable.contains(chunk),
                Some(places) => places.get(&chunk).is_some_and(|wanted| {
                    chunks.positions(&mut buffer);
                    buffer.iter().any(|place| wanted.contains(place))
                }),
            };
            if stands_there {
                found.insert(chunk);
            }
            chunks.advance();
        }
    }
}

fn option_for(places: Option<&Places>) -> IndexRecordOption {
    match places {
        None => IndexRecordOption::Basic,
        Some(_) => IndexRecordOption::WithFreqsAndPositions,
    }
}

/// What is left of a word without one of its last letters, without two of them and so on.
fn shorter(letters: &str) -> Vec<&str> {
    let ends: Vec<usize> = letters.char_indices().map(|(at, _)| at).collect();
    let shorter = ends.iter().skip(SHORTEST_STEM).rev().take(LONGEST_ENDING);
    shorter.filter_map(|end| letters.get(..*end)).collect()
}

/// Up to `limit` chunks, by segment and number.
fn chosen(found: &BySureness, limit: usize) -> BTreeSet<(usize, u32)> {
    let Some((surely, shortened)) = found.split_first() else {
        return BTreeSet::new();
    };
    let others: usize = shortened.iter().map(|members| size(members)).sum();
    let mut chosen = BTreeSet::new();
    chosen.extend(evenly(surely, limit - others.min(limit / 2)));
    for members in shortened {
        let room = limit - chosen.len();
        chosen.extend(evenly(members, room));
    }
    chosen
}

fn size(members: &[Members]) -> usize {
    members.iter().map(|members| members.count() as usize).sum()
}

/// So many of the chunks, as far apart as can be.
fn evenly(members: &[Members], count: usize) -> impl Iterator<Item = (usize, u32)> {
    let all = size(members);
    let numbers = (0..).zip(members);
    let chunks = numbers.flat_map(|(segment, members)| members.iter().map(move |number| (segment, number)));
    let taken = (0_usize..)
        .zip(chunks)
        .filter(move |(at, _)| count > 0 && at * count % all < count);
    taken.map(|(_, chunk)| chunk)
}

fn chunks_of(searcher: &Searcher, chosen: &BTreeSet<(usize, u32)>) -> tantivy::Result<Vec<ChunkId>> {
    let mut chunks = Vec::with_capacity(chosen.len());
    for (at, segment) in searcher.segment_readers().iter().enumerate() {
        let numbers = chosen.range((at, 0)..=(at, u32::MAX));
        let numbers: Vec<u32> = numbers.map(|(_, number)| *number).collect();
        if !numbers.is_empty() {
            let columns = Columns::of(segment)?;
            chunks.extend(numbers.into_iter().filter_map(|number| columns.chunk(number)));
        }
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(size: u32, numbers: impl IntoIterator<Item = u32>) -> Members {
        let mut members = Members::none(size);
        numbers.into_iter().for_each(|number| members.insert(number));
        members
    }

    #[test]
    fn a_word_stands_behind_shorter_stems() {
        assert_eq!(
            shorter("universit"),
            ["universi", "univers", "univer", "unive", "univ", "uni"]
        );
        assert_eq!(shorter("été"), [""; 0]);
        assert_eq!(shorter("écol"), ["éco"]);
    }

    #[test]
    fn of_many_chunks_some_are_taken_from_all_over() {
        let members = [members(100, 0..70), members(50, 10..40)];
        let taken: Vec<_> = evenly(&members, 10).collect();
        assert_eq!(taken.len(), 10);
        assert_eq!(taken.iter().filter(|(segment, _)| *segment == 0).count(), 7);
        assert_eq!(evenly(&members, 1_000).count(), 100);
        assert_eq!(evenly(&members, 0).count(), 0);
        assert_eq!(evenly(&members[..0], 10).count(), 0);
    }

    #[test]
    fn shorter_stems_get_what_is_left_and_half_at_most() {
        let of = |surely: u32, near: u32, far: u32| {
            let all = vec![
                vec![members(300, 0..surely)],
                vec![members(300, 100..100 + near)],
                vec![members(300, 200..200 + far)],
            ];
            let chosen = chosen(&all, 10);
            [0..100, 100..200, 200..300]
                .map(|range| chosen.iter().filter(|(_, number)| range.contains(number)).count())
        };
        assert_eq!(of(50, 0, 0), [10, 0, 0]);
        assert_eq!(of(50, 50, 50), [5, 5, 0]);
        assert_eq!(of(50, 2, 1), [7, 2, 1]);
        assert_eq!(of(2, 3, 50), [2, 3, 5]);
        assert_eq!(of(1, 0, 0), [1, 0, 0]);
    }
}
