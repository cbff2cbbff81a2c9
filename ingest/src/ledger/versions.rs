//! Staging: a version gets its number and its chunks get their rows, before an index hears of them.

use std::sync::Arc;

use lectern_domain::{
    Acl, Attributes, ChunkId, ContentHash, DocumentId, JobId, KnowledgeBaseId, SourceId, TextSpan, Version,
};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::documents::SourceMetadata;
use super::{Ledger, commit, now, rows};
use crate::chunk::ChunkDraft;
use crate::error::{Error, Result};
use crate::outcome::Outcome;

const ACTION: &str = "stage a version";

/// SQLite takes 32,766 parameters; a chunk has seventeen.
const CHUNKS_PER_STATEMENT: usize = 1_000;

/// Which document is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentRef {
    pub(crate) id: DocumentId,
    pub(crate) knowledge_base: KnowledgeBaseId,
    pub(crate) source: SourceId,
    pub(crate) key: String,
    /// What it is attached to.
    pub(crate) parent: Option<DocumentId>,
    /// Where it was pushed: which push.
    pub(crate) push: Option<PushRef>,
}

/// Which push is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PushRef {
    pub(crate) sequence: i64,
    pub(crate) original: ContentHash,
}

/// What comes last in a key.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

impl DocumentRef {
    /// The last part of the key: a name where there is nothing better.
    pub(crate) fn file_name(&self) -> &str {
        file_name(&self.key)
    }

    /// Whether the document is still wanted: a push as long as it waits, an attachment unless what it is
    /// attached to was deleted, a document of a source always.
    pub(super) async fn is_wanted(&self, transaction: &mut Transaction<'static, Sqlite>) -> Result<bool> {
        if let Some(parent) = self.parent {
            let found: Option<i64> =
                sqlx::query_scalar("SELECT 1 FROM documents WHERE id = $1 AND deleted = 1")
                    .bind(parent.0)
                    .fetch_optional(&mut **transaction)
                    .await
                    .map_err(Error::ledger("look up what a document is attached to"))?;
            return Ok(found.is_none());
        }
        let Some(push) = self.push else {
            return Ok(true);
        };
        let found: Option<i64> =
            sqlx::query_scalar("SELECT sequence FROM pending_pushes WHERE document = $1 AND sequence = $2")
                .bind(self.id.0)
                .bind(push.sequence)
                .fetch_optional(&mut **transaction)
                .await
                .map_err(Error::ledger("look up a push"))?;
        Ok(found.is_some())
    }

    /// Takes the push out of the queue. False where another push or a deletion has overtaken it.
    pub(super) async fn end_push(&self, transaction: &mut Transaction<'static, Sqlite>) -> Result<bool> {
        let Some(push) = self.push else {
            return Ok(true);
        };
        let done = sqlx::query("DELETE FROM pending_pushes WHERE document = $1 AND sequence = $2")
            .bind(self.id.0)
            .bind(push.sequence)
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger("end a push"))?;
        Ok(done.rows_affected() > 0)
    }
}

/// A version of a document that is ready to be published but for its vectors.
#[derive(Clone, Debug)]
pub(crate) struct NewVersion {
    pub(crate) document: DocumentRef,
    /// The job that saw it, if one did.
    pub(crate) job: Option<JobId>,
    pub(crate) title: String,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
    pub(crate) metadata: SourceMetadata,
    pub(crate) file_attributes: Attributes,
    /// What it was made from, and how.
    pub(crate) fingerprint: ContentHash,
    pub(crate) recipe: ContentHash,
    /// What the listing said of it.
    pub(crate) change_tag: Option<ContentHash>,
    /// What the job has done with the document before.
    pub(crate) before: Option<Outcome>,
    /// What is attached to it.
    pub(crate) attachments: Vec<DocumentId>,
    pub(crate) text: Arc<str>,
    pub(crate) text_hash: ContentHash,
    pub(crate) chunks: Vec<ChunkDraft>,
    /// For each chunk, the hash of exactly what the embedder will read.
    pub(crate) embed_hashes: Vec<ContentHash>,
}

impl NewVersion {
    pub(crate) fn acl(&self) -> &Acl {
        &self.metadata.acl
    }
}

impl Ledger {
    /// Stages the versions in one transaction and gives their numbers. `None` where a push was overtaken.
    pub(crate) async fn stage(&self, versions: &[&NewVersion]) -> Result<Vec<Option<Version>>> {
        let mut transaction = self.begin().await?;
        let mut numbers = Vec::with_capacity(versions.len());
        for new in versions {
            numbers.push(stage_one(&mut transaction, new).await?);
        }
        commit(transaction, ACTION).await?;
        Ok(numbers)
    }
}

async fn stage_one(
    transaction: &mut Transaction<'static, Sqlite>,
    new: &NewVersion,
) -> Result<Option<Version>> {
    if !new.document.is_wanted(transaction).await? {
        return Ok(None);
    }
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO documents (id, knowledge_base, source, document_key, uri, title, media_type, size_bytes,
                                status, acl, seen_job, parent, last_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $11, 1)
         ON CONFLICT (id) DO UPDATE
         SET last_version = last_version + 1, seen_job = COALESCE(excluded.seen_job, seen_job), gone_job = NULL,
             status = CASE WHEN deleted = 1 THEN 'pending' ELSE status END, deleted = 0
         RETURNING last_version",
    )
    .bind(new.document.id.0)
    .bind(new.document.knowledge_base.0)
    .bind(new.document.source.0)
    .bind(&new.document.key)
    .bind(&new.metadata.uri)
    .bind(&new.title)
    .bind(&new.media_type)
    .bind(rows::signed(new.size_bytes))
    .bind(rows::to_json("access list", new.acl())?)
    .bind(new.job.map(|job| job.0))
    .bind(new.document.parent.map(|parent| parent.0))
    .fetch_one(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    let version = rows::version(number)?;
    sqlx::query(
        "INSERT INTO versions (document, version, knowledge_base, state, text_hash, staged_at)
         VALUES ($1, $2, $3, 'staged', $4, $5)",
    )
    .bind(new.document.id.0)
    .bind(number)
    .bind(new.document.knowledge_base.0)
    .bind(new.text_hash.0.to_vec())
    .bind(now().timestamp_millis())
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger(ACTION))?;
    stage_chunks(transaction, new, version).await?;
    Ok(Some(version))
}

async fn stage_chunks(
    transaction: &mut Transaction<'static, Sqlite>,
    new: &NewVersion,
    version: Version,
) -> Result<()> {
    let mut ordinal = 0_u32;
    for part in new.chunks.chunks(CHUNKS_PER_STATEMENT) {
        let mut rows_of_part = Vec::with_capacity(part.len());
        for chunk in part {
            let heading_path = rows::to_json("heading path", &chunk.heading_path)?;
            rows_of_part.push((ordinal, chunk, heading_path));
            ordinal += 1;
        }
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO chunks (id, document, version, ordinal, heading_path, page, span_start, span_end,
                                 token_count, text_hash, parent_start, parent_end, parent_hash, header_start,
                                 header_end, header_hash, embed_hash) ",
        );
        insert.push_values(rows_of_part, |mut row, (ordinal, chunk, heading_path)| {
            let hash = |span: TextSpan| {
                let text = span.of(&new.text).unwrap_or_default();
                ContentHash::of(text.as_bytes()).0.to_vec()
            };
            row.push_bind(ChunkId::derive(new.document.id, version, ordinal).0)
                .push_bind(new.document.id.0)
                .push_bind(rows::signed(version.0))
                .push_bind(i64::from(ordinal))
                .push_bind(heading_path)
                .push_bind(chunk.page.map(i64::from))
                .push_bind(rows::signed(chunk.span.start))
                .push_bind(rows::signed(chunk.span.end))
                .push_bind(i64::from(chunk.token_count))
                .push_bind(hash(chunk.span));
            for context in [chunk.parent, chunk.table_header] {
                row.push_bind(context.map(|span| rows::signed(span.start)))
                    .push_bind(context.map(|span| rows::signed(span.end)))
                    .push_bind(context.map(hash));
            }
            let embed_hash = new.embed_hashes.get(ordinal as usize);
            row.push_bind(embed_hash.map(|hash| hash.0.to_vec()));
        });
        insert
            .build()
            .persistent(false)
            .execute(&mut **transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
    }
    Ok(())
}
