//! A question as it comes in: its text, which index is asked, how much is wanted, and what is refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The longest question that is read, in characters.
pub const LONGEST_QUESTION: usize = 20_000;
/// The most passages that one search gives.
pub const MOST_PASSAGES: usize = 1_000;

/// Which index is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Both, and their lists are merged.
    #[default]
    Hybrid,
    /// That of vectors.
    Vector,
    /// That of words. No model is needed.
    Lexical,
}

impl SearchMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::Vector, Self::Lexical];

    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Vector => "vector",
            Self::Lexical => "lexical",
        }
    }
}

impl fmt::Display for SearchMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no mode.
#[derive(Debug, thiserror::Error)]
#[error("no search mode: {0:?} (expected hybrid, vector or lexical)")]
pub struct SearchModeError(String);

impl FromStr for SearchMode {
    type Err = SearchModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| SearchModeError(text.to_owned()))
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The question, or a few words.
    pub text: String,
    /// Which index is asked.
    #[serde(default)]
    pub mode: SearchMode,
    /// The most passages, from 1 to [`MOST_PASSAGES`].
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// The most passages of one document; any number where it isn't said.
    #[serde(default)]
    pub per_document: Option<usize>,
}

fn default_limit() -> usize {
    10
}

impl SearchRequest {
    /// A hybrid search for ten passages.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            mode: SearchMode::default(),
            limit: default_limit(),
            per_document: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.text.trim().is_empty() {
            return Err(Error::QuestionEmpty);
        }
        let characters = self.text.chars().count();
        if characters > LONGEST_QUESTION {
            return Err(Error::QuestionTooLong {
                characters,
                limit: LONGEST_QUESTION,
            });
        }
        if !(1..=MOST_PASSAGES).contains(&self.limit) {
            return Err(Error::LimitOutOfRange {
                limit: self.limit,
                most: MOST_PASSAGES,
            });
        }
        Ok(())
    }
}
