//! Jobs that read folders, started by a request and running on after it.
//!
//! Ingestion lets one job at a time write to a knowledge base, so their number is bounded. The ledger has the job; this file
//! has what only a running one has: its progress, and the way to stop it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_domain::ports::Connector;
use lectern_domain::{JobId, PortError, error::chain};
use lectern_ingest::{Cancellation, Job, KnowledgeBase, Progress, Source};

use super::state::AppState;

/// The jobs that run now.
#[derive(Debug, Default)]
pub struct Runs {
    active: Mutex<HashMap<JobId, ActiveRun>>,
}

#[derive(Debug)]
struct ActiveRun {
    progress: Progress,
    cancel: Cancellation,
}

/// What a job is to read.
pub struct Task {
    /// Where to.
    pub knowledge_base: KnowledgeBase,
    /// Where from.
    pub source: Source,
    /// How.
    pub connector: Arc<dyn Connector>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Task")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Runs {
    /// Starts a job and returns when it is in the ledger.
    ///
    /// Fails with `job_running` where one is at work on the knowledge base.
    pub async fn start(self: &Arc<Self>, state: &AppState, task: Task) -> Result<Job, PortError> {
        let run = ActiveRun {
            progress: Progress::new(),
            cancel: Cancellation::new(),
        };
        let sync = state
            .lectern
            .ingestion
            .begin_sync(
                &task.knowledge_base,
                &task.source,
                task.connector,
                run.progress.clone(),
                run.cancel.clone(),
            )
            .await?;
        let job = sync.job().clone();
        let (base, id) = (job.knowledge_base, job.id);
        self.active().insert(id, run);
        let runs = Arc::clone(self);
        state.spawn(async move {
            let result = sync.run().await;
            runs.active().remove(&id);
            match result {
                Ok(report) => {
                    let counts = report.job.counts;
                    tracing::info!(knowledge_base = %base, job = %id, ?counts, state = report.job.state.as_str(), "an ingestion ended");
                }
                Err(error) => tracing::error!(job = %id, code = error.code(), error = chain(&error), "a job was lost"),
            }
        });
        Ok(job)
    }

    /// The progress of `job`, if it runs.
    pub fn progress(&self, job: JobId) -> Option<Progress> {
        self.active().get(&job).map(|run| run.progress.clone())
    }

    /// Asks `job` to stop after the documents at hand. Whether it was running.
    pub fn stop(&self, job: JobId) -> bool {
        let active = self.active();
        let run = active.get(&job);
        if let Some(run) = run {
            run.cancel.cancel();
        }
        run.is_some()
    }

    /// Asks all jobs to stop.
    pub fn stop_all(&self) {
        for run in self.active().values() {
            run.cancel.cancel();
        }
    }

    fn active(&self) -> MutexGuard<'_, HashMap<JobId, ActiveRun>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
