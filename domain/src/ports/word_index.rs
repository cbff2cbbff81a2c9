//! What an index of words does besides finding chunks: it counts values, lists, completes and corrects.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::chunk_index::{ChunkIndex, ScoredChunk};
use crate::attribute::AttributeValue;
use crate::error::PortError;
use crate::filter::Filter;
use crate::ids::{ChunkId, DocumentId, KnowledgeBaseId};
use crate::scope::ReadScope;
use crate::word_query::WordQuery;

/// Which documents are meant: those that the scope may read, that pass the filter, and, where there is a query, of
/// which a chunk has its words.
#[derive(Clone, Copy, Debug)]
pub struct DocumentSet<'a> {
    /// The words; all documents where there are none.
    pub query: Option<&'a WordQuery>,
    /// The filter, if there is one.
    pub filter: Option<&'a Filter>,
    /// Who asks.
    pub scope: &'a ReadScope,
}

/// An attribute whose values are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetRequest {
    /// Its name.
    pub attribute: String,
    /// The most values that are given.
    pub limit: usize,
}

/// The values of an attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facet {
    /// Its name.
    pub attribute: String,
    /// The most frequent first; equally frequent ones in the order of the values.
    pub values: Vec<FacetValue>,
    /// How many values there are beside those.
    pub other_values: u64,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The value: a text (one of a list), a number or a date.
    pub value: AttributeValue,
    /// How many documents have it.
    pub documents: u64,
}

/// An attribute that results are put in order by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortKey {
    /// Its name. A document without it comes last.
    pub attribute: String,
    /// Whether the greatest comes first.
    #[serde(default)]
    pub descending: bool,
}

/// A word that the index hasn't got, and one that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Where the word begins in the text that was asked about, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What stands there.
    pub word: String,
    /// What may have been meant.
    pub corrected: String,
}

/// A title that begins like what was typed so far, or has a word that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TitleFound {
    /// The title.
    pub title: String,
    /// A chunk of the document, by which the ledger says whether it may be shown.
    pub chunk: ChunkId,
}

/// The index of words. Whatever it gives is of documents that the scope may read, as the index knows them; what is
/// shown of a document goes through the recheck all the same.
#[async_trait]
pub trait WordIndex: ChunkIndex {
    /// Those of `names` that are attributes of a document which the scope may read.
    async fn attributes_among(
        &self,
        knowledge_base: KnowledgeBaseId,
        names: &[String],
        scope: &ReadScope,
    ) -> Result<Vec<String>, PortError>;

    /// Counts documents by the values of attributes, exactly.
    async fn facets(
        &self,
        knowledge_base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        wanted: &[FacetRequest],
    ) -> Result<Vec<Facet>, PortError>;

    /// The documents by id, in order; `None` where there are more than `most`.
    async fn documents(
        &self,
        knowledge_base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        most: usize,
    ) -> Result<Option<Vec<DocumentId>>, PortError>;

    /// The first `limit` documents in the order of attributes, each by its best chunk for the query, or its first one.
    /// The first attribute decides, the next one among those that are equal in it, and so on; what is equal in all
    /// stands in the order of the ids.
    async fn in_order(
        &self,
        knowledge_base: KnowledgeBaseId,
        documents: DocumentSet<'_>,
        by: &[SortKey],
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError>;

    /// Titles for what was typed so far, best first.
    async fn titles(
        &self,
        knowledge_base: KnowledgeBaseId,
        typed: &str,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<TitleFound>, PortError>;

    /// Up to `limit` chunks that the scope may read and that have what was typed as a phrase, in a heading or in the
    /// text. `goes_on` says whether the last word may only have begun. Where there are more, they are from all over the
    /// index; a few may have a word that differs in its ending.
    async fn with_phrase(
        &self,
        knowledge_base: KnowledgeBaseId,
        typed: &str,
        goes_on: bool,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ChunkId>, PortError>;

    /// Words of the query that no document has which the scope may read, where one of its documents has a word that
    /// differs in a letter or two. The offsets are those in `text`.
    async fn corrections(
        &self,
        knowledge_base: KnowledgeBaseId,
        text: &str,
        scope: &ReadScope,
    ) -> Result<Vec<Correction>, PortError>;
}
