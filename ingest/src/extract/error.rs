//! Why a file could not be read. Crosses the pipe from the child as it is.

use lectern_domain::{ErrorKind, PortError};
use serde::{Deserialize, Serialize};

/// Why a file could not be read. [`ExtractError::code`] is stored with the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtractError {
    /// It has no bytes, or only white space.
    #[error("the file is empty")]
    EmptyFile,
    /// It is named or declared as text and isn't.
    #[error("the file is not text: {0}")]
    NotText(String),
    /// It is of a kind that isn't read.
    #[error("files of type {0} are not read")]
    UnknownFormat(String),
    /// It can't be opened without a password.
    #[error("the PDF is encrypted with a password")]
    PdfEncrypted,
    /// Neither PDF engine gets text out of it.
    #[error("the PDF is damaged or truncated: {0}")]
    PdfDamaged(String),
    /// It can't be opened without a password.
    #[error("the file is encrypted with a password")]
    Encrypted,
    /// It begins as a file of its format does, and then isn't one.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// The format, as people call it.
        format: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An archive declares, or unpacks to, more than an office file can hold.
    #[error("the archive would unpack to more than is taken: {0}")]
    ArchiveBomb(String),
    /// An archive, or a part that nothing can be read without, is broken.
    #[error("the file is damaged or truncated: {0}")]
    ArchiveDamaged(String),
    /// It has pages, and no text on them (a scan).
    #[error("the PDF has {0} pages and no text layer; run it through OCR first")]
    NoTextLayer(usize),
    /// It is HTML or an office file without text.
    #[error("the document has no text")]
    NoText,
    /// Elements within elements, so many that only a hostile file has them.
    #[error("more than {0} elements are nested in each other")]
    TooDeep(usize),
    /// A parser gave up in an orderly way.
    #[error("the parser failed: {0}")]
    ParserFailed(String),
    /// More bytes than are handed to a parser.
    #[error("the file is larger than the limit of {0} bytes")]
    TooLarge(u64),
    /// More text than is taken.
    #[error("the text takes more than the limit of {0} bytes")]
    OutputTooLarge(u64),
    /// Not done in time; the child was killed.
    #[error("reading took longer than {0} seconds and was stopped")]
    Timeout(u64),
    /// The child needed more memory than it may have.
    #[error("reading needs more than the limit of {0} MiB of memory")]
    Memory(u64),
    /// The child died.
    #[error("the parser crashed: {0}")]
    Crashed(String),
    /// No child could be started. No fault of the file.
    #[error("the extraction process could not be started: {0}")]
    NotStarted(String),
}

impl ExtractError {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::NotText(_) => "not_text",
            Self::UnknownFormat(_) => "unknown_format",
            Self::PdfEncrypted => "pdf_encrypted",
            Self::PdfDamaged(_) => "pdf_damaged",
            Self::Encrypted => "encrypted",
            Self::Damaged { .. } => "damaged",
            Self::ArchiveBomb(_) => "archive_bomb",
            Self::ArchiveDamaged(_) => "archive_damaged",
            Self::NoTextLayer(_) => "no_text_layer",
            Self::NoText => "no_text",
            Self::TooDeep(_) => "nested_too_deep",
            Self::ParserFailed(_) => "parser_failed",
            Self::TooLarge(_) => "too_large",
            Self::OutputTooLarge(_) => "output_too_large",
            Self::Timeout(_) => "extraction_timeout",
            Self::Memory(_) => "extraction_memory",
            Self::Crashed(_) => "extraction_crashed",
            Self::NotStarted(_) => "extraction_not_started",
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge(_)
            | Self::ArchiveBomb(_)
            | Self::OutputTooLarge(_)
            | Self::Timeout(_)
            | Self::Memory(_)
            | Self::Crashed(_) => ErrorKind::TooLarge,
            Self::NotStarted(_) => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        }
    }

    /// The error as it crosses the port, with the name of the file.
    pub fn into_port_error(self, file_name: &str) -> PortError {
        PortError::new(
            self.kind(),
            self.code(),
            format!("cannot read {file_name:?}: {self}"),
        )
    }
}
