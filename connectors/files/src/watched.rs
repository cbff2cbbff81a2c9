//! The folders of a source that are watched, and what the system tells of them.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::changes::Changes;
use crate::config::FilesConfig;
use crate::connector::FilesConnector;
use crate::error::Error;
use crate::sidecar;
use crate::walk::{Root, walk, walker};

/// The most folders of a source that are watched one by one. The kernel keeps about 1 KB for each.
const MOST_FOLDERS: usize = 10_000;

/// Folders, each of which is watched by itself.
#[derive(Debug)]
pub(crate) struct WatchedFolders {
    config: Arc<FilesConfig>,
    roots: Arc<[Root]>,
    changes: Arc<Changes>,
    watched: Arc<Mutex<HashSet<PathBuf>>>,
    /// `None` where the folders are looked at instead.
    watcher: Option<Mutex<RecommendedWatcher>>,
}

impl WatchedFolders {
    /// Nothing is watched before [`WatchedFolders::watch_all`].
    pub(crate) fn new(connector: &FilesConnector, changes: &Arc<Changes>) -> Result<Self, Error> {
        let (config, roots) = (Arc::clone(&connector.config), Arc::clone(&connector.roots));
        let watched = Arc::<Mutex<HashSet<PathBuf>>>::default();
        let receiver = Receiver {
            roots: Arc::clone(&roots),
            changes: Arc::clone(changes),
            watched: Arc::clone(&watched),
        };
        let watcher = match config.poll_s {
            Some(_) => None,
            None => Some(notify::recommended_watcher(move |event| receiver.receive(event))),
        };
        let watcher = watcher.transpose().map_err(Error::Watch)?;
        Ok(Self {
            config,
            roots,
            changes: Arc::clone(changes),
            watched,
            watcher: watcher.map(Mutex::new),
        })
    }

    /// Watches all folders that can hold documents and aren't watched yet. Says whether the system tells of all of
    /// them now. Waits for the disk.
    pub(crate) fn watch_all(&self) -> bool {
        let Some(watcher) = &self.watcher else {
            return false;
        };
        let mut watcher = lock(watcher);
        self.roots.iter().all(|root| match root.is_file {
            true => root.path.parent().is_some_and(|parent| {
                self.watch(&mut watcher, parent) && lock(&self.watched).contains(parent)
            }),
            false => self.watch_below(&mut watcher, root),
        })
    }

    /// Takes no folder for watched any more: [`WatchedFolders::watch_all`] asks for each again.
    pub(crate) fn forget(&self) {
        lock(&self.watched).clear();
    }

    /// How everything looks in all folders. Waits for the disk.
    pub(crate) fn look(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for root in self.roots.iter() {
            walk(root, &self.config, &mut |event| {
                // Enough to tell one look from another; an error is a look, too.
                hasher.update(format!("{event:?}\n").as_bytes());
                true
            });
        }
        hasher.finalize()
    }

    fn watch_below(&self, watcher: &mut RecommendedWatcher, root: &Root) -> bool {
        for entry in walker(root, &self.config, None).build() {
            let entry = match entry {
                Ok(entry) => entry,
                // A folder that can't be read is told of by the one it lies in, but for the root.
                Err(error) if error.depth() == Some(0) => return false,
                Err(_) => continue,
            };
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if is_folder && !self.watch(watcher, entry.path()) {
                return false;
            }
        }
        // Of a root that isn't there, nothing is told.
        lock(&self.watched).contains(&root.path)
    }

    /// Watches one folder. Says whether the system tells of it now.
    fn watch(&self, watcher: &mut RecommendedWatcher, folder: &Path) -> bool {
        // Put down first: should it go meanwhile, its going takes it away again.
        let mut watched = lock(&self.watched);
        if watched.len() >= MOST_FOLDERS && !watched.contains(folder) {
            tracing::warn!(
                "a source has more than {MOST_FOLDERS} folders, which are looked at from time to time"
            );
            return false;
        }
        if !watched.insert(folder.to_owned()) {
            return true;
        }
        drop(watched);
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                // What came into it before it was watched is found with the next listing.
                self.changes.note_quietly(folder.to_owned());
                true
            }
            Err(error) => {
                lock(&self.watched).remove(folder);
                let is_gone = matches!(error.kind, notify::ErrorKind::PathNotFound);
                if !is_gone {
                    tracing::warn!(%error, "a folder can't be watched; it is looked at from time to time");
                }
                is_gone
            }
        }
    }
}

/// What receives events, on the thread of the watcher.
struct Receiver {
    roots: Arc<[Root]>,
    changes: Arc<Changes>,
    watched: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Receiver {
    fn receive(&self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            lost => {
                tracing::debug!(?lost, "events were lost");
                self.lose_track();
                return;
            }
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
            // Reading is no change; both ends of a renaming were told one by one.
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return,
            _ => {}
        }
        for path in &event.paths {
            self.note(path, event.kind);
        }
    }

    fn note(&self, path: &Path, kind: EventKind) {
        let Some(root) = self.roots.iter().find(|root| concerns(root, path)) else {
            return;
        };
        let name = path.file_name().unwrap_or_default();
        let is_under_root = !root.is_file && path != root.path;
        let is_ignore_file = is_under_root && root.filter.is_ignore_file(name);
        if is_under_root && !is_ignore_file && is_ruled_out(root, path, name) {
            return;
        }
        let has_gone = matches!(
            kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From))
        );
        let is_watched = lock(&self.watched).contains(path);
        if is_ignore_file || path == root.path && !root.is_file || is_watched && has_gone {
            if has_gone {
                lock(&self.watched).retain(|folder| !folder.starts_with(path));
            }
            // Which documents that is about isn't known here.
            self.lose_track();
            return;
        }
        let may_be_folder = matches!(
            kind,
            EventKind::Create(CreateKind::Folder) | EventKind::Modify(ModifyKind::Name(RenameMode::To))
        );
        if may_be_folder && path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            self.changes.note_folders();
        }
        self.changes.note(path.to_owned());
    }

    fn lose_track(&self) {
        self.changes.note_folders();
        self.changes.lose_track();
    }
}

/// Whether an event about `path` can be one about a document of this root.
fn concerns(root: &Root, path: &Path) -> bool {
    if !root.is_file {
        return path.starts_with(&root.path);
    }
    let sidecar = root.path.file_name().map(sidecar::name_of);
    root.path == path || path.parent() == root.path.parent() && path.file_name() == sidecar.as_deref()
}

/// Whether a path can be about no document. A sidecar is read with what it describes, whatever the patterns say of its own name.
fn is_ruled_out(root: &Root, path: &Path, name: &OsStr) -> bool {
    let is_out = |path: &Path| root.filter.rules_out(&root.path, path);
    let described = sidecar::described_by(name);
    is_out(path) && described.is_none_or(|described| is_out(&path.with_file_name(described)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
