//! What the ledger says of chunks that an index found.

use async_trait::async_trait;

use crate::error::PortError;
use crate::ids::{ChunkId, KnowledgeBaseId};
use crate::passage::LedgerChunk;

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
}
