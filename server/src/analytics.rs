//! Analytics: what people ask, what they find, and what they open of it.
//!
//! ```text
//! search, answer ──> note ──> pending (bounded) ──> writer, in batches ──┐
//! page: a click ───> feedback ───────────────────────────────────────────┼──> analytics.sqlite ──> report
//! erase: a person's name, an age, a knowledge base ──────────────────────┘
//! ```
//!
//! A search notes what it did in memory and goes on; it never waits for a disk, and never fails by what happens here. One
//! task ([`Analytics::work`]) writes the notes down a moment later. Whoever reads a report, clicks or erases has them written
//! first, so that all of them see every search that came before; but no report waits while the file is rewritten, which may
//! take long. What somebody is reminded of while they type waits for nothing, and may lack the searches of a moment ago.
//!
//! What people ask is personal data. So it is a database of its own, apart from the ledger: kept as long as is configured,
//! erased by name on request, and what is erased is in no page and no journal of the file afterwards.

mod note;
mod pending;
mod turn;
mod store;
mod feedback;
mod erase;
mod figures;
mod lists;
mod asked_before;
mod report;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lectern_domain::error::chain;
use lectern_domain::{ErrorKind, KnowledgeBaseId, PortError};
use lectern_ingest::{Cancellation, Ledger};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, sleep_until};

use pending::Pending;
use store::Store;
use turn::Turn;

use crate::config::AnalyticsConfig;

pub use erase::Erased;
pub use feedback::{Feedback, FeedbackKind, QueryRef};
pub use figures::Figures;
pub use lists::{DocumentFigures, QueryFigures};
pub use note::{QueryKind, SearchNote};
pub use report::{Report, ReportRequest};

/// How long notes gather before they are written together.
const GATHER: Duration = Duration::from_millis(200);
/// How often what has become too old is erased.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The counter of searches that aren't in the figures, by `reason`: `full` (more than are held at once), `store` (they
/// could not be written), `closed` (the server has ended).
const DROPPED_TOTAL: &str = "lectern_analytics_dropped_total";

/// The analytics of a data folder. The file is opened when it is first needed.
#[derive(Debug)]
pub struct Analytics {
    path: PathBuf,
    config: AnalyticsConfig,
    pending: Pending,
    store: OnceCell<Store>,
    turn: Turn,
    stop: Cancellation,
}

impl Analytics {
    /// Those in the file `path`. Nothing is opened yet.
    pub fn new(path: PathBuf, config: AnalyticsConfig) -> Self {
        Self {
            path,
            config,
            pending: Pending::default(),
            store: OnceCell::new(),
            turn: Turn::default(),
            stop: Cancellation::new(),
        }
    }

    /// Notes a search that was done. Takes a lock for a moment and never waits; where too many wait to be written it is
    /// dropped, and counted.
    pub fn note_search(&self, note: SearchNote) {
        if !self.config.keeps_anything() {
            return;
        }
        if self.stop.is_cancelled() {
            dropped("closed", 1);
            return;
        }
        let note = note.into_kept(self.config.anonymous);
        if !self.pending.add(note, Utc::now()) {
            dropped("full", 1);
        }
    }

    /// Writes down what is noted, and erases what is too old, until [`Analytics::close`].
    pub async fn work(self: Arc<Self>) {
        if !self.config.keeps_anything() && !self.path.exists() {
            return;
        }
        let mut next_expiry = Instant::now();
        while !self.stop.is_cancelled() {
            if Instant::now() >= next_expiry {
                self.expire(Utc::now()).await;
                next_expiry = Instant::now() + DAY;
            }
            tokio::select! {
                () = self.pending.noted() => self.gather().await,
                () = sleep_until(next_expiry) => {}
                () = self.stop.cancelled() => {}
            }
            self.write_pending().await;
        }
    }

    /// Writes down what is still noted and closes the file. What is noted later is dropped, and counted.
    pub async fn close(&self) {
        self.stop.cancel();
        self.write_pending().await;
        let _turn = self.turn.wait().await;
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }

    /// Counts what somebody did with what a search showed them, and says how much of it was new: the same said twice counts
    /// once.
    ///
    /// Fails with `query_not_found` where there is no such search of this person in this knowledge base, and with
    /// `analytics_disabled`.
    pub async fn give_feedback(&self, query: QueryRef<'_>, items: &[Feedback]) -> Result<u64, PortError> {
        if !self.config.keeps_anything() {
            return Err(PortError::new(
                ErrorKind::Conflict,
                "analytics_disabled",
                "this server keeps no analytics, so there is nothing to give feedback on",
            ));
        }
        let _turn = self.turn.wait().await;
        self.write_in_turn().await;
        let counted = self.store().await?.add_feedback(query, items, Utc::now()).await?;
        counted.ok_or_else(|| {
            PortError::new(
                ErrorKind::NotFound,
                "query_not_found",
                format!("there is no query {} of yours in this knowledge base", query.id),
            )
        })
    }

    /// What was asked of a knowledge base, by day and in lists. The titles of documents are the ledger's. While the file is
    /// rewritten, what was noted since that began isn't in it.
    pub async fn report(
        &self,
        ledger: &Ledger,
        base: KnowledgeBaseId,
        request: &ReportRequest,
    ) -> Result<Report, PortError> {
        request.check()?;
        if let Some(_turn) = self.turn.wait_unless_rewriting().await {
            self.write_in_turn().await;
        }
        let mut report = self.store().await?.report(base, request).await?;
        report.keep_days = if self.config.enabled {
            self.config.keep_days
        } else {
            0
        };
        report.name_documents(ledger, base).await?;
        Ok(report)
    }

    /// The questions of a person that begin like what was typed and found something, the latest first, as far as they are
    /// written down. None where nothing is kept, or no names are.
    pub async fn asked_before(
        &self,
        base: KnowledgeBaseId,
        user: &str,
        typed: &str,
        limit: u32,
    ) -> Result<Vec<String>, PortError> {
        if !self.config.keeps_anything() || self.config.anonymous || typed.trim().is_empty() {
            return Ok(Vec::new());
        }
        self.store().await?.asked_before(base, user, typed, limit).await
    }

    /// Erases all that is known of what somebody asked and opened, and says how much it was. Afterwards no file has a word of
    /// it. Costs a rewriting of the whole file; done again it finishes what was cut short.
    pub async fn erase_user(&self, user: &str) -> Result<Erased, PortError> {
        let _turn = self.turn.wait().await;
        self.write_in_turn().await;
        let erased = self.store().await?.erase_user(user).await?;
        self.scrub().await?;
        Ok(erased)
    }

    /// Erases what was asked of a knowledge base that is no more. What fails is logged: it goes with its age.
    pub async fn erase_knowledge_base(&self, base: KnowledgeBaseId) {
        if !self.path.exists() {
            return;
        }
        let _turn = self.turn.wait().await;
        self.write_in_turn().await;
        let erased = async {
            self.store().await?.erase_knowledge_base(base).await?;
            self.scrub().await
        };
        if let Err(error) = erased.await {
            warn(
                &error,
                "the analytics of a deleted knowledge base can't be erased",
            );
        }
    }

    /// Erases what is older at `now` than is configured.
    pub async fn expire(&self, now: DateTime<Utc>) {
        if !self.path.exists() {
            return;
        }
        let _turn = self.turn.wait().await;
        let erased = async {
            let too_old = now - self.config.keep_for();
            let erased = self.store().await?.erase_older(too_old).await?;
            if erased.searches > 0 {
                self.scrub().await?;
            }
            Ok::<_, PortError>(erased)
        };
        match erased.await {
            Ok(erased) if erased.searches > 0 => {
                tracing::info!(searches = erased.searches, "erased analytics that became too old");
            }
            Ok(_) => {}
            Err(error) => warn(&error, "analytics that became too old can't be erased"),
        }
    }

    /// Lets a few more notes come, unless there is no time for that.
    async fn gather(&self) {
        tokio::select! {
            () = sleep(GATHER) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn write_pending(&self) {
        let _turn = self.turn.wait().await;
        self.write_in_turn().await;
    }

    /// Has the file rewritten without what was erased. What is read meanwhile doesn't wait.
    async fn scrub(&self) -> Result<(), PortError> {
        let _rewriting = self.turn.rewriting();
        self.store().await?.scrub().await
    }

    /// Writes what is noted. Notes that can't be written are lost, logged and counted.
    async fn write_in_turn(&self) {
        let notes = self.pending.take();
        if notes.is_empty() {
            return;
        }
        let written = async { self.store().await?.add_searches(&notes).await };
        if let Err(error) = written.await {
            dropped("store", notes.len());
            warn(&error, "searches can't be written to the analytics");
        }
    }

    async fn store(&self) -> Result<&Store, PortError> {
        self.store.get_or_try_init(|| Store::open(&self.path)).await
    }
}

fn dropped(reason: &'static str, notes: usize) {
    metrics::counter!(DROPPED_TOTAL, "reason" => reason).increment(notes as u64);
}

fn warn(error: &PortError, what: &str) {
    tracing::warn!(code = error.code, error = chain(error), "{what}");
}
