//! How much of a knowledge base has its vectors, for searches.
//!
//! Every search asks. Counting reads two partial indexes, some milliseconds for a hundred thousand documents; so the
//! counts are kept until a document is published, marked or taken away.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use lectern_domain::{ChunkId, EmbeddedShare, KnowledgeBaseId};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Ledger, rows};
use crate::error::{Error, Result};

/// The counts of all knowledge bases, each with the number of the change that it was read after.
#[derive(Debug, Default)]
pub(super) struct Shares {
    changes: AtomicU64,
    known: Mutex<HashMap<KnowledgeBaseId, (u64, EmbeddedShare)>>,
}

impl Shares {
    /// Says that documents were published, marked or taken away. To be called after the commit.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}

impl Ledger {
    /// How many documents of a knowledge base have their vectors.
    pub async fn embedded_share(&self, knowledge_base: KnowledgeBaseId) -> Result<EmbeddedShare> {
        let change = self.shares.changes.load(Ordering::Acquire);
        let known = self
            .shares
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&knowledge_base)
            .copied();
        if let Some((read_after, share)) = known
            && read_after == change
        {
            return Ok(share);
        }
        let share = self.count_share(knowledge_base).await?;
        self.shares
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(knowledge_base, (change, share));
        Ok(share)
    }

    async fn count_share(&self, knowledge_base: KnowledgeBaseId) -> Result<EmbeddedShare> {
        let (of, pending): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM versions WHERE knowledge_base = $1 AND state = 'current'),
                    (SELECT COUNT(*) FROM versions
                     WHERE knowledge_base = $1 AND state = 'current' AND embedded_at IS NULL)",
        )
        .bind(knowledge_base.0)
        .fetch_one(&self.readers)
        .await
        .map_err(Error::ledger("count embedded documents"))?;
        let of = rows::unsigned("document count", of)?;
        let pending = rows::unsigned("document count", pending)?;
        Ok(EmbeddedShare {
            documents: of.saturating_sub(pending),
            of,
        })
    }

    /// Those of `chunks` whose version doesn't have all its vectors, or which the ledger doesn't know.
    pub(super) async fn chunks_not_embedded(&self, chunks: &[ChunkId]) -> Result<Vec<ChunkId>> {
        let mut embedded = BTreeSet::new();
        for part in chunks.chunks(rows::IDS_PER_STATEMENT) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT c.id FROM chunks c
                 JOIN versions v ON v.document = c.document AND v.version = c.version
                 WHERE v.embedded_at IS NOT NULL AND c.id IN (",
            );
            let mut ids = query.separated(", ");
            for chunk in part {
                ids.push_bind(chunk.0);
            }
            query.push(")");
            let found: Vec<Uuid> = query
                .build_query_scalar()
                .persistent(false)
                .fetch_all(&self.readers)
                .await
                .map_err(Error::ledger("look up embedded chunks"))?;
            embedded.extend(found.into_iter().map(ChunkId));
        }
        let pending = chunks.iter().filter(|chunk| !embedded.contains(chunk));
        Ok(pending.copied().collect())
    }
}
