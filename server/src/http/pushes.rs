//! Indexing what was pushed, after the push was answered.
//!
//! A push is durable when it is answered: the original and a pending row are on disk. So nothing needs
//! to be remembered here but *which knowledge bases* have something pending, a set that is bounded by
//! their number. Each has at most one task at work, so that one that waits behind a long job holds up no
//! other. Whatever fails stays pending and is tried again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lectern_domain::{ErrorKind, KnowledgeBaseId, PortError, error::chain};
use lectern_ingest::Cancellation;
use metrics::gauge;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::compose::Lectern;

/// How long a knowledge base that couldn't be worked on is left alone (the disk is full, a model is
/// missing).
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// How often all knowledge bases are looked at, whether or not somebody said that something waits.
const LOOK_AROUND_EVERY: Duration = Duration::from_secs(30);

/// Knowledge bases with pushed documents that wait to be indexed.
#[derive(Debug)]
pub struct Pushes {
    bases: Mutex<Bases>,
    wake: Notify,
    rounds: watch::Sender<u64>,
    stop: Cancellation,
}

struct Due {
    pushes: Arc<Pushes>,
    knowledge_base: KnowledgeBaseId,
}

impl Drop for Due {
    fn drop(&mut self) {
        self.pushes.enqueue(self.knowledge_base);
    }
}

#[derive(Debug, Default)]
struct Bases {
    due: BTreeSet<KnowledgeBaseId>,
    at_work: BTreeSet<KnowledgeBaseId>,
}

impl Bases {
    /// Has the gauges say how many wait and how many are at work.
    fn show(&self) {
        gauge!("lectern_push_rounds_waiting").set(self.due.len() as f64);
        gauge!("lectern_push_rounds_running").set(self.at_work.len() as f64);
    }
}

impl Default for Pushes {
    fn default() -> Self {
        Self {
            bases: Mutex::default(),
            wake: Notify::new(),
            rounds: watch::Sender::new(0),
            stop: Cancellation::new(),
        }
    }
}

impl Pushes {
    /// Says that a knowledge base has something pending. Costs nothing and never waits.
    pub fn enqueue(&self, knowledge_base: KnowledgeBaseId) {
        let mut bases = self.bases();
        bases.due.insert(knowledge_base);
        bases.show();
        drop(bases);
        self.wake.notify_one();
    }

    /// Enqueues the knowledge base when it is dropped: for work that leaves something pending, also where it fails.
    pub fn due(self: Arc<Self>, knowledge_base: KnowledgeBaseId) -> impl Drop + Send {
        Due {
            pushes: self,
            knowledge_base,
        }
    }

    /// A receiver that wakes whenever pending documents may have become visible.
    pub fn rounds(&self) -> watch::Receiver<u64> {
        self.rounds.subscribe()
    }

    /// Begins no more work. What is at work is durable and goes on at the next start.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Indexes what is pending until [`Pushes::stop`].
    pub async fn work(self: Arc<Self>, lectern: Arc<Lectern>) {
        let mut tasks = JoinSet::new();
        let mut look_around = tokio::time::interval(LOOK_AROUND_EVERY);
        while !self.stop.is_cancelled() {
            for id in self.take_due() {
                tasks.spawn(Arc::clone(&self).work_on(Arc::clone(&lectern), id));
            }
            tokio::select! {
                () = self.wake.notified() => {}
                _ = look_around.tick() => self.look_around(&lectern).await,
                () = self.stop.cancelled() => {}
                Some(_) = tasks.join_next() => {}
            }
        }
        tasks.detach_all();
    }

    /// Enqueues all knowledge bases: at the start for what waited already, and now and then for what an error left,
    /// such as readers that an index has yet to hear of.
    async fn look_around(&self, lectern: &Lectern) {
        match lectern.ledger.knowledge_bases().await {
            Ok(all) => all
                .iter()
                .for_each(|knowledge_base| self.enqueue(knowledge_base.id)),
            Err(error) => tracing::error!(error = chain(&error), "what is pending can't be listed"),
        }
    }

    async fn work_on(self: Arc<Self>, lectern: Arc<Lectern>, id: KnowledgeBaseId) {
        let result = index_pending(&lectern, id).await;
        self.rounds.send_modify(|round| *round += 1);
        let failed = match result {
            Err(error) if error.kind != ErrorKind::NotFound => {
                tracing::warn!(knowledge_base = %id, code = error.code, error = chain(&error), "pushed documents stay pending");
                tokio::time::sleep(RETRY_AFTER).await;
                true
            }
            _ => false,
        };
        let mut bases = self.bases();
        bases.at_work.remove(&id);
        bases.show();
        drop(bases);
        if failed {
            self.enqueue(id);
        } else {
            // Something may have been pushed meanwhile.
            self.wake.notify_one();
        }
    }

    fn take_due(&self) -> BTreeSet<KnowledgeBaseId> {
        let bases = &mut *self.bases();
        let startable: BTreeSet<_> = bases.due.difference(&bases.at_work).copied().collect();
        bases.due.retain(|id| !startable.contains(id));
        bases.at_work.extend(&startable);
        bases.show();
        startable
    }

    fn bases(&self) -> MutexGuard<'_, Bases> {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn index_pending(lectern: &Lectern, id: KnowledgeBaseId) -> Result<(), PortError> {
    let knowledge_base = lectern.ledger.knowledge_base(&id.to_string()).await?;
    lectern.ingestion.process_pending(&knowledge_base).await?;
    Ok(())
}
