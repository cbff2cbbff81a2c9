//! Faults that concern more than one document: which knowledge base rests, and who is told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lectern_domain::{ErrorKind, KnowledgeBaseId, PortError};
use tokio::time::Instant;

use crate::error::Error;

/// How long a knowledge base, or the whole line, rests after a fault.
const REST: Duration = Duration::from_secs(3);

/// The last fault of each knowledge base, and of the line as a whole.
#[derive(Debug, Default)]
pub(super) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    last: HashMap<Option<KnowledgeBaseId>, Fault>,
}

#[derive(Debug)]
struct Fault {
    number: u64,
    rests_until: Instant,
    kind: ErrorKind,
    code: &'static str,
    message: String,
}

impl Faults {
    /// Notes a fault of a knowledge base, or of all. Gives how many there were.
    pub(super) fn note(&self, knowledge_base: Option<KnowledgeBaseId>, error: &Error) -> u64 {
        let message = lectern_domain::error::chain(error);
        let mut state = self.lock();
        let known = state.last.get(&knowledge_base);
        if known.is_none_or(|fault| fault.message != message) {
            let code = error.code();
            tracing::warn!(
                ?knowledge_base,
                code,
                error = message,
                "documents wait for their vectors"
            );
        }
        state.count += 1;
        let fault = Fault {
            number: state.count,
            rests_until: Instant::now() + REST,
            kind: error.kind(),
            code: error.code(),
            message,
        };
        state.last.insert(knowledge_base, fault);
        state.count
    }

    /// The last fault that concerns a knowledge base (or any) and came after the first `faults`.
    pub(super) fn since(&self, faults: u64, knowledge_base: Option<KnowledgeBaseId>) -> Option<PortError> {
        let state = self.lock();
        let concerns =
            |of: &Option<KnowledgeBaseId>| knowledge_base.is_none() || of.is_none() || *of == knowledge_base;
        let last = state.last.iter();
        let new = last.filter(|(of, fault)| concerns(of) && fault.number > faults);
        let (_, fault) = new.max_by_key(|(_, fault)| fault.number)?;
        Some(PortError::new(fault.kind, fault.code, fault.message.clone()))
    }

    /// The knowledge bases that rest now.
    pub(super) fn resting(&self) -> Vec<KnowledgeBaseId> {
        let now = Instant::now();
        let state = self.lock();
        let resting = state.last.iter().filter(|(_, fault)| fault.rests_until > now);
        resting
            .filter_map(|(knowledge_base, _)| *knowledge_base)
            .collect()
    }

    /// Has a knowledge base, or all, be tried again now.
    pub(super) fn end_rest(&self, knowledge_base: Option<KnowledgeBaseId>) {
        let now = Instant::now();
        let mut state = self.lock();
        for (of, fault) in &mut state.last {
            if knowledge_base.is_none() || of.is_none() || *of == knowledge_base {
                fault.rests_until = now;
            }
        }
    }

    /// Waits until the next rest is over; forever where nothing rests.
    pub(super) async fn rested(&self) {
        let now = Instant::now();
        let next = {
            let state = self.lock();
            let ends = state.last.values().map(|fault| fault.rests_until);
            ends.filter(|end| *end > now).min()
        };
        match next {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Forgets the fault of a knowledge base whose documents got their vectors.
    pub(super) fn forget(&self, knowledge_base: KnowledgeBaseId) {
        self.lock().last.remove(&Some(knowledge_base));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
