//! The file that analytics are kept in.
//!
//! A database of the same make as the ledger ([`lectern_ingest::sqlite`]). It isn't synced to the disk with every batch: a
//! power cut may cost the last searches, and nothing else hangs on them.

use std::path::Path;

use chrono::{DateTime, Utc};
use lectern_domain::{ErrorKind, PortError};
use lectern_ingest::sqlite::{self, Database, OpenError, migration};
use sqlx::migrate::Migration;
use sqlx::sqlite::SqliteSynchronous;
use sqlx::{Sqlite, Transaction};

use super::note::{TimedNote, normalised};

/// So that who types doesn't wait for reports.
const READERS: u32 = 4;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The file that analytics are kept in.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) database: Database,
}

impl Store {
    /// Opens the file, makes it where it is missing, and brings its tables up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, PortError> {
        let database = Database::open(path, SqliteSynchronous::Normal, READERS, migrations())
            .await
            .map_err(|error| unopened(path, error))?;
        Ok(Self { database })
    }

    /// Waits for what is being written and closes the file.
    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    /// Writes these searches, all or none.
    pub(super) async fn add_searches(&self, notes: &[TimedNote]) -> Result<(), PortError> {
        let mut transaction = self.begin().await?;
        for TimedNote { note, at } in notes {
            let at_ms = at.timestamp_millis();
            sqlx::query(
                "INSERT INTO searches (query_id, knowledge_base, at, day, text, normalised, user_name, kind, mode, results,
                                       relevant, took_ms)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (query_id) DO NOTHING",
            )
            .bind(note.query_id)
            .bind(note.knowledge_base.0)
            .bind(at_ms)
            .bind(day_of(*at))
            .bind(&note.text)
            .bind(normalised(&note.text))
            .bind(&note.user)
            .bind(note.kind.as_str())
            .bind(note.mode.as_str())
            .bind(i64::try_from(note.results).unwrap_or(i64::MAX))
            .bind(i64::from(note.relevant))
            .bind(note.took_ms)
            .execute(&mut *transaction)
            .await
            .map_err(failed("write a search"))?;
        }
        commit(transaction).await
    }

    /// Begins a change.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, PortError> {
        self.database
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed("begin a change"))
    }
}

/// The steps to the tables of today. One that has been released is never changed.
fn migrations() -> Vec<Migration> {
    vec![
        migration(
            1,
            "analytics",
            include_str!("../../migrations/0001_analytics.sql"),
        ),
        migration(
            2,
            "asked before",
            include_str!("../../migrations/0002_asked_before.sql"),
        ),
    ]
}

/// Makes a change count.
pub(super) async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), PortError> {
    transaction.commit().await.map_err(failed("keep a change"))
}

/// The day of a time in UTC, in days since 1970.
pub(super) fn day_of(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis().div_euclid(DAY_MS)
}

/// Names the statement that failed; for `map_err`.
pub(super) fn failed(action: &'static str) -> impl FnOnce(sqlx::Error) -> PortError {
    move |error| wrong(&error, format!("could not {action} in the analytics")).caused_by(error)
}

fn unopened(path: &Path, error: OpenError) -> PortError {
    match error {
        OpenError::Open(error) => {
            wrong(&error, format!("could not open the analytics {}", path.display())).caused_by(error)
        }
        OpenError::Migrate(error) => PortError::new(
            ErrorKind::Internal,
            "analytics_migration_failed",
            format!("could not bring the analytics {} up to date", path.display()),
        )
        .caused_by(error),
    }
}

fn wrong(error: &sqlx::Error, message: String) -> PortError {
    let kind = sqlite::kind_of(error);
    let code = match kind {
        ErrorKind::NoSpace => "disk_full",
        ErrorKind::Corrupt => "analytics_damaged",
        ErrorKind::Unavailable => "analytics_busy",
        _ => "analytics_failed",
    };
    PortError::new(kind, code, message)
}
