//! Taking documents away, each with what is attached to it.
//!
//! A document is deleted in the ledger first: from that commit on nobody finds it. Its versions are retired,
//! and [`crate::collect`] takes their chunks out of the indexes.

use std::borrow::Cow;

use lectern_domain::{ContentHash, DocumentId, JobId, KnowledgeBaseId, SourceId};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};
use uuid::Uuid;

use super::sources::ListCursor;
use super::versions::DocumentRef;
use super::withdrawal::{self, SKIPPED};
use super::{Ledger, commit, rows};
use crate::error::{Error, Result};
use crate::failpoints::failpoint;
use crate::source_settings::DeletionGuard;

/// Which documents go, by two ids.
#[derive(Clone, Copy, Debug)]
enum Going {
    /// Those of a source that a job didn't see. Attachments stand and fall with what they are attached to.
    Unseen(SourceId, JobId),
    /// Those of a source that a job was told are gone.
    Gone(SourceId, JobId),
    /// What is attached to those of a source whose version goes with the end of a job, and wasn't seen by it.
    LeftBehind(SourceId, JobId),
    /// One document of a knowledge base.
    One(DocumentId, KnowledgeBaseId),
    /// One attachment of a document.
    Attachment(DocumentId, DocumentId),
    /// Attachments that came when what they are attached to had just been deleted.
    Orphans(KnowledgeBaseId),
}

impl Going {
    fn condition(self) -> Cow<'static, str> {
        let condition = match self {
            Self::Unseen(..) => "source = $1 AND parent IS NULL AND (seen_job IS NULL OR seen_job <> $2)",
            Self::Gone(..) => "source = $1 AND gone_job = $2",
            Self::LeftBehind(..) => {
                return format!(
                    "source = $1 AND parent IN (SELECT id FROM documents WHERE {SKIPPED})
                     AND (seen_job IS NULL OR seen_job <> $2)"
                )
                .into();
            }
            Self::One(..) => "id = $1 AND knowledge_base = $2",
            Self::Attachment(..) => "id = $1 AND parent = $2",
            Self::Orphans(..) => {
                "knowledge_base = $1 AND knowledge_base = $2 AND parent IS NOT NULL AND NOT EXISTS
                     (SELECT 1 FROM documents p WHERE p.id = documents.parent AND p.deleted = 0)"
            }
        };
        condition.into()
    }

    fn ids(self) -> (Uuid, Uuid) {
        match self {
            Self::Unseen(source, job) | Self::Gone(source, job) | Self::LeftBehind(source, job) => {
                (source.0, job.0)
            }
            Self::One(document, knowledge_base) => (document.0, knowledge_base.0),
            Self::Attachment(document, parent) => (document.0, parent.0),
            Self::Orphans(knowledge_base) => (knowledge_base.0, knowledge_base.0),
        }
    }

    /// `going(id)`: the documents, and what is attached to them, at any depth.
    fn with(self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(format!(
            "WITH RECURSIVE going(id) AS (
                 SELECT id FROM documents WHERE deleted = 0 AND {}
                 UNION SELECT d.id FROM documents d JOIN going g ON d.parent = g.id WHERE d.deleted = 0)
             {statement}",
            self.condition()
        ))
    }

    async fn count(self, transaction: &mut Transaction<'static, Sqlite>) -> Result<u64> {
        let (first, second) = self.ids();
        let count: i64 = sqlx::query_scalar(self.with("SELECT COUNT(*) FROM going"))
            .bind(first)
            .bind(second)
            .fetch_one(&mut **transaction)
            .await
            .map_err(Error::ledger("count what would be deleted"))?;
        rows::unsigned("document count", count)
    }

    async fn remove(self, transaction: &mut Transaction<'static, Sqlite>) -> Result<u64> {
        const ACTION: &str = "delete documents";
        let (first, second) = self.ids();
        let retire = "UPDATE versions SET state = 'retired' WHERE document IN (SELECT id FROM going)";
        sqlx::query(self.with(retire))
            .bind(first)
            .bind(second)
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        let delete = "UPDATE documents SET deleted = 1, current_version = NULL, chunk_count = 0,
                          fingerprint = NULL, change_tag = NULL
                      WHERE id IN (SELECT id FROM going)";
        let removed = sqlx::query(self.with(delete))
            .bind(first)
            .bind(second)
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        Ok(removed.rows_affected())
    }
}

/// How a job deletes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletion {
    pub(crate) source: SourceId,
    pub(crate) job: JobId,
    /// Whether the source named what changed, and not everything.
    pub(crate) is_delta: bool,
    /// `None` where the job may delete whatever it has to.
    pub(crate) guard: Option<DeletionGuard>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// So many documents, all at once.
    Documents(u64),
    /// Nothing: there were too many.
    TooMany { would_delete: u64, of: u64 },
}

impl Ledger {
    /// Takes away the documents of a source that are gone, and the versions of those that were skipped, all at once, and
    /// counts the documents for the job in the same transaction. From then on the ledger has what the source had where its listing ended (`reached`), and that is
    /// where the next one begins; with everything, where the source didn't say. Where there are too many, neither
    /// happens.
    pub(crate) async fn delete_gone(
        &self,
        deletion: Deletion,
        reached: Option<&ListCursor>,
    ) -> Result<Deleted> {
        let Deletion { source, job, .. } = deletion;
        let gone = match deletion.is_delta {
            true => Going::Gone(source, job),
            false => Going::Unseen(source, job),
        };
        let going = [gone, Going::LeftBehind(source, job)];
        let mut transaction = self.begin().await?;
        if let Some(guard) = deletion.guard {
            let mut would_delete = withdrawal::count_skipped(&mut transaction, source, job).await?;
            for going in going {
                would_delete += going.count(&mut transaction).await?;
            }
            let of = known_before(&mut transaction, source, job).await?;
            if !guard.permits(would_delete, of) {
                return Ok(Deleted::TooMany { would_delete, of });
            }
        }
        let mut removed = 0;
        for going in going {
            removed += going.remove(&mut transaction).await?;
        }
        withdrawal::withdraw_skipped(&mut transaction, source, job).await?;
        count_for_job(&mut transaction, Some(job), removed).await?;
        failpoint("cursor.before")?;
        ListCursor::write(reached, &mut transaction, source).await?;
        failpoint("cursor.after")?;
        commit(transaction, "delete vanished documents").await?;
        Ok(Deleted::Documents(removed))
    }

    /// Takes a document away: nobody sees it from now on. Gives the original of a push that waited.
    pub(crate) async fn remove_document(
        &self,
        knowledge_base: KnowledgeBaseId,
        document: DocumentId,
    ) -> Result<Option<ContentHash>> {
        const ACTION: &str = "delete a document";
        let mut transaction = self.begin().await?;
        let removed = Going::One(document, knowledge_base)
            .remove(&mut transaction)
            .await?;
        if removed == 0 {
            return Err(Error::NoDocument { document });
        }
        let original: Option<Vec<u8>> =
            sqlx::query_scalar("DELETE FROM pending_pushes WHERE document = $1 RETURNING original")
                .bind(document.0)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        original.as_deref().map(rows::hash).transpose()
    }

    /// Takes away attachments whose document is gone. A document that is deleted while its attachments are on their
    /// way leaves such.
    pub(crate) async fn remove_orphans(&self, knowledge_base: KnowledgeBaseId) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let removed = Going::Orphans(knowledge_base).remove(&mut transaction).await?;
        commit(transaction, "delete attachments without a document").await?;
        Ok(removed)
    }

    /// Takes away what was attached to a document and isn't any more, for a document that gets no version. Gives
    /// how many documents.
    pub(crate) async fn keep_attachments(
        &self,
        document: &DocumentRef,
        attachments: &[DocumentId],
        job: Option<JobId>,
    ) -> Result<u64> {
        let mut transaction = self.begin().await?;
        // What overtook it has attachments of its own.
        if !document.is_wanted(&mut transaction).await? {
            return Ok(0);
        }
        let removed = remove_detached(&mut transaction, document.id, attachments, job).await?;
        commit(transaction, "delete what was attached").await?;
        Ok(removed)
    }
}

/// Takes away what is attached to a document in the ledger and isn't among `attachments`. Gives how many.
pub(super) async fn remove_detached(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    attachments: &[DocumentId],
    job: Option<JobId>,
) -> Result<u64> {
    let known: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM documents WHERE parent = $1 AND deleted = 0")
        .bind(document.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::ledger("look up what is attached"))?;
    let mut removed = 0;
    for id in known.into_iter().map(DocumentId) {
        if !attachments.contains(&id) {
            removed += Going::Attachment(id, document).remove(transaction).await?;
        }
    }
    count_for_job(transaction, job, removed).await?;
    Ok(removed)
}

/// How many documents the source had before the job.
async fn known_before(
    transaction: &mut Transaction<'static, Sqlite>,
    source: SourceId,
    job: JobId,
) -> Result<u64> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM documents WHERE source = $1 AND deleted = 0
         AND (outcome_job IS NULL OR outcome_job <> $2 OR outcome <> 'new')",
    )
    .bind(source.0)
    .bind(job.0)
    .fetch_one(&mut **transaction)
    .await
    .map_err(Error::ledger("count the documents of a source"))?;
    rows::unsigned("document count", count)
}

/// A job that is interrupted after a deletion still counts it.
async fn count_for_job(
    transaction: &mut Transaction<'static, Sqlite>,
    job: Option<JobId>,
    removed: u64,
) -> Result<()> {
    let (Some(job), 1..) = (job, removed) else {
        return Ok(());
    };
    sqlx::query("UPDATE jobs SET deleted = deleted + $2 WHERE id = $1")
        .bind(job.0)
        .bind(rows::signed(removed))
        .execute(&mut **transaction)
        .await
        .map_err(Error::ledger("count deleted documents"))?;
    Ok(())
}
