//! An index of chunks: vectors or words, in this process or on a server.

use std::sync::Arc;

use async_trait::async_trait;

use crate::chunk::Chunk;
use crate::error::PortError;
use crate::filter::Filter;
use crate::ids::{ChunkId, DocumentId, KnowledgeBaseId};
use crate::metadata::{DocumentMetadata, MetadataDigest};
use crate::scope::ReadScope;
use crate::word_query::WordQuery;

/// What is written to an index for one chunk.
#[derive(Clone, Debug)]
pub struct IndexEntry {
    /// The chunk. Only an index of words reads its text, title and headings.
    pub chunk: Chunk,
    /// Who may read its document, and the attributes of that.
    pub metadata: Arc<DocumentMetadata>,
    /// Its vector, of unit length. Empty for an index of words.
    pub vector: Vec<f32>,
}

/// A chunk that an index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// Who may read it and the attributes of its document, as the index knows them.
    pub metadata: MetadataDigest,
}

/// What is looked for. An index of words reads the words, an index of vectors the vector.
#[derive(Clone, Copy, Debug)]
pub struct IndexQuery<'a> {
    /// The words of the question.
    pub words: &'a WordQuery,
    /// Its vector, of unit length. Empty where no index of vectors is asked.
    pub vector: &'a [f32],
    /// Which documents count. An index that can't tell about a part of it leaves that part to the recheck, and never
    /// leaves out what passes.
    pub filter: Option<&'a Filter>,
    /// Only these documents, at most 20,000, where somebody found out by other means which ones can pass a part of
    /// the filter that an index of vectors can't tell. An index of words may leave it to the recheck.
    pub documents: Option<&'a [DocumentId]>,
}

/// A chunk that an index found. The score is the index's own (a cosine, a BM25 weight) and stays
/// inside `retrieval`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// Higher is better.
    pub score: f32,
}

/// One of the two indexes. Every implementation passes `retrieval::conformance`.
///
/// * A knowledge base exists in an index from its first `upsert` on; to read, delete or drop what
///   isn't there is no error and finds nothing.
/// * Writing the same entry twice is the same as writing it once.
/// * What was written or deleted is durable and seen by every later `search` when `commit`
///   has returned, and perhaps earlier.
/// * `search` returns nothing that `scope` may not read. (The recheck against the ledger stands
///   behind it all the same.)
#[async_trait]
pub trait ChunkIndex: Send + Sync {
    /// `vectors` or `words`, for logs and for `lectern fsck`.
    fn name(&self) -> &'static str;

    /// Adds the entries, replacing those with the same chunk id.
    async fn upsert(&self, knowledge_base: KnowledgeBaseId, entries: &[IndexEntry]) -> Result<(), PortError>;

    /// Takes the chunks out.
    async fn delete(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<(), PortError>;

    /// Gives the chunks another access list and other attributes; their text and vectors stay. A chunk that
    /// isn't there is no error.
    async fn set_metadata(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
        metadata: &DocumentMetadata,
    ) -> Result<(), PortError>;

    /// Makes everything before it durable and visible.
    async fn commit(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError>;

    /// Gets the index into its best shape for searching, after much was written. May take long; reads
    /// and writes go on meanwhile.
    async fn optimize(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError>;

    /// The best `limit` chunks that `scope` may read, best first; equal scores in the order of the ids.
    async fn search(
        &self,
        knowledge_base: KnowledgeBaseId,
        query: IndexQuery<'_>,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError>;

    /// All chunks in the index, in no order, for `lectern fsck`.
    async fn chunks(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<IndexedChunk>, PortError>;

    /// Whether what is stored of a knowledge base was written in another form than this one and can't be read, so
    /// that it has to be dropped and written anew.
    async fn is_outdated(&self, _knowledge_base: KnowledgeBaseId) -> Result<bool, PortError> {
        Ok(false)
    }

    /// Removes all that belongs to a knowledge base.
    async fn drop_knowledge_base(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError>;
}
