//! What a search gives beside passages: marks, facets, featured documents, an answer, another spelling.

use std::collections::BTreeSet;

use lectern_domain::ports::{Correction, FacetRequest};
use lectern_domain::{Confidence, KnowledgeBaseId, PortError, ReadScope, TextSpan, WordField};
use serde::{Deserialize, Serialize};

use super::curated::Curated;
use super::hit::{Found, Hit};
use super::plan::Plan;
use super::reading::Reading;
use super::{SearchResponse, Searcher};
use crate::fuse::FusedChunk;
use crate::highlight;
use crate::recheck::{Admission, Wanted, recheck};
use crate::request::{MOST_PASSAGES, SearchRequest};
use crate::words::code_of_document;

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

impl Searcher {
    pub(super) async fn add_beside(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        reading: &Reading<'_>,
        curated: &Curated,
        response: &mut SearchResponse,
    ) -> Result<(), PortError> {
        let (request, plan) = (reading.request, reading.plan);
        response.facets = self.facets(scope, base, &request.facets, plan).await?;
        response.featured = self.featured(scope, base, request, plan, curated).await?;
        if request.spelling && !plan.text_to_embed.trim().is_empty() {
            response.spelling = self.spelling(scope, base, reading).await?;
        }
        if request.answer {
            response.answer = curated
                .answer(scope, &plan.text_to_embed)
                .or_else(|| answer_of(reading, &response.passages));
        }
        mark(reading, &mut response.passages);
        mark(reading, &mut response.featured);
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
        reading: &Reading<'_>,
    ) -> Result<Option<Spelling>, PortError> {
        let request = reading.request;
        let corrections = match request.typos {
            true => reading.corrections.clone(),
            false => self.parts.words.corrections(base, &request.text, scope).await?,
        };
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
}

/// Marks the words in the passages, where that is asked for.
pub(super) fn mark(reading: &Reading<'_>, hits: &mut [Hit]) {
    if !reading.request.highlights {
        return;
    }
    for hit in hits {
        let language = Some(code_of_document(&hit.attributes));
        let sought = &reading.sought;
        hit.highlights = highlight::spans(sought, &hit.passage.text, WordField::Text, language);
        hit.title_highlights = highlight::spans(sought, &hit.passage.title, WordField::Title, language);
    }
}

/// The sentence that answers the question, of the first passage that has one and is probably about it.
fn answer_of(reading: &Reading<'_>, passages: &[Hit]) -> Option<Answered> {
    let probable = passages
        .iter()
        .enumerate()
        .filter(|(_, hit)| hit.passage.confidence >= Confidence::High);
    probable.take(3).find_map(|(passage, hit)| {
        let text = &hit.passage.text;
        let language = code_of_document(&hit.attributes);
        let span = highlight::answer(&reading.sought, text, Some(language))?;
        Some(Answered::Passage {
            passage,
            span,
            text: span.of(text)?.to_owned(),
        })
    })
}
