//! A request as it was read, to compare what was found with what was asked.
//!
//! What counts for the answer is what the indexes looked for, not the letters that were typed: a synonym of the knowledge
//! base covers a word of the question, and where typos are tolerated, so does the word that was meant. Marks, the sentence
//! that answers and the confidence all read the question from here.

use lectern_domain::ports::Correction;
use lectern_domain::{Confidence, KnowledgeBaseId, PortError, ReadScope, WordQuery};

use super::Searcher;
use super::hit::Found;
use super::plan::Plan;
use crate::confidence::{AskedWords, Evidence, Nearness};
use crate::request::{SearchMode, SearchRequest};
use crate::synonyms::Synonyms;

/// A request, and what of it passages are compared with.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) request: &'a SearchRequest,
    pub(super) plan: &'a Plan,
    /// The words that were looked for, with the ones that were meant as synonyms of those that were misspelled.
    pub(super) sought: WordQuery,
    /// What was corrected, where typos are tolerated.
    pub(super) corrections: Vec<Correction>,
    /// The cosine of the last chunk that the index of vectors found, where it found any.
    pub(super) last_cosine: Option<f32>,
    asked: AskedWords,
}

impl<'a> Reading<'a> {
    fn of(
        request: &'a SearchRequest,
        plan: &'a Plan,
        corrections: Vec<Correction>,
        last_cosine: Option<f32>,
    ) -> Self {
        let sought = Synonyms::of_corrections(&corrections).expand(plan.words.clone());
        Self {
            request,
            plan,
            asked: AskedWords::of(&sought),
            sought,
            corrections,
            last_cosine,
        }
    }

    /// How well a chunk matches, as far as that can be told.
    pub(super) fn evidence(&self, found: &Found) -> Evidence {
        let nearness = match found.fused.cosine {
            _ if self.goes_by_words(found) => Nearness::Unasked,
            Some(cosine) => Nearness::Cosine(cosine),
            None => Nearness::Beyond(self.last_cosine.unwrap_or_default()),
        };
        Evidence::of(&self.asked, &found.chunk.text_to_embed(), nearness)
    }

    /// Whether there is no vector to compare by: none was asked for, or there is none yet.
    fn goes_by_words(&self, found: &Found) -> bool {
        self.plan.order().is_some()
            || match self.plan.mode {
                SearchMode::Lexical => true,
                SearchMode::Hybrid => !found.chunk.is_embedded,
                SearchMode::Vector => false,
            }
    }

    /// How sure it is that a chunk is about what was asked. Who names nothing to look for asks for all documents that
    /// pass the filter, and each of them is one.
    pub(super) fn confidence(&self, evidence: Evidence) -> Confidence {
        match is_browsing(self.plan) {
            true => Confidence::VeryHigh,
            false => evidence.confidence(),
        }
    }
}

/// Whether nothing is named to look for, but for what must not be there.
fn is_browsing(plan: &Plan) -> bool {
    plan.text_to_embed.trim().is_empty()
}

impl Searcher {
    /// Reads a request for comparing.
    pub(super) async fn reading<'a>(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &'a SearchRequest,
        plan: &'a Plan,
        last_cosine: Option<f32>,
    ) -> Result<Reading<'a>, PortError> {
        let corrections = match plan.words.tolerates_typos && !is_browsing(plan) {
            true => self.parts.words.corrections(base, &request.text, scope).await?,
            false => Vec::new(),
        };
        Ok(Reading::of(request, plan, corrections, last_cosine))
    }
}
