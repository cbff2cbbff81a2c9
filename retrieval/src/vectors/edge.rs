//! Vectors in the Qdrant engine in this process: one directory per knowledge base.
//!
//! What the engine does and doesn't do (read in the source of 0.7.2):
//! * An update is in memory and in the page cache when it returns; only `flush` makes it durable, and
//!   after a crash everything since the last one is gone. That is what `commit` is for.
//! * `flush` panics where somebody holds the engine's locks, so it takes turns with updates and with
//!   `optimize`: a commit waits for a running optimisation, a search never does.
//! * It searches one segment after another in the caller's thread, exactly up to 10 MB of vectors, and by an HNSW
//!   graph beyond that, once `optimize` has built it. How vectors are kept depends on how many there are
//!   ([`settings`]).

mod conditions;
mod engine;
mod payload_indexes;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery, IndexedChunk, ScoredChunk};
use lectern_domain::{ChunkId, DocumentMetadata, KnowledgeBaseId, PortError, ReadScope};
use qdrant_edge::{
    Condition as EdgeCondition, Filter, HasIdCondition, Payload, PayloadOps, PointId, PointOperations,
    PointStruct, SetPayloadOp, UpdateOperation,
};
use serde_json::Value;

use self::engine::Engine;
use self::settings::Thresholds;
use super::condition::Condition;
use super::payload::{self, RangeField};
use super::{INDEX, require_dimensions, write_ahead_log};
use crate::acl_filter::ReaderNames;
use crate::bases::{Absent, Bases, blocking};
use crate::error::Error;

/// The vectors of all knowledge bases on this machine.
#[derive(Clone)]
pub struct EdgeVectors {
    bases: Arc<Bases<Engine>>,
    dimensions: usize,
}

impl std::fmt::Debug for EdgeVectors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EdgeVectors")
            .field("dimensions", &self.dimensions)
            .finish_non_exhaustive()
    }
}

impl EdgeVectors {
    /// The indexes under `directory`, of vectors with `dimensions` numbers. Opens none yet.
    ///
    /// # Errors
    /// [`Error::Index`] where the directory can't be made.
    pub fn open(directory: impl Into<PathBuf>, dimensions: usize) -> Result<Self, Error> {
        Self::open_with(directory.into(), dimensions, Thresholds::default())
    }

    fn open_with(directory: PathBuf, dimensions: usize, thresholds: Thresholds) -> Result<Self, Error> {
        let bases = Bases::new(INDEX, directory, move |path| {
            Engine::open(path, dimensions, thresholds)
        })?;
        Ok(Self {
            bases: Arc::new(bases),
            dimensions,
        })
    }
}

#[async_trait]
impl ChunkIndex for EdgeVectors {
    fn name(&self) -> &'static str {
        INDEX
    }

    async fn upsert(&self, base: KnowledgeBaseId, entries: &[IndexEntry]) -> Result<(), PortError> {
        if entries.is_empty() {
            return Ok(());
        }
        require_dimensions(
            entries.iter().map(|entry| entry.vector.as_slice()),
            self.dimensions,
        )?;
        let points: Vec<PointStruct> = entries.iter().map(point).collect();
        let ranges = RangeField::all_of(entries.iter().map(|entry| entry.metadata.as_ref()));
        self.bases
            .at_work("upsert vectors", base, Absent::Create, move |engine| {
                engine.ensure_range_indexes(&ranges)?;
                engine.upsert(points)
            })
            .await?;
        Ok(())
    }

    async fn delete(&self, base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<(), PortError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let ids = chunks.iter().map(|chunk| PointId::Uuid(chunk.0)).collect();
        self.bases
            .at_work("delete vectors", base, Absent::Skip, move |engine| {
                engine.update(
                    "delete vectors",
                    UpdateOperation::PointOperation(PointOperations::DeletePoints { ids }),
                )
            })
            .await?;
        Ok(())
    }

    async fn set_metadata(
        &self,
        base: KnowledgeBaseId,
        chunks: &[ChunkId],
        metadata: &DocumentMetadata,
    ) -> Result<(), PortError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let operation = set_metadata_operation(chunks, metadata);
        let ranges = RangeField::all_of([metadata]);
        self.bases
            .at_work(
                "change what is known of a document",
                base,
                Absent::Skip,
                move |engine| {
                    engine.ensure_range_indexes(&ranges)?;
                    engine.update("change what is known of a document", operation)
                },
            )
            .await?;
        Ok(())
    }

    async fn commit(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        self.bases
            .at_work("flush", base, Absent::Skip, Engine::flush)
            .await?;
        Ok(())
    }

    async fn optimize(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        let bases = Arc::clone(&self.bases);
        blocking("optimise", move || {
            if bases.with(base, Absent::Skip, Engine::grow)? == Some(true) {
                bases.close(base);
            }
            bases.with(base, Absent::Skip, Engine::optimize)?;
            if write_ahead_log::is_long(&bases.directory(base)) {
                // Opening it again shortens the log.
                bases.close(base);
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    async fn search(
        &self,
        base: KnowledgeBaseId,
        query: IndexQuery<'_>,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        require_dimensions([query.vector], self.dimensions)?;
        let condition = Condition::of_query(&query);
        if condition == Condition::Nothing {
            return Ok(Vec::new());
        }
        let filter = conditions::narrowed(ReaderNames::from(scope).edge_filter()?, &condition)?;
        let vector = query.vector.to_vec();
        let found = self
            .bases
            .at_work("search", base, Absent::Skip, move |engine| {
                engine.search(vector, filter, limit)
            })
            .await?;
        Ok(found.unwrap_or_default())
    }

    async fn chunks(&self, base: KnowledgeBaseId) -> Result<Vec<IndexedChunk>, PortError> {
        let chunks = self
            .bases
            .at_work("list the chunks", base, Absent::Skip, Engine::chunks)
            .await?;
        Ok(chunks.unwrap_or_default())
    }

    async fn drop_knowledge_base(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        let bases = Arc::clone(&self.bases);
        blocking("remove the directory", move || bases.remove(base)).await?;
        Ok(())
    }
}

fn point(entry: &IndexEntry) -> PointStruct {
    PointStruct::new(
        PointId::Uuid(entry.chunk.id.0),
        entry.vector.clone(),
        Value::Object(payload::of_chunk(&entry.chunk, &entry.metadata)),
    )
}

/// By a filter, because naming a point that isn't there would be an error.
fn set_metadata_operation(chunks: &[ChunkId], metadata: &DocumentMetadata) -> UpdateOperation {
    let points: HasIdCondition = chunks.iter().map(|chunk| PointId::Uuid(chunk.0)).collect();
    UpdateOperation::PayloadOperation(PayloadOps::SetPayload(SetPayloadOp {
        payload: Payload(payload::of_metadata(metadata)),
        points: None,
        filter: Some(Filter::new_must(EdgeCondition::HasId(points))),
        key: None,
    }))
}

#[cfg(test)]
mod tests;
