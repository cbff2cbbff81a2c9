//! Watching folders: a saved file is known to the next listing at once.
//!
//! ```text
//! inotify ──> events ──> Changes (paths) ──> a burst, once it is quiet ──> whoever asks for a sync
//! ```
//!
//! Each folder that can hold documents is watched by itself (`notify`), up to 10,000 of them ([`crate::watched`]): so what is left
//! out costs no watch, and the number is bounded. Events are no more than a hint. They can be lost, so every
//! [`WatchTiming::sweep`] the folders are listed in full; and where the system tells nothing (NFS, SMB), has no room for more watches, or the
//! source asks for it, the folders are looked at every [`WatchTiming::poll`], and a burst is what looks another way
//! than before.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lectern_domain::ports::Connector;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::changes::Changes;
use crate::config::FilesConfig;
use crate::connector::FilesConnector;
use crate::error::Error;
use crate::watched::WatchedFolders;

/// A look at all folders may take one part in so many of the time.
const LOOKING_SHARE: u32 = 20;

/// When a watch speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchTiming {
    /// A burst has ended when nothing has changed for so long.
    pub quiet: Duration,
    /// One that doesn't end is told after so long.
    pub longest: Duration,
    /// The folders are listed in full so often, whatever was told.
    pub sweep: Duration,
    /// The folders are looked at so often where nothing is told.
    pub poll: Duration,
}

impl Default for WatchTiming {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(250),
            longest: Duration::from_secs(2),
            sweep: Duration::from_secs(60 * 60),
            poll: Duration::from_secs(30),
        }
    }
}

/// Watched folders. Dropping it ends the watch.
#[derive(Debug)]
pub struct FolderWatch {
    connector: FilesConnector,
    changes: Arc<Changes>,
    folders: Arc<WatchedFolders>,
    timing: WatchTiming,
    /// Whether the system tells of all of them.
    is_told: bool,
    next_sweep: Instant,
    next_look: Instant,
    /// How the folders looked last, where they are looked at.
    seen: Option<blake3::Hash>,
}

impl FolderWatch {
    /// Watches the folders of a source from now on.
    pub async fn new(config: FilesConfig, timing: WatchTiming) -> Result<Self, Error> {
        let poll = config
            .poll_s
            .map(|seconds| Duration::from_secs(seconds.max(1).into()));
        let timing = WatchTiming {
            poll: poll.unwrap_or(timing.poll),
            ..timing
        };
        let changes = Arc::new(Changes::new());
        let noted = Arc::clone(&changes);
        let opened = spawn_blocking(move || {
            let connector = FilesConnector::new(config)?.with_changes(Arc::clone(&noted));
            let folders = WatchedFolders::new(&connector, &noted)?;
            Ok((connector, Arc::new(folders)))
        });
        let (connector, folders) = opened.await.map_err(Error::ThreadEnded)??;
        let now = Instant::now();
        let mut watch = Self {
            connector,
            changes,
            folders,
            timing,
            is_told: false,
            next_sweep: now + timing.sweep,
            next_look: now,
            seen: None,
        };
        watch.watch_folders().await;
        watch.look().await;
        Ok(watch)
    }

    /// The source, whose listings of changes come from this watch.
    pub fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(self.connector.clone())
    }

    /// Whether a change of `path` has arrived that no listing has taken yet.
    pub fn has_noted(&self, path: &Path) -> bool {
        self.changes.has(path)
    }

    /// Waits until something may have changed and it is quiet again: time for a sync.
    pub async fn burst(&mut self) {
        loop {
            tokio::select! {
                () = self.changes.noted.notified() => {
                    self.until_quiet().await;
                    if self.changes.take_folders_changed() {
                        self.watch_folders().await;
                    }
                    return;
                }
                () = sleep_until(self.next_sweep) => {
                    self.next_sweep = Instant::now() + self.timing.sweep;
                    self.folders.forget();
                    self.watch_folders().await;
                    self.changes.lose_track();
                    return;
                }
                () = sleep_until(self.next_look), if !self.is_told => {
                    if self.look().await {
                        self.watch_folders().await;
                        self.changes.lose_track();
                        return;
                    }
                }
            }
        }
    }

    async fn until_quiet(&self) {
        let latest = Instant::now() + self.timing.longest;
        loop {
            let more = timeout(self.timing.quiet, self.changes.noted.notified());
            if !matches!(timeout_at(latest, more).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Watches the folders that aren't yet.
    async fn watch_folders(&mut self) {
        let folders = Arc::clone(&self.folders);
        // Where the thread was lost, nobody knows what is watched; then the folders are looked at.
        self.is_told = spawn_blocking(move || folders.watch_all()).await.unwrap_or(false);
    }

    /// Looks at all folders, where nothing tells of them. Says whether they look another way than before.
    async fn look(&mut self) -> bool {
        if self.is_told {
            self.seen = None;
            return false;
        }
        let begun = Instant::now();
        let folders = Arc::clone(&self.folders);
        let seen = spawn_blocking(move || folders.look()).await.ok();
        let took = begun.elapsed();
        self.next_look = Instant::now() + self.timing.poll.max(took * LOOKING_SHARE);
        let before = std::mem::replace(&mut self.seen, seen);
        before != seen
    }
}
