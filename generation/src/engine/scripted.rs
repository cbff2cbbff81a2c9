//! A generator that says what a test tells it.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{FinishReason, Generator, GeneratorEvent, Prompt};
use lectern_domain::{PortError, TokenUsage};
use tokio::sync::Semaphore;

/// Says the same words to every prompt, one piece per token.
#[derive(Clone, Debug)]
pub struct ScriptedGenerator {
    words: Vec<String>,
    pace: Option<Arc<Semaphore>>,
}

impl ScriptedGenerator {
    /// Says `words`, each as a token.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            pace: None,
        }
    }

    /// Takes one permit of `pace` for each token and doesn't give it back: so a test decides how far an
    /// answer gets, without waiting for time to pass.
    #[must_use]
    pub fn paced_by(mut self, pace: Arc<Semaphore>) -> Self {
        self.pace = Some(pace);
        self
    }
}

#[async_trait]
impl Generator for ScriptedGenerator {
    fn model(&self) -> &str {
        "scripted"
    }

    fn context_tokens(&self) -> usize {
        1 << 20
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    async fn generate(
        &self,
        prompt: Prompt,
    ) -> Result<BoxStream<'static, Result<GeneratorEvent, PortError>>, PortError> {
        let started = Instant::now();
        let prompt_tokens: usize = prompt
            .messages
            .iter()
            .map(|message| self.count_tokens(&message.text))
            .sum();
        let said = self.words.len().min(prompt.max_output_tokens);
        let finish = if said < self.words.len() {
            FinishReason::Length
        } else {
            FinishReason::Stop
        };
        let pace = self.pace.clone();
        let tokens = stream::iter(self.words.clone().into_iter().take(said)).then(move |word| {
            let pace = pace.clone();
            async move {
                if let Some(pace) = pace
                    && let Ok(permit) = pace.acquire_owned().await
                {
                    permit.forget();
                }
                Ok(GeneratorEvent::Token(word))
            }
        });
        let done = stream::once(async move {
            Ok(GeneratorEvent::Done {
                finish,
                usage: TokenUsage {
                    prompt_tokens: u32::try_from(prompt_tokens).unwrap_or(u32::MAX),
                    output_tokens: u32::try_from(said).unwrap_or(u32::MAX),
                    first_token_ms: 0.0,
                    output_ms: started.elapsed().as_secs_f64() * 1e3,
                },
            })
        });
        Ok(tokens.chain(done).boxed())
    }
}
