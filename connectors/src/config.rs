//! The registry: which kinds of sources there are.

use lectern_connector_files::{FilesConfig, FilesConnector, FolderWatch, WatchTiming};
use lectern_connector_git::{GitConfig, GitConnector};
use lectern_connector_mail::{MailConfig, MailConnector};
use lectern_connector_s3::{S3Config, S3Connector};
use lectern_connector_slack::{SlackConfig, SlackConnector};
use lectern_connector_web::{WebConfig, WebConnector};
use lectern_domain::ports::Connector;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::plain;

/// The configuration of a source, told apart by its `kind`:
/// `{"kind": "files", "roots": ["/srv/handbook"]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceConfig {
    /// Folders and files of this machine.
    Files(FilesConfig),
    /// What is committed to a Git repository of this machine.
    Git(GitConfig),
    /// mbox files, Maildir folders, and folders of messages.
    Mail(MailConfig),
    /// Buckets of S3 and of what is like it.
    S3(Box<S3Config>),
    /// An export of a Slack workspace.
    Slack(SlackConfig),
    /// A web site.
    Web(Box<WebConfig>),
}

impl SourceConfig {
    /// Reads a configuration. An unknown kind and an unknown key are errors that name it; one with a secret in it is
    /// refused before anything else is said of it.
    pub fn from_json(json: serde_json::Value) -> Result<Self, Error> {
        let config = serde_json::from_value(json)?;
        plain::refuse(&config)?;
        Ok(config)
    }

    /// The configuration as it is stored.
    pub fn to_json(&self) -> Result<serde_json::Value, Error> {
        Ok(serde_json::to_value(self)?)
    }

    /// The kind, as it is stored beside the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Files(_) => "files",
            Self::Git(_) => "git",
            Self::Mail(_) => "mail",
            Self::S3(_) => "s3",
            Self::Slack(_) => "slack",
            Self::Web(_) => "web",
        }
    }

    /// Whether the source asks to be watched ([`watch`]).
    pub fn is_watched(&self) -> bool {
        match self {
            Self::Files(files) => files.watch,
            Self::Git(_) | Self::Mail(_) | Self::S3(_) | Self::Slack(_) | Self::Web(_) => false,
        }
    }
}

/// Opens a source. Fails where it can't be reached, so that a mistake is told before a job begins; and where the
/// configuration has a secret in it: whoever stores one has opened it first.
pub fn open(config: &SourceConfig) -> Result<Box<dyn Connector>, Error> {
    plain::refuse(config)?;
    match config {
        SourceConfig::Files(files) => Ok(Box::new(FilesConnector::new(files.clone())?)),
        SourceConfig::Git(git) => Ok(Box::new(GitConnector::new(git.clone())?)),
        SourceConfig::Mail(mail) => Ok(Box::new(MailConnector::new(mail.clone())?)),
        SourceConfig::S3(s3) => Ok(Box::new(S3Connector::new(S3Config::clone(s3))?)),
        SourceConfig::Slack(slack) => Ok(Box::new(SlackConnector::new(slack.clone())?)),
        SourceConfig::Web(web) => Ok(Box::new(WebConnector::new(WebConfig::clone(web))?)),
    }
}

/// Watches a source that asks for it. `None` for one that doesn't, or can't be watched.
pub async fn watch(config: &SourceConfig) -> Result<Option<FolderWatch>, Error> {
    match config {
        SourceConfig::Files(files) if files.watch => {
            let watch = FolderWatch::new(files.clone(), WatchTiming::default()).await?;
            Ok(Some(watch))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_reads_back_and_unknown_keys_are_refused() {
        let config =
            SourceConfig::from_json(json!({"kind": "files", "roots": ["/srv"], "hidden": true})).unwrap();
        assert_eq!(
            SourceConfig::from_json(config.to_json().unwrap()).unwrap(),
            config
        );
        assert_eq!(config.kind(), config.to_json().unwrap()["kind"]);
        for wrong in [
            json!({"kind": "files", "roots": [], "root": "/srv"}),
            json!({"kind": "cupboard"}),
            json!({"roots": ["/srv"]}),
            json!({"kind": "files"}),
        ] {
            let error = SourceConfig::from_json(wrong.clone()).unwrap_err();
            assert_eq!(error.code(), "source_config_invalid", "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_text_that_may_be_a_secret() {
        let key = |secret: serde_json::Value| json!({"kind": "s3", "buckets": ["a"], "credentials": {"from": "key", "id": {"file": "/id"}, "secret": secret}});
        for wrong in [
            key(json!("hunter2")),
            key(json!({"variable": "hunter2/"})),
            key(json!({"plain": "hunter2"})),
            json!({"kind": "s3", "buckets": "hunter2"}),
            json!({"kind": "s3", "buckets": ["a"], "credentials": "hunter2"}),
            json!({"kind": "s3", "buckets": ["a"], "credentials": {"from": "key", "access_key": "hunter2"}}),
            json!({"kind": "s3", "buckets": ["a"], "max_object_bytes": "\"hunter2\", expected x"}),
        ] {
            let error = SourceConfig::from_json(wrong.clone()).unwrap_err();
            let told = lectern_domain::error::chain(&lectern_domain::PortError::from(error));
            assert!(!told.contains("hunter2"), "{wrong}: {told}");
        }
        for endpoint in ["https://ada:hunter2@a.example", "https://a.example?token=hunter2"] {
            let config = json!({"kind": "s3", "buckets": ["a"], "endpoint": endpoint});
            let read: SourceConfig = serde_json::from_value(config.clone()).unwrap();
            for error in [
                open(&read).err().unwrap(),
                SourceConfig::from_json(config).unwrap_err(),
            ] {
                assert_eq!(error.code(), "secret_in_config");
                assert!(!error.to_string().contains("hunter2"), "{error}");
            }
        }
    }

    #[test]
    fn a_source_that_is_not_there_does_not_open() {
        let config = SourceConfig::Files(FilesConfig::new(vec!["/there/is/no/such/folder".into()]));
        assert_eq!(open(&config).err().unwrap().code(), "path_not_found");
    }
}
