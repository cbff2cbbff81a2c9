//! Keeping vectors: into the ledger first, then, once a version has all of them, into the index.
//!
//! A batch goes through these steps, in this order:
//!
//! 1. **Store** the vectors in the ledger, in one transaction. From here on nothing of it is embedded again.
//! 2. **Upsert** the points of the complete versions that are still visible, with the readers that count now.
//! 3. **Commit** the index of vectors.
//! 4. **Mark** the versions, in one ledger transaction: from here on searches by meaning find them.
//!
//! Steps 2 to 4 are one index turn, so what is written is what the ledger says at that moment. They run on a task of
//! their own: an index goes on writing when its caller goes away, and until it has ended nobody else may have the
//! turn. A crash between them leaves points of a version that isn't marked, which no search uses, and which are
//! written again.

use std::collections::BTreeMap;
use std::sync::Arc;

use lectern_domain::ports::IndexEntry;
use lectern_domain::{Chunk, DocumentId, DocumentMetadata, KnowledgeBaseId, TextSpan, Version};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use super::Embedding;
use super::embed::Step;
use super::feed::Flight;
use crate::error::{Error, Result};
use crate::failpoints::failpoint;
use crate::ledger::{PendingVersion, StoredVector};
use crate::pipeline::IngestionParts;

/// Points that are written in one call.
const POINTS_AT_ONCE: usize = 512;

/// Keeps what arrives until the queue ends.
pub(super) async fn keep(embedding: &Embedding, flight: &Flight, mut input: Receiver<Step>) -> Result<()> {
    loop {
        let batch = next_batch(embedding, flight, &mut input).await;
        if batch.is_empty() {
            return Ok(());
        }
        keep_batch(embedding, flight, batch).await?;
    }
}

/// The steps of the next batch; none when there will be no more.
async fn next_batch(embedding: &Embedding, flight: &Flight, input: &mut Receiver<Step>) -> Vec<Step> {
    let Some(first) = input.recv().await else {
        return Vec::new();
    };
    let settings = &embedding.parts.settings;
    let deadline = Instant::now() + settings.publish_interval;
    let mut batch = vec![first];
    let (mut vectors, mut over) = (0, 0);
    loop {
        match batch.last() {
            Some(Step::Slice { vectors: more, .. }) => vectors += more.len(),
            Some(Step::Complete { .. } | Step::SetAside { .. } | Step::PutBack { .. }) => over += 1,
            None => {}
        }
        // Where everything under way is in the batch, nothing more is to be waited for.
        if vectors >= settings.publish_chunks || over >= flight.len() {
            return batch;
        }
        match timeout_at(deadline, input.recv()).await {
            Ok(Some(step)) => batch.push(step),
            _ => return batch,
        }
    }
}

async fn keep_batch(embedding: &Embedding, flight: &Flight, batch: Vec<Step>) -> Result<()> {
    let mut over = Vec::new();
    let mut complete: BTreeMap<KnowledgeBaseId, Vec<Arc<PendingVersion>>> = BTreeMap::new();
    let mut stored: BTreeMap<String, Vec<StoredVector>> = BTreeMap::new();
    let mut other_hashes = Vec::new();
    let (mut set_aside, mut put_back) = (Vec::new(), Vec::new());
    for step in batch {
        match step {
            Step::Slice {
                version,
                vectors,
                other_hashes: others,
                tokens,
            } => {
                metrics::counter!("lectern_ingest_chunks_embedded_total").increment(vectors.len() as u64);
                embedding
                    .watchers
                    .embedded(version.source, vectors.len() as u64, tokens);
                stored.entry(version.model.clone()).or_default().extend(vectors);
                other_hashes.extend(others);
            }
            Step::Complete { version, reused } => {
                metrics::counter!("lectern_ingest_chunks_reused_total").increment(reused);
                embedding.watchers.reused(version.source, reused);
                over.push(version.id());
                complete.entry(version.knowledge_base).or_default().push(version);
            }
            Step::SetAside { version, reason } => {
                over.push(version.id());
                set_aside.push((version, reason));
            }
            Step::PutBack { version } => put_back.push(version.id()),
        }
    }
    let ledger = &embedding.parts.ledger;
    failpoint("vectors.store.before")?;
    // The hashes first: a vector that no chunk needs isn't stored.
    ledger.set_embed_hashes(&other_hashes).await?;
    for (model, vectors) in &stored {
        ledger.store_vectors(model, vectors).await?;
    }
    failpoint("vectors.store.after")?;
    for (version, reason) in set_aside {
        if ledger.metadata_if_current(version.id()).await?.is_none() {
            continue;
        }
        tracing::warn!(document = %version.document, reason, "a document gets no vectors");
        ledger.set_aside(version.id(), &reason).await?;
        embedding.watchers.set_aside(version.source, &version, &reason);
    }
    for (knowledge_base, versions) in complete {
        let work = place(Arc::clone(&embedding.parts), knowledge_base, versions.clone());
        let lost = |_| Error::StageLost {
            stage: "vector publishing",
        };
        match tokio::spawn(work).await.map_err(lost).flatten() {
            Ok(written) => {
                embedding.unoptimized.note_written(knowledge_base, written);
                embedding.faults.forget(knowledge_base);
                for version in versions {
                    embedding.watchers.searchable(version.source);
                }
            }
            Err(error) => embedding.note_fault(Some(knowledge_base), &error),
        }
    }
    flight.land(&over);
    flight.land(&put_back);
    embedding.round(&over).await
}

/// Steps 2 to 4. Gives how many points were written.
async fn place(
    parts: Arc<IngestionParts>,
    knowledge_base: KnowledgeBaseId,
    versions: Vec<Arc<PendingVersion>>,
) -> Result<u64> {
    let _turn = parts.ledger.index_turn(knowledge_base).await;
    let mut whole: Vec<(DocumentId, Version)> = Vec::with_capacity(versions.len());
    let (mut entries, mut written) = (Vec::new(), 0);
    failpoint("vectors.upsert.before")?;
    for version in &versions {
        // Replaced or deleted meanwhile: its chunks have left the index, or will.
        let Some(metadata) = parts.ledger.metadata_if_current(version.id()).await? else {
            continue;
        };
        let points = Points {
            parts: &parts,
            knowledge_base,
            version: version.id(),
            model: &version.model,
            metadata: &metadata,
        };
        if points.write(&mut entries, &mut written).await? {
            whole.push(version.id());
        }
    }
    upsert(&parts, knowledge_base, &mut entries, &mut written).await?;
    failpoint("vectors.upsert.after")?;
    if whole.is_empty() {
        return Ok(written);
    }
    failpoint("vectors.commit.before")?;
    parts.vectors.commit(knowledge_base).await?;
    failpoint("vectors.commit.after")?;
    failpoint("mark.before")?;
    parts.ledger.mark_embedded(&whole).await?;
    failpoint("mark.after")?;
    Ok(written)
}

/// The points of one version.
pub(crate) struct Points<'a> {
    pub(crate) parts: &'a IngestionParts,
    pub(crate) knowledge_base: KnowledgeBaseId,
    pub(crate) version: (DocumentId, Version),
    pub(crate) model: &'a str,
    pub(crate) metadata: &'a Arc<DocumentMetadata>,
}

impl Points<'_> {
    /// Adds them to what is to be written, and writes what is full. False where a vector is missing: then the
    /// version waits on.
    pub(crate) async fn write(&self, entries: &mut Vec<IndexEntry>, written: &mut u64) -> Result<bool> {
        let ledger = &self.parts.ledger;
        let mut first = 0;
        loop {
            let chunks = ledger
                .chunk_vectors(self.version, self.model, first, POINTS_AT_ONCE)
                .await?;
            let Some(last) = chunks.last().map(|chunk| chunk.ordinal) else {
                return Ok(true);
            };
            first = last + 1;
            for chunk in chunks {
                let Some(vector) = chunk.vector else {
                    return Ok(false);
                };
                entries.push(self.entry(chunk.chunk, chunk.ordinal, vector));
            }
            if entries.len() >= POINTS_AT_ONCE {
                upsert(self.parts, self.knowledge_base, entries, written).await?;
            }
        }
    }

    /// What the index of vectors reads of a chunk: whose it is, its vector, its readers and attributes.
    fn entry(&self, id: lectern_domain::ChunkId, ordinal: u32, vector: Vec<f32>) -> IndexEntry {
        IndexEntry {
            chunk: Chunk {
                id,
                knowledge_base: self.knowledge_base,
                document: self.version.0,
                version: self.version.1,
                ordinal,
                title: String::new(),
                heading_path: Vec::new(),
                page: None,
                span: TextSpan { start: 0, end: 0 },
                text: String::new(),
                table_header: None,
                token_count: 0,
            },
            metadata: Arc::clone(self.metadata),
            vector,
        }
    }
}

/// Writes the entries, and empties the list.
pub(crate) async fn upsert(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
    entries: &mut Vec<IndexEntry>,
    written: &mut u64,
) -> Result<()> {
    if !entries.is_empty() {
        parts.vectors.upsert(knowledge_base, entries).await?;
        *written += entries.len() as u64;
        entries.clear();
    }
    Ok(())
}
