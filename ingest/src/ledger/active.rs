//! The jobs that are at work in this process. A job that the ledger says is running and that isn't among them was
//! left by a process, or by a caller, that went away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_domain::JobId;

use crate::cancel::Cancellation;

/// The jobs of this process, and how each is stopped.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveJobs {
    jobs: Arc<Mutex<HashMap<JobId, Cancellation>>>,
}

/// Keeps a job among the active ones until it is dropped.
#[derive(Debug)]
pub(crate) struct ActiveJob {
    job: JobId,
    of: ActiveJobs,
}

impl ActiveJobs {
    /// Notes that a job is at work.
    pub(crate) fn enter(&self, job: JobId, cancel: &Cancellation) -> ActiveJob {
        self.lock().insert(job, cancel.clone());
        ActiveJob {
            job,
            of: self.clone(),
        }
    }

    pub(crate) fn contains(&self, job: JobId) -> bool {
        self.lock().contains_key(&job)
    }

    /// Asks a job to stop. Whether it is at work here.
    pub(crate) fn stop(&self, job: JobId) -> bool {
        let jobs = self.lock();
        let cancel = jobs.get(&job);
        if let Some(cancel) = cancel {
            cancel.cancel();
        }
        cancel.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Cancellation>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveJob {
    fn drop(&mut self) {
        self.of.lock().remove(&self.job);
    }
}
