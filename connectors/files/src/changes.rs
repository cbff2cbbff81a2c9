//! What has changed in watched folders, so that a listing can be of that alone.
//!
//! The watch notes each path that the system names ([`Changes::note`]); a listing asks what was noted after the cursor
//! that the last complete one ended with ([`Changes::since`]). Nothing of it outlives the process. A cursor of another
//! process, a change that can't be told exactly (a folder is gone, the system lost events) and too many paths
//! all mean the same: what changed isn't known, and the folders are listed in full.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lectern_domain::ports::Cursor;
use tokio::sync::Notify;
use uuid::Uuid;

/// How many paths are remembered. At 200 bytes each that is 2 MB for a source.
const MOST_PATHS: usize = 10_000;

/// The paths that changed. Shared by a watch and its connector.
#[derive(Debug)]
pub(crate) struct Changes {
    state: Mutex<State>,
    /// Wakes with everything that is noted.
    pub(crate) noted: Notify,
}

#[derive(Debug)]
struct State {
    /// Cursors of another era say nothing.
    era: Uuid,
    /// How many changes were noted in this era.
    count: u64,
    /// Cursors before this one say nothing either.
    forgotten: u64,
    /// The number of each path's last change.
    paths: BTreeMap<PathBuf, u64>,
    /// Whether there may be folders that aren't watched yet.
    folders_changed: bool,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                era: Uuid::now_v7(),
                count: 0,
                forgotten: 0,
                paths: BTreeMap::new(),
                folders_changed: false,
            }),
            noted: Notify::new(),
        }
    }

    /// Notes that something about a path changed: its content, its name, whether it is there.
    pub(crate) fn note(&self, path: PathBuf) {
        self.note_quietly(path);
        self.noted.notify_one();
    }

    /// The same, and nobody is woken: a listing is about to come.
    pub(crate) fn note_quietly(&self, path: PathBuf) {
        let mut state = self.state();
        state.count += 1;
        let count = state.count;
        state.paths.insert(path, count);
        if state.paths.len() > MOST_PATHS {
            state.begin_era();
        }
    }

    /// Notes that anything may have changed.
    pub(crate) fn lose_track(&self) {
        self.state().begin_era();
        self.noted.notify_one();
    }

    /// Notes that folders have come or gone.
    pub(crate) fn note_folders(&self) {
        self.state().folders_changed = true;
        self.noted.notify_one();
    }

    /// Whether folders have come or gone since this was last asked.
    pub(crate) fn take_folders_changed(&self) -> bool {
        std::mem::take(&mut self.state().folders_changed)
    }

    /// The cursor of now: taken before a listing, given at the end of it.
    pub(crate) fn cursor(&self) -> Cursor {
        let state = self.state();
        Cursor(format!("{} {}", state.era, state.count))
    }

    /// The paths that were noted after `cursor`; nothing where that isn't known. What was noted before
    /// is forgotten.
    pub(crate) fn since(&self, cursor: &Cursor) -> Option<BTreeSet<PathBuf>> {
        let (era, count) = cursor.0.split_once(' ')?;
        let count: u64 = count.parse().ok()?;
        let mut state = self.state();
        if era != state.era.to_string() || count < state.forgotten || count > state.count {
            return None;
        }
        state.forgotten = count;
        state.paths.retain(|_, noted| *noted > count);
        Some(state.paths.keys().cloned().collect())
    }

    /// Whether a change of `path` is noted.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.state().paths.contains_key(path)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin_era(&mut self) {
        self.era = Uuid::now_v7();
        self.count = 0;
        self.forgotten = 0;
        self.paths.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn since(changes: &Changes, cursor: &Cursor) -> Option<Vec<PathBuf>> {
        changes.since(cursor).map(|paths| paths.into_iter().collect())
    }

    #[test]
    fn a_cursor_tells_what_came_after_it_as_often_as_it_is_asked() {
        let changes = Changes::new();
        changes.note("a".into());
        let first = changes.cursor();
        changes.note("b".into());
        changes.note("a".into());
        for _ in 0..2 {
            assert_eq!(since(&changes, &first).unwrap(), [Path::new("a"), Path::new("b")]);
        }
        let second = changes.cursor();
        assert_eq!(since(&changes, &second).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(since(&changes, &first), None, "what it stands for is forgotten");
    }

    #[test]
    fn what_is_not_known_exactly_is_not_known_at_all() {
        let changes = Changes::new();
        let cursor = changes.cursor();
        for other in [
            "",
            "x",
            "x 1",
            &format!("{}9", cursor.0),
            &Changes::new().cursor().0,
        ] {
            assert_eq!(since(&changes, &Cursor(other.to_owned())), None, "{other:?}");
        }
        changes.lose_track();
        assert_eq!(since(&changes, &cursor), None);

        let cursor = changes.cursor();
        for number in 0..=MOST_PATHS {
            changes.note(number.to_string().into());
        }
        assert_eq!(since(&changes, &cursor), None, "too many to remember");
    }
}
