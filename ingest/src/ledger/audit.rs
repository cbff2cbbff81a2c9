//! What `fsck` and `recover` ask: the ledger's chunks as a set, its texts, and what is unfinished.

use std::collections::{BTreeSet, HashMap};

use lectern_domain::{ChunkId, ContentHash, KnowledgeBaseId, MetadataDigest};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::metadata::{METADATA_COLUMNS, MetadataRow};
use super::{Ledger, ReleasedFiles, rows};
use crate::error::{Error, Result};

const ACTION: &str = "check the ledger";

/// What no knowledge base has while no job runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub(crate) struct Unfinished {
    pub(crate) staged_versions: i64,
    pub(crate) retired_versions: i64,
    pub(crate) owed_access: i64,
    pub(crate) running_jobs: i64,
    /// Documents whose visible version has another number of chunks than they say.
    pub(crate) torn_documents: i64,
    /// Documents that can be found by words only: vectors are on their way, or can't be made.
    pub(crate) words_only: i64,
    /// Those of them whose vectors can't be made.
    pub(crate) without_vectors: i64,
}

#[derive(FromRow)]
struct DigestRow {
    id: Uuid,
    #[sqlx(flatten)]
    metadata: MetadataRow,
}

/// The chunks that searches may give, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VisibleChunks {
    /// What the index of words has to hold.
    pub(crate) current: Vec<ChunkId>,
    /// What the index of vectors has to hold; it may hold others of `current` too.
    pub(crate) embedded: Vec<ChunkId>,
    /// What may still be in an index after a crash, until somebody takes it out: chunks of versions that are
    /// being written or were replaced.
    pub(crate) leftover: Vec<ChunkId>,
    /// The metadata of those of `current` whose metadata the indexes are said to have.
    pub(crate) metadata: HashMap<ChunkId, MetadataDigest>,
}

impl Ledger {
    /// The chunks that may be seen, and those of them that are found by meaning.
    pub(crate) async fn visible_chunks(&self, knowledge_base: KnowledgeBaseId) -> Result<VisibleChunks> {
        let digests = self.metadata_digests(knowledge_base).await?;
        let found: Vec<(Uuid, Uuid, bool)> = sqlx::query_as(
            "SELECT c.id, d.id, v.embedded_at IS NOT NULL FROM documents d
             JOIN versions v ON v.document = d.id AND v.version = d.current_version
             JOIN chunks c ON c.document = d.id AND c.version = d.current_version
             WHERE d.knowledge_base = $1 AND d.deleted = 0",
        )
        .bind(knowledge_base.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        let mut visible = VisibleChunks::default();
        for (id, document, is_embedded) in found {
            visible.current.push(ChunkId(id));
            if is_embedded {
                visible.embedded.push(ChunkId(id));
            }
            if let Some(digest) = digests.get(&document) {
                visible.metadata.insert(ChunkId(id), *digest);
            }
        }
        visible.current.sort_unstable();
        visible.embedded.sort_unstable();
        visible.leftover = self.leftover_chunks(knowledge_base).await?;
        Ok(visible)
    }

    /// By document, where the indexes owe nothing.
    async fn metadata_digests(&self, base: KnowledgeBaseId) -> Result<HashMap<Uuid, MetadataDigest>> {
        let found: Vec<DigestRow> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT d.id, {METADATA_COLUMNS} FROM documents d JOIN sources s ON s.id = d.source
             WHERE d.knowledge_base = $1 AND d.deleted = 0 AND d.current_version IS NOT NULL
             AND d.access_indexed = d.access_revision",
        )))
        .bind(base.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        found
            .into_iter()
            .map(|row| Ok((row.id, row.metadata.metadata()?.digest())))
            .collect()
    }

    async fn leftover_chunks(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<ChunkId>> {
        let found: Vec<Uuid> = sqlx::query_scalar(
            "SELECT c.id FROM versions v
             JOIN chunks c ON c.document = v.document AND c.version = v.version
             WHERE v.knowledge_base = $1 AND v.state <> 'current' ORDER BY c.id",
        )
        .bind(knowledge_base.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        let mut leftover: Vec<ChunkId> = found.into_iter().map(ChunkId).collect();
        leftover.sort_unstable();
        Ok(leftover)
    }

    /// The texts and originals that the knowledge base refers to, each once.
    pub(crate) async fn files_of(&self, knowledge_base: KnowledgeBaseId) -> Result<ReleasedFiles> {
        let texts: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT DISTINCT text_hash FROM versions WHERE knowledge_base = $1")
                .bind(knowledge_base.0)
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger(ACTION))?;
        let originals: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT original FROM documents WHERE knowledge_base = $1 AND original IS NOT NULL
             UNION SELECT original FROM pending_pushes WHERE knowledge_base = $1",
        )
        .bind(knowledge_base.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        let hashes = |found: &[Vec<u8>]| {
            found
                .iter()
                .map(|hash| rows::hash(hash))
                .collect::<Result<Vec<_>>>()
        };
        Ok(ReleasedFiles {
            texts: hashes(&texts)?,
            originals: hashes(&originals)?,
        })
    }

    /// What is unfinished in a knowledge base.
    pub(crate) async fn unfinished(&self, knowledge_base: KnowledgeBaseId) -> Result<Unfinished> {
        sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM versions WHERE knowledge_base = $1 AND state = 'staged')
                   AS staged_versions,
               (SELECT COUNT(*) FROM versions WHERE knowledge_base = $1 AND state = 'retired')
                   AS retired_versions,
               (SELECT COUNT(*) FROM documents WHERE knowledge_base = $1 AND access_indexed <> access_revision)
                   AS owed_access,
               (SELECT COUNT(*) FROM jobs WHERE knowledge_base = $1 AND state = 'running')
                   AS running_jobs,
               (SELECT COUNT(*) FROM documents d
                WHERE d.knowledge_base = $1 AND d.deleted = 0 AND d.current_version IS NOT NULL
                AND d.chunk_count <> (SELECT COUNT(*) FROM chunks c
                                      WHERE c.document = d.id AND c.version = d.current_version))
                   AS torn_documents,
               (SELECT COUNT(*) FROM versions
                WHERE knowledge_base = $1 AND state = 'current' AND embedded_at IS NULL) AS words_only,
               (SELECT COUNT(*) FROM versions
                WHERE knowledge_base = $1 AND state = 'current' AND embedded_at IS NULL
                AND embed_problem IS NOT NULL) AS without_vectors",
        )
        .bind(knowledge_base.0)
        .fetch_one(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))
    }

    /// Whether any version has this text.
    pub(crate) async fn text_in_use(&self, hash: ContentHash) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM versions WHERE text_hash = $1 LIMIT 1")
            .bind(hash.0.to_vec())
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger(ACTION))?;
        Ok(found.is_some())
    }

    /// Whether any document, or any push that waits, has this original.
    pub(crate) async fn original_in_use(&self, hash: ContentHash) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM documents WHERE original = $1
             UNION ALL SELECT 1 FROM pending_pushes WHERE original = $1 LIMIT 1",
        )
        .bind(hash.0.to_vec())
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        Ok(found.is_some())
    }

    /// All texts that any version has.
    pub(crate) async fn all_texts(&self) -> Result<BTreeSet<ContentHash>> {
        let found: Vec<Vec<u8>> = sqlx::query_scalar("SELECT DISTINCT text_hash FROM versions")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger(ACTION))?;
        found.iter().map(|hash| rows::hash(hash)).collect()
    }

    /// All originals that a document or a waiting push has.
    pub(crate) async fn all_originals(&self) -> Result<BTreeSet<ContentHash>> {
        let found: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT original FROM documents WHERE original IS NOT NULL
             UNION SELECT original FROM pending_pushes",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger(ACTION))?;
        found.iter().map(|hash| rows::hash(hash)).collect()
    }
}
