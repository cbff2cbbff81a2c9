//! The ledger's side of the recheck: what it knows of chunks that an index found.
//!
//! One statement for all chunks, then one read of each chunk's stretch of the stored text. The piece is checked
//! against its hash: a damaged file is an error and never an answer.

use async_trait::async_trait;
use lectern_domain::ports::ChunkLookup;
use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, LedgerChunk, PortError, TextSpan};
use sqlx::{FromRow, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Ledger, rows};
use crate::error::{Error, Result};
use crate::texts::PieceRequest;

/// SQLite takes 32,766 parameters.
const IDS_PER_STATEMENT: usize = 30_000;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    document: Uuid,
    version: i64,
    is_current: bool,
    acl: String,
    title: String,
    uri: String,
    heading_path: String,
    page: Option<i64>,
    span_start: i64,
    span_end: i64,
    text_hash: Vec<u8>,
    whole_text_hash: Vec<u8>,
}

#[async_trait]
impl ChunkLookup for Ledger {
    async fn look_up(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<LedgerChunk>, PortError> {
        match self.find(knowledge_base, chunks).await {
            // A version may be collected, text and all, between the two reads. Then the second look knows.
            Err(Error::ContentDamaged { .. }) => Ok(self.find(knowledge_base, chunks).await?),
            other => Ok(other?),
        }
    }
}

impl Ledger {
    async fn find(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<LedgerChunk>> {
        let mut found = Vec::with_capacity(chunks.len());
        for part in chunks.chunks(IDS_PER_STATEMENT) {
            found.extend(self.rows_of(knowledge_base, part).await?);
        }
        let pieces = found.iter().map(piece_of).collect::<Result<Vec<_>>>()?;
        let texts = self.texts.pieces(pieces).await?;
        found
            .into_iter()
            .zip(texts)
            .map(|(row, text)| ledger_chunk(row, text))
            .collect()
    }

    async fn rows_of(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<Row>> {
        if chunks.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT c.id, c.document, c.version, c.heading_path, c.page, c.span_start, c.span_end, c.text_hash,
                    v.text_hash AS whole_text_hash, d.acl, d.title, d.uri,
                    d.deleted = 0 AND k.deleted_at IS NULL AND c.version = d.current_version IS TRUE
                        AS is_current
             FROM chunks c
             JOIN versions v ON v.document = c.document AND v.version = c.version
             JOIN documents d ON d.id = c.document
             JOIN knowledge_bases k ON k.id = d.knowledge_base
             WHERE d.knowledge_base = ",
        );
        query.push_bind(knowledge_base.0).push(" AND c.id IN (");
        let mut ids = query.separated(", ");
        for chunk in chunks {
            ids.push_bind(chunk.0);
        }
        query.push(")");
        query
            .build_query_as()
            .persistent(false)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("look up chunks"))
    }
}

fn span(row: &Row) -> Result<TextSpan> {
    Ok(TextSpan {
        start: rows::position("span", row.span_start)?,
        end: rows::position("span", row.span_end)?,
    })
}

fn piece_of(row: &Row) -> Result<PieceRequest> {
    Ok(PieceRequest {
        text: rows::hash(&row.whole_text_hash)?,
        span: span(row)?,
        hash: rows::hash(&row.text_hash)?,
    })
}

fn ledger_chunk(row: Row, text: String) -> Result<LedgerChunk> {
    Ok(LedgerChunk {
        chunk: ChunkId(row.id),
        document: DocumentId(row.document),
        version: rows::version(row.version)?,
        is_current: row.is_current,
        acl: rows::from_json("access list", &row.acl)?,
        heading_path: rows::from_json("heading path", &row.heading_path)?,
        page: row.page.map(|page| rows::small("page", page)).transpose()?,
        span: span(&row)?,
        title: row.title,
        uri: row.uri,
        text,
    })
}
