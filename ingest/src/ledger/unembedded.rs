//! Versions that can be found by words and wait for their vectors: which come next, what is to be embedded of them,
//! and that they have all of them.

use std::sync::Arc;

use lectern_domain::{
    ChunkId, ContentHash, DocumentId, DocumentMetadata, KnowledgeBaseId, SourceId, TextSpan, Version,
};
use sqlx::{AssertSqlSafe, FromRow, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::metadata::{METADATA_COLUMNS, MetadataRow};
use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

/// What waits: the visible versions of living knowledge bases without vectors, but for those that can't have any.
const WAITING: &str = "FROM versions v
     JOIN documents d ON d.id = v.document
     JOIN knowledge_bases k ON k.id = v.knowledge_base
     WHERE v.state = 'current' AND v.embedded_at IS NULL AND v.embed_problem IS NULL
     AND d.deleted = 0 AND k.deleted_at IS NULL";

/// A version that waits for its vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingVersion {
    pub(crate) document: DocumentId,
    pub(crate) version: Version,
    pub(crate) knowledge_base: KnowledgeBaseId,
    pub(crate) source: SourceId,
    pub(crate) key: String,
    pub(crate) uri: String,
    pub(crate) title: String,
    pub(crate) text_hash: ContentHash,
    pub(crate) chunk_count: u32,
    /// The model of its knowledge base.
    pub(crate) model: String,
}

impl PendingVersion {
    /// What it is known by.
    pub(crate) fn id(&self) -> (DocumentId, Version) {
        (self.document, self.version)
    }
}

/// A chunk whose vector isn't stored.
#[derive(Clone, Debug)]
pub(crate) struct UnembeddedChunk {
    pub(crate) id: ChunkId,
    pub(crate) heading_path: Vec<String>,
    pub(crate) span: TextSpan,
    pub(crate) text_hash: ContentHash,
    /// The header of the table that it continues, with the hash of its text.
    pub(crate) table_header: Option<(TextSpan, ContentHash)>,
    pub(crate) token_count: u32,
    /// Of what the embedder reads, as it was when the chunk was cut.
    pub(crate) embed_hash: Option<ContentHash>,
}

#[derive(FromRow)]
struct VersionRow {
    document: Uuid,
    version: i64,
    knowledge_base: Uuid,
    source: Uuid,
    document_key: String,
    uri: String,
    title: String,
    text_hash: Vec<u8>,
    chunk_count: i64,
    embedding_model: String,
}

impl TryFrom<VersionRow> for PendingVersion {
    type Error = Error;

    fn try_from(row: VersionRow) -> Result<Self> {
        Ok(Self {
            document: DocumentId(row.document),
            version: rows::version(row.version)?,
            knowledge_base: KnowledgeBaseId(row.knowledge_base),
            source: SourceId(row.source),
            key: row.document_key,
            uri: row.uri,
            title: row.title,
            text_hash: rows::hash(&row.text_hash)?,
            chunk_count: rows::small("chunk count", row.chunk_count)?,
            model: row.embedding_model,
        })
    }
}

#[derive(FromRow)]
struct ChunkRow {
    id: Uuid,
    heading_path: String,
    span_start: i64,
    span_end: i64,
    text_hash: Vec<u8>,
    header_start: Option<i64>,
    header_end: Option<i64>,
    header_hash: Option<Vec<u8>>,
    token_count: i64,
    embed_hash: Option<Vec<u8>>,
}

impl TryFrom<ChunkRow> for UnembeddedChunk {
    type Error = Error;

    fn try_from(row: ChunkRow) -> Result<Self> {
        let table_header = match (row.header_start, row.header_end, row.header_hash) {
            (Some(start), Some(end), Some(hash)) => Some((span(start, end)?, rows::hash(&hash)?)),
            _ => None,
        };
        Ok(Self {
            id: ChunkId(row.id),
            heading_path: rows::from_json("heading path", &row.heading_path)?,
            span: span(row.span_start, row.span_end)?,
            text_hash: rows::hash(&row.text_hash)?,
            table_header,
            token_count: rows::small("token count", row.token_count)?,
            embed_hash: row.embed_hash.as_deref().map(rows::hash).transpose()?,
        })
    }
}

fn span(start: i64, end: i64) -> Result<TextSpan> {
    Ok(TextSpan {
        start: rows::position("span", start)?,
        end: rows::position("span", end)?,
    })
}

/// Restricts a query of [`WAITING`] to knowledge bases of these models.
fn of_models(query: &mut QueryBuilder<Sqlite>, models: &[String]) {
    query.push(" AND k.embedding_model IN (");
    let mut separated = query.separated(", ");
    for model in models {
        separated.push_bind(model.clone());
    }
    query.push(")");
}

impl Ledger {
    /// The models of all knowledge bases, with the length of their vectors.
    pub(crate) async fn embedding_models(&self) -> Result<Vec<(String, usize)>> {
        let found: Vec<(String, i64)> = sqlx::query_as(
            "SELECT DISTINCT embedding_model, dimensions FROM knowledge_bases WHERE deleted_at IS NULL",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list the embedding models"))?;
        let models = found
            .into_iter()
            .map(|(model, dimensions)| Ok((model, rows::position("vector length", dimensions)?)));
        models.collect()
    }

    /// Waits until a version was published, and so waits for its vectors. For one at a time.
    pub(crate) async fn published(&self) {
        self.published.notified().await;
    }

    /// Has whoever makes vectors look for versions that wait.
    pub(crate) fn wake_embedding(&self) {
        self.published.notify_one();
    }

    /// Up to `limit` versions that wait for vectors of one of `models`, the newest first, but for those of some
    /// knowledge bases. Where `only` isn't empty, those of these documents.
    pub(crate) async fn waiting_for_vectors(
        &self,
        models: &[String],
        not_of: &[KnowledgeBaseId],
        only: &[DocumentId],
        limit: usize,
    ) -> Result<Vec<PendingVersion>> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT v.document, v.version, v.knowledge_base, d.source, d.document_key, d.uri, d.title, v.text_hash,
                    d.chunk_count, k.embedding_model ",
        );
        query.push(WAITING);
        of_models(&mut query, models);
        for knowledge_base in not_of {
            query
                .push(" AND v.knowledge_base <> ")
                .push_bind(knowledge_base.0);
        }
        if !only.is_empty() {
            query.push(" AND v.document IN (");
            let mut separated = query.separated(", ");
            for document in only {
                separated.push_bind(document.0);
            }
            query.push(")");
        }
        query
            .push(" ORDER BY v.staged_at DESC, v.document LIMIT ")
            .push_bind(rows::signed(limit));
        let found: Vec<VersionRow> = query
            .build_query_as()
            .persistent(false)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list versions without vectors"))?;
        found.into_iter().map(PendingVersion::try_from).collect()
    }

    /// Whether documents wait for their vectors: those of a knowledge base, a source, or any.
    pub(crate) async fn any_waits_for_vectors(
        &self,
        models: &[String],
        knowledge_base: Option<KnowledgeBaseId>,
        source: Option<SourceId>,
    ) -> Result<bool> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT 1 ");
        query.push(WAITING);
        of_models(&mut query, models);
        if let Some(knowledge_base) = knowledge_base {
            query.push(" AND v.knowledge_base = ").push_bind(knowledge_base.0);
        }
        if let Some(source) = source {
            query.push(" AND d.source = ").push_bind(source.0);
        }
        query.push(" LIMIT 1");
        let found: Option<i64> = query
            .build_query_scalar()
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("look for versions without vectors"))?;
        Ok(found.is_some())
    }

    /// Documents that can be found by words only, and documents that were pushed and wait to be read, in all
    /// knowledge bases. For the gauges.
    pub async fn waiting_documents(&self) -> Result<(u64, u64)> {
        let (vectors, pushes): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT COALESCE(SUM(document_count - embedded_count), 0) FROM knowledge_bases),
                    (SELECT COUNT(*) FROM pending_pushes)",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(Error::ledger("count what waits"))?;
        Ok((
            rows::unsigned("document count", vectors)?,
            rows::unsigned("document count", pushes)?,
        ))
    }

    /// The chunks of a version whose vectors aren't stored, in their order.
    pub(crate) async fn chunks_without_vectors(
        &self,
        (document, version): (DocumentId, Version),
        model: &str,
    ) -> Result<Vec<UnembeddedChunk>> {
        let found: Vec<ChunkRow> = sqlx::query_as(
            "SELECT c.id, c.heading_path, c.span_start, c.span_end, c.text_hash, c.header_start, c.header_end,
                    c.header_hash, c.token_count, c.embed_hash
             FROM chunks c
             LEFT JOIN vectors s ON s.model = $3 AND s.embed_hash = c.embed_hash
             WHERE c.document = $1 AND c.version = $2 AND s.embed_hash IS NULL ORDER BY c.ordinal",
        )
        .bind(document.0)
        .bind(rows::signed(version.0))
        .bind(model)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list chunks without vectors"))?;
        found.into_iter().map(UnembeddedChunk::try_from).collect()
    }

    /// Notes what the embedder reads of chunks, where that wasn't known or has changed.
    pub(crate) async fn set_embed_hashes(&self, hashes: &[(ChunkId, ContentHash)]) -> Result<()> {
        const ACTION: &str = "note what is embedded";
        if hashes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for (chunk, hash) in hashes {
            sqlx::query("UPDATE chunks SET embed_hash = $2 WHERE id = $1")
                .bind(chunk.0)
                .bind(hash.0.to_vec())
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await
    }

    /// Who may read the document, if this is still its visible version.
    pub(crate) async fn metadata_if_current(
        &self,
        (document, version): (DocumentId, Version),
    ) -> Result<Option<Arc<DocumentMetadata>>> {
        let row: Option<MetadataRow> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT {METADATA_COLUMNS} FROM documents d
             JOIN sources s ON s.id = d.source
             JOIN versions v ON v.document = d.id AND v.version = d.current_version
             JOIN knowledge_bases k ON k.id = d.knowledge_base
             WHERE d.id = $1 AND v.version = $2 AND v.state = 'current' AND d.deleted = 0
             AND k.deleted_at IS NULL",
        )))
        .bind(document.0)
        .bind(rows::signed(version.0))
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::ledger("look up a version"))?;
        row.map(|row| row.metadata().map(Arc::new)).transpose()
    }

    /// Notes that versions have all their vectors in the index, durably. One that is no longer visible is left out.
    /// Gives how many were marked.
    pub(crate) async fn mark_embedded(&self, versions: &[(DocumentId, Version)]) -> Result<u64> {
        const ACTION: &str = "mark versions as embedded";
        let mut transaction = self.begin().await?;
        let mut marked = 0;
        for (document, version) in versions {
            let done = sqlx::query(
                "UPDATE versions SET embedded_at = $3
                 WHERE document = $1 AND version = $2 AND state = 'current' AND embedded_at IS NULL",
            )
            .bind(document.0)
            .bind(rows::signed(version.0))
            .bind(now().timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
            marked += done.rows_affected();
        }
        commit(transaction, ACTION).await?;
        Ok(marked)
    }

    /// Notes why a version gets no vectors. It can be found by words.
    pub(crate) async fn set_aside(
        &self,
        (document, version): (DocumentId, Version),
        reason: &str,
    ) -> Result<()> {
        const ACTION: &str = "note why a version has no vectors";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE versions SET embed_problem = $3 WHERE document = $1 AND version = $2")
            .bind(document.0)
            .bind(rows::signed(version.0))
            .bind(reason)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }
}
