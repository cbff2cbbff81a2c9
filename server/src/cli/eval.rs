//! `lectern eval`: measures the search against judged queries.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use lectern_domain::ports::{Connector, Embedder};
use lectern_domain::{Acl, DefaultAccess};
use lectern_ingest::{JobReport, KnowledgeBase};
use lectern_retrieval::SearchMode;

use super::context::Context;
use super::exit::Exit;
use super::{ingest, output};
use crate::auth::Caller;
use crate::compose::Lectern;
use crate::eval::connector::CorpusConnector;
use crate::eval::dataset::Dataset;
use crate::eval::report::{CorpusFigures, EvalReport};
use crate::eval::runs::measure;

/// Measures how well the search finds what people judged to be right.
#[derive(Debug, Args)]
#[command(after_help = "\
DIR holds corpus.jsonl ({_id, title, text} in each line), queries.jsonl ({_id, text}) and qrels.tsv (query,
document, grade, below a header): the layout of BEIR. The corpus goes through the ordinary pipeline
into a temporary knowledge base. Measured as trec_eval does: nDCG@10 with the grade as gain,
Recall@10 and @100, MAP of the first 100, MRR@10; times are those of an ordinary search for ten passages, in
milliseconds, with the embedding of the question.

Examples:
  lectern eval ~/beir/scifact
  lectern eval ~/beir/scifact --json | jq '.hybrid[\"ndcg@10\"]'")]
pub struct EvalArguments {
    /// A folder in the layout of BEIR
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Keep the temporary data folder, and say where it is
    #[arg(long)]
    keep: bool,
}

/// Ingests, asks, prints.
pub async fn run(context: &Context, arguments: EvalArguments) -> Result<Exit> {
    let dataset = Dataset::read(&arguments.folder)?;
    let mut folder = tempfile::Builder::new()
        .prefix("lectern-eval-")
        .tempdir()
        .context("can't make a temporary folder")?;
    folder.disable_cleanup(arguments.keep);
    let lectern = context.open_elsewhere(folder.path()).await?;
    let (knowledge_base, job) = take_in(&lectern, &dataset).await?;
    let scope = Caller::at_the_terminal().read_scope();
    let mut report = EvalReport {
        corpus: CorpusFigures {
            documents: job.job.counts.new,
            chunks: job.chunks_embedded,
            left_out: job.job.counts.skipped + job.job.counts.failed,
            queries: dataset.queries.len(),
            ingest_s: job.wall_ms as f64 / 1000.0,
        },
        ..EvalReport::default()
    };
    for (mode, figures) in [
        (SearchMode::Lexical, &mut report.lexical),
        (SearchMode::Vector, &mut report.vector),
        (SearchMode::Hybrid, &mut report.hybrid),
    ] {
        *figures = measure(
            &lectern.searcher,
            &scope,
            knowledge_base.id,
            &dataset.queries,
            mode,
        )
        .await?;
    }
    if context.json {
        output::json(&report)?;
    } else {
        show(&report)?;
    }
    if arguments.keep {
        output::note(format!("Kept in {}", folder.path().display()));
    }
    Ok(Exit::Done)
}

async fn take_in(lectern: &Lectern, dataset: &Dataset) -> Result<(KnowledgeBase, JobReport)> {
    let embedder = &lectern.embedder;
    let knowledge_base = lectern
        .ledger
        .create_knowledge_base("eval", "", embedder.model(), embedder.dimensions())
        .await?;
    let access = DefaultAccess(Acl::everyone());
    let source = lectern
        .ledger
        .ensure_source(
            knowledge_base.id,
            "corpus",
            "corpus",
            &serde_json::Value::Null,
            &access,
        )
        .await?;
    let connector: Arc<dyn Connector> = Arc::new(CorpusConnector::new(dataset.documents.clone()));
    let report = ingest::sync(lectern, &knowledge_base, &source, connector).await?;
    ingest::require_complete(&report)?;
    Ok((knowledge_base, report))
}

fn show(report: &EvalReport) -> Result<()> {
    let corpus = report.corpus;
    output::line(format!(
        "{} documents in {} chunks, taken in within {:.1} s ({} left out); {} judged queries",
        corpus.documents, corpus.chunks, corpus.ingest_s, corpus.left_out, corpus.queries
    ))?;
    let mut table = output::table(&[
        "mode",
        "nDCG@10",
        "Recall@10",
        "Recall@100",
        "MAP",
        "MRR@10",
        "p50 ms",
        "p95 ms",
        "p99 ms",
    ]);
    report.fill(&mut table);
    output::align_right(&mut table, &[1, 2, 3, 4, 5, 6, 7, 8]);
    output::line(table.to_string())
}
