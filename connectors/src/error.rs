//! What can go wrong before a source is open.

use lectern_domain::{ErrorKind, PortError};

/// An error of the registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration names a kind or a key that doesn't exist, or lacks one.
    #[error("the configuration of the source is invalid: {0}")]
    Config(#[source] serde_json::Error),
    /// The files connector refuses.
    #[error(transparent)]
    Files(#[from] lectern_connector_files::Error),
    /// The connector for buckets refuses.
    #[error(transparent)]
    S3(#[from] lectern_connector_s3::Error),
    /// The Slack connector refuses.
    #[error(transparent)]
    Slack(#[from] lectern_connector_slack::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) => ErrorKind::Invalid,
            Self::Files(error) => error.kind(),
            Self::S3(error) => error.kind(),
            Self::Slack(error) => error.kind(),
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "source_config_invalid",
            Self::Files(error) => error.code(),
            Self::S3(error) => error.code(),
            Self::Slack(error) => error.code(),
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
