//! `lectern bench`: measures this machine.

mod search;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use lectern_connectors::SourceConfig;
use lectern_connectors::files::FilesConfig;
use lectern_domain::ports::{Connector, Embedder};
use lectern_generation::bench::{BenchReport, BenchSettings};
use lectern_ingest::chunk::Chunking;

use super::context::Context;
use super::exit::Exit;
use super::output;
use super::progress::Spinner;
use super::source;
use crate::auth::Caller;
use crate::bench::chunking::questions::Corpora;
use crate::bench::chunking::{self, ChunkingFigures};
use crate::bench::ingest::{self, IngestBench, Workload};

/// Measures how fast this machine takes documents in and answers.
#[derive(Debug, Args)]
#[command(after_help = "\
Run it on a machine that does nothing else.

Examples:
  lectern bench ingest ~/papers
  lectern bench ingest ~/papers --rounds 4 --json | jq .ratio
  lectern bench answer
  lectern bench search --kb papers --beside-ingest ~/more-papers
  lectern bench search --synthetic 100000
  lectern bench chunking ~/chunking-evaluation
  lectern bench chunking ~/chunking-evaluation --chunking fixed,max_tokens=128")]
pub struct BenchArguments {
    #[command(subcommand)]
    what: BenchKind,
}

#[derive(Debug, Subcommand)]
enum BenchKind {
    /// Measure the pipeline against bare ONNX Runtime, on the same chunks and threads
    Ingest {
        /// The documents
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// How often either side runs
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
    /// Measure how much of what answers a question each chunking strategy finds
    Chunking {
        /// `corpora/NAME.md`, and `questions_df.csv` with the columns `question`, `references`, `corpus_id`
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// How documents are cut; can be given several times [default: every way that cuts, with its own sizes]
        #[arg(long, value_name = "STRATEGY[,KEY=N...]", value_parser = source::chunking)]
        chunking: Vec<Chunking>,
    },
    /// Measure each step of a search, on a knowledge base that is there or one made up
    Search(search::SearchBenchArguments),
    /// Measure the generator: time to the first token, prompt and output tokens per second
    Answer {
        /// How many answers are written
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
}

/// Measures, prints the figures.
pub async fn run(context: &Context, arguments: BenchArguments) -> Result<Exit> {
    if let BenchKind::Search(arguments) = arguments.what {
        search::run(context, arguments).await?;
        return Ok(Exit::Done);
    }
    let folder = tempfile::Builder::new()
        .prefix("lectern-bench-")
        .tempdir()
        .context("can't make a temporary folder")?;
    let lectern = context.open_elsewhere(folder.path()).await?;
    match arguments.what {
        // Above.
        BenchKind::Search(_) => {}
        BenchKind::Ingest { folder, rounds } => {
            let workload = Workload {
                lectern: &lectern,
                connector: files_in(context, &folder)?,
                rounds: usize::from(rounds),
            };
            let figures = ingest::run(&workload).await?;
            if context.json {
                output::json(&figures)?
            } else {
                show_ingest(&figures)?
            }
        }
        BenchKind::Chunking { folder, chunking } => {
            let strategies = if chunking.is_empty() {
                let limit = lectern.embedder.max_tokens();
                // Uncut, five chunks are five whole documents: all of a small corpus, and all of its text.
                let cuts = |chunking: &Chunking| !matches!(chunking, Chunking::None {});
                let named = Chunking::STRATEGIES.map(|name| Chunking::named(name, limit));
                named.into_iter().flatten().filter(cuts).collect()
            } else {
                chunking
            };
            let corpora = Corpora::read(&folder)?;
            let connector = files_in(context, &folder.join("corpora"))?;
            let scope = Caller::at_the_terminal().read_scope();
            let figures = chunking::run(&lectern, &connector, &corpora, &strategies, &scope).await?;
            if context.json {
                output::json(&figures)?
            } else {
                show_chunking(&figures)?
            }
        }
        BenchKind::Answer { rounds } => {
            let settings = BenchSettings {
                runs: usize::from(rounds),
                ..BenchSettings::default()
            };
            let generator = lectern.generator.load().await?;
            let spinner = Spinner::start("writing answers");
            let figures = lectern_generation::bench::measure(generator.as_ref(), settings).await?;
            drop(spinner);
            if context.json {
                output::json(&figures)?
            } else {
                show_answer(&figures)?
            }
        }
    }
    Ok(Exit::Done)
}

fn files_in(context: &Context, folder: &Path) -> Result<Arc<dyn Connector>> {
    let root = std::path::absolute(folder).context("can't use the folder")?;
    let config = SourceConfig::Files(FilesConfig {
        max_file_bytes: context.config.ingestion.max_file_bytes(),
        ..FilesConfig::new(vec![root])
    });
    Ok(Arc::from(lectern_connectors::open(&config)?))
}

fn show_chunking(all: &[ChunkingFigures]) -> Result<()> {
    let mut table = output::table(&[
        "chunking",
        "chunks",
        "tokens each",
        "s",
        "found by",
        "recall@5",
        "precision@5",
        "IoU@5",
        "characters",
        "recall in 4,000",
    ]);
    for figures in all {
        let parents = figures.hybrid_parents.map(|parents| ("hybrid, parents", parents));
        let rows = [("hybrid", figures.hybrid), ("vector", figures.vector)];
        for (found_by, spans) in rows.into_iter().chain(parents) {
            table.add_row([
                figures.chunking.to_string(),
                figures.chunks.to_string(),
                format!("{:.0}", figures.tokens_per_chunk),
                format!("{:.0}", figures.ingest_s),
                found_by.to_owned(),
                format!("{:.3}", spans.recall),
                format!("{:.3}", spans.precision),
                format!("{:.3}", spans.iou),
                format!("{:.0}", spans.characters),
                format!("{:.3}", spans.recall_of_reading),
            ]);
        }
    }
    output::align_right(&mut table, &[1, 2, 3, 5, 6, 7, 8, 9]);
    output::line(table.to_string())
}

fn show_ingest(figures: &IngestBench) -> Result<()> {
    let mut sweep = output::table(&["sessions", "threads each", "batch", "chunks/s on a sample"]);
    for result in &figures.sweep {
        sweep.add_row([
            result.setting.sessions.to_string(),
            result.setting.threads.to_string(),
            result.setting.batch.to_string(),
            format!("{:.1}", result.chunks_per_s),
        ]);
    }
    output::align_right(&mut sweep, &[0, 1, 2, 3]);
    output::line("Bare ONNX Runtime:")?;
    output::line(sweep.to_string())?;
    let best = figures.bare_best;
    let mut table = output::table(&["", "chunks/s", "tokens/s"]);
    table.add_row([
        "pipeline".to_owned(),
        format!("{:.1}", figures.chunks_per_s),
        format!("{:.0}", figures.tokens_per_s),
    ]);
    table.add_row([
        format!(
            "bare, {} x {} threads, batch {}",
            best.sessions, best.threads, best.batch
        ),
        format!("{:.1}", figures.bare_chunks_per_s),
        format!("{:.0}", figures.bare_tokens_per_s),
    ]);
    output::align_right(&mut table, &[1, 2]);
    output::line(table.to_string())?;
    output::line(format!(
        "{} documents, {} chunks, {} tokens on {} threads; the pipeline reaches {:.3} of bare ONNX Runtime.",
        figures.documents, figures.chunks, figures.tokens, figures.threads, figures.ratio
    ))
}

fn show_answer(figures: &BenchReport) -> Result<()> {
    let mut table = output::table(&[figures.model.as_str(), "median"]);
    for (name, value) in [
        (
            "time to the first token, ms",
            format!("{:.0}", figures.first_token_ms),
        ),
        ("prompt tokens", figures.prompt_tokens.to_string()),
        ("prompt tokens/s", format!("{:.1}", figures.prompt_tokens_per_s)),
        ("output tokens", figures.output_tokens.to_string()),
        ("output tokens/s", format!("{:.1}", figures.output_tokens_per_s)),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    output::align_right(&mut table, &[1]);
    output::line(table.to_string())
}
