//! Judging passages again with a cross-encoder, which reads question and passage together.
//!
//! It runs only where its files are configured (`[retrieval] reranker = "cross_encoder"`): it is better than a vector
//! and a hundred times as costly, and no model of that kind is fetched by default. What the embedder can do about it
//! by itself is in [`crate::late_interaction`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fastembed::{RerankInitOptionsUserDefined, TextRerank, TokenizerFiles, UserDefinedRerankingModel};
use lectern_domain::PortError;
use lectern_domain::ports::Reranker;

use crate::bases::blocking;
use crate::embedder::runtime;
use crate::error::Error;

/// Most passages that are judged together; more only pad each other.
const BATCH: usize = 8;

/// Where the files of a cross-encoder lie. All of them are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RerankerFiles {
    /// The model in ONNX form, with an output called `logits`, whose first column is the relevance.
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

/// A cross-encoder in this process. One question is judged at a time.
pub struct FastReranker {
    session: Arc<Mutex<TextRerank>>,
}

impl std::fmt::Debug for FastReranker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FastReranker").finish_non_exhaustive()
    }
}

impl FastReranker {
    /// Loads the model. Blocks for about a second. `max_tokens` bounds question and passage together.
    ///
    /// # Errors
    /// [`Error::ModelFileMissing`] or [`Error::ModelCorrupt`].
    pub fn load(files: &RerankerFiles, threads: usize, max_tokens: usize) -> Result<Self, Error> {
        runtime::load_onnx_runtime(&files.onnx_runtime)?;
        runtime::require_file("reranking model", &files.model)?;
        let tokenizer_files = TokenizerFiles {
            tokenizer_file: runtime::read_file("tokenizer", &files.tokenizer)?,
            config_file: runtime::read_file("model configuration", &files.config)?,
            special_tokens_map_file: runtime::read_file("map of special tokens", &files.special_tokens_map)?,
            tokenizer_config_file: runtime::read_file("tokenizer configuration", &files.tokenizer_config)?,
        };
        let model = UserDefinedRerankingModel::new(files.model.clone(), tokenizer_files);
        let options = RerankInitOptionsUserDefined::new()
            .with_max_length(max_tokens)
            .with_intra_threads(threads.max(1));
        let session =
            TextRerank::try_new_from_user_defined(model, options).map_err(|error| Error::ModelCorrupt {
                what: "reranking model",
                path: files.model.clone(),
                cause: Box::new(error),
            })?;
        Ok(Self {
            session: Arc::new(Mutex::new(session)),
        })
    }
}

#[async_trait]
impl Reranker for FastReranker {
    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        if passages.is_empty() {
            return Ok(Vec::new());
        }
        let (question, passages) = (question.to_owned(), passages.to_vec());
        let session = Arc::clone(&self.session);
        let relevance = blocking("reranking", move || {
            let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
            let ranked = session
                .rerank(question, &passages, false, Some(BATCH))
                .map_err(|error| Error::Embedder {
                    action: "rerank passages",
                    cause: Box::new(error),
                })?;
            let mut relevance = vec![0.0; passages.len()];
            for result in ranked {
                if let Some(place) = relevance.get_mut(result.index) {
                    *place = logistic(result.score);
                }
            }
            Ok(relevance)
        })
        .await?;
        Ok(relevance)
    }
}

/// From a logit to 0..1.
fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logit_becomes_a_share() {
        assert!((logistic(0.0) - 0.5).abs() < 1e-6);
        assert!(logistic(-20.0) < 1e-6 && logistic(20.0) > 1.0 - 1e-6);
    }

    #[test]
    fn a_missing_file_is_named() {
        let nowhere = PathBuf::from("/nonexistent/model.onnx");
        let files = RerankerFiles {
            model: nowhere.clone(),
            tokenizer: nowhere.clone(),
            config: nowhere.clone(),
            special_tokens_map: nowhere.clone(),
            tokenizer_config: nowhere.clone(),
            onnx_runtime: nowhere,
        };
        let error = FastReranker::load(&files, 1, 512).unwrap_err();
        assert_eq!(error.code(), "model_file_missing");
    }
}
