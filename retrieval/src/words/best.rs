//! The best chunks for a query: of those that the reader may read and that pass the filter.
//!
//! Where many chunks count, the engine goes through the words' lists and leaves out blocks that can't reach the best
//! found so far (block-max WAND: Ding and Suel 2011); what doesn't count is passed over as it comes. Where few count,
//! each of them is looked at instead.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use lectern_domain::ports::ScoredChunk;
use lectern_domain::{Filter, WordQuery};
use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED};

use super::clauses;
use super::columns::Columns;
use super::engine::Engine;
use super::members::Members;
use crate::acl_filter::ReaderNames;
use crate::error::Error;
use crate::vectors::best_first;

/// Where fewer than one of so many chunks count, they are looked at one by one.
const FEW: u32 = 32;

/// What a search is narrowed to.
#[derive(Clone, Copy)]
pub(super) struct Narrowed<'a> {
    pub readers: &'a ReaderNames,
    pub filter: Option<&'a Filter>,
}

#[derive(Clone, Copy, PartialEq)]
struct Hit {
    score: f32,
    segment: u32,
    number: u32,
}

impl Eq for Hit {}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |hit: &Self| Reverse((hit.segment, hit.number));
        self.score
            .total_cmp(&other.score)
            .then(place(self).cmp(&place(other)))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best so far.
struct Best {
    limit: usize,
    hits: BinaryHeap<Reverse<Hit>>,
}

impl Best {
    /// The score that a hit must exceed.
    fn threshold(&self) -> f32 {
        match self.hits.peek() {
            Some(Reverse(lowest)) if self.hits.len() == self.limit => lowest.score,
            _ => f32::MIN,
        }
    }

    fn take(&mut self, hit: Hit) {
        if hit.score <= self.threshold() {
            return;
        }
        if self.hits.len() == self.limit {
            self.hits.pop();
        }
        self.hits.push(Reverse(hit));
    }
}

impl Engine {
    pub(super) fn search(
        &self,
        words: &WordQuery,
        narrowed: Narrowed<'_>,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, Error> {
        let found = self.best(words, narrowed, limit.max(1));
        found.map_err(|error| self.failed("search", error))
    }

    fn best(
        &self,
        words: &WordQuery,
        narrowed: Narrowed<'_>,
        limit: usize,
    ) -> tantivy::Result<Vec<ScoredChunk>> {
        // Nothing asked for and nothing narrowed is no question.
        if words.clauses.is_empty() && narrowed.filter.is_none() {
            return Ok(Vec::new());
        }
        let searcher = self.searcher();
        let Some(query) = clauses::query(words, self, &searcher, narrowed.readers)? else {
            return Ok(Vec::new());
        };
        let weight = query.weight(EnableScoring::enabled_from_searcher(&searcher))?;
        let mut best = Best {
            limit,
            hits: BinaryHeap::with_capacity(limit.min(1_024)),
        };
        for (number, segment) in (0..).zip(searcher.segment_readers()) {
            let counting = self.counting(segment, narrowed)?;
            collect(weight.as_ref(), (number, segment), &counting, &mut best)?;
        }
        scored(&searcher, best)
    }

    /// The chunks of a segment that may be read and pass; some of them may be deleted.
    pub(super) fn counting(
        &self,
        segment: &SegmentReader,
        narrowed: Narrowed<'_>,
    ) -> tantivy::Result<Arc<Members>> {
        let readable = self.kept.readable(segment, narrowed.readers)?;
        let Some(filter) = narrowed.filter else {
            return Ok(readable);
        };
        let mut counting = self.kept.passing(segment, filter)?.as_ref().clone();
        counting.intersect(&readable);
        Ok(Arc::new(counting))
    }

    /// [`Engine::counting`], and none of them deleted.
    pub(super) fn counting_alive(
        &self,
        segment: &SegmentReader,
        narrowed: Narrowed<'_>,
    ) -> tantivy::Result<Members> {
        let mut alive = Members::alive(segment);
        alive.intersect(self.counting(segment, narrowed)?.as_ref());
        Ok(alive)
    }
}

fn collect(
    weight: &dyn Weight,
    (number, segment): (u32, &SegmentReader),
    counting: &Members,
    best: &mut Best,
) -> tantivy::Result<()> {
    let count = counting.count();
    if count == 0 {
        return Ok(());
    }
    let alive = segment.alive_bitset();
    let counts = |chunk: u32| counting.contains(chunk) && alive.is_none_or(|alive| alive.is_alive(chunk));
    if count > segment.max_doc() / FEW {
        return weight.for_each_pruning(best.threshold(), segment, &mut |chunk, score| {
            if counts(chunk) {
                best.take(Hit {
                    score,
                    segment: number,
                    number: chunk,
                });
            }
            best.threshold()
        });
    }
    let mut scorer = weight.scorer(segment, 1.0)?;
    for chunk in counting.iter().filter(|chunk| counts(*chunk)) {
        if scorer.doc() < chunk {
            scorer.seek(chunk);
        }
        if scorer.doc() == TERMINATED {
            break;
        }
        if scorer.doc() == chunk {
            best.take(Hit {
                score: scorer.score(),
                segment: number,
                number: chunk,
            });
        }
    }
    Ok(())
}

fn scored(searcher: &Searcher, best: Best) -> tantivy::Result<Vec<ScoredChunk>> {
    let segments = searcher.segment_readers().iter();
    let columns = segments.map(Columns::of).collect::<tantivy::Result<Vec<_>>>()?;
    let mut found: Vec<ScoredChunk> = best
        .hits
        .into_iter()
        .filter_map(|Reverse(hit)| {
            let chunk = columns.get(hit.segment as usize)?.chunk(hit.number)?;
            Some(ScoredChunk {
                chunk,
                score: hit.score,
            })
        })
        .collect();
    best_first(&mut found);
    Ok(found)
}
