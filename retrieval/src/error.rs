//! What goes wrong in retrieval, with a kind for the caller and a stable code.

use std::any::Any;
use std::path::PathBuf;

use lectern_domain::{ErrorKind, PortError};

/// What lies under an error of this crate.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of retrieval: what was tried, and on what.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of a model isn't there.
    #[error("the {what} is missing: {} (lectern models pull fetches it)", path.display())]
    ModelFileMissing {
        /// Which file.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file of a model is there and can't be used.
    #[error("the {what} can't be loaded: {} (lectern models verify checks it)", path.display())]
    ModelCorrupt {
        /// Which file or part.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
    /// The model doesn't do what Lectern needs of it.
    #[error("the model {model} can't be used: {reason}")]
    ModelUnfit {
        /// Its name.
        model: String,
        /// Why not.
        reason: String,
    },
    /// The vectors of the knowledge base were made by a model that isn't known here.
    #[error(
        "the vectors of this knowledge base were made with the embedding model {model:?}, which this Lectern can't \
         run; words are still found (mode lexical)"
    )]
    UnknownEmbedder {
        /// The model.
        model: String,
    },
    /// The embedder failed on a text, or its threads are gone.
    #[error("the embedder failed to {action}")]
    Embedder {
        /// What was tried.
        action: &'static str,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
    /// The embedder is shutting down.
    #[error("the embedder has been stopped")]
    EmbedderStopped,
    /// An index failed.
    #[error("the index of {index} failed to {action} in {place}")]
    Index {
        /// `vectors` or `words`.
        index: &'static str,
        /// What was tried.
        action: &'static str,
        /// The directory or the address.
        place: String,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
    /// The stored data of an index is damaged.
    #[error("the index of {index} in {place} is damaged (lectern fsck says more; it can be rebuilt)")]
    IndexCorrupt {
        /// `vectors` or `words`.
        index: &'static str,
        /// The directory.
        place: String,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
    /// The disk is full, or so nearly full that the engine could be hurt.
    #[error("no space left for the index of {index} in {place}")]
    NoSpace {
        /// `vectors` or `words`.
        index: &'static str,
        /// The directory.
        place: String,
        /// What the system said, where it said something.
        #[source]
        cause: Option<Cause>,
    },
    /// The vector server can't be reached, or doesn't answer in time.
    #[error("the vector server at {url} can't be reached to {action}")]
    ServerUnavailable {
        /// Its address.
        url: String,
        /// What was tried.
        action: &'static str,
        /// What the client said.
        #[source]
        cause: Cause,
    },
    /// The vector server refused.
    #[error("the vector server at {url} refused to {action}")]
    ServerRefused {
        /// Its address.
        url: String,
        /// What was tried.
        action: &'static str,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// A vector has another length than the index.
    #[error("a vector of {actual} numbers was given to an index of {expected}")]
    DimensionMismatch {
        /// What the index holds.
        expected: usize,
        /// What was given.
        actual: usize,
    },
    /// The question has no text.
    #[error("the question is empty")]
    QuestionEmpty,
    /// The question is too long to be read.
    #[error("the question has {characters} characters, and {limit} is the most that is read")]
    QuestionTooLong {
        /// How many it has.
        characters: usize,
        /// The most that is read.
        limit: usize,
    },
    /// A search asked for too many results, or for none.
    #[error("a search for {limit} results was asked for (1 to {most})")]
    LimitOutOfRange {
        /// What was asked.
        limit: usize,
        /// The most there can be.
        most: usize,
    },
    /// A worker thread panicked; the engine's state is intact.
    #[error("{action} ended in a panic of the engine")]
    Panicked {
        /// What was being done.
        action: &'static str,
        /// The panic's text.
        #[source]
        cause: Cause,
    },
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ModelFileMissing { .. } => ErrorKind::NotFound,
            Self::ModelCorrupt { .. } | Self::IndexCorrupt { .. } => ErrorKind::Corrupt,
            Self::ModelUnfit { .. } | Self::QuestionEmpty | Self::LimitOutOfRange { .. } => {
                ErrorKind::Invalid
            }
            Self::Embedder { .. } | Self::Index { .. } | Self::Panicked { .. } => ErrorKind::Internal,
            Self::DimensionMismatch { .. } | Self::UnknownEmbedder { .. } => ErrorKind::Conflict,
            Self::EmbedderStopped | Self::ServerUnavailable { .. } => ErrorKind::Unavailable,
            Self::ServerRefused { .. } => ErrorKind::Internal,
            Self::NoSpace { .. } => ErrorKind::NoSpace,
            Self::QuestionTooLong { .. } => ErrorKind::TooLarge,
        }
    }

    /// The stable, machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModelFileMissing { .. } => "model_file_missing",
            Self::ModelCorrupt { .. } => "model_corrupt",
            Self::ModelUnfit { .. } => "model_unfit",
            Self::UnknownEmbedder { .. } => "embedding_model_differs",
            Self::Embedder { .. } => "embedder_failed",
            Self::EmbedderStopped => "embedder_stopped",
            Self::Index { .. } => "index_failed",
            Self::IndexCorrupt { .. } => "index_corrupt",
            Self::NoSpace { .. } => "disk_full",
            Self::ServerUnavailable { .. } => "vector_server_unavailable",
            Self::ServerRefused { .. } => "vector_server_refused",
            Self::DimensionMismatch { .. } => "dimension_mismatch",
            Self::QuestionEmpty => "question_empty",
            Self::QuestionTooLong { .. } => "question_too_long",
            Self::LimitOutOfRange { .. } => "limit_out_of_range",
            Self::Panicked { .. } => "engine_panicked",
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        PortError::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match panic.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => "a panic without a text".to_owned(),
    }
}
