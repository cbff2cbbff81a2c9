//! Which documents of a run are in somebody's hand, so that nobody else takes them up.
//!
//! A listing that names a document twice, or names it and then says that it is gone, is taken at its word in its order: the
//! second event waits until all of the first has come to its end, published or noted. Otherwise the two would overtake each
//! other, and an older content could stay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_domain::DocumentId;
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is with a document: those who wait come in the order in which they asked.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The documents that somebody has or waits for. There are never more than the run has room for.
#[derive(Clone, Debug, Default)]
pub(crate) struct InHand {
    turns: Arc<Mutex<HashMap<DocumentId, Turn>>>,
}

/// A document in a hand, until this is dropped.
#[derive(Debug)]
pub(crate) struct Hand {
    document: DocumentId,
    turn: Option<OwnedMutexGuard<()>>,
    of: InHand,
}

impl InHand {
    /// Takes a document, as soon as all who asked for it before have let it go.
    pub(crate) async fn take(&self, document: DocumentId) -> Hand {
        let turn = Arc::clone(self.turns().entry(document).or_default());
        Hand {
            document,
            turn: Some(turn.lock_owned().await),
            of: self.clone(),
        }
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<DocumentId, Turn>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        drop(self.turn.take());
        let mut turns = self.of.turns();
        // Nobody else waits for it: whoever does has a part in its turn.
        if turns
            .get(&self.document)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            turns.remove(&self.document);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use futures::FutureExt;
    use lectern_domain::SourceId;

    #[tokio::test]
    async fn a_document_is_in_one_hand_and_others_are_not_waited_for() {
        let source = SourceId(uuid::Uuid::now_v7());
        let [one, two] = ["one", "two"].map(|key| DocumentId::derive(source, key));
        let in_hand = InHand::default();
        let first = in_hand.take(one).await;
        let other = in_hand.take(two).await;
        let mut second = std::pin::pin!(in_hand.take(one));
        let mut third = std::pin::pin!(in_hand.take(one));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(other);
        assert!(second.as_mut().now_or_never().is_none(), "another one was let go");
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "it isn't its turn");
        drop(second.now_or_never().unwrap());
        drop(third.now_or_never().unwrap());
        assert!(in_hand.turns().is_empty(), "nothing is kept of what nobody has");
    }
}
