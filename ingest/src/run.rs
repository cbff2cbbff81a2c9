//! One run through the pipeline: what its stages share, and the account that they keep together.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lectern_domain::ports::{Cursor, Embedder};
use lectern_domain::{Acl, ContentHash, DocumentId, DocumentStatus, JobCounts, JobId, PortError};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cancel::Cancellation;
use crate::collect;
use crate::enrich::Enricher;
use crate::error::{Error, Result};
use crate::in_hand::InHand;
use crate::ledger::{
    DocumentRef, Job, KnownDocument, Note, PendingVersion, ReleasedFiles, Source, Withdrawal,
};
use crate::outcome::Outcome;
use crate::pipeline::IngestionParts;
use crate::progress::Progress;
use crate::recipe::recipe;
use crate::report::{DocumentProblem, StageClocks};

const NOTES_PER_TRANSACTION: usize = 256;
const NOTES_WAIT: Duration = Duration::from_secs(2);

/// The budget of bytes is counted in units of this many, so that a large budget fits the semaphore.
const MEMORY_UNIT: usize = 1 << 10;

/// What a small document costs beside its bytes.
const DOCUMENT_OVERHEAD: usize = 16 << 10;

/// The rules of the source leave the document out, or couldn't take personal data out of it.
const BY_RULE: [&str; 2] = ["dropped_by_rule", "redaction_failed"];

/// A run and its account.
pub(crate) struct Run {
    pub(crate) parts: Arc<IngestionParts>,
    pub(crate) source: Source,
    /// Makes the vectors of the knowledge base.
    pub(crate) embedder: Arc<dyn Embedder>,
    /// The job of a sync; pushed documents have none.
    pub(crate) job: Option<JobId>,
    pub(crate) progress: Progress,
    pub(crate) cancel: Cancellation,
    pub(crate) clocks: StageClocks,
    /// What versions are made with.
    pub(crate) recipe: ContentHash,
    /// The source's rules.
    pub(crate) enricher: Arc<Enricher>,
    /// The cursor that the source is asked with, where what changed since is enough.
    pub(crate) since: Option<Cursor>,
    position: Mutex<Position>,
    /// Set once something of the listing was acted on.
    has_begun: tokio::sync::OnceCell<()>,
    /// The documents that are on their way.
    pub(crate) in_hand: InHand,
    memory: Arc<Semaphore>,
    memory_units: usize,
    tally: Mutex<Tally>,
    notes: Mutex<Notes>,
    /// Whose turn it is to write notes: what was noted first is written first.
    writing: tokio::sync::Mutex<()>,
}

/// How far the source was read.
#[derive(Debug, Default)]
struct Position {
    reached: Option<Cursor>,
    is_in_doubt: bool,
}

/// The account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: JobCounts,
    pub(crate) problems: Vec<DocumentProblem>,
    pub(crate) problems_left_out: u64,
}

#[derive(Debug)]
struct Notes {
    waiting: Vec<Note>,
    /// The documents of those that are about to be written.
    being_written: HashSet<DocumentId>,
    oldest: Instant,
}

impl Run {
    pub(crate) fn new(
        parts: &Arc<IngestionParts>,
        source: Source,
        embedder: Arc<dyn Embedder>,
        job: Option<&Job>,
        since: Option<Cursor>,
        progress: Progress,
        cancel: Cancellation,
    ) -> Result<Self> {
        let memory_units = (parts.settings.memory_bytes / MEMORY_UNIT).clamp(1, Semaphore::MAX_PERMITS);
        // What an earlier attempt of the job has deleted isn't there to be deleted again.
        let counts = JobCounts {
            deleted: job.map_or(0, |job| job.counts.deleted),
            ..JobCounts::default()
        };
        let job = job.map(|job| job.id);
        progress.update(|state| {
            state.job = job;
            state.counts = counts;
        });
        Ok(Self {
            enricher: Arc::new(Enricher::new(&source.settings.enrichment)?),
            recipe: recipe(&parts.settings.chunk, &source.settings),
            since,
            position: Mutex::default(),
            has_begun: tokio::sync::OnceCell::new(),
            parts: Arc::clone(parts),
            source,
            embedder,
            job,
            progress,
            cancel,
            in_hand: InHand::default(),
            clocks: StageClocks::default(),
            memory: Arc::new(Semaphore::new(memory_units)),
            memory_units,
            tally: Mutex::new(Tally {
                counts,
                ..Tally::default()
            }),
            notes: Mutex::new(Notes {
                waiting: Vec::new(),
                being_written: HashSet::new(),
                oldest: Instant::now(),
            }),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// Waits until a document of that size may be held. One that is larger than the whole budget waits
    /// until it is alone.
    pub(crate) async fn admit(&self, bytes: u64) -> Result<OwnedSemaphorePermit> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let units = (bytes.saturating_add(DOCUMENT_OVERHEAD) / MEMORY_UNIT).clamp(1, self.memory_units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.memory).acquire_many_owned(units).await;
        permit.map_err(|_| Error::StageLost { stage: "fetch" })
    }

    /// Counts one document, once.
    pub(crate) fn account(&self, outcome: Outcome) {
        let mut tally = self.tally();
        let counts = &mut tally.counts;
        counts.scanned += 1;
        let count = match outcome {
            Outcome::New => &mut counts.new,
            Outcome::Modified => &mut counts.modified,
            Outcome::Unchanged => &mut counts.unchanged,
            Outcome::MetadataOnly => &mut counts.metadata_only,
            Outcome::Skipped => &mut counts.skipped,
            Outcome::Failed => &mut counts.failed,
        };
        *count += 1;
        counter!("lectern_ingest_documents_total", "outcome" => outcome.as_str()).increment(1);
        let counts = tally.counts;
        drop(tally);
        self.progress.update(|state| state.counts = counts);
    }

    /// Forgets, before the first line of the listing is acted on, how far the source was read: from now on the ledger has
    /// less of it, or more.
    pub(crate) async fn begin(&self) -> Result<()> {
        if self.job.is_none() {
            return Ok(());
        }
        let forget = || self.parts.ledger.forget_list_cursor(self.source.id);
        self.has_begun.get_or_try_init(forget).await.map(|_| ())
    }

    /// Notes that all before this point of the listing was named.
    pub(crate) fn reached(&self, cursor: Cursor) {
        self.position().reached = Some(cursor);
    }

    /// Notes that something of the source was left out that it won't name again by itself.
    pub(crate) fn position_is_in_doubt(&self) {
        self.position().is_in_doubt = true;
    }

    /// What the source can be asked with next time.
    pub(crate) fn reached_position(&self) -> Option<Cursor> {
        let position = self.position();
        position.reached.clone().filter(|_| !position.is_in_doubt)
    }

    fn position(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the documents that were deleted.
    pub(crate) fn account_deleted(&self, deleted: u64) {
        let mut tally = self.tally();
        tally.counts.deleted += deleted;
        let counts = tally.counts;
        drop(tally);
        counter!("lectern_ingest_documents_total", "outcome" => "deleted").increment(deleted);
        self.progress.update(|state| state.counts = counts);
    }

    /// Counts a document that was skipped or failed, for the report only; see [`Run::give_up`].
    pub(crate) fn report(&self, key: &str, uri: &str, problem: &Problem) {
        let outcome = match problem.status {
            DocumentStatus::Skipped => Outcome::Skipped,
            _ => Outcome::Failed,
        };
        self.account(outcome);
        self.add_problem(DocumentProblem {
            key: key.to_owned(),
            uri: uri.to_owned(),
            status: problem.status,
            code: problem.code.to_owned(),
            reason: problem.reason.clone(),
        });
    }

    /// Counts a document that stays skipped or failed, for the reason that was written down, since nothing about
    /// it changed.
    pub(crate) fn report_again(&self, key: &str, known: &KnownDocument) {
        self.account(match known.status {
            DocumentStatus::Skipped => Outcome::Skipped,
            _ => Outcome::Failed,
        });
        let reason = known.reason.as_deref().unwrap_or_default();
        let (code, reason) = reason.split_once(": ").unwrap_or(("unknown", reason));
        self.add_problem(DocumentProblem {
            key: key.to_owned(),
            uri: known.metadata.uri.clone(),
            status: known.status,
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Reports a document that can be found by words only. It was counted when it was published.
    pub(crate) fn report_without_vectors(&self, version: &PendingVersion, reason: &str) {
        let (code, reason) = reason.split_once(": ").unwrap_or(("not_embedded", reason));
        self.add_problem(DocumentProblem {
            key: version.key.clone(),
            uri: version.uri.clone(),
            status: DocumentStatus::Indexed,
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn add_problem(&self, problem: DocumentProblem) {
        let mut tally = self.tally();
        if tally.problems.len() >= self.parts.settings.max_problems {
            tally.problems_left_out += 1;
            return;
        }
        tally.problems.push(problem);
    }

    /// Counts a document that was skipped or failed, and has the ledger know why.
    pub(crate) async fn give_up(
        &self,
        document: &DocumentRef,
        described: Described<'_>,
        problem: Problem,
    ) -> Result<()> {
        self.leave_out(document, described, problem, Withdrawal::Version)
            .await
    }

    /// The same for one that was not opened. What was attached to a version that goes, goes with it.
    pub(crate) async fn give_up_whole(
        &self,
        document: &DocumentRef,
        described: Described<'_>,
        problem: Problem,
    ) -> Result<()> {
        self.leave_out(document, described, problem, Withdrawal::Whole)
            .await
    }

    async fn leave_out(
        &self,
        document: &DocumentRef,
        described: Described<'_>,
        problem: Problem,
        withdraw: Withdrawal,
    ) -> Result<()> {
        self.report(&document.key, described.uri, &problem);
        tracing::info!(
            key = document.key,
            code = problem.code,
            reason = problem.reason,
            "document left out"
        );
        self.note(Note::Problem {
            document: document.clone(),
            job: self.job,
            uri: described.uri.to_owned(),
            size_bytes: described.size_bytes,
            status: problem.status,
            reason: format!("{}: {}", problem.code, problem.reason),
            acl: described.acl.cloned().unwrap_or_default(),
            change_tag: described
                .change_tag
                .filter(|_| problem.status == DocumentStatus::Skipped),
            withdraw: match problem.withdraws_at_once(self.job.is_none()) {
                true => withdraw,
                false => Withdrawal::No,
            },
        })
        .await
    }

    /// Has the ledger know a small fact, soon.
    pub(crate) async fn note(&self, note: Note) -> Result<()> {
        let is_due = {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.waiting.is_empty() {
                notes.oldest = Instant::now();
            }
            notes.waiting.push(note);
            notes.waiting.len() >= NOTES_PER_TRANSACTION || notes.oldest.elapsed() >= NOTES_WAIT
        };
        match is_due {
            true => self.write_notes().await,
            false => Ok(()),
        }
    }

    /// Has the ledger know what was noted of a document, if anything was, before more is done with it.
    pub(crate) async fn settle_note_of(&self, document: DocumentId) -> Result<()> {
        let is_noted = {
            let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            let mut waiting = notes.waiting.iter();
            notes.being_written.contains(&document) || waiting.any(|note| note.document().id == document)
        };
        match is_noted {
            true => self.write_notes().await,
            false => Ok(()),
        }
    }

    /// Has the ledger know all small facts now.
    pub(crate) async fn write_notes(&self) -> Result<()> {
        let _turn = self.writing.lock().await;
        let notes = {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.being_written = notes.waiting.iter().map(|note| note.document().id).collect();
            std::mem::take(&mut notes.waiting)
        };
        let replaced = self.parts.ledger.write_notes(&notes).await?;
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .being_written
            .clear();
        // A pushed original that got no version of its own may be needed by nobody now.
        let originals = notes
            .iter()
            .filter_map(|note| note.document().push)
            .map(|push| push.original);
        let released = ReleasedFiles {
            texts: Vec::new(),
            originals: originals.chain(replaced).collect(),
        };
        collect::remove_released(&self.parts, &released).await
    }

    /// The account so far.
    pub(crate) fn account_so_far(&self) -> Tally {
        self.tally().clone()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a document that gets no new version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) uri: &'a str,
    pub(crate) size_bytes: u64,
    /// Who may read it. Where that couldn't be found out, nobody may.
    pub(crate) acl: Option<&'a Acl>,
    /// What the listing says of it, where it was read.
    pub(crate) change_tag: Option<ContentHash>,
}

/// Why a document gets no new version.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: DocumentStatus,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn skipped(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status: DocumentStatus::Skipped,
            code,
            reason: reason.into(),
        }
    }

    /// Whether a version that can be seen must not be seen any longer, from now on: where rules took the document out, and
    /// where somebody pushed what is no document. What a source has in its place instead goes with the end of the job, and
    /// what failed may be a document still.
    fn withdraws_at_once(&self, is_pushed: bool) -> bool {
        BY_RULE.contains(&self.code) || (is_pushed && self.status == DocumentStatus::Skipped)
    }

    pub(crate) fn failed(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status: DocumentStatus::Failed,
            code,
            reason: reason.into(),
        }
    }
}

impl From<&PortError> for Problem {
    /// What a person didn't mean to have indexed is skipped; what they may have is failed.
    fn from(error: &PortError) -> Self {
        const NO_DOCUMENT: [&str; 3] = ["empty_file", "unknown_format", "no_text"];
        let reason = lectern_domain::error::chain(error);
        match NO_DOCUMENT.contains(&error.code) {
            true => Self::skipped(error.code, reason),
            false => Self::failed(error.code, reason),
        }
    }
}
