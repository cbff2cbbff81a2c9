//! Which versions come next: those that were asked for, then the newest.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use futures::stream::{self, Stream};
use lectern_domain::{DocumentId, Version};
use tokio::sync::Notify;

use super::Embedding;
use crate::error::Result;
use crate::ledger::PendingVersion;

/// The versions that are on their way and not yet marked.
#[derive(Debug, Default)]
pub(super) struct Flight {
    versions: Mutex<HashSet<(DocumentId, Version)>>,
    landed: Notify,
}

impl Flight {
    pub(super) fn len(&self) -> usize {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True where it wasn't on its way.
    fn take_off(&self, id: (DocumentId, Version)) -> bool {
        self.versions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id)
    }

    pub(super) fn land(&self, ids: &[(DocumentId, Version)]) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.retain(|id| !ids.contains(id));
        self.landed.notify_one();
    }
}

/// The versions that wait, in their order, until none does and none is on its way.
pub(super) fn feed<'a>(
    embedding: &'a Embedding,
    flight: &'a Flight,
) -> impl Stream<Item = Result<PendingVersion>> + 'a {
    stream::try_unfold(
        VecDeque::new(),
        move |mut ready: VecDeque<PendingVersion>| async move {
            loop {
                if let Some(next) = ready.pop_front() {
                    return Ok(Some((next, ready)));
                }
                ready = pick(embedding, flight).await?;
                if !ready.is_empty() {
                    continue;
                }
                if flight.len() == 0 {
                    return Ok(None);
                }
                // Nothing new now. The embedder is at work on what is under way; meanwhile more may come.
                tokio::select! {
                    () = embedding.parts.ledger.published() => {}
                    () = flight.landed.notified() => {}
                }
            }
        },
    )
}

async fn pick(embedding: &Embedding, flight: &Flight) -> Result<VecDeque<PendingVersion>> {
    let ledger = &embedding.parts.ledger;
    let at_once = embedding.parts.settings.documents_embedding.max(1);
    let models = embedding.models().await?;
    let resting = embedding.faults.resting();
    let asked = embedding.demand.take(at_once);
    if !asked.is_empty() {
        let mut found = ledger
            .waiting_for_vectors(&models, &resting, &asked, asked.len())
            .await?;
        // What was asked for last comes first.
        found.sort_by_key(|version| asked.iter().position(|document| *document == version.document));
        found.retain(|version| flight.take_off(version.id()));
        if !found.is_empty() {
            return Ok(found.into());
        }
    }
    // As many that are under way already may stand before those that aren't.
    let limit = at_once + flight.len();
    let found = ledger.waiting_for_vectors(&models, &resting, &[], limit).await?;
    let new = found.into_iter().filter(|version| flight.take_off(version.id()));
    Ok(new.take(at_once).collect())
}
