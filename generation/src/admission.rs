//! Who may have an answer written now, who waits, and who is asked to come back.
//!
//! An engine on a CPU writes one or two answers at a time; two at once take twice as long each. So
//! there is a bounded line in front of it. A question first takes a [`Ticket`], which costs nothing and
//! fails at once when the line is full; the reader gets the sources; then the ticket waits for its
//! [`Permit`], first come, first served. Dropping either gives the place to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Bounds of an [`Admission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionSettings {
    /// Answers that are written at the same time.
    pub running: usize,
    /// Questions that wait for that.
    pub waiting: usize,
}

impl Default for AdmissionSettings {
    /// One at a time, and 16 that wait.
    fn default() -> Self {
        Self {
            running: 1,
            waiting: 16,
        }
    }
}

/// The line in front of a generator. Clones stand for the same line.
#[derive(Clone, Debug)]
pub struct Admission {
    settings: AdmissionSettings,
    permits: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
}

/// A place in the line.
#[derive(Debug)]
pub struct Ticket {
    permits: Arc<Semaphore>,
    place: Place,
    waiting: GaugeGuard,
}

/// The right to use the generator.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    _place: Place,
    _running: GaugeGuard,
}

impl Admission {
    /// An empty line. At least one answer is written at a time, whatever `settings` says.
    pub fn new(settings: AdmissionSettings) -> Self {
        let settings = AdmissionSettings {
            running: settings.running.max(1),
            ..settings
        };
        Self {
            settings,
            permits: Arc::new(Semaphore::new(settings.running)),
            inside: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Takes a place in the line.
    ///
    /// # Errors
    /// [`Error::Busy`], at once, when the line is full.
    pub fn enter(&self) -> Result<Ticket, Error> {
        let room = self.settings.running + self.settings.waiting;
        let taken = self
            .inside
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |inside| {
                (inside < room).then_some(inside + 1)
            });
        if taken.is_err() {
            counter!("lectern_answers_refused_total").increment(1);
            return Err(Error::Busy {
                running: self.settings.running,
                waiting: self.settings.waiting,
            });
        }
        Ok(Ticket {
            permits: Arc::clone(&self.permits),
            place: Place(Arc::clone(&self.inside)),
            waiting: GaugeGuard::new("lectern_answers_waiting"),
        })
    }

    /// Questions in the line and answers being written, together.
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Acquire)
    }
}

impl Ticket {
    /// Waits for its turn.
    ///
    /// # Errors
    /// [`Error::Busy`] where the line was closed, which happens only when the process ends.
    pub async fn turn(self) -> Result<Permit, Error> {
        let Self {
            permits,
            place,
            waiting,
        } = self;
        let permit = permits.acquire_owned().await.map_err(|_closed| Error::Busy {
            running: 0,
            waiting: 0,
        })?;
        drop(waiting);
        Ok(Permit {
            _permit: permit,
            _place: place,
            _running: GaugeGuard::new("lectern_answers_running"),
        })
    }
}

/// Counts one as long as it lives.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
struct GaugeGuard(&'static str);

impl GaugeGuard {
    fn new(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_line_is_bounded_and_first_come_is_first_served() {
        let admission = Admission::new(AdmissionSettings {
            running: 1,
            waiting: 2,
        });
        let first = admission.enter().unwrap().turn().await.unwrap();
        let mut second = Box::pin(admission.enter().unwrap().turn());
        let mut third = Box::pin(admission.enter().unwrap().turn());
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        assert_eq!(admission.enter().unwrap_err().code(), "generator_busy");

        drop(first);
        assert!((&mut third).now_or_never().is_none());
        let second = second.now_or_never().unwrap().unwrap();
        assert_eq!(admission.inside(), 2);
        drop(second);
        assert!(third.now_or_never().is_some());
        assert_eq!(admission.inside(), 0);
    }

    #[tokio::test]
    async fn who_leaves_the_line_makes_room() {
        let admission = Admission::new(AdmissionSettings {
            running: 1,
            waiting: 1,
        });
        let running = admission.enter().unwrap().turn().await.unwrap();
        let mut waiting = Box::pin(admission.enter().unwrap().turn());
        assert!((&mut waiting).now_or_never().is_none());
        drop(waiting);
        let next = admission.enter().unwrap();
        drop(running);
        assert!(next.turn().now_or_never().is_some());
    }
}
