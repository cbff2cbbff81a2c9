//! Answers without a model: the sentences of the sources that are nearest to the question, word for
//! word, each with its number. It invents nothing, costs next to nothing, and is as good as the search.

use std::time::Instant;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{FinishReason, Generator, GeneratorEvent, Prompt};
use lectern_domain::{PortError, TokenUsage};

use crate::prompt;
use crate::sentences::split;
use crate::terms::terms;

/// Quotes the sources of the prompt.
#[derive(Clone, Copy, Debug)]
pub struct ExtractiveGenerator {
    sentences: usize,
}

impl ExtractiveGenerator {
    /// Quotes `sentences` sentences at most, and one at least.
    pub fn new(sentences: usize) -> Self {
        Self {
            sentences: sentences.max(1),
        }
    }

    fn quote(&self, prompt: &Prompt) -> String {
        let (excerpts, question) = prompt::read_back(prompt);
        let wanted = terms(&question);
        let mut quotes: Vec<(usize, u32, String)> = Vec::new();
        for excerpt in &excerpts {
            let under_heading = wanted.intersection(&terms(&excerpt.label)).count();
            for sentence in split(&excerpt.text.replace(" … ", "\n\n")) {
                let worth = 2 * wanted.intersection(&terms(&sentence.text)).count() + under_heading;
                quotes.push((worth, excerpt.number, sentence.text));
            }
        }
        // Stable: of equals, the earlier source comes first.
        quotes.sort_by_key(|(worth, _, _)| std::cmp::Reverse(*worth));
        let best = quotes.first().map_or(0, |(worth, _, _)| *worth);
        if best == 0 {
            return prompt::DONT_KNOW.to_owned();
        }
        quotes
            .iter()
            .take(self.sentences)
            .filter(|(worth, _, _)| worth * 2 >= best)
            .map(|(_, number, text)| format!("{} [{number}]", text.trim_start_matches(['-', '*', ' '])))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Default for ExtractiveGenerator {
    /// Two sentences.
    fn default() -> Self {
        Self::new(2)
    }
}

#[async_trait]
impl Generator for ExtractiveGenerator {
    fn model(&self) -> &str {
        "extractive"
    }

    fn context_tokens(&self) -> usize {
        1 << 16
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    async fn generate(
        &self,
        prompt: Prompt,
    ) -> Result<BoxStream<'static, Result<GeneratorEvent, PortError>>, PortError> {
        let started = Instant::now();
        let text = self.quote(&prompt);
        let prompt_tokens: usize = prompt
            .messages
            .iter()
            .map(|message| self.count_tokens(&message.text))
            .sum();
        let usage = TokenUsage {
            prompt_tokens: u32::try_from(prompt_tokens).unwrap_or(u32::MAX),
            output_tokens: u32::try_from(self.count_tokens(&text)).unwrap_or(u32::MAX),
            first_token_ms: started.elapsed().as_secs_f64() * 1e3,
            output_ms: 0.0,
        };
        let finish = FinishReason::Stop;
        Ok(stream::iter([
            Ok(GeneratorEvent::Token(text)),
            Ok(GeneratorEvent::Done { finish, usage }),
        ])
        .boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::Excerpt;

    #[tokio::test]
    async fn it_quotes_the_nearest_sentence_with_its_number() {
        let excerpt = |number, label: &str, text: &str| Excerpt {
            number,
            label: label.to_owned(),
            text: text.to_owned(),
        };
        let sources = [
            excerpt(1, "Canteen", "Lunch is at noon."),
            excerpt(2, "Leave", "Hello. Parental leave is 20 weeks."),
        ];
        let prompt = prompt::write("How long is parental leave?", &sources, 64).unwrap();
        let events: Vec<_> = ExtractiveGenerator::default()
            .generate(prompt)
            .await
            .unwrap()
            .collect()
            .await;
        let Ok(GeneratorEvent::Token(text)) = &events[0] else {
            panic!("{events:?}")
        };
        assert_eq!(text, "Parental leave is 20 weeks. [2]");
    }
}
