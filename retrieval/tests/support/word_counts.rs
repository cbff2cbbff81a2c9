//! An embedder without a model.

use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use lectern_domain::ports::Embedder;
use lectern_domain::{ErrorKind, PortError};

const DIMENSIONS: usize = 64;

/// Texts with the same words are near to each other. It fails on the word "unembeddable".
pub struct WordCounts {
    /// What the model calls itself.
    pub model: &'static str,
}

impl Default for WordCounts {
    fn default() -> Self {
        Self { model: "word-counts" }
    }
}

impl WordCounts {
    /// The vector of a text, of unit length.
    pub fn vector(text: &str) -> Vec<f32> {
        Self::vector_of_size(text, DIMENSIONS)
    }

    /// The same with so many numbers: the more, the less two words have in common.
    pub fn vector_of_size(text: &str, dimensions: usize) -> Vec<f32> {
        let mut vector = vec![0.01; dimensions];
        for word in text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            let mut hasher = DefaultHasher::new();
            word.to_lowercase().hash(&mut hasher);
            vector[hasher.finish() as usize % dimensions] += 1.0;
        }
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter().map(|x| x / length).collect()
    }
}

#[async_trait]
impl Embedder for WordCounts {
    fn model(&self) -> &str {
        self.model
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn max_tokens(&self) -> usize {
        256
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(texts.iter().map(|text| Self::vector(text)).collect())
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        if text.contains("unembeddable") {
            return Err(PortError::new(
                ErrorKind::Internal,
                "embedder_failed",
                "no vector",
            ));
        }
        Ok(Self::vector(text))
    }
}
