//! What can go wrong in ingestion, apart from single documents: those are [`crate::DocumentProblem`]s.

use std::io;
use std::path::{Path, PathBuf};

use crate::enrich::RuleError;
use crate::sqlite::OpenError;
use lectern_domain::{ContentHash, DocumentId, ErrorKind, JobCounts, JobId, PortError};

/// The result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of ingestion.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement on the ledger failed.
    #[error("could not {action} in the ledger")]
    Ledger {
        /// What was tried.
        action: &'static str,
        /// What SQLite says.
        #[source]
        source: sqlx::Error,
    },
    /// The ledger could not be opened.
    #[error("could not open the ledger {}", path.display())]
    LedgerOpen {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: sqlx::Error,
    },
    /// The ledger could not be brought to this version's tables.
    #[error("could not bring the ledger {} up to date", path.display())]
    Migration {
        /// The ledger's file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The ledger holds a value that this version can't read.
    #[error("the ledger holds a {what} that can't be read: {value:?}")]
    LedgerValue {
        /// Which value.
        what: &'static str,
        /// As it is stored.
        value: String,
    },
    /// A file could not be read or written.
    #[error("could not {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A stored text is not what was stored.
    #[error("the stored content {hash} {problem}")]
    ContentDamaged {
        /// Its hash, which is its name.
        hash: ContentHash,
        /// `is missing`, `is damaged`, ...
        problem: &'static str,
    },
    /// There is no such knowledge base.
    #[error("there is no knowledge base {name:?}")]
    NoKnowledgeBase {
        /// The name or id that was asked for.
        name: String,
    },
    /// The name is taken.
    #[error("there is already a knowledge base {name:?}")]
    KnowledgeBaseExists {
        /// The name.
        name: String,
    },
    /// The name breaks the rule.
    #[error("{name:?} can't name a knowledge base: use 1 to 64 of the characters a-z, 0-9, - and _")]
    KnowledgeBaseName {
        /// The name.
        name: String,
    },
    /// A source can't be cut this way.
    #[error("{strategy} chunking with {setting} = {value} is not possible: it must be {least} to {most}")]
    Chunking {
        /// How it is cut.
        strategy: &'static str,
        /// The setting that is wrong.
        setting: &'static str,
        /// What it is.
        value: u32,
        /// The least that it may be.
        least: u32,
        /// The most that it may be.
        most: u32,
    },
    /// A source can't be synced at such times.
    #[error(
        "{schedule:?} is no schedule: {problem} (a schedule is a cron expression such as \"0 3 * * *\", or \"never\")"
    )]
    Schedule {
        /// As it was written.
        schedule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The knowledge base was made for another embedding model.
    #[error(
        "the knowledge base {name:?} was made with the embedding model {expected:?}, which this Lectern can't run \
         (take its documents into a new knowledge base, which gets {preferred:?})"
    )]
    OtherModel {
        /// The knowledge base.
        name: String,
        /// The model that made its vectors.
        expected: String,
        /// The model of new knowledge bases.
        preferred: String,
    },
    /// There is no such document.
    #[error("there is no document {document}")]
    NoDocument {
        /// The id that was asked for.
        document: DocumentId,
    },
    /// The document has no text to show.
    #[error("the document {document} has no indexed text")]
    NoText {
        /// The document.
        document: DocumentId,
    },
    /// There is no such source.
    #[error("there is no source {name:?}")]
    NoSource {
        /// The name or id that was asked for.
        name: String,
    },
    /// Pushed documents are no source that could be removed or synced.
    #[error("pushed documents have no source to {action}")]
    PushedSource {
        /// What was tried.
        action: &'static str,
    },
    /// There is no such job.
    #[error("there is no job {job}")]
    NoJob {
        /// The id that was asked for.
        job: JobId,
    },
    /// A page was asked for with a cursor that no page gave.
    #[error("{cursor:?} is no cursor of a list of documents")]
    BadCursor {
        /// The cursor.
        cursor: String,
    },
    /// A pushed document breaks a rule.
    #[error("the pushed document can't be taken: {problem}")]
    BadPush {
        /// Which rule.
        problem: &'static str,
    },
    /// Another job writes to this knowledge base.
    #[error("another job is at work on the knowledge base {name:?}")]
    JobRunning {
        /// The knowledge base.
        name: String,
    },
    /// A job's counts don't account for each document once.
    #[error("the job's counts don't add up: {listed} documents were listed, {counts:?}")]
    CountsDontAddUp {
        /// Documents that the listing gave.
        listed: u64,
        /// The account.
        counts: JobCounts,
    },
    /// A stage ended without a word.
    #[error("the {stage} stage of the pipeline ended before its work did")]
    StageLost {
        /// Which stage.
        stage: &'static str,
    },
    /// A test made a step fail.
    #[error("the failpoint {name} failed")]
    Failpoint {
        /// Which one.
        name: &'static str,
    },
    /// The failpoints that a test asks for can't be set.
    #[error("can't set the failpoint {setting:?}: {problem}")]
    BadFailpoints {
        /// As it was asked for.
        setting: String,
        /// What is wrong.
        problem: String,
    },
    /// The rules of a source can't be applied.
    #[error(transparent)]
    Enrichment(#[from] RuleError),
    /// An index, the embedder, the extractor or a source failed.
    #[error("{message}", message = .0.message)]
    Port(#[from] PortError),
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Ledger { source, .. } | Self::LedgerOpen { source, .. } => sqlite_kind(source),
            Self::Migration { .. } => ErrorKind::Internal,
            Self::LedgerValue { .. } | Self::ContentDamaged { .. } => ErrorKind::Corrupt,
            Self::File { source, .. } => io_kind(source),
            Self::NoKnowledgeBase { .. }
            | Self::NoDocument { .. }
            | Self::NoText { .. }
            | Self::NoSource { .. }
            | Self::NoJob { .. } => ErrorKind::NotFound,
            Self::KnowledgeBaseExists { .. } | Self::JobRunning { .. } | Self::OtherModel { .. } => {
                ErrorKind::Conflict
            }
            Self::KnowledgeBaseName { .. }
            | Self::BadCursor { .. }
            | Self::BadPush { .. }
            | Self::PushedSource { .. }
            | Self::Chunking { .. }
            | Self::Schedule { .. }
            | Self::BadFailpoints { .. } => ErrorKind::Invalid,
            Self::Failpoint { .. } => ErrorKind::Unavailable,
            Self::CountsDontAddUp { .. } | Self::StageLost { .. } => ErrorKind::Internal,
            Self::Enrichment(error) => error.kind(),
            Self::Port(error) => error.kind,
        }
    }

    /// The stable name that programs can act on.
    pub fn code(&self) -> &'static str {
        if self.kind() == ErrorKind::NoSpace {
            return "disk_full";
        }
        match self {
            Self::Ledger { source, .. } | Self::LedgerOpen { source, .. } => match sqlite_kind(source) {
                ErrorKind::Corrupt => "ledger_damaged",
                ErrorKind::Unavailable => "ledger_busy",
                _ => "ledger_failed",
            },
            Self::Migration { .. } => "ledger_migration_failed",
            Self::LedgerValue { .. } => "ledger_damaged",
            Self::File { .. } => "file_failed",
            Self::ContentDamaged { .. } => "stored_content_damaged",
            Self::NoKnowledgeBase { .. } => "kb_not_found",
            Self::KnowledgeBaseExists { .. } => "kb_exists",
            Self::KnowledgeBaseName { .. } => "kb_name_invalid",
            Self::OtherModel { .. } => "embedding_model_differs",
            Self::NoDocument { .. } => "document_not_found",
            Self::NoText { .. } => "document_has_no_text",
            Self::NoSource { .. } => "source_not_found",
            Self::PushedSource { .. } => "source_is_pushed",
            Self::NoJob { .. } => "job_not_found",
            Self::BadCursor { .. } => "cursor_invalid",
            Self::BadPush { .. } => "push_invalid",
            Self::Chunking { .. } => "chunking_invalid",
            Self::Schedule { .. } => "schedule_invalid",
            Self::JobRunning { .. } => "job_running",
            Self::CountsDontAddUp { .. } => "counts_do_not_add_up",
            Self::StageLost { .. } => "stage_lost",
            Self::Failpoint { .. } => "failpoint",
            Self::BadFailpoints { .. } => "failpoints_invalid",
            Self::Enrichment(error) => error.code(),
            Self::Port(error) => error.code,
        }
    }

    /// Names the failed statement; for `map_err`.
    pub(crate) fn ledger(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Ledger { action, source }
    }

    /// Names the ledger that could not be opened; for `map_err`.
    pub(crate) fn ledger_open(path: &Path) -> impl FnOnce(OpenError) -> Self {
        let path = path.to_owned();
        move |error| match error {
            OpenError::Open(source) => Self::LedgerOpen { path, source },
            OpenError::Migrate(source) => Self::Migration { path, source },
        }
    }

    /// Names the file that failed; for `map_err`.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        match error {
            Error::Port(error) => error,
            error => Self::new(error.kind(), error.code(), error.to_string()).caused_by(error),
        }
    }
}

/// What a caller can do about an error of SQLite, by its primary result codes (its documentation, "Result and Error
/// Codes"). SQLite reports ENOSPC of a write as `SQLITE_FULL`.
pub fn sqlite_kind(error: &sqlx::Error) -> ErrorKind {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const NOT_A_DATABASE: u32 = 26;
    // The shared memory file beside the ledger can't be made or grow: an extended code, and no
    // `SQLITE_FULL`, on a disk that is full to its last block.
    const SHARED_MEMORY_SIZE: u32 = 4874;
    match error {
        sqlx::Error::Io(error) => io_kind(error),
        sqlx::Error::PoolTimedOut => ErrorKind::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => ErrorKind::Corrupt,
        sqlx::Error::Database(error) => {
            let extended: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            match extended & 0xff {
                _ if extended == SHARED_MEMORY_SIZE => ErrorKind::NoSpace,
                BUSY | LOCKED => ErrorKind::Unavailable,
                CORRUPT | NOT_A_DATABASE => ErrorKind::Corrupt,
                FULL => ErrorKind::NoSpace,
                _ => ErrorKind::Internal,
            }
        }
        _ => ErrorKind::Internal,
    }
}

fn io_kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_one_code_wherever_it_shows() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        for error in [
            Error::file("write", "texts/ab")(full()),
            Error::ledger("stage a version")(sqlx::Error::Io(full())),
            Error::Port(PortError::new(
                ErrorKind::NoSpace,
                "words_full",
                "could not commit",
            )),
        ] {
            assert_eq!((error.kind(), error.code()), (ErrorKind::NoSpace, "disk_full"));
        }
    }
}
