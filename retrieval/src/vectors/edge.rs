//! Vectors in the Qdrant engine in this process: one directory per knowledge base.
//!
//! What the engine does and doesn't do (read in the source of 0.7.2):
//! * An update is in memory and in the page cache when it returns; only `flush` makes it durable, and
//!   after a crash everything since the last one is gone. That is what `commit` is for.
//! * `flush` panics where somebody holds the engine's locks, so it takes turns with updates and with
//!   `optimize`: a commit waits for a running optimisation, a search never does.
//! * It searches one segment after another in the caller's thread, exactly up to 10 MB of vectors
//!   (6,800 of 384 numbers), and by an HNSW graph beyond that, once `optimize` has built it. 100,000
//!   vectors of 384: upserted in 1.7 s, the graph built in 11 s, a search 0.8 ms (2 cores).

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery, IndexedChunk, ScoredChunk};
use lectern_domain::{
    AccessDigest, Acl, AttributesDigest, ChunkId, DocumentMetadata, KnowledgeBaseId, MetadataDigest,
    PortError, ReadScope,
};
use qdrant_edge::{
    Condition, CreateIndex, DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeConfigBuilder,
    EdgeOptimizersConfig, EdgeShard, EdgeVectorParams, FieldIndexOperations, Filter, HasIdCondition,
    NamedQuery, Payload, PayloadFieldSchema, PayloadOps, PayloadSchemaType, PointId, PointInsertOperations,
    PointOperations, PointStruct, QueryEnum, QueryRequest, ScoringQuery, ScrollRequest, SetPayloadOp,
    UpdateOperation, WalOptions, WithPayloadInterface, WithVector,
};

use super::{DOCUMENT, INDEX, POINTS_PER_WRITE, best_first, require_dimensions, write_ahead_log};
use crate::acl_filter::{AclNames, DENIED, READERS, ReaderNames, edge_path};
use crate::bases::{Absent, Bases, blocking};
use crate::error::{Error, panic_text};

/// How many ids are read at a time when all are.
const IDS_PER_PAGE: usize = 10_000;

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
        let bases = Bases::new(INDEX, directory.into(), move |path| {
            Engine::open(path, dimensions)
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
        self.bases
            .at_work("upsert vectors", base, Absent::Create, move |engine| {
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
        let operation = set_acl_operation(chunks, &metadata.acl);
        self.bases
            .at_work("change who may read", base, Absent::Skip, move |engine| {
                engine.update("change who may read", operation)
            })
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
        let (vector, filter) = (query.vector.to_vec(), ReaderNames::from(scope).edge_filter()?);
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

/// One open directory.
struct Engine {
    shard: Shard,
    /// Updates and flushes take turns.
    writing: Mutex<()>,
    /// Flushes and optimisations take turns, and there is one optimisation at a time.
    optimizing: Mutex<()>,
    has_unflushed: AtomicBool,
    place: String,
}

impl Engine {
    fn open(directory: &Path, dimensions: usize) -> Result<Self, Error> {
        let place = directory.display().to_string();
        let corrupt = |cause: crate::error::Cause| Error::IndexCorrupt {
            index: INDEX,
            place: directory.display().to_string(),
            cause,
        };
        let is_new = !directory.join("edge_config.json").is_file();
        write_ahead_log::shorten(directory)
            .map_err(|error| crate::bases::io_error(INDEX, "shorten the log", directory, error))?;
        let opened = catch_unwind(|| match is_new {
            true => EdgeShard::new(directory, engine_config(dimensions)),
            false => EdgeShard::load(directory, None),
        });
        let shard = match opened {
            Ok(Ok(shard)) => Shard(Some(shard)),
            Ok(Err(error)) => return Err(corrupt(Box::new(error))),
            Err(panic) => return Err(corrupt(panic_text(panic.as_ref()).into())),
        };
        let engine = Self {
            shard,
            writing: Mutex::new(()),
            optimizing: Mutex::new(()),
            has_unflushed: AtomicBool::new(false),
            place,
        };
        engine.require_same_dimensions(dimensions)?;
        engine.ensure_acl_indexes()?;
        Ok(engine)
    }

    fn require_same_dimensions(&self, wanted: usize) -> Result<(), Error> {
        let stored = self
            .shard()?
            .config()
            .vectors
            .get(DEFAULT_VECTOR_NAME)
            .map(|vector| vector.size);
        match stored {
            Some(stored) if stored == wanted => Ok(()),
            stored => Err(Error::DimensionMismatch {
                expected: stored.unwrap_or_default(),
                actual: wanted,
            }),
        }
    }

    /// The two lists of names are looked up by every search.
    fn ensure_acl_indexes(&self) -> Result<(), Error> {
        let there = self.shard()?.info().payload_schema;
        for field in [READERS, DENIED] {
            let key = edge_path(field)?;
            if there.contains_key(&key) {
                continue;
            }
            let create = FieldIndexOperations::CreateIndex(CreateIndex {
                field_name: key,
                field_schema: Some(PayloadFieldSchema::FieldType(PayloadSchemaType::Keyword)),
            });
            self.update("index who may read", UpdateOperation::FieldIndexOperation(create))?;
        }
        Ok(())
    }

    fn upsert(&self, points: Vec<PointStruct>) -> Result<(), Error> {
        let mut points = points.into_iter().map(|point| point.0);
        loop {
            let some: Vec<_> = points.by_ref().take(POINTS_PER_WRITE).collect();
            if some.is_empty() {
                return Ok(());
            }
            let upsert = PointOperations::UpsertPoints(PointInsertOperations::PointsList(some));
            self.update("upsert vectors", UpdateOperation::PointOperation(upsert))?;
        }
    }

    fn update(&self, action: &'static str, operation: UpdateOperation) -> Result<(), Error> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_unflushed.store(true, Ordering::Relaxed);
        let shard = self.shard()?;
        shard
            .update(operation)
            .map_err(|error| self.failed(action, error))
    }

    fn flush(&self) -> Result<(), Error> {
        let _not_while_optimizing = self.optimizing.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_unflushed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let shard = self.shard()?;
        // The engine reports a failed write by a panic.
        catch_unwind(AssertUnwindSafe(|| shard.flush()))
            .map_err(|panic| self.failed("flush", panic_text(panic.as_ref())))?;
        self.has_unflushed.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn optimize(&self) -> Result<(), Error> {
        let _one_at_a_time = self.optimizing.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self
            .shard()?
            .optimize()
            .map_err(|error| self.failed("optimise", error))?;
        if changed {
            self.has_unflushed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn search(&self, vector: Vec<f32>, filter: Filter, limit: usize) -> Result<Vec<ScoredChunk>, Error> {
        let request = QueryRequest {
            prefetches: Vec::new(),
            query: Some(ScoringQuery::Vector(QueryEnum::Nearest(
                NamedQuery::default_dense(vector),
            ))),
            filter: Some(filter),
            score_threshold: None,
            limit,
            offset: 0,
            params: None,
            with_vector: WithVector::Bool(false),
            with_payload: WithPayloadInterface::Bool(false),
        };
        let points = self
            .shard()?
            .query(request)
            .map_err(|error| self.failed("search", error))?;
        let mut found: Vec<ScoredChunk> = points
            .into_iter()
            .filter_map(|point| {
                Some(ScoredChunk {
                    chunk: chunk_of(point.id)?,
                    score: point.score,
                })
            })
            .collect();
        best_first(&mut found);
        Ok(found)
    }

    fn chunks(&self) -> Result<Vec<IndexedChunk>, Error> {
        let shard = self.shard()?;
        let (mut chunks, mut offset) = (Vec::new(), None);
        loop {
            let page = ScrollRequest {
                offset,
                limit: Some(IDS_PER_PAGE),
                filter: None,
                with_payload: Some(WithPayloadInterface::Bool(true)),
                with_vector: WithVector::Bool(false),
                order_by: None,
            };
            let (records, next) = shard
                .scroll(page)
                .map_err(|error| self.failed("list the chunks", error))?;
            let listed = records.into_iter().filter_map(|record| {
                Some(IndexedChunk {
                    chunk: chunk_of(record.id)?,
                    metadata: MetadataDigest {
                        access: access_of(record.payload.as_ref()),
                        attributes: AttributesDigest::default(),
                    },
                })
            });
            chunks.extend(listed);
            match next {
                Some(next) => offset = Some(next),
                None => return Ok(chunks),
            }
        }
    }

    fn shard(&self) -> Result<&EdgeShard, Error> {
        // It is taken out only when the engine is dropped.
        self.shard
            .0
            .as_ref()
            .ok_or_else(|| self.failed("use", "it is closed"))
    }

    fn failed(&self, action: &'static str, cause: impl Into<crate::error::Cause>) -> Error {
        let (place, cause) = (self.place.clone(), cause.into());
        if cause.to_string().contains("No space left") {
            return Error::NoSpace {
                index: INDEX,
                place,
                cause: Some(cause),
            };
        }
        Error::Index {
            index: INDEX,
            action,
            place,
            cause,
        }
    }
}

/// The engine flushes when it is dropped and panics where that fails, which must not end the process.
struct Shard(Option<EdgeShard>);

impl Drop for Shard {
    fn drop(&mut self) {
        let shard = self.0.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(shard))) {
            tracing::error!(
                reason = panic_text(panic.as_ref()),
                "an index of vectors was closed without being flushed"
            );
        }
    }
}

fn engine_config(dimensions: usize) -> EdgeConfig {
    EdgeConfigBuilder::new()
        .vector(
            DEFAULT_VECTOR_NAME,
            EdgeVectorParams::builder(dimensions, Distance::Cosine).build(),
        )
        .optimizers(EdgeOptimizersConfig {
            // Segments are searched one after another, so few are best.
            default_segment_number: Some(2),
            ..EdgeOptimizersConfig::default()
        })
        .wal_options(WalOptions {
            segment_capacity: write_ahead_log::SEGMENT_BYTES,
            segment_queue_len: 0,
            retain_closed: NonZeroUsize::MIN,
        })
        .build()
}

fn point(entry: &IndexEntry) -> PointStruct {
    let acl = AclNames::from(&entry.metadata.acl);
    PointStruct::new(
        PointId::Uuid(entry.chunk.id.0),
        entry.vector.clone(),
        serde_json::json!({
            DOCUMENT: entry.chunk.document.to_string(),
            READERS: acl.readers,
            DENIED: acl.denied,
        }),
    )
}

fn access_of(payload: Option<&Payload>) -> AccessDigest {
    let names = |field: &str| {
        let value = payload.and_then(|payload| payload.0.get(field));
        let names = value.and_then(serde_json::Value::as_array).into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let acl = AclNames {
        readers: names(READERS),
        denied: names(DENIED),
    };
    acl.digest()
}

/// By a filter, because naming a point that isn't there would be an error.
fn set_acl_operation(chunks: &[ChunkId], acl: &Acl) -> UpdateOperation {
    let acl = AclNames::from(acl);
    let payload = BTreeMap::from([(READERS, acl.readers), (DENIED, acl.denied)]);
    let payload = payload
        .into_iter()
        .map(|(field, names)| (field.to_owned(), serde_json::Value::from(names)))
        .collect();
    let points: HasIdCondition = chunks.iter().map(|chunk| PointId::Uuid(chunk.0)).collect();
    UpdateOperation::PayloadOperation(PayloadOps::SetPayload(SetPayloadOp {
        payload: Payload(payload),
        points: None,
        filter: Some(Filter::new_must(Condition::HasId(points))),
        key: None,
    }))
}

fn chunk_of(point: PointId) -> Option<ChunkId> {
    match point {
        PointId::Uuid(id) => Some(ChunkId(id)),
        PointId::NumId(_) => None,
    }
}
