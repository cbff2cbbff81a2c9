//! The embedders, loaded when they are first needed.
//!
//! A knowledge base keeps to the model that made its vectors, so there may be several in one process:
//! [`LazyEmbedders`] has all that the catalogue knows, and loads those that are asked for.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use lectern_domain::ports::{CosineScale, Embedder, Embedders};
use lectern_domain::{ErrorKind, PortError};
use lectern_generation::catalogue::{EmbedderTraits, ModelName};
use lectern_retrieval::{EmbedderSettings, FastEmbedder, Prefixes};
use tokio::sync::OnceCell;

use super::Models;
use crate::config::IngestionConfig;

/// One embedder, loaded with the first text that is embedded. Whoever comes while it loads waits for
/// that; when loading fails, the next one tries again.
#[derive(Debug)]
pub struct LazyEmbedder {
    name: ModelName,
    traits: EmbedderTraits,
    models: Models,
    sessions: usize,
    loaded: OnceCell<FastEmbedder>,
}

impl LazyEmbedder {
    /// The length of the vectors, the same for all models of the catalogue.
    pub const DIMENSIONS: usize = 384;

    fn new(name: ModelName, models: Models, config: &IngestionConfig) -> Self {
        Self {
            traits: models.embedder_traits(&name),
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
        let settings = settings(&name, self.traits, self.sessions);
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
        self.traits.max_tokens
    }

    fn cosine_scale(&self) -> CosineScale {
        self.traits.cosine_scale
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        self.load().await?.embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        self.load().await?.embed_query(text).await
    }
}

/// How an embedder with these traits is run.
fn settings(name: &ModelName, traits: EmbedderTraits, sessions: usize) -> EmbedderSettings {
    EmbedderSettings {
        sessions,
        max_tokens: traits.max_tokens,
        prefixes: Prefixes {
            question: traits.question_prefix.to_owned(),
            document: traits.document_prefix.to_owned(),
        },
        cosine_scale: traits.cosine_scale,
        ..EmbedderSettings::for_this_machine(name.as_str())
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

    /// The model for a new knowledge base: the one called `model`, or the preferred one where none is named.
    ///
    /// Fails with `embedder_unknown`, which names those that there are.
    pub fn for_new(&self, model: Option<&str>) -> Result<&Arc<LazyEmbedder>, PortError> {
        let Some(model) = model else {
            return Ok(&self.preferred);
        };
        self.find(model).ok_or_else(|| {
            let known: Vec<&str> = self.all.iter().map(|embedder| embedder.model()).collect();
            let message = format!("there is no embedder {model:?} (there are: {})", known.join(", "));
            PortError::new(ErrorKind::Invalid, "embedder_unknown", message)
        })
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
        self.chosen().max_tokens()
    }

    fn cosine_scale(&self) -> CosineScale {
        self.chosen().cosine_scale()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        self.chosen().embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        self.chosen().embed_query(text).await
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn embedders() -> (tempfile::TempDir, LazyEmbedders) {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::new(folder.path().to_owned());
        let embedders = LazyEmbedders::new(&ModelName::EMBEDDER, &models, &IngestionConfig::default());
        (folder, embedders)
    }

    #[test]
    fn each_embedder_is_run_as_its_model_wants_it() {
        let (_folder, embedders) = embedders();
        let settings_of = |name: ModelName| {
            let embedder = embedders.find(name.as_str()).unwrap();
            settings(&name, embedder.traits, 3)
        };
        let multilingual = settings_of(ModelName::MULTILINGUAL_EMBEDDER);
        assert_eq!(multilingual.prefixes.question, "query: ");
        assert_eq!(multilingual.prefixes.document, "passage: ");
        assert_eq!((multilingual.max_tokens, multilingual.sessions), (512, 3));
        assert!(multilingual.cosine_scale.nearness(0.7).abs() < 1e-6);
        let english = settings_of(ModelName::EMBEDDER);
        assert_eq!(english.prefixes, Prefixes::default());
        assert_eq!(english.max_tokens, 256);
        assert_eq!(english.cosine_scale, CosineScale::PLAIN);
    }

    #[test]
    fn a_new_knowledge_base_gets_the_embedder_that_is_named() {
        let (_folder, embedders) = embedders();
        let model = |name| {
            embedders
                .for_new(name)
                .map(|embedder| embedder.model().to_owned())
        };
        assert_eq!(model(None).unwrap(), "all-minilm-l6-v2-int8");
        assert_eq!(
            model(Some("multilingual-e5-small-int8")).unwrap(),
            "multilingual-e5-small-int8"
        );
        let error = model(Some("gpt")).unwrap_err();
        assert_eq!(error.code, "embedder_unknown");
        assert!(error.message.contains("multilingual-e5-small-int8"), "{error}");
    }
}
