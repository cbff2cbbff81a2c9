//! How chunks came to their places, for a search that is asked to say so.
//!
//! It is noted once, when the places are settled, and kept with the list: a chunk that is shown on the third page has the
//! ranks that it had when the first one was made.

use std::collections::HashMap;

use lectern_domain::ChunkId;
use lectern_domain::ports::ScoredChunk;

use super::Vouched;
use super::hit::{Explanation, Found};
use crate::confidence::Evidence;

/// What is noted of one chunk.
#[derive(Clone, Copy, Debug)]
struct Steps {
    words_rank: Option<u32>,
    vectors_rank: Option<u32>,
    fused: f32,
    tuning: f32,
    reranked: Option<f32>,
}

/// What is noted of all chunks of a search. Empty where nobody wants to know.
#[derive(Debug, Default)]
pub(super) struct Explained(HashMap<ChunkId, Steps>);

impl Explained {
    /// Notes what was found, after its places were settled.
    pub(super) fn of(vouched: &Vouched) -> Self {
        let by_fusion = vouched.merged.iter().map(|fused| {
            let steps = Steps {
                words_rank: None,
                vectors_rank: None,
                fused: fused.score,
                tuning: 1.0,
                reranked: None,
            };
            (fused.chunk, steps)
        });
        let mut explained = Self(by_fusion.collect());
        explained.rank(&vouched.by_words, |steps, rank| steps.words_rank = Some(rank));
        explained.rank(&vouched.by_vector, |steps, rank| steps.vectors_rank = Some(rank));
        for found in &vouched.found {
            explained.weigh(found);
            found.duplicates.iter().for_each(|found| explained.weigh(found));
        }
        explained
    }

    fn rank(&mut self, list: &[ScoredChunk], note: impl Fn(&mut Steps, u32)) {
        for (found, rank) in list.iter().zip(1..) {
            if let Some(steps) = self.0.get_mut(&found.chunk) {
                note(steps, rank);
            }
        }
    }

    fn weigh(&mut self, found: &Found) {
        if let Some(steps) = self.0.get_mut(&found.chunk.chunk) {
            steps.tuning = found.tuning;
            steps.reranked = found.reranked;
        }
    }

    /// What is said of a chunk, where anything was noted.
    pub(super) fn explanation(
        &self,
        found: &Found,
        evidence: Evidence,
        filtered: bool,
    ) -> Option<Explanation> {
        let steps = self.0.get(&found.chunk.chunk)?;
        Some(Explanation {
            words_rank: steps.words_rank.map(|rank| rank as usize),
            vectors_rank: steps.vectors_rank.map(|rank| rank as usize),
            fused: steps.fused,
            tuning: steps.tuning,
            reranked: steps.reranked,
            cosine: found.fused.cosine,
            coverage: evidence.coverage,
            filtered,
        })
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * (size_of::<(ChunkId, Steps)>() + 1)
    }
}
