//! The Git connector keeps the contract of connectors: each document that is put is a commit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "../git/tests/repository/mod.rs"]
mod repository;

use std::sync::Mutex;

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use repository::{Repository, Signature};
use serde_json::json;

struct Checkout {
    _folder: tempfile::TempDir,
    repository: Mutex<Repository>,
    hour: Mutex<i64>,
    connector: Box<dyn Connector>,
}

impl Checkout {
    fn new(is_bare: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = if is_bare {
            Repository::bare(folder.path())
        } else {
            Repository::new(folder.path())
        };
        let config = json!({"kind": "git", "repository": folder.path()});
        Self {
            connector: open(&SourceConfig::from_json(config).unwrap()).unwrap(),
            repository: Mutex::new(repository),
            hour: Mutex::default(),
            _folder: folder,
        }
    }

    /// What is written down of these bytes: only text is read, so of others it's how they look.
    fn text(bytes: &[u8]) -> Vec<u8> {
        if bytes.contains(&0) {
            format!("{bytes:?}").into_bytes()
        } else {
            bytes.to_vec()
        }
    }

    fn commit(&self, change: impl FnOnce(&Repository)) {
        let repository = self.repository.lock().unwrap();
        let mut hour = self.hour.lock().unwrap();
        *hour += 1;
        change(&repository);
        repository.commit_to_main(Signature::new("Ada Lovelace", *hour));
    }
}

#[async_trait]
impl Fixture for Checkout {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        self.commit(|repository| repository.put(name, &Self::text(bytes)));
        name.replace('%', "%25")
    }

    async fn remove(&self, name: &str) {
        self.commit(|repository| repository.remove(name));
    }

    fn expected(&self, _name: &str, bytes: &[u8]) -> Vec<u8> {
        Self::text(bytes)
    }
}

#[tokio::test]
async fn a_checkout_keeps_the_contract() {
    connector_suite(&Checkout::new(false)).await.unwrap();
}

#[tokio::test]
async fn a_bare_repository_keeps_the_contract() {
    connector_suite(&Checkout::new(true)).await.unwrap();
}
