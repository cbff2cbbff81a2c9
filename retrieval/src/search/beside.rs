//! What a search gives beside passages: marks, facets, featured documents, an answer, another spelling; and what it
//! suggests while somebody types.

use std::collections::BTreeSet;

use lectern_domain::ports::{Correction, FacetRequest};
use lectern_domain::{Confidence, KnowledgeBaseId, PortError, ReadScope, TextSpan, WordField};
use serde::{Deserialize, Serialize};

use super::curated::Curated;
use super::hit::{Found, Hit};
use super::plan::Plan;
use super::{SearchResponse, Searcher, plain};
use crate::error::Error;
use crate::fuse::FusedChunk;
use crate::highlight;
use crate::recheck::{Admission, Wanted, recheck};
use crate::request::{LONGEST_QUESTION, MOST_PASSAGES, SearchRequest};
use crate::words::code_of_document;

/// Titles that are looked up for a suggestion that is wanted: several documents may have one title.
const TITLES_PER_SUGGESTION: usize = 4;

/// What answers a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answered {
    /// Words of one of the passages.
    Passage {
        /// Which one, from 0.
        passage: usize,
        /// Where they stand in its text, in bytes of the passage.
        span: TextSpan,
        /// The words.
        text: String,
    },
    /// An answer that was written for this question.
    Frequent {
        /// The question as it was written.
        question: String,
        /// Its answer.
        text: String,
        /// Where more is said of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
    },
}

/// How a question may have been meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spelling {
    /// The whole question, corrected.
    pub text: String,
    /// What was corrected in it.
    pub corrections: Vec<Correction>,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// The title of a document.
    Title,
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
    /// A suggestion for what was typed.
    pub fn new(kind: SuggestionKind, typed: &str, text: String) -> Self {
        Self {
            kind,
            highlights: beginnings(typed, &text),
            text,
        }
    }
}

impl Searcher {
    pub(super) async fn add_beside(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        plan: &Plan,
        curated: &Curated,
        response: &mut SearchResponse,
    ) -> Result<(), PortError> {
        response.facets = self.facets(scope, base, &request.facets, plan).await?;
        response.featured = self.featured(scope, base, request, plan, curated).await?;
        if request.spelling && !plan.text_to_embed.trim().is_empty() {
            response.spelling = self.spelling(scope, base, request).await?;
        }
        if request.answer {
            response.answer = curated
                .answer(scope, &plan.text_to_embed)
                .or_else(|| answer_of(plan, &response.passages));
        }
        mark(request, plan, &mut response.passages);
        mark(request, plan, &mut response.featured);
        Ok(())
    }

    async fn facets(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        wanted: &[FacetRequest],
        plan: &Plan,
    ) -> Result<Vec<lectern_domain::ports::Facet>, PortError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.parts.words.facets(base, plan.documents(scope), wanted).await
    }

    /// The documents that are set for this question, as far as the reader may read them and they pass the filter.
    async fn featured(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        plan: &Plan,
        curated: &Curated,
    ) -> Result<Vec<Hit>, PortError> {
        let names = curated.featured(&request.text);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut seen = BTreeSet::new();
        let chunks = self.parts.ledger.first_chunks(base, &names).await?;
        let found: Vec<FusedChunk> = chunks
            .into_iter()
            .filter(|chunk| seen.insert(*chunk))
            .map(FusedChunk::of_its_own)
            .collect();
        let admission = Admission {
            scope,
            filter: plan.filter.as_ref(),
            words: None,
            is_found: false,
        };
        let wanted = Wanted::first(MOST_PASSAGES);
        let rechecked = recheck(self.parts.ledger.as_ref(), base, admission, &found, wanted).await?;
        let hit = |found| Found::new(found).into_certain_hit();
        Ok(rechecked.kept.into_iter().map(hit).collect())
    }

    async fn spelling(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
    ) -> Result<Option<Spelling>, PortError> {
        let corrections = self.parts.words.corrections(base, &request.text, scope).await?;
        if corrections.is_empty() {
            return Ok(None);
        }
        let (mut text, mut done) = (String::with_capacity(request.text.len()), 0);
        for correction in &corrections {
            text.push_str(request.text.get(done..correction.start).unwrap_or_default());
            text.push_str(&correction.corrected);
            done = correction.end;
        }
        text.push_str(request.text.get(done..).unwrap_or_default());
        Ok(Some(Spelling { text, corrections }))
    }

    /// Completes what was typed so far: titles of documents that `scope` may read, best first, each once.
    ///
    /// # Errors
    /// `question_too_long`, `limit_out_of_range`, and those of the index of words and the ledger.
    pub async fn suggest(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        typed: &str,
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
        if typed.trim().is_empty() {
            return Ok(Vec::new());
        }
        let deep = limit * TITLES_PER_SUGGESTION;
        let titles = self.parts.words.titles(base, typed, scope, deep).await?;
        let found: Vec<FusedChunk> = titles
            .iter()
            .map(|found| FusedChunk::of_its_own(found.chunk))
            .collect();
        let admission = Admission {
            scope,
            filter: None,
            words: None,
            is_found: true,
        };
        let wanted = Wanted::first(deep);
        let rechecked = recheck(self.parts.ledger.as_ref(), base, admission, &found, wanted).await?;
        let mut seen = BTreeSet::new();
        let titles = rechecked.kept.into_iter().map(|(_, chunk)| chunk.title);
        Ok(titles
            .filter(|title| seen.insert(plain(title)))
            .take(limit)
            .map(|text| Suggestion::new(SuggestionKind::Title, typed, text))
            .collect())
    }
}

/// The most suggestions at a time.
pub(super) const MOST_SUGGESTIONS: usize = 50;

/// Marks the words in the passages, where that is asked for.
pub(super) fn mark(request: &SearchRequest, plan: &Plan, hits: &mut [Hit]) {
    if !request.highlights {
        return;
    }
    for hit in hits {
        let language = Some(code_of_document(&hit.attributes));
        hit.highlights = highlight::spans(&plan.words, &hit.passage.text, WordField::Text, language);
        hit.title_highlights = highlight::spans(&plan.words, &hit.passage.title, WordField::Title, language);
    }
}

/// The sentence that answers the question, of the first passage that has one and is probably about it.
fn answer_of(plan: &Plan, passages: &[Hit]) -> Option<Answered> {
    let probable = passages
        .iter()
        .enumerate()
        .filter(|(_, hit)| hit.passage.confidence >= Confidence::High);
    probable.take(3).find_map(|(passage, hit)| {
        let text = &hit.passage.text;
        let language = code_of_document(&hit.attributes);
        let span = highlight::answer(&plan.text_to_embed, text, Some(language))?;
        Some(Answered::Passage {
            passage,
            span,
            text: span.of(text)?.to_owned(),
        })
    })
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
