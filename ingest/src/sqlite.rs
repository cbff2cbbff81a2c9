//! How a database is kept: an SQLite file of its own in the data folder. The ledger is one; what else the binary keeps
//! in tables is opened the same way.
//!
//! In WAL mode one connection writes and several read, so that nobody who reads waits. What is deleted is overwritten.
//! The tables are brought up to date before the file is used.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

pub use crate::error::sqlite_kind as kind_of;

const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections to one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    /// Connections that can't write.
    pub readers: SqlitePool,
    /// The one that can.
    pub writer: SqlitePool,
}

/// A database that can't be used.
#[derive(Debug)]
pub enum OpenError {
    /// It can't be opened.
    Open(sqlx::Error),
    /// Its tables can't be brought up to date.
    Migrate(MigrateError),
}

impl Database {
    /// Opens the file `path`, makes it where it is missing, and brings its tables up to date. What a transaction has
    /// committed survives a crash of the process; a power cut only with [`SqliteSynchronous::Full`].
    pub async fn open(
        path: &Path,
        synchronous: SqliteSynchronous,
        readers: u32,
        migrations: Vec<Migration>,
    ) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .foreign_keys(true)
            // What is deleted or redacted doesn't stay behind in free pages.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(OpenError::Open)?;
        Migrator::with_migrations(migrations)
            .run(&writer)
            .await
            .map_err(OpenError::Migrate)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(readers)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(OpenError::Open)?;
        Ok(Self { readers, writer })
    }

    /// Waits for what is being written and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A step from one set of tables to the next. Steps are done in the order of their numbers, each once.
pub fn migration(number: i64, about: &'static str, sql: &'static str) -> Migration {
    Migration::new(
        number,
        about.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}
