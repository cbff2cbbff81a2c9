//! Syncing: a knowledge base is brought to what a source has now, as a job in the ledger.
//!
//! The job that waits, or a new one, first puts in order what an interrupted one left, then runs the pipeline over
//! the source's listing (of everything, or of what changed since the last complete one), then takes away the
//! documents that are gone, then gives the indexes what they are owed. Only a **complete** listing says what is
//! gone, and a job that would delete [too much](crate::DeletionGuard) stops and asks. A broken listing, a full
//! disk or a lost index ends the job as failed, with the reason; nothing that was visible goes.
//!
//! How far the source was read (its cursor) is in the ledger only as long as the ledger has what the source had there:
//! it is forgotten before the first line of a listing is acted on, and written anew with the deletions. In between, and
//! after a job that didn't get so far, the next one lists everything, so what came and went meanwhile goes.
//!
//! Now its documents can be found by words, and the next job may write. This one ends when they have their vectors
//! too ([`crate::embedding`]).
//!
//! A job that was interrupted goes on under its id, and lists everything. What it had done it finds done: those
//! documents count with the outcome that they had, so the counts are those of the whole job.

use std::sync::Arc;
use std::time::Instant;

use lectern_domain::ports::{CURSOR_EXPIRED, Connector, Cursor, Embedder};
use lectern_domain::{ContentHash, JobId, JobState, KnowledgeBaseId};

use crate::cancel::Cancellation;
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::fetch::{Feed, MAX_RETRIED};
use crate::ledger::{ActiveJob, Deleted, Deletion, Job, KnowledgeBase, ListCursor, Source, now};
use crate::locks::WriteLock;
use crate::pipeline::{Ended, Ingestion, IngestionParts, drive};
use crate::progress::Progress;
use crate::report::JobReport;
use crate::run::Run;
use crate::{collect, recover};

/// The kind of the source of pushed documents.
pub(crate) const PUSHED: &str = "push";

/// A sync that is in the ledger as a running job, and holds the right to write to its knowledge base. Nothing
/// happens until [`SyncRun::run`] is awaited; dropped without that, the job counts as interrupted.
#[expect(missing_debug_implementations, reason = "the ports have none")]
pub struct SyncRun {
    run: Arc<Run>,
    feed: Feed,
    job: Job,
    started: Instant,
    embedding: Arc<Embedding>,
    _active: ActiveJob,
    lock: Option<WriteLock>,
}

/// What a job is asked beside its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Delete whatever the source no longer has, also where that is more than
    /// [its guard](crate::DeletionGuard) allows.
    pub allow_deletes: bool,
}

impl Ingestion {
    /// Syncs a source, waits for the end, and for an index of vectors that is in shape. Fails before the job begins with [`Error::JobRunning`] where
    /// another one writes to the knowledge base, or [`Error::OtherModel`]; later faults end the job, with the
    /// reason in the report.
    pub async fn sync(
        &self,
        knowledge_base: &KnowledgeBase,
        source: &Source,
        connector: Arc<dyn Connector>,
        progress: Progress,
        cancel: Cancellation,
    ) -> Result<JobReport> {
        let stopped = cancel.clone();
        let sync = self
            .begin_sync(knowledge_base, source, connector, progress, cancel)
            .await?;
        let report = sync.run().await?;
        tokio::select! {
            biased;
            () = stopped.cancelled() => {}
            () = self.embedding.optimize(knowledge_base.id) => {}
        }
        Ok(report)
    }

    /// Queues a job for a source: the one that waits already, where one does. Whoever runs jobs then takes it
    /// from [`crate::Ledger::queued_jobs`] to [`Ingestion::begin_sync`].
    pub async fn request_sync(&self, source: &Source, options: SyncOptions) -> Result<Job> {
        if source.kind == PUSHED {
            return Err(Error::PushedSource { action: "sync" });
        }
        self.parts
            .ledger
            .request_job(source.knowledge_base, source.id, options.allow_deletes)
            .await
    }

    /// Stops a job: one that waits at once, one that runs after the documents at hand. A crash in between
    /// doesn't forget it. One that has ended stays as it is.
    pub async fn stop(&self, job: JobId) -> Result<Job> {
        let stopped = self.parts.ledger.request_stop(job).await?;
        self.parts.ledger.active_jobs().stop(job);
        Ok(stopped)
    }

    /// Begins the job of the source that waits, or a new one, so that its id is known before it has ended.
    pub async fn begin_sync(
        &self,
        knowledge_base: &KnowledgeBase,
        source: &Source,
        connector: Arc<dyn Connector>,
        progress: Progress,
        cancel: Cancellation,
    ) -> Result<SyncRun> {
        let embedder = self.embedder_of(knowledge_base)?;
        let lock = self.lock_now(knowledge_base)?;
        self.locks.note_running(knowledge_base.id, &cancel);
        // Deleted while the caller was on the way here?
        self.parts
            .ledger
            .knowledge_base(&knowledge_base.id.to_string())
            .await?;
        recover::put_in_order(&self.parts, knowledge_base.id).await?;
        source.settings.enrichment.check()?;
        let job = self.parts.ledger.begin_job(knowledge_base.id, source.id).await?;
        let active = self.parts.ledger.active_jobs().enter(job.id, &cancel);
        if self.parts.ledger.was_asked_to_stop(job.id).await? {
            cancel.cancel();
        }
        let mut run = Run::new(
            &self.parts,
            source.clone(),
            embedder,
            Some(&job),
            None,
            progress,
            cancel,
        )?;
        run.since = self.since(&run, &job).await?;
        Ok(SyncRun {
            run: Arc::new(run),
            feed: Feed::Source(connector),
            job,
            started: Instant::now(),
            embedding: Arc::clone(&self.embedding),
            _active: active,
            lock: Some(lock),
        })
    }

    /// The cursor to ask the source with, where that is enough: what the last complete listing reached, made with
    /// the same settings. An attempt that follows another one counts what that had done, so it has to see it.
    async fn since(&self, run: &Run, job: &Job) -> Result<Option<Cursor>> {
        let ledger = &self.parts.ledger;
        if job.attempts > 1 {
            return Ok(None);
        }
        let Some(known) = ledger.list_cursor(run.source.id).await? else {
            return Ok(None);
        };
        let failed = ledger.failed_documents(run.source.id, MAX_RETRIED).await?;
        let is_enough = known.context == listing_context(run) && failed.len() < MAX_RETRIED;
        Ok(is_enough.then_some(known.cursor))
    }

    /// The model that made the vectors of a knowledge base: those of another must not meet them in one index.
    pub(crate) fn embedder_of(&self, knowledge_base: &KnowledgeBase) -> Result<Arc<dyn Embedder>> {
        let embedders = &self.parts.embedders;
        embedders
            .of_model(&knowledge_base.embedding_model)
            .filter(|embedder| embedder.dimensions() == knowledge_base.dimensions)
            .ok_or_else(|| Error::OtherModel {
                name: knowledge_base.name.clone(),
                expected: knowledge_base.embedding_model.clone(),
                preferred: embedders.preferred().model().to_owned(),
            })
    }
}

/// The hash of all that a listing is made with: where it is another, documents that didn't change have to be
/// looked at too.
fn listing_context(run: &Run) -> ContentHash {
    let source = &run.source;
    let access = serde_json::to_string(&source.default_access).unwrap_or_default();
    ContentHash::of(format!("{} {} {access} {}", source.kind, source.config, run.recipe).as_bytes())
}

impl SyncRun {
    /// Runs the stages; once more, and in full, where the source says that the cursor is too old.
    async fn drive(&mut self) -> Result<Ended> {
        let ended = drive(&self.run, &self.feed).await;
        match &ended {
            Ok(Ended::ListingBroken(error)) if error.code == CURSOR_EXPIRED => {}
            _ => return ended,
        }
        let run = &self.run;
        if run.since.is_none() || run.account_so_far().counts.scanned > 0 {
            return ended;
        }
        tracing::info!(job = %self.job.id, "the source can't tell any more what changed; it is listed in full");
        run.parts.ledger.forget_list_cursor(run.source.id).await?;
        let again = Run::new(
            &run.parts,
            run.source.clone(),
            Arc::clone(&run.embedder),
            Some(&self.job),
            None,
            run.progress.clone(),
            run.cancel.clone(),
        )?;
        self.run = Arc::new(again);
        drive(&self.run, &self.feed).await
    }

    /// Words, then meaning. The right to write is given back in between.
    async fn both_steps(&mut self) -> Result<(JobState, Option<String>)> {
        let embedding = Arc::clone(&self.embedding);
        let faults = embedding.faults();
        let watched = embedding.watch(&self.run);
        let ended = self.drive().await;
        drop(watched);
        let _watched = embedding.watch(&self.run);
        let run = &self.run;
        let words = conclude(run, ended, &self.job).await?;
        drop(self.lock.take());
        if words.0 != JobState::Complete {
            return Ok(words);
        }
        run.progress.update(|state| state.words_complete = true);
        tokio::select! {
            biased;
            finished = embedding.finished(Some(run.source.knowledge_base), Some(run.source.id), faults) => finished?,
            () = run.cancel.cancelled() => {
                let reason = "stopped: by request; what was taken in gets its vectors after this";
                return Ok((JobState::Stopped, Some(reason.to_owned())));
            }
        }
        Ok(words)
    }

    /// The job as it began.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Does the work. An error here says that not even the end of the job could be determined; a job that
    /// failed is a report with [`JobState::Failed`].
    pub async fn run(mut self) -> Result<JobReport> {
        let embedding = Arc::clone(&self.embedding);
        let (state, reason) = match embedding.serve_while(self.both_steps()).await {
            Ok((state, reason)) => (state, reason),
            Err(error) => (JobState::Failed, Some(reason_of(&error))),
        };
        let run = &self.run;
        let tally = run.account_so_far();
        self.job.state = state;
        self.job.reason = reason;
        self.job.counts = tally.counts;
        self.job.ended_at = Some(now());
        match run.parts.ledger.end_job(&self.job).await {
            Ok(ended) => self.job = ended,
            Err(error) => {
                // On a full disk this fails too. The next start finds the job running and goes on with it.
                tracing::error!(job = %self.job.id, error = lectern_domain::error::chain(&error), "job's end not written");
                self.job.state = JobState::Failed;
                self.job.reason.get_or_insert_with(|| reason_of(&error));
            }
        }
        let progress = run.progress.snapshot();
        run.progress.update(|state| state.ended = true);
        Ok(JobReport {
            job: self.job,
            problems: tally.problems,
            problems_left_out: tally.problems_left_out,
            wall_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            chunks_embedded: progress.chunks_embedded,
            chunks_reused: progress.chunks_reused,
            tokens_embedded: progress.tokens_embedded,
            timings: run.clocks.read(),
        })
    }
}

/// What follows the stages, however they ended.
async fn conclude(run: &Run, ended: Result<Ended>, job: &Job) -> Result<(JobState, Option<String>)> {
    let notes = run.write_notes().await;
    let deleted = match (&ended, &notes) {
        (Ok(Ended::Complete), Ok(())) => {
            check_counts(run)?;
            run.parts.ledger.close_attachments(job.source).await?;
            let deletion = Deletion {
                source: job.source,
                job: job.id,
                is_delta: run.since.is_some(),
                guard: (!job.allow_deletes).then_some(run.source.settings.deletions),
            };
            let reached = run.reached_position().map(|cursor| ListCursor {
                cursor,
                context: listing_context(run),
            });
            run.parts.ledger.delete_gone(deletion, reached.as_ref()).await
        }
        _ => Ok(Deleted::Documents(0)),
    };
    if let Ok(Deleted::Documents(deleted)) = deleted {
        run.account_deleted(deleted);
    }
    let settled = settle(&run.parts, run.source.knowledge_base).await;
    let ended = ended?;
    notes?;
    let deleted = deleted?;
    settled?;
    optimize(run).await;
    if let Deleted::TooMany { would_delete, of } = deleted {
        let reason = format!(
            "too_many_deletes: would delete {would_delete} of {of} documents; run again with --allow-deletes"
        );
        return Ok((JobState::Stopped, Some(reason)));
    }
    Ok(match ended {
        Ended::Complete => (JobState::Complete, None),
        Ended::Stopped => (JobState::Stopped, Some("stopped: by request".to_owned())),
        Ended::ListingBroken(error) => {
            let chain = lectern_domain::error::chain(&error);
            let reason = format!(
                "{}: the listing broke off, so nothing was deleted: {chain}",
                error.code
            );
            (JobState::Failed, Some(reason))
        }
    })
}

/// Each listed document has to be accounted for, once.
fn check_counts(run: &Run) -> Result<()> {
    let listed = run.progress.snapshot().listed;
    let counts = run.account_so_far().counts;
    if counts.add_up() && counts.scanned == listed {
        return Ok(());
    }
    Err(Error::CountsDontAddUp { listed, counts })
}

/// Retires what was staged and not published, and gives the indexes what they are owed.
pub(crate) async fn settle(parts: &IngestionParts, knowledge_base: KnowledgeBaseId) -> Result<()> {
    parts.ledger.remove_orphans(knowledge_base).await?;
    parts.ledger.retire_staged(knowledge_base).await?;
    collect::collect_retired(parts, knowledge_base).await?;
    collect::settle_access(parts, knowledge_base).await?;
    Ok(())
}

/// A search is right without this, only slower; so a failure is no failure of the job.
pub(crate) async fn optimize(run: &Run) {
    if run.progress.snapshot().chunks_published < run.parts.settings.optimize_chunks {
        return;
    }
    if let Err(error) = run.parts.words.optimize(run.source.knowledge_base).await {
        let error = lectern_domain::error::chain(&error);
        tracing::warn!(error, "index of words not optimised");
    }
}

/// How a job's reason is written: the code, a colon, what happened.
fn reason_of(error: &Error) -> String {
    format!("{}: {}", error.code(), lectern_domain::error::chain(error))
}
