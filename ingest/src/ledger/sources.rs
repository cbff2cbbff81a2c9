//! Sources: where the documents of a knowledge base come from.
//!
//! A source is removed in steps, each of which may be the last before a crash: its row gets a tombstone and its
//! documents are deleted in one transaction (from then on nothing of it is found), their chunks leave the
//! indexes, its row goes.

use chrono::{DateTime, Utc};
use lectern_domain::ports::Cursor;
use lectern_domain::{ContentHash, DefaultAccess, KnowledgeBaseId, SourceId};
use serde::Serialize;
use sqlx::{Sqlite, Transaction};
use uuid::Uuid;

use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};
use crate::source_settings::SourceSettings;

const COLUMNS: &str =
    "id, knowledge_base, name, kind, config, default_access, settings, scheduled_from, created_at";

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
    /// What its documents are made with, and what a job may do to them.
    pub settings: SourceSettings,
    /// What its schedule counts from: when that last asked for a sync, or was set. `None` where it has none.
    pub scheduled_from: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// How far a source was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListCursor {
    pub(crate) cursor: Cursor,
    /// The hash of everything that the listing was made with. Where that is another now, documents that didn't
    /// change have to be looked at too, and the cursor is of no use.
    pub(crate) context: ContentHash,
}

impl ListCursor {
    /// Notes how far a source was read, or that nothing is known of it.
    pub(super) async fn write(
        reached: Option<&Self>,
        transaction: &mut Transaction<'static, Sqlite>,
        source: SourceId,
    ) -> Result<()> {
        sqlx::query("UPDATE sources SET list_cursor = $2, list_cursor_context = $3 WHERE id = $1")
            .bind(source.0)
            .bind(reached.map(|reached| &reached.cursor.0))
            .bind(reached.map(|reached| reached.context.0.to_vec()))
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger("note how far a source was read"))?;
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    knowledge_base: Uuid,
    name: String,
    kind: String,
    config: String,
    default_access: String,
    settings: String,
    scheduled_from: Option<i64>,
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
            settings: rows::from_json("source settings", &row.settings)?,
            scheduled_from: row.scheduled_from.map(rows::time).transpose()?,
            created_at: rows::time(row.created_at)?,
        })
    }
}

impl Ledger {
    /// The source `name` of a knowledge base, made where it is missing, with this configuration from now
    /// on. Its settings stay. Another default access reaches the documents with the next sync.
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
             SET kind = excluded.kind, config = excluded.config, default_access = excluded.default_access,
                 settings = CASE WHEN deleted_at IS NULL THEN settings ELSE '{}' END,
                 scheduled_from = CASE WHEN deleted_at IS NULL THEN scheduled_from END, deleted_at = NULL
             RETURNING id, knowledge_base, name, kind, config, default_access, settings, scheduled_from, created_at",
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

    /// Gives a source other settings. They reach its documents with the next sync. Another schedule counts from now.
    pub async fn set_source_settings(&self, source: SourceId, settings: &SourceSettings) -> Result<Source> {
        const ACTION: &str = "change the settings of a source";
        let mut transaction = self.begin().await?;
        let statement = format!("SELECT {COLUMNS} FROM sources WHERE id = $1 AND deleted_at IS NULL");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(source.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        let row = row.ok_or_else(|| Error::NoSource {
            name: source.to_string(),
        })?;
        let mut changed = Source::try_from(row)?;
        if changed.settings.schedule != settings.schedule {
            changed.scheduled_from = (!settings.schedule.is_never()).then(now);
        }
        changed.settings = settings.clone();
        sqlx::query("UPDATE sources SET settings = $2, scheduled_from = $3 WHERE id = $1")
            .bind(source.0)
            .bind(rows::to_json("source settings", settings)?)
            .bind(changed.scheduled_from.map(|time| time.timestamp_millis()))
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        Ok(changed)
    }

    /// The sources that have a schedule, of all knowledge bases.
    pub async fn scheduled_sources(&self) -> Result<Vec<Source>> {
        let statement = format!(
            "SELECT {COLUMNS} FROM sources WHERE scheduled_from IS NOT NULL AND deleted_at IS NULL
             AND knowledge_base IN (SELECT id FROM knowledge_bases WHERE deleted_at IS NULL)
             ORDER BY scheduled_from"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list the sources with a schedule"))?;
        rows.into_iter().map(Source::try_from).collect()
    }

    /// Notes that the schedule of a source has asked for a sync: the next one counts from `at`.
    pub async fn note_scheduled_run(&self, source: SourceId, at: DateTime<Utc>) -> Result<()> {
        const ACTION: &str = "note that a schedule has asked";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE sources SET scheduled_from = $2 WHERE id = $1 AND scheduled_from IS NOT NULL")
            .bind(source.0)
            .bind(at.timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }

    /// The sources of a knowledge base, by name.
    pub async fn sources(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<Source>> {
        let statement = format!(
            "SELECT {COLUMNS} FROM sources WHERE knowledge_base = $1 AND deleted_at IS NULL ORDER BY name"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(knowledge_base.0)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list the sources"))?;
        rows.into_iter().map(Source::try_from).collect()
    }

    /// The source of a knowledge base with this name or id.
    pub async fn source(&self, knowledge_base: KnowledgeBaseId, name: &str) -> Result<Source> {
        let id: Option<Uuid> = Uuid::parse_str(name).ok();
        let statement = format!(
            "SELECT {COLUMNS} FROM sources
             WHERE knowledge_base = $1 AND (name = $2 OR id = $3) AND deleted_at IS NULL
             ORDER BY name = $2 DESC LIMIT 1"
        );
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(knowledge_base.0)
            .bind(name)
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("find a source"))?;
        let row = row.ok_or_else(|| Error::NoSource {
            name: name.to_owned(),
        })?;
        row.try_into()
    }

    /// How far a source was read, where the ledger has just what it had then.
    pub(crate) async fn list_cursor(&self, source: SourceId) -> Result<Option<ListCursor>> {
        let row: Option<(Option<String>, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT list_cursor, list_cursor_context FROM sources WHERE id = $1")
                .bind(source.0)
                .fetch_optional(&self.readers)
                .await
                .map_err(Error::ledger("look up how far a source was read"))?;
        let Some((Some(cursor), Some(context))) = row else {
            return Ok(None);
        };
        Ok(Some(ListCursor {
            cursor: Cursor(cursor),
            context: rows::hash(&context)?,
        }))
    }

    /// Forgets how far a source was read: the next job lists it in full.
    pub(crate) async fn forget_list_cursor(&self, source: SourceId) -> Result<()> {
        const ACTION: &str = "forget how far a source was read";
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE sources SET list_cursor = NULL, list_cursor_context = NULL WHERE id = $1")
            .bind(source.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }

    /// Sets the tombstone of a source and deletes its documents: nobody finds them from now on. False where there
    /// was nothing to remove.
    pub(crate) async fn bury_source(&self, source: SourceId) -> Result<bool> {
        const ACTION: &str = "remove a source";
        let mut transaction = self.begin().await?;
        let buried = sqlx::query(
            "UPDATE sources SET deleted_at = $2, list_cursor = NULL, list_cursor_context = NULL
             WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(source.0)
        .bind(now().timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        for statement in [
            "UPDATE versions SET state = 'retired' WHERE document IN
                 (SELECT id FROM documents WHERE source = $1 AND deleted = 0)",
            "UPDATE documents SET deleted = 1, current_version = NULL, chunk_count = 0, fingerprint = NULL
             WHERE source = $1 AND deleted = 0",
        ] {
            sqlx::query(statement)
                .bind(source.0)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await?;
        Ok(buried.rows_affected() > 0)
    }

    /// Removes the rows of the knowledge base's sources that have a tombstone and no documents any more.
    pub(crate) async fn erase_buried_sources(&self, knowledge_base: KnowledgeBaseId) -> Result<()> {
        const ACTION: &str = "erase a source";
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM sources WHERE knowledge_base = $1 AND deleted_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.source = sources.id)",
        )
        .bind(knowledge_base.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }
}
