//! Pushed documents that were accepted and wait to be read.
//!
//! A push is durable when its row is committed: the original lies in the store, the row says what is to be done
//! with it. A later push of the same document takes the place of an earlier one that still waits. The
//! sequence tells them apart, so that a version made from the earlier one isn't published after the later one
//! was accepted.

use lectern_domain::{Acl, Attributes, ContentHash, DocumentId, KnowledgeBaseId, SourceId};
use sqlx::{FromRow, Sqlite, Transaction};
use uuid::Uuid;

use super::versions::{DocumentRef, PushRef};
use super::{Ledger, commit, now, rows};
use crate::access;
use crate::error::{Error, Result};

const ACTION: &str = "accept a push";

/// A document as it was pushed; its original is stored.
#[derive(Clone, Debug)]
pub(crate) struct NewPush {
    pub(crate) knowledge_base: KnowledgeBaseId,
    pub(crate) source: SourceId,
    pub(crate) key: String,
    pub(crate) original: ContentHash,
    pub(crate) size_bytes: u64,
    pub(crate) title: Option<String>,
    pub(crate) uri: String,
    pub(crate) media_type: Option<String>,
    pub(crate) file_name: String,
    /// As it was pushed; `None` where the source's default counts.
    pub(crate) acl: Option<Acl>,
    /// Who reads it, with the default filled in.
    pub(crate) effective_acl: Acl,
    pub(crate) attributes: Attributes,
}

/// A push that waits.
#[derive(Clone, Debug)]
pub(crate) struct PendingPush {
    pub(crate) document: DocumentRef,
    pub(crate) original: ContentHash,
    pub(crate) title: Option<String>,
    pub(crate) uri: String,
    pub(crate) media_type: Option<String>,
    pub(crate) file_name: String,
    pub(crate) acl: Option<Acl>,
    pub(crate) attributes: Attributes,
    pub(crate) size_bytes: u64,
    pub(crate) sequence: i64,
}

#[derive(FromRow)]
struct Row {
    document: Uuid,
    knowledge_base: Uuid,
    source: Uuid,
    document_key: String,
    sequence: i64,
    original: Vec<u8>,
    title: Option<String>,
    uri: String,
    media_type: Option<String>,
    file_name: String,
    acl: Option<String>,
    attributes: String,
    size_bytes: i64,
}

impl TryFrom<Row> for PendingPush {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let original = rows::hash(&row.original)?;
        Ok(Self {
            document: DocumentRef {
                id: DocumentId(row.document),
                knowledge_base: KnowledgeBaseId(row.knowledge_base),
                source: SourceId(row.source),
                key: row.document_key,
                parent: None,
                push: Some(PushRef {
                    sequence: row.sequence,
                    original,
                }),
            },
            original,
            title: row.title,
            uri: row.uri,
            media_type: row.media_type,
            file_name: row.file_name,
            acl: row
                .acl
                .as_deref()
                .map(|acl| rows::from_json("access list", acl))
                .transpose()?,
            attributes: rows::from_json("attributes", &row.attributes)?,
            size_bytes: rows::unsigned("document size", row.size_bytes)?,
            sequence: row.sequence,
        })
    }
}

impl Ledger {
    /// Accepts a push. What it replaced, if one waited, is given back: the hash of that original.
    pub(crate) async fn accept_push(&self, push: &NewPush) -> Result<(DocumentId, Option<ContentHash>)> {
        let document = DocumentId::derive(push.source, &push.key);
        let mut transaction = self.begin().await?;
        let sequence = next_sequence(&mut transaction, push.knowledge_base).await?;
        write_document(&mut transaction, document, push).await?;
        let replaced: Option<Vec<u8>> =
            sqlx::query_scalar("DELETE FROM pending_pushes WHERE document = $1 RETURNING original")
                .bind(document.0)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        let acl = push
            .acl
            .as_ref()
            .map(|acl| rows::to_json("access list", acl))
            .transpose()?;
        sqlx::query(
            "INSERT INTO pending_pushes (document, knowledge_base, sequence, original, title, uri, media_type,
                                         file_name, acl, attributes, size_bytes, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(document.0)
        .bind(push.knowledge_base.0)
        .bind(sequence)
        .bind(push.original.0.to_vec())
        .bind(push.title.as_deref())
        .bind(&push.uri)
        .bind(push.media_type.as_deref())
        .bind(&push.file_name)
        .bind(acl)
        .bind(rows::to_json("attributes", &push.attributes)?)
        .bind(rows::signed(push.size_bytes))
        .bind(now().timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        Ok((document, replaced.as_deref().map(rows::hash).transpose()?))
    }

    /// Has documents read again whose version was published and whose attachments perhaps weren't, from their stored
    /// originals: no source will name them again. Gives how many.
    pub(crate) async fn requeue_open_pushes(&self, knowledge_base: KnowledgeBaseId) -> Result<u64> {
        const ACTION: &str = "queue pushes with attachments again";
        let mut transaction = self.begin().await?;
        let open: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM documents WHERE knowledge_base = $1 AND attachments_open = 1 AND deleted = 0
             AND original IS NOT NULL AND id NOT IN (SELECT document FROM pending_pushes)",
        )
        .bind(knowledge_base.0)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        for document in &open {
            let sequence = next_sequence(&mut transaction, knowledge_base).await?;
            sqlx::query(
                "INSERT INTO pending_pushes (document, knowledge_base, sequence, original, title, uri, media_type,
                                             file_name, acl, attributes, size_bytes, received_at)
                 SELECT id, knowledge_base, $2, original, title, uri, media_type,
                        document_key, acl, source_attributes, size_bytes, $3
                 FROM documents WHERE id = $1",
            )
            .bind(*document)
            .bind(sequence)
            .bind(now().timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await?;
        Ok(open.len() as u64)
    }

    /// Pushes that wait, oldest first, from the one after `sequence` on.
    pub(crate) async fn pending_after(
        &self,
        knowledge_base: KnowledgeBaseId,
        sequence: i64,
        limit: usize,
    ) -> Result<Vec<PendingPush>> {
        let found: Vec<Row> = sqlx::query_as(
            "SELECT p.document, p.knowledge_base, d.source, d.document_key, p.sequence, p.original, p.title,
                    p.uri, p.media_type, p.file_name, p.acl, p.attributes, p.size_bytes
             FROM pending_pushes p JOIN documents d ON d.id = p.document
             WHERE p.knowledge_base = $1 AND p.sequence > $2 ORDER BY p.sequence LIMIT $3",
        )
        .bind(knowledge_base.0)
        .bind(sequence)
        .bind(rows::signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list waiting pushes"))?;
        found.into_iter().map(PendingPush::try_from).collect()
    }
}

/// A number that no push of the knowledge base had before, not even one that is gone.
pub(super) async fn next_sequence(
    transaction: &mut Transaction<'static, Sqlite>,
    knowledge_base: KnowledgeBaseId,
) -> Result<i64> {
    let sequence: Option<i64> = sqlx::query_scalar(
        "UPDATE knowledge_bases SET pushes = pushes + 1 WHERE id = $1 AND deleted_at IS NULL RETURNING pushes",
    )
    .bind(knowledge_base.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    sequence.ok_or_else(|| Error::NoKnowledgeBase {
        name: knowledge_base.to_string(),
    })
}

/// A new document is described as it was pushed. One that can be found keeps its description until the new
/// version is visible, but is shown to nobody any more whom the push doesn't allow.
async fn write_document(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    push: &NewPush,
) -> Result<()> {
    let visible: Option<String> = sqlx::query_scalar(
        "SELECT acl FROM documents WHERE id = $1 AND deleted = 0 AND current_version IS NOT NULL",
    )
    .bind(document.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    let acl = match visible {
        Some(acl) => access::intersection(&rows::from_json("access list", &acl)?, &push.effective_acl),
        None => push.effective_acl.clone(),
    };
    sqlx::query(
        "INSERT INTO documents (id, knowledge_base, source, document_key, uri, title, media_type, size_bytes,
                                status, acl)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9)
         ON CONFLICT (id) DO UPDATE
         SET status = 'pending', reason = NULL, deleted = 0, acl = excluded.acl,
             access_revision = access_revision + CASE WHEN acl = excluded.acl THEN 0 ELSE 1 END,
             uri = CASE WHEN current_version IS NULL THEN excluded.uri ELSE uri END,
             title = CASE WHEN current_version IS NULL THEN excluded.title ELSE title END,
             size_bytes = CASE WHEN current_version IS NULL THEN excluded.size_bytes ELSE size_bytes END",
    )
    .bind(document.0)
    .bind(push.knowledge_base.0)
    .bind(push.source.0)
    .bind(&push.key)
    .bind(&push.uri)
    .bind(push.title.as_deref().unwrap_or(&push.file_name))
    .bind(push.media_type.as_deref().unwrap_or_default())
    .bind(rows::signed(push.size_bytes))
    .bind(rows::to_json("access list", &acl)?)
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}
