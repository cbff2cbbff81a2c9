//! The ledger: what is known about documents, and which of their chunks may be seen.
//!
//! It is the truth; both indexes can be made again from it and the stored texts. The rule that keeps them
//! in step: a chunk has a row here before it goes into an index, and keeps it until it has left both. So
//! whatever a crash leaves in an index, the ledger knows its id.
//!
//! A version is `staged` while its chunks are being written, `current` once they may be seen (at most one per
//! document), and `retired` while they wait to be taken out of the indexes.
//!
//! SQLite in WAL mode with `synchronous=FULL`: what a transaction has committed survives a power cut. One
//! connection writes, with `BEGIN IMMEDIATE`; up to eight read. The SQL is written so that `PostgreSQL` takes
//! it too.

mod rows;
mod knowledge_bases;
mod sources;
mod jobs;
mod job_steps;
mod active;
mod documents;
mod readers;
mod removal;
mod withdrawal;
mod refusal;
mod totals;
mod notes;
mod versions;
mod metadata;
mod search_settings;
mod flip;
mod retired;
mod pending;
mod lookup;
mod embedded;
mod counts;
mod unembedded;
mod vectors;
mod turns;
mod audit;
mod mend;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::migrate::Migration;
use sqlx::sqlite::SqliteSynchronous;
use sqlx::{Sqlite, SqlitePool, Transaction};

use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::sqlite::{Database, migration};
use crate::texts::TextStore;

pub use documents::{DocumentFilter, Page};
pub use jobs::{Job, JobEvent};
pub use knowledge_bases::KnowledgeBase;
pub use sources::Source;
pub use totals::SourceTotals;

pub(crate) use active::{ActiveJob, ActiveJobs};
pub(crate) use audit::VisibleChunks;
pub(crate) use documents::{KnownDocument, SourceMetadata};
pub(crate) use flip::{FlipOutcome, FlipRequest};
pub(crate) use notes::Note;
pub(crate) use pending::{NewPush, PendingPush};
pub(crate) use removal::{Deleted, Deletion};
pub(crate) use retired::ReleasedFiles;
pub(crate) use sources::ListCursor;
pub(crate) use unembedded::{PendingVersion, UnembeddedChunk};
pub(crate) use vectors::StoredVector;
pub(crate) use versions::{DocumentRef, NewVersion};
pub(crate) use withdrawal::Withdrawal;

const READERS: u32 = 8;

/// The ledger of a data folder. Cheap to share; every method may be called from anywhere.
#[derive(Debug)]
pub struct Ledger {
    readers: SqlitePool,
    writer: SqlitePool,
    texts: Arc<TextStore>,
    active: ActiveJobs,
    turns: turns::IndexTurns,
    settings: search_settings::KnownSettings,
    published: Notify,
}

impl Ledger {
    /// Opens the ledger in the file `path`, makes it where it is missing, and brings its tables up to date.
    /// The texts are those of the same data folder.
    pub async fn open(path: &Path, texts: Arc<TextStore>) -> Result<Self> {
        let Database { readers, writer } =
            Database::open(path, SqliteSynchronous::Full, READERS, migrations())
                .await
                .map_err(Error::ledger_open(path))?;
        Ok(Self {
            readers,
            writer,
            texts,
            active: ActiveJobs::default(),
            turns: turns::IndexTurns::default(),
            settings: search_settings::KnownSettings::default(),
            published: Notify::new(),
        })
    }

    /// Waits for what is being written and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The jobs that are at work in this process.
    pub(crate) fn active_jobs(&self) -> &ActiveJobs {
        &self.active
    }

    /// Runs a statement behind everybody's back.
    #[cfg(test)]
    pub(crate) async fn tamper(&self, sql: &'static str) -> u64 {
        let done = sqlx::query(sql).execute(&self.writer).await.unwrap();
        done.rows_affected()
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(Error::ledger("begin a change"))
    }
}

async fn commit(transaction: Transaction<'static, Sqlite>, action: &'static str) -> Result<()> {
    transaction.commit().await.map_err(Error::ledger(action))
}

fn migrations() -> Vec<Migration> {
    vec![
        migration(1, "ledger", include_str!("../migrations/0001_ledger.sql")),
        migration(
            2,
            "words first",
            include_str!("../migrations/0002_words_first.sql"),
        ),
        migration(3, "jobs", include_str!("../migrations/0003_jobs.sql")),
        migration(
            4,
            "chunk context",
            include_str!("../migrations/0004_chunk_context.sql"),
        ),
        migration(5, "schedules", include_str!("../migrations/0005_schedules.sql")),
        migration(
            6,
            "indexed attributes",
            include_str!("../migrations/0006_indexed_attributes.sql"),
        ),
        migration(
            7,
            "search settings",
            include_str!("../migrations/0007_search_settings.sql"),
        ),
        migration(8, "counts", include_str!("../migrations/0008_counts.sql")),
    ]
}

/// Now, as the ledger counts it: in whole milliseconds.
pub(crate) fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
}
