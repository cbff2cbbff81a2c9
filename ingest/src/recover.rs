//! Putting things in order after a crash, or after a run whose caller went away.
//!
//! Whatever a lost process left is in the ledger: jobs that run, versions that are staged or retired, access
//! lists that the indexes are owed, knowledge bases with a tombstone. Each is finished or taken back; all of it may
//! be interrupted again and is simply done again. Documents whose version was taken back are read again by
//! the next sync, pushed ones by [`Ingestion::process_pending`].

use lectern_domain::KnowledgeBaseId;
use serde::Serialize;

use crate::collect;
use crate::error::Result;
use crate::failpoints::failpoint;
use crate::ledger::ReleasedFiles;
use crate::pipeline::{Ingestion, IngestionParts};
use crate::texts::blocking;
use crate::{remove, repair};

/// What [`Ingestion::recover`] found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecoveryReport {
    /// Jobs that were running and wait now to go on.
    pub interrupted_jobs: u64,
    /// Versions that were being written and were taken back.
    pub staged_versions: u64,
    /// Versions whose chunks were taken out of the indexes, those above with them.
    pub collected_versions: u64,
    /// Documents whose access list was brought to the indexes.
    pub settled_access: u64,
    /// Indexes that were written in an earlier form and were made anew.
    pub renewed_indexes: u64,
    /// Knowledge bases whose deletion was finished.
    pub erased_knowledge_bases: u64,
    /// Stored texts and originals that nothing referred to, removed.
    pub removed_files: u64,
    /// Whether pushed documents wait for [`Ingestion::process_pending`].
    pub pushes_wait: bool,
}

impl RecoveryReport {
    fn add(&mut self, other: &Self) {
        self.interrupted_jobs += other.interrupted_jobs;
        self.staged_versions += other.staged_versions;
        self.collected_versions += other.collected_versions;
        self.settled_access += other.settled_access;
    }
}

impl Ingestion {
    /// Puts every knowledge base in order. To be called at every start, before anything else; nobody else may
    /// have the data folder open. Quick where nothing was interrupted and no index is of an earlier version.
    pub async fn recover(&self) -> Result<RecoveryReport> {
        failpoint("recover.before")?;
        let parts = &self.parts;
        let mut report = RecoveryReport::default();
        for knowledge_base in parts.ledger.buried_knowledge_bases().await? {
            remove::erase(parts, knowledge_base).await?;
            report.erased_knowledge_bases += 1;
        }
        for knowledge_base in parts.ledger.knowledge_bases().await? {
            report.renewed_indexes += repair::renew_outdated(parts, &knowledge_base).await?;
            report.add(&put_in_order(parts, knowledge_base.id).await?);
            let pending = parts.ledger.pending_after(knowledge_base.id, 0, 1).await?;
            report.pushes_wait |= !pending.is_empty();
        }
        if report != RecoveryReport::default() {
            report.removed_files = remove_strays(parts).await?;
            tracing::info!(?report, "recovered");
        }
        failpoint("recover.after")?;
        Ok(report)
    }
}

/// Puts one knowledge base in order. The caller has the right to write to it.
pub(crate) async fn put_in_order(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
) -> Result<RecoveryReport> {
    parts.ledger.remove_orphans(knowledge_base).await?;
    let report = RecoveryReport {
        interrupted_jobs: parts.ledger.requeue_interrupted_jobs(knowledge_base).await?,
        staged_versions: parts.ledger.retire_staged(knowledge_base).await?,
        collected_versions: collect::collect_retired(parts, knowledge_base).await?,
        settled_access: collect::settle_access(parts, knowledge_base).await?,
        ..RecoveryReport::default()
    };
    parts.ledger.erase_buried_sources(knowledge_base).await?;
    parts.ledger.requeue_open_pushes(knowledge_base).await?;
    Ok(report)
}

/// Removes files that were stored and never got a row.
async fn remove_strays(parts: &IngestionParts) -> Result<u64> {
    let strays = strays(parts).await?;
    collect::remove_released(parts, &strays).await?;
    Ok((strays.texts.len() + strays.originals.len()) as u64)
}

/// Files that no row refers to.
pub(crate) async fn strays(parts: &IngestionParts) -> Result<ReleasedFiles> {
    let texts = parts.ledger.all_texts().await?;
    let originals = parts.ledger.all_originals().await?;
    let store = std::sync::Arc::clone(&parts.texts);
    blocking(move || {
        let mut strays = ReleasedFiles::default();
        store.texts().for_each_folder(|found| {
            strays
                .texts
                .extend(found.into_iter().filter(|hash| !texts.contains(hash)));
        })?;
        store.originals().for_each_folder(|found| {
            strays
                .originals
                .extend(found.into_iter().filter(|hash| !originals.contains(hash)));
        })?;
        Ok(strays)
    })
    .await
}
