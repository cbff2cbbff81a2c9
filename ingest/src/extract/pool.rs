//! A bounded set of child processes that read files.
//!
//! A child is started when it is needed and reads up to [`ExtractorSettings::documents_per_worker`] files, then
//! another takes its place: what a parser leaks, it leaks into a process that ends. A child that dies, or
//! is killed for taking too long, takes one document with it. A file is given up only by a fresh child: where a
//! used one died over it, between two documents or because of what it had left in memory, the file is tried
//! once more. A time-out isn't tried again.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lectern_domain::ports::{Extractor, RawFile};
use lectern_domain::{Extracted, PortError};
use tokio::sync::{Mutex, Semaphore};

use super::ExtractError;
use super::child::{Answer, Worker};
use super::limits::Limits;

/// How files are read.
#[derive(Clone, Debug)]
pub struct ExtractorSettings {
    /// Program and arguments of the child: the server's own path and `extract-worker`.
    pub worker_command: Vec<OsString>,
    /// Children at the same time.
    pub workers: usize,
    /// Address space of a child, in bytes.
    pub memory_bytes: u64,
    /// How long one file may take.
    pub timeout: Duration,
    /// The longest text of a file, in bytes.
    pub max_output_bytes: u64,
    /// The largest file that is handed to a child, in bytes.
    pub max_input_bytes: u64,
    /// The most levels that a file may be nested; a format may allow less.
    pub max_depth: usize,
    /// Files that a child reads before another takes its place.
    pub documents_per_worker: usize,
}

impl ExtractorSettings {
    /// The defaults: one child per core, 2 GiB, two minutes, 64 MiB of text from a file of 256 MiB at most, 200 files
    /// per child.
    pub fn new(worker_command: Vec<OsString>) -> Self {
        Self {
            worker_command,
            workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_bytes: 2 * 1024 * 1024 * 1024,
            timeout: Duration::from_secs(120),
            max_output_bytes: 64 * 1024 * 1024,
            max_input_bytes: 256 * 1024 * 1024,
            max_depth: 4_000,
            documents_per_worker: 200,
        }
    }

    fn limits(&self) -> Limits {
        let documents = self.documents_per_worker.max(1) as u64;
        Limits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.timeout.as_secs().max(1).saturating_mul(documents),
            max_output_bytes: self.max_output_bytes,
            max_input_bytes: self.max_input_bytes,
            max_depth: self.max_depth,
        }
    }
}

/// Reads files in child processes. Cheap to clone behind an `Arc`; belongs to the tokio runtime in which it is
/// first used.
///
/// Dropping a call kills the child that was at work for it; dropping the pool ends all children.
pub struct ExtractorPool {
    settings: ExtractorSettings,
    limits: Limits,
    permits: Semaphore,
    idle: Arc<Mutex<Vec<Worker>>>,
}

impl fmt::Debug for ExtractorPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExtractorPool")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl ExtractorPool {
    /// A pool without children yet.
    pub fn new(settings: ExtractorSettings) -> Self {
        Self {
            limits: settings.limits(),
            permits: Semaphore::new(settings.workers.max(1)),
            idle: Arc::default(),
            settings,
        }
    }

    async fn read(&self, file: &RawFile) -> Result<Extracted, ExtractError> {
        if file.bytes.is_empty() {
            return Err(ExtractError::EmptyFile);
        }
        if file.bytes.len() as u64 > self.settings.max_input_bytes {
            return Err(ExtractError::TooLarge(self.settings.max_input_bytes));
        }
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| ExtractError::NotStarted("the pool is closed".to_owned()))?;
        let used = self.idle.lock().await.pop();
        if let Some(worker) = used {
            match self.read_with(worker, file).await {
                Answer::Said(response) => return response,
                Answer::TimedOut(error) => return Err(error),
                Answer::Died(error) => {
                    tracing::debug!(file = %file.name, %error, "trying again in a fresh extraction process");
                }
            }
        }
        let fresh = Worker::start(&self.settings, self.limits).await?;
        match self.read_with(fresh, file).await {
            Answer::Said(response) => response,
            Answer::TimedOut(error) | Answer::Died(error) => Err(error),
        }
    }

    /// Reads a file, and keeps the child for the next one where it is fit for that.
    async fn read_with(&self, mut worker: Worker, file: &RawFile) -> Answer {
        let answer = worker.read(file, &self.settings, &self.limits).await;
        if let Answer::Said(_) = answer {
            if worker.documents < self.settings.documents_per_worker {
                self.idle.lock().await.push(worker);
            } else {
                worker.retire().await;
            }
        }
        answer
    }
}

#[async_trait]
impl Extractor for ExtractorPool {
    async fn extract(&self, file: &RawFile) -> Result<Extracted, PortError> {
        self.read(file)
            .await
            .map_err(|error| error.into_port_error(&file.name))
    }
}
