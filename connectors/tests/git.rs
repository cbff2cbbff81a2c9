//! The Git connector keeps the contract of connectors: each document that is put is a commit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "../git/tests/repository/mod.rs"]
mod repository;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::git::GitConnector;
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use repository::{FILE, Id, Repository, Signature};
use serde_json::json;

/// Git writes down such tokens in the addresses of the repositories that it clones and pushes to.
const TOKEN: &str = "glpat-4711/canary+token";

struct Checkout {
    _folder: tempfile::TempDir,
    config: SourceConfig,
    repository: Mutex<Repository>,
    hour: Mutex<i64>,
    connector: Box<dyn Connector>,
    documents: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What lies aside until it is mended, and where it belongs.
    aside: tempfile::TempDir,
    taken: Mutex<Option<PathBuf>>,
}

impl Checkout {
    fn new(is_bare: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = if is_bare {
            Repository::bare(&folder.path().join("checkout"))
        } else {
            Repository::new(&folder.path().join("checkout"))
        };
        let cloned = format!(
            "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://ada:{TOKEN}@a.example/handbook.git\n"
        );
        std::fs::write(repository.git.join("config"), cloned).unwrap();
        let root = folder.path().join("checkout");
        let config = SourceConfig::from_json(json!({"kind": "git", "repository": root})).unwrap();
        Self {
            connector: open(&config).unwrap(),
            config,
            documents: Mutex::default(),
            aside: tempfile::tempdir().unwrap(),
            taken: Mutex::default(),
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

    /// Puts a file or a folder aside until it is mended.
    fn take_away(&self, path: &Path) {
        std::fs::rename(path, self.aside.path().join("taken")).unwrap();
        *self.taken.lock().unwrap() = Some(path.to_owned());
    }

    /// Where the object of a document is.
    fn blob(&self, repository: &Repository) -> PathBuf {
        let documents = self.documents.lock().unwrap();
        repository.loose_path(&repository.blob(documents.values().next_back().unwrap()))
    }

    /// Where the object of a folder is.
    fn tree(&self, repository: &Repository) -> PathBuf {
        const FOLDER: &str = "many/00/";
        let documents = self.documents.lock().unwrap();
        let within = documents.range(FOLDER.to_owned()..);
        let within = within.map_while(|(name, text)| Some((name.strip_prefix(FOLDER)?, text)));
        let entries: Vec<(u32, &[u8], Id)> = within
            .map(|(name, text)| (FILE, name.as_bytes(), repository.blob(text)))
            .collect();
        repository.loose_path(&repository.tree(&entries))
    }
}

#[async_trait]
impl Fixture for Checkout {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let text = Self::text(bytes);
        self.commit(|repository| repository.put(name, &text));
        self.documents.lock().unwrap().insert(name.to_owned(), text);
        name.replace('%', "%25")
    }

    async fn remove(&self, name: &str) {
        self.commit(|repository| repository.remove(name));
        self.documents.lock().unwrap().remove(name);
    }

    fn expected(&self, _name: &str, bytes: &[u8]) -> Vec<u8> {
        Self::text(bytes)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn shown(&self) -> Vec<String> {
        let SourceConfig::Git(git) = &self.config else {
            panic!("the source has another configuration");
        };
        let connector = GitConnector::new(git.clone()).unwrap();
        vec![
            format!("{:?} {connector:?}", self.config),
            self.config.to_json().unwrap().to_string(),
        ]
    }

    /// A disk that isn't there any more, references that are lost, a branch that isn't there, a file that is lost or damaged,
    /// and a folder that is lost from a new commit.
    async fn break_source(&self, way: usize) -> bool {
        let git = self.repository.lock().unwrap().git.clone();
        match way {
            0 => self.take_away(&git),
            1 => self.take_away(&git.join("refs")),
            2 => {
                self.take_away(&git.join("HEAD"));
                std::fs::write(git.join("HEAD"), "ref: refs/heads/none\n").unwrap();
            }
            3 | 4 => {
                let blob = self.blob(&self.repository.lock().unwrap());
                self.take_away(&blob);
                if way == 4 {
                    std::fs::write(blob, "damaged").unwrap();
                }
            }
            5 => {
                self.commit(|_| {});
                let tree = self.tree(&self.repository.lock().unwrap());
                self.take_away(&tree);
            }
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        let was_at = self.taken.lock().unwrap().take().unwrap();
        if was_at.exists() {
            std::fs::remove_file(&was_at).unwrap();
        }
        std::fs::rename(self.aside.path().join("taken"), was_at).unwrap();
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
