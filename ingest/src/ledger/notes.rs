//! Small facts about documents that a job learns by the thousand: seen and unchanged, skipped, failed. They
//! are written many to a transaction, because each transaction waits for the disk.

use lectern_domain::{Acl, ContentHash, DocumentId, DocumentStatus, JobId};
use sqlx::{Sqlite, Transaction};

use super::documents::SourceMetadata;
use super::removal::remove_detached;
use super::versions::DocumentRef;
use super::withdrawal::{self, Withdrawal};
use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};
use crate::outcome::Outcome;

const ACTION: &str = "note what became of documents";

/// What became of a document that gets no new version.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// Its content is that of the visible version.
    Unchanged {
        document: DocumentRef,
        job: Option<JobId>,
        /// Where it differs from what the ledger has.
        metadata: Option<SourceMetadata>,
        /// What its source says of it now.
        change_tag: Option<ContentHash>,
        outcome: Outcome,
    },
    /// Its source said that it is gone. It is deleted with the end of the job.
    Gone { document: DocumentRef, job: JobId },
    /// It was skipped or failed. A version that can be seen stays for now, unless it is withdrawn.
    Problem {
        document: DocumentRef,
        job: Option<JobId>,
        uri: String,
        size_bytes: u64,
        status: DocumentStatus,
        /// A code, a colon, a sentence.
        reason: String,
        /// Who may read it, if it is new.
        acl: Acl,
        /// What its source says of it now, where the same again would come to the same.
        change_tag: Option<ContentHash>,
        /// Whether a version that can be seen goes at once.
        withdraw: Withdrawal,
    },
    /// It stays skipped: nothing about it changed.
    StillSkipped {
        document: DocumentRef,
        job: Option<JobId>,
    },
}

impl Note {
    pub(crate) fn document(&self) -> &DocumentRef {
        match self {
            Self::Unchanged { document, .. }
            | Self::Gone { document, .. }
            | Self::StillSkipped { document, .. }
            | Self::Problem { document, .. } => document,
        }
    }
}

impl Ledger {
    /// Writes the notes in one transaction. The note of a push that was overtaken by another one, or by a
    /// deletion, is left out. Gives the originals that were replaced.
    pub(crate) async fn write_notes(&self, notes: &[Note]) -> Result<Vec<ContentHash>> {
        let mut replaced = Vec::new();
        if notes.is_empty() {
            return Ok(replaced);
        }
        let mut transaction = self.begin().await?;
        for note in notes {
            if !note.document().end_push(&mut transaction).await? {
                continue;
            }
            match note {
                Note::Unchanged { .. } => unchanged(&mut transaction, note).await?,
                Note::Gone { document, job } => gone(&mut transaction, document.id, *job).await?,
                Note::StillSkipped { document, job } => {
                    still_skipped(&mut transaction, document.id, *job).await?;
                }
                Note::Problem {
                    document, withdraw, ..
                } => {
                    problem(&mut transaction, note).await?;
                    if *withdraw != Withdrawal::No {
                        replaced.extend(withdrawal::withdraw(&mut transaction, document).await?);
                    }
                    if *withdraw == Withdrawal::Whole {
                        remove_detached(&mut transaction, document.id, &[], None).await?;
                    }
                }
            }
        }
        commit(transaction, ACTION).await?;
        Ok(replaced)
    }
}

async fn gone(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    job: JobId,
) -> Result<()> {
    sqlx::query("UPDATE documents SET gone_job = $2, seen_job = NULL WHERE id = $1")
        .bind(document.0)
        .bind(job.0)
        .execute(&mut **transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
    Ok(())
}

async fn still_skipped(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    job: Option<JobId>,
) -> Result<()> {
    sqlx::query(
        "UPDATE documents SET seen_job = COALESCE($2, seen_job), gone_job = NULL,
                              outcome_job = COALESCE($2, outcome_job), outcome = 'skipped'
         WHERE id = $1",
    )
    .bind(document.0)
    .bind(job.map(|job| job.0))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}

async fn unchanged(transaction: &mut Transaction<'static, Sqlite>, note: &Note) -> Result<()> {
    let Note::Unchanged {
        document,
        job,
        metadata,
        change_tag,
        outcome,
    } = note
    else {
        return Ok(());
    };
    sqlx::query(
        "UPDATE documents SET seen_job = COALESCE($2, seen_job), gone_job = NULL, status = 'indexed', reason = NULL,
                              outcome_job = COALESCE($2, outcome_job), outcome = $3, change_tag = $4
         WHERE id = $1",
    )
    .bind(document.id.0)
    .bind(job.map(|job| job.0))
    .bind(outcome.as_str())
    .bind(change_tag.map(|tag| tag.0.to_vec()))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    let Some(metadata) = metadata else {
        return Ok(());
    };
    sqlx::query(
        "UPDATE documents
         SET uri = $2, source_attributes = $3, modified_at = $4, acl = $5,
             access_revision = access_revision + CASE WHEN acl = $5 AND uri = $2 AND source_attributes = $3
                                                           AND modified_at IS $4 THEN 0 ELSE 1 END
         WHERE id = $1",
    )
    .bind(document.id.0)
    .bind(&metadata.uri)
    .bind(rows::to_json("source attributes", &metadata.attributes)?)
    .bind(metadata.modified_at.map(|time| time.timestamp_millis()))
    .bind(rows::to_json("access list", &metadata.acl)?)
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}

async fn problem(transaction: &mut Transaction<'static, Sqlite>, note: &Note) -> Result<()> {
    let Note::Problem {
        document,
        job,
        uri,
        size_bytes,
        status,
        reason,
        acl,
        change_tag,
        ..
    } = note
    else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO documents (id, knowledge_base, source, document_key, uri, title, media_type, size_bytes,
                                status, reason, acl, seen_job, original, parent, outcome_job, outcome,
                                attempts, attempted_at, change_tag)
         VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, $10, $11, $12, $13, $11, $8, 1, $14, $15)
         ON CONFLICT (id) DO UPDATE
         SET status = excluded.status, reason = excluded.reason, deleted = 0,
             seen_job = COALESCE(excluded.seen_job, seen_job), gone_job = NULL,
             change_tag = excluded.change_tag,
             outcome_job = COALESCE(excluded.outcome_job, outcome_job), outcome = excluded.outcome,
             attempts = CASE WHEN status IN ('failed', 'skipped') THEN attempts + 1 ELSE 1 END,
             attempted_at = excluded.attempted_at,
             acl = CASE WHEN current_version IS NULL THEN excluded.acl ELSE acl END,
             original = CASE WHEN current_version IS NULL THEN excluded.original ELSE original END",
    )
    .bind(document.id.0)
    .bind(document.knowledge_base.0)
    .bind(document.source.0)
    .bind(&document.key)
    .bind(uri)
    .bind(document.file_name())
    .bind(rows::signed(*size_bytes))
    .bind(status.as_str())
    .bind(reason)
    .bind(rows::to_json("access list", acl)?)
    .bind(job.map(|job| job.0))
    .bind(document.push.as_ref().map(|push| push.original.0.to_vec()))
    .bind(document.parent.map(|parent| parent.0))
    .bind(now().timestamp_millis())
    .bind(change_tag.map(|tag| tag.0.to_vec()))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}
