//! A listing on a thread of its own, where it may wait for the disk.

use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::PortError;
use lectern_domain::ports::ListEvent;
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

/// How far a listing runs ahead of its reader, in events.
const LISTING_AHEAD: usize = 256;

/// What a listing gives.
pub type Listed = Result<ListEvent, PortError>;

/// Runs `list` on a thread and gives what it sends. The sender is closed where nobody listens any more. A listing that ended by a panic is
/// an error at the end, as `ended` says it, and not one that looks whole.
pub fn listing_of(
    list: impl FnOnce(&mpsc::Sender<Listed>) + Send + 'static,
    ended: impl Fn(JoinError) -> PortError + Copy + Send + 'static,
) -> BoxStream<'static, Listed> {
    let (sender, receiver) = mpsc::channel(LISTING_AHEAD);
    let lister = spawn_blocking(move || list(&sender));
    let next = move |(mut receiver, lister): (mpsc::Receiver<Listed>, Option<_>)| async move {
        if let Some(event) = receiver.recv().await {
            return Some((event, (receiver, lister)));
        }
        let lister: tokio::task::JoinHandle<()> = lister?;
        let error = lister.await.err()?;
        Some((Err(ended(error)), (receiver, None)))
    };
    stream::unfold((receiver, Some(lister)), next).boxed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
mod tests {
    use super::*;
    use lectern_domain::ErrorKind;

    fn ended(error: JoinError) -> PortError {
        PortError::new(ErrorKind::Internal, "ended", error.to_string())
    }

    #[tokio::test]
    async fn a_listing_that_panics_is_not_a_whole_one() {
        let listed = listing_of(|_| (), ended).count().await;
        assert_eq!(listed, 0);
        let mut listed = listing_of(|_| panic!("the disk is on fire"), ended);
        assert_eq!(listed.next().await.unwrap().unwrap_err().code, "ended");
        assert!(listed.next().await.is_none());
    }
}
