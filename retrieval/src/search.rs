//! The way of a question: both indexes, fusion, recheck, score.
//!
//! ```text
//! question -> embed -> vectors -> (embedded?) --+
//!         \-------->   words  ------------------+-> fuse -> recheck -> (rerank) -> confidence -> passages
//! ```
//!
//! A document can be found by its words before it has its vectors. While some of a knowledge base are still to come,
//! hits of the index of vectors count only for versions that have all of theirs, the response says how much of the
//! knowledge base is embedded, and what was found by words alone is asked to be embedded first.
//!
//! There is no way in without a [`ReadScope`], and no way out past the recheck.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use lectern_domain::ports::{
    ChunkIndex, ChunkLookup, Embedder, Embedders, EmbeddingDemand, IndexQuery, Reranker, ScoredChunk,
};
use lectern_domain::{
    ChunkId, DocumentId, EmbeddedShare, KnowledgeBaseId, LedgerChunk, Passage, PortError, ReadScope, Score,
    WordQuery,
};
use serde::{Deserialize, Serialize};

use crate::confidence::{Evidence, QuestionWords, any_relevant};
use crate::error::Error;
use crate::fuse::{self, FusedChunk};
use crate::recheck::{Rechecked, Wanted, recheck};
use crate::request::{SearchMode, SearchRequest};

/// The fewest chunks that each index is asked for: the merged list needs more than the first few of
/// each.
const LEAST_CANDIDATES: usize = 200;
/// How many chunks each index is asked for, per passage that is wanted.
const CANDIDATES_PER_PASSAGE: usize = 4;
/// How often the indexes are asked while documents are replaced under the question.
const MOST_ATTEMPTS: usize = 3;
/// The counter of questions that were asked again.
pub const REPEATED_TOTAL: &str = "lectern_search_repeated_total";
/// Most passages that are judged again by a reranker.
const MOST_RERANKED: usize = 50;

/// Where the time went, in milliseconds. The two indexes are asked at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchTimings {
    /// Making the question's vector.
    pub embed_ms: f64,
    /// Asking the index of vectors.
    pub vectors_ms: f64,
    /// Asking the index of words.
    pub words_ms: f64,
    /// Looking the chunks up in the ledger, with their texts.
    pub recheck_ms: f64,
    /// Judging them again.
    pub rerank_ms: f64,
    /// All of it.
    pub total_ms: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResponse {
    /// Best first.
    pub passages: Vec<Passage>,
    /// Which index was asked.
    pub mode: SearchMode,
    /// Whether anything that was found is about what was asked. Where it is `false` there is nothing
    /// to answer from.
    pub relevant: bool,
    /// How much of the knowledge base can be found by meaning now.
    pub embedded: EmbeddedShare,
    /// Where the time went.
    pub timings: SearchTimings,
}

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
    pub words: Arc<dyn ChunkIndex>,
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
}

impl fmt::Debug for Searcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Searcher").field(&self.parts).finish()
    }
}

/// What may be shown.
struct Vouched {
    kept: Vec<(FusedChunk, LedgerChunk)>,
    embedded: EmbeddedShare,
    timings: SearchTimings,
}

/// What the indexes found, before the recheck.
struct Candidates {
    merged: Vec<FusedChunk>,
    embedded: EmbeddedShare,
    timings: SearchTimings,
}

impl Searcher {
    /// A searcher of those parts.
    pub fn new(parts: SearcherParts) -> Self {
        Self { parts }
    }

    /// Finds passages that `scope` may read.
    ///
    /// # Errors
    /// `question_empty`, `question_too_long`, `limit_out_of_range`, and those of the indexes, the
    /// embedder and the ledger.
    pub async fn search(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
    ) -> Result<SearchResponse, PortError> {
        let started = Instant::now();
        request.check()?;
        let Vouched {
            kept,
            embedded,
            mut timings,
        } = self.vouched_for(scope, base, request).await?;
        self.ask_for_vectors(base, &kept);
        let question = QuestionWords::of(&request.text);
        let mut passages: Vec<Passage> = kept
            .into_iter()
            .map(|(fused, chunk)| passage(&question, request.mode, fused, chunk))
            .collect();
        if let Some(reranker) = &self.parts.reranker {
            let reranking = Instant::now();
            rerank(reranker.as_ref(), &request.text, &mut passages).await?;
            timings.rerank_ms = milliseconds(reranking);
        }
        timings.total_ms = milliseconds(started);
        metrics::histogram!("lectern_search_seconds", "mode" => request.mode.as_str())
            .record(started.elapsed().as_secs_f64());
        Ok(SearchResponse {
            relevant: any_relevant(&passages),
            passages,
            mode: request.mode,
            embedded,
            timings,
        })
    }

    /// What the indexes found and the ledger vouches for. Where a document was replaced in between, the indexes are
    /// asked again, so that a document which is there all the time is found at every moment.
    async fn vouched_for(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
    ) -> Result<Vouched, PortError> {
        let wanted = Wanted {
            limit: request.limit,
            per_document: request.per_document,
        };
        let mut asked = 0;
        loop {
            let Candidates {
                merged,
                embedded,
                mut timings,
            } = self.candidates(scope, base, request).await?;
            asked += 1;
            let rechecking = Instant::now();
            let Rechecked { kept, is_overtaken } =
                recheck(self.parts.ledger.as_ref(), base, scope, &merged, wanted).await?;
            timings.recheck_ms = milliseconds(rechecking);
            if !is_overtaken || asked == MOST_ATTEMPTS {
                return Ok(Vouched {
                    kept,
                    embedded,
                    timings,
                });
            }
            metrics::counter!(REPEATED_TOTAL).increment(1);
        }
    }

    async fn candidates(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
    ) -> Result<Candidates, PortError> {
        let depth = (request.limit * CANDIDATES_PER_PASSAGE).max(LEAST_CANDIDATES);
        let vectors = self.ask_vectors(scope, base, &request.text, depth);
        let words = self.ask_words(scope, base, &request.text, depth);
        let mut timings = SearchTimings::default();
        let (by_vector, by_words) = match request.mode {
            SearchMode::Vector => {
                let (found, embed_ms, vectors_ms) = vectors.await?;
                (timings.embed_ms, timings.vectors_ms) = (embed_ms, vectors_ms);
                (found, Vec::new())
            }
            SearchMode::Lexical => {
                let (found, words_ms) = words.await?;
                timings.words_ms = words_ms;
                (Vec::new(), found)
            }
            SearchMode::Hybrid => {
                let ((by_vector, embed_ms, vectors_ms), (by_words, words_ms)) =
                    futures::try_join!(vectors, words)?;
                (timings.embed_ms, timings.vectors_ms, timings.words_ms) = (embed_ms, vectors_ms, words_ms);
                (by_vector, by_words)
            }
        };
        // Asked after the indexes were: a version whose points came in between is pending then, or whole.
        let embedded = self.parts.ledger.embedded_share(base).await?;
        let by_vector = self.with_all_vectors(base, embedded, by_vector).await?;
        let merged = match request.mode {
            SearchMode::Vector => fuse::vectors_alone(&by_vector),
            SearchMode::Lexical => fuse::words_alone(&by_words),
            SearchMode::Hybrid => fuse::reciprocal_rank(&by_vector, &by_words),
        };
        Ok(Candidates {
            merged,
            embedded,
            timings,
        })
    }

    /// Those hits whose version has all its vectors. Costs nothing where every version has.
    async fn with_all_vectors(
        &self,
        base: KnowledgeBaseId,
        embedded: EmbeddedShare,
        mut found: Vec<ScoredChunk>,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        if embedded.is_whole() || found.is_empty() {
            return Ok(found);
        }
        let ids: Vec<ChunkId> = found.iter().map(|hit| hit.chunk).collect();
        let pending = self.parts.ledger.not_embedded(base, &ids).await?;
        found.retain(|hit| !pending.contains(&hit.chunk));
        Ok(found)
    }

    /// Has what was found without vectors embedded first, in the order of the passages.
    fn ask_for_vectors(&self, base: KnowledgeBaseId, found: &[(FusedChunk, LedgerChunk)]) {
        let Some(demand) = &self.parts.demand else { return };
        let pending = found.iter().filter(|(_, chunk)| !chunk.is_embedded);
        let documents: Vec<DocumentId> = pending.map(|(_, chunk)| chunk.document).collect();
        if !documents.is_empty() {
            demand.asked_for(base, &documents);
        }
    }

    async fn ask_vectors(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        text: &str,
        depth: usize,
    ) -> Result<(Vec<ScoredChunk>, f64, f64), PortError> {
        let embedding = Instant::now();
        let vector = self.embedder_of(base).await?.embed_query(text).await?;
        let embed_ms = milliseconds(embedding);
        let asking = Instant::now();
        let query = IndexQuery {
            words: &WordQuery::default(),
            vector: &vector,
            filter: None,
        };
        let found = self.parts.vectors.search(base, query, scope, depth).await?;
        Ok((found, embed_ms, milliseconds(asking)))
    }

    /// The model that made the vectors of a knowledge base. Where there is no such knowledge base nothing
    /// is found, with whatever model.
    async fn embedder_of(&self, base: KnowledgeBaseId) -> Result<Arc<dyn Embedder>, PortError> {
        let embedders = &self.parts.embedders;
        let Some(model) = self.parts.ledger.embedding_model(base).await? else {
            return Ok(embedders.preferred());
        };
        embedders
            .of_model(&model)
            .ok_or_else(|| Error::UnknownEmbedder { model }.into())
    }

    async fn ask_words(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        text: &str,
        depth: usize,
    ) -> Result<(Vec<ScoredChunk>, f64), PortError> {
        let asking = Instant::now();
        let query = IndexQuery {
            words: &WordQuery::plain(text),
            vector: &[],
            filter: None,
        };
        let found = self.parts.words.search(base, query, scope, depth).await?;
        Ok((found, milliseconds(asking)))
    }
}

/// What is shown of a chunk.
fn passage(question: &QuestionWords, mode: SearchMode, fused: FusedChunk, chunk: LedgerChunk) -> Passage {
    let whole = chunk.text_to_embed();
    let cosine = match mode {
        SearchMode::Lexical => None,
        // There is nothing to compare by yet: the words decide.
        SearchMode::Hybrid if !chunk.is_embedded => None,
        SearchMode::Vector | SearchMode::Hybrid => Some(fused.cosine.unwrap_or(0.0)),
    };
    let evidence = Evidence::of(question, &whole, cosine);
    Passage {
        chunk: chunk.chunk,
        document: chunk.document,
        version: chunk.version,
        title: chunk.title,
        uri: chunk.uri,
        heading_path: chunk.heading_path,
        page: chunk.page,
        span: chunk.span,
        text: chunk.text,
        table_header: chunk.table_header,
        parent: chunk.parent,
        score: Score::clamped(fused.score),
        confidence: evidence.confidence(),
    }
}

/// Puts the first passages into the order of a closer judge; those that it doesn't see stay below, with
/// scores no higher than the lowest of the others.
async fn rerank(reranker: &dyn Reranker, question: &str, passages: &mut [Passage]) -> Result<(), PortError> {
    let (judged, others) = passages.split_at_mut(passages.len().min(MOST_RERANKED));
    let texts: Vec<String> = judged.iter().map(Passage::text_to_embed).collect();
    let relevance = reranker.rerank(question, &texts).await?;
    for (passage, relevance) in judged.iter_mut().zip(relevance) {
        passage.score = Score::clamped(relevance);
    }
    judged.sort_by(|a, b| {
        b.score
            .value()
            .total_cmp(&a.score.value())
            .then(a.chunk.cmp(&b.chunk))
    });
    let lowest = judged.last().map_or(1.0, |passage| passage.score.value());
    for passage in others {
        passage.score = Score::clamped(passage.score.value().min(lowest));
    }
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
