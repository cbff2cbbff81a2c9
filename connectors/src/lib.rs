#![doc = include_str!("../README.md")]

mod config;
pub mod conformance;
mod error;
mod plain;

pub use config::{SourceConfig, open, watch};
pub use error::Error;
/// The connector for folders and files, for its configuration.
pub use lectern_connector_files as files;
/// The connector for Git repositories, for its configuration.
pub use lectern_connector_git as git;
/// The connector for mailboxes, for its configuration.
pub use lectern_connector_mail as mail;
/// The connector for buckets, for its configuration.
pub use lectern_connector_s3 as s3;
/// The connector for Slack exports, for its configuration.
pub use lectern_connector_slack as slack;
/// The connector for web sites, for its configuration.
pub use lectern_connector_web as web;
