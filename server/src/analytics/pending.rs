//! Notes that wait to be written: in memory, and no more than a bound.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use metrics::gauge;
use tokio::sync::Notify;

use super::note::{SearchNote, TimedNote};

/// The most notes that wait. They are written five times a second, so this is 20,000 searches a second.
pub(super) const MOST: usize = 4_096;
/// The gauge of notes that wait.
const WAITING: &str = "lectern_analytics_waiting";

/// Notes that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Pending {
    notes: Mutex<Vec<TimedNote>>,
    noted: Notify,
}

impl Pending {
    /// Adds a note. False where too many wait.
    pub(super) fn add(&self, note: SearchNote, at: DateTime<Utc>) -> bool {
        let waiting = {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.len() >= MOST {
                return false;
            }
            notes.push(TimedNote { note, at });
            notes.len()
        };
        gauge!(WAITING).set(waiting as f64);
        self.noted.notify_one();
        true
    }

    /// Takes all notes, oldest first.
    pub(super) fn take(&self) -> Vec<TimedNote> {
        let notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        if !notes.is_empty() {
            gauge!(WAITING).set(0.0);
        }
        notes
    }

    /// Waits until there may be a note.
    pub(super) async fn noted(&self) {
        self.noted.notified().await;
    }
}
