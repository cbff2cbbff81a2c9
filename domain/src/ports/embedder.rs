//! From texts to vectors, and how texts are measured.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::PortError;

/// Counts tokens as the embedder does, without cutting the text. Cheap enough for a chunker.
pub trait TokenCounter: Send + Sync {
    /// How many tokens `text` has, special ones not counted.
    fn count(&self, text: &str) -> usize;
}

/// Makes vectors of unit length, so that a dot product is a cosine.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The name of the model; vectors of different models are never compared.
    fn model(&self) -> &str;

    /// The length of a vector.
    fn dimensions(&self) -> usize;

    /// The longest text that is read whole, in tokens with the special ones; the rest of a longer
    /// one is not seen.
    fn max_tokens(&self) -> usize;

    /// A vector for each of `texts`, in their order. A vector depends on its own text alone.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError>;

    /// The vector of a question. It doesn't wait behind documents.
    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError>;
}

/// The embedding models that a process can run. Vectors of different models are never compared, so a
/// knowledge base keeps to the model that it was made with.
pub trait Embedders: Send + Sync {
    /// The model of new knowledge bases.
    fn preferred(&self) -> Arc<dyn Embedder>;

    /// The model called `model`; `None` for one that isn't known here.
    fn of_model(&self, model: &str) -> Option<Arc<dyn Embedder>>;
}

/// One embedding model and no other.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the port has none")]
pub struct OneEmbedder(pub Arc<dyn Embedder>);

impl Embedders for OneEmbedder {
    fn preferred(&self) -> Arc<dyn Embedder> {
        Arc::clone(&self.0)
    }

    fn of_model(&self, model: &str) -> Option<Arc<dyn Embedder>> {
        (self.0.model() == model).then(|| Arc::clone(&self.0))
    }
}

/// Judges passages against a question, more carefully than a vector can.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// How many of the first passages it is asked to judge.
    fn depth(&self) -> usize {
        50
    }

    /// How much its judgement counts against the score that a passage has already, from 0 to 1.
    fn weight(&self) -> f32 {
        1.0
    }

    /// A relevance from 0 to 1 for each of `passages`, in their order.
    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError>;
}
