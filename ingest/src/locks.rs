//! One writer per knowledge base at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_domain::KnowledgeBaseId;
use tokio::sync::OwnedMutexGuard;

use crate::cancel::Cancellation;

/// The right to write to a knowledge base. Ends when dropped.
pub(crate) type WriteLock = OwnedMutexGuard<()>;

/// The locks of all knowledge bases that were written to.
#[derive(Debug, Default)]
pub(crate) struct WriteLocks {
    entries: Mutex<HashMap<KnowledgeBaseId, Arc<Entry>>>,
}

#[derive(Debug, Default)]
struct Entry {
    lock: Arc<tokio::sync::Mutex<()>>,
    running: Mutex<Option<Cancellation>>,
}

impl WriteLocks {
    /// The lock, unless somebody has it.
    pub(crate) fn try_lock(&self, knowledge_base: KnowledgeBaseId) -> Option<WriteLock> {
        Arc::clone(&self.entry(knowledge_base).lock).try_lock_owned().ok()
    }

    /// Waits for the lock.
    pub(crate) async fn lock(&self, knowledge_base: KnowledgeBaseId) -> WriteLock {
        let lock = Arc::clone(&self.entry(knowledge_base).lock);
        lock.lock_owned().await
    }

    /// Notes how the run that holds the lock can be stopped.
    pub(crate) fn note_running(&self, knowledge_base: KnowledgeBaseId, cancel: &Cancellation) {
        let entry = self.entry(knowledge_base);
        *entry.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
    }

    /// Asks the run that holds the lock to stop.
    pub(crate) fn stop_running(&self, knowledge_base: KnowledgeBaseId) {
        let entry = self.entry(knowledge_base);
        let running = entry.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancel) = running.as_ref() {
            cancel.cancel();
        }
    }

    fn entry(&self, knowledge_base: KnowledgeBaseId) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(knowledge_base).or_default())
    }
}
