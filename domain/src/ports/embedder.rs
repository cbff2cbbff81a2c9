//! From texts to vectors, and how texts are measured.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::PortError;

/// Counts tokens as the embedder does, without cutting the text. Cheap enough for a chunker.
pub trait TokenCounter: Send + Sync {
    /// How many tokens `text` has, special ones not counted.
    fn count(&self, text: &str) -> usize;

    /// How many tokens the embedder adds to every text of a document: special ones, and what it puts before it.
    fn added(&self) -> usize {
        2
    }
}

/// The token counters of the embedding models. A chunk is as long as the model of its knowledge base counts it.
pub trait TokenCounters: Send + Sync {
    /// The counter of the model called `model`. For one that isn't known here it takes every byte for a token,
    /// which is never too few.
    fn of_model(&self, model: &str) -> Arc<dyn TokenCounter>;
}

/// One token counter, whatever the model.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the port has none")]
pub struct OneTokenCounter(pub Arc<dyn TokenCounter>);

impl TokenCounters for OneTokenCounter {
    fn of_model(&self, _: &str) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.0)
    }
}

/// What the cosines of a model say. One model gives texts that have nothing in common a cosine near 0, another
/// never gives less than 0.7; what is decided by a cosine is decided by its nearness on this scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineScale {
    unrelated: f32,
}

impl CosineScale {
    /// Cosines as they are: 0 for texts that have nothing in common.
    pub const PLAIN: Self = Self { unrelated: 0.0 };

    /// The scale of a model whose cosines lie between `unrelated`, which is less than 1, and 1.
    pub const fn above(unrelated: f32) -> Self {
        Self { unrelated }
    }

    /// How near two texts are with this cosine: 1 for the same text, 0 for two that have nothing in common. Order is
    /// kept.
    pub fn nearness(self, cosine: f32) -> f32 {
        (cosine - self.unrelated) / (1.0 - self.unrelated)
    }
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

    /// What the cosines of its vectors say.
    fn cosine_scale(&self) -> CosineScale {
        CosineScale::PLAIN
    }

    /// A vector for each of `texts`, in their order: texts that are to be found. A vector depends on its own text
    /// alone.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError>;

    /// The vector of a question, or of a text that is compared with one as its equal. It doesn't wait behind
    /// documents.
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

    /// Whether it judges passages of knowledge bases with this embedding model.
    fn judges(&self, _embedding_model: &str) -> bool {
        true
    }

    /// How much its judgement counts against the score that a passage has already, from 0 to 1.
    fn weight(&self) -> f32 {
        1.0
    }

    /// A relevance from 0 to 1 for each of `passages`, in their order.
    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::CosineScale;

    #[test]
    fn a_plain_scale_changes_nothing() {
        for cosine in [-1.0, -0.123_456_7, 0.0, 0.333_333_34, 0.61, 1.0] {
            assert_eq!(CosineScale::PLAIN.nearness(cosine), cosine);
        }
    }

    #[test]
    fn a_raised_scale_is_stretched_and_keeps_its_order() {
        let scale = CosineScale::above(0.7);
        assert!((scale.nearness(1.0) - 1.0).abs() < 1e-6);
        assert!(scale.nearness(0.7).abs() < 1e-6);
        assert!((scale.nearness(0.85) - 0.5).abs() < 1e-5);
        assert!(scale.nearness(0.6) < 0.0);
        assert!(scale.nearness(0.801) < scale.nearness(0.802));
    }
}
