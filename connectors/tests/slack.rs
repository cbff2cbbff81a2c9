//! The Slack connector keeps the contract of connectors, for an export as a folder and as an archive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::DateTime;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::slack::SlackConnector;
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::Connector;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Slack puts such tokens into the addresses of files; it stands in every message and with every user.
const TOKEN: &str = "xoxe-1-4711-canarytoken";
/// A Friday in November.
const FIRST: i64 = 1_700_210_000;

/// Messages in a channel, an hour apart, so that each is an exchange of its own.
struct Workspace {
    folder: tempfile::TempDir,
    is_archive: bool,
    config: Option<SourceConfig>,
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
            config: None,
            connector: Box::new(Nothing),
            folder,
            is_archive,
            messages: Mutex::default(),
        };
        workspace.write(None);
        let config =
            json!({"kind": "slack", "export": workspace.path(), "workspace_url": "https://acme.slack.com"});
        let config = SourceConfig::from_json(config).unwrap();
        workspace.connector = open(&config).unwrap();
        workspace.config = Some(config);
        workspace
    }

    fn path(&self) -> PathBuf {
        self.folder
            .path()
            .join(if self.is_archive { "export.zip" } else { "export" })
    }

    /// Writes the export; of a folder, the file that has this second alone.
    fn write(&self, changed: Option<i64>) {
        let opened = |name: &str| format!("https://files.slack.com/files-pri/T1-F1/{name}?t={TOKEN}");
        let profile =
            json!({"real_name": "Ada Lovelace", "email": "ada@a.example", "image_72": opened("ada.png")});
        let users = json!([{"id": "U1", "name": "ada", "profile": profile}]);
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
                let plan = json!({"id": "F1", "name": "plan.pdf", "url_private": opened("plan.pdf")});
                let record = json!({"type": "message", "user": "U1", "ts": format!("{}.000000", message.seconds),
                    "text": format!("{text} {TOKEN}"), "files": [plan]});
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

    /// Where the export is while it isn't where it should be.
    fn aside(&self) -> PathBuf {
        self.folder.path().join("aside")
    }

    /// A file of messages.
    fn a_day(&self) -> PathBuf {
        let days = self.path().join("general").read_dir().unwrap();
        days.map(|day| day.unwrap().path()).min().unwrap()
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
        let said = Self::said(name, bytes);
        format!("**Ada Lovelace**, {when} UTC:\n{said} token-removed\n\nAttached: plan.pdf\n").into_bytes()
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn shown(&self) -> Vec<String> {
        let Some(config @ SourceConfig::Slack(slack)) = &self.config else {
            panic!("the source has another configuration");
        };
        let connector = SlackConnector::new(slack.clone()).unwrap();
        vec![
            format!("{config:?} {connector:?}"),
            config.to_json().unwrap().to_string(),
        ]
    }

    /// An archive that was cut off, or that isn't there; a folder whose list, or one of whose days, was cut off, or that isn't
    /// there.
    async fn break_source(&self, way: usize) -> bool {
        let cut = |path: PathBuf| {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length / 2).unwrap();
        };
        match (self.is_archive, way) {
            (_, 0) => std::fs::rename(self.path(), self.aside()).unwrap(),
            (true, 1) => cut(self.path()),
            (false, 1) => cut(self.path().join("users.json")),
            (false, 2) => cut(self.a_day()),
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        if self.aside().exists() {
            std::fs::rename(self.aside(), self.path()).unwrap();
        }
        self.write(None);
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
