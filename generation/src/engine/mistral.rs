//! A GGUF model in this process, through mistral.rs.
//!
//! mistral.rs 0.8.1 needs some care, and all of it is here. It waits for whoever reads its tokens, so
//! each answer has a buffer that holds it whole, and one slow reader stops nobody. Its thread panics
//! where a reader that doesn't stream goes away, so everything streams. It notices a reader that left
//! at the next token, so the end that it writes to is dropped as soon as the reader's is. On a CPU it
//! never empties its prefix cache, so that is off. And should its thread die all the same, the answer
//! ends with an error, and the next question loads the model again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{FinishReason, Generator, GeneratorEvent, Prompt, Role};
use lectern_domain::{PortError, TokenUsage};
use metrics::{counter, histogram};
use mistralrs::{
    GgufModelBuilder, Model, NormalRequest, Request, RequestLike, Response, SamplingParams, TextMessageRole,
    TextMessages, TokenSource, Usage,
};
use tokio::sync::{Mutex, mpsc};

use crate::engine::gguf_tokens::GgufTokens;
use crate::error::Error;

/// What a chat template adds to each turn.
const TURN_OVERHEAD_TOKENS: usize = 8;
/// Room in a buffer beside the tokens of the answer.
const BUFFER_MARGIN: usize = 16;
type Events = mpsc::Sender<Result<GeneratorEvent, PortError>>;

/// Which model, and how much it may take.
#[derive(Clone, Debug)]
pub struct MistralSettings {
    /// The name that is shown.
    pub model_name: String,
    /// The weights.
    pub gguf: PathBuf,
    /// Answers that are written at the same time; on a CPU more than one or two only share the speed.
    pub max_sequences: usize,
    /// The longest prompt and answer together; no more than the model was made for.
    pub context_tokens: usize,
}

impl MistralSettings {
    /// One answer at a time, 4,096 tokens.
    pub fn new(model_name: impl Into<String>, gguf: impl Into<PathBuf>) -> Self {
        Self {
            model_name: model_name.into(),
            gguf: gguf.into(),
            max_sequences: 1,
            context_tokens: 4_096,
        }
    }
}

/// A GGUF model on the CPUs of this machine. Decoding is greedy: the same prompt gets the same answer.
/// Clones share the model.
#[derive(Clone)]
pub struct MistralGenerator {
    shared: Arc<Shared>,
}

struct Shared {
    settings: MistralSettings,
    context_tokens: usize,
    tokens: GgufTokens,
    engine: Mutex<Option<Arc<Model>>>,
}

impl std::fmt::Debug for MistralGenerator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MistralGenerator")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl MistralGenerator {
    /// Reads the head of the file and its vocabulary. The weights come with the first prompt, or with
    /// [`Self::warm_up`].
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Gguf`] where it is no GGUF file.
    pub fn load(settings: MistralSettings) -> Result<Self, Error> {
        let tokens = GgufTokens::read(&settings.gguf)?;
        let context_tokens = tokens.context_tokens().map_or(settings.context_tokens, |limit| {
            limit.min(settings.context_tokens)
        });
        Ok(Self {
            shared: Arc::new(Shared {
                settings,
                context_tokens,
                tokens,
                engine: Mutex::new(None),
            }),
        })
    }

    /// Loads the weights now. A second for each gigabyte or so; goes on when the future is dropped.
    ///
    /// # Errors
    /// [`Error::EngineLoad`].
    pub async fn warm_up(&self) -> Result<(), Error> {
        engine_of(&self.shared).await.map(|_engine| ())
    }

    fn check_length(&self, prompt: &Prompt) -> Result<(), Error> {
        let tokens: usize = prompt
            .messages
            .iter()
            .map(|message| self.count_tokens(&message.text) + TURN_OVERHEAD_TOKENS)
            .sum();
        if tokens + prompt.max_output_tokens <= self.shared.context_tokens {
            return Ok(());
        }
        Err(Error::PromptTooLong {
            prompt: tokens,
            output: prompt.max_output_tokens,
            context: self.shared.context_tokens,
            model: self.shared.settings.model_name.clone(),
        })
    }
}

#[async_trait]
impl Generator for MistralGenerator {
    fn model(&self) -> &str {
        &self.shared.settings.model_name
    }

    fn context_tokens(&self) -> usize {
        self.shared.context_tokens
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.shared.tokens.count(text)
    }

    async fn generate(
        &self,
        prompt: Prompt,
    ) -> Result<BoxStream<'static, Result<GeneratorEvent, PortError>>, PortError> {
        self.check_length(&prompt)?;
        let (events, reader) = mpsc::channel(prompt.max_output_tokens + BUFFER_MARGIN);
        tokio::spawn(write_answer(Arc::clone(&self.shared), prompt, events));
        Ok(stream::unfold(reader, async |mut reader| {
            reader.recv().await.map(|event| (event, reader))
        })
        .boxed())
    }
}

/// Loads the engine if need be, hands it the prompt and passes on what it says, until the end or until
/// nobody reads any more.
async fn write_answer(shared: Arc<Shared>, prompt: Prompt, events: Events) {
    let started = Instant::now();
    let outcome = tokio::select! {
        biased;
        () = events.closed() => {
            counter!("lectern_generations_cancelled_total").increment(1);
            return;
        }
        outcome = converse(&shared, prompt, &events, started) => outcome,
    };
    let last = match outcome {
        Ok((finish, usage)) => {
            counter!("lectern_generator_prompt_tokens_total").increment(u64::from(usage.prompt_tokens));
            counter!("lectern_generator_output_tokens_total").increment(u64::from(usage.output_tokens));
            histogram!("lectern_generator_first_token_seconds").record(usage.first_token_ms / 1e3);
            Ok(GeneratorEvent::Done { finish, usage })
        }
        Err(error) => {
            if matches!(error, Error::EngineFailed { .. }) {
                // Whatever state it is in: the next prompt gets a fresh one.
                shared.engine.lock().await.take();
            }
            tracing::error!(error = %lectern_domain::error::chain(&error), "an answer failed");
            Err(error.into())
        }
    };
    if events.send(last).await.is_err() {
        tracing::debug!("the reader left at the end of the answer");
    }
}

async fn converse(
    shared: &Arc<Shared>,
    prompt: Prompt,
    events: &Events,
    started: Instant,
) -> Result<(FinishReason, TokenUsage), Error> {
    let failed = |reason: String| Error::EngineFailed {
        model: shared.settings.model_name.clone(),
        reason,
    };
    let engine = engine_of(shared).await?;
    // The engine waits while this is full, so it holds the longest answer.
    let (sender, mut responses) = mpsc::channel(prompt.max_output_tokens + BUFFER_MARGIN);
    let queue = engine
        .inner()
        .get_sender(None)
        .map_err(|error| failed(error.to_string()))?;
    queue
        .send(request(&engine, &prompt, sender))
        .await
        .map_err(|_closed| failed("it takes no more prompts".to_owned()))?;

    let mut first: Option<Instant> = None;
    while let Some(response) = responses.recv().await {
        let chunk = match response {
            Response::Chunk(chunk) => chunk,
            Response::InternalError(error) | Response::ValidationError(error) => {
                return Err(failed(error.to_string()));
            }
            Response::ModelError(reason, _) => return Err(failed(reason)),
            _ => continue,
        };
        let usage = chunk.usage;
        let Some(choice) = chunk.choices.into_iter().next() else {
            continue;
        };
        if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
            first.get_or_insert_with(Instant::now);
            if events.send(Ok(GeneratorEvent::Token(text))).await.is_err() {
                break;
            }
        }
        if let Some(reason) = choice.finish_reason {
            let finish = if reason == "length" {
                FinishReason::Length
            } else {
                FinishReason::Stop
            };
            return Ok((finish, usage_of(usage.as_ref(), started, first)));
        }
    }
    Err(failed("it ended without a word".to_owned()))
}

fn request(engine: &Model, prompt: &Prompt, response: mpsc::Sender<Response>) -> Request {
    let mut messages = TextMessages::new();
    for message in &prompt.messages {
        let role = match message.role {
            Role::System => TextMessageRole::System,
            Role::User => TextMessageRole::User,
            Role::Assistant => TextMessageRole::Assistant,
        };
        messages = messages.add_message(role, &message.text);
    }
    let sampling = SamplingParams {
        max_len: Some(prompt.max_output_tokens),
        ..SamplingParams::deterministic()
    };
    let id = engine.inner().next_request_id();
    let mut request = NormalRequest::new_simple(messages.take_messages(), sampling, response, id, None, None);
    request.is_streaming = true;
    Request::Normal(Box::new(request))
}

fn usage_of(usage: Option<&Usage>, started: Instant, first: Option<Instant>) -> TokenUsage {
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    let now = Instant::now();
    let first = first.unwrap_or(now);
    TokenUsage {
        prompt_tokens: usage.map_or(0, |usage| count(usage.prompt_tokens)),
        output_tokens: usage.map_or(0, |usage| count(usage.completion_tokens)),
        first_token_ms: (first - started).as_secs_f64() * 1e3,
        output_ms: (now - first).as_secs_f64() * 1e3,
    }
}

/// The engine, loaded if it isn't. The loading has a task of its own, so it isn't lost when the one
/// who asked for it leaves.
async fn engine_of(shared: &Arc<Shared>) -> Result<Arc<Model>, Error> {
    let name = shared.settings.model_name.clone();
    let loading = {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let mut slot = shared.engine.lock().await;
            if let Some(engine) = slot.as_ref() {
                return Ok(Arc::clone(engine));
            }
            let engine = Arc::new(load_engine(&shared.settings).await?);
            *slot = Some(Arc::clone(&engine));
            Ok(engine)
        })
    };
    match loading.await {
        Ok(result) => result,
        Err(error) => Err(Error::EngineLoad {
            model: name,
            source: Box::new(error),
        }),
    }
}

async fn load_engine(settings: &MistralSettings) -> Result<Model, Error> {
    let unloadable = |source: Box<dyn std::error::Error + Send + Sync>| Error::EngineLoad {
        model: settings.model_name.clone(),
        source,
    };
    let (Some(folder), Some(file)) = (settings.gguf.parent(), settings.gguf.file_name()) else {
        return Err(unloadable("its path names no file in a folder".into()));
    };
    // A local folder as the model's id keeps the library from looking for it anywhere else.
    let builder = GgufModelBuilder::new(folder.display(), vec![file.to_string_lossy()])
        .with_token_source(TokenSource::None)
        .with_force_cpu()
        .with_max_num_seqs(settings.max_sequences.max(1))
        .with_prefix_cache_n(None);
    let started = Instant::now();
    let runtime = tokio::runtime::Handle::current();
    // It reads and computes for seconds without pause; a panic of it ends this thread's work alone.
    let model = tokio::task::spawn_blocking(move || runtime.block_on(builder.build()))
        .await
        .map_err(|error| unloadable(Box::new(error)))?
        .map_err(|error| unloadable(error.into()))?;
    tracing::info!(model = %settings.model_name, seconds = started.elapsed().as_secs_f64(), "the model is loaded");
    Ok(model)
}
