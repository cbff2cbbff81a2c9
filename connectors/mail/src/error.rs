//! What can go wrong with a mailbox.

use std::io;
use std::path::PathBuf;

use lectern_domain::ports::CURSOR_EXPIRED;
use lectern_domain::{ErrorKind, PortError};

/// An error of the mailbox connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration makes no sense.
    #[error("the setting {name} of a source of mailboxes is invalid: {problem}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A root isn't there.
    #[error("there is no mailbox {path:?}")]
    PathNotFound {
        /// As it was configured.
        path: PathBuf,
    },
    /// A root, a folder below it or an mbox can't be read.
    #[error(
        "cannot read {path:?}, and any thread may have messages in it: make it readable, or name the folder in \"exclude\""
    )]
    PathUnreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that was configured as a mailbox has something else in it.
    #[error("{path:?} has no message in it, so it is no mailbox, or a damaged one")]
    NotAMailbox {
        /// Which.
        path: PathBuf,
    },
    /// An mbox is rewritten faster than it can be read.
    #[error("{path:?} was rewritten each time that it was read")]
    Busy {
        /// Which.
        path: PathBuf,
    },
    /// There are more messages and attachments than there may be.
    #[error("there are more than {limit} messages and attachments, which is the limit (max_messages)")]
    TooManyMessages {
        /// The limit.
        limit: u64,
    },
    /// The key names nothing that the mailboxes have.
    #[error("the mailboxes have nothing under the key {key:?}")]
    Gone {
        /// What was asked for.
        key: String,
    },
    /// An attachment is larger than it may be.
    #[error("the attachment {key:?} has {size_bytes} bytes; the limit is {limit_bytes}")]
    TooLarge {
        /// What was asked for.
        key: String,
        /// Its size.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Nobody listens to the listing any more.
    #[error("the listing of the mailboxes was given up")]
    Stopped,
    /// A file was changed while a document was put together.
    #[error("a mailbox changed while {key:?} was read")]
    Changed {
        /// The document.
        key: String,
    },
    /// A cursor of another time.
    #[error("what was seen at the last listing can't be read any more")]
    CursorExpired,
    /// The thread that reads ended unexpectedly.
    #[error("the thread that reads the mailboxes ended unexpectedly")]
    ThreadEnded(#[source] tokio::task::JoinError),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Setting { .. } | Self::NotAMailbox { .. } => ErrorKind::Invalid,
            Self::PathNotFound { .. } | Self::Gone { .. } => ErrorKind::NotFound,
            Self::PathUnreadable { .. } => ErrorKind::Denied,
            Self::TooManyMessages { .. } | Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::CursorExpired | Self::Busy { .. } | Self::Stopped | Self::Changed { .. } => {
                ErrorKind::Unavailable
            }
            Self::ThreadEnded(_) => ErrorKind::Internal,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "source_config_invalid",
            Self::PathNotFound { .. } => "path_not_found",
            Self::PathUnreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "permission_denied"
            }
            Self::PathUnreadable { .. } => "mailbox_unreadable",
            Self::NotAMailbox { .. } => "not_a_mailbox",
            Self::Busy { .. } => "mailbox_busy",
            Self::Stopped => "listing_stopped",
            Self::TooManyMessages { .. } => "mailbox_too_large",
            Self::Gone { .. } => "document_gone",
            Self::TooLarge { .. } => "too_large",
            Self::Changed { .. } => "mailbox_changed",
            Self::CursorExpired => CURSOR_EXPIRED,
            Self::ThreadEnded(_) => "reader_ended",
        }
    }

    /// What is said of a path that couldn't be opened or read.
    pub(crate) fn of_path(path: &std::path::Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::PathNotFound { path },
            _ => Self::PathUnreadable { path, source },
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
