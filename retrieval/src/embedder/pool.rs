//! Threads that each own a session and take texts from one bounded channel.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fastembed::{TextEmbedding, UserDefinedEmbeddingModel};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// How one session of a pool is opened.
#[derive(Clone, Debug)]
pub(super) struct SessionSettings {
    pub intra_threads: usize,
    pub max_tokens: usize,
    /// By how much a thread is nicer than others, from 0 to 19: one that isn't gets the processor before it.
    pub niceness: i32,
    /// For the message of an error.
    pub model_path: PathBuf,
}

/// One text on its way to a vector. Nobody waits for it any more when `reply` is closed.
struct Job {
    text: String,
    reply: oneshot::Sender<Result<Vec<f32>, Error>>,
}

/// The threads end when the pool is dropped, each after the text that it is at.
pub(super) struct SessionPool {
    jobs: mpsc::Sender<Job>,
}

impl SessionPool {
    /// Starts `sessions` threads, loads the model in each and waits for all of them. Every thread has
    /// one text at work and one waiting, so the channel never keeps a thread idle or texts piling up.
    pub(super) fn start(
        name: &'static str,
        sessions: usize,
        model: &UserDefinedEmbeddingModel,
        settings: &SessionSettings,
    ) -> Result<Self, Error> {
        let (jobs, receiver) = mpsc::channel(sessions);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut opening = Vec::with_capacity(sessions);
        for number in 0..sessions {
            let (opened, is_open) = std::sync::mpsc::sync_channel(1);
            let (model, settings, receiver) = (model.clone(), settings.clone(), Arc::clone(&receiver));
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || run(model, &settings, &opened, &receiver))
                .map_err(|error| Error::Embedder {
                    action: "start a thread",
                    cause: Box::new(error),
                })?;
            opening.push(is_open);
        }
        for is_open in opening {
            is_open.recv().map_err(|_| Error::EmbedderStopped)??;
        }
        Ok(Self { jobs })
    }

    /// A vector for each text, in order. Dropping the future leaves out the texts not yet begun.
    pub(super) async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Error> {
        let mut replies = Vec::with_capacity(texts.len());
        for text in texts {
            let (reply, answer) = oneshot::channel();
            self.jobs
                .send(Job { text, reply })
                .await
                .map_err(|_| Error::EmbedderStopped)?;
            replies.push(answer);
        }
        let mut vectors = Vec::with_capacity(replies.len());
        for answer in replies {
            vectors.push(answer.await.map_err(|_| Error::EmbedderStopped)??);
        }
        Ok(vectors)
    }

    /// The same for one text, outside of any runtime.
    pub(super) fn embed_blocking(&self, text: String) -> Result<Vec<f32>, Error> {
        let (reply, answer) = oneshot::channel();
        // The pool is new and its channel empty, so this doesn't fail for want of room.
        self.jobs
            .try_send(Job { text, reply })
            .map_err(|_| Error::EmbedderStopped)?;
        futures::executor::block_on(answer).map_err(|_| Error::EmbedderStopped)?
    }
}

/// One thread: opens its session, says whether that worked, then takes texts until the pool is gone.
fn run(
    model: UserDefinedEmbeddingModel,
    settings: &SessionSettings,
    opened: &std::sync::mpsc::SyncSender<Result<(), Error>>,
    receiver: &Mutex<mpsc::Receiver<Job>>,
) {
    if settings.niceness > 0
        && let Err(error) = rustix::process::nice(settings.niceness)
    {
        tracing::warn!(
            error = error.to_string(),
            "the threads that embed documents can't be made to give way to questions"
        );
    }
    let session = catch_unwind(AssertUnwindSafe(|| super::open_session(model, settings)));
    let outcome = match session {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(Error::ModelCorrupt {
            what: "embedding model",
            path: settings.model_path.clone(),
            cause: Box::new(error),
        }),
        Err(panic) => Err(panicked("loading the embedding model", panic.as_ref())),
    };
    let mut session = match outcome {
        Ok(session) => session,
        Err(error) => {
            // Whoever waits is told; if nobody does, there is nobody to tell.
            opened.send(Err(error)).ok();
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    while let Some(job) = next_job(receiver) {
        if job.reply.is_closed() {
            continue;
        }
        let vector = embed_one(&mut session, job.text);
        // The asker may have left meanwhile.
        job.reply.send(vector).ok();
    }
}

/// One thread at a time waits on the channel, the others wait for their turn to wait.
fn next_job(receiver: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    receiver
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .blocking_recv()
}

fn embed_one(session: &mut TextEmbedding, text: String) -> Result<Vec<f32>, Error> {
    let texts = [text];
    let outcome = catch_unwind(AssertUnwindSafe(|| session.embed(&texts, Some(1))));
    let mut vectors = match outcome {
        Ok(Ok(vectors)) => vectors,
        Ok(Err(error)) => {
            return Err(Error::Embedder {
                action: "embed a text",
                cause: Box::new(error),
            });
        }
        Err(panic) => return Err(panicked("embedding a text", panic.as_ref())),
    };
    match vectors.pop() {
        Some(vector) if vector.iter().all(|number| number.is_finite()) => Ok(vector),
        _ => Err(Error::Embedder {
            action: "embed a text",
            cause: "the model made no vector, or one that holds no numbers".into(),
        }),
    }
}

fn panicked(action: &'static str, panic: &(dyn Any + Send)) -> Error {
    Error::Panicked {
        action,
        cause: crate::error::panic_text(panic).into(),
    }
}
