//! The right to bring the indexes of a knowledge base in step with the ledger.
//!
//! Whoever writes what the ledger says now (the points of a version that is current *now*, an access list that counts
//! *now*), or takes out what it no longer has, reads the ledger and writes the index within one turn. So nothing that
//! was read before somebody else's change is written after it: no chunk of a version that has just been collected
//! comes back, no access list is overwritten by an older one. The right is held for one batch, never while
//! something is embedded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_domain::KnowledgeBaseId;
use tokio::sync::OwnedMutexGuard;

use super::Ledger;

/// A turn at the indexes of a knowledge base. Ends when dropped.
pub(crate) type IndexTurn = OwnedMutexGuard<()>;

/// The turns of all knowledge bases.
#[derive(Debug, Default)]
pub(super) struct IndexTurns {
    by_base: Mutex<HashMap<KnowledgeBaseId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Ledger {
    /// Waits for the turn at the indexes of a knowledge base.
    pub(crate) async fn index_turn(&self, knowledge_base: KnowledgeBaseId) -> IndexTurn {
        let turn = {
            let mut turns = self.turns.by_base.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(knowledge_base).or_default())
        };
        turn.lock_owned().await
    }
}
