//! The embedder and its token counter, loaded when they are first needed.

use std::sync::OnceLock;

use async_trait::async_trait;
use lectern_domain::ports::{Embedder, TokenCounter};
use lectern_domain::{ErrorKind, PortError};
use lectern_retrieval::{EmbedderSettings, FastEmbedder, TokenSizer};
use tokio::sync::OnceCell;

use super::Models;
use crate::config::IngestionConfig;

/// The embedding model, by its name in the catalogue.
pub const EMBEDDING_MODEL: &str = "all-minilm-l6-v2";
/// The longest text that it reads whole: it was trained at 256 tokens.
const MAX_TOKENS: usize = 256;

/// The embedder, loaded with the first text that is embedded. Whoever comes while it loads waits for
/// that; when loading fails, the next one tries again.
#[derive(Debug)]
pub struct LazyEmbedder {
    models: Models,
    sessions: usize,
    loaded: OnceCell<FastEmbedder>,
}

impl LazyEmbedder {
    /// The length of the model's vectors.
    pub const DIMENSIONS: usize = 384;

    /// An embedder over these files, not loaded yet.
    pub fn new(models: Models, config: &IngestionConfig) -> Self {
        Self {
            models,
            sessions: config.sessions(),
            loaded: OnceCell::new(),
        }
    }

    /// The embedder itself. Costs about a second the first time.
    pub async fn load(&self) -> Result<&FastEmbedder, PortError> {
        self.loaded.get_or_try_init(|| self.load_now()).await
    }

    async fn load_now(&self) -> Result<FastEmbedder, PortError> {
        let models = self.models.clone();
        let settings = EmbedderSettings {
            sessions: self.sessions,
            max_tokens: MAX_TOKENS,
            ..EmbedderSettings::for_this_machine(EMBEDDING_MODEL)
        };
        let embedder = blocking("load the embedder", move || {
            let files = models.embedder_files()?;
            Ok(FastEmbedder::load(&files, settings)?)
        })
        .await?;
        if embedder.dimensions() != Self::DIMENSIONS {
            return Err(PortError::new(
                ErrorKind::Corrupt,
                "model_corrupt",
                format!(
                    "{EMBEDDING_MODEL} makes vectors of {} numbers, expected {}",
                    embedder.dimensions(),
                    Self::DIMENSIONS
                ),
            ));
        }
        Ok(embedder)
    }
}

#[async_trait]
impl Embedder for LazyEmbedder {
    fn model(&self) -> &str {
        EMBEDDING_MODEL
    }

    fn dimensions(&self) -> usize {
        Self::DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        MAX_TOKENS
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        self.load().await?.embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        self.load().await?.embed_query(text).await
    }
}

/// The embedder's token counter, loaded with the first text that is counted or by
/// [`LazyTokenCounter::load`].
#[derive(Debug)]
pub struct LazyTokenCounter {
    models: Models,
    loaded: OnceLock<TokenSizer>,
}

impl LazyTokenCounter {
    /// A counter over these files, not loaded yet.
    pub fn new(models: Models) -> Self {
        Self {
            models,
            loaded: OnceLock::new(),
        }
    }

    /// Loads the tokenizer, in a tenth of a second.
    pub async fn load(&self) -> Result<(), PortError> {
        if self.loaded.get().is_none() {
            let models = self.models.clone();
            let sizer = blocking("load the tokenizer", move || load_sizer(&models)).await?;
            self.loaded.get_or_init(|| sizer);
        }
        Ok(())
    }
}

impl TokenCounter for LazyTokenCounter {
    /// A counter that can't be loaded counts a byte as a token, which is never too few. Such a count
    /// is not published: the embedder needs the same files.
    fn count(&self, text: &str) -> usize {
        if self.loaded.get().is_none() {
            match load_sizer(&self.models) {
                Ok(sizer) => drop(self.loaded.set(sizer)),
                Err(error) => tracing::error!(error = lectern_domain::error::chain(&error), "no tokenizer"),
            }
        }
        self.loaded.get().map_or(text.len(), |sizer| sizer.count(text))
    }
}

fn load_sizer(models: &Models) -> Result<TokenSizer, PortError> {
    Ok(TokenSizer::load(&models.embedder_files()?.tokenizer)?)
}

/// Runs work that takes long on a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        PortError::new(ErrorKind::Internal, "load_failed", format!("could not {action}")).caused_by(error)
    })?
}
