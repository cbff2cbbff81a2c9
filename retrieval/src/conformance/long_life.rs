//! An index over a long life: random writes, deletions and changes of readers, in batches, each committed, against a
//! plain map. Engines merge what they hold in the background, and nothing may get lost on that way.

use std::collections::BTreeMap;

use lectern_domain::ports::ChunkIndex;
use lectern_domain::{AccessDigest, Acl, ChunkId, DocumentMetadata, KnowledgeBaseId, PortError, Principal};

use super::entry;

/// Batches that are written.
const BATCHES: usize = 200;
/// Chunks that there can be.
const CHUNKS: u32 = 120;
/// Most chunks of a batch.
const MOST_AT_ONCE: usize = 6;
/// After so many batches the index is optimised, as after a job.
const OPTIMIZE_EVERY: usize = 67;

/// Numbers that look random and are the same at every run (splitmix64: Steele, Lea and Flood 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or_default()
    }

    fn acl(&mut self) -> Acl {
        match self.below(4) {
            0 => Acl::everyone(),
            1 => Acl::nobody(),
            2 => Acl::allowing([Principal::User("ada".into())]),
            _ => Acl {
                deny: [Principal::User("eve".into())].into(),
                ..Acl::everyone()
            },
        }
    }
}

/// Writes for a while, and looks after every commit.
pub(super) async fn nothing_is_lost(index: &dyn ChunkIndex, dimensions: usize) -> Result<(), PortError> {
    let base = KnowledgeBaseId::generate();
    let mut dice = Dice(7);
    let mut expected: BTreeMap<ChunkId, AccessDigest> = BTreeMap::new();
    for batch in 1..=BATCHES {
        let count = 1 + dice.below(MOST_AT_ONCE);
        let ordinals: Vec<u32> = (0..count).map(|_| dice.below(CHUNKS as usize) as u32).collect();
        let acl = dice.acl();
        let entries: Vec<_> = ordinals
            .iter()
            .map(|ordinal| entry(base, 0, *ordinal, acl.clone(), dimensions))
            .collect();
        let ids: Vec<ChunkId> = entries.iter().map(|entry| entry.chunk.id).collect();
        match dice.below(4) {
            0 => {
                index.delete(base, &ids).await?;
                expected.retain(|id, _| !ids.contains(id));
            }
            1 => {
                let metadata = DocumentMetadata::readable_by(acl.clone());
                index.set_metadata(base, &ids, &metadata).await?;
                for id in ids {
                    expected
                        .entry(id)
                        .and_modify(|access| *access = AccessDigest::from(&acl));
                }
            }
            _ => {
                index.upsert(base, &entries).await?;
                expected.extend(ids.into_iter().map(|id| (id, AccessDigest::from(&acl))));
            }
        }
        index.commit(base).await?;
        if batch % OPTIMIZE_EVERY == 0 {
            index.optimize(base).await?;
        }
        let listed = index.chunks(base).await?;
        assert_eq!(listed.len(), expected.len(), "after {batch} batches");
        let found: BTreeMap<_, _> = listed
            .into_iter()
            .map(|listed| (listed.chunk, listed.metadata.access))
            .collect();
        assert_eq!(found, expected, "after {batch} batches");
    }
    index.drop_knowledge_base(base).await
}
