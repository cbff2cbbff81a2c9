//! What is suggested while somebody types: titles and phrases of documents that the reader may read.
//!
//! ```text
//! what the person asked before ------------------------+
//! typed -> words: titles ----> recheck ----------------+-> the places are shared
//!     \--> words: passages --> recheck -> their phrases +
//! ```
//!
//! Both ways ask the index of words for chunks, and what they show is read from what the recheck let through: no word
//! of a text reaches anybody who may not read that text, and what only others may read counts for nothing.

use std::collections::HashSet;

use lectern_domain::{ChunkId, KnowledgeBaseId, LedgerChunk, PortError, ReadScope, TextSpan};
use serde::{Deserialize, Serialize};

use super::Searcher;
use crate::error::Error;
use crate::fuse::FusedChunk;
use crate::phrases::{Phrases, Typed, letters_of};
use crate::recheck::{Admission, Wanted, recheck};
use crate::request::LONGEST_QUESTION;
use crate::words::code_of_document;

/// The most suggestions at a time.
const MOST_SUGGESTIONS: usize = 50;
/// Titles that are looked up for a suggestion that is wanted: several documents may have one title.
const TITLES_PER_SUGGESTION: usize = 4;
/// Passages that are read for phrases: as many as the ledger looks up with one statement that stays prepared.
const PASSAGES_READ: usize = 64;
/// One of so many places is for a phrase, where the title in it has the words only somewhere.
const PLACES_PER_PHRASE: usize = 4;

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// The title of a document.
    Title,
    /// Words that stand together in documents.
    Phrase,
    /// What the same person asked before.
    Query,
}

/// A completion of what was typed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What it is.
    pub kind: SuggestionKind,
    /// What to search for.
    pub text: String,
    /// Where it begins like what was typed, in bytes of `text`.
    pub highlights: Vec<TextSpan>,
}

impl Suggestion {
    fn new(kind: SuggestionKind, typed: &str, text: String) -> Self {
        Self {
            kind,
            highlights: beginnings(typed, &text),
            text,
        }
    }
}

/// Who types what, and how much is wanted.
#[derive(Clone, Copy)]
struct Typing<'a> {
    scope: &'a ReadScope,
    base: KnowledgeBaseId,
    typed: &'a str,
    limit: usize,
}

impl Searcher {
    /// Completes what was typed so far: what the same person asked before (`asked`, in its order), titles of documents
    /// that `scope` may read, then phrases of their texts; each best first, and nothing twice.
    ///
    /// # Errors
    /// `question_too_long`, `limit_out_of_range`, and those of the index of words and the ledger.
    pub async fn suggest(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        typed: &str,
        asked: Vec<String>,
        limit: usize,
    ) -> Result<Vec<Suggestion>, PortError> {
        let characters = typed.chars().count();
        if characters > LONGEST_QUESTION {
            let limit = LONGEST_QUESTION;
            return Err(Error::QuestionTooLong { characters, limit }.into());
        }
        if !(1..=MOST_SUGGESTIONS).contains(&limit) {
            let most = MOST_SUGGESTIONS;
            return Err(Error::LimitOutOfRange { limit, most }.into());
        }
        let typing = Typing {
            scope,
            base,
            typed,
            limit,
        };
        let (titles, phrases) =
            futures::try_join!(self.suggested_titles(typing), self.suggested_phrases(typing))?;
        let found = Found {
            asked,
            titles,
            phrases,
        };
        Ok(found.shared(typed, limit))
    }

    /// Titles, best first, each once. None for nothing.
    async fn suggested_titles(&self, typing: Typing<'_>) -> Result<Vec<String>, PortError> {
        if typing.typed.trim().is_empty() {
            return Ok(Vec::new());
        }
        let deep = typing.limit * TITLES_PER_SUGGESTION;
        let words = &self.parts.words;
        let found = words
            .titles(typing.base, typing.typed, typing.scope, deep)
            .await?;
        let found = found.into_iter().map(|found| found.chunk).collect();
        let mut seen = HashSet::new();
        let titles = self.readable(typing, found).await?;
        let titles = titles.into_iter().map(|chunk| chunk.title);
        Ok(titles
            .filter(|title| seen.insert(letters_of(title)))
            .take(typing.limit)
            .collect())
    }

    /// Phrases, best first. Those that are titles are among them.
    async fn suggested_phrases(&self, typing: Typing<'_>) -> Result<Vec<String>, PortError> {
        let Some(beginning) = Typed::of(typing.typed) else {
            return Ok(Vec::new());
        };
        let (words, goes_on) = (&self.parts.words, beginning.goes_on());
        let found = words
            .with_phrase(typing.base, typing.typed, goes_on, typing.scope, PASSAGES_READ)
            .await?;
        let are_all = found.len() < PASSAGES_READ;
        let mut phrases = Phrases::of(beginning);
        // All passages below a heading have it, and it was written once.
        let mut headings = HashSet::new();
        for chunk in self.readable(typing, found).await? {
            let document = chunk.document;
            let new = |heading: &&String| headings.insert((document, (*heading).clone()));
            let texts = chunk.heading_path.iter().filter(new).map(String::as_str);
            let texts = texts.chain([chunk.text.as_str()]);
            phrases.add(texts, code_of_document(&chunk.metadata.attributes));
        }
        // Some of them are titles, too.
        Ok(phrases.best(2 * typing.limit, are_all))
    }

    /// Those of the chunks that the ledger vouches for, in their order.
    async fn readable(&self, typing: Typing<'_>, found: Vec<ChunkId>) -> Result<Vec<LedgerChunk>, PortError> {
        let admission = Admission {
            scope: typing.scope,
            filter: None,
            words: None,
            is_found: true,
        };
        let found: Vec<FusedChunk> = found.into_iter().map(FusedChunk::of_its_own).collect();
        let wanted = Wanted::first(found.len());
        let rechecked = recheck(self.parts.ledger.as_ref(), typing.base, admission, &found, wanted).await?;
        Ok(rechecked.kept.into_iter().map(|(_, chunk)| chunk).collect())
    }
}

/// What may be suggested, each kind best first.
struct Found {
    asked: Vec<String>,
    titles: Vec<String>,
    phrases: Vec<String>,
}

impl Found {
    /// Shares the places. What was asked before gets up to half of them, titles the rest, and phrases what is left.
    /// Where titles would leave nothing, a quarter is for phrases all the same; but a title that begins like what was
    /// typed never makes room for them.
    fn shared(mut self, typed: &str, limit: usize) -> Vec<Suggestion> {
        let mut seen = HashSet::new();
        let mut is_new = |text: &String| seen.insert(letters_of(text));
        self.asked.truncate(limit.div_ceil(2));
        // Those of them that differ in a sign alone (`C` and `C++`) were asked apart.
        for asked in &self.asked {
            is_new(asked);
        }
        self.titles.retain(&mut is_new);
        self.phrases.retain(&mut is_new);
        let room = limit - self.asked.len();
        let for_phrases = self.phrases.len().min(room / PLACES_PER_PHRASE);
        let beginning = letters_of(typed);
        let begins = |title: &&String| letters_of(title).starts_with(&beginning);
        let begin = self.titles.iter().filter(begins).count();
        self.titles.truncate(begin.max(room - for_phrases).min(room));
        self.phrases.truncate(room - self.titles.len());
        [
            (SuggestionKind::Query, self.asked),
            (SuggestionKind::Title, self.titles),
            (SuggestionKind::Phrase, self.phrases),
        ]
        .into_iter()
        .flat_map(|(kind, texts)| {
            texts
                .into_iter()
                .map(move |text| Suggestion::new(kind, typed, text))
        })
        .collect()
    }
}

/// Where words of a text begin like words that were typed, in bytes, as far as they are alike.
fn beginnings(typed: &str, text: &str) -> Vec<TextSpan> {
    let typed: Vec<Vec<char>> = typed
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().chars().collect())
        .collect();
    let mut spans = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let alike = |wanted: &&Vec<char>| {
            let lower: Vec<char> = word.to_lowercase().chars().collect();
            lower.starts_with(wanted.as_slice())
        };
        if let Some(wanted) = typed.iter().filter(alike).max_by_key(|wanted| wanted.len()) {
            let length: usize = word.chars().take(wanted.len()).map(char::len_utf8).sum();
            spans.push(TextSpan {
                start: at,
                end: at + length,
            });
        }
        // The separator after it, which is one character.
        at += word.len();
        at += text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(asked: &[&str], titles: &[&str], phrases: &[&str], limit: usize) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let found = Found {
            asked: owned(asked),
            titles: owned(titles),
            phrases: owned(phrases),
        };
        let suggestions = found.shared("le", limit).into_iter();
        suggestions.map(|suggestion| suggestion.text).collect()
    }

    #[test]
    fn phrases_get_what_titles_leave_and_a_quarter_of_those_that_only_have_the_words() {
        let has_words = ["A le", "B le", "C le", "D le", "E le"];
        let begin = ["Le a", "Lé b", "le c", "LE d", "le e"];
        let phrases = ["le x", "le y"];
        assert_eq!(
            shared(&[], &has_words[..1], &phrases, 4),
            ["A le", "le x", "le y"]
        );
        assert_eq!(
            shared(&[], &has_words, &phrases, 4),
            ["A le", "B le", "C le", "le x"]
        );
        assert_eq!(shared(&[], &has_words, &[], 4), has_words[..4]);
        assert_eq!(shared(&[], &begin, &phrases, 4), begin[..4]);
        assert_eq!(shared(&[], &has_words, &phrases, 3), has_words[..3]);
    }

    #[test]
    fn what_was_asked_before_gets_half_and_nothing_is_said_twice() {
        let asked = ["le 1", "le 2", "LE 2!", "le 3"];
        assert_eq!(
            shared(&asked, &["Le 1", "Le a"], &["le a", "le-2", "le b"], 5),
            ["le 1", "le 2", "LE 2!", "Le a", "le b"]
        );
        assert_eq!(shared(&asked, &[], &[], 1), ["le 1"]);
    }

    #[test]
    fn the_beginnings_of_words_are_marked() {
        let marked = |typed: &str, text: &str| -> Vec<String> {
            let spans = beginnings(typed, text);
            spans
                .iter()
                .map(|span| span.of(text).unwrap().to_owned())
                .collect()
        };
        assert_eq!(marked("par le", "Parental leave, paid"), ["Par", "le"]);
        assert_eq!(marked("éc", "L’École des Écrins"), ["Éc", "Éc"]);
        assert_eq!(marked("x", "Parental leave"), [""; 0]);
        assert_eq!(marked(" ", "Parental leave"), [""; 0]);
    }
}
