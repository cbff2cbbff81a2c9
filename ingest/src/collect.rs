//! Collecting: the indexes are given what they owe the ledger. Chunks of retired versions are taken out, changed
//! access lists and attributes are brought in, files that nothing refers to are removed.
//!
//! The ledger's rows change last: whatever is interrupted here is owed still, and done by the next call. What is owed
//! is read and paid within one index turn, so that nothing older is written after it.

use std::sync::Arc;

use futures::future::try_join;
use lectern_domain::{ChunkId, KnowledgeBaseId};

use crate::error::Result;
use crate::failpoints::failpoint;
use crate::ledger::ReleasedFiles;
use crate::pipeline::IngestionParts;
use crate::texts::{Condemned, ContentFiles, blocking};

/// Versions, or documents with changed metadata, that are handled together.
const AT_ONCE: usize = 256;

/// Takes the chunks of retired versions out of the indexes, then forgets the versions. Gives how many.
pub(crate) async fn collect_retired(parts: &IngestionParts, knowledge_base: KnowledgeBaseId) -> Result<u64> {
    let mut collected = 0;
    loop {
        let turn = parts.ledger.index_turn(knowledge_base).await;
        let retired = parts.ledger.retired(knowledge_base, AT_ONCE).await?;
        let chunks: Vec<ChunkId> = retired
            .iter()
            .flat_map(|version| &version.chunks)
            .copied()
            .collect();
        if !chunks.is_empty() {
            try_join(
                take_out_words(parts, knowledge_base, &chunks),
                take_out_vectors(parts, knowledge_base, &chunks),
            )
            .await?;
        }
        failpoint("collect.rows.before")?;
        let released = parts.ledger.forget(knowledge_base, &retired).await?;
        failpoint("collect.rows.after")?;
        drop(turn);
        remove_released(parts, &released).await?;
        collected += retired.len() as u64;
        if retired.len() < AT_ONCE {
            return Ok(collected);
        }
    }
}

async fn take_out_words(parts: &IngestionParts, base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<()> {
    failpoint("collect.words.before")?;
    parts.words.delete(base, chunks).await?;
    parts.words.commit(base).await?;
    failpoint("collect.words.after")
}

async fn take_out_vectors(parts: &IngestionParts, base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<()> {
    failpoint("collect.vectors.before")?;
    parts.vectors.delete(base, chunks).await?;
    parts.vectors.commit(base).await?;
    failpoint("collect.vectors.after")
}

/// Brings changed access lists and attributes into the indexes. Gives how many documents.
pub(crate) async fn settle_access(parts: &IngestionParts, knowledge_base: KnowledgeBaseId) -> Result<u64> {
    let mut settled = 0;
    loop {
        let _turn = parts.ledger.index_turn(knowledge_base).await;
        let owed = parts.ledger.owed_access(knowledge_base, AT_ONCE).await?;
        if owed.is_empty() {
            return Ok(settled);
        }
        for index in parts.indexes() {
            for document in owed.iter().filter(|document| !document.chunks.is_empty()) {
                index
                    .set_metadata(knowledge_base, &document.chunks, &document.metadata)
                    .await?;
            }
            index.commit(knowledge_base).await?;
        }
        parts.ledger.settle_access(&owed).await?;
        settled += owed.len() as u64;
    }
}

/// Removes those of the files that no row refers to any more.
pub(crate) async fn remove_released(parts: &IngestionParts, released: &ReleasedFiles) -> Result<()> {
    for hash in released.texts.iter().copied() {
        let condemned = parts.texts.texts().condemn(hash);
        let is_in_use = parts.ledger.text_in_use(hash).await?;
        remove_unless(is_in_use, parts.texts.texts(), condemned).await?;
    }
    for hash in released.originals.iter().copied() {
        let condemned = parts.texts.originals().condemn(hash);
        let is_in_use = parts.ledger.original_in_use(hash).await?;
        remove_unless(is_in_use, parts.texts.originals(), condemned).await?;
    }
    Ok(())
}

async fn remove_unless(is_in_use: bool, files: &Arc<ContentFiles>, condemned: Condemned) -> Result<()> {
    if is_in_use {
        files.pardon(&condemned);
        return Ok(());
    }
    let files = Arc::clone(files);
    blocking(move || files.remove_condemned(&condemned)).await
}
