//! What can go wrong between passages and an answer, and on the way of a model to the disk.

use std::io;
use std::path::{Path, PathBuf};

use lectern_domain::{ErrorKind, PortError};

/// An error of the generation stage or of the model store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalogue has no such model.
    #[error("there is no model {name:?} in the catalogue (there are: {known})")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// The model isn't on the disk.
    #[error("the model {model} is not in {dir} (fetch it: lectern models pull {model})", dir = .dir.display())]
    ModelMissing {
        /// The model.
        model: String,
        /// The folder of the store.
        dir: PathBuf,
    },
    /// A model's file isn't what it was when it was fetched.
    #[error("{path} of the model {model} is damaged: {reason} (fetch it again: lectern models pull {model})", path = .path.display())]
    ModelCorrupt {
        /// The model.
        model: String,
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model has no such file.
    #[error("the model {model} has no file {file:?}")]
    UnknownFile {
        /// The model.
        model: String,
        /// What was asked for.
        file: String,
    },
    /// A model isn't made for this machine.
    #[error("the model {model} is for {needed} only: {advice}")]
    Platform {
        /// The model.
        model: String,
        /// The machines it is made for.
        needed: &'static str,
        /// What can be done.
        advice: &'static str,
    },
    /// No source had the file.
    #[error("{file} of the model {model} could not be fetched; tried {attempts}")]
    NoSource {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// Each source with what went wrong, separated by semicolons.
        attempts: String,
    },
    /// The folder that files are taken from hasn't got one.
    #[error("{file} of the model {model} can't be taken from {folder}: {reason}", folder = .folder.display())]
    NotInFolder {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// The folder.
        folder: PathBuf,
        /// Where it was looked for or what is there instead, and what is wanted.
        reason: String,
    },
    /// What was fetched isn't what the catalogue says.
    #[error("{what} was refused: its SHA-256 is {found}, expected {expected}")]
    WrongHash {
        /// What was fetched, and from where.
        what: String,
        /// The hash in the catalogue.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// There is no Python to fetch packages with.
    #[error("{program} -m pip could not be started (install Python 3 with pip, or set LECTERN_PYTHON)")]
    PipMissing {
        /// The program that was tried.
        program: PathBuf,
        /// Why it didn't start.
        #[source]
        source: Option<io::Error>,
    },
    /// pip ended with an error.
    #[error("pip could not download {package}: {detail}")]
    PipFailed {
        /// Name and version.
        package: String,
        /// What pip said last.
        detail: String,
    },
    /// A wheel isn't what was expected.
    #[error("the package {package} could not be unpacked: {reason}")]
    BadWheel {
        /// Name of the wheel.
        package: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The hub didn't give a file.
    #[error("{url} could not be fetched: {reason}")]
    Hub {
        /// The address.
        url: String,
        /// What went wrong.
        reason: String,
        /// The fault of the connection, if it was one.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// A GGUF file can't be read or written.
    #[error("{path} could not be {action}", path = .path.display())]
    Gguf {
        /// `read` or `requantised`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An ONNX file can't be rewritten.
    #[error("{path} can't be rewritten to compute with integers: {reason}", path = .path.display())]
    Onnx {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
    /// A file or folder can't be used.
    #[error("{path} could not be {action}", path = .path.display())]
    Io {
        /// What was tried, such as `written`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The question says nothing.
    #[error("the question is empty")]
    QuestionEmpty,
    /// The question is too long for the model.
    #[error(
        "the question has {tokens} tokens, more than the {limit} that {model} can take beside its sources"
    )]
    QuestionTooLong {
        /// Tokens of the question.
        tokens: usize,
        /// How many there may be.
        limit: usize,
        /// The model.
        model: String,
    },
    /// The prompt and the answer don't fit the model.
    #[error(
        "the prompt of {prompt} tokens and an answer of {output} don't fit the {context} tokens of {model}"
    )]
    PromptTooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens asked for.
        output: usize,
        /// What fits.
        context: usize,
        /// The model.
        model: String,
    },
    /// The prompt's template failed.
    #[error("the prompt could not be written")]
    Template(#[source] minijinja::Error),
    /// The queue for the generator is full.
    #[error(
        "{running} answers are being written and {waiting} wait, which is all there is room for; try again in a moment"
    )]
    Busy {
        /// How many are being written.
        running: usize,
        /// How many wait.
        waiting: usize,
    },
    /// The engine didn't load.
    #[error("the model {model} could not be loaded")]
    EngineLoad {
        /// The model.
        model: String,
        /// What the engine said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine stopped in the middle.
    #[error(
        "the model {model} stopped before its answer was complete: {reason}; it is loaded again at the next question"
    )]
    EngineFailed {
        /// The model.
        model: String,
        /// What the engine said.
        reason: String,
    },
    /// An answer took longer than it may.
    #[error("the answer took longer than {seconds} seconds")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownModel { .. } | Self::UnknownFile { .. } | Self::NotInFolder { .. } => {
                ErrorKind::NotFound
            }
            Self::ModelMissing { .. }
            | Self::NoSource { .. }
            | Self::PipMissing { .. }
            | Self::PipFailed { .. }
            | Self::Hub { .. }
            | Self::EngineFailed { .. }
            | Self::TimedOut { .. } => ErrorKind::Unavailable,
            Self::ModelCorrupt { .. }
            | Self::WrongHash { .. }
            | Self::BadWheel { .. }
            | Self::EngineLoad { .. }
            | Self::Gguf { .. }
            | Self::Onnx { .. } => ErrorKind::Corrupt,
            Self::Platform { .. } | Self::QuestionEmpty => ErrorKind::Invalid,
            Self::QuestionTooLong { .. } | Self::PromptTooLong { .. } => ErrorKind::TooLarge,
            Self::Busy { .. } => ErrorKind::Overloaded,
            Self::Template(_) => ErrorKind::Internal,
            Self::Io { source, .. } => kind_of_io(source),
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "model_not_found",
            Self::ModelMissing { .. } => "model_missing",
            Self::ModelCorrupt { .. } => "model_corrupt",
            Self::UnknownFile { .. } => "model_file_not_found",
            Self::Platform { .. } => "model_platform",
            Self::NoSource { .. } => "model_unreachable",
            Self::NotInFolder { .. } => "model_file_not_in_folder",
            Self::WrongHash { .. } => "model_hash_mismatch",
            Self::PipMissing { .. } => "pip_missing",
            Self::PipFailed { .. } => "pip_failed",
            Self::BadWheel { .. } => "package_unreadable",
            Self::Hub { .. } => "hub_failed",
            Self::Gguf { .. } => "gguf_unreadable",
            Self::Onnx { .. } => "onnx_unreadable",
            Self::Io { .. } => "model_store_io",
            Self::QuestionEmpty => "question_empty",
            Self::QuestionTooLong { .. } => "question_too_long",
            Self::PromptTooLong { .. } => "prompt_too_long",
            Self::Template(_) => "prompt_template",
            Self::Busy { .. } => "generator_busy",
            Self::EngineLoad { .. } => "generator_unloadable",
            Self::EngineFailed { .. } => "generator_failed",
            Self::TimedOut { .. } => "generator_timed_out",
        }
    }

    /// Puts what was tried, and on what, before an I/O error. Meant for `map_err`.
    pub(crate) fn io<'p, P: AsRef<Path> + ?Sized>(
        action: &'static str,
        path: &'p P,
    ) -> impl FnOnce(io::Error) -> Self + use<'p, P> {
        let path = path.as_ref();
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

fn kind_of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Internal,
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
