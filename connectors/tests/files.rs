//! The files connector keeps the contract of connectors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::files::{FilesConfig, FolderWatch, WatchTiming};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::json;
use tokio::sync::Mutex;

struct Folder {
    folder: tempfile::TempDir,
    connector: Box<dyn Connector>,
}

#[async_trait]
impl Fixture for Folder {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        name.replace('%', "%25")
    }

    async fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    /// A disk that isn't there any more, and an ignore file that can't be understood.
    async fn break_source(&self, way: usize) -> bool {
        match way {
            0 => std::fs::rename(self.folder.path(), self.aside()).unwrap(),
            1 => std::fs::write(self.folder.path().join(".lecternignore"), "{a,b").unwrap(),
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        if self.aside().exists() {
            std::fs::rename(self.aside(), self.folder.path()).unwrap();
        } else {
            std::fs::remove_file(self.folder.path().join(".lecternignore")).unwrap();
        }
    }
}

impl Folder {
    fn aside(&self) -> std::path::PathBuf {
        self.folder.path().with_extension("aside")
    }
}

#[tokio::test]
async fn the_files_connector_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let config = SourceConfig::from_json(json!({"kind": "files", "roots": [folder.path()]})).unwrap();
    let connector = open(&config).unwrap();
    connector_suite(&Folder { folder, connector }).await.unwrap();
}

/// A folder that is watched, so that its listings can be of what changed.
struct Watched {
    folder: tempfile::TempDir,
    connector: Arc<dyn Connector>,
    watch: Mutex<FolderWatch>,
    markers: AtomicU32,
}

impl Watched {
    /// Waits until the watch has told of everything that was done before this. Twice: a folder that came is watched by the
    /// burst after the one that told of it, and before that nobody lists.
    async fn told(&self) {
        let mut watch = self.watch.lock().await;
        for _ in 0..2 {
            let number = self.markers.fetch_add(1, Ordering::Relaxed);
            let marker = self.folder.path().join(format!("marker-{number}"));
            std::fs::write(&marker, "x").unwrap();
            std::fs::remove_file(&marker).unwrap();
            loop {
                watch.burst().await;
                if watch.has_noted(&marker) {
                    break;
                }
            }
        }
    }
}

#[async_trait]
impl Fixture for Watched {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self.told().await;
        name.replace('%', "%25")
    }

    async fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
        self.told().await;
    }
}

#[tokio::test]
async fn a_watched_folder_keeps_the_contract_with_cursors() {
    let folder = tempfile::tempdir().unwrap();
    let timing = WatchTiming {
        quiet: Duration::from_millis(1),
        ..WatchTiming::default()
    };
    let config = FilesConfig::new(vec![folder.path().to_owned()]);
    let watch = FolderWatch::new(config, timing).await.unwrap();
    let watched = Watched {
        folder,
        connector: watch.connector(),
        watch: Mutex::new(watch),
        markers: AtomicU32::new(0),
    };
    connector_suite(&watched).await.unwrap();
}
