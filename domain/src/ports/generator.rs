//! A language model, or what stands in its place.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::answer::TokenUsage;
use crate::error::PortError;

/// Who speaks in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The rules.
    System,
    /// The person, with the sources.
    User,
    /// The model.
    Assistant,
}

/// One turn of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// What a generator is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The turns, oldest first.
    pub messages: Vec<Message>,
    /// The answer ends here at the latest.
    pub max_output_tokens: usize,
}

/// Why a generator stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said everything.
    Stop,
    /// It reached the limit of tokens.
    Length,
}

/// One step of a generation. The last one of a stream is `Done` or an error.
#[derive(Clone, Debug, PartialEq)]
pub enum GeneratorEvent {
    /// The next piece of text.
    Token(String),
    /// The end.
    Done {
        /// Why.
        finish: FinishReason,
        /// What it cost.
        usage: TokenUsage,
    },
}

/// Writes text. It always streams; dropping the stream ends the work within one token.
#[async_trait]
pub trait Generator: Send + Sync {
    /// The name of the model.
    fn model(&self) -> &str;

    /// The longest prompt and answer together, in tokens.
    fn context_tokens(&self) -> usize;

    /// How many tokens `text` has for this model.
    fn count_tokens(&self, text: &str) -> usize;

    /// Starts an answer. The stream comes at once; the first token may take seconds.
    async fn generate(
        &self,
        prompt: Prompt,
    ) -> Result<BoxStream<'static, Result<GeneratorEvent, PortError>>, PortError>;
}
