//! The stored vectors: each once, under the model that made it and the hash of what that model read.
//!
//! They are what makes an unchanged, moved or re-read chunk cost no embedding, a crash cost nothing that was embedded,
//! and the index of vectors something that can be made anew without the model. A row lives as long as a chunk
//! has its hash. What is read is checked: a damaged vector is taken out, and embedded again.

use lectern_domain::{ContentHash, DocumentId, KnowledgeBaseId, Version};
use sqlx::{FromRow, QueryBuilder, Sqlite, Transaction};
use uuid::Uuid;

use super::{Ledger, commit, rows};
use crate::error::{Error, Result};

/// SQLite takes 32,766 parameters; a vector has four.
const VECTORS_PER_STATEMENT: usize = 1_000;

/// A vector and the hash of what was read for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredVector {
    pub(crate) embed_hash: ContentHash,
    pub(crate) vector: Vec<f32>,
}

/// A chunk of a version, with its vector where that is stored and whole.
#[derive(Clone, Debug)]
pub(crate) struct ChunkVector {
    pub(crate) chunk: lectern_domain::ChunkId,
    pub(crate) ordinal: u32,
    pub(crate) vector: Option<Vec<f32>>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    ordinal: i64,
    embed_hash: Option<Vec<u8>>,
    vector: Option<Vec<u8>>,
    check_hash: Option<Vec<u8>>,
}

impl Ledger {
    /// Stores vectors in one transaction, those that a chunk still needs.
    pub(crate) async fn store_vectors(&self, model: &str, vectors: &[StoredVector]) -> Result<()> {
        const ACTION: &str = "store vectors";
        let mut transaction = self.begin().await?;
        for stored in vectors {
            let bytes = to_bytes(&stored.vector);
            sqlx::query(
                "INSERT INTO vectors (model, embed_hash, vector, check_hash)
                 SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM chunks WHERE embed_hash = $2)
                 ON CONFLICT (model, embed_hash) DO NOTHING",
            )
            .bind(model)
            .bind(stored.embed_hash.0.to_vec())
            .bind(&bytes)
            .bind(ContentHash::of(&bytes).0.to_vec())
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await
    }

    /// Up to `limit` chunks of a version from `first` on, each with its vector. A vector that is damaged counts as
    /// none, and is taken out.
    pub(crate) async fn chunk_vectors(
        &self,
        (document, version): (DocumentId, Version),
        model: &str,
        first: u32,
        limit: usize,
    ) -> Result<Vec<ChunkVector>> {
        let found: Vec<Row> = sqlx::query_as(
            "SELECT c.id, c.ordinal, c.embed_hash, s.vector, s.check_hash FROM chunks c
             LEFT JOIN vectors s ON s.model = $3 AND s.embed_hash = c.embed_hash
             WHERE c.document = $1 AND c.version = $2 AND c.ordinal >= $4 ORDER BY c.ordinal LIMIT $5",
        )
        .bind(document.0)
        .bind(rows::signed(version.0))
        .bind(model)
        .bind(i64::from(first))
        .bind(rows::signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("read stored vectors"))?;
        let mut chunks = Vec::with_capacity(found.len());
        let mut damaged = Vec::new();
        for row in found {
            let vector = whole(row.vector.as_deref(), row.check_hash.as_deref());
            if let (None, Some(_), Some(hash)) = (&vector, &row.vector, &row.embed_hash) {
                damaged.push(rows::hash(hash)?);
            }
            chunks.push(ChunkVector {
                chunk: lectern_domain::ChunkId(row.id),
                ordinal: rows::small("chunk ordinal", row.ordinal)?,
                vector,
            });
        }
        if !damaged.is_empty() {
            self.remove_vectors(model, &damaged).await?;
        }
        Ok(chunks)
    }

    /// Takes vectors out.
    pub(crate) async fn remove_vectors(&self, model: &str, hashes: &[ContentHash]) -> Result<()> {
        const ACTION: &str = "remove stored vectors";
        let mut transaction = self.begin().await?;
        for part in hashes.chunks(VECTORS_PER_STATEMENT) {
            let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM vectors WHERE model = ");
            query.push_bind(model).push(" AND embed_hash IN (");
            let mut separated = query.separated(", ");
            for hash in part {
                separated.push_bind(hash.0.to_vec());
            }
            query.push(")");
            query
                .build()
                .persistent(false)
                .execute(&mut *transaction)
                .await
                .map_err(Error::ledger(ACTION))?;
        }
        commit(transaction, ACTION).await
    }

    /// The stored vectors that a knowledge base needs and that are damaged, and how many were read. Reads every one.
    pub(crate) async fn damaged_vectors(
        &self,
        knowledge_base: KnowledgeBaseId,
        model: &str,
        dimensions: usize,
    ) -> Result<(u64, Vec<ContentHash>)> {
        const PAGE: i64 = 1_000;
        let (mut checked, mut damaged, mut after) = (0, Vec::new(), Vec::new());
        loop {
            let page: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = sqlx::query_as(
                "SELECT s.embed_hash, s.vector, s.check_hash FROM vectors s
                 WHERE s.model = $1 AND s.embed_hash > $2 AND EXISTS
                     (SELECT 1 FROM chunks c JOIN versions v ON v.document = c.document AND v.version = c.version
                      WHERE c.embed_hash = s.embed_hash AND v.knowledge_base = $3)
                 ORDER BY s.embed_hash LIMIT $4",
            )
            .bind(model)
            .bind(&after)
            .bind(knowledge_base.0)
            .bind(PAGE)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("check stored vectors"))?;
            let Some((last, ..)) = page.last() else {
                return Ok((checked, damaged));
            };
            after.clone_from(last);
            for (hash, vector, check) in &page {
                checked += 1;
                let fits = whole(Some(vector), Some(check)).is_some_and(|vector| vector.len() == dimensions);
                if !fits {
                    damaged.push(rows::hash(hash)?);
                }
            }
        }
    }
}

/// Takes out the vectors of a version's chunks that no other chunk needs. To be called before the chunks go.
pub(super) async fn release_vectors(
    transaction: &mut Transaction<'static, Sqlite>,
    document: DocumentId,
    version: Version,
) -> Result<()> {
    sqlx::query(
        "DELETE FROM vectors WHERE embed_hash IN
             (SELECT embed_hash FROM chunks
              WHERE document = $1 AND version = $2 AND embed_hash IS NOT NULL)
         AND NOT EXISTS
             (SELECT 1 FROM chunks c WHERE c.embed_hash = vectors.embed_hash
              AND NOT (c.document = $1 AND c.version = $2))",
    )
    .bind(document.0)
    .bind(rows::signed(version.0))
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger("release stored vectors"))?;
    Ok(())
}

/// Takes out all vectors that no chunk needs.
pub(super) async fn release_all_unneeded(transaction: &mut Transaction<'static, Sqlite>) -> Result<()> {
    sqlx::query(
        "DELETE FROM vectors
         WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.embed_hash = vectors.embed_hash)",
    )
    .execute(&mut **transaction)
    .await
    .map_err(Error::ledger("release stored vectors"))?;
    Ok(())
}

fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The vector, if it is what was stored.
fn whole(bytes: Option<&[u8]>, check: Option<&[u8]>) -> Option<Vec<f32>> {
    let (bytes, check) = (bytes?, check?);
    if ContentHash::of(bytes).0 != *check {
        return None;
    }
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty()
        .then(|| numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_reads_back_and_a_damaged_one_does_not() {
        let vector = vec![0.25, -1.5, f32::MIN_POSITIVE];
        let mut bytes = to_bytes(&vector);
        let check = ContentHash::of(&bytes).0;
        assert_eq!(whole(Some(&bytes), Some(&check)), Some(vector));
        bytes[3] ^= 1;
        assert_eq!(whole(Some(&bytes), Some(&check)), None);
        assert_eq!(whole(None, None), None);
    }
}
