//! What a run says when it ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lectern_domain::DocumentStatus;
use serde::Serialize;

use crate::ledger::Job;

/// A document that was skipped, failed, or can be found by words only, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentProblem {
    /// What the source calls it.
    pub key: String,
    /// Where a person finds it.
    pub uri: String,
    /// `Skipped` or `Failed`; `Indexed` for one that can be found by words only.
    pub status: DocumentStatus,
    /// Stable, such as `pdf_encrypted`.
    pub code: String,
    /// A sentence.
    pub reason: String,
}

/// What a sync did.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    /// As it stands in the ledger: state, reason, counts, start and end.
    pub job: Job,
    /// The first documents that were skipped or failed, at most
    /// [`crate::IngestSettings::max_problems`]; all of them are in the ledger.
    pub problems: Vec<DocumentProblem>,
    /// How many were left out of `problems`.
    pub problems_left_out: u64,
    /// How long it took, in milliseconds.
    pub wall_ms: u64,
    /// Chunks that the embedder made a vector for.
    pub chunks_embedded: u64,
    /// Chunks whose vector was known.
    pub chunks_reused: u64,
    /// Tokens of those chunks.
    pub tokens_embedded: u64,
    /// Where the time went.
    pub timings: StageTimings,
}

/// How long each stage was at work, in milliseconds. Stages run side by side and several documents at once,
/// so the sum is larger than the wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageTimings {
    /// Waiting for the source's bytes.
    pub fetch_ms: u64,
    /// Waiting for the extraction children.
    pub extract_ms: u64,
    /// Cutting and counting tokens.
    pub chunk_ms: u64,
    /// Waiting for the embedder.
    pub embed_ms: u64,
    /// Writing the ledger and the indexes.
    pub publish_ms: u64,
}

/// The clocks behind [`StageTimings`].
#[derive(Debug, Default)]
pub(crate) struct StageClocks {
    pub(crate) fetch: Clock,
    pub(crate) extract: Clock,
    pub(crate) chunk: Clock,
    pub(crate) embed: Clock,
    pub(crate) publish: Clock,
}

impl StageClocks {
    pub(crate) fn read(&self) -> StageTimings {
        StageTimings {
            fetch_ms: self.fetch.milliseconds(),
            extract_ms: self.extract.milliseconds(),
            chunk_ms: self.chunk.milliseconds(),
            embed_ms: self.embed.milliseconds(),
            publish_ms: self.publish.milliseconds(),
        }
    }
}

/// Adds up times that were measured on several threads.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    microseconds: AtomicU64,
}

impl Clock {
    /// Counts the time that `work` takes.
    pub(crate) async fn time<T>(&self, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let result = work.await;
        self.add(start.elapsed());
        result
    }

    pub(crate) fn add(&self, elapsed: Duration) {
        let microseconds = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        self.microseconds.load(Ordering::Relaxed) / 1_000
    }
}
