//! What every route can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, web};
use lectern_domain::ErrorKind;
use lectern_ingest::Cancellation;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;

use crate::auth::AccessRules;
use crate::compose::Lectern;

use super::error::ApiError;
use super::jobs::Jobs;
use super::limits::Limits;
use super::metrics;
use super::pushes::Pushes;
use super::schedules::Schedules;
use super::watching::Watching;

/// What every route can reach. One for all workers.
#[derive(Debug)]
pub struct AppState {
    /// The stages.
    pub lectern: Arc<Lectern>,
    /// Who is let in.
    pub rules: AccessRules,
    /// How much may be sent.
    pub limits: Limits,
    /// The places for documents that are being received.
    pub receiving: Arc<Semaphore>,
    /// Pushed documents that wait to be indexed.
    pub pushes: Arc<Pushes>,
    /// Syncs of sources.
    pub jobs: Arc<Jobs>,
    /// The syncs that are asked for because it is time.
    pub schedules: Arc<Schedules>,
    /// The syncs that are asked for because a folder changed.
    pub watching: Arc<Watching>,
    /// What was counted.
    pub metrics: PrometheusHandle,
    stop_embedding: Cancellation,
    runtime: tokio::runtime::Handle,
    shutting_down: AtomicBool,
}

impl AppState {
    /// The state over `lectern`. Must be called within the runtime that background work shall run on: a
    /// worker's own runtime ends with the worker.
    pub fn new(lectern: Arc<Lectern>, rules: AccessRules, limits: Limits, metrics: PrometheusHandle) -> Self {
        let jobs = Arc::new(Jobs::new(Arc::clone(&lectern)));
        Self {
            receiving: Arc::new(Semaphore::new(limits.concurrent_pushes)),
            pushes: Arc::new(Pushes::default()),
            schedules: Arc::new(Schedules::new(Arc::clone(&lectern), Arc::clone(&jobs))),
            watching: Arc::new(Watching::new(Arc::clone(&lectern), Arc::clone(&jobs))),
            jobs,
            stop_embedding: Cancellation::new(),
            runtime: tokio::runtime::Handle::current(),
            shutting_down: AtomicBool::new(false),
            lectern,
            rules,
            limits,
            metrics,
        }
    }

    /// The state of the application that serves `request`.
    pub fn of(request: &HttpRequest) -> Result<&web::Data<Self>, ApiError> {
        request.app_data::<web::Data<Self>>().ok_or_else(|| {
            ApiError::new(
                ErrorKind::Internal,
                "state_missing",
                "the application was put together without its state",
            )
        })
    }

    /// Starts what runs beside the requests. What was pushed or asked for before a crash is taken up.
    pub fn start_background_work(&self) {
        self.spawn(metrics::upkeep(self.metrics.clone()));
        self.spawn(Arc::clone(&self.pushes).work(Arc::clone(&self.lectern)));
        self.spawn(Arc::clone(&self.jobs).work());
        self.spawn(Arc::clone(&self.schedules).work());
        self.spawn(Arc::clone(&self.watching).work());
        self.spawn(Arc::clone(&self.lectern.analytics).work());
        let (ingestion, stop) = (Arc::clone(&self.lectern.ingestion), self.stop_embedding.clone());
        self.spawn(async move { ingestion.embed_until_stopped(&stop).await });
    }

    /// Says that a source was made, changed or removed, to those who ask for syncs.
    pub fn sources_changed(&self) {
        self.schedules.changed();
        self.watching.changed();
    }

    /// Runs `work` for as long as the process lives, whatever becomes of the request that started it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Does `work` to its end, also where the client goes away meanwhile.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, lectern_ingest::Error>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let done = self.runtime.spawn(work).await.map_err(|error| {
            ApiError::new(
                ErrorKind::Internal,
                "work_lost",
                format!("what was asked for was begun and not finished: {error}"),
            )
        })?;
        Ok(done?)
    }

    /// From now on new requests are refused, and jobs are put down: they go on at the next start.
    pub fn begin_shutdown(&self) {
        self.shutting_down.store(true, Ordering::Release);
        self.schedules.shut_down();
        self.watching.shut_down();
        self.jobs.shut_down();
        self.pushes.stop();
        self.stop_embedding.cancel();
    }

    /// Whether new requests are refused.
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Acquire)
    }
}
