//! `[generation]`: who writes the answers, and how long they may be.

use lectern_domain::PortError;
use serde::{Deserialize, Serialize};

use super::invalid;

/// Who writes the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GeneratorChoice {
    /// Qwen2.5-Coder-1.5B: answers from what it is given.
    #[default]
    #[serde(rename = "qwen2.5-coder-1.5b")]
    Qwen,
    /// SmolLM2-135M: fast and careless, for tests and the smallest machines.
    #[serde(rename = "smollm2-135m")]
    SmolLm2,
    /// No model: the best sentences of the documents, with their numbers.
    #[serde(rename = "extractive")]
    Extractive,
}

impl GeneratorChoice {
    /// The name as it is written in the configuration and in the catalogue of models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qwen => "qwen2.5-coder-1.5b",
            Self::SmolLm2 => "smollm2-135m",
            Self::Extractive => "extractive",
        }
    }
}

/// Who writes the answers, and how long they may be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerationConfig {
    /// `qwen2.5-coder-1.5b` (default), `smollm2-135m` or `extractive`.
    pub model: GeneratorChoice,
    /// The longest answer, in tokens. Default 200.
    pub max_output_tokens: usize,
    /// How many answers are written at the same time. Default 1.
    pub parallel_answers: usize,
    /// How many questions may wait for their turn; one more is told to come back. Default 8.
    pub waiting_answers: usize,
}

impl Default for GenerationConfig {
    fn default() -> Self {
        Self {
            model: GeneratorChoice::default(),
            max_output_tokens: 200,
            parallel_answers: 1,
            waiting_answers: 8,
        }
    }
}

impl GenerationConfig {
    pub(super) fn check(&self) -> Result<(), PortError> {
        for (name, value) in [
            ("max_output_tokens", self.max_output_tokens),
            ("parallel_answers", self.parallel_answers),
        ] {
            if value == 0 {
                return Err(invalid(format!(
                    "[generation] {name} is 0, and must be 1 or more"
                )));
            }
        }
        Ok(())
    }
}
