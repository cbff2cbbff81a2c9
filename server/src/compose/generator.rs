//! The generator, loaded when the first answer is written.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use lectern_domain::PortError;
use lectern_domain::ports::{Generator, GeneratorEvent, Prompt};
use lectern_generation::engine::extractive::ExtractiveGenerator;
use lectern_generation::engine::mistral::{MistralGenerator, MistralSettings};
use tokio::sync::OnceCell;

use super::Models;
use super::embedder::blocking;
use crate::config::{GenerationConfig, GeneratorChoice};

/// Prompt and answer together, in tokens. A tight prompt needs far less; more costs memory.
const CONTEXT_TOKENS: usize = 4096;
/// What a token has at least, in bytes, on average over a text in any of the models here. It makes an
/// estimate that is too high rather than too low.
const BYTES_PER_TOKEN: usize = 3;

/// The generator that is configured. One that is a model loads with the first answer, or earlier with
/// [`LazyGenerator::load`]; when loading fails, the next one tries again.
pub struct LazyGenerator {
    models: Models,
    choice: GeneratorChoice,
    sequences: usize,
    loaded: OnceCell<Arc<dyn Generator>>,
}

impl fmt::Debug for LazyGenerator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LazyGenerator")
            .field("choice", &self.choice)
            .field("loaded", &self.loaded.initialized())
            .finish_non_exhaustive()
    }
}

impl LazyGenerator {
    /// A generator over these files, not loaded yet.
    pub fn new(models: Models, config: &GenerationConfig) -> Self {
        Self {
            models,
            choice: config.model,
            sequences: config.parallel_answers,
            loaded: OnceCell::new(),
        }
    }

    /// Whether an answer needs no loading any more.
    pub fn is_loaded(&self) -> bool {
        self.loaded.initialized()
    }

    /// The generator itself. A model of a gigabyte takes some seconds the first time.
    pub async fn load(&self) -> Result<&Arc<dyn Generator>, PortError> {
        self.loaded.get_or_try_init(|| self.load_now()).await
    }

    async fn load_now(&self) -> Result<Arc<dyn Generator>, PortError> {
        if self.choice == GeneratorChoice::Extractive {
            return Ok(Arc::new(ExtractiveGenerator::default()));
        }
        let (models, name, sequences) = (self.models.clone(), self.choice.as_str(), self.sequences);
        let generator = blocking("load the generator", move || {
            let settings = MistralSettings {
                max_sequences: sequences,
                context_tokens: CONTEXT_TOKENS,
                ..MistralSettings::new(name, models.generator_weights(name)?)
            };
            Ok(MistralGenerator::load(settings)?)
        })
        .await?;
        generator.warm_up().await?;
        Ok(Arc::new(generator))
    }
}

#[async_trait]
impl Generator for LazyGenerator {
    fn model(&self) -> &str {
        self.choice.as_str()
    }

    fn context_tokens(&self) -> usize {
        self.loaded
            .get()
            .map_or(CONTEXT_TOKENS, |generator| generator.context_tokens())
    }

    /// Before the model is there, an estimate that is too high: the prompt of the very first answer is
    /// a little shorter than it could be.
    fn count_tokens(&self, text: &str) -> usize {
        match self.loaded.get() {
            Some(generator) => generator.count_tokens(text),
            None => text.len().div_ceil(BYTES_PER_TOKEN),
        }
    }

    async fn generate(
        &self,
        prompt: Prompt,
    ) -> Result<BoxStream<'static, Result<GeneratorEvent, PortError>>, PortError> {
        self.load().await?.generate(prompt).await
    }
}
