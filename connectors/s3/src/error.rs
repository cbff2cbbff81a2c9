//! What can go wrong with buckets. No message has a credential, a header or a query in it.

use lectern_domain::ports::SIDECAR_INVALID;
use lectern_domain::{ErrorKind, PortError};

/// An error of the connector for buckets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source without a bucket.
    #[error("a source of buckets needs at least one bucket")]
    NoBuckets,
    /// A bucket that can't be one.
    #[error("{bucket:?} is no bucket: {problem}")]
    BucketInvalid {
        /// As it was configured.
        bucket: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two buckets would give the same keys.
    #[error("{one} and {two} have documents of the same key; leave one out, or put them into two sources")]
    BucketsOverlap {
        /// The first of them.
        one: String,
        /// The second.
        two: String,
    },
    /// A pattern of `include` or `exclude` that is none.
    #[error("a pattern can't be used")]
    PatternInvalid {
        /// Which, and why.
        #[source]
        source: globset::Error,
    },
    /// An endpoint or a region that can't be used.
    #[error("the {setting} of the bucket can't be used: {problem}")]
    SettingInvalid {
        /// The key of the configuration.
        setting: &'static str,
        /// What is wrong with it; not the value, which may have a password in it.
        problem: String,
    },
    /// There are no credentials where they should be.
    #[error("no credentials for {place}: {problem}")]
    Credentials {
        /// Where they were looked for.
        place: String,
        /// What was found instead.
        problem: String,
    },
    /// The service knows no such bucket.
    #[error("there is no bucket {bucket:?}")]
    NoBucket {
        /// Its name.
        bucket: String,
    },
    /// The object was there when it was listed, or never.
    #[error("the object {key:?} is gone")]
    Gone {
        /// The key of the document.
        key: String,
    },
    /// The key names nothing that this source could have listed.
    #[error("{key:?} is no key of this source")]
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// The service refuses.
    #[error("{what} is refused: {answer}")]
    Denied {
        /// What was tried.
        what: String,
        /// The status and the service's code.
        answer: String,
    },
    /// The service answers that the request is wrong.
    #[error("{what} was answered with {answer}")]
    Refused {
        /// What was tried.
        what: String,
        /// The status and the service's code.
        answer: String,
    },
    /// The service couldn't be reached, or broke off, until the budget was spent.
    #[error("{what} failed {attempts} times, at last with: {problem}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// How often.
        attempts: u32,
        /// What the last attempt came to.
        problem: String,
    },
    /// A listing that can't be believed.
    #[error("the listing of {bucket:?} can't be used: {problem}")]
    Listing {
        /// The bucket.
        bucket: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It has grown beyond the limit.
    #[error("the object {key:?} is larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The key of the document.
        key: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// The sidecar of the object can't be used.
    #[error("the sidecar {key}.metadata.json {problem}")]
    Sidecar {
        /// The key of the document that it is about.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file with who may read what can't be used.
    #[error("the access file {place} {problem}")]
    AccessFile {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoBuckets
            | Self::BucketInvalid { .. }
            | Self::BucketsOverlap { .. }
            | Self::PatternInvalid { .. }
            | Self::SettingInvalid { .. }
            | Self::Refused { .. }
            | Self::Sidecar { .. }
            | Self::AccessFile { .. } => ErrorKind::Invalid,
            Self::NoBucket { .. } | Self::Gone { .. } | Self::UnknownKey { .. } => ErrorKind::NotFound,
            Self::Denied { .. } | Self::Credentials { .. } => ErrorKind::Denied,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Unavailable { .. } | Self::Listing { .. } => ErrorKind::Unavailable,
        }
    }

    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoBuckets => "no_buckets",
            Self::BucketInvalid { .. } => "bucket_invalid",
            Self::BucketsOverlap { .. } => "buckets_overlap",
            Self::PatternInvalid { .. } => "pattern_invalid",
            Self::SettingInvalid { .. } => "bucket_setting_invalid",
            Self::Credentials { .. } => "credentials_missing",
            Self::NoBucket { .. } => "bucket_not_found",
            Self::Gone { .. } | Self::UnknownKey { .. } => "object_gone",
            Self::Denied { .. } => "bucket_denied",
            Self::Refused { .. } => "bucket_refused",
            Self::Unavailable { .. } => "bucket_unavailable",
            Self::Listing { .. } => "listing_unusable",
            Self::TooLarge { .. } => "too_large",
            Self::Sidecar { .. } => SIDECAR_INVALID,
            Self::AccessFile { .. } => "access_file_invalid",
        }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string()).caused_by(error)
    }
}
