//! Vectors on a Qdrant server or cluster: one collection, in which a knowledge base is a tenant.
//!
//! Every point carries the id of its knowledge base under an index of the tenant kind, and the graph is
//! built per value of that field and not over the whole collection (`m` = 0, `payload_m` = 16): a
//! search reads its own knowledge base alone.

mod conditions;
mod payload_indexes;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery, IndexedChunk, ScoredChunk};
use lectern_domain::{ChunkId, DocumentMetadata, KnowledgeBaseId, MetadataDigest, PortError, ReadScope};
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{
    AcornSearchParamsBuilder, Condition as ServerCondition, CreateCollectionBuilder, DeletePointsBuilder,
    Distance, Filter, HnswConfigDiffBuilder, PayloadIncludeSelector, PointId, PointStruct,
    QueryPointsBuilder, ScrollPointsBuilder, SearchParamsBuilder, SetPayloadPointsBuilder,
    UpsertPointsBuilder, Value, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde::Deserialize;
use uuid::Uuid;

use super::condition::Condition;
use super::payload::{self, RangeField};
use super::{INDEX, POINTS_PER_WRITE, best_first, require_dimensions};
use crate::acl_filter::{AclNames, DENIED, READERS, ReaderNames};
use crate::error::Error;

/// The payload field with the id of the knowledge base.
const KNOWLEDGE_BASE: &str = "knowledge_base";
/// How long a request may take. The client's own 5 s cut off a large batch that is waited for.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many ids are read at a time when all are.
const IDS_PER_PAGE: u32 = 10_000;
/// gRPC's code for something that is there already.
const ALREADY_EXISTS: i32 = 6;

/// Where the server is.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerVectorsConfig {
    /// Its gRPC address, such as `http://127.0.0.1:6334`.
    pub url: String,
    /// Its key, if it wants one.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The collection; made on the first connection. One per embedding model.
    pub collection: String,
}

impl std::fmt::Debug for ServerVectorsConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServerVectorsConfig")
            .field("url", &self.url)
            .field("api_key", &self.api_key.as_ref().map(|_| "(set)"))
            .field("collection", &self.collection)
            .finish()
    }
}

/// The vectors of all knowledge bases on a server.
#[derive(Clone)]
pub struct ServerVectors {
    client: Qdrant,
    url: String,
    collection: String,
    dimensions: usize,
    /// The paths of ranges that have an index, as far as this process made it.
    ranges: Arc<Mutex<BTreeSet<String>>>,
}

impl std::fmt::Debug for ServerVectors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServerVectors")
            .field("url", &self.url)
            .field("collection", &self.collection)
            .field("dimensions", &self.dimensions)
            .finish_non_exhaustive()
    }
}

impl ServerVectors {
    /// Connects, and makes the collection with its indexes if it isn't there.
    ///
    /// # Errors
    /// [`Error::ServerUnavailable`], [`Error::ServerRefused`], or [`Error::DimensionMismatch`] where the
    /// collection holds vectors of another length.
    pub async fn connect(config: ServerVectorsConfig, dimensions: usize) -> Result<Self, Error> {
        let failed = |error| failed(&config.url, "connect", error);
        let client = Qdrant::from_url(&config.url)
            .api_key(config.api_key.clone())
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .skip_compatibility_check()
            .build()
            .map_err(failed)?;
        let server = Self {
            client,
            url: config.url.clone(),
            collection: config.collection,
            dimensions,
            ranges: Arc::default(),
        };
        let exists = server
            .client
            .collection_exists(&server.collection)
            .await
            .map_err(failed)?;
        if !exists {
            server.create_collection().await?;
        }
        server.require_same_dimensions().await?;
        server.ensure_payload_indexes().await?;
        Ok(server)
    }

    async fn create_collection(&self) -> Result<(), Error> {
        let vectors = VectorParamsBuilder::new(self.dimensions as u64, Distance::Cosine);
        let graph = HnswConfigDiffBuilder::default().m(0).payload_m(16);
        let request = CreateCollectionBuilder::new(&self.collection)
            .vectors_config(vectors)
            .hnsw_config(graph)
            .on_disk_payload(true);
        match self.client.create_collection(request).await {
            Ok(_) => Ok(()),
            // Another replica was quicker.
            Err(QdrantError::ResponseError { status }) if status.code() as i32 == ALREADY_EXISTS => Ok(()),
            Err(error) => Err(self.failed("create the collection", error)),
        }
    }

    async fn require_same_dimensions(&self) -> Result<(), Error> {
        let info = self
            .client
            .collection_info(&self.collection)
            .await
            .map_err(|error| self.failed("read the collection's settings", error))?;
        let stored = info
            .result
            .and_then(|info| info.config)
            .and_then(|config| config.params)
            .and_then(|params| params.vectors_config)
            .and_then(|vectors| vectors.config)
            .and_then(|config| match config {
                Config::Params(vector) => usize::try_from(vector.size).ok(),
                Config::ParamsMap(_) => None,
            })
            .unwrap_or_default();
        if stored == self.dimensions {
            return Ok(());
        }
        Err(Error::DimensionMismatch {
            expected: stored,
            actual: self.dimensions,
        })
    }

    fn failed(&self, action: &'static str, error: QdrantError) -> Error {
        failed(&self.url, action, error)
    }
}

#[async_trait]
impl ChunkIndex for ServerVectors {
    fn name(&self) -> &'static str {
        INDEX
    }

    async fn upsert(&self, base: KnowledgeBaseId, entries: &[IndexEntry]) -> Result<(), PortError> {
        require_dimensions(
            entries.iter().map(|entry| entry.vector.as_slice()),
            self.dimensions,
        )?;
        let ranges = RangeField::all_of(entries.iter().map(|entry| entry.metadata.as_ref()));
        self.ensure_range_indexes(ranges).await?;
        let writes = entries.chunks(POINTS_PER_WRITE);
        let last = writes.len().saturating_sub(1);
        for (number, some) in writes.enumerate() {
            let points: Vec<PointStruct> = some.iter().map(|entry| point(base, entry)).collect();
            // The server works in order, so when the last is done all are.
            let request = UpsertPointsBuilder::new(&self.collection, points).wait(number == last);
            self.client
                .upsert_points(request)
                .await
                .map_err(|error| self.failed("upsert vectors", error))?;
        }
        Ok(())
    }

    async fn delete(&self, base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<(), PortError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let request = DeletePointsBuilder::new(&self.collection)
            .points(chunks_of(base, chunks))
            .wait(true);
        self.client
            .delete_points(request)
            .await
            .map_err(|error| self.failed("delete vectors", error))?;
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
        self.ensure_range_indexes(RangeField::all_of([metadata])).await?;
        let payload = Payload::from(payload::of_metadata(metadata));
        let request = SetPayloadPointsBuilder::new(&self.collection, payload)
            .points_selector(chunks_of(base, chunks))
            .wait(true);
        self.client
            .set_payload(request)
            .await
            .map_err(|error| self.failed("change what is known of a document", error))?;
        Ok(())
    }

    async fn commit(&self, _base: KnowledgeBaseId) -> Result<(), PortError> {
        // Every write was waited for, and the server logs before it answers.
        Ok(())
    }

    async fn optimize(&self, _base: KnowledgeBaseId) -> Result<(), PortError> {
        // The server does that by itself.
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
        let (may_read, may_not_read) = ReaderNames::from(scope).server_conditions();
        let filter = Filter {
            must: vec![in_base(base), may_read, conditions::of(&condition)],
            must_not: vec![may_not_read],
            ..Filter::default()
        };
        let request = QueryPointsBuilder::new(&self.collection)
            .query(query.vector.to_vec())
            .filter(filter)
            .params(SearchParamsBuilder::default().acorn(AcornSearchParamsBuilder::new(true)))
            .limit(limit as u64);
        let response = self
            .client
            .query(request)
            .await
            .map_err(|error| self.failed("search", error))?;
        let mut found: Vec<ScoredChunk> = response
            .result
            .into_iter()
            .filter_map(|point| {
                Some(ScoredChunk {
                    chunk: chunk_of(point.id?)?,
                    score: point.score,
                })
            })
            .collect();
        best_first(&mut found);
        Ok(found)
    }

    async fn chunks(&self, base: KnowledgeBaseId) -> Result<Vec<IndexedChunk>, PortError> {
        let (mut chunks, mut offset) = (Vec::new(), None::<PointId>);
        loop {
            let mut request = ScrollPointsBuilder::new(&self.collection)
                .filter(Filter::must([in_base(base)]))
                .limit(IDS_PER_PAGE)
                .with_payload(digested())
                .with_vectors(false);
            if let Some(offset) = offset {
                request = request.offset(offset);
            }
            let page = self
                .client
                .scroll(request)
                .await
                .map_err(|error| self.failed("list the chunks", error))?;
            let listed = page.result.into_iter().filter_map(|point| {
                Some(IndexedChunk {
                    metadata: digest_of(&point.payload),
                    chunk: chunk_of(point.id?)?,
                })
            });
            chunks.extend(listed);
            match page.next_page_offset {
                Some(next) => offset = Some(next),
                None => return Ok(chunks),
            }
        }
    }

    async fn drop_knowledge_base(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        let request = DeletePointsBuilder::new(&self.collection)
            .points(Filter::must([in_base(base)]))
            .wait(true);
        self.client
            .delete_points(request)
            .await
            .map_err(|error| self.failed("remove a knowledge base", error))?;
        Ok(())
    }
}

fn point(base: KnowledgeBaseId, entry: &IndexEntry) -> PointStruct {
    let mut payload = payload::of_chunk(&entry.chunk, &entry.metadata);
    payload.insert(KNOWLEDGE_BASE.to_owned(), base.to_string().into());
    PointStruct::new(
        entry.chunk.id.to_string(),
        entry.vector.clone(),
        Payload::from(payload),
    )
}

fn digest_of(payload: &HashMap<String, Value>) -> MetadataDigest {
    let names = |field: &str| {
        let names = payload.get(field).and_then(Value::as_list).into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let acl = AclNames {
        readers: names(READERS),
        denied: names(DENIED),
    };
    let written = payload.get(payload::digest_field()).and_then(Value::as_str);
    MetadataDigest {
        access: acl.digest(),
        attributes: payload::attributes_digest(written.map(String::as_str)),
    }
}

fn digested() -> SelectorOptions {
    SelectorOptions::Include(PayloadIncludeSelector {
        fields: payload::DIGESTED.map(str::to_owned).to_vec(),
    })
}

fn in_base(base: KnowledgeBaseId) -> ServerCondition {
    ServerCondition::matches(KNOWLEDGE_BASE, base.to_string())
}

/// Chunks of one knowledge base: an id of another one selects nothing.
fn chunks_of(base: KnowledgeBaseId, chunks: &[ChunkId]) -> Filter {
    let ids = chunks.iter().map(|chunk| PointId::from(chunk.to_string()));
    Filter::must([in_base(base), ServerCondition::has_id(ids)])
}

fn chunk_of(point: PointId) -> Option<ChunkId> {
    match point.point_id_options? {
        PointIdOptions::Uuid(id) => Uuid::parse_str(&id).ok().map(ChunkId),
        PointIdOptions::Num(_) => None,
    }
}

/// What the server refused is told apart from a server that can't be reached or is too slow: gRPC's
/// codes 1 (cancelled by a time-out), 2 (what the transport says), 4 and 14, and 8 where the server asks
/// to be left alone for a while. The client itself reports a failed connection under 13, as an internal
/// error, with these words.
fn failed(url: &str, action: &'static str, error: QdrantError) -> Error {
    let is_refusal = match &error {
        QdrantError::ResponseError { status } => {
            !matches!(status.code() as i32, 1 | 2 | 4 | 8 | 14)
                && !status.message().starts_with("Failed to connect")
        }
        QdrantError::InvalidUri(_) | QdrantError::ConversionError(_) => true,
        _ => false,
    };
    let (url, cause) = (url.to_owned(), Box::new(error));
    match is_refusal {
        true => Error::ServerRefused { url, action, cause },
        false => Error::ServerUnavailable { url, action, cause },
    }
}
