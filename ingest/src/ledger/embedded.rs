//! Which chunks belong to versions that have all their vectors, for searches.

use std::collections::BTreeSet;

use lectern_domain::ChunkId;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Ledger, rows};
use crate::error::{Error, Result};

impl Ledger {
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
