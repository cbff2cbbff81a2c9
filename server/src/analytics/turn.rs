//! Whose turn it is to write, one after another.
//!
//! Most turns are over at once. One in which the file is rewritten may take minutes where much is kept, and SQLite lets
//! others read all the while. So who only wants to read doesn't wait for such a turn.

use tokio::sync::{Mutex, MutexGuard, watch};

/// The turn to write notes and feedback down, or to erase. Nobody erases between a note's leaving memory and its being
/// written.
#[derive(Debug, Default)]
pub(super) struct Turn {
    writing: Mutex<()>,
    /// Whether whoever has the turn rewrites the file.
    rewriting: watch::Sender<bool>,
}

/// Says that the file is being rewritten, as long as it lives. So it is also unsaid where the work is given up.
pub(super) struct Rewriting<'a>(&'a watch::Sender<bool>);

impl Turn {
    /// Waits for the turn. It ends when what this gives is dropped.
    pub(super) async fn wait(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// The same; `None` where the file is being rewritten, or as soon as it is.
    pub(super) async fn wait_unless_rewriting(&self) -> Option<MutexGuard<'_, ()>> {
        let mut rewriting = self.rewriting.subscribe();
        let begins = async { _ = rewriting.wait_for(|is_on| *is_on).await };
        tokio::select! {
            biased;
            () = begins => None,
            turn = self.writing.lock() => Some(turn),
        }
    }

    /// Says that whoever has the turn rewrites the file now.
    pub(super) fn rewriting(&self) -> Rewriting<'_> {
        self.rewriting.send_replace(true);
        Rewriting(&self.rewriting)
    }
}

impl Drop for Rewriting<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn who_reads_waits_for_others_until_they_rewrite_the_file() {
        let turn = Turn::default();
        let held = turn.wait().await;
        {
            let mut waiting = pin!(turn.wait_unless_rewriting());
            let is_waiting = tokio::select! {
                biased;
                _ = &mut waiting => false,
                () = std::future::ready(()) => true,
            };
            assert!(is_waiting, "somebody else has the turn, for a moment");
            let rewriting = turn.rewriting();
            assert!(waiting.await.is_none(), "now it may take long");
            assert!(turn.wait_unless_rewriting().await.is_none());
            drop(rewriting);
        }
        drop(held);
        assert!(turn.wait_unless_rewriting().await.is_some());
    }
}
