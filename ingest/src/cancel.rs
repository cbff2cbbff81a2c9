//! The wish to stop, shared between who has it and who obeys it.

use std::sync::Arc;

use tokio::sync::watch;

/// A request to stop that many can wait for. Clones are the same request; it can't be taken back.
#[derive(Clone, Debug)]
pub struct Cancellation {
    asked: Arc<watch::Sender<bool>>,
}

impl Default for Cancellation {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancellation {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self {
            asked: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Asks to stop. A job stops after the documents that are being published.
    pub fn cancel(&self) {
        self.asked.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until somebody asks.
    pub async fn cancelled(&self) {
        let mut asked = self.asked.subscribe();
        // The sender lives in `self`, so the wait can't end by losing it.
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
