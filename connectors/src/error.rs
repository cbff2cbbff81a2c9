//! What can go wrong before a source is open.

use lectern_domain::{ErrorKind, PortError};

/// An error of the registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration names a kind or a key that doesn't exist, or lacks one.
    #[error("the configuration of the source is invalid: {problem}")]
    Config {
        /// What is wrong with it, without the value that is.
        problem: String,
    },
    /// The configuration has a secret in it, and would be stored and shown with it.
    #[error(
        "{place:?} has {problem} in it: a secret is never written into the configuration of a source; it comes from an \
         environment variable or a file"
    )]
    SecretInConfig {
        /// The key of the configuration.
        place: String,
        /// What it looks like.
        problem: &'static str,
    },
    /// The files connector refuses.
    #[error(transparent)]
    Files(#[from] lectern_connector_files::Error),
    /// The Git connector refuses.
    #[error(transparent)]
    Git(#[from] lectern_connector_git::Error),
    /// The mailbox connector refuses.
    #[error(transparent)]
    Mail(#[from] lectern_connector_mail::Error),
    /// The connector for buckets refuses.
    #[error(transparent)]
    S3(#[from] lectern_connector_s3::Error),
    /// The Slack connector refuses.
    #[error(transparent)]
    Slack(#[from] lectern_connector_slack::Error),
    /// The connector for web pages refuses.
    #[error(transparent)]
    Web(#[from] lectern_connector_web::Error),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } | Self::SecretInConfig { .. } => ErrorKind::Invalid,
            Self::Files(error) => error.kind(),
            Self::Git(error) => error.kind(),
            Self::Mail(error) => error.kind(),
            Self::S3(error) => error.kind(),
            Self::Slack(error) => error.kind(),
            Self::Web(error) => error.kind(),
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "source_config_invalid",
            Self::SecretInConfig { .. } => "secret_in_config",
            Self::Files(error) => error.code(),
            Self::Git(error) => error.code(),
            Self::Mail(error) => error.code(),
            Self::S3(error) => error.code(),
            Self::Slack(error) => error.code(),
            Self::Web(error) => error.code(),
        }
    }
}

/// What serde says, without the text that it repeats: somebody may have written a secret where its place belongs.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let told = error.to_string();
        let (begin, end) = (told.find(": string \""), told.rfind("\", expected "));
        let problem = match begin.zip(end) {
            Some((begin, end)) if begin < end => format!("{}: a text{}", &told[..begin], &told[end + 1..]),
            _ => told,
        };
        Self::Config { problem }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
