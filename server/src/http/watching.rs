//! Watching: syncs that are asked for because something was saved in a folder.
//!
//! ```text
//! ledger: sources to be watched ──> a watch each ──> burst of changes ──> jobs: queued ──> a listing of what changed
//! ```
//!
//! The job is an ordinary one. Its connector is that of the watch ([`WatchedConnectors`]), which lists what changed since
//! the last complete job where it knows that exactly, and everything where it doesn't: at the start, for one. While
//! a job of the source waits, a burst is part of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lectern_connectors::{SourceConfig, watch};
use lectern_domain::error::chain;
use lectern_domain::ports::Connector;
use lectern_domain::{PortError, SourceId};
use lectern_ingest::{Cancellation, Source, SyncOptions};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::jobs::Jobs;
use crate::compose::Lectern;

/// The longest pause between two looks at which sources are to be watched.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The pause after which a source that can't be watched, or a sync that can't be asked for, is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// A connector and the configuration that it was opened with.
type Opened = (Value, Arc<dyn Connector>);

/// The connectors of the sources that are watched.
#[derive(Default)]
pub struct WatchedConnectors(Mutex<BTreeMap<SourceId, Opened>>);

impl std::fmt::Debug for WatchedConnectors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.entries().keys()).finish()
    }
}

impl WatchedConnectors {
    /// The connector of a source, if it is watched with the configuration that it has.
    pub fn of(&self, source: &Source) -> Option<Arc<dyn Connector>> {
        let entries = self.entries();
        let (config, connector) = entries.get(&source.id)?;
        (*config == source.config).then(|| Arc::clone(connector))
    }

    fn put(&self, source: &Source, connector: Arc<dyn Connector>) {
        self.entries()
            .insert(source.id, (source.config.clone(), connector));
    }

    /// Forgets it, but for one with another configuration.
    fn forget(&self, source: &Source) {
        self.entries()
            .retain(|id, (config, _)| *id != source.id || *config != source.config);
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<SourceId, Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches the sources that ask for it.
#[derive(Debug)]
pub struct Watching {
    lectern: Arc<Lectern>,
    jobs: Arc<Jobs>,
    changed: Notify,
    shutdown: Cancellation,
}

/// A source that is being watched, until this is cancelled.
struct Watched {
    config: Value,
    end: Cancellation,
}

impl Watching {
    /// Nothing is watched before [`Watching::work`].
    pub fn new(lectern: Arc<Lectern>, jobs: Arc<Jobs>) -> Self {
        Self {
            lectern,
            jobs,
            changed: Notify::new(),
            shutdown: Cancellation::new(),
        }
    }

    /// Says that other sources may have to be watched now.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// From now on nothing is watched.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Watches the sources that ask for it, whichever these are, until [`Watching::shut_down`].
    pub async fn work(self: Arc<Self>) {
        let mut watched: BTreeMap<SourceId, Watched> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        while !self.shutdown.is_cancelled() {
            match self.sources().await {
                Ok(sources) => self.follow_those(sources, &mut watched, &mut tasks),
                Err(error) => {
                    tracing::warn!(
                        code = error.code,
                        error = chain(&error),
                        "the sources can't be listed"
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LONGEST_PAUSE) => {}
                () = self.changed.notified() => {}
                () = self.shutdown.cancelled() => {}
                Some(_) = tasks.join_next() => {}
            }
        }
        tasks.shutdown().await;
    }

    /// Begins to watch what isn't watched yet, and ends what isn't to be.
    fn follow_those(
        self: &Arc<Self>,
        sources: Vec<(Source, SourceConfig)>,
        watched: &mut BTreeMap<SourceId, Watched>,
        tasks: &mut JoinSet<()>,
    ) {
        watched.retain(|id, known| {
            let stays = sources
                .iter()
                .any(|(source, _)| source.id == *id && source.config == known.config);
            if !stays {
                known.end.cancel();
            }
            stays
        });
        for (source, config) in sources {
            if watched.contains_key(&source.id) {
                continue;
            }
            let end = Cancellation::new();
            let known = Watched {
                config: source.config.clone(),
                end: end.clone(),
            };
            watched.insert(source.id, known);
            tasks.spawn(Arc::clone(self).follow(source, config, end));
        }
    }

    /// Watches one source, and asks for a sync after each burst of changes.
    async fn follow(self: Arc<Self>, source: Source, config: SourceConfig, end: Cancellation) {
        tokio::select! {
            () = self.keep_watching(&source, &config) => {}
            () = end.cancelled() => {}
        }
        self.jobs.watched.forget(&source);
    }

    async fn keep_watching(&self, source: &Source, config: &SourceConfig) {
        loop {
            match watch(config).await {
                Ok(None) => return,
                Ok(Some(mut watch)) => {
                    self.jobs.watched.put(source, watch.connector());
                    tracing::info!(source = %source.id, "a source is watched");
                    loop {
                        // The first time for what changed while nobody watched.
                        self.ask(source).await;
                        watch.burst().await;
                    }
                }
                Err(error) => {
                    let error = PortError::from(error);
                    tracing::warn!(source = %source.id, code = error.code, error = chain(&error), "a source can't be watched");
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    /// Asks for a sync until it is queued.
    async fn ask(&self, source: &Source) {
        while let Err(error) = self.jobs.request(source, SyncOptions::default()).await {
            tracing::warn!(source = %source.id, code = error.code, error = chain(&error), "a sync can't be asked for");
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// The sources of all knowledge bases that say that they are to be watched.
    async fn sources(&self) -> Result<Vec<(Source, SourceConfig)>, PortError> {
        let ledger = &self.lectern.ledger;
        let mut found = Vec::new();
        for knowledge_base in ledger.knowledge_bases().await? {
            for source in ledger.sources(knowledge_base.id).await? {
                // What can't be read here fails its jobs, with the reason.
                if let Ok(config) = SourceConfig::from_json(source.config.clone())
                    && config.is_watched()
                {
                    found.push((source, config));
                }
            }
        }
        Ok(found)
    }
}
