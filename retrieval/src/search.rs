//! The way of a question: both indexes, fusion, recheck, order, score.
//!
//! ```text
//! request + settings -> plan (operators, synonyms, filter, tuning)
//!   plan -> embed -> vectors -> (embedded?) --+
//!      \-------->    words  ------------------+-> fuse -> recheck -> tune, rerank -> page of hits
//! ```
//!
//! Where an order of attributes is asked for, the index of words alone is asked, which puts all documents into that
//! order; neither tuning nor a closer judge moves them afterwards.
//!
//! [`plan`] reads the request, [`candidates`] asks the indexes, [`crate::recheck`] asks the ledger, [`order`] settles
//! the places, [`hit`] is what is shown, [`explained`] how it came there, [`context`] what stands around it. [`pages`] fills a page and
//! gives the next one of the list that [`kept`] keeps. [`reading`] compares what was found with what was asked. [`beside`] is what a search
//! gives beside passages: facets, featured documents, an answer, other spellings. [`curated`] keeps what is set for
//! searches ready for all of them, and [`response`] is what is given. [`suggest`] is for before there is a question.
//!
//! A document can be found by its words before it has its vectors. While some of a knowledge base are still to come,
//! hits of the index of vectors count only for versions that have all of theirs, the response says how much of the
//! knowledge base is embedded, and what was found by words alone is asked to be embedded first.
//!
//! There is no way in without a [`ReadScope`], and no way out past the recheck.

mod curated;
mod plan;
mod candidates;
mod order;
mod hit;
mod context;
mod explained;
mod kept;
mod pages;
mod reading;
mod beside;
mod response;
mod suggest;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use lectern_domain::ports::{
    ChunkIndex, ChunkLookup, Embedders, EmbeddingDemand, Reranker, ScoredChunk, WordIndex,
};
use lectern_domain::{DocumentId, EmbeddedShare, KnowledgeBaseId, PortError, ReadScope};
use uuid::Uuid;

use crate::fuse::{FusedChunk, Fusion};
use crate::recheck::{Admission, Rechecked, Wanted, recheck};
use crate::request::SearchRequest;
use candidates::{Asked, Candidates};
use curated::{Curated, CuratedBases};
use explained::Explained;
use hit::Found;
use kept::KeptLists;
use plan::Plan;

pub use beside::{Answered, Spelling};
pub use hit::{Explanation, Hit};
pub use response::{SearchResponse, SearchTimings};
pub use suggest::{Suggestion, SuggestionKind};

/// The fewest chunks that each index is asked for: the merged list needs more than the first few of
/// each.
const LEAST_CANDIDATES: usize = 200;
/// How many chunks each index is asked for, per passage that is wanted.
const CANDIDATES_PER_PASSAGE: usize = 4;
/// How many documents are put into an order of attributes, to be paged through. A place takes 28 bytes.
const MOST_IN_ORDER: usize = 10_000;
/// How many passages are looked at before the first of them are shown, where their order may change.
const REORDERED: usize = 100;
/// How often the indexes are asked while documents are replaced under the question.
const MOST_ATTEMPTS: usize = 3;
/// The counter of questions that were asked again.
pub const REPEATED_TOTAL: &str = "lectern_search_repeated_total";

/// What a search needs.
#[derive(Clone)]
pub struct SearcherParts {
    /// The truth about what may be shown.
    pub ledger: Arc<dyn ChunkLookup>,
    /// Make the vectors of questions, with the model that made those of the knowledge base.
    pub embedders: Arc<dyn Embedders>,
    /// The index of vectors.
    pub vectors: Arc<dyn ChunkIndex>,
    /// The index of words.
    pub words: Arc<dyn WordIndex>,
    /// A closer judge, if there is one.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// Who hears of documents that were found and have no vectors yet, if somebody does.
    pub demand: Option<Arc<dyn EmbeddingDemand>>,
}

impl fmt::Debug for SearcherParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SearcherParts")
            .field("model", &self.embedders.preferred().model())
            .field("vectors", &self.vectors.name())
            .field("words", &self.words.name())
            .field("reranks", &self.reranker.is_some())
            .finish_non_exhaustive()
    }
}

/// Searches knowledge bases. Cheap to clone.
#[derive(Clone)]
pub struct Searcher {
    parts: SearcherParts,
    fusion: Fusion,
    kept: Arc<KeptLists>,
    curated: Arc<CuratedBases>,
}

impl fmt::Debug for Searcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Searcher").field(&self.parts).finish()
    }
}

/// What may be shown, and what else was found.
struct Vouched {
    found: Vec<Found>,
    /// The merged list, of which the first so many were looked at.
    merged: Vec<FusedChunk>,
    looked_at: usize,
    by_vector: Vec<ScoredChunk>,
    by_words: Vec<ScoredChunk>,
    embedded: EmbeddedShare,
    timings: SearchTimings,
}

impl Searcher {
    /// A searcher of those parts.
    pub fn new(parts: SearcherParts) -> Self {
        Self {
            parts,
            fusion: Fusion::default(),
            kept: Arc::default(),
            curated: Arc::default(),
        }
    }

    /// The same, merging both lists in this way.
    pub fn fusing(self, fusion: Fusion) -> Self {
        Self { fusion, ..self }
    }

    /// Whether there is a closer judge.
    pub fn reranks(&self) -> bool {
        self.parts.reranker.is_some()
    }

    /// Finds passages that `scope` may read.
    ///
    /// # Errors
    /// Those of [`SearchRequest`] (`question_empty`, `question_too_long`, `limit_out_of_range`, `filter_invalid` and so
    /// on), and those of the indexes, the embedder and the ledger.
    pub async fn search(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
    ) -> Result<SearchResponse, PortError> {
        let started = Instant::now();
        let curated = self.curated(base).await?;
        let plan = self.plan(scope, base, request, &curated).await?;
        let mut vouched = self.vouched_for(scope, base, request, &plan).await?;
        self.ask_for_vectors(base, &vouched.found);
        let ordering = Instant::now();
        vouched.found = self.put_in_order(base, request, &plan, vouched.found).await?;
        vouched.timings.rerank_ms = milliseconds(ordering);

        let query_id = Uuid::now_v7();
        let last_cosine = vouched.by_vector.last().map(|found| found.score);
        let reading = self.reading(scope, base, request, &plan, last_cosine).await?;
        let explained = Arc::new(match request.explain {
            true => Explained::of(&vouched),
            false => Explained::default(),
        });
        let next = self.keep_rest(query_id, scope, base, &reading, &vouched, &explained);
        vouched.found.truncate(request.limit);
        let (merged, found) = (&vouched.merged, &mut vouched.found);
        self.add_others(scope, base, request, &plan, merged, found)
            .await?;
        let contexts = self.contexts(base, request, &vouched.found).await?;
        let mut response = vouched.into_response(&reading, &explained, query_id);
        context::add(&mut response.passages, contexts);
        response.next = next;
        self.note_shown(&response);
        let beside = Instant::now();
        self.add_beside(scope, base, &reading, &curated, &mut response)
            .await?;
        response.timings.beside_ms = milliseconds(beside);
        response.timings.total_ms = milliseconds(started);
        metrics::histogram!("lectern_search_seconds", "mode" => request.mode.as_str())
            .record(started.elapsed().as_secs_f64());
        Ok(response)
    }

    async fn plan(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        curated: &Curated,
    ) -> Result<Plan, PortError> {
        let names = match request.operators {
            true => plan::names_in(&request.text),
            false => Vec::new(),
        };
        let attributes = match names.is_empty() {
            true => names,
            false => self.parts.words.attributes_among(base, &names, scope).await?,
        };
        Ok(Plan::of(request, curated, &attributes)?)
    }

    /// What the indexes found and the ledger vouches for. Where a document was replaced in between, the indexes are
    /// asked again, so that a document which is there all the time is found at every moment.
    async fn vouched_for(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        plan: &Plan,
    ) -> Result<Vouched, PortError> {
        let asked = Asked {
            scope,
            base,
            plan,
            depth: depth(request, plan),
        };
        let mut wanted = wanted(request);
        wanted.limit = self.window(request, plan);
        let least = request.fold.then_some(request.limit);
        let mut attempts = 0;
        loop {
            let Candidates {
                merged,
                by_vector,
                by_words,
                embedded,
                mut timings,
            } = self.candidates(asked).await?;
            attempts += 1;
            let rechecking = Instant::now();
            let rechecked = self
                .enough(scope, base, plan, &merged, wanted.clone(), least)
                .await?;
            timings.recheck_ms = milliseconds(rechecking);
            if !rechecked.is_overtaken || attempts == MOST_ATTEMPTS {
                return Ok(Vouched {
                    found: rechecked.kept.into_iter().map(Found::new).collect(),
                    looked_at: rechecked.looked_at,
                    merged,
                    by_vector,
                    by_words,
                    embedded,
                    timings,
                });
            }
            metrics::counter!(REPEATED_TOTAL).increment(1);
        }
    }

    async fn rechecked(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        plan: &Plan,
        found: &[FusedChunk],
        wanted: Wanted,
    ) -> Result<Rechecked, PortError> {
        let admission = Admission {
            scope,
            filter: plan.filter.as_ref(),
            words: plan.words.restricts().then_some(&plan.words),
            is_found: true,
        };
        recheck(self.parts.ledger.as_ref(), base, admission, found, wanted).await
    }

    /// How many passages are looked at before the first of them are shown.
    fn window(&self, request: &SearchRequest, plan: &Plan) -> usize {
        let reranks = self.parts.reranker.is_some() && request.rerank;
        let by_score = plan.order().is_none();
        let reorders = by_score && (reranks || plan.tuning.reorders() || request.diversity > 0.0);
        match (reorders, request.fold) {
            (true, _) => request.limit.max(REORDERED),
            (false, true) => pages::before_folding(request.limit),
            (false, false) => request.limit,
        }
    }

    /// Whether the closer judge can judge passages of this knowledge base.
    async fn is_judged(&self, reranker: &dyn Reranker, base: KnowledgeBaseId) -> Result<bool, PortError> {
        let model = self.parts.ledger.embedding_model(base).await?;
        Ok(model.is_none_or(|model| reranker.judges(&model)))
    }

    async fn put_in_order(
        &self,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        plan: &Plan,
        mut found: Vec<Found>,
    ) -> Result<Vec<Found>, PortError> {
        if plan.order().is_some() {
            return Ok(order::gather(request, plan, found));
        }
        if plan.tuning.reorders() {
            order::tune(&mut found, &plan.tuning, Utc::now());
        }
        let reranker = match &self.parts.reranker {
            Some(reranker) if request.rerank && self.is_judged(reranker.as_ref(), base).await? => {
                Some(reranker)
            }
            _ => None,
        };
        if let Some(reranker) = reranker {
            order::rerank(reranker.as_ref(), &plan.text_to_embed, &mut found).await?;
        }
        Ok(order::gather(request, plan, found))
    }

    /// Has what was found without vectors embedded first, in the order of the passages.
    fn ask_for_vectors(&self, base: KnowledgeBaseId, found: &[Found]) {
        let Some(demand) = &self.parts.demand else { return };
        let pending = found.iter().filter(|found| !found.chunk.is_embedded);
        let documents: Vec<DocumentId> = pending.map(|found| found.chunk.document).collect();
        if !documents.is_empty() {
            demand.asked_for(base, &documents);
        }
    }
}

/// How many chunks each index is asked for.
fn depth(request: &SearchRequest, plan: &Plan) -> usize {
    match plan.order() {
        Some(_) => MOST_IN_ORDER,
        None => (request.limit * CANDIDATES_PER_PASSAGE).max(LEAST_CANDIDATES),
    }
}

fn wanted(request: &SearchRequest) -> Wanted {
    Wanted {
        per_document: request.expand.map(|_| 1).or(request.per_document),
        ..Wanted::first(request.limit)
    }
}

/// A question by its words: in lower case, with single spaces, without the signs around it.
fn plain(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_question_is_the_same_in_any_case_and_with_any_signs() {
        assert_eq!(plain("  Who runs the Canteen? "), plain("who runs the canteen"));
        assert_ne!(plain("who runs the canteen"), plain("who runs the kitchen"));
    }
}
