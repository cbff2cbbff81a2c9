//! Taking the visible version away from a document that stays known: its source has something else there now, which is no
//! document, or its rules took it out.
//!
//! What a job skips goes at its end, with the documents that are gone, and counts with them where a job asks before it
//! deletes: a slip in the settings can make everything too large. What the rules take out, and what is pushed, goes at once.

use lectern_domain::{ContentHash, DocumentId, JobId, SourceId};
use sqlx::{Sqlite, Transaction};
use uuid::Uuid;

use super::rows;
use super::versions::{DocumentRef, file_name};
use crate::error::{Error, Result};

const ACTION: &str = "take a version away";

/// The documents of the source `$1` that the job `$2` skipped, and of which a version can be seen. What lies in an archive is
/// what it was.
pub(super) const SKIPPED: &str = "source = $1 AND outcome_job = $2 AND outcome = 'skipped' AND deleted = 0
    AND current_version IS NOT NULL AND reason NOT LIKE 'archived:%'";

/// What becomes at once of the visible version of a document that was skipped or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withdrawal {
    /// It stays for now.
    No,
    /// It goes.
    Version,
    /// It goes with what is attached to it.
    Whole,
}

/// How many versions a job takes away for what it skipped.
pub(super) async fn count_skipped(
    transaction: &mut Transaction<'static, Sqlite>,
    source: SourceId,
    job: JobId,
) -> Result<u64> {
    let count = format!("SELECT COUNT(*) FROM documents WHERE {SKIPPED}");
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .bind(source.0)
        .bind(job.0)
        .fetch_one(&mut **transaction)
        .await
        .map_err(Error::ledger("count what was skipped"))?;
    rows::unsigned("document count", count)
}

/// Takes away the visible versions of what a job skipped.
pub(super) async fn withdraw_skipped(
    transaction: &mut Transaction<'static, Sqlite>,
    source: SourceId,
    job: JobId,
) -> Result<()> {
    let skipped = format!("SELECT id, document_key FROM documents WHERE {SKIPPED}");
    let skipped: Vec<(Uuid, String)> = sqlx::query_as(sqlx::AssertSqlSafe(skipped))
        .bind(source.0)
        .bind(job.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::ledger("look up what was skipped"))?;
    for (id, key) in skipped {
        take_away(transaction, DocumentId(id), file_name(&key), None).await?;
    }
    Ok(())
}

/// Takes the visible version of a document away, and what is known of it. Its chunks leave the indexes with the end of the
/// run. Gives the original that it was made from, where a push had one.
pub(super) async fn withdraw(
    transaction: &mut Transaction<'static, Sqlite>,
    document: &DocumentRef,
) -> Result<Option<ContentHash>> {
    let before: Option<Option<Vec<u8>>> = sqlx::query_scalar("SELECT original FROM documents WHERE id = $1")
        .bind(document.id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
    let original = document.push.as_ref().map(|push| push.original);
    take_away(transaction, document.id, document.file_name(), original).await?;
    before.flatten().as_deref().map(rows::hash).transpose()
}

async fn take_away(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    title: &str,
    original: Option<ContentHash>,
) -> Result<()> {
    sqlx::query("UPDATE versions SET state = 'retired' WHERE document = $1 AND state = 'current'")
        .bind(document.0)
        .execute(&mut **transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
    sqlx::query(
        "UPDATE documents SET current_version = NULL, chunk_count = 0, indexed_at = NULL, fingerprint = NULL,
                              title = $2, file_attributes = '{}', source_attributes = '{}', original = $3,
                              attachments_open = 0
         WHERE id = $1",
    )
    .bind(document.0)
    .bind(title)
    .bind(original.map(|original| original.0.to_vec()))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}
