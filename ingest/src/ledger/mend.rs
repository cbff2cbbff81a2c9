//! What `repair` changes in the ledger: what is lost is no longer said to be there.

use lectern_domain::{ChunkId, ContentHash, DocumentId, KnowledgeBaseId, Version};
use sqlx::{QueryBuilder, Sqlite, Transaction};
use uuid::Uuid;

use super::pending::next_sequence;
use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

const ACTION: &str = "mend the ledger";

/// Why a document whose stored text was damaged can't be found.
const TEXT_LOST: &str = "stored_text_damaged: its stored text was damaged; it is read again";

/// Chunks of visible, embedded versions whose vector isn't stored. Those of before the vectors were stored don't count.
const LACKING: &str = "FROM versions v
     JOIN chunks c ON c.document = v.document AND c.version = v.version
     WHERE v.knowledge_base = $1 AND v.state = 'current' AND v.embedded_at IS NOT NULL
     AND c.embed_hash IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM vectors s WHERE s.model = $2 AND s.embed_hash = c.embed_hash)";

/// What became of the documents whose text was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostTexts {
    /// Which, and their keys.
    pub(crate) documents: Vec<(DocumentId, String)>,
    /// Those of them whose pushed original waits to be read again.
    pub(crate) requeued: u64,
}

#[derive(sqlx::FromRow)]
struct LostRow {
    id: Uuid,
    document_key: String,
    uri: String,
    title: String,
    media_type: String,
    acl: String,
    source_attributes: String,
    size_bytes: i64,
    original: Option<Vec<u8>>,
}

impl Ledger {
    /// How many chunks of embedded documents have no stored vector.
    pub(crate) async fn chunks_lacking_vectors(
        &self,
        knowledge_base: KnowledgeBaseId,
        model: &str,
    ) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {LACKING}")))
            .bind(knowledge_base.0)
            .bind(model)
            .fetch_one(&self.readers)
            .await
            .map_err(Error::ledger("count missing vectors"))?;
        rows::unsigned("chunk count", count)
    }

    /// The embedded versions that lack a stored vector.
    pub(crate) async fn versions_lacking_vectors(
        &self,
        knowledge_base: KnowledgeBaseId,
        model: &str,
    ) -> Result<Vec<(DocumentId, Version)>> {
        let sql = format!("SELECT DISTINCT v.document, v.version {LACKING}");
        let found: Vec<(Uuid, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(knowledge_base.0)
            .bind(model)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list missing vectors"))?;
        versions(found)
    }

    /// The versions that the chunks belong to.
    pub(crate) async fn versions_of(&self, chunks: &[ChunkId]) -> Result<Vec<(DocumentId, Version)>> {
        let mut found = Vec::new();
        for part in chunks.chunks(rows::IDS_PER_STATEMENT) {
            let mut query =
                QueryBuilder::<Sqlite>::new("SELECT DISTINCT document, version FROM chunks WHERE id IN (");
            let mut ids = query.separated(", ");
            for chunk in part {
                ids.push_bind(chunk.0);
            }
            query.push(")");
            let some: Vec<(Uuid, i64)> = query
                .build_query_as()
                .persistent(false)
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("look up versions"))?;
            found.extend(versions(some)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Has versions wait for their vectors again. Those that can't have any are tried once more, too.
    pub(crate) async fn unmark(&self, versions: &[(DocumentId, Version)]) -> Result<()> {
        let mut transaction = self.begin().await?;
        for (document, version) in versions {
            sqlx::query(
                "UPDATE versions SET embedded_at = NULL, embed_problem = NULL
                 WHERE document = $1 AND version = $2 AND state = 'current'",
            )
            .bind(document.0)
            .bind(rows::signed(version.0))
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await?;
        self.published.notify_one();
        Ok(())
    }

    /// Takes the versions with this text out of sight. The pushed originals of their documents wait to be read again,
    /// where they are whole.
    pub(crate) async fn lose_text(
        &self,
        knowledge_base: KnowledgeBaseId,
        text: ContentHash,
        damaged_originals: &[ContentHash],
    ) -> Result<LostTexts> {
        let mut transaction = self.begin().await?;
        let documents: Vec<LostRow> = sqlx::query_as(
            "SELECT d.id, d.document_key, d.uri, d.title, d.media_type, d.acl, d.source_attributes, d.size_bytes,
                    d.original
             FROM documents d JOIN versions v ON v.document = d.id AND v.version = d.current_version
             WHERE d.knowledge_base = $1 AND v.text_hash = $2 AND d.deleted = 0",
        )
        .bind(knowledge_base.0)
        .bind(text.0.to_vec())
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        sqlx::query("UPDATE versions SET state = 'retired' WHERE knowledge_base = $1 AND text_hash = $2")
            .bind(knowledge_base.0)
            .bind(text.0.to_vec())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        let mut lost = LostTexts::default();
        for document in documents {
            sqlx::query(
                "UPDATE documents SET current_version = NULL, chunk_count = 0, status = 'failed', reason = $2
                 WHERE id = $1",
            )
            .bind(document.id)
            .bind(TEXT_LOST)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
            let original = document.original.as_deref().map(rows::hash).transpose()?;
            if original.is_some_and(|hash| !damaged_originals.contains(&hash)) {
                requeue(&mut transaction, knowledge_base, &document).await?;
                lost.requeued += 1;
            }
            lost.documents
                .push((DocumentId(document.id), document.document_key));
        }
        commit(transaction, ACTION).await?;
        Ok(lost)
    }

    /// Says no longer that documents have this original: it is lost. Their text stays.
    pub(crate) async fn lose_original(&self, original: ContentHash) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE documents SET original = NULL WHERE original = $1")
            .bind(original.0.to_vec())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }
}

/// Has the original of a pushed document wait to be read, unless a later push waits.
async fn requeue(
    transaction: &mut Transaction<'static, Sqlite>,
    knowledge_base: KnowledgeBaseId,
    document: &LostRow,
) -> Result<()> {
    let sequence = next_sequence(transaction, knowledge_base).await?;
    let file_name = document.document_key.rsplit('/').next();
    sqlx::query(
        "INSERT INTO pending_pushes (document, knowledge_base, sequence, original, title, uri, media_type,
                                     file_name, acl, attributes, size_bytes, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (document) DO NOTHING",
    )
    .bind(document.id)
    .bind(knowledge_base.0)
    .bind(sequence)
    .bind(document.original.as_deref())
    .bind(&document.title)
    .bind(&document.uri)
    .bind(&document.media_type)
    .bind(file_name.unwrap_or(&document.document_key))
    .bind(&document.acl)
    .bind(&document.source_attributes)
    .bind(document.size_bytes)
    .bind(now().timestamp_millis())
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}

fn versions(found: Vec<(Uuid, i64)>) -> Result<Vec<(DocumentId, Version)>> {
    found
        .into_iter()
        .map(|(document, version)| Ok((DocumentId(document), rows::version(version)?)))
        .collect()
}
