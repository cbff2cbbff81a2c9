//! What stands around a passage: the chunks before and after it, and further ones of its document that were found. Their ids
//! are derived, so they are looked up, or looked for in the list that was found, without asking whose each of it is.

use std::collections::HashMap;

use lectern_domain::{ChunkId, KnowledgeBaseId, PortError, ReadScope, SpannedText};

use super::Searcher;
use super::hit::{Found, Hit};
use super::plan::Plan;
use crate::fuse::FusedChunk;
use crate::recheck::Wanted;
use crate::request::SearchRequest;

/// How far from a passage further ones of its document are looked for, in chunks.
const MOST_ORDINALS: u32 = 1_000;

/// The neighbours of passages.
pub(super) type Contexts = HashMap<ChunkId, Vec<SpannedText>>;

impl Searcher {
    /// The neighbours of what is shown, in one look-up. They are pieces of documents that were just vouched for.
    pub(super) async fn contexts(
        &self,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        found: &[Found],
    ) -> Result<Contexts, PortError> {
        let mut owners: HashMap<ChunkId, Vec<ChunkId>> = HashMap::new();
        for one in found
            .iter()
            .take(request.limit)
            .filter(|_| request.neighbours > 0)
        {
            for neighbour in neighbours(one, request.neighbours) {
                owners.entry(neighbour).or_default().push(one.chunk.chunk);
            }
        }
        if owners.is_empty() {
            return Ok(Contexts::new());
        }
        let ids: Vec<ChunkId> = owners.keys().copied().collect();
        let mut contexts = Contexts::new();
        for chunk in self.parts.ledger.look_up(base, &ids).await? {
            for owner in owners.remove(&chunk.chunk).unwrap_or_default() {
                contexts.entry(owner).or_default().push(SpannedText {
                    span: chunk.span,
                    text: chunk.text.clone(),
                });
            }
        }
        contexts
            .values_mut()
            .for_each(|context| context.sort_by_key(|piece| piece.span));
        Ok(contexts)
    }
}

impl Searcher {
    /// Gives what is shown the further passages of its documents that stand in the merged list, in their order there.
    pub(super) async fn add_others(
        &self,
        scope: &ReadScope,
        base: KnowledgeBaseId,
        request: &SearchRequest,
        plan: &Plan,
        merged: &[FusedChunk],
        found: &mut [Found],
    ) -> Result<(), PortError> {
        let Some(most) = request.expand.filter(|most| *most > 0) else {
            return Ok(());
        };
        let places: HashMap<ChunkId, usize> = merged.iter().map(|fused| fused.chunk).zip(0..).collect();
        let mut owners: HashMap<ChunkId, usize> = HashMap::new();
        let mut wanted: Vec<FusedChunk> = Vec::new();
        for (owner, one) in found.iter().enumerate() {
            let mut others: Vec<usize> = neighbours(one, MOST_ORDINALS)
                .filter_map(|chunk| places.get(&chunk).copied())
                .collect();
            others.sort_unstable();
            for fused in others
                .into_iter()
                .take(most)
                .filter_map(|place| merged.get(place))
            {
                owners.insert(fused.chunk, owner);
                wanted.push(*fused);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let all = Wanted::first(wanted.len());
        let rechecked = self.rechecked(scope, base, plan, &wanted, all).await?;
        for one in rechecked.kept.into_iter().map(Found::new) {
            let owner = owners
                .get(&one.chunk.chunk)
                .and_then(|owner| found.get_mut(*owner));
            if let Some(owner) = owner {
                owner.others.push(one);
            }
        }
        Ok(())
    }
}

fn neighbours(found: &Found, reach: u32) -> impl Iterator<Item = ChunkId> {
    let (document, version, own) = (found.chunk.document, found.chunk.version, found.chunk.ordinal);
    (own.saturating_sub(reach)..=own.saturating_add(reach))
        .filter(move |ordinal| *ordinal != own)
        .map(move |ordinal| ChunkId::derive(document, version, ordinal))
}

/// Gives the passages their neighbours.
pub(super) fn add(hits: &mut [Hit], mut contexts: Contexts) {
    for hit in hits {
        hit.context = contexts.remove(&hit.passage.chunk).unwrap_or_default();
    }
}
