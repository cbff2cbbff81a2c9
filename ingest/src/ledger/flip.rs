//! The flip: one transaction that makes staged versions the visible ones, and the versions before them
//! retired. A reader sees the old version before it and the new one after it, each whole.

use lectern_domain::{ContentHash, Version};
use sqlx::{Sqlite, Transaction};

use super::removal::remove_detached;
use super::versions::NewVersion;
use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};
use crate::outcome::Outcome;

const ACTION: &str = "publish a version";

/// A staged version whose chunks are in both indexes, durably.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlipRequest<'a> {
    pub(crate) new: &'a NewVersion,
    pub(crate) version: Version,
}

/// What the flip did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlipOutcome {
    /// The document had no visible version before the job.
    New,
    /// It had one. What it had before the flip is retired now.
    Modified,
    /// A later push or a deletion came first; the staged version is retired.
    Superseded,
}

/// What a batch of flips did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flipped {
    /// In the order of the requests.
    pub(crate) outcomes: Vec<FlipOutcome>,
    /// Documents that were attached to the versions before and aren't any more.
    pub(crate) detached: u64,
    /// Originals of the versions before; perhaps other documents have them too.
    pub(crate) replaced_originals: Vec<ContentHash>,
}

impl Ledger {
    /// Flips the versions in one transaction.
    pub(crate) async fn flip(&self, requests: &[FlipRequest<'_>]) -> Result<Flipped> {
        let mut transaction = self.begin().await?;
        let mut flipped = Flipped::default();
        for request in requests {
            let original = original(&mut transaction, *request).await?;
            flipped.replaced_originals.extend(original);
            let outcome = flip_one(&mut transaction, *request).await?;
            flipped.outcomes.push(outcome);
            if outcome != FlipOutcome::Superseded {
                let new = request.new;
                flipped.detached +=
                    remove_detached(&mut transaction, new.document.id, &new.attachments, new.job).await?;
            }
        }
        commit(transaction, ACTION).await?;
        self.published.notify_one();
        Ok(flipped)
    }
}

async fn original(
    transaction: &mut Transaction<'static, Sqlite>,
    request: FlipRequest<'_>,
) -> Result<Option<ContentHash>> {
    let found: Option<Option<Vec<u8>>> = sqlx::query_scalar("SELECT original FROM documents WHERE id = $1")
        .bind(request.new.document.id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
    found.flatten().as_deref().map(rows::hash).transpose()
}

async fn flip_one(
    transaction: &mut Transaction<'static, Sqlite>,
    request: FlipRequest<'_>,
) -> Result<FlipOutcome> {
    let document = &request.new.document;
    let number = rows::signed(request.version.0);
    if !document.end_push(transaction).await? {
        sqlx::query("UPDATE versions SET state = 'retired' WHERE document = $1 AND version = $2")
            .bind(document.id.0)
            .bind(number)
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        return Ok(FlipOutcome::Superseded);
    }
    let retired = sqlx::query(
        "UPDATE versions SET state = 'retired' WHERE document = $1 AND state = 'current' AND EXISTS
             (SELECT 1 FROM versions WHERE document = $1 AND version = $2 AND state = 'staged')",
    )
    .bind(document.id.0)
    .bind(number)
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    let flipped = sqlx::query(
        "UPDATE versions SET state = 'current'
         WHERE document = $1 AND version = $2 AND state = 'staged'",
    )
    .bind(document.id.0)
    .bind(number)
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    if flipped.rows_affected() == 0 {
        return Ok(FlipOutcome::Superseded);
    }
    let now = match retired.rows_affected() {
        0 => Outcome::New,
        _ => Outcome::Modified,
    };
    let outcome = now.after(request.new.before);
    describe(transaction, request, outcome).await?;
    Ok(match outcome {
        Outcome::New => FlipOutcome::New,
        _ => FlipOutcome::Modified,
    })
}

/// Gives the document the description of its new version. The new chunks were written with the new access
/// list, so the indexes owe nothing.
async fn describe(
    transaction: &mut Transaction<'static, Sqlite>,
    request: FlipRequest<'_>,
    outcome: Outcome,
) -> Result<()> {
    let new = request.new;
    sqlx::query(
        "UPDATE documents
         SET uri = $2, title = $3, media_type = $4, size_bytes = $5, status = 'indexed', reason = NULL,
             acl = $6, access_revision = access_revision + 1, access_indexed = access_revision + 1,
             file_attributes = $7, source_attributes = $8, modified_at = $9, indexed_at = $10,
             fingerprint = $11, current_version = $12, chunk_count = $13, original = $14, deleted = 0,
             recipe = $15, change_tag = $16, attachments_open = $17, attempted_at = $10,
             attempts = CASE WHEN status IN ('failed', 'skipped') THEN attempts + 1 ELSE 1 END,
             outcome_job = COALESCE($18, outcome_job), outcome = $19
         WHERE id = $1",
    )
    .bind(new.document.id.0)
    .bind(&new.metadata.uri)
    .bind(&new.title)
    .bind(&new.media_type)
    .bind(rows::signed(new.size_bytes))
    .bind(rows::to_json("access list", new.acl())?)
    .bind(rows::to_json("file attributes", &new.file_attributes)?)
    .bind(rows::to_json("source attributes", &new.metadata.attributes)?)
    .bind(new.metadata.modified_at.map(|time| time.timestamp_millis()))
    .bind(now().timestamp_millis())
    .bind(new.fingerprint.0.to_vec())
    .bind(rows::signed(request.version.0))
    .bind(rows::signed(new.chunks.len()))
    .bind(new.document.push.as_ref().map(|push| push.original.0.to_vec()))
    .bind(new.recipe.0.to_vec())
    .bind(new.change_tag.map(|tag| tag.0.to_vec()))
    .bind(i64::from(!new.attachments.is_empty()))
    .bind(new.job.map(|job| job.0))
    .bind(outcome.as_str())
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    Ok(())
}
