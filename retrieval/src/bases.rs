//! Directories of an index: one per knowledge base, opened when first used, and the longest unused
//! closed when many are open.
//!
//! Both embedded engines are used through this. An engine is behind a read-write lock: whoever reads
//! or writes holds the read side (the engines do their own locking), and only closing and removing
//! take the write side, so neither pulls a directory away from under a search.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lectern_domain::KnowledgeBaseId;

use crate::error::Error;

/// Most knowledge bases that are open at a time. An open one costs file handles, memory maps and, if
/// it was written to, a writer.
const MOST_OPEN: usize = 64;

/// Below this the engines are not written to: they write through memory maps, and a map that can't
/// grow on a full disk kills the process.
const LEAST_FREE_BYTES: u64 = 64 << 20;

/// What opens an engine in a directory: makes a new one, or opens the one that is there.
type Opener<T> = Box<dyn Fn(&Path) -> Result<T, Error> + Send + Sync>;

pub(crate) struct Bases<T> {
    index: &'static str,
    root: PathBuf,
    open: Opener<T>,
    slots: Mutex<HashMap<KnowledgeBaseId, Arc<Slot<T>>>>,
    clock: AtomicU64,
    most_open: usize,
}

struct Slot<T> {
    engine: RwLock<Option<T>>,
    last_used: AtomicU64,
}

/// Whether a knowledge base that isn't there is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    Create,
    Skip,
}

impl<T> Bases<T> {
    /// Makes the root directory if it isn't there. Nothing is opened yet.
    pub(crate) fn new(
        index: &'static str,
        root: PathBuf,
        open: impl Fn(&Path) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(&root)
            .map_err(|error| io_error(index, "create a directory", &root, error))?;
        Ok(Self {
            index,
            root,
            open: Box::new(open),
            slots: Mutex::default(),
            clock: AtomicU64::new(0),
            most_open: MOST_OPEN,
        })
    }

    #[cfg(test)]
    pub(crate) fn with_most_open(mut self, most_open: usize) -> Self {
        self.most_open = most_open;
        self
    }

    /// Where a knowledge base lies.
    pub(crate) fn directory(&self, base: KnowledgeBaseId) -> PathBuf {
        self.root.join(base.to_string())
    }

    /// Works with the engine of a knowledge base, opening it if need be. `None` where there is none
    /// and `absent` says to skip.
    pub(crate) fn with<R>(
        &self,
        base: KnowledgeBaseId,
        absent: Absent,
        work: impl FnOnce(&T) -> Result<R, Error>,
    ) -> Result<Option<R>, Error> {
        let slot = self.slot(base);
        let directory = self.directory(base);
        if absent == Absent::Create {
            self.require_space()?;
        }
        loop {
            {
                let engine = slot.engine.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(engine) = engine.as_ref() {
                    return work(engine).map(Some);
                }
            }
            if absent == Absent::Skip && !directory.is_dir() {
                return Ok(None);
            }
            let mut engine = slot.engine.write().unwrap_or_else(PoisonError::into_inner);
            if engine.is_none() {
                std::fs::create_dir_all(&directory)
                    .map_err(|error| io_error(self.index, "create a directory", &directory, error))?;
                *engine = Some((self.open)(&directory)?);
            }
            drop(engine);
            self.close_longest_unused(base);
        }
    }

    /// Closes a knowledge base, if it is open. The next use opens it again.
    pub(crate) fn close(&self, base: KnowledgeBaseId) {
        let slot = self.slot(base);
        slot.engine.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Closes a knowledge base and removes its directory. Waits for whoever is at work in it.
    pub(crate) fn remove(&self, base: KnowledgeBaseId) -> Result<(), Error> {
        let slot = self.slot(base);
        let mut engine = slot.engine.write().unwrap_or_else(PoisonError::into_inner);
        engine.take();
        let directory = self.directory(base);
        match std::fs::remove_dir_all(&directory) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error(self.index, "remove the directory", &directory, error)),
        }
    }

    fn slot(&self, base: KnowledgeBaseId) -> Arc<Slot<T>> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(base).or_insert_with(|| {
            Arc::new(Slot {
                engine: RwLock::new(None),
                last_used: AtomicU64::new(now),
            })
        });
        slot.last_used.store(now, Ordering::Relaxed);
        Arc::clone(slot)
    }

    /// Closes what is open beyond the bound, if nobody is at work in it, and forgets empty slots.
    fn close_longest_unused(&self, just_opened: KnowledgeBaseId) {
        let mut open: Vec<_> = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            // A slot in nobody's hands but the map's can only be handed out under this lock.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || is_open(slot));
            slots
                .iter()
                .filter(|(base, slot)| **base != just_opened && is_open(slot))
                .map(|(_, slot)| Arc::clone(slot))
                .collect()
        };
        let surplus = (open.len() + 1).saturating_sub(self.most_open);
        open.sort_by_key(|slot| slot.last_used.load(Ordering::Relaxed));
        for slot in open.into_iter().take(surplus) {
            if let Ok(mut engine) = slot.engine.try_write() {
                engine.take();
            }
        }
    }

    fn require_space(&self) -> Result<(), Error> {
        let Ok(space) = rustix::fs::statvfs(&self.root) else {
            return Ok(());
        };
        if space.f_bavail.saturating_mul(space.f_frsize) < LEAST_FREE_BYTES {
            return Err(Error::NoSpace {
                index: self.index,
                place: self.root.display().to_string(),
                cause: None,
            });
        }
        Ok(())
    }
}

/// Whether an engine is there; one that is locked is in use, and so it is.
fn is_open<T>(slot: &Slot<T>) -> bool {
    slot.engine.try_read().map_or(true, |engine| engine.is_some())
}

/// An error of the file system, with a full disk told apart.
pub(crate) fn io_error(
    index: &'static str,
    action: &'static str,
    place: &Path,
    error: std::io::Error,
) -> Error {
    let place = place.display().to_string();
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::NoSpace {
            index,
            place,
            cause: Some(Box::new(error)),
        };
    }
    Error::Index {
        index,
        action,
        place,
        cause: Box::new(error),
    }
}

impl<T: Send + Sync + 'static> Bases<T> {
    /// [`Bases::with`] on a thread that may wait: for the engines, which know nothing of tasks.
    pub(crate) async fn at_work<R: Send + 'static>(
        self: &Arc<Self>,
        action: &'static str,
        base: KnowledgeBaseId,
        absent: Absent,
        work: impl FnOnce(&T) -> Result<R, Error> + Send + 'static,
    ) -> Result<Option<R>, Error> {
        let bases = Arc::clone(self);
        blocking(action, move || bases.with(base, absent, work)).await
    }
}

/// Runs work that blocks on a thread where that is allowed. A panic of an engine ends here.
pub(crate) async fn blocking<R: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::Panicked {
            action,
            cause: match error.try_into_panic() {
                Ok(panic) => crate::error::panic_text(panic.as_ref()).into(),
                Err(error) => Box::new(error),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(root: &Path) -> Bases<PathBuf> {
        Bases::new("words", root.to_owned(), |directory| Ok(directory.to_owned())).unwrap()
    }

    fn open_count(bases: &Bases<PathBuf>) -> usize {
        bases
            .slots
            .lock()
            .unwrap()
            .values()
            .filter(|slot| is_open(slot))
            .count()
    }

    #[test]
    fn what_is_not_there_is_not_made_by_reading() {
        let root = tempfile::tempdir().unwrap();
        let bases = bases(root.path());
        let base = KnowledgeBaseId::generate();
        assert!(bases.with(base, Absent::Skip, |_| Ok(())).unwrap().is_none());
        assert!(!bases.directory(base).exists());
        assert!(bases.with(base, Absent::Create, |_| Ok(())).unwrap().is_some());
        assert!(bases.with(base, Absent::Skip, |_| Ok(())).unwrap().is_some());
    }

    #[test]
    fn the_longest_unused_is_closed_and_opens_again() {
        let root = tempfile::tempdir().unwrap();
        let bases = bases(root.path()).with_most_open(2);
        let all: Vec<_> = (0..5).map(|_| KnowledgeBaseId::generate()).collect();
        for base in &all {
            bases.with(*base, Absent::Create, |_| Ok(())).unwrap();
            assert!(open_count(&bases) <= 2);
        }
        let directory = bases
            .with(all[0], Absent::Skip, |engine| Ok(engine.clone()))
            .unwrap();
        assert_eq!(directory, Some(bases.directory(all[0])));
    }

    #[test]
    fn an_engine_at_work_is_not_closed() {
        let root = tempfile::tempdir().unwrap();
        let bases = bases(root.path()).with_most_open(1);
        let (first, second) = (KnowledgeBaseId::generate(), KnowledgeBaseId::generate());
        bases
            .with(first, Absent::Create, |_| {
                bases.with(second, Absent::Create, |_| Ok(()))?;
                assert_eq!(open_count(&bases), 2);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn what_was_removed_is_gone_and_can_be_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let bases = bases(root.path());
        let base = KnowledgeBaseId::generate();
        bases.with(base, Absent::Create, |_| Ok(())).unwrap();
        bases.remove(base).unwrap();
        assert!(bases.with(base, Absent::Skip, |_| Ok(())).unwrap().is_none());
        bases.remove(base).unwrap();
        bases.with(base, Absent::Create, |_| Ok(())).unwrap();
        assert!(bases.directory(base).is_dir());
    }
}
