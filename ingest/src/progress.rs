//! How far a job is, for whoever watches: a progress bar, an event stream.

use std::sync::Arc;

use lectern_domain::{JobCounts, JobId};
use serde::Serialize;
use tokio::sync::watch;

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProgressSnapshot {
    /// The job, once it is in the ledger.
    pub job: Option<JobId>,
    /// Documents that the listing gave so far.
    pub listed: u64,
    /// Whether the listing has ended, so that `listed` is the total.
    pub listing_complete: bool,
    /// What became of documents so far; `counts.scanned` is how many are done.
    pub counts: JobCounts,
    /// Chunks that were cut so far.
    pub chunks_cut: u64,
    /// Chunks that can be found by words.
    pub chunks_published: u64,
    /// Chunks that the embedder made a vector for.
    pub chunks_embedded: u64,
    /// Chunks whose vector was known.
    pub chunks_reused: u64,
    /// Documents that can be found by meaning now and couldn't before.
    pub documents_embedded: u64,
    /// Tokens that the embedder read.
    pub tokens_embedded: u64,
    /// The key of a document that is being read.
    pub current_document: Option<String>,
    /// Whether all its documents can be found by words, so that only vectors are missing.
    pub words_complete: bool,
    /// Whether the job has ended.
    pub ended: bool,
}

/// A handle on a job's progress. Clones show the same; updating costs a lock and no waiting.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    state: Arc<watch::Sender<ProgressSnapshot>>,
}

impl Progress {
    /// A handle for one job.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far the job is now.
    pub fn snapshot(&self) -> ProgressSnapshot {
        self.state.borrow().clone()
    }

    /// A receiver that wakes with every change; a slow one sees the newest state only.
    pub fn subscribe(&self) -> watch::Receiver<ProgressSnapshot> {
        self.state.subscribe()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut ProgressSnapshot)) {
        self.state.send_modify(change);
    }
}
