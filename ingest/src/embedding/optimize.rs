//! Getting an index of vectors into shape, once much was written to it: its graph is built, which keeps searches quick
//! among many vectors. A search is right without it, only slower; so a failure is nobody's, and is tried again.
//!
//! ```text
//! points were written ──> how many since ──> the line is worked off, or a command ends ──> optimise, one at a time
//! ```
//!
//! How many were written is known to this process only. Another may have ended before its graph was built, so an index
//! that this one hasn't optimised yet counts as one that lacks it: where it doesn't, the engine sees that at once.
//!
//! Building takes minutes for a hundred thousand vectors, and goes on beside the line of those that wait for theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use lectern_domain::KnowledgeBaseId;
use tokio::sync::{Notify, OwnedMutexGuard};

use super::{Embedding, lock};

/// What counts as written to an index that this process hasn't optimised: more than any setting asks for.
const UNKNOWN: u64 = 1 << 40;

/// What the indexes of vectors lack.
#[derive(Debug, Default)]
pub(super) struct Unoptimized {
    /// Chunks that were written to each since it was last optimised.
    written: Mutex<HashMap<KnowledgeBaseId, u64>>,
    turns: Mutex<HashMap<KnowledgeBaseId, Arc<tokio::sync::Mutex<()>>>>,
    worked_off: Notify,
}

impl Unoptimized {
    pub(super) fn note_written(&self, knowledge_base: KnowledgeBaseId, chunks: u64) {
        let mut written = lock(&self.written);
        let count = written.entry(knowledge_base).or_insert(UNKNOWN);
        *count += chunks;
    }

    /// Says that nothing waits for vectors any more, so that there is time to build.
    pub(super) fn note_worked_off(&self) {
        self.worked_off.notify_one();
    }

    fn since_optimized(&self, knowledge_base: KnowledgeBaseId) -> u64 {
        lock(&self.written)
            .get(&knowledge_base)
            .copied()
            .unwrap_or(UNKNOWN)
    }

    /// What was written while it was being optimised counts on.
    fn note_optimized(&self, knowledge_base: KnowledgeBaseId, before: u64) {
        let mut written = lock(&self.written);
        let count = written.entry(knowledge_base).or_insert(before);
        *count = count.saturating_sub(before);
    }

    fn written_to(&self) -> Vec<KnowledgeBaseId> {
        lock(&self.written).keys().copied().collect()
    }

    async fn turn(&self, knowledge_base: KnowledgeBaseId) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(lock(&self.turns).entry(knowledge_base).or_default());
        turn.lock_owned().await
    }
}

impl Embedding {
    /// Gets the index of vectors into shape, where much was written to it; waits for whoever is at that already.
    pub(crate) async fn optimize(&self, knowledge_base: KnowledgeBaseId) {
        let _turn = self.unoptimized.turn(knowledge_base).await;
        let before = self.unoptimized.since_optimized(knowledge_base);
        if before < self.parts.settings.optimize_chunks {
            return;
        }
        match self.parts.vectors.optimize(knowledge_base).await {
            Ok(()) => self.unoptimized.note_optimized(knowledge_base, before),
            Err(error) => {
                let error = lectern_domain::error::chain(&error);
                tracing::warn!(error, "index of vectors not optimised");
            }
        }
    }

    /// The same for all knowledge bases, one after another.
    pub(super) async fn optimize_all(&self) {
        match self.parts.ledger.knowledge_bases().await {
            Ok(all) => {
                for knowledge_base in all {
                    self.optimize(knowledge_base.id).await;
                }
            }
            Err(error) => {
                let error = lectern_domain::error::chain(&error);
                tracing::warn!(
                    error,
                    "the knowledge bases can't be listed, so no index is optimised"
                );
            }
        }
    }

    /// Optimises, whenever the line is worked off, what was written to.
    pub(super) async fn optimize_beside(&self) -> ! {
        loop {
            self.unoptimized.worked_off.notified().await;
            for knowledge_base in self.unoptimized.written_to() {
                self.optimize(knowledge_base).await;
            }
        }
    }
}
