//! What can go wrong with a repository.

use std::io;
use std::path::PathBuf;

use lectern_domain::ports::CURSOR_EXPIRED;
use lectern_domain::{ErrorKind, PortError};

use crate::store::ObjectError;

/// An error of the Git connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration makes no sense.
    #[error("the setting {name} of a Git source is invalid: {problem}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A pattern of the configuration means nothing.
    #[error(transparent)]
    Pattern(#[from] lectern_connector_files::Error),
    /// The repository isn't there.
    #[error("there is no repository {path:?}")]
    PathNotFound {
        /// As it was configured.
        path: PathBuf,
    },
    /// The repository was there when it was opened.
    #[error("the repository {path:?} is not there any more: it lacks HEAD, objects or refs")]
    Lost {
        /// The folder that had them.
        path: PathBuf,
    },
    /// The repository can't be looked into.
    #[error("cannot read the repository {path:?}")]
    PathUnreadable {
        /// As it was configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{path:?} is no Git repository: neither it nor a .git in it has HEAD, objects and refs")]
    NotARepository {
        /// As it was configured.
        path: PathBuf,
    },
    /// It is one that can't be read here.
    #[error("the repository {path:?} can't be read here: {problem}")]
    Unsupported {
        /// As it was configured.
        path: PathBuf,
        /// Why, and what to do about it.
        problem: &'static str,
    },
    /// The repository has other branches and tags, but not that one.
    #[error(
        "the repository has commits, but no branch or tag {reference:?}; \"reference\" says which is read"
    )]
    ReferenceNotFound {
        /// As it was configured.
        reference: String,
    },
    /// A branch or tag leads nowhere.
    #[error("the reference {reference:?} can't be used: {problem}")]
    ReferenceInvalid {
        /// As it was configured.
        reference: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file of the repository that leads to everything else can't be read.
    #[error("cannot read the references of the repository")]
    Unreadable(#[source] io::Error),
    /// An object of it can't be had.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The list of the files at its top is damaged.
    #[error("the top folder of the commit can't be read: {reason}")]
    TreeCorrupt {
        /// What is wrong with it.
        reason: String,
    },
    /// There is more in it than is read.
    #[error(
        "the repository has more than {limit} files and folders, which is the limit; \"exclude\" narrows it"
    )]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// A cursor that doesn't belong to what is there now.
    #[error("what changed since the last listing can't be told any more")]
    CursorExpired,
    /// The key names no file of the commit.
    #[error("the commit has no file {key:?}")]
    Gone {
        /// What was asked for.
        key: String,
    },
    /// The key may name a file of a folder that can't be read.
    #[error("a folder of the commit that {key:?} would lie in can't be read")]
    FolderLost {
        /// What was asked for.
        key: String,
    },
    /// A file that is no document.
    #[error("{key:?} isn't read: {reason}")]
    LeftOut {
        /// Its key.
        key: String,
        /// Stable.
        code: &'static str,
        /// Why.
        reason: String,
    },
    /// Nobody waits for what was asked any more.
    #[error("the listing was dropped")]
    Stopped,
    /// The thread that reads ended unexpectedly.
    #[error("the thread that reads the repository ended unexpectedly")]
    ThreadEnded(#[source] tokio::task::JoinError),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Pattern(error) => error.kind(),
            Self::Setting { .. }
            | Self::NotARepository { .. }
            | Self::Unsupported { .. }
            | Self::ReferenceInvalid { .. } => ErrorKind::Invalid,
            Self::PathNotFound { .. } | Self::ReferenceNotFound { .. } | Self::Gone { .. } => {
                ErrorKind::NotFound
            }
            Self::PathUnreadable { .. } => ErrorKind::Denied,
            Self::TooManyEntries { .. } | Self::Object(ObjectError::TooLarge { .. }) => ErrorKind::TooLarge,
            Self::LeftOut { code, .. } if *code == "too_large" => ErrorKind::TooLarge,
            Self::LeftOut { .. } | Self::TreeCorrupt { .. } | Self::Object(ObjectError::Corrupt { .. }) => {
                ErrorKind::Invalid
            }
            Self::Lost { .. }
            | Self::FolderLost { .. }
            | Self::Object(_)
            | Self::Unreadable(_)
            | Self::CursorExpired => ErrorKind::Unavailable,
            Self::Stopped | Self::ThreadEnded(_) => ErrorKind::Internal,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "source_config_invalid",
            Self::Pattern(error) => error.code(),
            Self::PathNotFound { .. } | Self::Lost { .. } => "path_not_found",
            Self::PathUnreadable { .. } => "permission_denied",
            Self::NotARepository { .. } => "not_a_repository",
            Self::Unsupported { .. } => "repository_unsupported",
            Self::ReferenceNotFound { .. } => "reference_not_found",
            Self::ReferenceInvalid { .. } => "reference_invalid",
            Self::Unreadable(_) => "repository_unreadable",
            Self::Object(error) => error.code(),
            Self::TreeCorrupt { .. } => "object_corrupt",
            Self::TooManyEntries { .. } => "repository_too_large",
            Self::CursorExpired => CURSOR_EXPIRED,
            Self::Gone { .. } => "file_gone",
            Self::FolderLost { .. } => "folder_lost",
            Self::LeftOut { code, .. } => code,
            Self::Stopped => "listing_dropped",
            Self::ThreadEnded(_) => "reader_ended",
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
