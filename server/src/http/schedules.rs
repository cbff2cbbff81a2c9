//! Schedules: syncs that nobody asks for but the clock.
//!
//! ```text
//! ledger: sources with a schedule ──> due by now? ──> jobs: queued ──> ledger: counts from now
//! ```
//!
//! What is due is decided by [`sources::next_run`] from what the ledger knows, so nothing is lost with the process: what
//! came due while no server ran is asked for at the start, once. A source is never synced twice at a time: a job
//! that waits already is the one that is due, and while one is at work the next is put off until that has ended (it may
//! have passed by what changed since).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lectern_domain::error::chain;
use lectern_domain::{JobState, PortError};
use lectern_ingest::{Cancellation, Source, SyncOptions};
use tokio::sync::Notify;

use super::jobs::Jobs;
use crate::compose::Lectern;
use crate::sources;

/// The longest pause between two looks: the clock may be set meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The pause after which what is put off, or couldn't be asked for, is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// A clock that is set back by less was kept right; by more, it was wrong before, or is now.
const LARGEST_STEP: TimeDelta = TimeDelta::minutes(1);

/// Asks for the syncs that are due.
#[derive(Debug)]
pub struct Schedules {
    lectern: Arc<Lectern>,
    jobs: Arc<Jobs>,
    changed: Notify,
    shutdown: Cancellation,
}

/// What one look at the schedules found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// When the next sync is due that isn't yet.
    pub next: Option<DateTime<Utc>>,
    /// Whether something is due that couldn't be asked for yet.
    pub put_off: bool,
}

impl Schedules {
    /// Nothing is asked for before [`Schedules::work`].
    pub fn new(lectern: Arc<Lectern>, jobs: Arc<Jobs>) -> Self {
        Self {
            lectern,
            jobs,
            changed: Notify::new(),
            shutdown: Cancellation::new(),
        }
    }

    /// Says that a source may have another schedule now.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// From now on nothing is asked for.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Asks for what is due, whenever it is, until [`Schedules::shut_down`].
    pub async fn work(self: Arc<Self>) {
        while !self.shutdown.is_cancelled() {
            let now = Utc::now();
            let pause = match self.ask_for_due(now).await {
                Ok(look) => look.pause(now),
                Err(error) => {
                    tracing::warn!(
                        code = error.code,
                        error = chain(&error),
                        "the schedules can't be looked at"
                    );
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.changed.notified() => {}
                () = self.shutdown.cancelled() => {}
            }
        }
    }

    /// Asks for each sync that is due at `now`.
    pub async fn ask_for_due(&self, now: DateTime<Utc>) -> Result<Look, PortError> {
        let mut look = Look::default();
        for source in self.lectern.ledger.scheduled_sources().await? {
            let Some(due) = sources::next_run(&source, now, &self.lectern.config.ingestion) else {
                continue;
            };
            // Without this, nothing would be due before the clock has come to where it was.
            if source
                .scheduled_from
                .is_some_and(|from| from > now + LARGEST_STEP)
            {
                tracing::warn!(source = %source.id, "the clock was ahead when the schedule was last looked at; it counts from now");
                self.lectern.ledger.note_scheduled_run(source.id, now).await?;
            }
            if due > now {
                look.next = Some(look.next.map_or(due, |next| next.min(due)));
                continue;
            }
            match self.ask(&source, now).await {
                Ok(was_asked) => look.put_off |= !was_asked,
                Err(error) => {
                    tracing::warn!(
                        source = %source.id, code = error.code, error = chain(&error),
                        "a sync is due and can't be asked for"
                    );
                    look.put_off = true;
                }
            }
        }
        Ok(look)
    }

    /// Asks for a sync that is due. Says whether it is asked for; it isn't while one is at work.
    async fn ask(&self, source: &Source, now: DateTime<Utc>) -> Result<bool, PortError> {
        let ledger = &self.lectern.ledger;
        let last = ledger.jobs_of_source(source.id, 1).await?.into_iter().next();
        if last.is_some_and(|job| job.state == JobState::Running) {
            return Ok(false);
        }
        let job = self.jobs.request(source, SyncOptions::default()).await?;
        ledger.note_scheduled_run(source.id, now).await?;
        tracing::info!(source = %source.id, job = %job.id, schedule = %source.settings.schedule, "a sync was due");
        Ok(true)
    }
}

impl Look {
    /// How long until the next look.
    fn pause(self, now: DateTime<Utc>) -> Duration {
        if self.put_off {
            return LOOK_AGAIN;
        }
        // An error is a time that has come meanwhile.
        let until_next = self.next.map(|next| (next - now).to_std().unwrap_or_default());
        until_next.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_pause_lasts_until_something_is_due_and_never_long() {
        let now = Utc::now();
        let after = |milliseconds| Look {
            next: Some(now + TimeDelta::milliseconds(milliseconds)),
            put_off: false,
        };
        assert_eq!(after(1_500).pause(now), Duration::from_millis(1_500));
        assert_eq!(after(-5).pause(now), Duration::ZERO);
        assert_eq!(after(86_400_000).pause(now), LONGEST_PAUSE);
        assert_eq!(Look::default().pause(now), LONGEST_PAUSE);
        let put_off = Look {
            put_off: true,
            ..after(86_400_000)
        };
        assert_eq!(put_off.pause(now), LOOK_AGAIN);
    }
}
