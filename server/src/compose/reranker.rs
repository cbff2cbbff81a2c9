//! The reranker that is configured, loaded with the first search.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lectern_domain::PortError;
use lectern_domain::ports::Reranker;
use lectern_generation::catalogue::ModelName;
use lectern_retrieval::{FastReranker, LateInteraction, RerankerFiles};
use tokio::sync::OnceCell;

use super::Models;
use super::embedder::blocking;
use crate::config::{CrossEncoderConfig, RerankerChoice, RetrievalConfig, cores};

/// The reranker of these settings, if there is to be one. Nothing is loaded yet.
pub fn configured(
    config: &RetrievalConfig,
    embedder: &ModelName,
    models: &Models,
) -> Option<Arc<dyn Reranker>> {
    match (config.reranker, &config.cross_encoder) {
        (RerankerChoice::LateInteraction, _) => Some(Arc::new(LazyLateInteraction {
            embedder: embedder.clone(),
            models: models.clone(),
            unjudged: Mutex::default(),
            loaded: OnceCell::new(),
        })),
        (RerankerChoice::CrossEncoder, Some(files)) => Some(Arc::new(LazyCrossEncoder {
            config: files.clone(),
            models: models.clone(),
            loaded: OnceCell::new(),
        })),
        (RerankerChoice::None | RerankerChoice::CrossEncoder, _) => None,
    }
}

/// Late interaction on an embedder of the catalogue, loaded with the first search that it judges; when loading
/// fails, the next one tries again.
struct LazyLateInteraction {
    embedder: ModelName,
    models: Models,
    /// The models whose knowledge bases it doesn't judge, of which that was said.
    unjudged: Mutex<BTreeSet<String>>,
    loaded: OnceCell<LateInteraction>,
}

impl LazyLateInteraction {
    async fn load_now(&self) -> Result<LateInteraction, PortError> {
        let (models, name) = (self.models.clone(), self.embedder.clone());
        let max_tokens = self.models.embedder_traits(&self.embedder).max_tokens;
        blocking("load the embedder for late interaction", move || {
            let files = models.embedder_files(&name)?;
            Ok(LateInteraction::load(&files, cores(), max_tokens)?)
        })
        .await
    }
}

#[async_trait]
impl Reranker for LazyLateInteraction {
    fn depth(&self) -> usize {
        LateInteraction::DEPTH
    }

    fn weight(&self) -> f32 {
        LateInteraction::WEIGHT
    }

    /// It reads the words again with an embedder of its own, which must know the language of the texts: where the
    /// knowledge base was made with a model whose tokens aren't compared, it keeps out of it, and says so once.
    fn judges(&self, embedding_model: &str) -> bool {
        let traits = self.models.embedder_traits(&ModelName::new(embedding_model));
        let mut unjudged = self.unjudged.lock().unwrap_or_else(PoisonError::into_inner);
        if !traits.compares_tokens && unjudged.insert(embedding_model.to_owned()) {
            tracing::warn!(
                embedding_model,
                "late interaction leaves out the knowledge bases that were made with this model: \
                 it was not measured on its tokens"
            );
        }
        traits.compares_tokens
    }

    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        let loaded = self.loaded.get_or_try_init(|| self.load_now()).await?;
        loaded.rerank(question, passages).await
    }
}

/// A cross-encoder, loaded with the first search that it judges; when loading fails, the next one tries again.
struct LazyCrossEncoder {
    config: CrossEncoderConfig,
    models: Models,
    loaded: OnceCell<FastReranker>,
}

impl LazyCrossEncoder {
    async fn load_now(&self) -> Result<FastReranker, PortError> {
        let (config, models) = (self.config.clone(), self.models.clone());
        blocking("load the cross-encoder", move || {
            let files = RerankerFiles {
                model: config.file(&config.model),
                tokenizer: config.file("tokenizer.json"),
                config: config.file("config.json"),
                special_tokens_map: config.file("special_tokens_map.json"),
                tokenizer_config: config.file("tokenizer_config.json"),
                onnx_runtime: models.store().onnx_runtime(models.catalogue())?,
            };
            Ok(FastReranker::load(&files, cores(), config.max_tokens)?)
        })
        .await
    }
}

#[async_trait]
impl Reranker for LazyCrossEncoder {
    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        let loaded = self.loaded.get_or_try_init(|| self.load_now()).await?;
        loaded.rerank(question, passages).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_interaction_keeps_out_of_what_it_was_not_measured_on() {
        let folder = tempfile::tempdir().unwrap();
        let models = Models::new(folder.path().to_owned());
        let config = RetrievalConfig {
            reranker: RerankerChoice::LateInteraction,
            ..RetrievalConfig::default()
        };
        let reranker = configured(&config, &ModelName::EMBEDDER, &models).unwrap();
        assert!(reranker.judges("all-minilm-l6-v2-int8") && reranker.judges("all-minilm-l6-v2"));
        assert!(!reranker.judges("multilingual-e5-small-int8"));
    }
}
