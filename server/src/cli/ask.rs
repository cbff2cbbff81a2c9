//! `lectern ask`: answers a question with citations.
//!
//! The answer and its citations go to standard output, so that they can be kept; the sources that
//! were looked at come before, on standard error.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use futures::StreamExt;
use lectern_domain::ports::Generator;
use lectern_domain::{AnswerEvent, AnswerOutcome, Citation, TokenUsage};
use lectern_retrieval::SearchRequest;
use serde::Serialize;

use super::context::Context;
use super::exit::Exit;
use super::output;
use super::progress::Spinner;
use super::search::place;
use crate::auth::Caller;
use crate::compose::Lectern;

/// Passages that are searched for an answer; the best sentences of the best of them are used.
const PASSAGES: usize = 8;

/// Answers a question from the documents of a knowledge base, with citations.
#[derive(Debug, Args)]
#[command(after_help = "\
The answer is streamed as it is written. [1] points to the source with that number, listed below it.
Where nothing relevant is found, the answer says so and no model is asked.

Examples:
  lectern ask --kb papers \"What is HyDE?\"
  lectern ask --kb papers \"What is HyDE?\" --json | jq -r .text")]
pub struct AskArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// The most passages that are looked at
    #[arg(long, value_name = "N", default_value_t = PASSAGES)]
    top: usize,
    /// The question
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
}

/// A whole answer.
#[derive(Debug, Clone, Serialize)]
pub struct WholeAnswer {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub text: String,
    /// Why it ended.
    pub outcome: AnswerOutcome,
    /// What the text cites.
    pub citations: Vec<Citation>,
    /// What it could have cited.
    pub sources: Vec<Citation>,
    /// What it cost.
    pub usage: TokenUsage,
    /// Who wrote it.
    pub model: String,
}

/// Asks, prints the answer as it comes.
pub async fn run(context: &Context, arguments: AskArguments) -> Result<Exit> {
    let lectern = context.open().await?;
    let question = arguments.text.join(" ");
    let answer = answer(&lectern, &arguments.kb, &question, arguments.top, !context.json).await?;
    if context.json {
        output::json(&answer)?;
    }
    Ok(Exit::Done)
}

/// Searches, answers, and shows all of it while it comes if `shown`.
pub async fn answer(
    lectern: &Lectern,
    knowledge_base: &str,
    question: &str,
    top: usize,
    shown: bool,
) -> Result<WholeAnswer> {
    let knowledge_base = lectern.ledger.knowledge_base(knowledge_base).await?;
    let scope = Caller::at_the_terminal().read_scope();
    let request = SearchRequest {
        limit: top,
        ..SearchRequest::new(question)
    };
    let found = lectern
        .searcher
        .search(&scope, knowledge_base.id, &request)
        .await?;
    let relevant = found.relevant;
    if relevant && !lectern.generator.is_loaded() {
        let _spinner = shown.then(|| Spinner::start("loading the model that writes the answer"));
        lectern.generator.load().await?;
    }
    let mut events = std::pin::pin!(
        lectern
            .answerer
            .answer(question, found.into_passages(), relevant)
            .await?
    );
    let mut sources = Vec::new();
    let mut waiting: Option<Spinner> = None;
    while let Some(event) = events.next().await {
        match event.context("the answer broke off")? {
            AnswerEvent::Sources { sources: found } => {
                if shown {
                    show_sources(&found);
                    waiting = Some(Spinner::start("reading the sources"));
                }
                sources = found;
            }
            AnswerEvent::Token { text } => {
                drop(waiting.take());
                if shown {
                    output::piece(&text)?;
                }
            }
            AnswerEvent::Done {
                text,
                citations,
                outcome,
                usage,
            } => {
                drop(waiting.take());
                let model = lectern.generator.model().to_owned();
                let answer = WholeAnswer {
                    question: question.to_owned(),
                    text,
                    outcome,
                    citations,
                    sources,
                    usage,
                    model,
                };
                if shown {
                    show_end(&answer)?;
                }
                return Ok(answer);
            }
        }
    }
    Err(anyhow!("the answer ended before its end"))
}

fn show_sources(sources: &[Citation]) {
    if sources.is_empty() {
        return;
    }
    output::note("Sources looked at:");
    for source in sources {
        output::note(format!("  [{}] {}", source.number, place(&source.passage)));
    }
    output::note("");
}

fn show_end(answer: &WholeAnswer) -> Result<()> {
    output::line("")?;
    if answer.outcome == AnswerOutcome::Truncated {
        output::note("(The answer reached its limit of tokens.)");
    }
    if answer.citations.is_empty() {
        return Ok(());
    }
    output::line("")?;
    output::line(citation_list(&answer.citations))
}

/// The cited sources with their addresses, one per line.
pub fn citation_list(citations: &[Citation]) -> String {
    let lines: Vec<String> = citations
        .iter()
        .map(|citation| {
            format!(
                "[{}] {}\n    {}",
                citation.number,
                place(&citation.passage),
                citation.passage.uri
            )
        })
        .collect();
    lines.join("\n")
}
