//! What people do with what a search showed them.

use std::fmt;

use chrono::{DateTime, Utc};
use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, PortError};
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, Transaction};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store::{Store, commit, failed};

/// What somebody did with a passage, or thinks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackKind {
    /// Opened it.
    Click,
    /// Says that it helps. Takes the place of `not_relevant`.
    Relevant,
    /// Says that it doesn't. Takes the place of `relevant`.
    NotRelevant,
}

impl FeedbackKind {
    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Relevant => "relevant",
            Self::NotRelevant => "not_relevant",
        }
    }

    /// What it takes the place of.
    fn opposite(self) -> Option<Self> {
        match self {
            Self::Click => None,
            Self::Relevant => Some(Self::NotRelevant),
            Self::NotRelevant => Some(Self::Relevant),
        }
    }
}

impl fmt::Display for FeedbackKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A passage and what somebody did with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The passage.
    pub chunk: ChunkId,
    /// The document it is a piece of.
    pub document: DocumentId,
    /// What was done.
    pub kind: FeedbackKind,
}

/// The search that feedback is about, and who gives it.
#[derive(Clone, Copy, Debug)]
pub struct QueryRef<'a> {
    /// Its id, from its results.
    pub id: Uuid,
    /// What was searched.
    pub knowledge_base: KnowledgeBaseId,
    /// Who gives the feedback.
    pub user: &'a str,
}

impl Store {
    /// Adds what is new of `items`, and says how many those are. `None` where there is no such search of this person; one that
    /// is kept without a name is anybody's who knows its id.
    pub(super) async fn add_feedback(
        &self,
        query: QueryRef<'_>,
        items: &[Feedback],
        now: DateTime<Utc>,
    ) -> Result<Option<u64>, PortError> {
        let mut transaction = self.begin().await?;
        let known: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM searches
             WHERE query_id = $1 AND knowledge_base = $2 AND (user_name IS NULL OR user_name = $3)",
        )
        .bind(query.id)
        .bind(query.knowledge_base.0)
        .bind(query.user)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed("find a search"))?;
        if known.is_none() {
            return Ok(None);
        }
        let mut counted = 0;
        for item in items {
            counted += add(&mut transaction, query.id, *item, now).await?;
        }
        commit(transaction).await?;
        Ok(Some(counted))
    }
}

/// Adds one item. Gives 1, or 0 where it was there.
async fn add(
    transaction: &mut Transaction<'static, Sqlite>,
    query: Uuid,
    item: Feedback,
    now: DateTime<Utc>,
) -> Result<u64, PortError> {
    if let Some(opposite) = item.kind.opposite() {
        sqlx::query("DELETE FROM feedback WHERE query_id = $1 AND chunk = $2 AND kind = $3")
            .bind(query)
            .bind(item.chunk.0)
            .bind(opposite.as_str())
            .execute(&mut **transaction)
            .await
            .map_err(failed("replace a judgement"))?;
    }
    let added = sqlx::query(
        "INSERT INTO feedback (query_id, chunk, kind, document, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (query_id, chunk, kind) DO NOTHING",
    )
    .bind(query)
    .bind(item.chunk.0)
    .bind(item.kind.as_str())
    .bind(item.document.0)
    .bind(now.timestamp_millis())
    .execute(&mut **transaction)
    .await
    .map_err(failed("write feedback"))?;
    Ok(added.rows_affected())
}
