//! Publishing for words: a version becomes visible, whole, in the ledger and in the index of words.
//!
//! A batch goes through these steps, in this order:
//!
//! 1. **Stage.** The versions get their numbers and their chunks get rows, in one ledger transaction.
//! 2. **Upsert** the chunks into the index of words.
//! 3. **Commit** that index.
//! 4. **Flip.** One ledger transaction makes the versions visible and retires those before them.
//! 5. **Collect** what was retired ([`crate::collect`]).
//!
//! A crash after 1 to 3 leaves a staged version that nobody sees; the next run takes its chunks out and does the
//! document again. A crash after 4 leaves retired chunks that nobody sees; the next run collects them. With the flip
//! the version waits for its vectors, the second step of a version: [`crate::embedding`].

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::ports::IndexEntry;
use lectern_domain::{Chunk, ChunkId, DocumentMetadata, SpannedText, Version};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use crate::collect;
use crate::error::Result;
use crate::failpoints::failpoint;
use crate::ledger::{FlipOutcome, FlipRequest, NewVersion, ReleasedFiles};
use crate::outcome::Outcome;
use crate::prepare::PreparedDocument;
use crate::run::{Problem, Run};

/// Chunks that are written to the index of words in one call.
const CHUNKS_AT_ONCE: usize = 512;

/// The first batch waits no longer than this, so that the embedder has work soon; each later one twice as long as the
/// one before, up to [`crate::IngestSettings::publish_interval`].
const FIRST_INTERVAL: Duration = Duration::from_millis(50);

/// Publishes what arrives until the queue ends; what is complete then is published still.
pub(crate) async fn publish_stage(run: Arc<Run>, mut input: Receiver<PreparedDocument>) -> Result<()> {
    let mut interval = FIRST_INTERVAL;
    loop {
        interval = interval.min(run.parts.settings.publish_interval);
        let batch = next_batch(&run, &mut input, interval).await;
        if batch.is_empty() {
            return Ok(());
        }
        run.clocks.publish.time(publish(&run, &batch)).await?;
        interval *= 2;
    }
}

/// The documents of the next batch; none when there will be no more.
async fn next_batch(
    run: &Run,
    input: &mut Receiver<PreparedDocument>,
    interval: Duration,
) -> Vec<PreparedDocument> {
    let Some(first) = input.recv().await else {
        return Vec::new();
    };
    let deadline = Instant::now() + interval;
    let mut chunks = first.version.chunks.len();
    let mut batch = vec![first];
    while chunks < run.parts.settings.publish_chunks {
        // When the time is up, or nothing comes any more, the batch is what there is.
        let Ok(Some(document)) = timeout_at(deadline, input.recv()).await else {
            break;
        };
        chunks += document.version.chunks.len();
        batch.push(document);
    }
    batch
}

async fn publish(run: &Run, batch: &[PreparedDocument]) -> Result<()> {
    failpoint("stage.before")?;
    let versions: Vec<&NewVersion> = batch.iter().map(|document| &document.version).collect();
    let numbers = run.parts.ledger.stage(&versions).await?;
    failpoint("stage.after")?;
    let mut requests = Vec::with_capacity(versions.len());
    for (new, version) in versions.into_iter().zip(numbers) {
        match version {
            Some(version) => requests.push(FlipRequest { new, version }),
            None => superseded(run, new),
        }
    }
    if requests.is_empty() {
        return Ok(());
    }
    write(run, &requests).await?;
    flip(run, &requests).await
}

/// Steps 2 and 3.
async fn write(run: &Run, requests: &[FlipRequest<'_>]) -> Result<()> {
    let knowledge_base = run.source.knowledge_base;
    let words = &run.parts.words;
    let mut entries = Vec::new();
    failpoint("words.upsert.before")?;
    for request in requests {
        let metadata = request.new.index_metadata(&run.source.name);
        for index in 0..request.new.chunks.len() {
            entries.extend(entry(request, &metadata, index));
            if entries.len() >= CHUNKS_AT_ONCE {
                words.upsert(knowledge_base, &entries).await?;
                entries.clear();
            }
        }
    }
    if !entries.is_empty() {
        words.upsert(knowledge_base, &entries).await?;
    }
    failpoint("words.upsert.after")?;
    failpoint("words.commit.before")?;
    words.commit(knowledge_base).await?;
    failpoint("words.commit.after")
}

/// Steps 4 and 5.
async fn flip(run: &Run, requests: &[FlipRequest<'_>]) -> Result<()> {
    let parts = &run.parts;
    failpoint("flip.before")?;
    let flipped = parts.ledger.flip(requests).await?;
    failpoint("flip.after")?;
    for (request, outcome) in requests.iter().zip(&flipped.outcomes) {
        account(run, request, *outcome);
    }
    run.account_deleted(flipped.detached);
    let is_new = |outcome: &FlipOutcome| *outcome == FlipOutcome::New;
    // A document that is new to the job may have a version of an earlier attempt.
    let retires = requests.iter().any(|request| request.new.before.is_some());
    if retires || flipped.detached > 0 || !flipped.outcomes.iter().all(is_new) {
        collect::collect_retired(parts, run.source.knowledge_base).await?;
    }
    let released = ReleasedFiles {
        texts: Vec::new(),
        originals: flipped.replaced_originals,
    };
    collect::remove_released(parts, &released).await
}

fn account(run: &Run, request: &FlipRequest<'_>, outcome: FlipOutcome) {
    let outcome = match outcome {
        FlipOutcome::New => Outcome::New,
        FlipOutcome::Modified => Outcome::Modified,
        FlipOutcome::Superseded => return superseded(run, request.new),
    };
    run.account(outcome);
    let chunks = request.new.chunks.len() as u64;
    run.progress.update(|state| state.chunks_published += chunks);
}

fn superseded(run: &Run, version: &NewVersion) {
    let problem = Problem::skipped(
        "superseded",
        "it was pushed again or deleted before this version was ready",
    );
    run.report(&version.document.key, &version.metadata.uri, &problem);
}

fn entry(request: &FlipRequest<'_>, metadata: &Arc<DocumentMetadata>, index: usize) -> Option<IndexEntry> {
    Some(IndexEntry {
        chunk: chunk(request.new, request.version, index)?,
        metadata: Arc::clone(metadata),
        vector: Vec::new(),
    })
}

fn chunk(new: &NewVersion, version: Version, index: usize) -> Option<Chunk> {
    let draft = new.chunks.get(index)?;
    let ordinal = u32::try_from(index).ok()?;
    Some(Chunk {
        id: ChunkId::derive(new.document.id, version, ordinal),
        knowledge_base: new.document.knowledge_base,
        document: new.document.id,
        version,
        ordinal,
        title: new.title.clone(),
        heading_path: draft.heading_path.clone(),
        page: draft.page,
        span: draft.span,
        text: draft.span.of(&new.text)?.to_owned(),
        table_header: draft.table_header.and_then(|span| {
            let text = span.of(&new.text)?.to_owned();
            Some(SpannedText { span, text })
        }),
        token_count: draft.token_count,
    })
}
