//! What goes wrong in retrieval, with a kind for the caller and a stable code.

use std::any::Any;
use std::path::PathBuf;

use lectern_domain::{ErrorKind, FilterError, PortError, TuningError};

use crate::request::{MOST_FACET_VALUES, MOST_FACETS, MOST_SORT_KEYS};

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
    /// The filter means nothing, or costs too much.
    #[error(transparent)]
    FilterInvalid(#[from] FilterError),
    /// The rules that weigh matches mean nothing.
    #[error(transparent)]
    TuningInvalid(#[from] TuningError),
    /// Too many attributes to count the values of.
    #[error("{facets} facets were asked for ({MOST_FACETS} is the most)")]
    TooManyFacets {
        /// How many.
        facets: usize,
    },
    /// A facet without a name, or with no or too many values.
    #[error(
        "a facet needs an attribute and a limit from 1 to {MOST_FACET_VALUES} (attribute: {attribute:?})"
    )]
    FacetInvalid {
        /// Its attribute.
        attribute: String,
    },
    /// Too many attributes to put results in order by.
    #[error("an order by {keys} attributes was asked for ({MOST_SORT_KEYS} is the most)")]
    TooManySortKeys {
        /// How many.
        keys: usize,
    },
    /// How much what was said before counts.
    #[error("diversity goes from 0 to 1")]
    DiversityOutOfRange,
    /// Too much was asked for beside each passage.
    #[error("there may be {most} {what}")]
    TooManyBeside {
        /// What.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// The list that a page is of is no longer kept.
    #[error("the results of that search are no longer kept; search again for the first page")]
    CursorExpired,
    /// No cursor of a search.
    #[error("that is no cursor of a search (take it as `next` of a page)")]
    CursorInvalid,
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
            Self::ModelUnfit { .. }
            | Self::QuestionEmpty
            | Self::LimitOutOfRange { .. }
            | Self::FilterInvalid(_)
            | Self::TuningInvalid(_)
            | Self::TooManyFacets { .. }
            | Self::FacetInvalid { .. }
            | Self::TooManySortKeys { .. }
            | Self::DiversityOutOfRange
            | Self::TooManyBeside { .. }
            | Self::CursorInvalid => ErrorKind::Invalid,
            Self::CursorExpired => ErrorKind::NotFound,
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
            Self::FilterInvalid(_) => "filter_invalid",
            Self::TuningInvalid(_) => "tuning_invalid",
            Self::TooManyFacets { .. } => "too_many_facets",
            Self::FacetInvalid { .. } => "facet_invalid",
            Self::TooManySortKeys { .. } => "too_many_sort_keys",
            Self::DiversityOutOfRange => "diversity_out_of_range",
            Self::TooManyBeside { .. } => "too_many_beside",
            Self::CursorExpired => "cursor_expired",
            Self::CursorInvalid => "cursor_invalid",
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
