//! What can go wrong with an export.
//!
//! No variant quotes what stands in the export: names come through [`crate::clean`], and of broken JSON only the place
//! is told.

use std::io;
use std::path::PathBuf;

use lectern_domain::{ErrorKind, PortError};

/// An error of the Slack connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration makes no sense.
    #[error("the setting {name} of a Slack source is invalid: {problem}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The export isn't there.
    #[error("there is no export {path:?}")]
    PathNotFound {
        /// As it was configured.
        path: PathBuf,
    },
    /// The export can't be read.
    #[error("cannot read the export {path:?}")]
    PathUnreadable {
        /// As it was configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{path:?} is no Slack export: {problem}")]
    NotAnExport {
        /// As it was configured.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
    /// One of the lists that everything else hangs on can't be read.
    #[error("the list {name} of the export {problem}")]
    List {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The archive has more entries than it may.
    #[error("the export has {entries} entries; the limit is {limit}")]
    TooManyEntries {
        /// How many there are.
        entries: u64,
        /// The limit.
        limit: u64,
    },
    /// Unpacked, the export is larger than it may be.
    #[error("more than {limit_bytes} bytes of the export were read, which is the limit")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// A folder with messages belongs to nothing that the lists name, and a list is missing.
    #[error(
        "no list of the export names the folder {folder:?}, and {missing} is missing: put the list back, or name the \
         folder in \"exclude\""
    )]
    Unlisted {
        /// The folder.
        folder: String,
        /// The lists that aren't there.
        missing: String,
    },
    /// The key names nothing that the export has.
    #[error("the export has nothing under the key {key:?}")]
    Gone {
        /// What was asked for.
        key: String,
    },
    /// A file of the export that the document needs can't be read now.
    #[error("the file {name} of the export {problem}")]
    File {
        /// Its name.
        name: String,
        /// Stable.
        code: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The export was exchanged while a document was put together.
    #[error("the export changed while {key:?} was read")]
    Changed {
        /// The document.
        key: String,
    },
    /// The thread that reads ended unexpectedly.
    #[error("the thread that reads the export ended unexpectedly")]
    ThreadEnded(#[source] tokio::task::JoinError),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Setting { .. } | Self::NotAnExport { .. } | Self::List { .. } | Self::Unlisted { .. } => {
                ErrorKind::Invalid
            }
            Self::PathNotFound { .. } | Self::Gone { .. } => ErrorKind::NotFound,
            Self::PathUnreadable { .. } => ErrorKind::Denied,
            Self::TooManyEntries { .. } | Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::File { code, .. } if *code == "too_large" => ErrorKind::TooLarge,
            Self::File { .. } | Self::Changed { .. } => ErrorKind::Unavailable,
            Self::ThreadEnded(_) => ErrorKind::Internal,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "source_config_invalid",
            Self::PathNotFound { .. } => "path_not_found",
            Self::PathUnreadable { .. } => "permission_denied",
            Self::NotAnExport { .. } => "not_an_export",
            Self::List { .. } => "export_list_broken",
            Self::TooManyEntries { .. } | Self::TooLarge { .. } => "export_too_large",
            Self::Unlisted { .. } => "conversation_unlisted",
            Self::Gone { .. } => "document_gone",
            Self::File { code, .. } => code,
            Self::Changed { .. } => "export_changed",
            Self::ThreadEnded(_) => "reader_ended",
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
