//! The Slack connector keeps the contract of connectors, for an export as a folder and as an archive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::DateTime;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A Friday in November.
const FIRST: i64 = 1_700_210_000;

/// Messages in a channel, an hour apart, so that each is an exchange of its own.
struct Workspace {
    folder: tempfile::TempDir,
    is_archive: bool,
    connector: Box<dyn Connector>,
    messages: Mutex<BTreeMap<String, Message>>,
}

struct Message {
    seconds: i64,
    /// Nothing once it was taken away; its hour stays taken.
    text: Option<String>,
}

impl Workspace {
    fn new(is_archive: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut workspace = Self {
            connector: Box::new(Nothing),
            folder,
            is_archive,
            messages: Mutex::default(),
        };
        workspace.write(None);
        let config =
            json!({"kind": "slack", "export": workspace.path(), "workspace_url": "https://acme.slack.com"});
        workspace.connector = open(&SourceConfig::from_json(config).unwrap()).unwrap();
        workspace
    }

    fn path(&self) -> PathBuf {
        self.folder
            .path()
            .join(if self.is_archive { "export.zip" } else { "export" })
    }

    /// Writes the export; of a folder, the file that has this second alone.
    fn write(&self, changed: Option<i64>) {
        let users = json!([{"id": "U1", "name": "ada", "profile": {"real_name": "Ada Lovelace", "email": "ada@a.example"}}]);
        let mut files = BTreeMap::from([
            ("users.json".to_owned(), users),
            (
                "channels.json".to_owned(),
                json!([{"id": "C1", "name": "general", "members": ["U1"]}]),
            ),
        ]);
        for message in self.messages.lock().unwrap().values() {
            let day = DateTime::from_timestamp(message.seconds, 0)
                .unwrap()
                .format("%Y-%m-%d");
            let file = files.entry(format!("general/{day}.json")).or_insert(json!([]));
            if let Some(text) = &message.text {
                let record = json!({"type": "message", "user": "U1", "ts": format!("{}.000000", message.seconds), "text": text});
                file.as_array_mut().unwrap().push(record);
            }
        }
        match self.is_archive {
            true => self.write_archive(&files),
            false => self.write_folder(&files, changed),
        }
    }

    fn write_folder(&self, files: &BTreeMap<String, Value>, changed: Option<i64>) {
        let day = changed.map(|seconds| {
            DateTime::from_timestamp(seconds, 0)
                .unwrap()
                .format("%Y-%m-%d.json")
                .to_string()
        });
        for (name, content) in files {
            if day.as_ref().is_none_or(|day| name.ends_with(day)) {
                let path = self.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content.to_string()).unwrap();
            }
        }
    }

    fn write_archive(&self, files: &BTreeMap<String, Value>) {
        let new = self.folder.path().join("new");
        let mut writer = ZipWriter::new(std::fs::File::create(&new).unwrap());
        for (name, content) in files {
            writer
                .start_file(name.as_str(), SimpleFileOptions::default())
                .unwrap();
            writer.write_all(content.to_string().as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        std::fs::rename(new, self.path()).unwrap();
    }

    fn said(name: &str, bytes: &[u8]) -> String {
        format!("{name}: {}", String::from_utf8_lossy(bytes))
            .trim_end()
            .to_owned()
    }
}

#[async_trait]
impl Fixture for Workspace {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let seconds = {
            let mut messages = self.messages.lock().unwrap();
            let next = FIRST + 3600 * i64::try_from(messages.len()).unwrap();
            let message = messages.entry(name.to_owned()).or_insert(Message {
                seconds: next,
                text: None,
            });
            message.text = Some(Self::said(name, bytes).replace('&', "&amp;"));
            message.seconds
        };
        self.write(Some(seconds));
        format!("C1/{seconds}.000000")
    }

    async fn remove(&self, name: &str) {
        let seconds = {
            let mut messages = self.messages.lock().unwrap();
            let message = messages.get_mut(name).unwrap();
            message.text = None;
            message.seconds
        };
        self.write(Some(seconds));
    }

    fn expected(&self, name: &str, bytes: &[u8]) -> Vec<u8> {
        let seconds = self.messages.lock().unwrap()[name].seconds;
        let when = DateTime::from_timestamp(seconds, 0)
            .unwrap()
            .format("%Y-%m-%d %H:%M");
        format!("**Ada Lovelace**, {when} UTC:\n{}\n", Self::said(name, bytes)).into_bytes()
    }
}

/// Until there is an export to open.
struct Nothing;

#[async_trait]
impl Connector for Nothing {
    fn describe(&self) -> String {
        String::new()
    }

    fn list(
        &self,
        _since: Option<&lectern_domain::ports::Cursor>,
    ) -> futures::stream::BoxStream<'_, Result<lectern_domain::ports::ListEvent, lectern_domain::PortError>>
    {
        Box::pin(futures::stream::empty())
    }

    async fn fetch(
        &self,
        _item: &lectern_domain::ports::SourceItem,
    ) -> Result<lectern_domain::ports::Fetched, lectern_domain::PortError> {
        panic!("there is nothing to fetch")
    }
}

#[tokio::test]
async fn an_unpacked_export_keeps_the_contract() {
    connector_suite(&Workspace::new(false)).await.unwrap();
}

#[tokio::test]
async fn an_archive_keeps_the_contract() {
    connector_suite(&Workspace::new(true)).await.unwrap();
}
