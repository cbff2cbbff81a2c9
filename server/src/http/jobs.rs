//! Jobs: syncs of sources, asked for by a request and done after it, one at a time for each knowledge base.
//!
//! ```text
//! request ──> ledger: queued ──> waiting here ──> at work ──> ledger: complete, failed or stopped
//! a start finds what is queued ──────^
//! ```
//!
//! The queue itself is in the ledger, so a job that was answered for can't be lost; the number of those that wait is
//! bounded, and so is the number of those at work. This file remembers what only a process has: how far a job
//! is, and how to stop it. A shutdown drops what is at work; it is queued again and goes on at the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, JobId, JobState, KnowledgeBaseId, PortError, SourceId, error::chain};
use lectern_ingest::{Cancellation, Job, Progress, Source, SyncOptions};
use metrics::gauge;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::compose::Lectern;
use crate::sources;

/// How long a job waits before it tries again to get at a knowledge base that something else writes to.
const TRY_AGAIN_SOON: Duration = Duration::from_millis(100);
/// The same where the ledger couldn't be read or written (the disk is full).
const TRY_AGAIN_LATER: Duration = Duration::from_secs(3);

/// The jobs that wait or are at work in this process.
#[derive(Debug)]
pub struct Jobs {
    lectern: Arc<Lectern>,
    entries: Mutex<BTreeMap<JobId, Entry>>,
    /// Held while a job is asked for, so that no more wait than may.
    admission: tokio::sync::Mutex<()>,
    wake: Notify,
    shutdown: Cancellation,
}

#[derive(Clone, Debug)]
struct Entry {
    knowledge_base: KnowledgeBaseId,
    source: SourceId,
    progress: Progress,
    cancel: Cancellation,
    is_at_work: bool,
}

impl Jobs {
    /// No jobs yet; [`Jobs::work`] does what [`Jobs::request`] asks for.
    pub fn new(lectern: Arc<Lectern>) -> Self {
        Self {
            lectern,
            entries: Mutex::default(),
            admission: tokio::sync::Mutex::new(()),
            wake: Notify::new(),
            shutdown: Cancellation::new(),
        }
    }

    /// Asks for a sync of a source, and returns when that can't be lost any more. Where one waits already, it is
    /// the answer.
    ///
    /// Fails with `jobs_busy` where as many jobs wait as may.
    pub async fn request(&self, source: &Source, options: SyncOptions) -> Result<Job, PortError> {
        let _one_at_a_time = self.admission.lock().await;
        self.require_room(source.id)?;
        let job = self.lectern.ingestion.request_sync(source, options).await?;
        self.take_up(&job);
        Ok(job)
    }

    /// How far `job` is, if it waits or is at work here.
    pub fn progress(&self, job: JobId) -> Option<Progress> {
        self.entries().get(&job).map(|entry| entry.progress.clone())
    }

    /// Asks a job to stop: one that waits has ended when this returns, one that is at work ends after the documents
    /// at hand, also where the process is killed meanwhile.
    pub async fn stop(&self, job: JobId) -> Result<Job, PortError> {
        let job = self.lectern.ingestion.stop(job).await?;
        if let Some(entry) = self.entries().get(&job.id) {
            entry.cancel.cancel();
        }
        if job.ended_at.is_some() {
            self.forget(job.id);
        }
        Ok(job)
    }

    /// From now on nothing is begun, and what is at work is dropped: it goes on at the next start.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
        // Whoever watches a job is told by losing its progress.
        self.entries().clear();
    }

    /// Does what is queued until [`Jobs::shut_down`].
    pub async fn work(self: Arc<Self>) {
        match self.lectern.ledger.queued_jobs().await {
            Ok(jobs) => jobs.iter().for_each(|job| self.take_up(job)),
            Err(error) => tracing::error!(error = chain(&error), "the jobs that wait can't be listed"),
        }
        let mut tasks = JoinSet::new();
        while !self.shutdown.is_cancelled() {
            for (id, entry) in self.take_startable() {
                tasks.spawn(Arc::clone(&self).work_on(id, entry));
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.shutdown.cancelled() => {}
                Some(_) = tasks.join_next() => {}
            }
        }
        tasks.shutdown().await;
    }

    async fn work_on(self: Arc<Self>, id: JobId, entry: Entry) {
        match self.run(id, &entry).await {
            Ok(()) => self.forget(id),
            // Its knowledge base or its source is gone, and the job with it.
            Err(error) if error.kind == ErrorKind::NotFound => self.forget(id),
            Err(error) => {
                let pause = match error.code {
                    "job_running" => TRY_AGAIN_SOON,
                    _ => TRY_AGAIN_LATER,
                };
                tracing::debug!(job = %id, code = error.code, error = chain(&error), "a job was not begun");
                tokio::time::sleep(pause).await;
                self.put_back(id);
            }
        }
    }

    async fn run(&self, id: JobId, entry: &Entry) -> Result<(), PortError> {
        let lectern = &self.lectern;
        let knowledge_base = lectern
            .ledger
            .knowledge_base(&entry.knowledge_base.to_string())
            .await?;
        let source = lectern
            .ledger
            .source(knowledge_base.id, &entry.source.to_string())
            .await?;
        let connector = self.connector(&source, &knowledge_base.embedding_model).await;
        if lectern.ledger.job(id).await?.state != JobState::Queued {
            return Ok(());
        }
        let sync = lectern
            .ingestion
            .begin_sync(
                &knowledge_base,
                &source,
                connector,
                entry.progress.clone(),
                entry.cancel.clone(),
            )
            .await?;
        tracing::info!(knowledge_base = %knowledge_base.id, source = %source.id, job = %id, "a job was begun");
        match sync.run().await {
            Ok(report) => {
                let (counts, state) = (report.job.counts, report.job.state.as_str());
                tracing::info!(job = %id, state, ?counts, reason = report.job.reason, "a job ended");
            }
            Err(error) => {
                tracing::error!(job = %id, code = error.code(), error = chain(&error), "a job was lost");
            }
        }
        Ok(())
    }

    /// The source's connector; where it can't be opened or the models are missing, one that says so, so that the
    /// job ends with the reason.
    async fn connector(&self, source: &Source, embedding_model: &str) -> Arc<dyn Connector> {
        if let Err(error) = self.lectern.prepare_ingestion(embedding_model).await {
            return Arc::new(Unopened(error));
        }
        let source = source.clone();
        match tokio::task::spawn_blocking(move || sources::open(&source)).await {
            Ok(Ok(connector)) => connector,
            Ok(Err(error)) => Arc::new(Unopened(error)),
            Err(_) => Arc::new(Unopened(PortError::new(
                ErrorKind::Internal,
                "source_failed",
                "opening the source broke off",
            ))),
        }
    }

    fn require_room(&self, source: SourceId) -> Result<(), PortError> {
        let most = self.lectern.config.ingestion.jobs_waiting;
        let entries = self.entries();
        let mut waiting = entries.values().filter(|entry| !entry.is_at_work);
        if waiting.clone().count() < most || waiting.any(|entry| entry.source == source) {
            return Ok(());
        }
        Err(PortError::new(
            ErrorKind::Overloaded,
            "jobs_busy",
            format!("{most} jobs wait already, and that is the most"),
        ))
    }

    fn take_up(&self, job: &Job) {
        let entry = Entry {
            knowledge_base: job.knowledge_base,
            source: job.source,
            progress: Progress::new(),
            cancel: Cancellation::new(),
            is_at_work: false,
        };
        let mut entries = self.entries();
        entries.entry(job.id).or_insert(entry);
        show(&entries);
        drop(entries);
        self.wake.notify_one();
    }

    /// The jobs that may begin, oldest first: one for each knowledge base, and no more than may run at once.
    fn take_startable(&self) -> Vec<(JobId, Entry)> {
        let most = self.lectern.config.ingestion.jobs_at_once;
        let mut entries = self.entries();
        let at_work = entries.values().filter(|entry| entry.is_at_work);
        let mut busy: BTreeSet<KnowledgeBaseId> = at_work.map(|entry| entry.knowledge_base).collect();
        let mut startable = Vec::new();
        for (id, entry) in entries.iter_mut().filter(|(_, entry)| !entry.is_at_work) {
            if busy.len() < most && busy.insert(entry.knowledge_base) {
                entry.is_at_work = true;
                startable.push((*id, entry.clone()));
            }
        }
        show(&entries);
        startable
    }

    fn put_back(&self, job: JobId) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&job) {
            entry.is_at_work = false;
        }
        show(&entries);
        drop(entries);
        self.wake.notify_one();
    }

    fn forget(&self, job: JobId) {
        let mut entries = self.entries();
        entries.remove(&job);
        show(&entries);
        drop(entries);
        self.wake.notify_one();
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<JobId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the gauges say how many wait and how many are at work.
fn show(entries: &BTreeMap<JobId, Entry>) {
    let at_work = entries.values().filter(|entry| entry.is_at_work).count();
    gauge!("lectern_jobs_running").set(at_work as f64);
    gauge!("lectern_jobs_waiting").set((entries.len() - at_work) as f64);
}

/// A source that can't be read: its listing is the reason.
#[derive(Debug)]
struct Unopened(PortError);

impl Unopened {
    fn error(&self) -> PortError {
        PortError::new(self.0.kind, self.0.code, chain(&self.0))
    }
}

#[async_trait]
impl Connector for Unopened {
    fn describe(&self) -> String {
        "a source that can't be opened".to_owned()
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        stream::once(std::future::ready(Err(self.error()))).boxed()
    }

    async fn fetch(&self, _item: &SourceItem) -> Result<Fetched, PortError> {
        Err(self.error())
    }
}
