//! How sure a search is of what it found, and whether it found anything at all.
//!
//! Two signs are read from a passage: the cosine of its vector to the question's, and the share of the
//! question's words of content that it contains.

use lectern_domain::{Confidence, Passage};

use crate::words::words_of;

/// What is known about how well a passage matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The cosine, where vectors were searched and found it.
    pub cosine: Option<f32>,
    /// The share of the question's words of content that stand in the passage, 0 to 1.
    pub coverage: f32,
}

impl Evidence {
    /// Reads the signs from a passage.
    pub fn of(question: &QuestionWords, passage_text: &str, cosine: Option<f32>) -> Self {
        Self {
            cosine,
            coverage: question.coverage(passage_text),
        }
    }

    /// The band for this evidence.
    pub fn confidence(&self) -> Confidence {
        let cosine = self.cosine.unwrap_or_default();
        let sure = cosine + 0.3 * self.coverage;
        match sure {
            sure if sure >= 0.80 => Confidence::VeryHigh,
            sure if sure >= 0.60 => Confidence::High,
            sure if sure >= 0.40 => Confidence::Medium,
            _ => Confidence::Low,
        }
    }
}

/// The words of a question that carry its content.
#[derive(Clone, Debug)]
pub struct QuestionWords {
    words: Vec<String>,
}

impl QuestionWords {
    /// The words of a question, each once.
    pub fn of(question: &str) -> Self {
        let mut words = words_of(question);
        words.sort_unstable();
        words.dedup();
        Self { words }
    }

    fn coverage(&self, text: &str) -> f32 {
        if self.words.is_empty() {
            return 0.0;
        }
        let there: std::collections::HashSet<String> = words_of(text).into_iter().collect();
        let covered = self.words.iter().filter(|word| there.contains(*word)).count();
        covered as f32 / self.words.len() as f32
    }
}

/// Whether any of the passages is about what was asked.
pub fn any_relevant(passages: &[Passage]) -> bool {
    passages
        .iter()
        .any(|passage| passage.confidence > Confidence::Low)
}
