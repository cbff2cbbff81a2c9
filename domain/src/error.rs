//! What kind of thing went wrong. The kind is for the caller, the source for the log.

use std::error::Error;
use std::fmt;

/// What a caller can do about an error. The server maps it to a status code in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The caller may not do that.
    Denied,
    /// The request is wrong; sent again it fails again.
    Invalid,
    /// It conflicts with what is there or with what is going on.
    Conflict,
    /// Too large, too long or too deep.
    TooLarge,
    /// A queue is full; try again later.
    Overloaded,
    /// Something that is needed can't be reached; try again later.
    Unavailable,
    /// The disk is full.
    NoSpace,
    /// Stored data is damaged.
    Corrupt,
    /// A fault of Lectern.
    Internal,
}

/// An error that crosses a port: what kind, a stable code, what was tried and on what.
#[derive(Debug)]
pub struct PortError {
    /// For the caller.
    pub kind: ErrorKind,
    /// Stable and machine-readable, such as `pdf_encrypted`.
    pub code: &'static str,
    /// What was tried, and on what.
    pub message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PortError {
    /// An error that stands for itself.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            source: None,
        }
    }

    /// The same error, with what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Writes an error and all that caused it in one line, for a log or a terminal.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let text = current.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = current.source();
    }
    line
}
