//! Taking away: documents, sources, and whole knowledge bases.
//!
//! The ledger goes first: from its commit on nothing is found any more. The indexes follow, at once or with the
//! next run.

use lectern_domain::{DocumentId, KnowledgeBaseId};

use crate::collect;
use crate::error::{Error, Result};
use crate::ledger::{KnowledgeBase, ReleasedFiles, Source};
use crate::pipeline::{Ingestion, IngestionParts};
use crate::sync;

impl Ingestion {
    /// Deletes a document. When it returns, nobody finds it. While a job runs, its chunks leave the indexes with
    /// the end of that job. A document that its source still has comes back with the next sync.
    pub async fn remove(&self, knowledge_base: &KnowledgeBase, document: DocumentId) -> Result<()> {
        let original = self
            .parts
            .ledger
            .remove_document(knowledge_base.id, document)
            .await?;
        let released = ReleasedFiles {
            texts: Vec::new(),
            originals: original.into_iter().collect(),
        };
        collect::remove_released(&self.parts, &released).await?;
        if let Some(_lock) = self.locks.try_lock(knowledge_base.id) {
            collect::collect_retired(&self.parts, knowledge_base.id).await?;
        }
        Ok(())
    }

    /// Removes a source with its documents and the history of its jobs, and stops a job of it that runs. From
    /// the start nobody finds its documents, and a crash in between is finished by [`Ingestion::recover`].
    pub async fn remove_source(&self, knowledge_base: &KnowledgeBase, source: &Source) -> Result<()> {
        if source.kind == sync::PUSHED {
            return Err(Error::PushedSource { action: "remove" });
        }
        let ledger = &self.parts.ledger;
        let running = ledger.jobs_of_source(source.id, 10).await?;
        for job in running.iter().filter(|job| !job.has_ended()) {
            self.stop(job.id).await?;
        }
        let _lock = self.locks.lock(knowledge_base.id).await;
        if !ledger.bury_source(source.id).await? {
            return Err(Error::NoSource {
                name: source.name.clone(),
            });
        }
        collect::collect_retired(&self.parts, knowledge_base.id).await?;
        ledger.erase_buried_sources(knowledge_base.id).await
    }

    /// Deletes a knowledge base with all that belongs to it, and stops a job that writes to it. From the start
    /// nobody finds it, and a crash in between is finished by [`Ingestion::recover`].
    pub async fn delete_knowledge_base(&self, knowledge_base: &KnowledgeBase) -> Result<()> {
        if !self.parts.ledger.bury_knowledge_base(knowledge_base.id).await? {
            return Err(Error::NoKnowledgeBase {
                name: knowledge_base.name.clone(),
            });
        }
        self.locks.stop_running(knowledge_base.id);
        let _lock = self.locks.lock(knowledge_base.id).await;
        erase(&self.parts, knowledge_base.id).await
    }
}

/// Removes what is left of a knowledge base that has its tombstone.
pub(crate) async fn erase(parts: &IngestionParts, knowledge_base: KnowledgeBaseId) -> Result<()> {
    for index in parts.indexes() {
        index.drop_knowledge_base(knowledge_base).await?;
    }
    let files = parts.ledger.files_of(knowledge_base).await?;
    parts.ledger.erase_knowledge_base(knowledge_base).await?;
    collect::remove_released(parts, &files).await
}
