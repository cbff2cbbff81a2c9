//! What the indexes find for a question, merged, before anybody checks it.
//!
//! Both indexes are asked at the same time. A filter goes to both; the part of it that the index of vectors can't
//! tell (how a text begins, what it has in it) is told by the index of words first, as a list of documents, where they
//! aren't too many. What is left of it is for the recheck.

use std::sync::Arc;
use std::time::Instant;

use lectern_domain::ports::{DocumentSet, Embedder, IndexQuery, ScoredChunk, SortKey};
use lectern_domain::{ChunkId, DocumentId, EmbeddedShare, KnowledgeBaseId, PortError, ReadScope};

use super::plan::Plan;
use super::{SearchTimings, Searcher, milliseconds};
use crate::error::Error;
use crate::fuse::{self, FusedChunk};
use crate::request::SearchMode;

/// Most documents that a filter is turned into for the index of vectors, which compares each of its hits with the list.
const MOST_FILTERED_DOCUMENTS: usize = 20_000;
/// The fewest chunks that the index of vectors is asked for where the list would be longer: it can't tell then what
/// passes, and the recheck drops the rest. Where one document of fifty passes (20,000 of a million), about 20 of them are
/// left, enough for a page. To go deeper still would have the ledger look up thousands of chunks for one question.
const LEAST_WITHOUT_LIST: usize = 1_000;

/// What the indexes found.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Best first, each chunk once.
    pub(super) merged: Vec<FusedChunk>,
    /// What each of the indexes found, for whoever wants to know the ranks.
    pub(super) by_vector: Vec<ScoredChunk>,
    pub(super) by_words: Vec<ScoredChunk>,
    pub(super) embedded: EmbeddedShare,
    pub(super) timings: SearchTimings,
}

/// Who asks what of which knowledge base.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) scope: &'a ReadScope,
    pub(super) base: KnowledgeBaseId,
    pub(super) plan: &'a Plan,
    /// How many chunks each index is asked for.
    pub(super) depth: usize,
}

/// What the index of vectors is to know of the documents that pass the filter.
enum Passing {
    /// Nothing more: it can tell them, or there is no filter.
    Told,
    /// They are these.
    These(Vec<DocumentId>),
    /// They are too many to be named.
    TooMany,
}

impl Searcher {
    pub(super) async fn candidates(&self, asked: Asked<'_>) -> Result<Candidates, PortError> {
        let mut found = match asked.plan.order() {
            Some(by) => self.in_order(asked, by).await?,
            None => self.best(asked).await?,
        };
        // Asked after the indexes were: a version whose points came in between is pending then, or whole.
        found.embedded = self.parts.ledger.embedded_share(asked.base).await?;
        found.by_vector = self
            .with_all_vectors(asked.base, found.embedded, found.by_vector)
            .await?;
        found.merged = match asked.plan.mode {
            _ if asked.plan.order().is_some() => fuse::words_alone(&found.by_words),
            SearchMode::Vector => fuse::vectors_alone(&found.by_vector),
            SearchMode::Lexical => fuse::words_alone(&found.by_words),
            SearchMode::Hybrid => self.fusion.merge(&found.by_vector, &found.by_words),
        };
        Ok(found)
    }

    async fn best(&self, asked: Asked<'_>) -> Result<Candidates, PortError> {
        let mut found = Candidates::default();
        match asked.plan.mode {
            SearchMode::Vector => {
                self.ask_vectors(asked, &mut found.by_vector, &mut found.timings)
                    .await?
            }
            SearchMode::Lexical => {
                self.ask_words(asked, &mut found.by_words, &mut found.timings)
                    .await?
            }
            SearchMode::Hybrid => {
                let mut timings = SearchTimings::default();
                futures::try_join!(
                    self.ask_vectors(asked, &mut found.by_vector, &mut found.timings),
                    self.ask_words(asked, &mut found.by_words, &mut timings),
                )?;
                found.timings.words_ms = timings.words_ms;
            }
        }
        Ok(found)
    }

    /// The documents that have the words and pass the filter, in the order of attributes.
    async fn in_order(&self, asked: Asked<'_>, by: &[SortKey]) -> Result<Candidates, PortError> {
        let asking = Instant::now();
        let by_words = self
            .parts
            .words
            .in_order(asked.base, asked.plan.documents(asked.scope), by, asked.depth)
            .await?;
        Ok(Candidates {
            by_words,
            timings: SearchTimings {
                words_ms: milliseconds(asking),
                ..SearchTimings::default()
            },
            ..Candidates::default()
        })
    }

    async fn ask_vectors(
        &self,
        asked: Asked<'_>,
        found: &mut Vec<ScoredChunk>,
        timings: &mut SearchTimings,
    ) -> Result<(), PortError> {
        let embedding = Instant::now();
        let embedder = self.embedder_of(asked.base).await?;
        let vector = embedder.embed_query(&asked.plan.text_to_embed).await?;
        timings.embed_ms = milliseconds(embedding);
        let asking = Instant::now();
        let (documents, depth) = match self.passing(asked).await? {
            Passing::Told => (None, asked.depth),
            Passing::These(documents) => (Some(documents), asked.depth),
            Passing::TooMany => (None, asked.depth.max(LEAST_WITHOUT_LIST)),
        };
        let query = IndexQuery {
            words: &asked.plan.words,
            vector: &vector,
            filter: asked.plan.filter.as_ref(),
            documents: documents.as_deref(),
        };
        *found = self
            .parts
            .vectors
            .search(asked.base, query, asked.scope, depth)
            .await?;
        // From here on a model's cosines are told apart no more: fusion and confidence were fitted on one scale.
        let scale = embedder.cosine_scale();
        for hit in found.iter_mut() {
            hit.score = scale.nearness(hit.score);
        }
        timings.vectors_ms = milliseconds(asking);
        Ok(())
    }

    async fn ask_words(
        &self,
        asked: Asked<'_>,
        found: &mut Vec<ScoredChunk>,
        timings: &mut SearchTimings,
    ) -> Result<(), PortError> {
        let asking = Instant::now();
        let query = IndexQuery {
            words: &asked.plan.words,
            vector: &[],
            filter: asked.plan.filter.as_ref(),
            documents: None,
        };
        *found = self
            .parts
            .words
            .search(asked.base, query, asked.scope, asked.depth)
            .await?;
        timings.words_ms = milliseconds(asking);
        Ok(())
    }

    async fn passing(&self, asked: Asked<'_>) -> Result<Passing, PortError> {
        let Some(filter) = asked
            .plan
            .filter
            .as_ref()
            .filter(|filter| filter.looks_into_texts())
        else {
            return Ok(Passing::Told);
        };
        let documents = DocumentSet {
            query: None,
            filter: Some(filter),
            scope: asked.scope,
        };
        let words = &self.parts.words;
        let listed = words
            .documents(asked.base, documents, MOST_FILTERED_DOCUMENTS)
            .await?;
        Ok(listed.map_or(Passing::TooMany, Passing::These))
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
}
