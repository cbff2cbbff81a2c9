//! The embedders and their token counter, loaded when they are first needed.
//!
//! A knowledge base keeps to the model that made its vectors, so there may be several in one process:
//! [`LazyEmbedders`] has all that the catalogue knows, and loads those that are asked for.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use lectern_domain::ports::{Embedder, Embedders, TokenCounter};
use lectern_domain::{ErrorKind, PortError};
use lectern_generation::catalogue::ModelName;
use lectern_retrieval::{EmbedderSettings, FastEmbedder, TokenSizer};
use tokio::sync::OnceCell;

use super::Models;
use crate::config::IngestionConfig;

/// One embedder, loaded with the first text that is embedded. Whoever comes while it loads waits for
/// that; when loading fails, the next one tries again.
#[derive(Debug)]
pub struct LazyEmbedder {
    name: ModelName,
    models: Models,
    sessions: usize,
    loaded: OnceCell<FastEmbedder>,
}

impl LazyEmbedder {
    /// The length of the vectors, the same for all models of the catalogue.
    pub const DIMENSIONS: usize = 384;
    /// The longest text that an embedder reads whole: all of them were trained at 256 tokens.
    pub const MAX_TOKENS: usize = 256;

    fn new(name: ModelName, models: Models, config: &IngestionConfig) -> Self {
        Self {
            name,
            models,
            sessions: config.sessions(),
            loaded: OnceCell::new(),
        }
    }

    /// The embedder itself. Costs about a second the first time.
    pub async fn load(&self) -> Result<&FastEmbedder, PortError> {
        self.loaded.get_or_try_init(|| self.load_now()).await
    }

    /// Its name in the catalogue.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    async fn load_now(&self) -> Result<FastEmbedder, PortError> {
        let (models, name) = (self.models.clone(), self.name.clone());
        let settings = EmbedderSettings {
            sessions: self.sessions,
            max_tokens: Self::MAX_TOKENS,
            ..EmbedderSettings::for_this_machine(name.as_str())
        };
        let embedder = blocking("load the embedder", move || {
            let files = models.embedder_files(&name)?;
            Ok(FastEmbedder::load(&files, settings)?)
        })
        .await?;
        if embedder.dimensions() != Self::DIMENSIONS {
            return Err(PortError::new(
                ErrorKind::Corrupt,
                "model_corrupt",
                format!(
                    "{} makes vectors of {} numbers, expected {}",
                    self.name,
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
        self.name.as_str()
    }

    fn dimensions(&self) -> usize {
        Self::DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        Self::MAX_TOKENS
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        self.load().await?.embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        self.load().await?.embed_query(text).await
    }
}

/// All embedders of the catalogue. Nothing of a model is in memory before it is asked for a vector.
#[derive(Debug)]
pub struct LazyEmbedders {
    preferred: Arc<LazyEmbedder>,
    all: Vec<Arc<LazyEmbedder>>,
}

impl LazyEmbedders {
    /// All embedders over these files; new knowledge bases get the one called `preferred`.
    pub fn new(preferred: &ModelName, models: &Models, config: &IngestionConfig) -> Self {
        let lazy = |name: &ModelName| Arc::new(LazyEmbedder::new(name.clone(), models.clone(), config));
        let preferred = lazy(preferred);
        let others = models.embedders().filter(|name| *name != &preferred.name);
        let all = std::iter::once(Arc::clone(&preferred))
            .chain(others.map(lazy))
            .collect();
        Self { preferred, all }
    }

    /// The model of new knowledge bases.
    pub fn preferred(&self) -> &Arc<LazyEmbedder> {
        &self.preferred
    }

    /// The model called `model`.
    pub fn find(&self, model: &str) -> Option<&Arc<LazyEmbedder>> {
        self.all.iter().find(|embedder| embedder.model() == model)
    }
}

impl Embedders for LazyEmbedders {
    fn preferred(&self) -> Arc<dyn Embedder> {
        Arc::clone(&self.preferred) as Arc<dyn Embedder>
    }

    fn of_model(&self, model: &str) -> Option<Arc<dyn Embedder>> {
        self.find(model)
            .map(|embedder| Arc::clone(embedder) as Arc<dyn Embedder>)
    }
}

/// The embedder for texts that are only compared with each other, such as the sentences of an answer: the
/// first one that is loaded or whose files are there. Once chosen it stays, so that the vectors of one
/// comparison come from one model.
#[derive(Debug)]
pub struct EmbedderAtHand {
    embedders: Arc<LazyEmbedders>,
    chosen: OnceLock<Arc<LazyEmbedder>>,
}

impl EmbedderAtHand {
    /// One of these, chosen with the first text.
    pub fn new(embedders: Arc<LazyEmbedders>) -> Self {
        Self {
            embedders,
            chosen: OnceLock::new(),
        }
    }

    fn chosen(&self) -> &LazyEmbedder {
        self.chosen.get_or_init(|| {
            let all = &self.embedders.all;
            let is_loaded = |embedder: &&Arc<LazyEmbedder>| embedder.loaded.initialized();
            let is_there = |embedder: &&Arc<LazyEmbedder>| {
                let files = embedder.models.embedder_files(&embedder.name);
                files.is_ok()
            };
            let at_hand = all.iter().find(is_loaded).or_else(|| all.iter().find(is_there));
            Arc::clone(at_hand.unwrap_or(&self.embedders.preferred))
        })
    }
}

#[async_trait]
impl Embedder for EmbedderAtHand {
    fn model(&self) -> &str {
        self.chosen().model()
    }

    fn dimensions(&self) -> usize {
        LazyEmbedder::DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        LazyEmbedder::MAX_TOKENS
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        self.chosen().embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        self.chosen().embed_query(text).await
    }
}

/// The embedders' token counter, loaded with the first text that is counted or by
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
    // All embedders have the same tokenizer, so any that is there will do.
    let here = models
        .embedders()
        .find_map(|name| models.embedder_files(name).ok());
    let files = match here {
        Some(files) => files,
        None => models.embedder_files(&ModelName::EMBEDDER)?,
    };
    Ok(TokenSizer::load(&files.tokenizer)?)
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
