//! Which documents should get their vectors first.

use crate::ids::{DocumentId, KnowledgeBaseId};

/// Hears of documents that were found by their words while their vectors are still to come, so that what is asked
/// for is embedded first. Implemented by `ingest::embedding`, told by `retrieval::search`.
pub trait EmbeddingDemand: Send + Sync {
    /// A search found these documents, and they have no vectors yet. Never waits; what is told is a hint and may be
    /// forgotten.
    fn asked_for(&self, knowledge_base: KnowledgeBaseId, documents: &[DocumentId]);
}
