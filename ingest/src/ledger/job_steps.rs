//! The steps of a job: asked for, begun, interrupted and queued again, asked to stop, ended.
//!
//! Each step is one transaction. What a job has done with a document is written with the document
//! (`documents.outcome`), so a job that is begun again counts it as it was, and the counts are those of the
//! whole job.

use lectern_domain::{JobId, JobState, KnowledgeBaseId, SourceId};
use sqlx::{Sqlite, Transaction};

use super::jobs::{Job, JobEvent, Row};
use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

/// How many jobs of a source are kept, newest first.
const KEPT_JOBS: usize = 1_000;

/// How many events a job remembers.
const HISTORY: usize = 50;

/// A job that is interrupted so often in a row without a document done is not begun again: whatever ends the
/// process would end it for ever.
const IDLE_ATTEMPTS: i64 = 20;

impl Ledger {
    /// Queues a job of a source, or gives the one that waits already. `allow_deletes` is added to one that waits.
    pub(crate) async fn request_job(
        &self,
        knowledge_base: KnowledgeBaseId,
        source: SourceId,
        allow_deletes: bool,
    ) -> Result<Job> {
        const ACTION: &str = "queue a job";
        let mut transaction = self.begin().await?;
        let mut job = match waiting(&mut transaction, source).await? {
            Some(job) => job,
            None => insert(&mut transaction, knowledge_base, source).await?,
        };
        if allow_deletes && !job.allow_deletes {
            job.allow_deletes = true;
            sqlx::query("UPDATE jobs SET allow_deletes = 1 WHERE id = $1")
                .bind(job.id.0)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await?;
        Ok(job)
    }

    /// Begins the job of a source that waits, or a new one. What an earlier attempt saw has to be seen again.
    pub(crate) async fn begin_job(&self, knowledge_base: KnowledgeBaseId, source: SourceId) -> Result<Job> {
        const ACTION: &str = "begin a job";
        let mut transaction = self.begin().await?;
        let mut job = match waiting(&mut transaction, source).await? {
            Some(job) => job,
            None => insert(&mut transaction, knowledge_base, source).await?,
        };
        job.state = JobState::Running;
        job.reason = None;
        job.attempts += 1;
        job.started_at.get_or_insert_with(now);
        if job.attempts > 1 {
            let again = format!("begun again, attempt {}", job.attempts);
            note(&mut job, again);
            sqlx::query(
                "UPDATE documents SET seen_job = NULL, gone_job = NULL
                 WHERE source = $1 AND (seen_job = $2 OR gone_job = $2)",
            )
            .bind(source.0)
            .bind(job.id.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        }
        sqlx::query(
            "UPDATE jobs SET state = $2, reason = NULL, attempts = $3, started_at = $4, history = $5,
                 done_before = (SELECT COUNT(*) FROM documents WHERE source = $6 AND outcome_job = $1)
             WHERE id = $1",
        )
        .bind(job.id.0)
        .bind(job.state.as_str())
        .bind(i64::from(job.attempts))
        .bind(job.started_at.map(|time| time.timestamp_millis()))
        .bind(rows::to_json("job history", &job.history)?)
        .bind(source.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        Ok(job)
    }

    /// Whether somebody asked the job to stop.
    pub(crate) async fn was_asked_to_stop(&self, job: JobId) -> Result<bool> {
        let asked: Option<i64> = sqlx::query_scalar("SELECT stop_requested FROM jobs WHERE id = $1")
            .bind(job.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("look up a job"))?;
        Ok(asked == Some(1))
    }

    /// Writes down how a job ended. Gives the job as it is written.
    pub(crate) async fn end_job(&self, job: &Job) -> Result<Job> {
        const ACTION: &str = "end a job";
        let mut transaction = self.begin().await?;
        let ended = update(&mut transaction, job).await?;
        commit(transaction, ACTION).await?;
        Ok(ended)
    }

    /// Queues the jobs again that are said to run and don't, and ends those that were asked to stop, or
    /// that get nowhere. Gives how many there were.
    pub(crate) async fn requeue_interrupted_jobs(&self, knowledge_base: KnowledgeBaseId) -> Result<u64> {
        const ACTION: &str = "queue interrupted jobs again";
        let mut transaction = self.begin().await?;
        let running: Vec<Row> =
            sqlx::query_as("SELECT * FROM jobs WHERE knowledge_base = $1 AND state = 'running'")
                .bind(knowledge_base.0)
                .fetch_all(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        let mut interrupted = 0;
        for row in running {
            let (was_asked, idle, done_before) =
                (row.stop_requested != 0, row.idle_attempts, row.done_before);
            let mut job = Job::try_from(row)?;
            if self.active.contains(job.id) {
                continue;
            }
            interrupted += 1;
            let done: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM documents WHERE source = $1 AND outcome_job = $2")
                    .bind(job.source.0)
                    .bind(job.id.0)
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(Error::ledger(ACTION))?;
            let idle = if done > done_before { 0 } else { idle + 1 };
            interrupt(&mut job, was_asked, idle);
            sqlx::query("UPDATE jobs SET idle_attempts = $2, history = $3 WHERE id = $1")
                .bind(job.id.0)
                .bind(idle)
                .bind(rows::to_json("job history", &job.history)?)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
            update(&mut transaction, &job).await?;
        }
        commit(transaction, ACTION).await?;
        Ok(interrupted)
    }

    /// Asks a job to stop, so that a crash doesn't forget it: one that waits has ended when this returns, one
    /// that runs ends after what is at hand ([`crate::Ingestion::stop`] tells it). One that has ended stays as
    /// it is.
    pub async fn request_stop(&self, job: JobId) -> Result<Job> {
        const ACTION: &str = "ask a job to stop";
        let mut transaction = self.begin().await?;
        let row: Option<Row> = sqlx::query_as("SELECT * FROM jobs WHERE id = $1")
            .bind(job.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        let mut job = Job::try_from(row.ok_or(Error::NoJob { job })?)?;
        if job.has_ended() {
            return Ok(job);
        }
        if job.state == JobState::Queued {
            job.state = JobState::Stopped;
            job.reason = Some("stopped: by request, while it waited".to_owned());
            job.ended_at = Some(now());
        } else {
            note(&mut job, "asked to stop".to_owned());
        }
        sqlx::query("UPDATE jobs SET stop_requested = 1, history = $2 WHERE id = $1")
            .bind(job.id.0)
            .bind(rows::to_json("job history", &job.history)?)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        update(&mut transaction, &job).await?;
        commit(transaction, ACTION).await?;
        Ok(job)
    }
}

fn note(job: &mut Job, what: String) {
    job.history.push(JobEvent { at: now(), what });
    let surplus = job.history.len().saturating_sub(HISTORY);
    job.history.drain(..surplus);
}

/// Where a job stands that was interrupted.
fn interrupt(job: &mut Job, was_asked_to_stop: bool, idle_attempts: i64) {
    if was_asked_to_stop {
        job.state = JobState::Stopped;
        job.reason = Some("stopped: by request; the process ended before the job did".to_owned());
        job.ended_at = Some(now());
    } else if idle_attempts >= IDLE_ATTEMPTS {
        job.state = JobState::Failed;
        job.reason = Some(format!(
            "interrupted: the process ended {idle_attempts} times in a row before the job had done a document"
        ));
        job.ended_at = Some(now());
    } else {
        job.state = JobState::Queued;
        let reason = format!(
            "interrupted: the process or the caller went away during attempt {}; the job goes on when it is begun again",
            job.attempts
        );
        note(job, reason.clone());
        job.reason = Some(reason);
    }
}

async fn waiting(transaction: &mut Transaction<'static, Sqlite>, source: SourceId) -> Result<Option<Job>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM jobs WHERE source = $1 AND state = 'queued' ORDER BY id LIMIT 1")
            .bind(source.0)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(Error::ledger("look for a job that waits"))?;
    row.map(Job::try_from).transpose()
}

async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    knowledge_base: KnowledgeBaseId,
    source: SourceId,
) -> Result<Job> {
    sqlx::query(
        "DELETE FROM jobs WHERE source = $1 AND ended_at IS NOT NULL AND id <=
             (SELECT id FROM jobs WHERE source = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(source.0)
    .bind(rows::signed(KEPT_JOBS - 1))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger("forget old jobs"))?;
    let row: Row = sqlx::query_as(
        "INSERT INTO jobs (id, knowledge_base, source, state, requested_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING *",
    )
    .bind(JobId::generate().0)
    .bind(knowledge_base.0)
    .bind(source.0)
    .bind(JobState::Queued.as_str())
    .bind(now().timestamp_millis())
    .fetch_one(&mut **transaction)
    .await
    .map_err(Error::ledger("queue a job"))?;
    row.try_into()
}

/// Writes where a job stands, and gives it as it is written: what it is asked and what happens to it may have
/// changed meanwhile.
async fn update(transaction: &mut Transaction<'static, Sqlite>, job: &Job) -> Result<Job> {
    let counts = &job.counts;
    let row: Row = sqlx::query_as(
        "UPDATE jobs SET state = $2, reason = $3, ended_at = $4, scanned = $5, new = $6, modified = $7,
                         unchanged = $8, metadata_only = $9, deleted = $10, skipped = $11, failed = $12
         WHERE id = $1 RETURNING *",
    )
    .bind(job.id.0)
    .bind(job.state.as_str())
    .bind(job.reason.as_deref())
    .bind(job.ended_at.map(|time| time.timestamp_millis()))
    .bind(rows::signed(counts.scanned))
    .bind(rows::signed(counts.new))
    .bind(rows::signed(counts.modified))
    .bind(rows::signed(counts.unchanged))
    .bind(rows::signed(counts.metadata_only))
    .bind(rows::signed(counts.deleted))
    .bind(rows::signed(counts.skipped))
    .bind(rows::signed(counts.failed))
    .fetch_one(&mut **transaction)
    .await
    .map_err(Error::ledger("write a job"))?;
    row.try_into()
}
