//! Jobs: what was synced, is synced and waits to be synced, with counts that add up.
//!
//! A job is asked for (`queued`), begun (`running`) and ended (`complete`, `failed` or `stopped`, the last two with
//! a reason). One that a crash interrupted is queued again, with the same id, and goes on: see [`super::job_steps`].

use chrono::{DateTime, Utc};
use lectern_domain::{JobCounts, JobId, JobState, KnowledgeBaseId, SourceId};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Ledger, rows};
use crate::error::{Error, Result};

/// How many jobs of the history are listed at most, newest first.
const LISTED: usize = 1_000;

/// One sync of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Sorts by when it was asked for.
    pub id: JobId,
    /// What is written to.
    pub knowledge_base: KnowledgeBaseId,
    /// What is synced.
    pub source: SourceId,
    /// Where it stands.
    pub state: JobState,
    /// Why it stands so: a stable code, a colon, a sentence. `None` while it waits for the first time, while
    /// it runs, and when it is complete.
    pub reason: Option<String>,
    /// What it did, over all attempts; final once it has ended.
    pub counts: JobCounts,
    /// Whether it may delete more than its source's guard allows.
    pub allow_deletes: bool,
    /// How often it was begun: more than once where it was interrupted.
    pub attempts: u32,
    /// What happened to it besides its beginning and its end, oldest first; the last 50.
    pub history: Vec<JobEvent>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// A sentence.
    pub what: String,
}

impl Job {
    /// Whether nothing will change about it any more.
    pub fn has_ended(&self) -> bool {
        !matches!(self.state, JobState::Queued | JobState::Running)
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    knowledge_base: Uuid,
    source: Uuid,
    state: String,
    reason: Option<String>,
    allow_deletes: i64,
    pub(super) stop_requested: i64,
    attempts: i64,
    pub(super) idle_attempts: i64,
    pub(super) done_before: i64,
    history: String,
    requested_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    scanned: i64,
    new: i64,
    modified: i64,
    unchanged: i64,
    metadata_only: i64,
    deleted: i64,
    skipped: i64,
    failed: i64,
}

impl TryFrom<Row> for Job {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let count = |value| rows::unsigned("job count", value);
        Ok(Self {
            id: JobId(row.id),
            knowledge_base: KnowledgeBaseId(row.knowledge_base),
            source: SourceId(row.source),
            state: rows::from_name("job state", &row.state)?,
            reason: row.reason,
            counts: JobCounts {
                scanned: count(row.scanned)?,
                new: count(row.new)?,
                modified: count(row.modified)?,
                unchanged: count(row.unchanged)?,
                metadata_only: count(row.metadata_only)?,
                deleted: count(row.deleted)?,
                skipped: count(row.skipped)?,
                failed: count(row.failed)?,
            },
            allow_deletes: row.allow_deletes != 0,
            attempts: rows::small("attempts", row.attempts)?,
            history: rows::from_json("job history", &row.history)?,
            requested_at: rows::time(row.requested_at)?,
            started_at: row.started_at.map(rows::time).transpose()?,
            ended_at: row.ended_at.map(rows::time).transpose()?,
        })
    }
}

impl Ledger {
    /// The jobs of a knowledge base, newest first, 1,000 at most.
    pub async fn jobs(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<Job>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT * FROM jobs WHERE knowledge_base = $1 ORDER BY id DESC LIMIT $2")
                .bind(knowledge_base.0)
                .bind(rows::signed(LISTED))
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("list the jobs"))?;
        rows.into_iter().map(Job::try_from).collect()
    }

    /// The jobs of a source, newest first, `limit` or 1,000 at most.
    pub async fn jobs_of_source(&self, source: SourceId, limit: usize) -> Result<Vec<Job>> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM jobs WHERE source = $1 ORDER BY id DESC LIMIT $2")
            .bind(source.0)
            .bind(rows::signed(limit.min(LISTED)))
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list the jobs of a source"))?;
        rows.into_iter().map(Job::try_from).collect()
    }

    /// The jobs that wait, in the order in which they were asked for. A source has one of them at most.
    pub async fn queued_jobs(&self) -> Result<Vec<Job>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT j.* FROM jobs j
             JOIN sources s ON s.id = j.source JOIN knowledge_bases k ON k.id = j.knowledge_base
             WHERE j.state = 'queued' AND s.deleted_at IS NULL AND k.deleted_at IS NULL ORDER BY j.id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list the jobs that wait"))?;
        rows.into_iter().map(Job::try_from).collect()
    }

    /// One job.
    pub async fn job(&self, job: JobId) -> Result<Job> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM jobs WHERE id = $1")
            .bind(job.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("find a job"))?;
        row.ok_or(Error::NoJob { job })?.try_into()
    }
}
