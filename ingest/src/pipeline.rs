//! The stages put together.
//!
//! ```text
//! fetch ──> prepare (extract, chunk) ──> publish                 ~~> embedding
//! list      child process, rayon         ledger, words, ledger       vectors, ledger
//! ```
//!
//! Each arrow is a bounded queue, and a budget of bytes bounds what all documents on their way hold together. The last
//! one is the ledger itself: what can be found by words waits there for its vectors ([`crate::embedding`]). Embedding
//! is what costs time, so everything before it runs ahead.
//!
//! A fault of a document ends that document. A fault of the disk, an index or the embedder ends the run: what is
//! published stays, the rest is not there, and the next run does it again.

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use lectern_domain::ports::{ChunkIndex, Embedders, Extractor, TokenCounter, TokenCounters};
use lectern_domain::{DefaultAccess, PortError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::chunk::{ChunkSettings, Chunking};
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::fetch::Feed;
use crate::ledger::{KnowledgeBase, Ledger};
use crate::locks::{WriteLock, WriteLocks};
use crate::run::Run;
use crate::texts::TextStore;
use crate::{fetch, prepare, publish};

/// What ingestion is made of.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the ports have none")]
pub struct IngestionParts {
    /// What is known about documents.
    pub ledger: Arc<Ledger>,
    /// Where their texts and pushed originals lie; the store that the ledger was opened with.
    pub texts: Arc<TextStore>,
    /// Reads files.
    pub extractor: Arc<dyn Extractor>,
    /// Count tokens as the embedders do.
    pub token_counters: Arc<dyn TokenCounters>,
    /// Make vectors, each knowledge base's with the model that it was made with.
    pub embedders: Arc<dyn Embedders>,
    /// The index of words: a version is visible when it has all its chunks.
    pub words: Arc<dyn ChunkIndex>,
    /// The index of vectors, which follows.
    pub vectors: Arc<dyn ChunkIndex>,
    /// How much at once.
    pub settings: IngestSettings,
}

impl IngestionParts {
    /// Both indexes.
    pub(crate) fn indexes(&self) -> [&Arc<dyn ChunkIndex>; 2] {
        [&self.words, &self.vectors]
    }

    /// How chunks are measured that this model embeds. The first time with a model, its tokenizer is loaded.
    pub(crate) fn measure(&self, embedding_model: &str) -> Measure {
        let counter = self.token_counters.of_model(embedding_model);
        let settings = ChunkSettings {
            special_tokens: counter.added(),
            ..self.settings.chunk
        };
        Measure { counter, settings }
    }
}

/// How chunks of a knowledge base are measured: with the tokens of its embedder, and what that adds to each text.
pub(crate) struct Measure {
    pub(crate) counter: Arc<dyn TokenCounter>,
    pub(crate) settings: ChunkSettings,
}

/// How much ingestion does and holds at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestSettings {
    /// How large chunks are.
    pub chunk: ChunkSettings,
    /// Documents that are fetched and extracted at the same time, and as many again that wait.
    pub documents_ahead: usize,
    /// Bytes of originals that all documents on their way may hold together.
    pub memory_bytes: usize,
    /// Documents whose chunks are embedded at the same time.
    pub documents_embedding: usize,
    /// Texts in one call of the embedder; up to two calls per document run at once.
    pub texts_per_call: usize,
    /// A batch is published when it has so many chunks ...
    pub publish_chunks: usize,
    /// ... or when its first chunk has waited so long.
    pub publish_interval: Duration,
    /// The indexes are optimised after a run that published so many chunks.
    pub optimize_chunks: u64,
    /// How deep attachments of attachments are taken in; 0 takes none.
    pub attachment_depth: usize,
    /// How many problems a report names.
    pub max_problems: usize,
    /// Who reads pushed documents that carry no permissions. Nobody, if nothing else is said.
    pub pushed_access: DefaultAccess,
    /// How pushed documents are cut. Those that are there stay as they are until they are pushed again.
    pub pushed_chunking: Chunking,
}

impl Default for IngestSettings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            chunk: ChunkSettings::default(),
            documents_ahead: cores * 4,
            memory_bytes: 256 << 20,
            documents_embedding: cores * 4,
            texts_per_call: (cores * 4).clamp(16, 128),
            publish_chunks: 512,
            publish_interval: Duration::from_secs(2),
            optimize_chunks: 1_000,
            attachment_depth: 3,
            max_problems: 1_000,
            pushed_access: DefaultAccess::default(),
            pushed_chunking: Chunking::default(),
        }
    }
}

/// The whole of ingestion for one data folder. Share it; one is enough.
#[expect(missing_debug_implementations, reason = "the ports have none")]
pub struct Ingestion {
    pub(crate) parts: Arc<IngestionParts>,
    pub(crate) locks: WriteLocks,
    pub(crate) embedding: Arc<Embedding>,
}

impl Ingestion {
    /// Puts the parts together. Call [`Ingestion::recover`] before anything else.
    pub fn new(parts: IngestionParts) -> Self {
        let parts = Arc::new(parts);
        Self {
            embedding: Arc::new(Embedding::new(Arc::clone(&parts))),
            locks: WriteLocks::default(),
            parts,
        }
    }

    /// Takes the right to write to a knowledge base, or says that somebody has it.
    pub(crate) fn lock_now(&self, knowledge_base: &KnowledgeBase) -> Result<WriteLock> {
        self.locks
            .try_lock(knowledge_base.id)
            .ok_or_else(|| Error::JobRunning {
                name: knowledge_base.name.clone(),
            })
    }
}

/// How the stages ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Every document of a whole listing is accounted for.
    Complete,
    /// Somebody asked to stop; what was ready is published.
    Stopped,
    /// The listing broke; what it gave before is accounted for.
    ListingBroken(PortError),
}

/// Runs the stages until the feed is empty. Dropping the future ends all of them.
pub(crate) async fn drive(run: &Arc<Run>, feed: &Feed) -> Result<Ended> {
    let settings = &run.parts.settings;
    let (fetched_in, fetched_out) = mpsc::channel(settings.documents_ahead.max(1));
    let (prepared_in, prepared_out) = mpsc::channel(settings.documents_ahead.max(1));
    let mut publisher = JoinSet::new();
    publisher.spawn(publish::publish_stage(Arc::clone(run), prepared_out));

    // The stages own the sending ends: when they are done, or dropped, the publisher finishes what it has.
    let upstream = tokio::select! {
        biased;
        stages = AssertUnwindSafe(async {
            tokio::try_join!(
                fetch::fetch_stage(run, feed, fetched_in),
                prepare::prepare_stage(run, fetched_out, prepared_in),
            )
        }).catch_unwind() => Some(stages.unwrap_or(Err(Error::StageLost { stage: "reading" }))),
        () = run.cancel.cancelled() => None,
    };
    match publisher.join_next().await {
        Some(Ok(published)) => published?,
        _ => return Err(Error::StageLost { stage: "publish" }),
    }
    match upstream {
        None => Ok(Ended::Stopped),
        Some(Err(error)) => Err(error),
        Some(Ok((Some(broken), ()))) => Ok(Ended::ListingBroken(broken)),
        Some(Ok((None, ()))) => Ok(Ended::Complete),
    }
}
