//! Documents: finding, listing and reading them, and what a sync needs to know of one.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Acl, Attributes, ContentHash, Document, DocumentId, DocumentStatus, JobId, KnowledgeBaseId, SourceId,
};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::rows::DocumentRow;
use super::{Ledger, commit, rows};
use crate::error::{Error, Result};

/// Which documents are listed; what is `None` doesn't matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Those that stand so.
    pub status: Option<DocumentStatus>,
    /// Those of this source.
    pub source: Option<SourceId>,
}

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// What to ask the next page with; `None` on the last.
    pub next_cursor: Option<String>,
}

/// What the ledger knows of a document that a source lists.
#[derive(Clone, Debug)]
pub(crate) struct KnownDocument {
    /// What the visible version was made from.
    pub(crate) fingerprint: Option<ContentHash>,
    pub(crate) has_current_version: bool,
    pub(crate) metadata: SourceMetadata,
}

/// What a source says of a document and may change without touching its content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceMetadata {
    pub(crate) uri: String,
    pub(crate) acl: Acl,
    pub(crate) attributes: Attributes,
    pub(crate) modified_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct KnownRow {
    fingerprint: Option<Vec<u8>>,
    current_version: Option<i64>,
    uri: String,
    acl: String,
    source_attributes: String,
    modified_at: Option<i64>,
}

impl TryFrom<KnownRow> for KnownDocument {
    type Error = Error;

    fn try_from(row: KnownRow) -> Result<Self> {
        Ok(Self {
            fingerprint: row.fingerprint.as_deref().map(rows::hash).transpose()?,
            has_current_version: row.current_version.is_some(),
            metadata: SourceMetadata {
                uri: row.uri,
                acl: rows::from_json("access list", &row.acl)?,
                attributes: rows::from_json("source attributes", &row.source_attributes)?,
                modified_at: row.modified_at.map(rows::time).transpose()?,
            },
        })
    }
}

impl Ledger {
    /// One document.
    pub async fn document(&self, knowledge_base: KnowledgeBaseId, document: DocumentId) -> Result<Document> {
        let mut query = QueryBuilder::<Sqlite>::new(rows::SELECT_DOCUMENTS);
        query.push("d.id = ").push_bind(document.0);
        query
            .push(" AND d.deleted = 0 AND d.knowledge_base = ")
            .push_bind(knowledge_base.0);
        let row: Option<DocumentRow> = query
            .build_query_as()
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("find a document"))?;
        row.ok_or(Error::NoDocument { document })?.try_into()
    }

    /// A page of the documents of a knowledge base, by key. `cursor` is what the page before gave.
    pub async fn documents(
        &self,
        knowledge_base: KnowledgeBaseId,
        filter: DocumentFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Document>> {
        let limit = limit.clamp(1, 1_000);
        let mut query = QueryBuilder::<Sqlite>::new(rows::SELECT_DOCUMENTS);
        query
            .push("d.deleted = 0 AND d.knowledge_base = ")
            .push_bind(knowledge_base.0);
        if let Some(status) = filter.status {
            query.push(" AND d.status = ").push_bind(status.as_str());
        }
        if let Some(source) = filter.source {
            query.push(" AND d.source = ").push_bind(source.0);
        }
        if let Some(cursor) = cursor {
            let (id, key) = after(cursor)?;
            query
                .push(" AND (d.document_key, d.id) > (")
                .push_bind(key.to_owned());
            query.push(", ").push_bind(id.0).push(")");
        }
        query
            .push(" ORDER BY d.document_key, d.id LIMIT ")
            .push_bind(rows::signed(limit + 1));
        let found: Vec<DocumentRow> = query
            .build_query_as()
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list the documents"))?;
        let mut items = found
            .into_iter()
            .map(Document::try_from)
            .collect::<Result<Vec<_>>>()?;
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let next_cursor = match items.last() {
            Some(last) if !is_last => Some(format!("{}:{}", last.id, last.key)),
            _ => None,
        };
        Ok(Page { items, next_cursor })
    }

    /// A document and the text of its visible version, whole.
    pub async fn document_text(
        &self,
        knowledge_base: KnowledgeBaseId,
        document: DocumentId,
    ) -> Result<(Document, String)> {
        let found = self.document(knowledge_base, document).await?;
        let hash: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT text_hash FROM versions WHERE document = $1 AND state = 'current'")
                .bind(document.0)
                .fetch_optional(&self.readers)
                .await
                .map_err(Error::ledger("find a document's text"))?;
        let hash = rows::hash(&hash.ok_or(Error::NoText { document })?)?;
        let text = self.texts.text(hash).await?;
        Ok((found, text))
    }

    /// What is known of a document; nothing where it is new or was deleted.
    pub(crate) async fn known(&self, document: DocumentId) -> Result<Option<KnownDocument>> {
        let row: Option<KnownRow> = sqlx::query_as(
            "SELECT fingerprint, current_version, uri, acl, source_attributes, modified_at
             FROM documents WHERE id = $1 AND deleted = 0",
        )
        .bind(document.0)
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::ledger("look up a document"))?;
        row.map(KnownDocument::try_from).transpose()
    }

    /// Lets only those read a document, from now on. The indexes follow ([`crate::access`]).
    pub(crate) async fn change_access(&self, document: DocumentId, acl: &Acl) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE documents SET acl = $2, access_revision = access_revision + 1 WHERE id = $1 AND acl <> $2",
        )
        .bind(document.0)
        .bind(rows::to_json("access list", acl)?)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("change who may read a document"))?;
        commit(transaction, "change who may read a document").await
    }

    /// Notes that a job can't tell what is left of the documents whose keys begin with `prefix`.
    pub(crate) async fn see_under(&self, source: SourceId, prefix: &str, job: JobId) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE documents SET seen_job = $3
             WHERE source = $1 AND substr(document_key, 1, length($2)) = $2",
        )
        .bind(source.0)
        .bind(prefix)
        .bind(job.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("note an unreadable folder"))?;
        commit(transaction, "note an unreadable folder").await
    }

    /// Takes away the documents of a source that `job` didn't see, all at once. Gives how many.
    pub(crate) async fn remove_unseen(&self, source: SourceId, job: JobId) -> Result<u64> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE versions SET state = 'retired' WHERE document IN
                 (SELECT id FROM documents WHERE source = $1 AND deleted = 0
                  AND (seen_job IS NULL OR seen_job <> $2))",
        )
        .bind(source.0)
        .bind(job.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("delete vanished documents"))?;
        let removed = sqlx::query(
            "UPDATE documents SET deleted = 1, current_version = NULL, chunk_count = 0, fingerprint = NULL
             WHERE source = $1 AND deleted = 0 AND (seen_job IS NULL OR seen_job <> $2)",
        )
        .bind(source.0)
        .bind(job.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("delete vanished documents"))?;
        commit(transaction, "delete vanished documents").await?;
        self.shares.changed();
        Ok(removed.rows_affected())
    }

    /// Takes a document away: nobody sees it from now on. Gives the original of a push that waited.
    pub(crate) async fn remove_document(
        &self,
        knowledge_base: KnowledgeBaseId,
        document: DocumentId,
    ) -> Result<Option<ContentHash>> {
        const ACTION: &str = "delete a document";
        let mut transaction = self.begin().await?;
        let removed = sqlx::query(
            "UPDATE documents SET deleted = 1, current_version = NULL, chunk_count = 0, fingerprint = NULL
             WHERE id = $1 AND knowledge_base = $2 AND deleted = 0",
        )
        .bind(document.0)
        .bind(knowledge_base.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        if removed.rows_affected() == 0 {
            return Err(Error::NoDocument { document });
        }
        sqlx::query("UPDATE versions SET state = 'retired' WHERE document = $1")
            .bind(document.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        let original: Option<Vec<u8>> =
            sqlx::query_scalar("DELETE FROM pending_pushes WHERE document = $1 RETURNING original")
                .bind(document.0)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        self.shares.changed();
        original.as_deref().map(rows::hash).transpose()
    }
}

/// A cursor is the id of the last document of a page, and its key.
fn after(cursor: &str) -> Result<(DocumentId, &str)> {
    let parts = cursor
        .split_once(':')
        .and_then(|(id, key)| Some((DocumentId(Uuid::parse_str(id).ok()?), key)));
    parts.ok_or_else(|| Error::BadCursor {
        cursor: cursor.to_owned(),
    })
}
