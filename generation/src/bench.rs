//! How fast a generator is on this machine.

use std::time::Instant;

use futures::StreamExt;
use lectern_domain::ports::{Generator, GeneratorEvent};
use lectern_domain::{PortError, TokenUsage};
use serde::Serialize;

use crate::prompt;
use crate::selection::Excerpt;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchSettings {
    /// Tokens of the sources in the prompt, about.
    pub source_tokens: usize,
    /// Tokens that are written at most.
    pub max_output_tokens: usize,
    /// Answers that are measured, after one that isn't. At least one.
    pub runs: usize,
}

impl Default for BenchSettings {
    /// The size of an ordinary answer, three times.
    fn default() -> Self {
        Self {
            source_tokens: 320,
            max_output_tokens: 64,
            runs: 3,
        }
    }
}

/// What was measured: medians over the runs, by the time to the first token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// The generator.
    pub model: String,
    /// Loading and the first answer, which isn't counted, in milliseconds.
    pub warm_up_ms: f64,
    /// Answers that were measured.
    pub runs: usize,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// From the request to the first token, in milliseconds.
    pub first_token_ms: f64,
    /// Tokens of the prompt over the time to the first token.
    pub prompt_tokens_per_s: f64,
    /// Tokens behind the first over the time from the first to the last.
    pub output_tokens_per_s: f64,
}

const FACTS: &[&str] = &[
    "The office on the third floor opens at half past seven and closes at nine in the evening.",
    "Parents who have worked here for at least six months get twenty weeks of paid leave.",
    "A laptop is replaced after four years, or earlier if it can no longer be repaired.",
    "Travel that costs more than 500 euros needs the written approval of the head of department.",
    "The canteen serves lunch from noon to two, and on Fridays there is fish.",
    "Whoever notices that data was lost tells the security team within one hour.",
];
const QUESTION: &str = "How many weeks of leave do parents get, and who approves expensive travel?";

/// Measures `generator` with prompts like those of real answers.
///
/// # Errors
/// Those of the generator.
pub async fn measure(generator: &dyn Generator, settings: BenchSettings) -> Result<BenchReport, PortError> {
    let excerpts = excerpts(generator, settings.source_tokens);
    let started = Instant::now();
    one_answer(generator, &excerpts, settings.max_output_tokens).await?;
    let warm_up_ms = started.elapsed().as_secs_f64() * 1e3;

    let mut runs = Vec::with_capacity(settings.runs.max(1));
    for _ in 0..settings.runs.max(1) {
        runs.push(one_answer(generator, &excerpts, settings.max_output_tokens).await?);
    }
    runs.sort_by(|one, other| one.first_token_ms.total_cmp(&other.first_token_ms));
    let median = runs[runs.len() / 2];
    let per_second = |tokens: u32, milliseconds: f64| match milliseconds > 0.0 {
        true => f64::from(tokens) * 1e3 / milliseconds,
        false => 0.0,
    };
    Ok(BenchReport {
        model: generator.model().to_owned(),
        warm_up_ms,
        runs: runs.len(),
        prompt_tokens: median.prompt_tokens,
        output_tokens: median.output_tokens,
        first_token_ms: median.first_token_ms,
        prompt_tokens_per_s: per_second(median.prompt_tokens, median.first_token_ms),
        output_tokens_per_s: per_second(median.output_tokens.saturating_sub(1), median.output_ms),
    })
}

fn excerpts(generator: &dyn Generator, source_tokens: usize) -> Vec<Excerpt> {
    let mut excerpts = Vec::new();
    let mut used = 0;
    for (number, fact) in (1..).zip(FACTS.iter().cycle()) {
        used += generator.count_tokens(fact).max(1);
        if used > source_tokens && !excerpts.is_empty() {
            break;
        }
        excerpts.push(Excerpt {
            number,
            label: "Handbook".to_owned(),
            text: (*fact).to_owned(),
        });
    }
    excerpts
}

async fn one_answer(
    generator: &dyn Generator,
    excerpts: &[Excerpt],
    max_output_tokens: usize,
) -> Result<TokenUsage, PortError> {
    let prompt = prompt::write(QUESTION, excerpts, max_output_tokens)?;
    let mut events = generator.generate(prompt).await?;
    while let Some(event) = events.next().await {
        if let GeneratorEvent::Done { usage, .. } = event? {
            return Ok(usage);
        }
    }
    Ok(TokenUsage::default())
}
