//! What searches have found and couldn't compare by meaning: embedded before everything else.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use lectern_domain::ports::EmbeddingDemand;
use lectern_domain::{DocumentId, KnowledgeBaseId};

/// Documents that are remembered; of more, those that were asked for last.
const REMEMBERED: usize = 1_000;

/// The documents that were asked for, the one that was asked for last in front.
#[derive(Debug, Default)]
pub(super) struct Demand {
    documents: Mutex<VecDeque<DocumentId>>,
}

impl Demand {
    /// Takes up to `limit` out, the one that was asked for last first.
    pub(super) fn take(&self, limit: usize) -> Vec<DocumentId> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = limit.min(documents.len());
        documents.drain(..taken).collect()
    }
}

impl EmbeddingDemand for Demand {
    fn asked_for(&self, _knowledge_base: KnowledgeBaseId, asked: &[DocumentId]) {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        // The best hit goes to the very front.
        for document in asked.iter().rev() {
            documents.retain(|known| known != document);
            documents.push_front(*document);
        }
        documents.truncate(REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> DocumentId {
        DocumentId(Uuid::from_u128(number))
    }

    #[test]
    fn what_was_asked_for_last_comes_first_and_once() {
        let (demand, base) = (Demand::default(), KnowledgeBaseId::generate());
        demand.asked_for(base, &[id(1), id(2)]);
        demand.asked_for(base, &[id(3), id(2)]);
        assert_eq!(demand.take(2), [id(3), id(2)]);
        assert_eq!(demand.take(2), [id(1)]);
        assert!(demand.take(2).is_empty());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (demand, base) = (Demand::default(), KnowledgeBaseId::generate());
        for number in 0..2 * REMEMBERED as u128 {
            demand.asked_for(base, &[id(number)]);
        }
        assert_eq!(demand.take(usize::MAX).len(), REMEMBERED);
    }
}
