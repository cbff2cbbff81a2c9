//! One request at a time for each host, with a pause behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// When a host may be asked next.
type Gate = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// The gates of all hosts: as many as hosts belong to the source, and those that these lead to for their rules.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    gates: Mutex<HashMap<String, Gate>>,
}

/// The right to ask a host. The pause begins when it is given back.
#[derive(Debug)]
pub(crate) struct Turn {
    next: OwnedMutexGuard<Option<Instant>>,
    pause: Duration,
}

impl Gates {
    /// Waits for its turn, first come, first served. Dropping it gives the place in the line up.
    pub(crate) async fn enter(&self, host: &str, pause: Duration) -> Turn {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gates.entry(host.to_owned()).or_default())
        };
        let next = gate.lock_owned().await;
        if let Some(instant) = *next {
            tokio::time::sleep_until(instant).await;
        }
        Turn { next, pause }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.next = Instant::now().checked_add(self.pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_has_one_visitor_and_its_pause_and_others_do_not_wait() {
        let gates = Gates::default();
        let an_hour = Duration::from_secs(3600);
        let turn = gates.enter("a", Duration::ZERO).await;
        let mut second = Box::pin(gates.enter("a", an_hour));
        assert!(futures::poll!(&mut second).is_pending());
        drop(gates.enter("b", an_hour).await);
        drop(turn);
        drop(second.await);
        for host in ["a", "b"] {
            let mut next = Box::pin(gates.enter(host, Duration::ZERO));
            assert!(futures::poll!(&mut next).is_pending(), "{host} has its pause");
        }
    }
}
