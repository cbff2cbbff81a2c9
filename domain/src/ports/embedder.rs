//! From texts to vectors, and how texts are measured.

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

/// Judges passages against a question, more carefully than a vector can.
#[async_trait]
pub trait Reranker: Send + Sync {
    /// A relevance from 0 to 1 for each of `passages`, in their order.
    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError>;
}
