//! Pages: how far the list is gone down for one, and what is kept for the next.
//!
//! Where passages that say nearly the same stand behind the best of them, a page needs more of the list than it shows. So
//! more is looked at until the page is full, up to a bound; a page may be shorter than wanted, but the next one goes on
//! exactly behind what it has shown. What is folded into a passage that isn't shown yet stays in the list, behind it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use lectern_domain::{KnowledgeBaseId, LedgerChunk, PortError, ReadScope};
use uuid::Uuid;

use super::explained::Explained;
use super::hit::Found;
use super::kept::{KeptList, Place};
use super::plan::Plan;
use super::reading::Reading;
use super::{SearchResponse, SearchTimings, Searcher, Vouched, beside, context, milliseconds, order, wanted};
use crate::fold::{self, Group};
use crate::fuse::FusedChunk;
use crate::recheck::{LEAST_PER_LOOKUP, Rechecked, Wanted};
use crate::request::SearchRequest;

/// How often twice as much is looked at for a page that folding left short.
const MOST_FILLINGS: usize = 3;
/// How much is looked at for such a page at most: what folding costs grows faster than what is folded.
const MOST_LOOKED_AT: usize = 400;
/// How many passages more than a page shows are looked at in the first place, at most, where some may fold.
const MOST_SPARE: usize = 50;

impl Searcher {
    /// The next page of a search: `cursor` is what the page before gave as `next`. What was replaced or taken away
    /// since isn't shown; nothing is shown twice, and nothing of the list is left out that is there still.
    ///
    /// # Errors
    /// `cursor_invalid`, `cursor_expired`, and those of the ledger.
    pub async fn next_page(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        cursor: &str,
    ) -> Result<SearchResponse, PortError> {
        let started = Instant::now();
        let place = Place::from_cursor(cursor)?;
        let kept = self.kept.find(place.query, scope, base)?;
        let request = &kept.request;
        let curated = self.curated(base).await?;
        let plan = self.plan(scope, base, request, &curated).await?;
        let rest = kept.found.get(place.after..).unwrap_or_default();
        let mut more = Wanted {
            shown: kept.shown_before(place.after),
            ..wanted(request)
        };
        // One more than the page shows: what folds into the last one of them stands before that.
        let least = request.fold.then_some(request.limit + 1);
        if request.fold {
            more.limit = before_folding(request.limit);
        }
        let rechecked = self.enough(scope, base, &plan, rest, more, least).await?;
        let (found, looked_at) = first_page(request, rest, rechecked);
        let after = place.after + looked_at;
        let found = found.into_iter().map(Found::new).collect();
        let mut found = order::gather(request, &plan, found);
        self.add_others(scope, base, request, &plan, &kept.merged, &mut found)
            .await?;
        let contexts = self.contexts(base, request, &found).await?;
        let reading = self
            .reading(scope, base, request, &plan, kept.last_cosine)
            .await?;
        let vouched = Vouched {
            found,
            merged: Vec::new(),
            looked_at: 0,
            by_vector: Vec::new(),
            by_words: Vec::new(),
            embedded: self.parts.ledger.embedded_share(base).await?,
            timings: SearchTimings::default(),
        };
        let mut response = vouched.into_response(&reading, &kept.explained, place.query);
        response.next = (after < kept.found.len()).then(|| Place { after, ..place }.to_cursor());
        context::add(&mut response.passages, contexts);
        self.note_shown(&response);
        beside::mark(&reading, &mut response.passages);
        response.timings.total_ms = milliseconds(started);
        Ok(response)
    }

    /// What the ledger vouches for of a list, best first: as much as is wanted, and more where folding would leave less
    /// than `least` of it.
    pub(super) async fn enough(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        plan: &Plan,
        list: &[FusedChunk],
        mut wanted: Wanted,
        least: Option<usize>,
    ) -> Result<Rechecked, PortError> {
        for _ in 0..MOST_FILLINGS {
            let rechecked = self.rechecked(scope, base, plan, list, wanted.clone()).await?;
            let is_all = rechecked.looked_at == list.len() || rechecked.is_overtaken;
            let is_full = |least| rechecked.kept.len() >= least && groups(&rechecked.kept).len() >= least;
            if is_all || wanted.limit * 2 > MOST_LOOKED_AT || least.is_none_or(is_full) {
                return Ok(rechecked);
            }
            // From the beginning, so that all of it is looked at together and no document is there in two versions.
            wanted.limit *= 2;
        }
        self.rechecked(scope, base, plan, list, wanted).await
    }

    /// Keeps the list for the pages after the first one, where it has more than that shows, and says where the next one
    /// begins.
    pub(super) fn keep_rest(
        &self,
        query: Uuid,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        reading: &Reading<'_>,
        vouched: &Vouched,
        explained: &Arc<Explained>,
    ) -> Option<String> {
        let request = reading.request;
        let after = vouched.found.len().min(request.limit);
        let found = in_order(vouched, after, reading.plan.order().is_some());
        if found.len() <= after {
            return None;
        }
        let merged = match request.expand {
            Some(_) => vouched.merged.clone(),
            None => Vec::new(),
        };
        let list = KeptList {
            base,
            request: request.clone(),
            found,
            merged,
            explained: Arc::clone(explained),
            last_cosine: reading.last_cosine,
            readers: scope.principals().cloned().collect(),
            shown: wanted(request).per_document.map(|_| Mutex::default()),
        };
        self.kept.keep(query, list);
        Some(Place { query, after }.to_cursor())
    }

    /// Notes which documents a page has shown, so that the next ones show no more of each than wanted.
    pub(super) fn note_shown(&self, page: &SearchResponse) {
        if page.next.is_some() {
            let passages = page.passages.iter().map(|hit| &hit.passage);
            let shown: Vec<_> = passages
                .map(|passage| (passage.chunk, passage.document))
                .collect();
            self.kept.note_shown(page.query_id, &shown);
        }
    }
}

/// The whole list in its final order: what the first page shows, what else was looked at, each with its near-duplicates
/// behind it, and the rest of the merged list. Its scores are no higher than the lowest before, but where an attribute
/// puts it in order and they tell nothing of the places.
fn in_order(vouched: &Vouched, shown: usize, by_attribute: bool) -> Vec<FusedChunk> {
    let placed = |found: &Found| FusedChunk {
        score: found.score,
        ..found.fused
    };
    let (first, others) = vouched.found.split_at(shown);
    let rest = vouched.merged.get(vouched.looked_at..).unwrap_or_default();
    let folded: usize = others.iter().map(|found| found.duplicates.len()).sum();
    let mut all = Vec::with_capacity(vouched.found.len() + folded + rest.len());
    all.extend(first.iter().map(placed));
    for found in others {
        all.push(placed(found));
        all.extend(found.duplicates.iter().map(placed));
    }
    let highest = match by_attribute {
        true => 1.0,
        false => all.iter().map(|one| one.score).fold(1.0, f32::min),
    };
    all.extend(rest.iter().map(|fused| FusedChunk {
        score: fused.score.min(highest),
        ..*fused
    }));
    all
}

/// How many passages are looked at for a page of `limit`, some of which may fold.
pub(super) fn before_folding(limit: usize) -> usize {
    (limit + (limit / 2).min(MOST_SPARE)).max(LEAST_PER_LOOKUP)
}

fn groups(kept: &[(FusedChunk, LedgerChunk)]) -> Vec<Group> {
    fold::fold(kept.iter().map(|(_, chunk)| chunk.text.as_str()))
}

/// What of a list belongs on a page, with what folds into it, and how far that goes: to before the first passage that
/// isn't on it.
fn first_page(
    request: &SearchRequest,
    list: &[FusedChunk],
    rechecked: Rechecked,
) -> (Vec<(FusedChunk, LedgerChunk)>, usize) {
    let Rechecked {
        mut kept, looked_at, ..
    } = rechecked;
    let beyond = match request.fold {
        true => groups(&kept).get(request.limit).map(|group| group.first),
        false => None,
    };
    let Some(beyond) = beyond else {
        return (kept, looked_at);
    };
    let next = kept.get(beyond).map(|(fused, _)| fused.chunk);
    let goes_to = list.iter().position(|fused| Some(fused.chunk) == next);
    kept.truncate(beyond);
    (kept, goes_to.unwrap_or(looked_at))
}
