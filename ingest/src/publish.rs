//! Publishing: a version becomes visible, whole, in the ledger and in both indexes.
//!
//! A batch goes through these steps, in this order:
//!
//! 1. **Stage.** The versions get their numbers and their chunks get rows, in one ledger transaction.
//! 2. **Upsert** the chunks into every index.
//! 3. **Commit** every index.
//! 4. **Flip.** One ledger transaction makes the complete versions visible and retires those before them.
//! 5. **Collect** what was retired ([`crate::collect`]).
//!
//! A crash after 1 to 3 leaves a staged version that nobody sees; the next run takes its chunks out and does the
//! document again. A crash after 4 leaves retired chunks that nobody sees; the next run collects them. A
//! document that arrives in many slices is staged with its first and flipped with its last.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::try_join_all;
use lectern_domain::ports::IndexEntry;
use lectern_domain::{Chunk, ChunkId, SpannedText, Version};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use crate::collect;
use crate::embed::EmbeddedSlice;
use crate::error::Result;
use crate::ledger::{FlipOutcome, FlipRequest, ReleasedFiles};
use crate::outcome::Outcome;
use crate::prepare::PreparedDocument;
use crate::run::{Problem, Run};

/// Publishes what arrives until the queue ends; what is complete then is published still.
pub(crate) async fn publish_stage(run: Arc<Run>, input: Receiver<EmbeddedSlice>) -> Result<()> {
    let mut publisher = Publisher {
        run,
        input,
        documents: HashMap::new(),
    };
    loop {
        let batch = publisher.next_batch().await;
        if batch.is_empty() {
            return Ok(());
        }
        let run = Arc::clone(&publisher.run);
        run.clocks.publish.time(publisher.publish(batch)).await?;
    }
}

struct Publisher {
    run: Arc<Run>,
    input: Receiver<EmbeddedSlice>,
    /// Documents that are staged and not complete, by ticket.
    documents: HashMap<u64, Staged>,
}

struct Staged {
    document: Arc<PreparedDocument>,
    /// `None` where the push was overtaken: nothing is written.
    version: Option<Version>,
    chunks_written: usize,
}

impl Publisher {
    /// The slices of the next batch; none when there will be no more.
    async fn next_batch(&mut self) -> Vec<EmbeddedSlice> {
        let Some(first) = self.input.recv().await else {
            return Vec::new();
        };
        let settings = &self.run.parts.settings;
        let deadline = Instant::now() + settings.publish_interval;
        let mut chunks = first.vectors.len();
        let mut batch = vec![first];
        while chunks < settings.publish_chunks {
            // When the time is up, or nothing comes any more, the batch is what there is.
            let Ok(Some(slice)) = timeout_at(deadline, self.input.recv()).await else {
                break;
            };
            chunks += slice.vectors.len();
            batch.push(slice);
        }
        batch
    }

    async fn publish(&mut self, batch: Vec<EmbeddedSlice>) -> Result<()> {
        self.stage(&batch).await?;
        let entries = self.entries(batch);
        self.write(&entries).await?;
        self.flip_complete().await
    }

    /// Step 1, for the documents of the batch that are not staged yet.
    async fn stage(&mut self, batch: &[EmbeddedSlice]) -> Result<()> {
        let mut fresh: Vec<&Arc<PreparedDocument>> = Vec::new();
        for slice in batch {
            let ticket = slice.document.ticket;
            let is_known = self.documents.contains_key(&ticket) || slice.document.is_abandoned();
            if !is_known && !fresh.iter().any(|document| document.ticket == ticket) {
                fresh.push(&slice.document);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let versions: Vec<_> = fresh.iter().map(|document| &document.version).collect();
        let numbers = self.run.parts.ledger.stage(&versions).await?;
        for (document, version) in fresh.into_iter().zip(numbers) {
            self.documents.insert(
                document.ticket,
                Staged {
                    document: Arc::clone(document),
                    version,
                    chunks_written: 0,
                },
            );
        }
        Ok(())
    }

    /// What the batch writes to the indexes.
    fn entries(&mut self, batch: Vec<EmbeddedSlice>) -> Vec<IndexEntry> {
        let mut entries = Vec::new();
        for slice in batch {
            let Some(staged) = self.documents.get_mut(&slice.document.ticket) else {
                continue;
            };
            staged.chunks_written += slice.vectors.len();
            let Some(version) = staged.version else { continue };
            for (offset, vector) in slice.vectors.into_iter().enumerate() {
                let chunk = chunk(&slice.document, version, slice.first + offset);
                entries.extend(chunk.map(|chunk| IndexEntry {
                    chunk,
                    acl: slice.document.version.acl().clone(),
                    vector,
                }));
            }
        }
        entries
    }

    /// Step 2.
    async fn write(&self, entries: &[IndexEntry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let knowledge_base = self.run.source.knowledge_base;
        let indexes = self.run.parts.indexes();
        try_join_all(indexes.iter().map(|index| index.upsert(knowledge_base, entries))).await?;
        Ok(())
    }

    /// Steps 3 to 5, for the documents whose last slice was written.
    async fn flip_complete(&mut self) -> Result<()> {
        self.documents.retain(|_, staged| !staged.document.is_abandoned());
        let complete: Vec<Staged> = self
            .documents
            .extract_if(|_, staged| staged.chunks_written >= staged.document.version.chunks.len())
            .map(|(_, staged)| staged)
            .collect();
        if complete.is_empty() {
            return Ok(());
        }
        let parts = &self.run.parts;
        let knowledge_base = self.run.source.knowledge_base;
        try_join_all(parts.indexes().iter().map(|index| index.commit(knowledge_base))).await?;
        let requests: Vec<FlipRequest<'_>> = complete
            .iter()
            .filter_map(|staged| {
                let new = &staged.document.version;
                staged.version.map(|version| FlipRequest { new, version })
            })
            .collect();
        let flipped = parts.ledger.flip(&requests).await?;
        let overtaken = complete.iter().filter(|staged| staged.version.is_none());
        for staged in overtaken {
            self.superseded(&staged.document);
        }
        for (request, outcome) in requests.iter().zip(&flipped.outcomes) {
            self.account(request, *outcome);
        }
        self.run.account_deleted(flipped.detached);
        if flipped.detached > 0
            || flipped
                .outcomes
                .iter()
                .any(|outcome| *outcome != FlipOutcome::New)
        {
            collect::collect_retired(parts, knowledge_base).await?;
        }
        let released = ReleasedFiles {
            texts: Vec::new(),
            originals: flipped.replaced_originals,
        };
        collect::remove_released(parts, &released).await
    }

    fn account(&self, request: &FlipRequest<'_>, outcome: FlipOutcome) {
        let outcome = match outcome {
            FlipOutcome::New => Outcome::New,
            FlipOutcome::Modified => Outcome::Modified,
            FlipOutcome::Superseded => {
                let version = request.new;
                self.run
                    .report(&version.document.key, &version.metadata.uri, &overtaken());
                return;
            }
        };
        self.run.account(outcome);
        let chunks = request.new.chunks.len() as u64;
        self.run.progress.update(|state| state.chunks_published += chunks);
    }

    fn superseded(&self, document: &PreparedDocument) {
        let version = &document.version;
        self.run
            .report(&version.document.key, &version.metadata.uri, &overtaken());
    }
}

fn overtaken() -> Problem {
    Problem::skipped(
        "superseded",
        "it was pushed again or deleted before this version was ready",
    )
}

fn chunk(document: &PreparedDocument, version: Version, index: usize) -> Option<Chunk> {
    let new = &document.version;
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
