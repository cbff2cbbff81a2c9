//! The second step of a version: its vectors, and with them the searches by meaning.
//!
//! ```text
//! ledger ──> feed ──────────> embed ─────────────> keep
//!            what waits,      slices of several    vectors into the ledger, points into the index,
//!            asked for first  documents at once    commit, mark
//! ```
//!
//! What waits is in the ledger (a visible version without `embedded_at`), so nothing is lost with the process. One
//! line serves all knowledge bases, because they share the embedder. Several documents are in it at once, each with
//! up to two calls of the embedder under way: small documents fill the embedder's queue together, and a large one
//! alone keeps it filled too. A chunk whose hash has a stored vector is not embedded again. The right to write to
//! a knowledge base is not held meanwhile; [`crate::ledger`]'s index turn is, for the moment in which a batch of points
//! is written.
//!
//! A fault of one knowledge base (its index is damaged, its model is missing) lets that one rest for some seconds and
//! holds up no other. Who waits for it is told; the documents wait on.
//!
//! Whoever waits for vectors does the work, if nobody else does: [`Embedding::serve`] is at work in one place at a
//! time. A server keeps it at work for as long as it lives; a single command for as long as its job runs.

mod demand;
mod feed;
mod embed;
pub(crate) mod keep;
mod faults;
mod optimize;
mod watch;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use lectern_domain::ports::EmbeddingDemand;
use lectern_domain::{DocumentId, KnowledgeBaseId, SourceId, Version};
use tokio::sync::mpsc;

use crate::cancel::Cancellation;
use crate::error::{Error, Result};
use crate::pipeline::{Ingestion, IngestionParts};
use crate::queues;

pub(crate) use embed::embed_hashes;

/// How often a version may fail for a reason that could be its own before it is set aside.
const ATTEMPTS: u32 = 3;

/// The line of versions that wait for their vectors, and what works it off.
pub(crate) struct Embedding {
    parts: Arc<IngestionParts>,
    demand: Arc<demand::Demand>,
    watchers: watch::Watchers,
    /// Whoever has it works.
    turn: tokio::sync::Mutex<()>,
    state: tokio::sync::watch::Sender<EmbeddingState>,
    faults: faults::Faults,
    /// How often versions have failed.
    failures: Mutex<HashMap<(DocumentId, Version), u32>>,
    unoptimized: optimize::Unoptimized,
}

/// What changes while vectors are made, for those who wait.
#[derive(Clone, Debug, Default)]
pub struct EmbeddingState {
    /// Rises whenever documents got their vectors, or were set aside.
    pub rounds: u64,
    /// Rises with every fault of the embedder, the ledger or the index.
    pub faults: u64,
}

impl Embedding {
    pub(crate) fn new(parts: Arc<IngestionParts>) -> Self {
        Self {
            demand: Arc::new(demand::Demand::default()),
            watchers: watch::Watchers::default(),
            turn: tokio::sync::Mutex::default(),
            state: tokio::sync::watch::Sender::default(),
            faults: faults::Faults::default(),
            failures: Mutex::default(),
            unoptimized: optimize::Unoptimized::default(),
            parts,
        }
    }

    /// How many faults there were: what [`Embedding::finished`] counts from.
    pub(crate) fn faults(&self) -> u64 {
        self.state.borrow().faults
    }

    /// Works until dropped, after whoever works already.
    pub(crate) async fn serve(&self) -> ! {
        let _turn = self.turn.lock().await;
        tokio::select! {
            never = self.work() => never,
            never = self.optimize_beside() => never,
        }
    }

    async fn work(&self) -> ! {
        loop {
            let worked = AssertUnwindSafe(self.work_off()).catch_unwind().await;
            let fault = match worked {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error),
                Err(_) => Some(Error::StageLost { stage: "embedding" }),
            };
            if let Some(error) = fault {
                self.note_fault(None, &error);
            }
            self.unoptimized.note_worked_off();
            tokio::select! {
                () = self.parts.ledger.published() => {}
                () = self.faults.rested() => {}
            }
        }
    }

    /// Does `work`, and serves meanwhile.
    pub(crate) async fn serve_while<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.serve() => never,
        }
    }

    /// Waits until nothing waits for vectors any more, of a knowledge base, of one of its sources, or of all. Fails with
    /// a fault that concerns it and isn't among the first `faults`.
    pub(crate) async fn finished(
        &self,
        knowledge_base: Option<KnowledgeBaseId>,
        source: Option<SourceId>,
        faults: u64,
    ) -> Result<()> {
        let mut state = self.state.subscribe();
        // Whoever waits wants to know now.
        self.faults.end_rest(knowledge_base);
        self.parts.ledger.wake_embedding();
        loop {
            state.borrow_and_update();
            let ledger = &self.parts.ledger;
            let models = self.models().await?;
            if !ledger
                .any_waits_for_vectors(&models, knowledge_base, source)
                .await?
            {
                return Ok(());
            }
            if let Some(error) = self.faults.since(faults, knowledge_base) {
                return Err(error.into());
            }
            if state.changed().await.is_err() {
                return Err(Error::StageLost { stage: "embedding" });
            }
        }
    }

    /// Works off what waits. Ends when nothing does.
    async fn work_off(&self) -> Result<()> {
        let settings = &self.parts.settings;
        let flight = feed::Flight::default();
        let (done_in, done_out) = mpsc::channel(settings.documents_embedding.max(1) * 2);
        let fed = feed::feed(self, &flight);
        tokio::try_join!(
            embed::embed_all(self, fed, done_in),
            keep::keep(self, &flight, done_out),
        )?;
        Ok(())
    }

    /// The models of knowledge bases that this process has. Documents of others wait until it has theirs.
    async fn models(&self) -> Result<Vec<String>> {
        let mut models = self.parts.ledger.embedding_models().await?;
        models.retain(|(model, dimensions)| {
            let embedder = self.parts.embedders.of_model(model);
            embedder.is_some_and(|embedder| embedder.dimensions() == *dimensions)
        });
        Ok(models.into_iter().map(|(model, _)| model).collect())
    }

    /// Lets a knowledge base rest after a fault, or all, and tells those who wait.
    fn note_fault(&self, knowledge_base: Option<KnowledgeBaseId>, error: &Error) {
        let faults = self.faults.note(knowledge_base, error);
        self.state.send_modify(|state| state.faults = faults);
    }

    /// Whether a version has now failed too often for reasons that could be its own.
    fn has_failed_enough(&self, id: (DocumentId, Version)) -> bool {
        let mut failures = lock(&self.failures);
        let count = failures.entry(id).or_default();
        *count += 1;
        *count >= ATTEMPTS
    }

    /// Says that documents got their vectors, or won't get any.
    async fn round(&self, over: &[(DocumentId, Version)]) -> Result<()> {
        {
            let mut failures = lock(&self.failures);
            failures.retain(|id, _| !over.contains(id));
        }
        queues::read(&self.parts.ledger).await?;
        self.state.send_modify(|state| state.rounds += 1);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ingestion {
    /// Makes vectors for as long as a process serves: whenever a document can be found by words, its vectors follow.
    /// Gets the indexes of vectors into shape, at the beginning too, should another process have ended before that.
    /// Ends when `stop` asks for it; what was embedded is kept, and the next start goes on.
    pub async fn embed_until_stopped(&self, stop: &Cancellation) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            (never, ()) = async { tokio::join!(self.embedding.serve(), self.embedding.optimize_all()) } => never,
        }
    }

    /// Makes the vectors that documents of a knowledge base (or of all) wait for, and returns when none does any
    /// more. Fails with the first fault; what was embedded until then is kept.
    pub async fn embed_pending(&self, knowledge_base: Option<KnowledgeBaseId>) -> Result<()> {
        let embedding = &self.embedding;
        let finished = embedding.finished(knowledge_base, None, embedding.faults());
        embedding.serve_while(finished).await?;
        match knowledge_base {
            Some(one) => embedding.optimize(one).await,
            None => embedding.optimize_all().await,
        }
        Ok(())
    }

    /// Where searches say which documents they found without vectors, so that those come first.
    pub fn embedding_demand(&self) -> Arc<dyn EmbeddingDemand> {
        Arc::clone(&self.embedding.demand) as Arc<dyn EmbeddingDemand>
    }

    /// A receiver that wakes whenever documents got their vectors.
    pub fn embedding_rounds(&self) -> tokio::sync::watch::Receiver<EmbeddingState> {
        self.embedding.state.subscribe()
    }
}
