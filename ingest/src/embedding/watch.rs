//! Who watches a source's documents get their vectors: the jobs that wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lectern_domain::SourceId;

use crate::ledger::PendingVersion;
use crate::run::Run;

/// The runs that watch, by their source.
#[derive(Default)]
pub(crate) struct Watchers {
    runs: Mutex<HashMap<SourceId, Vec<Arc<Run>>>>,
}

/// Has a run hear of its source's vectors until it is dropped.
pub(crate) struct Watched<'a> {
    watchers: &'a Watchers,
    run: Arc<Run>,
}

impl super::Embedding {
    /// Has `run` hear of vectors of its source.
    pub(crate) fn watch(&self, run: &Arc<Run>) -> Watched<'_> {
        let mut runs = self.watchers.lock();
        runs.entry(run.source.id).or_default().push(Arc::clone(run));
        Watched {
            watchers: &self.watchers,
            run: Arc::clone(run),
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let mut runs = self.watchers.lock();
        if let Some(of_source) = runs.get_mut(&self.run.source.id) {
            of_source.retain(|run| !Arc::ptr_eq(run, &self.run));
            if of_source.is_empty() {
                runs.remove(&self.run.source.id);
            }
        }
    }
}

impl Watchers {
    /// Chunks got vectors.
    pub(super) fn embedded(&self, source: SourceId, chunks: u64, tokens: u64) {
        self.tell(source, |run| {
            run.progress.update(|state| {
                state.chunks_embedded += chunks;
                state.tokens_embedded += tokens;
            });
        });
    }

    /// Chunks had stored vectors.
    pub(super) fn reused(&self, source: SourceId, chunks: u64) {
        self.tell(source, |run| {
            run.progress.update(|state| state.chunks_reused += chunks);
        });
    }

    /// A document can be found by meaning.
    pub(super) fn searchable(&self, source: SourceId) {
        self.tell(source, |run| {
            run.progress.update(|state| state.documents_embedded += 1);
        });
    }

    /// A document gets no vectors.
    pub(super) fn set_aside(&self, source: SourceId, version: &PendingVersion, reason: &str) {
        self.tell(source, |run| run.report_without_vectors(version, reason));
    }

    /// Counts the time of the embedder for those who watch.
    pub(super) async fn time<T>(&self, source: SourceId, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let result = work.await;
        self.tell(source, |run| run.clocks.embed.add(start.elapsed()));
        result
    }

    fn tell(&self, source: SourceId, fact: impl Fn(&Run)) {
        let runs = self.lock().get(&source).cloned().unwrap_or_default();
        runs.iter().for_each(|run| fact(run));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SourceId, Vec<Arc<Run>>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
