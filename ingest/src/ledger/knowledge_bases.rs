//! Knowledge bases: making, finding and taking them down.
//!
//! A knowledge base is deleted in steps, each of which may be the last before a crash: its row gets a
//! tombstone (from then on it isn't found and its name is free), its indexes are dropped, its rows go.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use lectern_domain::KnowledgeBaseId;
use serde::Serialize;
use uuid::Uuid;

use super::{Ledger, commit, now, rows, vectors};
use crate::error::{Error, Result};

/// A knowledge base: one set of documents with one pair of indexes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnowledgeBase {
    /// Random, and never used again.
    pub id: KnowledgeBaseId,
    /// 1 to 64 of the characters a-z, 0-9, - and _.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// The model whose vectors it holds.
    pub embedding_model: String,
    /// The length of those vectors.
    pub dimensions: usize,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How many of its documents can be found.
    pub document_count: u64,
    /// How many chunks those have.
    pub chunk_count: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    embedding_model: String,
    dimensions: i64,
    created_at: i64,
    document_count: i64,
    chunk_count: i64,
}

impl TryFrom<Row> for KnowledgeBase {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: KnowledgeBaseId(row.id),
            name: row.name,
            description: row.description,
            embedding_model: row.embedding_model,
            dimensions: rows::position("vector length", row.dimensions)?,
            created_at: rows::time(row.created_at)?,
            document_count: rows::unsigned("document count", row.document_count)?,
            chunk_count: rows::unsigned("chunk count", row.chunk_count)?,
        })
    }
}

impl Ledger {
    /// Makes a knowledge base. The name must be free ([`Error::KnowledgeBaseExists`]).
    pub async fn create_knowledge_base(
        &self,
        name: &str,
        description: &str,
        embedding_model: &str,
        dimensions: usize,
    ) -> Result<KnowledgeBase> {
        if !is_name(name) {
            return Err(Error::KnowledgeBaseName {
                name: name.to_owned(),
            });
        }
        let knowledge_base = KnowledgeBase {
            id: KnowledgeBaseId::generate(),
            name: name.to_owned(),
            description: description.to_owned(),
            embedding_model: embedding_model.to_owned(),
            dimensions,
            created_at: now(),
            document_count: 0,
            chunk_count: 0,
        };
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO knowledge_bases (id, name, description, embedding_model, dimensions, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(knowledge_base.id.0)
        .bind(name)
        .bind(description)
        .bind(embedding_model)
        .bind(rows::signed(dimensions))
        .bind(knowledge_base.created_at.timestamp_millis())
        .execute(&mut *transaction)
        .await;
        match inserted {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                return Err(Error::KnowledgeBaseExists {
                    name: name.to_owned(),
                });
            }
            other => other.map_err(Error::ledger("make a knowledge base"))?,
        };
        commit(transaction, "make a knowledge base").await?;
        Ok(knowledge_base)
    }

    /// All knowledge bases, by name.
    pub async fn knowledge_bases(&self) -> Result<Vec<KnowledgeBase>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, description, embedding_model, dimensions, created_at, document_count, chunk_count
             FROM knowledge_bases WHERE deleted_at IS NULL ORDER BY name",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list the knowledge bases"))?;
        rows.into_iter().map(KnowledgeBase::try_from).collect()
    }

    /// The knowledge base with this name or id. Takes the same time however many documents it has.
    pub async fn knowledge_base(&self, name: &str) -> Result<KnowledgeBase> {
        let id = KnowledgeBaseId::from_str(name).map(|id| id.0).unwrap_or_default();
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, description, embedding_model, dimensions, created_at, document_count, chunk_count
             FROM knowledge_bases WHERE deleted_at IS NULL AND (name = $1 OR id = $2)
             ORDER BY name = $1 DESC LIMIT 1",
        )
        .bind(name)
        .bind(id)
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::ledger("find a knowledge base"))?;
        match row {
            Some(row) => row.try_into(),
            None => Err(Error::NoKnowledgeBase {
                name: name.to_owned(),
            }),
        }
    }

    /// The model of a knowledge base; `None` where there is none with this id.
    pub(crate) async fn embedding_model(&self, id: KnowledgeBaseId) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT embedding_model FROM knowledge_bases WHERE id = $1 AND deleted_at IS NULL")
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("find the model of a knowledge base"))
    }

    /// Sets the tombstone. False where there was nothing to delete.
    pub(crate) async fn bury_knowledge_base(&self, id: KnowledgeBaseId) -> Result<bool> {
        let mut transaction = self.begin().await?;
        let done =
            sqlx::query("UPDATE knowledge_bases SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
                .bind(id.0)
                .bind(now().timestamp_millis())
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger("delete a knowledge base"))?;
        commit(transaction, "delete a knowledge base").await?;
        Ok(done.rows_affected() > 0)
    }

    /// Knowledge bases that have a tombstone and are still there.
    pub(crate) async fn buried_knowledge_bases(&self) -> Result<Vec<KnowledgeBaseId>> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM knowledge_bases WHERE deleted_at IS NOT NULL")
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("list deleted knowledge bases"))?;
        Ok(ids.into_iter().map(KnowledgeBaseId).collect())
    }

    /// Removes all rows of a knowledge base.
    pub(crate) async fn erase_knowledge_base(&self, id: KnowledgeBaseId) -> Result<()> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM knowledge_bases WHERE id = $1 AND deleted_at IS NOT NULL")
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger("erase a knowledge base"))?;
        vectors::release_all_unneeded(&mut transaction).await?;
        commit(transaction, "erase a knowledge base").await
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}
