//! The ledger's side of the recheck: what it knows of chunks that an index found.
//!
//! One statement for all chunks, then one read of each chunk's stretch of the stored text. The piece is checked
//! against its hash: a damaged file is an error and never an answer.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::ChunkLookup;
use lectern_domain::{
    ChunkId, DocumentId, EmbeddedShare, KnowledgeBaseId, LedgerChunk, PortError, SearchSettings, SpannedText,
    TextSpan,
};
use sqlx::{FromRow, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::metadata::{METADATA_COLUMNS, MetadataRow};
use super::{Ledger, rows};
use crate::error::{Error, Result};
use crate::texts::PieceRequest;

/// How many ids a statement has that stays prepared. A search asks for a few at a time, and preparing would take as long
/// as running it. Fewer ids are filled up with the last one.
const PREPARED_SIZES: [usize; 4] = [16, 64, 256, 1_024];

#[derive(FromRow)]
struct Row {
    id: Uuid,
    document: Uuid,
    version: i64,
    ordinal: i64,
    token_count: i64,
    is_current: bool,
    is_embedded: bool,
    heading_path: String,
    page: Option<i64>,
    span_start: i64,
    span_end: i64,
    text_hash: Vec<u8>,
    parent_start: Option<i64>,
    parent_end: Option<i64>,
    parent_hash: Option<Vec<u8>>,
    header_start: Option<i64>,
    header_end: Option<i64>,
    header_hash: Option<Vec<u8>>,
    whole_text_hash: Vec<u8>,
    #[sqlx(flatten)]
    metadata: MetadataRow,
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

    async fn embedding_model(&self, knowledge_base: KnowledgeBaseId) -> Result<Option<String>, PortError> {
        Ok(Self::embedding_model(self, knowledge_base).await?)
    }

    async fn embedded_share(&self, knowledge_base: KnowledgeBaseId) -> Result<EmbeddedShare, PortError> {
        Ok(Self::embedded_share(self, knowledge_base).await?)
    }

    async fn search_settings(&self, base: KnowledgeBaseId) -> Result<Arc<SearchSettings>, PortError> {
        Ok(Self::search_settings(self, base).await?)
    }

    async fn first_chunks(&self, base: KnowledgeBaseId, names: &[String]) -> Result<Vec<ChunkId>, PortError> {
        Ok(self.first_chunks_of(base, names).await?)
    }

    async fn not_embedded(
        &self,
        _knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<ChunkId>, PortError> {
        Ok(self.chunks_not_embedded(chunks).await?)
    }
}

impl Ledger {
    async fn find(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<LedgerChunk>> {
        let mut found = Vec::with_capacity(chunks.len());
        for part in chunks.chunks(rows::IDS_PER_STATEMENT) {
            found.extend(self.rows_of(knowledge_base, part).await?);
        }
        let mut pieces = Vec::with_capacity(found.len());
        for row in &found {
            pieces.push(own_piece(row)?);
            pieces.extend(parent_piece(row)?);
            pieces.extend(header_piece(row)?);
        }
        let mut texts = self.texts.pieces(pieces).await?.into_iter();
        found
            .into_iter()
            .map(|row| ledger_chunk(row, &mut texts))
            .collect()
    }

    async fn rows_of(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<Row>> {
        let Some(last) = chunks.last() else {
            return Ok(Vec::new());
        };
        let prepared_size = PREPARED_SIZES.into_iter().find(|size| *size >= chunks.len());
        let filling = prepared_size.unwrap_or_default().saturating_sub(chunks.len());
        let filled: Vec<ChunkId> = chunks
            .iter()
            .chain(std::iter::repeat_n(last, filling))
            .copied()
            .collect();
        statement("", knowledge_base, &filled)
            .build_query_as()
            .persistent(prepared_size.is_some())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("look up chunks"))
    }
}

/// The statement that looks up `chunks`, after `before`. The order of its tables is said with `CROSS JOIN`
/// (<https://www.sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join>): left to itself, SQLite
/// goes through all documents of the knowledge base as soon as there are a few dozen ids.
fn statement(before: &str, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(before);
    query
        .push(
            "SELECT c.id, c.document, c.version, c.ordinal, c.token_count, c.heading_path, c.page,
                    c.span_start, c.span_end, c.text_hash,
                    c.parent_start, c.parent_end, c.parent_hash, c.header_start, c.header_end, c.header_hash,
                    v.text_hash AS whole_text_hash,
                    d.deleted = 0 AND k.deleted_at IS NULL AND c.version = d.current_version IS TRUE
                        AS is_current,
                    v.embedded_at IS NOT NULL AS is_embedded, ",
        )
        .push(METADATA_COLUMNS)
        .push(
            " FROM chunks c
             CROSS JOIN versions v ON v.document = c.document AND v.version = c.version
             CROSS JOIN documents d ON d.id = c.document
             CROSS JOIN sources s ON s.id = d.source
             CROSS JOIN knowledge_bases k ON k.id = d.knowledge_base
             WHERE d.knowledge_base = ",
        );
    query.push_bind(knowledge_base.0).push(" AND c.id IN (");
    let mut ids = query.separated(", ");
    for chunk in chunks {
        ids.push_bind(chunk.0);
    }
    query.push(")");
    query
}

fn own_piece(row: &Row) -> Result<PieceRequest> {
    piece(row, row.span_start, row.span_end, &row.text_hash)
}

fn parent_piece(row: &Row) -> Result<Option<PieceRequest>> {
    match (row.parent_start, row.parent_end, &row.parent_hash) {
        (Some(start), Some(end), Some(hash)) => piece(row, start, end, hash).map(Some),
        _ => Ok(None),
    }
}

fn header_piece(row: &Row) -> Result<Option<PieceRequest>> {
    match (row.header_start, row.header_end, &row.header_hash) {
        (Some(start), Some(end), Some(hash)) => piece(row, start, end, hash).map(Some),
        _ => Ok(None),
    }
}

fn piece(row: &Row, start: i64, end: i64, hash: &[u8]) -> Result<PieceRequest> {
    Ok(PieceRequest {
        text: rows::hash(&row.whole_text_hash)?,
        span: TextSpan {
            start: rows::position("span", start)?,
            end: rows::position("span", end)?,
        },
        hash: rows::hash(hash)?,
    })
}

/// Takes the texts of the row's pieces, in the order in which they were asked for.
fn ledger_chunk(row: Row, texts: &mut impl Iterator<Item = String>) -> Result<LedgerChunk> {
    let mut spanned = |piece: PieceRequest| SpannedText {
        span: piece.span,
        text: texts.next().unwrap_or_default(),
    };
    let own = spanned(own_piece(&row)?);
    let parent = parent_piece(&row)?.map(&mut spanned);
    let table_header = header_piece(&row)?.map(&mut spanned);
    Ok(LedgerChunk {
        chunk: ChunkId(row.id),
        document: DocumentId(row.document),
        version: rows::version(row.version)?,
        ordinal: rows::small("chunk ordinal", row.ordinal)?,
        token_count: rows::small("token count", row.token_count)?,
        is_current: row.is_current,
        is_embedded: row.is_embedded,
        metadata: row.metadata.metadata()?,
        heading_path: rows::from_json("heading path", &row.heading_path)?,
        page: row.page.map(|page| rows::small("page", page)).transpose()?,
        title: row.metadata.title,
        uri: row.metadata.uri,
        span: own.span,
        text: own.text,
        table_header,
        parent,
    })
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::texts::TextStore;

    #[tokio::test]
    async fn chunks_are_looked_up_by_their_ids_however_many_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let texts = Arc::new(TextStore::open(folder.path()).unwrap());
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite"), texts)
            .await
            .unwrap();
        let chunks: Vec<ChunkId> = (0..2_000_u128)
            .map(|number| ChunkId(Uuid::from_u128(number)))
            .collect();
        for count in PREPARED_SIZES.into_iter().chain([1, 2_000]) {
            let mut query = statement(
                "EXPLAIN QUERY PLAN ",
                KnowledgeBaseId(Uuid::nil()),
                &chunks[..count],
            );
            let plan = query.build().fetch_all(&ledger.readers).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let first = &steps[0];
            assert!(
                first.starts_with("SEARCH c USING INDEX") && first.ends_with("(id=?)"),
                "{count}: {steps:#?}"
            );
        }
    }
}
