//! Jobs: syncs of sources, asked for by a request and done after it. One at a time writes to a knowledge base.
//!
//! ```text
//! request ──> ledger: queued ──> waiting ──> reading ──> embedding ──> ledger: complete, failed or stopped
//! a start finds what is queued ─────^
//! ```
//!
//! The queue itself is in the ledger, so a job that was answered for can't be lost; the number of those that wait is
//! bounded, and so is the number of those that read. Making vectors takes longest and holds up nobody: one line
//! serves all jobs. This file remembers what only a process has: how far a job is, and how to stop it. A shutdown drops
//! what is at work; it is queued again and goes on at the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, JobId, JobState, KnowledgeBaseId, PortError, SourceId, error::chain};
use lectern_ingest::{Cancellation, Job, JobReport, Progress, Source, SyncOptions, SyncRun};
use metrics::gauge;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::watching::WatchedConnectors;
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
    /// The connectors of the sources that are watched.
    pub(super) watched: WatchedConnectors,
}

#[derive(Clone, Debug)]
struct Entry {
    knowledge_base: KnowledgeBaseId,
    source: SourceId,
    progress: Progress,
    cancel: Cancellation,
    place: Place,
}

/// Where a job of this process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It has not begun.
    Waiting,
    /// It reads its source, and nothing else may write to its knowledge base.
    Reading,
    /// Its documents can be found by their words. It ends when their vectors are made, and holds up nobody.
    Embedding,
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
            watched: WatchedConnectors::default(),
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
            Err(error) if error.code == "job_running" => {
                tokio::time::sleep(TRY_AGAIN_SOON).await;
                self.put(id, Place::Waiting);
            }
            Err(error) => self.refuse(id, &error).await,
        }
    }

    /// Ends a job that can't be begun, with the reason; where not even that can be written, it is tried again.
    async fn refuse(&self, id: JobId, error: &PortError) {
        let reason = format!("{}: {}", error.code, chain(error));
        tracing::warn!(job = %id, reason, "a job can't be begun");
        match self.lectern.ledger.refuse_job(id, &reason).await {
            Ok(()) => self.forget(id),
            Err(error) => {
                tracing::warn!(job = %id, error = chain(&error), "and that can't be written down");
                tokio::time::sleep(TRY_AGAIN_LATER).await;
                self.put(id, Place::Waiting);
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
        match self.until_ended(id, entry, sync).await {
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

    /// Runs a job to its end, and lets others write to its knowledge base once only vectors are missing.
    async fn until_ended(
        &self,
        id: JobId,
        entry: &Entry,
        sync: SyncRun,
    ) -> Result<JobReport, lectern_ingest::Error> {
        let mut progress = entry.progress.subscribe();
        let mut run = std::pin::pin!(sync.run());
        tokio::select! {
            report = &mut run => return report,
            () = async { drop(progress.wait_for(|now| now.words_complete).await) } => {}
        }
        self.put(id, Place::Embedding);
        run.await
    }

    /// The source's connector; where it can't be opened or the models are missing, one that says so, so that the
    /// job ends with the reason.
    async fn connector(&self, source: &Source, embedding_model: &str) -> Arc<dyn Connector> {
        if let Err(error) = self.lectern.prepare_ingestion(embedding_model).await {
            return Arc::new(Unopened(error));
        }
        if let Some(connector) = self.watched.of(source) {
            return connector;
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
        let others = entries.values().filter(|entry| entry.place != Place::Reading);
        let waits = |entry: &Entry| entry.place == Place::Waiting && entry.source == source;
        if others.count() < most || entries.values().any(waits) {
            return Ok(());
        }
        Err(PortError::new(
            ErrorKind::Overloaded,
            "jobs_busy",
            format!("{most} jobs wait already, for their turn or for vectors, and that is the most"),
        ))
    }

    fn take_up(&self, job: &Job) {
        let entry = Entry {
            knowledge_base: job.knowledge_base,
            source: job.source,
            progress: Progress::new(),
            cancel: Cancellation::new(),
            place: Place::Waiting,
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
        let reading = entries.values().filter(|entry| entry.place == Place::Reading);
        let mut busy: BTreeSet<KnowledgeBaseId> = reading.map(|entry| entry.knowledge_base).collect();
        let mut startable = Vec::new();
        let waiting = entries
            .iter_mut()
            .filter(|(_, entry)| entry.place == Place::Waiting);
        for (id, entry) in waiting {
            if busy.len() < most && busy.insert(entry.knowledge_base) {
                entry.place = Place::Reading;
                startable.push((*id, entry.clone()));
            }
        }
        show(&entries);
        startable
    }

    fn put(&self, job: JobId, place: Place) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&job) {
            entry.place = place;
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

/// Has the gauges say how many jobs are where.
fn show(entries: &BTreeMap<JobId, Entry>) {
    for (place, name) in [
        (Place::Waiting, "lectern_jobs_waiting"),
        (Place::Reading, "lectern_jobs_reading"),
        (Place::Embedding, "lectern_jobs_embedding"),
    ] {
        let count = entries.values().filter(|entry| entry.place == place).count();
        gauge!(name).set(count as f64);
    }
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
