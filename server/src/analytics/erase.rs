//! Erasing: by name, by age, by knowledge base; and so that nothing is left of it in the file.
//!
//! SQLite overwrites what is deleted (`secure_delete`), but not what it has copied before: when a page of a table is split,
//! rows move, and the gap that they leave keeps their bytes. So the file is written anew without them, and its journal is
//! emptied.

use chrono::{DateTime, Utc};
use lectern_domain::{ErrorKind, KnowledgeBaseId, PortError};
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite};
use utoipa::ToSchema;

use super::store::{Store, commit, failed};

/// How much was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Erased {
    /// Searches and questions.
    pub searches: u64,
    /// What was done with their results.
    pub feedback: u64,
}

impl Store {
    /// Erases what a person asked and opened.
    pub(super) async fn erase_user(&self, user: &str) -> Result<Erased, PortError> {
        self.erase(|query| {
            query.push("user_name = ").push_bind(user.to_owned());
        })
        .await
    }

    /// Erases what was asked of a knowledge base.
    pub(super) async fn erase_knowledge_base(&self, base: KnowledgeBaseId) -> Result<Erased, PortError> {
        self.erase(|query| {
            query.push("knowledge_base = ").push_bind(base.0);
        })
        .await
    }

    /// Erases what was asked before `time`.
    pub(super) async fn erase_older(&self, time: DateTime<Utc>) -> Result<Erased, PortError> {
        self.erase(|query| {
            query.push("at < ").push_bind(time.timestamp_millis());
        })
        .await
    }

    async fn erase(&self, which: impl Fn(&mut QueryBuilder<Sqlite>)) -> Result<Erased, PortError> {
        let mut feedback =
            QueryBuilder::new("DELETE FROM feedback WHERE query_id IN (SELECT query_id FROM searches WHERE ");
        which(&mut feedback);
        feedback.push(")");
        let mut searches = QueryBuilder::new("DELETE FROM searches WHERE ");
        which(&mut searches);
        let mut transaction = self.begin().await?;
        let mut rows = [0; 2];
        for (rows, statement) in rows.iter_mut().zip([&mut feedback, &mut searches]) {
            let done = statement.build().execute(&mut *transaction).await;
            *rows = done.map_err(failed("erase searches"))?.rows_affected();
        }
        commit(transaction).await?;
        let [feedback, searches] = rows;
        Ok(Erased { searches, feedback })
    }

    /// Writes the file anew without what was erased, and empties its journal. Costs reading and writing all of it. Nobody
    /// else can write meanwhile; readers go on, and the journal is emptied between them.
    pub(super) async fn scrub(&self) -> Result<(), PortError> {
        let writer = &self.database.writer;
        sqlx::query("VACUUM")
            .execute(writer)
            .await
            .map_err(failed("rewrite the file, which still has what was erased,"))?;
        let (is_busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(writer)
            .await
            .map_err(failed("empty the journal, which still has what was erased,"))?;
        if is_busy != 0 {
            return Err(PortError::new(
                ErrorKind::Unavailable,
                "analytics_busy",
                "what was erased is still in the journal of the analytics, because they are being read",
            ));
        }
        Ok(())
    }
}
