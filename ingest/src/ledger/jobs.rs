//! Jobs: the history of what was synced, with counts that add up.

use chrono::{DateTime, Utc};
use lectern_domain::{JobCounts, JobId, JobState, KnowledgeBaseId, SourceId};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

/// How many jobs of the history are listed at most, newest first.
const LISTED: i64 = 1_000;

/// One run of a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Sorts by the start.
    pub id: JobId,
    /// What was written to.
    pub knowledge_base: KnowledgeBaseId,
    /// What was synced.
    pub source: SourceId,
    /// Where it stands.
    pub state: JobState,
    /// Why it ended so: a stable code, a colon, a sentence. `None` while it runs and when it is complete.
    pub reason: Option<String>,
    /// What it did; final once it has ended.
    pub counts: JobCounts,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    knowledge_base: Uuid,
    source: Uuid,
    state: String,
    reason: Option<String>,
    started_at: i64,
    ended_at: Option<i64>,
    scanned: i64,
    new: i64,
    modified: i64,
    unchanged: i64,
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
                deleted: count(row.deleted)?,
                skipped: count(row.skipped)?,
                failed: count(row.failed)?,
            },
            started_at: rows::time(row.started_at)?,
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
                .bind(LISTED)
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("list the jobs"))?;
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

    /// Notes that a job has begun.
    pub(crate) async fn begin_job(&self, knowledge_base: KnowledgeBaseId, source: SourceId) -> Result<Job> {
        let job = Job {
            id: JobId::generate(),
            knowledge_base,
            source,
            state: JobState::Running,
            reason: None,
            counts: JobCounts::default(),
            started_at: now(),
            ended_at: None,
        };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO jobs (id, knowledge_base, source, state, started_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(job.id.0)
        .bind(knowledge_base.0)
        .bind(source.0)
        .bind(job.state.as_str())
        .bind(job.started_at.timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("begin a job"))?;
        commit(transaction, "begin a job").await?;
        Ok(job)
    }

    /// Writes down how a job ended.
    pub(crate) async fn end_job(&self, job: &Job) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE jobs SET state = $2, reason = $3, ended_at = $4, scanned = $5, new = $6, modified = $7,
                             unchanged = $8, deleted = $9, skipped = $10, failed = $11
             WHERE id = $1",
        )
        .bind(job.id.0)
        .bind(job.state.as_str())
        .bind(job.reason.as_deref())
        .bind(job.ended_at.map(|time| time.timestamp_millis()))
        .bind(rows::signed(job.counts.scanned))
        .bind(rows::signed(job.counts.new))
        .bind(rows::signed(job.counts.modified))
        .bind(rows::signed(job.counts.unchanged))
        .bind(rows::signed(job.counts.deleted))
        .bind(rows::signed(job.counts.skipped))
        .bind(rows::signed(job.counts.failed))
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("end a job"))?;
        commit(transaction, "end a job").await
    }

    /// Ends the jobs that a lost process left running. Gives how many there were.
    pub(crate) async fn fail_interrupted_jobs(&self, knowledge_base: KnowledgeBaseId) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE jobs SET state = $2, reason = $3, ended_at = $4
             WHERE knowledge_base = $1 AND state IN ('queued', 'running')",
        )
        .bind(knowledge_base.0)
        .bind(JobState::Failed.as_str())
        .bind("interrupted: the process or the caller went away before the job had ended")
        .bind(now().timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("end interrupted jobs"))?;
        commit(transaction, "end interrupted jobs").await?;
        Ok(done.rows_affected())
    }
}
