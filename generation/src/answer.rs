//! From a question and its passages to an answer that comes piece by piece.
//!
//! The order is always the same: a place in the line (or a refusal, at once); the sources, before
//! anything slow; the turn; the best sentences; the prompt; the tokens, each through the citation
//! guard; and at the end what was cited and what it cost. Where the search found nothing relevant, the
//! reader is told so and no model is asked, so such a question doesn't wait in the line either.
//!
//! An answer is written by a task of its own into a buffer that holds the whole of it: a slow reader
//! keeps nobody from their turn, and one that leaves ends the task at its next step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use lectern_domain::ports::{Embedder, FinishReason, Generator, GeneratorEvent};
use lectern_domain::{AnswerEvent, AnswerOutcome, Citation, Passage, PortError, TokenUsage};
use tokio::sync::mpsc;

use crate::admission::{Admission, Ticket};
use crate::attribution::Attribution;
use crate::citations::CitationGuard;
use crate::error::Error;
use crate::prompt::{self, DONT_KNOW};
use crate::repetition::goes_in_circles;
use crate::selection::{Candidate, Excerpt, candidates, choose};

const MAX_QUESTION_BYTES: usize = 80_000;
const MIN_SOURCE_TOKENS: usize = 32;
/// Beside the tokens: the sources, the end, and what the guard adds.
const BUFFER_MARGIN: usize = 16;

/// What an answer may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerSettings {
    /// Passages that become sources.
    pub max_sources: usize,
    /// Tokens of the whole prompt: rules, sources and question.
    pub prompt_tokens: usize,
    /// Tokens of the sources among them.
    pub source_tokens: usize,
    /// The answer ends here at the latest.
    pub max_output_tokens: usize,
    /// Sentences that are compared with the question by their vectors; 0 for none.
    pub embedded_sentences: usize,
    /// How long that comparison may take before it is done without.
    pub embedding_limit: Duration,
    /// How long an answer may take once it is its turn.
    pub time_limit: Duration,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            max_sources: 5,
            prompt_tokens: 400,
            source_tokens: 260,
            max_output_tokens: 200,
            embedded_sentences: 24,
            embedding_limit: Duration::from_millis(800),
            time_limit: Duration::from_secs(300),
        }
    }
}

/// What an [`Answerer`] is made of.
pub struct AnswererParts {
    /// Writes.
    pub generator: Arc<dyn Generator>,
    /// Compares sentences with the question.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// The line in front of the generator.
    pub admission: Admission,
    /// Bounds.
    pub settings: AnswerSettings,
}

impl std::fmt::Debug for AnswererParts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AnswererParts")
            .field("generator", &self.generator.model())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The steps of one answer. Dropping it ends the work.
pub type AnswerStream = BoxStream<'static, Result<AnswerEvent, PortError>>;
type Events = mpsc::Sender<Result<AnswerEvent, PortError>>;

/// Answers questions from passages. Clones share everything.
#[derive(Clone, Debug)]
pub struct Answerer {
    parts: Arc<AnswererParts>,
}

impl Answerer {
    /// Puts the parts together.
    pub fn new(parts: AnswererParts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// The generator's name.
    pub fn model(&self) -> &str {
        self.parts.generator.model()
    }

    /// Starts an answer to `question` from `passages`, best first. `relevant` is the search's judgement.
    /// Nothing else reaches the generator.
    ///
    /// # Errors
    /// [`Error::QuestionEmpty`], [`Error::QuestionTooLong`], and [`Error::Busy`] where the line is full.
    /// What goes wrong later comes as the stream's last item.
    pub async fn answer(
        &self,
        question: &str,
        mut passages: Vec<Passage>,
        relevant: bool,
    ) -> Result<AnswerStream, PortError> {
        let question = question.trim().to_owned();
        let room = self.room_for_sources(&question)?;
        passages.truncate(self.parts.settings.max_sources);
        let sources: Vec<Citation> = passages
            .into_iter()
            .zip(1..)
            .map(|(passage, number)| Citation { number, passage })
            .collect();
        if !relevant || sources.is_empty() {
            return Ok(stream::iter(nothing_found(sources)).map(Ok).boxed());
        }
        let ticket = self.parts.admission.enter()?;
        let (events, reader) = mpsc::channel(2 * self.parts.settings.max_output_tokens + BUFFER_MARGIN);
        let work = Work {
            parts: Arc::clone(&self.parts),
            question,
            sources,
            room,
            events,
        };
        tokio::spawn(work.run(ticket));
        Ok(stream::unfold(reader, async |mut reader| {
            reader.recv().await.map(|event| (event, reader))
        })
        .boxed())
    }

    /// The tokens that the rules and the question leave for the sources.
    fn room_for_sources(&self, question: &str) -> Result<usize, Error> {
        let settings = &self.parts.settings;
        let generator = &self.parts.generator;
        if question.is_empty() {
            return Err(Error::QuestionEmpty);
        }
        let rules = generator.count_tokens(prompt::RULES);
        let context = generator
            .context_tokens()
            .saturating_sub(settings.max_output_tokens);
        let limit = context.saturating_sub(rules + MIN_SOURCE_TOKENS + 2 * BUFFER_MARGIN);
        let tokens = if question.len() > MAX_QUESTION_BYTES {
            question.len()
        } else {
            generator.count_tokens(question)
        };
        if tokens > limit {
            return Err(Error::QuestionTooLong {
                tokens,
                limit,
                model: generator.model().to_owned(),
            });
        }
        // A long question costs time; it still gets some sources.
        let left = settings.prompt_tokens.saturating_sub(rules + tokens);
        Ok(left.clamp(MIN_SOURCE_TOKENS, settings.source_tokens.max(MIN_SOURCE_TOKENS)))
    }
}

fn nothing_found(sources: Vec<Citation>) -> [AnswerEvent; 3] {
    [
        AnswerEvent::Sources { sources },
        AnswerEvent::Token {
            text: DONT_KNOW.to_owned(),
        },
        AnswerEvent::Done {
            text: DONT_KNOW.to_owned(),
            citations: Vec::new(),
            outcome: AnswerOutcome::NothingFound,
            usage: TokenUsage::default(),
        },
    ]
}

/// One answer being written.
struct Work {
    parts: Arc<AnswererParts>,
    question: String,
    sources: Vec<Citation>,
    room: usize,
    events: Events,
}

impl Work {
    async fn run(self, ticket: Ticket) {
        let first = AnswerEvent::Sources {
            sources: self.sources.clone(),
        };
        if self.events.send(Ok(first)).await.is_err() {
            return;
        }
        let last = tokio::select! {
            biased;
            () = self.events.closed() => return,
            last = self.in_its_turn(ticket) => last,
        };
        if self.events.send(last).await.is_err() {
            tracing::debug!("the reader left at the end of the answer");
        }
    }

    async fn in_its_turn(&self, ticket: Ticket) -> Result<AnswerEvent, PortError> {
        let permit = ticket.turn().await?;
        let limit = self.parts.settings.time_limit;
        let last = match tokio::time::timeout(limit, self.write()).await {
            Ok(last) => last,
            Err(_elapsed) => Err(Error::TimedOut {
                seconds: limit.as_secs(),
            }
            .into()),
        };
        drop(permit);
        last
    }

    async fn write(&self) -> Result<AnswerEvent, PortError> {
        let settings = &self.parts.settings;
        let excerpts = self.excerpts().await;
        let prompt = prompt::write(&self.question, &excerpts, settings.max_output_tokens)?;
        let mut tokens = self.parts.generator.generate(prompt).await?;
        let mut text = AnswerText::new(&excerpts);
        let mut outcome = AnswerOutcome::Answered;
        let mut usage = None;
        while let Some(event) = tokens.next().await {
            match event? {
                GeneratorEvent::Token(token) => {
                    self.show(text.push(&token)).await;
                    if goes_in_circles(&text.shown) {
                        outcome = AnswerOutcome::Truncated;
                        break;
                    }
                }
                GeneratorEvent::Done { finish, usage: cost } => {
                    if finish == FinishReason::Length {
                        outcome = AnswerOutcome::Truncated;
                    }
                    usage = Some(cost);
                    break;
                }
            }
        }
        // Stopping in the middle is done by letting go.
        drop(tokens);
        self.show(text.finish()).await;
        let output_tokens = u32::try_from(self.parts.generator.count_tokens(&text.shown)).unwrap_or(u32::MAX);
        Ok(AnswerEvent::Done {
            citations: self
                .sources
                .iter()
                .filter(|source| text.cited.contains(&source.number))
                .cloned()
                .collect(),
            text: text.shown,
            outcome,
            usage: usage.unwrap_or(TokenUsage {
                output_tokens,
                ..TokenUsage::default()
            }),
        })
    }

    async fn show(&self, text: String) {
        if !text.is_empty() && self.events.send(Ok(AnswerEvent::Token { text })).await.is_err() {
            tracing::trace!("nobody reads this answer any more");
        }
    }

    /// What the generator gets to read.
    async fn excerpts(&self) -> Vec<Excerpt> {
        let passages: Vec<Passage> = self.sources.iter().map(|source| source.passage.clone()).collect();
        let mut found = candidates(&self.question, &passages);
        if let Some(embedder) = &self.parts.embedder
            && self.parts.settings.embedded_sentences > 0
        {
            let mut nearer = found.clone();
            let limit = self.parts.settings.embedding_limit;
            let count = self.parts.settings.embedded_sentences;
            match tokio::time::timeout(
                limit,
                add_nearness(embedder.as_ref(), &self.question, &mut nearer, count),
            )
            .await
            {
                Ok(Ok(())) => found = nearer,
                Ok(Err(error)) => tracing::warn!(%error, "sentences are chosen by their words alone"),
                Err(_elapsed) => tracing::debug!("sentences are chosen by their words alone: no time"),
            }
        }
        choose(&found, self.room, &|text| self.parts.generator.count_tokens(text))
    }
}

/// Adds to the most promising sentences how near they are to the question. Each goes the way of a
/// question, so it doesn't wait behind documents that are being indexed.
async fn add_nearness(
    embedder: &dyn Embedder,
    question: &str,
    found: &mut [Candidate],
    count: usize,
) -> Result<(), PortError> {
    let mut order: Vec<(usize, usize)> = found
        .iter()
        .enumerate()
        .flat_map(|(passage, candidate)| {
            (0..candidate.sentences.len()).map(move |sentence| (passage, sentence))
        })
        .collect();
    order.sort_by(|one, other| found[other.0].worth()[other.1].total_cmp(&found[one.0].worth()[one.1]));
    let asked = embedder.embed_query(question).await?;
    let scale = embedder.cosine_scale();
    let mut nearness = Vec::with_capacity(count);
    for &(passage, sentence) in order.iter().take(count) {
        let vector = embedder
            .embed_query(&found[passage].sentences[sentence].text)
            .await?;
        let cosine: f32 = asked.iter().zip(&vector).map(|(one, other)| one * other).sum();
        nearness.push((passage, sentence, scale.nearness(cosine)));
    }
    for (passage, sentence, nearness) in nearness {
        found[passage].add_nearness(sentence, nearness);
    }
    Ok(())
}

/// The text as the reader sees it.
struct AnswerText {
    guard: CitationGuard,
    attribution: Attribution,
    shown: String,
    cited: BTreeSet<u32>,
}

impl AnswerText {
    fn new(excerpts: &[Excerpt]) -> Self {
        Self {
            guard: CitationGuard::new(excerpts.iter().map(|excerpt| excerpt.number)),
            attribution: Attribution::new(excerpts),
            shown: String::new(),
            cited: BTreeSet::new(),
        }
    }

    /// Takes a token and returns what the reader gets for it.
    fn push(&mut self, token: &str) -> String {
        let seen = self.guard.push(token);
        let before = self.shown.len();
        self.add(&seen);
        self.shown[before..].to_owned()
    }

    /// Ends the text; an answer that cites nothing gets the sources that it clearly comes from.
    fn finish(&mut self) -> String {
        let before = self.shown.len();
        let rest = self.guard.finish();
        self.add(rest.trim_end());
        if self.cited.is_empty() {
            self.cited = self.attribution.sources_of(&self.shown);
            for (place, number) in self.cited.iter().enumerate() {
                let gap = if place == 0 { " " } else { "" };
                self.shown.push_str(&format!("{gap}[{number}]"));
            }
        }
        self.shown[before..].to_owned()
    }

    /// Adds what the guard let through; each citation in it is compared with the sentence before it.
    fn add(&mut self, seen: &str) {
        // An answer doesn't begin with white space.
        let mut rest = if self.shown.is_empty() {
            seen.trim_start()
        } else {
            seen
        };
        while let Some((before, number, after)) = next_citation(rest) {
            self.shown.push_str(before);
            let (sentence, just_cited) = end_of_text(&self.shown);
            let number = self.attribution.corrected(sentence, number);
            if !just_cited.contains(&number) {
                self.shown.push_str(&format!("[{number}]"));
                self.cited.insert(number);
            }
            rest = after;
        }
        self.shown.push_str(rest);
    }
}

/// The first citation in `text`, with what stands before and behind it.
fn next_citation(text: &str) -> Option<(&str, u32, &str)> {
    text.match_indices('[').find_map(|(open, _)| {
        let (inner, after) = text[open + 1..].split_once(']')?;
        Some((&text[..open], inner.parse().ok()?, after))
    })
}

/// The last sentence of `text`, and the numbers that are cited behind it already.
fn end_of_text(text: &str) -> (&str, BTreeSet<u32>) {
    let mut cited = BTreeSet::new();
    let mut body = text.trim_end();
    while let Some((before, number)) = body.strip_suffix(']').and_then(|body| body.rsplit_once('[')) {
        let Ok(number) = number.parse() else { break };
        cited.insert(number);
        body = before.trim_end();
    }
    let body = body.trim_end_matches(['.', '!', '?', ' ']);
    let start = [". ", "! ", "? ", "\n", "] ", "]."]
        .iter()
        .filter_map(|border| body.rfind(border).map(|place| place + border.len()))
        .max()
        .unwrap_or(0);
    (&body[start..], cited)
}

#[cfg(test)]
pub(crate) use tests::test_passage;

#[cfg(test)]
mod tests;
