//! Faults on demand: the n-th call of an index fails, or never comes back.

use std::sync::Mutex;

use lectern_domain::{ErrorKind, PortError};
use tokio::sync::Notify;

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error, and nothing was done.
    ErrorBefore,
    /// An error, and all was done.
    ErrorAfter,
    /// No answer ever, and nothing was done: as if the process had died.
    HangBefore,
    /// No answer ever, and all was done.
    HangAfter,
}

pub(super) const ALL: [Fault; 4] = [
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::HangBefore,
    Fault::HangAfter,
];

/// The plan that all indexes of a test share.
#[derive(Debug, Default)]
pub(super) struct Faults {
    state: Mutex<State>,
    hung: Notify,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    planned: Option<(usize, Fault, ErrorKind)>,
}

impl Faults {
    /// From now on, counts calls from 0 and lets the `call`th go wrong, once.
    pub(super) fn plan(&self, call: usize, fault: Fault, kind: ErrorKind) {
        *self.state.lock().unwrap() = State {
            calls: 0,
            planned: Some((call, fault, kind)),
        };
    }

    /// Nothing goes wrong any more. Gives whether the planned call had come.
    pub(super) fn clear(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let came = state.planned.is_none_or(|(call, ..)| state.calls > call);
        *state = State::default();
        came
    }

    /// Waits until a call hangs.
    pub(super) async fn hung(&self) {
        self.hung.notified().await;
    }

    /// Around the work of one call.
    pub(super) async fn around<T>(&self, work: impl FnOnce() -> T) -> Result<T, PortError> {
        let due = {
            let mut state = self.state.lock().unwrap();
            let call = state.calls;
            state.calls += 1;
            state.planned.filter(|(planned, ..)| *planned == call)
        };
        let error = |kind| PortError::new(kind, "index_down", "the index is down");
        match due {
            None => Ok(work()),
            Some((_, Fault::ErrorBefore, kind)) => Err(error(kind)),
            Some((_, Fault::ErrorAfter, kind)) => {
                work();
                Err(error(kind))
            }
            Some((_, Fault::HangBefore, _)) => self.hang().await,
            Some((_, Fault::HangAfter, _)) => {
                work();
                self.hang().await
            }
        }
    }

    async fn hang<T>(&self) -> T {
        self.hung.notify_one();
        std::future::pending().await
    }
}
