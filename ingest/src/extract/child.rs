//! One child process, from the parent's side.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lectern_domain::ports::RawFile;
use lectern_domain::{Attachment, BlockKind, Extracted, MAX_ATTACHMENTS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Mutex;

use super::ExtractError;
use super::frame::{self, Request, Response};
use super::limits::Limits;
use super::pool::ExtractorSettings;

/// How much of what a child says on standard error is kept: its last words tell why it died.
const KEPT_STDERR_BYTES: usize = 4 * 1024;

/// How long a child that closed its socket may take to end before it is killed.
const ENDING: Duration = Duration::from_secs(5);

/// What the standard library says when there is no memory, as an abort or as an error.
const OUT_OF_MEMORY: [&str; 3] = ["memory allocation of", "out of memory", "Cannot allocate memory"];

/// A child that waits for a file.
pub(super) struct Worker {
    child: Child,
    socket: UnixStream,
    last_words: Arc<Mutex<Vec<u8>>>,
    stderr_reader: tokio::task::JoinHandle<()>,
    /// Files that it has read.
    pub(super) documents: usize,
}

impl Worker {
    /// Starts a child and tells it its limits.
    pub(super) async fn start(settings: &ExtractorSettings, limits: Limits) -> Result<Self, ExtractError> {
        Self::try_start(settings, limits)
            .await
            .map_err(|error| ExtractError::NotStarted(format!("{:?}: {error}", settings.worker_command)))
    }

    async fn try_start(settings: &ExtractorSettings, limits: Limits) -> io::Result<Self> {
        let Some((program, arguments)) = settings.worker_command.split_first() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no command is configured",
            ));
        };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut socket = UnixStream::from_std(ours)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let last_words = Arc::default();
        let stderr = child
            .stderr
            .take()
            .ok_or_else(|| io::Error::other("no standard error"))?;
        let stderr_reader = tokio::spawn(keep_last_words(stderr, Arc::clone(&last_words)));
        let limits = serde_json::to_vec(&limits)?;
        frame::write_async(&mut socket, &limits).await?;
        Ok(Self {
            child,
            socket,
            last_words,
            stderr_reader,
            documents: 0,
        })
    }

    /// Has the child read one file. After an `Err` that [`Answer::Died`] or a time-out brought, it is gone.
    pub(super) async fn read(
        &mut self,
        file: &RawFile,
        settings: &ExtractorSettings,
        limits: &Limits,
    ) -> Answer {
        self.documents += 1;
        match tokio::time::timeout(settings.timeout, self.exchange(file, limits)).await {
            Ok(Ok(Ok(extracted))) if !is_sound(&extracted) => {
                self.end().await;
                Answer::Died(ExtractError::Crashed("its answer makes no sense".to_owned()))
            }
            Ok(Ok(response)) => Answer::Said(response),
            Ok(Err(error)) => Answer::Died(self.cause_of_death(&error, limits).await),
            Err(_) => {
                self.end().await;
                Answer::TimedOut(ExtractError::Timeout(settings.timeout.as_secs()))
            }
        }
    }

    async fn exchange(&mut self, file: &RawFile, limits: &Limits) -> io::Result<Response> {
        let request = Request {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
        };
        frame::write_async(&mut self.socket, &serde_json::to_vec(&request)?).await?;
        frame::write_async(&mut self.socket, &file.bytes).await?;
        let response = frame::read_async(&mut self.socket, limits.max_response_bytes()).await?;
        let mut response: Response = serde_json::from_slice(&response)
            .map_err(|error| io::Error::other(format!("its answer makes no sense: {error}")))?;
        if let Ok(extracted) = &mut response {
            self.read_attachments(&mut extracted.attachments, limits).await?;
        }
        Ok(response)
    }

    /// Reads the bytes of the attachments that the answer names.
    async fn read_attachments(&mut self, attachments: &mut [Attachment], limits: &Limits) -> io::Result<()> {
        if attachments.len() > MAX_ATTACHMENTS {
            let count = attachments.len();
            return Err(io::Error::other(format!("its answer has {count} attachments")));
        }
        let mut left = limits.max_input_bytes;
        for attachment in attachments {
            attachment.bytes = frame::read_async(&mut self.socket, left).await?;
            left -= attachment.bytes.len() as u64;
        }
        Ok(())
    }

    /// Kills the child and waits until it is gone, so that it neither runs on nor stays a zombie.
    pub(super) async fn end(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "cannot end an extraction process");
        }
    }

    /// Lets the child end by itself: it does when the socket closes.
    pub(super) async fn retire(mut self) {
        if let Err(error) = self.socket.shutdown().await {
            tracing::debug!(%error, "the extraction process had closed its socket already");
        }
        if tokio::time::timeout(ENDING, self.child.wait()).await.is_err() {
            self.end().await;
        }
    }

    async fn cause_of_death(&mut self, error: &io::Error, limits: &Limits) -> ExtractError {
        match error.kind() {
            io::ErrorKind::InvalidData => {
                self.end().await;
                return ExtractError::OutputTooLarge(limits.max_output_bytes);
            }
            io::ErrorKind::Other => {
                self.end().await;
                return ExtractError::Crashed(error.to_string());
            }
            _ => {}
        }
        let status = match tokio::time::timeout(ENDING, self.child.wait()).await {
            Ok(Ok(status)) => Some(status),
            _ => {
                self.end().await;
                None
            }
        };
        // The pipe is closed now that the child is gone, unless it left a process of its own behind.
        if tokio::time::timeout(ENDING, &mut self.stderr_reader)
            .await
            .is_err()
        {
            self.stderr_reader.abort();
        }
        let said = String::from_utf8_lossy(&self.last_words.lock().await)
            .trim()
            .to_owned();
        if OUT_OF_MEMORY.iter().any(|words| said.contains(words)) {
            return ExtractError::Memory(limits.memory_bytes / (1024 * 1024));
        }
        let how = status.map_or_else(|| error.to_string(), describe);
        let last = said.lines().last().unwrap_or_default();
        ExtractError::Crashed(if last.is_empty() {
            how
        } else {
            format!("{how}: {last}")
        })
    }
}

/// What came of one file.
pub(super) enum Answer {
    /// The child answered, and waits for the next file.
    Said(Response),
    /// The child is gone.
    Died(ExtractError),
    /// The child took too long, and is gone.
    TimedOut(ExtractError),
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => format!("ended by signal {signal}"),
        None => status.to_string(),
    }
}

async fn keep_last_words(mut stderr: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().await;
        kept.extend_from_slice(&buffer[..length]);
        let surplus = kept.len().saturating_sub(KEPT_STDERR_BYTES);
        kept.drain(..surplus);
    }
}

/// Whether what a child sent can be a document: blocks within the text, in its order, at borders of characters.
fn is_sound(extracted: &Extracted) -> bool {
    let mut read_to = 0;
    extracted.blocks.iter().all(|block| {
        let in_order = block.span.start >= read_to && block.span.of(&extracted.text).is_some();
        read_to = block.span.end;
        let level_is_sound = match &block.kind {
            BlockKind::Heading { level, .. } => (1..=6).contains(level),
            _ => true,
        };
        in_order && level_is_sound
    })
}
