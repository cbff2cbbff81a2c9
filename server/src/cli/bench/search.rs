//! `lectern bench search`: the way of a question, step by step.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use lectern_domain::ports::{ChunkLookup as _, Connector, Embedder};
use lectern_domain::{Acl, ChunkId, DefaultAccess};
use lectern_ingest::KnowledgeBase;
use serde::Serialize;

use super::super::context::Context;
use super::super::output;
use super::super::progress::StepBar;
use crate::auth::Caller;
use crate::bench::search::asked::{Asked, AskedFigures};
use crate::bench::search::latency::Latency;
use crate::bench::search::memory::Resident;
use crate::bench::search::synthetic::{self, ContainingFigures, StepFigures, Synthetic, SyntheticFigures};
use crate::compose::Lectern;

/// Words of a chunk that make a question.
const WORDS_OF_CHUNK: usize = 8;
/// How often all questions are asked at the most while documents are taken in.
const MOST_ROUNDS: usize = 100;
/// Fewest questions of which one can say what 99 of 100 take.
const FEWEST_QUESTIONS: u16 = 100;

/// Which knowledge base is asked, and how.
#[derive(Debug, Args)]
pub(super) struct SearchBenchArguments {
    /// Ask this knowledge base
    #[arg(long, value_name = "NAME", required_unless_present = "synthetic")]
    kb: Option<String>,
    /// Ask what stands in this file, a question a line [default: words of its own chunks]
    #[arg(long, value_name = "FILE", requires = "kb")]
    questions: Option<PathBuf>,
    /// Ask again while these documents are taken in, into a knowledge base that is deleted afterwards
    #[arg(long, value_name = "DIR", requires = "kb")]
    beside_ingest: Option<PathBuf>,
    /// Make up a knowledge base of so many chunks, and compare what is found with an exact search
    #[arg(long, value_name = "CHUNKS", conflicts_with = "kb", value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    synthetic: Option<u64>,
    /// Make it up in this folder and keep it: another time it is asked as it is
    #[arg(long = "in", value_name = "FOLDER", requires = "synthetic")]
    folder: Option<PathBuf>,
    /// How many questions are asked
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u16).range(i64::from(FEWEST_QUESTIONS)..))]
    count: u16,
    /// How many ask at a time, in a second round
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    clients: u8,
}

/// The figures of a knowledge base that is there.
#[derive(Debug, Serialize)]
struct AskedReport {
    knowledge_base: String,
    alone: AskedFigures,
    clients: AskedFigures,
    beside_ingestion: Option<AskedFigures>,
    resident: Resident,
}

pub(super) async fn run(context: &Context, arguments: SearchBenchArguments) -> Result<()> {
    let bar = StepBar::start();
    let watch = |step: &str, done, of| bar.show(step, done, of);
    if let Some(chunks) = arguments.synthetic {
        let temporary = tempfile::Builder::new().prefix("lectern-bench-").tempdir()?;
        let folder = arguments.folder.as_deref().unwrap_or(temporary.path());
        let lectern = context.open_elsewhere(&temporary.path().join("data")).await?;
        let wanted = Synthetic {
            chunks,
            questions: usize::from(arguments.count),
            clients: usize::from(arguments.clients),
        };
        let embedder = Arc::clone(&lectern.embedder) as Arc<dyn Embedder>;
        let scope = Caller::at_the_terminal().read_scope();
        let figures = synthetic::run(wanted, folder, embedder, &scope, &watch).await?;
        drop(bar);
        return match context.json {
            true => output::json(&figures),
            false => show_synthetic(&figures),
        };
    }
    let name = arguments.kb.as_deref().context("name a knowledge base")?;
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(name).await?;
    let asked = Asked {
        searcher: Arc::clone(&lectern.searcher),
        base: knowledge_base.id,
        questions: Arc::new(questions(&lectern, &knowledge_base, arguments.questions.as_deref()).await?),
        scope: Caller::at_the_terminal().read_scope(),
    };
    let count = usize::from(arguments.count);
    let alone = asked.measure(count, 1, &watch).await?;
    let clients = asked
        .measure(count, usize::from(arguments.clients), &watch)
        .await?;
    let beside_ingestion = match &arguments.beside_ingest {
        Some(folder) => {
            let connector = super::files_in(context, folder)?;
            Some(beside_ingestion(&lectern, connector, &asked, count).await?)
        }
        None => None,
    };
    drop(bar);
    let report = AskedReport {
        knowledge_base: knowledge_base.name,
        alone,
        clients,
        beside_ingestion,
        resident: Resident::now(),
    };
    match context.json {
        true => output::json(&report),
        false => show_asked(&report),
    }
}

async fn questions(lectern: &Lectern, base: &KnowledgeBase, file: Option<&Path>) -> Result<Vec<String>> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(lines.map(str::to_owned).collect());
    }
    let chunks = lectern.words.chunks(base.id).await?;
    ensure!(!chunks.is_empty(), "{} has no documents to ask about", base.name);
    let step = chunks.len().div_ceil(usize::from(FEWEST_QUESTIONS) * 3).max(1);
    let some: Vec<ChunkId> = chunks.iter().step_by(step).map(|listed| listed.chunk).collect();
    let texts = lectern.ledger.look_up(base.id, &some).await?;
    let middle = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let from = words.len().saturating_sub(WORDS_OF_CHUNK) / 2;
        words[from..]
            .iter()
            .take(WORDS_OF_CHUNK)
            .copied()
            .collect::<Vec<_>>()
            .join(" ")
    };
    Ok(texts
        .iter()
        .map(|chunk| middle(&chunk.text))
        .filter(|text| !text.is_empty())
        .collect())
}

/// Asks one question after another for as long as documents are taken in.
async fn beside_ingestion(
    lectern: &Arc<Lectern>,
    connector: Arc<dyn Connector>,
    asked: &Asked,
    count: usize,
) -> Result<AskedFigures> {
    let (ledger, embedder) = (&lectern.ledger, &lectern.embedder);
    let name = format!("bench-{}", std::process::id());
    let base = ledger
        .create_knowledge_base(&name, "", embedder.model(), embedder.dimensions())
        .await?;
    let access = DefaultAccess(Acl::everyone());
    let source = ledger
        .ensure_source(base.id, "bench", "files", &serde_json::Value::Null, &access)
        .await?;
    let ingesting = {
        let (lectern, base) = (Arc::clone(lectern), base.clone());
        tokio::spawn(async move { super::super::ingest::sync(&lectern, &base, &source, connector).await })
    };
    let figures = asked
        .measure_while(count * MOST_ROUNDS, || !ingesting.is_finished())
        .await;
    let ingested = ingesting.await.context("ingestion ended in a panic")?;
    lectern.ingestion.delete_knowledge_base(&base).await?;
    ingested?;
    figures
}

fn row(name: &str, latency: &Latency) -> [String; 4] {
    [
        name.to_owned(),
        format!("{:.2}", latency.p50_ms),
        format!("{:.2}", latency.p95_ms),
        format!("{:.2}", latency.p99_ms),
    ]
}

fn show_asked(report: &AskedReport) -> Result<()> {
    let sides = [("alone", Some(&report.alone)), ("clients", Some(&report.clients))];
    let beside = [("beside ingestion", report.beside_ingestion.as_ref())];
    for (name, figures) in sides.into_iter().chain(beside) {
        let Some(figures) = figures else { continue };
        let mut table = output::table(&[name, "p50 ms", "p95 ms", "p99 ms"]);
        for (step, latency) in [
            ("embed", &figures.embed),
            ("vectors", &figures.vectors),
            ("words", &figures.words),
            ("recheck", &figures.recheck),
            ("marks and spelling", &figures.beside),
            ("total", &figures.total),
        ] {
            table.add_row(row(step, latency));
        }
        output::align_right(&mut table, &[1, 2, 3]);
        output::line(table.to_string())?;
        output::line(format!(
            "{} questions to {}, {} at a time.\n",
            figures.questions, report.knowledge_base, figures.clients
        ))?;
    }
    output::line(resident("Resident", report.resident))
}

fn show_synthetic(figures: &SyntheticFigures) -> Result<()> {
    let mut table = output::table(&["vectors that pass", "recall@10", "p50 ms", "p95 ms", "p99 ms"]);
    for filtered in &figures.vectors {
        let [passing, p50, p95, p99] = row(&format!("{} %", filtered.passing * 100.0), &filtered.latency);
        table.add_row([passing, format!("{:.3}", filtered.recall_at_10), p50, p95, p99]);
    }
    output::align_right(&mut table, &[0, 1, 2, 3, 4]);
    output::line(table.to_string())?;
    output::line(containing_table(&figures.words_containing))?;
    let of_clients = format!("{} at a time", figures.clients);
    for (name, steps) in [
        ("one by one", &figures.steps),
        (of_clients.as_str(), &figures.steps_of_clients),
    ] {
        output::line(steps_table(name, steps))?;
    }
    output::line(format!(
        "{} chunks made up and written in {:.0} s, the graph built in {:.0} s, the words merged in {:.0} s; {} on disk.",
        figures.chunks,
        figures.built.write_s,
        figures.built.optimise_vectors_s,
        figures.built.optimise_words_s,
        output::bytes(figures.built.disk_bytes)
    ))?;
    output::line(resident("Resident when built", figures.built.resident_built))?;
    output::line(resident(
        "Resident when opened anew and asked",
        figures.resident_opened,
    ))
}

fn containing_table(figures: &ContainingFigures) -> String {
    let mut table = output::table(&["words, a part of a text", "p50 ms", "p95 ms", "p99 ms"]);
    let passing = format!("{:.1} % of {} filters", figures.passing * 100.0, figures.filters);
    table.add_row(row(&passing, &figures.latency));
    output::align_right(&mut table, &[1, 2, 3]);
    table.to_string()
}

fn steps_table(name: &str, steps: &StepFigures) -> String {
    let mut table = output::table(&[name, "p50 ms", "p95 ms", "p99 ms"]);
    for (step, latency) in [
        ("embed", &steps.embed),
        ("vectors", &steps.vectors),
        ("words", &steps.words),
        ("fuse", &steps.fuse),
        ("total", &steps.total),
    ] {
        table.add_row(row(step, latency));
    }
    output::align_right(&mut table, &[1, 2, 3]);
    table.to_string()
}

fn resident(when: &str, resident: Resident) -> String {
    format!(
        "{when}: {} of its own and {} of mapped files.",
        output::bytes(resident.anonymous_bytes),
        output::bytes(resident.file_bytes)
    )
}
