//! What can go wrong with files.

use std::io;
use std::path::PathBuf;

use lectern_domain::ports::{CURSOR_EXPIRED, SIDECAR_INVALID};
use lectern_domain::{ErrorKind, PortError};

/// An error of the files connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source without a folder or file.
    #[error("a source of files needs at least one folder or file")]
    NoRoots,
    /// A configured folder or file isn't there.
    #[error("there is no folder or file {path:?}")]
    PathNotFound {
        /// As it was configured.
        path: PathBuf,
    },
    /// A configured folder or file can't be read.
    #[error("cannot read {path:?}")]
    PathUnreadable {
        /// As it was configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Two roots would give the same keys.
    #[error("two folders of one source are both named {name:?}; put them into two sources")]
    RootNamesCollide {
        /// The last component of both.
        name: String,
    },
    /// A pattern of the configuration means nothing.
    #[error("{pattern:?} is no pattern for paths: {problem}")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An ignore file can't be used, so what it leaves out isn't known.
    #[error("cannot use the ignore file {path:?}: {problem}")]
    IgnoreFile {
        /// The file, or its folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Changes can't be asked of the system.
    #[error("the system can't tell what changes in folders")]
    Watch(#[source] notify::Error),
    /// Nobody has noted what changed since then.
    #[error("what changed since the last listing isn't known any more")]
    CursorExpired,
    /// The key names nothing that this source could have listed.
    #[error("{key:?} is no key of this source")]
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// The file was there when it was listed, or never.
    #[error("the file {key:?} is gone")]
    Gone {
        /// Its key.
        key: String,
    },
    /// The folder that it belongs to isn't there, so nothing is known about it.
    #[error("the file {key:?} can't be looked for: the folder of its source is not there")]
    RootLost {
        /// Its key.
        key: String,
    },
    /// It is written to all the time.
    #[error("the file {key:?} changed each of the {attempts} times that it was read")]
    Changing {
        /// Its key.
        key: String,
        /// How often it was read.
        attempts: u32,
    },
    /// The operating system refuses.
    #[error("no permission to read {key:?}")]
    PermissionDenied {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It isn't a regular file (any more).
    #[error("{key:?} is no regular file")]
    NotAFile {
        /// Its key.
        key: String,
    },
    /// It has grown beyond the limit.
    #[error("the file {key:?} is larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// Its key.
        key: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// The sidecar of the file can't be used.
    #[error("the sidecar {key}.metadata.json {problem}")]
    Sidecar {
        /// The key of the file that it is about.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk failed.
    #[error("reading the file {key:?} failed")]
    Read {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread that lists or reads ended unexpectedly.
    #[error("the thread that reads files ended unexpectedly")]
    ThreadEnded(#[source] tokio::task::JoinError),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRoots
            | Self::RootNamesCollide { .. }
            | Self::Pattern { .. }
            | Self::IgnoreFile { .. }
            | Self::NotAFile { .. }
            | Self::Sidecar { .. } => ErrorKind::Invalid,
            Self::PathNotFound { .. } | Self::UnknownKey { .. } | Self::Gone { .. } => ErrorKind::NotFound,
            Self::PathUnreadable { .. } | Self::PermissionDenied { .. } => ErrorKind::Denied,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Read { .. }
            | Self::RootLost { .. }
            | Self::Changing { .. }
            | Self::Watch(_)
            | Self::CursorExpired => ErrorKind::Unavailable,
            Self::ThreadEnded(_) => ErrorKind::Internal,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRoots => "no_paths",
            Self::PathNotFound { .. } => "path_not_found",
            Self::PathUnreadable { .. } | Self::PermissionDenied { .. } => "permission_denied",
            Self::RootNamesCollide { .. } => "path_names_collide",
            Self::Pattern { .. } => "pattern_invalid",
            Self::IgnoreFile { .. } => "ignore_file_invalid",
            Self::Watch(_) => "watch_failed",
            Self::CursorExpired => CURSOR_EXPIRED,
            Self::UnknownKey { .. } | Self::Gone { .. } => "file_gone",
            Self::RootLost { .. } => "path_not_found",
            Self::Changing { .. } => "file_changing",
            Self::NotAFile { .. } => "not_a_file",
            Self::Sidecar { .. } => SIDECAR_INVALID,
            Self::TooLarge { .. } => "too_large",
            Self::Read { .. } => "file_unreadable",
            Self::ThreadEnded(_) => "reader_ended",
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
