//! An answer as it comes: first the sources, then the words, then what was cited.

use serde::{Deserialize, Serialize};

use crate::passage::Passage;

/// A source that the answer may cite, under its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// The number in the answer's text, from 1: `[1]`.
    pub number: u32,
    /// The passage that was handed to the generator.
    #[serde(flatten)]
    pub passage: Passage,
}

/// How many tokens a generator read and wrote, and how long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// From the request to the first token, in milliseconds.
    pub first_token_ms: f64,
    /// From the first token to the last, in milliseconds.
    pub output_ms: f64,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOutcome {
    /// The generator said what it had to say.
    Answered,
    /// Nothing relevant was found, so no generator was asked.
    NothingFound,
    /// The answer reached its limit of tokens.
    Truncated,
}

/// One step of an answer. A stream has one `Sources`, any number of `Token`, then one `Done`, or
/// an error in place of the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum AnswerEvent {
    /// What was found, before the first word.
    Sources {
        /// Numbered from 1.
        sources: Vec<Citation>,
    },
    /// The next piece of the answer's text.
    Token {
        /// May be part of a word.
        text: String,
    },
    /// The end.
    Done {
        /// The whole text, as it was streamed.
        text: String,
        /// Those of the sources that the text cites, in the order of their numbers.
        citations: Vec<Citation>,
        /// Why it ended.
        outcome: AnswerOutcome,
        /// What it cost.
        usage: TokenUsage,
    },
}
