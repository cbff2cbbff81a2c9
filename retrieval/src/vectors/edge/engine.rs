//! One knowledge base in the engine: a directory that is open.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lectern_domain::ports::{IndexedChunk, ScoredChunk};
use lectern_domain::{AccessDigest, ChunkId, MetadataDigest};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, EdgeConfig, EdgeShard, Filter, JsonPath, NamedQuery, Payload, PointId,
    PointInsertOperations, PointOperations, PointStruct, QueryEnum, QueryRequest, ScoringQuery,
    ScrollRequest, UpdateOperation, WithPayloadInterface, WithVector,
};
use serde_json::Value;

use super::super::payload::{self, RangeField};
use super::super::{INDEX, POINTS_PER_WRITE, best_first, write_ahead_log};
use super::settings::{self, Keeping, Thresholds};
use crate::acl_filter::{AclNames, DENIED, READERS, edge_path};
use crate::error::{Error, panic_text};

/// How many ids are read at a time when all are.
const IDS_PER_PAGE: usize = 10_000;

/// One open directory.
pub(super) struct Engine {
    shard: Shard,
    /// Updates and flushes take turns.
    writing: Mutex<()>,
    /// Flushes and optimisations take turns, and there is one optimisation at a time.
    optimizing: Mutex<()>,
    has_unflushed: AtomicBool,
    /// The fields of the payload that have an index.
    indexed: Mutex<HashSet<JsonPath>>,
    thresholds: Thresholds,
    place: String,
}

impl Engine {
    pub(super) fn open(directory: &Path, dimensions: usize, thresholds: Thresholds) -> Result<Self, Error> {
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
            true => EdgeShard::new(
                directory,
                settings::engine_config(dimensions, Keeping::Floats, thresholds),
            ),
            false => EdgeShard::load(directory, settings_of_now(directory, thresholds)),
        });
        let shard = match opened {
            Ok(Ok(shard)) => Shard(Some(shard)),
            Ok(Err(error)) => return Err(corrupt(Box::new(error))),
            Err(panic) => return Err(corrupt(panic_text(panic.as_ref()).into())),
        };
        let indexed = match &shard.0 {
            Some(shard) => shard.info().payload_schema.into_keys().collect(),
            None => HashSet::new(),
        };
        let engine = Self {
            shard,
            indexed: Mutex::new(indexed),
            thresholds,
            writing: Mutex::new(()),
            optimizing: Mutex::new(()),
            has_unflushed: AtomicBool::new(false),
            place,
        };
        engine.require_same_dimensions(dimensions)?;
        engine.ensure_payload_indexes()?;
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

    pub(super) fn has_index(&self, path: &JsonPath) -> bool {
        self.indexed().contains(path)
    }

    pub(super) fn note_index(&self, path: JsonPath) {
        self.indexed().insert(path);
    }

    pub(super) fn range_index_count(&self) -> usize {
        let indexed = self.indexed();
        indexed
            .iter()
            .filter(|path| RangeField::is_path(&path.to_string()))
            .count()
    }

    fn indexed(&self) -> MutexGuard<'_, HashSet<JsonPath>> {
        self.indexed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn upsert(&self, points: Vec<PointStruct>) -> Result<(), Error> {
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

    pub(super) fn update(&self, action: &'static str, operation: UpdateOperation) -> Result<(), Error> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_unflushed.store(true, Ordering::Relaxed);
        let shard = self.shard()?;
        shard
            .update(operation)
            .map_err(|error| self.failed(action, error))
    }

    pub(super) fn flush(&self) -> Result<(), Error> {
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

    pub(super) fn optimize(&self) -> Result<(), Error> {
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

    /// Writes down how vectors are to be kept, where they have grown out of how they are. Then it must be opened
    /// again.
    pub(super) fn grow(&self) -> Result<bool, Error> {
        let _one_at_a_time = self.optimizing.lock().unwrap_or_else(PoisonError::into_inner);
        let shard = self.shard()?;
        let keeping = Keeping::of(&shard.config());
        let dimensions = shard
            .config()
            .vectors
            .get(DEFAULT_VECTOR_NAME)
            .map(|vector| vector.size);
        let dimensions = dimensions.unwrap_or_default();
        let wanted = keeping.for_size(shard.info().points_count, dimensions, self.thresholds);
        if wanted == keeping {
            return Ok(false);
        }
        settings::engine_config(dimensions, wanted, self.thresholds)
            .save(shard.path())
            .map_err(|error| self.failed("write the settings", error))?;
        Ok(true)
    }

    pub(super) fn search(
        &self,
        vector: Vec<f32>,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, Error> {
        let request = QueryRequest {
            prefetches: Vec::new(),
            query: Some(ScoringQuery::Vector(QueryEnum::Nearest(
                NamedQuery::default_dense(vector),
            ))),
            filter: Some(filter),
            score_threshold: None,
            limit,
            offset: 0,
            params: Some(settings::search_params(limit)),
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

    pub(super) fn chunks(&self) -> Result<Vec<IndexedChunk>, Error> {
        let shard = self.shard()?;
        let digested = payload::DIGESTED.into_iter().map(edge_path);
        let digested: Vec<JsonPath> = digested.collect::<Result<_, _>>()?;
        let (mut chunks, mut offset) = (Vec::new(), None);
        loop {
            let page = ScrollRequest {
                offset,
                limit: Some(IDS_PER_PAGE),
                filter: None,
                with_payload: Some(WithPayloadInterface::Fields(digested.clone())),
                with_vector: WithVector::Bool(false),
                order_by: None,
            };
            let (records, next) = shard
                .scroll(page)
                .map_err(|error| self.failed("list the chunks", error))?;
            let listed = records.into_iter().filter_map(|record| {
                Some(IndexedChunk {
                    chunk: chunk_of(record.id)?,
                    metadata: digest_of(record.payload.as_ref()),
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

/// The settings of this version, for a knowledge base that may be of an earlier one. `None` where its own can't be
/// read, which the engine reports.
fn settings_of_now(directory: &Path, thresholds: Thresholds) -> Option<EdgeConfig> {
    let stored = EdgeConfig::load(directory)?.ok()?;
    let dimensions = stored.vectors.get(DEFAULT_VECTOR_NAME)?.size;
    Some(settings::engine_config(
        dimensions,
        Keeping::of(&stored),
        thresholds,
    ))
}

fn access_of(payload: &Payload) -> AccessDigest {
    let names = |field: &str| {
        let names = payload
            .0
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let acl = AclNames {
        readers: names(READERS),
        denied: names(DENIED),
    };
    acl.digest()
}

fn digest_of(payload: Option<&Payload>) -> MetadataDigest {
    let Some(payload) = payload else {
        return MetadataDigest::default();
    };
    let written = payload.0.get(payload::digest_field()).and_then(Value::as_str);
    MetadataDigest {
        access: access_of(payload),
        attributes: payload::attributes_digest(written),
    }
}

fn chunk_of(point: PointId) -> Option<ChunkId> {
    match point {
        PointId::Uuid(id) => Some(ChunkId(id)),
        PointId::NumId(_) => None,
    }
}
