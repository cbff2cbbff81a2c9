//! What the indexes owe the ledger: chunks to take out, access lists and attributes to change.

use lectern_domain::{ChunkId, ContentHash, DocumentId, DocumentMetadata, KnowledgeBaseId, Version};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::metadata::{METADATA_COLUMNS, MetadataRow};
use super::{Ledger, commit, rows, vectors};
use crate::error::{Error, Result};

/// A version whose chunks have to leave the indexes.
#[derive(Clone, Debug)]
pub(crate) struct RetiredVersion {
    pub(crate) document: DocumentId,
    pub(crate) version: Version,
    pub(crate) chunks: Vec<ChunkId>,
}

/// A document whose chunks have other metadata in the indexes than in the ledger: another access list, or other
/// attributes.
#[derive(Clone, Debug)]
pub(crate) struct OwedAccess {
    pub(crate) document: DocumentId,
    pub(crate) revision: i64,
    pub(crate) metadata: DocumentMetadata,
    pub(crate) chunks: Vec<ChunkId>,
}

/// Files that rows referred to which are gone now; perhaps others still do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReleasedFiles {
    pub(crate) texts: Vec<ContentHash>,
    pub(crate) originals: Vec<ContentHash>,
}

#[derive(FromRow)]
struct AccessRow {
    id: Uuid,
    access_revision: i64,
    #[sqlx(flatten)]
    metadata: MetadataRow,
}

impl Ledger {
    /// Retires what is staged: nobody is writing it any more. Gives how many versions.
    pub(crate) async fn retire_staged(&self, knowledge_base: KnowledgeBaseId) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE versions SET state = 'retired' WHERE knowledge_base = $1 AND state = 'staged'",
        )
        .bind(knowledge_base.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("retire staged versions"))?;
        // A new document whose only version was staged is not there: its source will list it again.
        sqlx::query(
            "UPDATE documents SET deleted = 1 WHERE knowledge_base = $1 AND status = 'pending'
             AND current_version IS NULL AND id NOT IN (SELECT document FROM pending_pushes)",
        )
        .bind(knowledge_base.0)
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger("retire staged versions"))?;
        commit(transaction, "retire staged versions").await?;
        Ok(done.rows_affected())
    }

    /// Up to `limit` retired versions with their chunks.
    pub(crate) async fn retired(
        &self,
        knowledge_base: KnowledgeBaseId,
        limit: usize,
    ) -> Result<Vec<RetiredVersion>> {
        let found: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT document, version FROM versions WHERE knowledge_base = $1 AND state = 'retired' LIMIT $2",
        )
        .bind(knowledge_base.0)
        .bind(rows::signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list retired versions"))?;
        let mut retired = Vec::with_capacity(found.len());
        for (document, number) in found {
            let document = DocumentId(document);
            let version = rows::version(number)?;
            retired.push(RetiredVersion {
                document,
                version,
                chunks: self.chunks_of(document, version).await?,
            });
        }
        Ok(retired)
    }

    async fn chunks_of(&self, document: DocumentId, version: Version) -> Result<Vec<ChunkId>> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM chunks WHERE document = $1 AND version = $2 ORDER BY ordinal")
                .bind(document.0)
                .bind(rows::signed(version.0))
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("list a version's chunks"))?;
        Ok(ids.into_iter().map(ChunkId).collect())
    }

    /// Forgets retired versions that have left the indexes, and deleted documents without versions.
    pub(crate) async fn forget(
        &self,
        knowledge_base: KnowledgeBaseId,
        versions: &[RetiredVersion],
    ) -> Result<ReleasedFiles> {
        const ACTION: &str = "forget retired versions";
        let mut transaction = self.begin().await?;
        let mut texts = Vec::new();
        for retired in versions {
            vectors::release_vectors(&mut transaction, retired.document, retired.version).await?;
            let hash: Option<Vec<u8>> = sqlx::query_scalar(
                "DELETE FROM versions WHERE document = $1 AND version = $2 AND state = 'retired'
                 RETURNING text_hash",
            )
            .bind(retired.document.0)
            .bind(rows::signed(retired.version.0))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
            texts.extend(hash);
        }
        let originals: Vec<Option<Vec<u8>>> = sqlx::query_scalar(
            "DELETE FROM documents WHERE knowledge_base = $1 AND deleted = 1
             AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.document = documents.id)
             RETURNING original",
        )
        .bind(knowledge_base.0)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        Ok(ReleasedFiles {
            texts: texts.iter().map(|hash| rows::hash(hash)).collect::<Result<_>>()?,
            originals: originals
                .iter()
                .flatten()
                .map(|hash| rows::hash(hash))
                .collect::<Result<_>>()?,
        })
    }

    /// Notes that the indexes don't have the access lists of these documents.
    pub(crate) async fn owe_access(&self, documents: &[DocumentId]) -> Result<()> {
        const ACTION: &str = "note that access lists are owed";
        let mut transaction = self.begin().await?;
        for document in documents {
            sqlx::query("UPDATE documents SET access_revision = access_revision + 1 WHERE id = $1")
                .bind(document.0)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await
    }

    /// Up to `limit` documents whose access list or attributes the indexes don't have yet.
    pub(crate) async fn owed_access(
        &self,
        knowledge_base: KnowledgeBaseId,
        limit: usize,
    ) -> Result<Vec<OwedAccess>> {
        let found: Vec<AccessRow> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT d.id, d.access_revision, {METADATA_COLUMNS} FROM documents d JOIN sources s ON s.id = d.source
             WHERE d.knowledge_base = $1 AND d.access_indexed <> d.access_revision LIMIT $2",
        )))
        .bind(knowledge_base.0)
        .bind(rows::signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("list changed access lists"))?;
        let mut owed = Vec::with_capacity(found.len());
        for row in found {
            let ids: Vec<Uuid> = sqlx::query_scalar(
                "SELECT c.id FROM chunks c JOIN documents d ON d.id = c.document
                 WHERE d.id = $1 AND c.version = d.current_version ORDER BY c.ordinal",
            )
            .bind(row.id)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("list a document's chunks"))?;
            owed.push(OwedAccess {
                document: DocumentId(row.id),
                revision: row.access_revision,
                metadata: row.metadata.metadata()?,
                chunks: ids.into_iter().map(ChunkId).collect(),
            });
        }
        Ok(owed)
    }

    /// Notes that the indexes have these access lists.
    pub(crate) async fn settle_access(&self, settled: &[OwedAccess]) -> Result<()> {
        const ACTION: &str = "note indexed access lists";
        let mut transaction = self.begin().await?;
        for owed in settled {
            sqlx::query("UPDATE documents SET access_indexed = $2 WHERE id = $1 AND access_indexed < $2")
                .bind(owed.document.0)
                .bind(owed.revision)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await
    }
}
