//! The recheck: nothing leaves this crate that the ledger doesn't vouch for.
//!
//! The indexes may be behind the ledger (a chunk of an old version not yet collected) or, after a
//! fault, beside it. So every chunk that is about to be shown is looked up: is there such a chunk, does
//! it belong to the version that may be seen, may this reader read the document, does the document pass the filter? The pre-filter of the
//! indexes makes this cheap, because it rarely has to act; `lectern_recheck_dropped_total` counts how
//! often it did.
//!
//! A document may also be replaced between the question to the indexes and the look-up, or between two look-ups.
//! Then its old version is dropped and its new one wasn't found, or a piece of each was. The recheck can't bring back
//! what it wasn't given, but it notices ([`Rechecked::is_overtaken`]), and the search asks the indexes again.

use std::collections::{BTreeSet, HashMap};

use lectern_domain::ports::ChunkLookup;
use lectern_domain::{
    ChunkId, DocumentId, Filter, KnowledgeBaseId, LedgerChunk, PortError, ReadScope, Version, WordQuery,
};

use crate::fuse::FusedChunk;
use crate::words::admits;

/// The counter of chunks that an index found and the ledger didn't vouch for.
pub const DROPPED_TOTAL: &str = "lectern_recheck_dropped_total";

/// The fewest chunks that are looked up at a time.
pub(crate) const LEAST_PER_LOOKUP: usize = 16;

/// How many chunks are wanted, and how many of them of one document at most.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// In all.
    pub limit: usize,
    /// Of one document.
    pub per_document: Option<usize>,
    /// How many of a document were shown before, on earlier pages.
    pub shown: HashMap<DocumentId, usize>,
}

impl Wanted {
    /// The first so many, of whatever documents.
    pub fn first(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }
}

/// What a chunk must be to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// Of a document that this reader may read,
    pub scope: &'a ReadScope,
    /// that passes this filter,
    pub filter: Option<&'a Filter>,
    /// and with the words that must be there, without those that must not.
    pub words: Option<&'a WordQuery>,
    /// Whether an index found it for this reader, so that it is a fault of the index where it may not be shown.
    pub is_found: bool,
}

impl Admission<'_> {
    /// Whether it passes what was asked. An index may leave a part of that to the recheck, so who doesn't isn't counted
    /// as a fault.
    fn asked_for(&self, chunk: &LedgerChunk) -> bool {
        self.filter
            .is_none_or(|filter| filter.matches(&chunk.metadata.attributes))
            && self.words.is_none_or(|words| admits(words, chunk))
    }
}

/// What the ledger vouches for.
#[derive(Debug)]
pub struct Rechecked {
    /// In the order of the merged list. Of each document, one version.
    pub kept: Vec<(FusedChunk, LedgerChunk)>,
    /// Whether a document was replaced or taken away while the question was under way, so that it may be missing
    /// although it is there.
    pub is_overtaken: bool,
    /// How many of the merged list were looked at until there were enough.
    pub looked_at: usize,
}

/// Which versions of the documents came by.
#[derive(Debug, Default)]
struct VersionsSeen {
    current: HashMap<DocumentId, BTreeSet<Version>>,
    others: HashMap<DocumentId, BTreeSet<Version>>,
    /// A chunk that the ledger doesn't know: it was collected since, or never was one.
    unknown: bool,
}

impl VersionsSeen {
    fn note(&mut self, chunk: Option<&LedgerChunk>) {
        let Some(chunk) = chunk else {
            self.unknown = true;
            return;
        };
        let versions = match chunk.is_current {
            true => &mut self.current,
            false => &mut self.others,
        };
        versions.entry(chunk.document).or_default().insert(chunk.version);
    }

    /// Whether a document changed in between: it is there in two versions, or its version was the current one at
    /// one look-up and not at the other, or none of what was found of it may be shown any more.
    fn are_overtaken(&self) -> bool {
        let is_torn = |versions: &BTreeSet<Version>| versions.len() > 1;
        let is_gone = |(document, others): (&DocumentId, &BTreeSet<Version>)| match self.current.get(document)
        {
            None => true,
            Some(current) => !current.is_disjoint(others),
        };
        self.unknown || self.current.values().any(is_torn) || self.others.iter().any(is_gone)
    }

    fn is_newest(&self, chunk: &LedgerChunk) -> bool {
        let versions = self.current.get(&chunk.document);
        versions.and_then(BTreeSet::last) == Some(&chunk.version)
    }
}

/// Goes down the merged list and keeps what the ledger vouches for, until enough is kept. Looks up no
/// more than it needs, because a lookup reads the chunk's text.
///
/// # Errors
/// Those of the ledger.
pub async fn recheck(
    ledger: &dyn ChunkLookup,
    base: KnowledgeBaseId,
    admission: Admission<'_>,
    found: &[FusedChunk],
    wanted: Wanted,
) -> Result<Rechecked, PortError> {
    let mut kept = Vec::with_capacity(wanted.limit.min(found.len()));
    let mut per_document = wanted.shown;
    let mut looked_at = 0;
    let mut seen = VersionsSeen::default();
    'enough: for some in found.chunks(wanted.limit.max(LEAST_PER_LOOKUP)) {
        let ids: Vec<ChunkId> = some.iter().map(|fused| fused.chunk).collect();
        let mut known: HashMap<ChunkId, LedgerChunk> = ledger
            .look_up(base, &ids)
            .await?
            .into_iter()
            .map(|chunk| (chunk.chunk, chunk))
            .collect();
        for fused in some {
            if kept.len() == wanted.limit {
                break 'enough;
            }
            looked_at += 1;
            let chunk = known.remove(&fused.chunk);
            seen.note(chunk.as_ref());
            let vouched = vouched_for(chunk, admission);
            let Some(chunk) = vouched.filter(|chunk| admission.asked_for(chunk)) else {
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
    kept.retain(|(_, chunk)| seen.is_newest(chunk));
    Ok(Rechecked {
        kept,
        is_overtaken: seen.are_overtaken(),
        looked_at,
    })
}

/// The chunk, if it may be shown; counts it if not, where an index should have known.
fn vouched_for(chunk: Option<LedgerChunk>, admission: Admission<'_>) -> Option<LedgerChunk> {
    let reason = match &chunk {
        None => "unknown",
        Some(chunk) if !chunk.is_current => "stale",
        Some(chunk) if !admission.scope.may_read(&chunk.metadata.acl) => "unreadable",
        Some(_) => return chunk,
    };
    if admission.is_found {
        metrics::counter!(DROPPED_TOTAL, "reason" => reason).increment(1);
        tracing::warn!(reason, "an index found a chunk that the ledger doesn't vouch for");
    }
    None
}

#[cfg(test)]
mod tests;
