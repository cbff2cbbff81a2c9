//! Documents: finding, listing and reading them, and what a sync needs to know of one.

use chrono::{DateTime, Utc};
use lectern_domain::{
    Acl, Attributes, ContentHash, Document, DocumentId, DocumentStatus, JobId, KnowledgeBaseId, SourceId,
};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::rows::DocumentRow;
use super::versions::DocumentRef;
use super::{Ledger, commit, rows};
use crate::error::{Error, Result};
use crate::outcome::Outcome;

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
    /// What the visible version was made with.
    pub(crate) recipe: Option<ContentHash>,
    /// What its source said of it when it was last found unchanged or taken in.
    pub(crate) change_tag: Option<ContentHash>,
    /// What the job that asks has done with it before.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) status: DocumentStatus,
    /// Why it was skipped or failed.
    pub(crate) reason: Option<String>,
    pub(crate) has_attachments: bool,
    /// Whether perhaps not all of its attachments have been taken in.
    pub(crate) attachments_open: bool,
}

impl KnownDocument {
    /// Whether it is as its source had it when that said `change_tag` of it, with nothing left to do: it can be
    /// found, or was skipped and would be again.
    pub(crate) fn is_settled(&self, change_tag: Option<ContentHash>) -> bool {
        change_tag.is_some()
            && self.change_tag == change_tag
            && !self.attachments_open
            && match self.status {
                DocumentStatus::Indexed => self.has_current_version && self.fingerprint.is_some(),
                // One that was to go and didn't, because the job asked first, is looked at again.
                DocumentStatus::Skipped => !self.has_current_version,
                DocumentStatus::Pending | DocumentStatus::Failed => false,
            }
    }
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
    recipe: Option<Vec<u8>>,
    change_tag: Option<Vec<u8>>,
    outcome: Option<String>,
    status: String,
    reason: Option<String>,
    has_attachments: i64,
    attachments_open: i64,
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
            recipe: row.recipe.as_deref().map(rows::hash).transpose()?,
            change_tag: row.change_tag.as_deref().map(rows::hash).transpose()?,
            outcome: row
                .outcome
                .map(|name| rows::from_name("outcome", &name))
                .transpose()?,
            status: rows::from_name("document status", &row.status)?,
            reason: row.reason,
            has_attachments: row.has_attachments != 0,
            attachments_open: row.attachments_open != 0,
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
            let condition = format!(" AND {} = ", rows::SHOWN_STATUS);
            query.push(condition).push_bind(status.as_str());
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

    /// What is known of a document, to a job; nothing where it is new or was deleted.
    pub(crate) async fn known(
        &self,
        document: DocumentId,
        job: Option<JobId>,
    ) -> Result<Option<KnownDocument>> {
        let row: Option<KnownRow> = sqlx::query_as(
            "SELECT fingerprint, current_version, uri, acl, source_attributes, modified_at, recipe, change_tag,
                    CASE WHEN outcome_job = $2 THEN outcome END AS outcome, status, reason, attachments_open,
                    EXISTS (SELECT 1 FROM documents a WHERE a.parent = d.id AND a.deleted = 0)
                        AS has_attachments
             FROM documents d WHERE id = $1 AND deleted = 0",
        )
        .bind(document.0)
        .bind(job.map(|job| job.0))
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::ledger("look up a document"))?;
        row.map(KnownDocument::try_from).transpose()
    }

    /// What is attached to a document, directly.
    pub(crate) async fn attachments(&self, document: &DocumentRef) -> Result<Vec<DocumentRef>> {
        let found: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, document_key FROM documents WHERE parent = $1 AND deleted = 0
             ORDER BY document_key, id",
        )
        .bind(document.id.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list what is attached to a document"))?;
        let attached = found.into_iter().map(|(id, key)| DocumentRef {
            id: DocumentId(id),
            knowledge_base: document.knowledge_base,
            source: document.source,
            key,
            parent: Some(document.id),
            push: None,
        });
        Ok(attached.collect())
    }

    /// Notes that every attachment of every document of a source has been taken in.
    pub(crate) async fn close_attachments(&self, source: SourceId) -> Result<()> {
        const ACTION: &str = "note that all attachments are there";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE documents SET attachments_open = 0 WHERE source = $1 AND attachments_open = 1")
            .bind(source.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }

    /// Up to `limit` documents of a source that couldn't be read, with their addresses.
    pub(crate) async fn failed_documents(
        &self,
        source: SourceId,
        limit: usize,
    ) -> Result<Vec<(String, String)>> {
        sqlx::query_as(
            "SELECT document_key, uri FROM documents
             WHERE source = $1 AND deleted = 0 AND status = 'failed' AND parent IS NULL LIMIT $2",
        )
        .bind(source.0)
        .bind(rows::signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list the documents that failed"))
    }

    /// Has the next sync read a document again, whatever its source says of it then.
    pub(crate) async fn mark_for_reading(&self, document: DocumentId) -> Result<()> {
        const ACTION: &str = "have a document read again";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE documents SET fingerprint = NULL, change_tag = NULL WHERE id = $1")
            .bind(document.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        sqlx::query(
            "UPDATE sources SET list_cursor = NULL, list_cursor_context = NULL
             WHERE id = (SELECT source FROM documents WHERE id = $1)",
        )
        .bind(document.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
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
