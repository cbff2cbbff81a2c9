//! Sources: where the documents of a knowledge base come from.

use chrono::{DateTime, Utc};
use lectern_domain::{DefaultAccess, KnowledgeBaseId, SourceId};
use serde::Serialize;
use uuid::Uuid;

use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

/// A place that documents come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// Derived from the knowledge base and the name.
    pub id: SourceId,
    /// Whose source it is.
    pub knowledge_base: KnowledgeBaseId,
    /// Unique within the knowledge base.
    pub name: String,
    /// The kind of connector, or `push`.
    pub kind: String,
    /// The connector's configuration.
    pub config: serde_json::Value,
    /// Who reads its documents that carry no permissions.
    pub default_access: DefaultAccess,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    knowledge_base: Uuid,
    name: String,
    kind: String,
    config: String,
    default_access: String,
    created_at: i64,
}

impl TryFrom<Row> for Source {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: SourceId(row.id),
            knowledge_base: KnowledgeBaseId(row.knowledge_base),
            name: row.name,
            kind: row.kind,
            config: rows::from_json("source configuration", &row.config)?,
            default_access: rows::from_json("default access", &row.default_access)?,
            created_at: rows::time(row.created_at)?,
        })
    }
}

impl Ledger {
    /// The source `name` of a knowledge base, made where it is missing, with this configuration from now
    /// on. Another default access reaches the documents with the next sync.
    pub async fn ensure_source(
        &self,
        knowledge_base: KnowledgeBaseId,
        name: &str,
        kind: &str,
        config: &serde_json::Value,
        default_access: &DefaultAccess,
    ) -> Result<Source> {
        let mut transaction = self.begin().await?;
        let row: Row = sqlx::query_as(
            "INSERT INTO sources (id, knowledge_base, name, kind, config, default_access, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE
             SET kind = excluded.kind, config = excluded.config, default_access = excluded.default_access
             RETURNING id, knowledge_base, name, kind, config, default_access, created_at",
        )
        .bind(SourceId::derive(knowledge_base, name).0)
        .bind(knowledge_base.0)
        .bind(name)
        .bind(kind)
        .bind(rows::to_json("source configuration", config)?)
        .bind(rows::to_json("default access", default_access)?)
        .bind(now().timestamp_millis())
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::ledger("make a source"))?;
        commit(transaction, "make a source").await?;
        row.try_into()
    }

    /// The sources of a knowledge base, by name.
    pub async fn sources(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<Source>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, knowledge_base, name, kind, config, default_access, created_at
             FROM sources WHERE knowledge_base = $1 ORDER BY name",
        )
        .bind(knowledge_base.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list the sources"))?;
        rows.into_iter().map(Source::try_from).collect()
    }
}
