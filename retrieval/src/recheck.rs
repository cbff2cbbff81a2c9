//! The recheck: nothing leaves this crate that the ledger doesn't vouch for.
//!
//! The indexes may be behind the ledger (a chunk of an old version not yet collected) or, after a
//! fault, beside it. So every chunk that is about to be shown is looked up: is there such a chunk, does
//! it belong to the version that may be seen, may this reader read the document? The pre-filter of the
//! indexes makes this cheap, because it rarely has to act; `lectern_recheck_dropped_total` counts how
//! often it did.

use std::collections::HashMap;

use lectern_domain::ports::ChunkLookup;
use lectern_domain::{ChunkId, DocumentId, KnowledgeBaseId, LedgerChunk, PortError, ReadScope};

use crate::fuse::FusedChunk;

/// The counter of chunks that an index found and the ledger didn't vouch for.
pub const DROPPED_TOTAL: &str = "lectern_recheck_dropped_total";

/// The fewest chunks that are looked up at a time.
const LEAST_PER_LOOKUP: usize = 16;

/// How many chunks are wanted, and how many of them of one document at most.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// In all.
    pub limit: usize,
    /// Of one document.
    pub per_document: Option<usize>,
}

/// Goes down the merged list and keeps what the ledger vouches for, until enough is kept. Looks up no
/// more than it needs, because a lookup reads the chunk's text.
///
/// # Errors
/// Those of the ledger.
pub async fn recheck(
    ledger: &dyn ChunkLookup,
    base: KnowledgeBaseId,
    scope: &ReadScope,
    found: &[FusedChunk],
    wanted: Wanted,
) -> Result<Vec<(FusedChunk, LedgerChunk)>, PortError> {
    let mut kept = Vec::with_capacity(wanted.limit.min(found.len()));
    let mut per_document: HashMap<DocumentId, usize> = HashMap::new();
    for some in found.chunks(wanted.limit.max(LEAST_PER_LOOKUP)) {
        let ids: Vec<ChunkId> = some.iter().map(|fused| fused.chunk).collect();
        let mut known: HashMap<ChunkId, LedgerChunk> = ledger
            .look_up(base, &ids)
            .await?
            .into_iter()
            .map(|chunk| (chunk.chunk, chunk))
            .collect();
        for fused in some {
            if kept.len() == wanted.limit {
                return Ok(kept);
            }
            let Some(chunk) = vouched_for(known.remove(&fused.chunk), scope) else {
                continue;
            };
            let of_document = per_document.entry(chunk.document).or_default();
            if wanted.per_document.is_some_and(|most| *of_document >= most) {
                continue;
            }
            *of_document += 1;
            kept.push((*fused, chunk));
        }
    }
    Ok(kept)
}

/// The chunk, if it may be shown; counts it if not.
fn vouched_for(chunk: Option<LedgerChunk>, scope: &ReadScope) -> Option<LedgerChunk> {
    let reason = match &chunk {
        None => "unknown",
        Some(chunk) if !chunk.is_current => "stale",
        Some(chunk) if !scope.may_read(&chunk.acl) => "unreadable",
        Some(_) => return chunk,
    };
    metrics::counter!(DROPPED_TOTAL, "reason" => reason).increment(1);
    tracing::warn!(reason, "an index found a chunk that the ledger doesn't vouch for");
    None
}

#[cfg(test)]
mod tests;
