//! From texts to vectors, with fastembed on ONNX Runtime.
//!
//! Embedding is what ingestion spends its time on, so the shape follows a measurement (2 cores, 401
//! chunks of about 170 tokens, the same model): one session with 2 threads and batches of 32 makes 20
//! chunks/s, batches of 4 make 27 to 29, and one session per core, with one thread and one text at a
//! time, makes 33. Small batches waste nothing on padding, and a vector never depends on its
//! neighbours. With the same model computing with integers it is more than twice as many.
//!
//! So a text goes through a bounded channel to the next free thread of a [`pool`], each of which owns
//! a session. A question has a session of its own, so that it never waits behind documents, and the threads
//! of documents give way to it: the kernel gives a question nine tenths of a core that both want. (On Linux niceness
//! is a thread's own.)
//!
//! Some models were trained with a word before each text that says whether it asks or answers ([`Prefixes`]). It is put
//! there on the last step before the model, so nothing else ever sees it.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use async_trait::async_trait;
use fastembed::{
    InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use lectern_domain::PortError;
use lectern_domain::ports::{CosineScale, Embedder};

use crate::error::Error;

pub(crate) mod runtime;
mod pool;

use pool::{SessionPool, SessionSettings};

/// How far the threads of documents give way: at 10, a ninth of what a thread at 0 gets.
const DOCUMENT_NICENESS: i32 = 10;

/// Where the files of an embedding model lie. All of them are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderFiles {
    /// The model in ONNX form; its first output is the last hidden state of every token.
    pub model: PathBuf,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// `config.json`.
    pub config: PathBuf,
    /// `special_tokens_map.json`.
    pub special_tokens_map: PathBuf,
    /// `tokenizer_config.json`.
    pub tokenizer_config: PathBuf,
    /// The shared library of ONNX Runtime, 1.24 or newer.
    pub onnx_runtime: PathBuf,
}

/// What a model wants before every text; nothing, for most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Before a question.
    pub question: String,
    /// Before a text that is to be found.
    pub document: String,
}

/// How an embedding model is run.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedderSettings {
    /// The name under which its vectors are kept apart from those of other models.
    pub model_name: String,
    /// How many texts are embedded at a time: one session and one thread each. One per core is best.
    pub sessions: usize,
    /// How many threads work on a question.
    pub query_threads: usize,
    /// The longest text that is read whole, in tokens with the special ones and those of the prefix.
    pub max_tokens: usize,
    /// What it wants before every text.
    pub prefixes: Prefixes,
    /// What its cosines say.
    pub cosine_scale: CosineScale,
}

impl EmbedderSettings {
    /// The settings for this machine: a session per core, and 256 tokens, at which all-MiniLM-L6-v2 was
    /// trained.
    pub fn for_this_machine(model_name: impl Into<String>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            model_name: model_name.into(),
            sessions: cores,
            query_threads: cores.min(4),
            max_tokens: 256,
            prefixes: Prefixes::default(),
            cosine_scale: CosineScale::PLAIN,
        }
    }
}

/// An embedding model in this process. Vectors are means over the tokens, of unit length.
pub struct FastEmbedder {
    settings: EmbedderSettings,
    dimensions: usize,
    documents: SessionPool,
    questions: SessionPool,
}

impl fmt::Debug for FastEmbedder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FastEmbedder")
            .field("settings", &self.settings)
            .field("dimensions", &self.dimensions)
            .finish_non_exhaustive()
    }
}

impl FastEmbedder {
    /// Loads the model once per session, all at the same time, and embeds a word to see that it works.
    /// Blocks for a second or so; a session takes about four times the size of the model file.
    ///
    /// # Errors
    /// [`Error::ModelFileMissing`], [`Error::ModelCorrupt`], or [`Error::ModelUnfit`] for a model that
    /// makes no usable vectors.
    pub fn load(files: &EmbedderFiles, settings: EmbedderSettings) -> Result<Self, Error> {
        let started = Instant::now();
        runtime::load_onnx_runtime(&files.onnx_runtime)?;
        let model = read_model(files)?;
        let session = |intra_threads, niceness| SessionSettings {
            intra_threads,
            niceness,
            max_tokens: settings.max_tokens,
            model_path: files.model.clone(),
        };
        let sessions = settings.sessions.max(1);
        let documents = SessionPool::start("embed", sessions, &model, &session(1, DOCUMENT_NICENESS))?;
        let questions = SessionPool::start(
            "embed-query",
            1,
            &model,
            &session(settings.query_threads.max(1), 0),
        )?;
        let dimensions = probe(&questions, &settings.model_name)?;
        tracing::info!(
            model = settings.model_name,
            dimensions,
            sessions,
            took_ms = started.elapsed().as_millis(),
            "embedder loaded"
        );
        Ok(Self {
            settings,
            dimensions,
            documents,
            questions,
        })
    }
}

#[async_trait]
impl Embedder for FastEmbedder {
    fn model(&self) -> &str {
        &self.settings.model_name
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn max_tokens(&self) -> usize {
        self.settings.max_tokens
    }

    fn cosine_scale(&self) -> CosineScale {
        self.settings.cosine_scale
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        let texts = prefixed(&self.settings.prefixes.document, texts);
        Ok(self.documents.embed(texts).await?)
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        let texts = prefixed(&self.settings.prefixes.question, vec![text.to_owned()]);
        let mut vectors = self.questions.embed(texts).await?;
        vectors.pop().ok_or_else(|| Error::EmbedderStopped.into())
    }
}

fn prefixed(prefix: &str, texts: Vec<String>) -> Vec<String> {
    if prefix.is_empty() {
        return texts;
    }
    texts.into_iter().map(|text| format!("{prefix}{text}")).collect()
}

/// Reads all files of a model. The pooling must be said, because fastembed takes the first token's
/// state otherwise, which is silently wrong for all-MiniLM-L6-v2. Where a model quantises at run time, what
/// fastembed guards against (a scale that texts of one batch share) can't happen: each is alone.
fn read_model(files: &EmbedderFiles) -> Result<UserDefinedEmbeddingModel, Error> {
    let tokenizer_files = TokenizerFiles {
        tokenizer_file: runtime::read_file("tokenizer", &files.tokenizer)?,
        config_file: runtime::read_file("model configuration", &files.config)?,
        special_tokens_map_file: runtime::read_file("map of special tokens", &files.special_tokens_map)?,
        tokenizer_config_file: runtime::read_file("tokenizer configuration", &files.tokenizer_config)?,
    };
    let model = runtime::read_file("embedding model", &files.model)?;
    Ok(UserDefinedEmbeddingModel::new(model, tokenizer_files)
        .with_pooling(Pooling::Mean)
        .with_quantization(QuantizationMode::None))
}

/// Opens one session. Its threads don't spin while they wait: a core that spins for a question is a
/// core that documents don't get.
fn open_session(
    model: UserDefinedEmbeddingModel,
    settings: &SessionSettings,
) -> Result<TextEmbedding, fastembed::Error> {
    let options = InitOptionsUserDefined::new()
        .with_max_length(settings.max_tokens)
        .with_intra_threads(settings.intra_threads)
        .with_session_config("session.intra_op.allow_spinning", "0");
    TextEmbedding::try_new_from_user_defined(model, options)
}

/// Sessions of a model for those who need its tokens rather than its vectors, one thread each.
pub(crate) fn open_sessions(
    files: &EmbedderFiles,
    sessions: usize,
    max_tokens: usize,
) -> Result<Vec<TextEmbedding>, Error> {
    runtime::load_onnx_runtime(&files.onnx_runtime)?;
    let model = read_model(files)?;
    let settings = SessionSettings {
        intra_threads: 1,
        niceness: 0,
        max_tokens,
        model_path: files.model.clone(),
    };
    let open = |_| {
        open_session(model.clone(), &settings).map_err(|cause| Error::ModelCorrupt {
            what: "embedding model",
            path: files.model.clone(),
            cause: Box::new(cause),
        })
    };
    (0..sessions).map(open).collect()
}

/// The length of the model's vectors, seen on a real one.
fn probe(questions: &SessionPool, model_name: &str) -> Result<usize, Error> {
    let vector = questions.embed_blocking("lectern".to_owned())?;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if vector.is_empty() || (length - 1.0).abs() > 1e-3 {
        return Err(Error::ModelUnfit {
            model: model_name.to_owned(),
            reason: format!(
                "it made a vector of {} numbers and of length {length}",
                vector.len()
            ),
        });
    }
    Ok(vector.len())
}

#[cfg(test)]
mod tests;
