//! The mailbox connector keeps the contract of connectors, for an mbox, a Maildir and a folder of messages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::DateTime;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::json;

/// A Friday in November.
const FIRST: i64 = 1_700_210_000;

/// What a message is kept in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Mbox,
    Maildir,
    Folder,
}

/// A mailbox of messages that have nothing to do with each other.
struct Mailbox {
    _folder: tempfile::TempDir,
    root: PathBuf,
    form: Form,
    connector: Box<dyn Connector>,
    /// By name: when it was written, and the message.
    messages: Mutex<BTreeMap<String, (i64, Option<String>)>>,
    /// Where what lies aside belongs.
    taken: Mutex<Option<PathBuf>>,
}

impl Mailbox {
    fn new(form: Form) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mail");
        match form {
            Form::Mbox => std::fs::write(&root, "").unwrap(),
            Form::Folder => std::fs::create_dir(&root).unwrap(),
            Form::Maildir => {
                for part in ["cur", "new", "tmp"] {
                    std::fs::create_dir_all(root.join(part)).unwrap();
                }
            }
        }
        let config = json!({"kind": "mail", "roots": [root]});
        Self {
            connector: open(&SourceConfig::from_json(config).unwrap()).unwrap(),
            _folder: folder,
            root,
            form,
            messages: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    fn aside(&self) -> PathBuf {
        self.root.with_extension("aside")
    }

    /// Puts a file or a folder aside until it is mended.
    fn take_away(&self, path: &Path) {
        std::fs::rename(path, self.aside()).unwrap();
        *self.taken.lock().unwrap() = Some(path.to_owned());
    }

    /// Where the message of that name is, where each has a file.
    fn path(&self, seconds: i64) -> PathBuf {
        match self.form {
            Form::Mbox => self.root.clone(),
            Form::Maildir => self.root.join("cur").join(format!("{seconds}.M1.host:2,S")),
            Form::Folder => self.root.join(format!("{seconds}.eml")),
        }
    }

    fn write(&self, name: &str) {
        let messages = self.messages.lock().unwrap();
        let (seconds, message) = &messages[name];
        let path = self.path(*seconds);
        if self.form == Form::Mbox {
            let all = messages.values().filter_map(|(_, message)| message.as_ref());
            let mbox: String = all
                .map(|message| format!("From a@a.example Fri Nov 17 10:00:00 2023\n{message}\n"))
                .collect();
            return std::fs::write(path, mbox).unwrap();
        }
        match message {
            None => std::fs::remove_file(path).unwrap(),
            // As programs that deliver mail do it.
            Some(message) => {
                let new = self.root.parent().unwrap().join("new");
                std::fs::write(&new, message).unwrap();
                std::fs::rename(new, path).unwrap();
            }
        }
    }

    fn said(name: &str, bytes: &[u8]) -> String {
        format!("{name}: {}", String::from_utf8_lossy(bytes).replace('\0', ""))
    }
}

fn date(seconds: i64, form: &str) -> String {
    DateTime::from_timestamp(seconds, 0)
        .unwrap()
        .format(form)
        .to_string()
}

#[async_trait]
impl Fixture for Mailbox {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let id = format!("{}@a.example", blake3::hash(name.as_bytes()).to_hex());
        {
            let mut messages = self.messages.lock().unwrap();
            let next = FIRST + 3600 * i64::try_from(messages.len()).unwrap();
            let entry = messages.entry(name.to_owned()).or_insert((next, None));
            entry.1 = Some(format!(
                "From: Ada Lovelace <ada@a.example>\nTo: bo@a.example\nSubject: Note\nMessage-ID: <{id}>\nDate: {}\n\
                 Content-Type: text/plain; charset=utf-8\n\n{}\n",
                date(entry.0, "%a, %d %b %Y %H:%M:%S +0000"),
                Self::said(name, bytes)
            ));
        }
        self.write(name);
        format!("threads/{}/1", &blake3::hash(id.as_bytes()).to_hex()[..32])
    }

    async fn remove(&self, name: &str) {
        self.messages.lock().unwrap().get_mut(name).unwrap().1 = None;
        self.write(name);
    }

    fn expected(&self, name: &str, bytes: &[u8]) -> Vec<u8> {
        let seconds = self.messages.lock().unwrap()[name].0;
        format!(
            "# Note\n\nParticipants: Ada Lovelace, bo@a.example\nDate: {}\n\n## Ada Lovelace, {} UTC\n\nTo: bo@a.example\n\n{}\n",
            date(seconds, "%Y-%m-%d"),
            date(seconds, "%Y-%m-%d %H:%M"),
            Self::said(name, bytes).trim_end()
        )
        .into_bytes()
    }

    /// A disk that isn't there any more, a root that can't be opened, an mbox that has zeros in the place of its messages, as
    /// after a crash, and a Maildir that has lost a part.
    async fn break_source(&self, way: usize) -> bool {
        match (self.form, way) {
            (_, 0) => self.take_away(&self.root),
            (_, 1) => {
                self.take_away(&self.root);
                std::os::unix::fs::symlink(&self.root, &self.root).unwrap();
            }
            (Form::Mbox, 2) => {
                self.take_away(&self.root);
                std::fs::write(&self.root, [0; 4096]).unwrap();
            }
            (Form::Maildir, 2) => self.take_away(&self.root.join("cur")),
            (Form::Maildir, 3) => {
                self.take_away(&self.root.join("cur"));
                std::fs::write(self.root.join("cur"), "").unwrap();
            }
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        let was_at = self.taken.lock().unwrap().take().unwrap();
        if was_at.symlink_metadata().is_ok() {
            std::fs::remove_file(&was_at).unwrap();
        }
        std::fs::rename(self.aside(), was_at).unwrap();
    }
}

#[tokio::test]
async fn an_mbox_keeps_the_contract() {
    connector_suite(&Mailbox::new(Form::Mbox)).await.unwrap();
}

#[tokio::test]
async fn a_maildir_keeps_the_contract() {
    connector_suite(&Mailbox::new(Form::Maildir)).await.unwrap();
}

#[tokio::test]
async fn a_folder_of_messages_keeps_the_contract() {
    connector_suite(&Mailbox::new(Form::Folder)).await.unwrap();
}

#[test]
fn a_mailbox_that_is_not_there_does_not_open() {
    let config = json!({"kind": "mail", "roots": [Path::new("/there/is/no/such/mailbox")]});
    let error = open(&SourceConfig::from_json(config).unwrap()).err().unwrap();
    assert_eq!(error.code(), "path_not_found");
}
