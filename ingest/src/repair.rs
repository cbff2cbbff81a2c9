//! Mending what `fsck` finds, from the ledger and the stored texts alone: no source is asked.
//!
//! In this order, each step safe to be interrupted and done again:
//!
//! 1. an index that can't be read, or has a chunk twice, is removed, to be made anew;
//! 2. what an interrupted process left is put in order ([`crate::recover`]);
//! 3. a document whose stored text is lost is taken out of sight, and read again: by the next sync of its source, or
//!    from its pushed original;
//! 4. a stored vector that is damaged is removed;
//! 5. the index of words gets the chunks that it lacks, and loses those that nobody may see;
//! 6. so does the index of vectors, from the stored vectors, without the model. A document that lacks a stored vector
//!    waits for it, found by words meanwhile ([`Ingestion::embed_pending`]);
//! 7. documents and chunks are counted anew.

use std::sync::Arc;

use lectern_domain::ports::{ChunkIndex, ChunkLookup, IndexEntry};
use lectern_domain::{
    Chunk, ChunkId, ContentHash, DocumentId, KnowledgeBaseId, LedgerChunk, PortError, Version,
};
use serde::Serialize;

use crate::embedding::keep::{Points, upsert};
use crate::error::Result;
use crate::fsck::{Damaged, damaged, is_damage, misfiled, repeated, without};
use crate::ledger::KnowledgeBase;
use crate::pipeline::{Ingestion, IngestionParts};
use crate::{collect, recover};

/// Chunks that are read and written together.
const AT_ONCE: usize = 512;

/// What was mended in one knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// Which one.
    pub knowledge_base: KnowledgeBaseId,
    /// Its name.
    pub name: String,
    /// Indexes that were made anew: `words`, `vectors`.
    pub rebuilt: Vec<String>,
    /// Chunks that were brought into the index of words.
    pub words_written: u64,
    /// Chunks that were taken out of it.
    pub words_removed: u64,
    /// Chunks that were brought into the index of vectors.
    pub vectors_written: u64,
    /// Chunks that were taken out of it.
    pub vectors_removed: u64,
    /// Documents whose chunks an index had for other readers.
    pub access_settled: u64,
    /// Stored vectors that were damaged.
    pub damaged_vectors: u64,
    /// Documents that wait for vectors now, found by words meanwhile.
    pub waiting_for_vectors: u64,
    /// Keys of the documents whose stored text was lost: they can't be found until they are read again.
    pub lost_texts: Vec<String>,
    /// Those of them that were pushed, whose original waits to be read ([`Ingestion::process_pending`]).
    pub requeued: u64,
    /// Originals of pushed documents that are lost; their texts are there.
    pub lost_originals: u64,
    /// Whether the counts of documents and chunks were wrong.
    pub recounted: bool,
}

impl Repair {
    fn of(knowledge_base: &KnowledgeBase) -> Self {
        Self {
            knowledge_base: knowledge_base.id,
            name: knowledge_base.name.clone(),
            rebuilt: Vec::new(),
            words_written: 0,
            words_removed: 0,
            vectors_written: 0,
            vectors_removed: 0,
            access_settled: 0,
            damaged_vectors: 0,
            waiting_for_vectors: 0,
            lost_texts: Vec::new(),
            requeued: 0,
            lost_originals: 0,
            recounted: false,
        }
    }
}

impl Ingestion {
    /// Mends one knowledge base, or all. Fails with [`crate::Error::JobRunning`] while one of them is written to.
    /// Afterwards [`Ingestion::process_pending`] and [`Ingestion::embed_pending`] do what waits.
    pub async fn repair(&self, knowledge_base: Option<&KnowledgeBase>) -> Result<Vec<Repair>> {
        let all = self.this_or_all(knowledge_base).await?;
        let mut repairs = Vec::with_capacity(all.len());
        for knowledge_base in &all {
            let _lock = self.lock_now(knowledge_base)?;
            repairs.push(mend(&self.parts, knowledge_base).await?);
        }
        Ok(repairs)
    }
}

async fn mend(parts: &IngestionParts, knowledge_base: &KnowledgeBase) -> Result<Repair> {
    let id = knowledge_base.id;
    let mut repair = Repair::of(knowledge_base);
    {
        let _turn = parts.ledger.index_turn(id).await;
        for index in parts.indexes() {
            if is_broken(&**index, id).await? {
                index.drop_knowledge_base(id).await?;
                repair.rebuilt.push(index.name().to_owned());
            }
        }
    }
    recover::put_in_order(parts, id).await?;
    lose_damaged_files(parts, id, &mut repair).await?;
    let model = &knowledge_base.embedding_model;
    let (_, damaged) = parts
        .ledger
        .damaged_vectors(id, model, knowledge_base.dimensions)
        .await?;
    repair.damaged_vectors = damaged.len() as u64;
    parts.ledger.remove_vectors(model, &damaged).await?;
    let turn = parts.ledger.index_turn(id).await;
    mend_words(parts, id, &mut repair).await?;
    mend_vectors(parts, id, model, &mut repair).await?;
    drop(turn);
    mend_access(parts, id, &mut repair).await?;
    repair.recounted = parts.ledger.recount(id).await?;
    tracing::info!(?repair, "repaired");
    Ok(repair)
}

/// Makes those indexes anew that an earlier version of Lectern wrote in another form, from the ledger and the stored
/// texts. Gives how many.
pub(crate) async fn renew_outdated(parts: &IngestionParts, knowledge_base: &KnowledgeBase) -> Result<u64> {
    let id = knowledge_base.id;
    let mut renewed = 0;
    for index in parts.indexes() {
        if !index.is_outdated(id).await? {
            continue;
        }
        tracing::info!(
            index = index.name(),
            knowledge_base = knowledge_base.name,
            chunks = knowledge_base.chunk_count,
            "an index of an earlier version is made anew"
        );
        let _turn = parts.ledger.index_turn(id).await;
        index.drop_knowledge_base(id).await?;
        let mut repair = Repair::of(knowledge_base);
        mend_words(parts, id, &mut repair).await?;
        mend_vectors(parts, id, &knowledge_base.embedding_model, &mut repair).await?;
        renewed += 1;
    }
    Ok(renewed)
}

async fn ids_in(
    index: &dyn ChunkIndex,
    knowledge_base: KnowledgeBaseId,
) -> std::result::Result<Vec<ChunkId>, PortError> {
    let listed = index.chunks(knowledge_base).await?;
    Ok(listed.into_iter().map(|listed| listed.chunk).collect())
}

/// Whether an index can only be made anew.
async fn is_broken(index: &dyn ChunkIndex, knowledge_base: KnowledgeBaseId) -> Result<bool> {
    match ids_in(index, knowledge_base).await {
        Ok(mut ids) => Ok(!repeated(&mut ids).is_empty()),
        Err(error) if is_damage(&error) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

async fn lose_damaged_files(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
    repair: &mut Repair,
) -> Result<()> {
    let files = parts.ledger.files_of(knowledge_base).await?;
    let damaged = damaged(parts, files).await?;
    let (mut texts, mut originals): (Vec<ContentHash>, Vec<ContentHash>) = Default::default();
    for file in damaged {
        match file {
            Damaged::Text(hash, _) => texts.push(hash),
            Damaged::Original(hash, _) => originals.push(hash),
        }
    }
    for text in texts {
        let lost = parts.ledger.lose_text(knowledge_base, text, &originals).await?;
        for (document, key) in lost.documents {
            parts.ledger.mark_for_reading(document).await?;
            repair.lost_texts.push(key);
        }
        repair.requeued += lost.requeued;
    }
    for original in originals {
        parts.ledger.lose_original(original).await?;
        repair.lost_originals += 1;
    }
    // What nothing refers to any more goes with the versions, so that the same content can be stored again.
    collect::collect_retired(parts, knowledge_base).await?;
    Ok(())
}

async fn mend_words(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
    repair: &mut Repair,
) -> Result<()> {
    let visible = parts.ledger.visible_chunks(knowledge_base).await?;
    let words = &parts.words;
    let mut found = ids_in(&**words, knowledge_base).await?;
    repeated(&mut found);
    let ghosts: Vec<ChunkId> = without(&found, &visible.current).collect();
    let missing: Vec<ChunkId> = without(&visible.current, &found).collect();
    words.delete(knowledge_base, &ghosts).await?;
    for some in missing.chunks(AT_ONCE) {
        let chunks = parts.ledger.look_up(knowledge_base, some).await?;
        let entries: Vec<IndexEntry> = chunks
            .into_iter()
            .map(|chunk| entry(knowledge_base, chunk))
            .collect();
        words.upsert(knowledge_base, &entries).await?;
    }
    words.commit(knowledge_base).await?;
    repair.words_removed = ghosts.len() as u64;
    repair.words_written = missing.len() as u64;
    Ok(())
}

async fn mend_vectors(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
    model: &str,
    repair: &mut Repair,
) -> Result<()> {
    let (ledger, vectors) = (&parts.ledger, &parts.vectors);
    let visible = ledger.visible_chunks(knowledge_base).await?;
    let mut found = ids_in(&**vectors, knowledge_base).await?;
    repeated(&mut found);
    let ghosts: Vec<ChunkId> = without(&found, &visible.current).collect();
    vectors.delete(knowledge_base, &ghosts).await?;
    repair.vectors_removed = ghosts.len() as u64;
    let missing: Vec<ChunkId> = without(&visible.embedded, &found).collect();
    let mut waiting: Vec<(DocumentId, Version)> = Vec::new();
    let mut entries = Vec::new();
    for version in ledger.versions_of(&missing).await? {
        let Some(metadata) = ledger.metadata_if_current(version).await? else {
            continue;
        };
        let points = Points {
            parts,
            knowledge_base,
            version,
            model,
            metadata: &metadata,
        };
        if !points.write(&mut entries, &mut repair.vectors_written).await? {
            waiting.push(version);
        }
    }
    upsert(parts, knowledge_base, &mut entries, &mut repair.vectors_written).await?;
    vectors.commit(knowledge_base).await?;
    waiting.extend(ledger.versions_lacking_vectors(knowledge_base, model).await?);
    waiting.sort_unstable();
    waiting.dedup();
    repair.waiting_for_vectors = waiting.len() as u64;
    ledger.unmark(&waiting).await
}

/// Gives the chunks that an index has for other readers the access lists of their documents.
async fn mend_access(
    parts: &IngestionParts,
    knowledge_base: KnowledgeBaseId,
    repair: &mut Repair,
) -> Result<()> {
    let visible = parts.ledger.visible_chunks(knowledge_base).await?;
    let mut chunks: Vec<ChunkId> = Vec::new();
    for index in parts.indexes() {
        let listed = index.chunks(knowledge_base).await?;
        chunks.extend(misfiled(&listed, &visible));
    }
    let versions = parts.ledger.versions_of(&chunks).await?;
    let documents: Vec<DocumentId> = versions.into_iter().map(|(document, _)| document).collect();
    parts.ledger.owe_access(&documents).await?;
    repair.access_settled = collect::settle_access(parts, knowledge_base).await?;
    Ok(())
}

/// What the index of words reads of a chunk.
fn entry(knowledge_base: KnowledgeBaseId, chunk: LedgerChunk) -> IndexEntry {
    IndexEntry {
        chunk: Chunk {
            id: chunk.chunk,
            knowledge_base,
            document: chunk.document,
            version: chunk.version,
            ordinal: chunk.ordinal,
            title: chunk.title,
            heading_path: chunk.heading_path,
            page: chunk.page,
            span: chunk.span,
            text: chunk.text,
            table_header: chunk.table_header,
            token_count: chunk.token_count,
        },
        metadata: Arc::new(chunk.metadata),
        vector: Vec::new(),
    }
}
