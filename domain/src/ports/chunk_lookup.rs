//! What the ledger says of chunks that an index found.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::PortError;
use crate::ids::{ChunkId, KnowledgeBaseId};
use crate::passage::LedgerChunk;
use crate::search_settings::SearchSettings;
use crate::searchable::EmbeddedShare;

/// The ledger's side of the recheck. Implemented by `ingest::ledger`, asked by `retrieval::recheck`.
#[async_trait]
pub trait ChunkLookup: Send + Sync {
    /// What is known of `chunks`, in any order. A chunk that the ledger doesn't know is missing
    /// from the result; one whose stored text can't be read is an error.
    async fn look_up(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<LedgerChunk>, PortError>;

    /// The name of the model that makes the vectors of a knowledge base; `None` where there is no such
    /// knowledge base.
    async fn embedding_model(&self, knowledge_base: KnowledgeBaseId) -> Result<Option<String>, PortError>;

    /// How many documents of a knowledge base have their vectors. Asked by every search, so it costs next to
    /// nothing while nothing changes.
    async fn embedded_share(&self, knowledge_base: KnowledgeBaseId) -> Result<EmbeddedShare, PortError>;

    /// What is set for searches in a knowledge base; nothing where there is no such knowledge base. Asked by every
    /// search, so it costs next to nothing while nothing changes.
    async fn search_settings(
        &self,
        knowledge_base: KnowledgeBaseId,
    ) -> Result<Arc<SearchSettings>, PortError>;

    /// The first chunk of each of the documents that go by one of `names` (an address or a path) and can be found
    /// now, in the order of the names. A name that no document goes by is left out.
    async fn first_chunks(
        &self,
        knowledge_base: KnowledgeBaseId,
        names: &[String],
    ) -> Result<Vec<ChunkId>, PortError>;

    /// Those of `chunks` whose version doesn't have all its vectors (or isn't known), in any order.
    async fn not_embedded(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<ChunkId>, PortError>;
}
