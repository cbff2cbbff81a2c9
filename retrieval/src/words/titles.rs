//! Titles that begin like what was typed so far, or have a word that does.
//!
//! The first chunk of a document carries its title in two forms: all its words in a row, so that what begins like the
//! typed text stands together in the dictionary, and each word alone. Nothing is stemmed: who types `poli` has not
//! typed a word yet. A title is given only where a document of it may be read, and looking stops after a number of
//! titles, so that one typed letter costs no more than a word.

use std::collections::BTreeMap;

use lectern_domain::ports::TitleFound;
use tantivy::columnar::StrColumn;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED};

use super::best::Narrowed;
use super::columns::Columns;
use super::engine::Engine;
use super::members::Members;
use super::schema::{FIELDS, TITLE_SHOWN};
use super::tokenizer::unstemmed;
use crate::acl_filter::ReaderNames;
use crate::error::Error;

/// The most words of a title that are looked at, and letters that are shown of it.
const MOST_WORDS: usize = 40;
const MOST_LETTERS: usize = 300;
/// The most terms of a dictionary, and chunks of a segment, that are looked at.
const MOST_TERMS: usize = 2_000;
const MOST_CHUNKS: usize = 2_000;

/// The words of a title as they are looked for: in lower case and without diacritics.
pub(super) fn words_of_title(title: &str) -> Vec<String> {
    let words = unstemmed(title).into_iter().take(MOST_WORDS);
    words.map(|word| word.text).collect()
}

/// A title as it is shown.
pub(super) fn shown(title: &str) -> String {
    title.trim().chars().take(MOST_LETTERS).collect()
}

/// How good a title is; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Begins,
    HasWords,
}

/// Titles and their best fit, each with the chunk of one document.
type Titles = BTreeMap<String, (Fit, TitleFound)>;

impl Engine {
    pub(super) fn titles(
        &self,
        typed: &str,
        readers: &ReaderNames,
        limit: usize,
    ) -> Result<Vec<TitleFound>, Error> {
        let words = words_of_title(typed);
        let mut titles = Titles::new();
        let searcher = self.searcher();
        self.add_titles(&searcher, &words, readers, &mut titles)
            .map_err(|error| self.failed("look for titles", error))?;
        let mut found: Vec<(Fit, TitleFound)> = titles.into_values().collect();
        found.sort_by_key(|(fit, found)| (*fit, found.title.chars().count(), found.title.clone()));
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    fn add_titles(
        &self,
        searcher: &Searcher,
        words: &[String],
        readers: &ReaderNames,
        titles: &mut Titles,
    ) -> tantivy::Result<()> {
        let Some((last, whole)) = words.split_last() else {
            return Ok(());
        };
        for segment in searcher.segment_readers() {
            let Some(shown) = segment.fast_fields().str(TITLE_SHOWN)? else {
                continue;
            };
            let narrowed = Narrowed {
                readers,
                filter: None,
            };
            let of_segment = OfSegment {
                segment,
                readable: self.counting_alive(segment, narrowed)?,
                columns: Columns::of(segment)?,
                shown,
            };
            let begins = of_segment.with_prefix(FIELDS.title_key, &words.join(" "))?;
            of_segment.add(&begins, Fit::Begins, titles)?;
            let mut has_words = of_segment.with_prefix(FIELDS.title_words, last)?;
            for word in whole {
                has_words.intersect(&of_segment.with_term(word)?);
            }
            of_segment.add(&has_words, Fit::HasWords, titles)?;
        }
        Ok(())
    }
}

struct OfSegment<'a> {
    segment: &'a SegmentReader,
    readable: Members,
    columns: Columns,
    shown: StrColumn,
}

impl OfSegment<'_> {
    /// The readable chunks with a term that begins so.
    fn with_prefix(&self, field: Field, prefix: &str) -> tantivy::Result<Members> {
        let mut members = Members::none(self.segment.max_doc());
        let index = self.segment.inverted_index(field)?;
        let mut terms = index.terms().range().ge(prefix).into_stream()?;
        let mut looked_at = 0;
        while looked_at < MOST_TERMS && terms.advance() && terms.key().starts_with(prefix.as_bytes()) {
            looked_at += 1;
            let mut chunks = index.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
            self.insert_readable(&mut chunks, &mut members);
        }
        Ok(members)
    }

    fn with_term(&self, word: &str) -> tantivy::Result<Members> {
        let mut members = Members::none(self.segment.max_doc());
        let index = self.segment.inverted_index(FIELDS.title_words)?;
        let term = tantivy::Term::from_field_text(FIELDS.title_words, word);
        if let Some(mut chunks) = index.read_postings(&term, IndexRecordOption::Basic)? {
            self.insert_readable(&mut chunks, &mut members);
        }
        Ok(members)
    }

    fn insert_readable(&self, chunks: &mut impl DocSet, members: &mut Members) {
        while chunks.doc() != TERMINATED {
            if self.readable.contains(chunks.doc()) {
                members.insert(chunks.doc());
            }
            chunks.advance();
        }
    }

    fn add(&self, chunks: &Members, fit: Fit, titles: &mut Titles) -> tantivy::Result<()> {
        let mut title = String::new();
        for number in chunks.iter().take(MOST_CHUNKS) {
            let (Some(ordinal), Some(chunk)) =
                (self.shown.term_ords(number).next(), self.columns.chunk(number))
            else {
                continue;
            };
            if !self.shown.ord_to_str(ordinal, &mut title)? {
                continue;
            }
            let found = TitleFound {
                title: title.clone(),
                chunk,
            };
            let best = titles
                .entry(title.clone())
                .or_insert_with(|| (fit, found.clone()));
            if (fit, chunk) < (best.0, best.1.chunk) {
                *best = (fit, found);
            }
        }
        Ok(())
    }
}
