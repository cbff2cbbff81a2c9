//! The pipeline against bare ONNX Runtime, on the same chunks, in one run.
//!
//! A first run of the pipeline makes the chunks. The bare side then tries every setting of its
//! [`sweep`] on a sample of them, and its best setting is timed on all of them. The two sides take
//! turns (pipeline, bare, bare, pipeline), so that neither has the cooler or the warmer machine; times of the
//! same side are added. Loading the models counts for neither.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lectern_domain::ports::{ChunkLookup, Connector, Embedder};
use lectern_domain::{Acl, ChunkId, DefaultAccess, LedgerChunk};
use lectern_ingest::{JobReport, KnowledgeBase};
use serde::Serialize;

use super::bare::{BareRequest, BareSetting, measure, sweep};
use super::tokens::tokenise;
use crate::compose::Lectern;
use crate::config::cores;

/// Chunks of the sample on which the settings are tried.
const SAMPLE: usize = 128;
/// Chunks that are looked up in the ledger at a time.
const LOOK_UP: usize = 500;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IngestBench {
    /// Chunks per second of the pipeline over those of bare ONNX Runtime at its best.
    pub ratio: f64,
    /// The whole pipeline: reading, cutting, embedding, writing both indexes and the ledger.
    pub chunks_per_s: f64,
    /// The same in tokens of the embedder.
    pub tokens_per_s: f64,
    /// Bare ONNX Runtime at its best setting.
    pub bare_chunks_per_s: f64,
    /// The same in tokens of the embedder.
    pub bare_tokens_per_s: f64,
    /// That setting.
    pub bare_best: BareSetting,
    /// Every setting, on the sample.
    pub sweep: Vec<SweepResult>,
    /// Documents that were taken in, in each run.
    pub documents: u64,
    /// Chunks that were embedded, in each run.
    pub chunks: u64,
    /// Tokens that were embedded, in each run, special ones included.
    pub tokens: u64,
    /// Threads that either side had.
    pub threads: usize,
    /// Times of the pipeline, in seconds.
    pub pipeline_s: Vec<f64>,
    /// Times of bare ONNX Runtime, in seconds.
    pub bare_s: Vec<f64>,
}

/// How fast one setting of bare ONNX Runtime was on the sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SweepResult {
    /// The setting.
    #[serde(flatten)]
    pub setting: BareSetting,
    /// Its speed.
    pub chunks_per_s: f64,
}

/// What is measured over and over: documents, and who runs a job on them.
pub struct Workload<'a> {
    /// The whole of Lectern, over a temporary folder.
    pub lectern: &'a Lectern,
    /// Where the documents are.
    pub connector: Arc<dyn Connector>,
    /// Rounds, each with one run of either side.
    pub rounds: usize,
}

/// Measures both sides.
pub async fn run(workload: &Workload<'_>) -> Result<IngestBench> {
    let (knowledge_base, first) = run_pipeline(workload, 0).await?;
    ensure!(
        first.chunks_embedded > 0,
        "there is nothing to embed in this folder"
    );
    let mut texts = chunk_texts(workload.lectern, &knowledge_base).await?;
    ensure!(
        texts.len() as u64 == first.chunks_embedded + first.chunks_reused,
        "the ledger has other chunks than were embedded"
    );
    forget(workload, &knowledge_base).await?;
    // What stands there twice is embedded once, by either side.
    texts.sort_unstable();
    texts.dedup();
    let mut request = bare_request(workload.lectern, &texts)?;
    let sweep = try_settings(&request).await?;
    let best = sweep
        .iter()
        .max_by(|left, right| left.chunks_per_s.total_cmp(&right.chunks_per_s))
        .context("no setting was tried")?
        .setting;
    request.settings = vec![best];

    let mut pipeline_s = vec![seconds(&first)];
    let mut bare_s = vec![run_bare(&request).await?];
    for round in 1..workload.rounds {
        if round % 2 == 1 {
            bare_s.push(run_bare(&request).await?);
            pipeline_s.push(run_again(workload, round).await?);
        } else {
            pipeline_s.push(run_again(workload, round).await?);
            bare_s.push(run_bare(&request).await?);
        }
    }
    Ok(summed_up(
        &first,
        &request.texts,
        best,
        sweep,
        (pipeline_s, bare_s),
    ))
}

fn summed_up(
    first: &JobReport,
    texts: &[Vec<u32>],
    bare_best: BareSetting,
    sweep: Vec<SweepResult>,
    (pipeline_s, bare_s): (Vec<f64>, Vec<f64>),
) -> IngestBench {
    let per_second =
        |count: u64, times: &[f64]| count as f64 * times.len() as f64 / times.iter().sum::<f64>();
    let chunks = texts.len() as u64;
    let tokens = texts.iter().map(|tokens| tokens.len() as u64).sum();
    IngestBench {
        ratio: per_second(chunks, &pipeline_s) / per_second(chunks, &bare_s),
        chunks_per_s: per_second(chunks, &pipeline_s),
        tokens_per_s: per_second(tokens, &pipeline_s),
        bare_chunks_per_s: per_second(chunks, &bare_s),
        bare_tokens_per_s: per_second(tokens, &bare_s),
        bare_best,
        sweep,
        documents: first.job.counts.new,
        chunks,
        tokens,
        threads: cores(),
        pipeline_s,
        bare_s,
    }
}

fn seconds(report: &JobReport) -> f64 {
    report.wall_ms as f64 / 1000.0
}

/// One run of the whole pipeline, into a knowledge base of its own.
async fn run_pipeline(workload: &Workload<'_>, round: usize) -> Result<(KnowledgeBase, JobReport)> {
    let lectern = workload.lectern;
    let embedder = &lectern.embedder;
    let name = format!("round-{round}");
    let knowledge_base = lectern
        .ledger
        .create_knowledge_base(&name, "", embedder.model(), embedder.dimensions())
        .await?;
    let access = DefaultAccess(Acl::everyone());
    let source = lectern
        .ledger
        .ensure_source(
            knowledge_base.id,
            "bench",
            "files",
            &serde_json::Value::Null,
            &access,
        )
        .await?;
    let report =
        crate::cli::ingest::sync(lectern, &knowledge_base, &source, Arc::clone(&workload.connector)).await?;
    crate::cli::ingest::require_complete(&report)?;
    Ok((knowledge_base, report))
}

/// The same, forgotten at once. Gives how long it took, in seconds.
async fn run_again(workload: &Workload<'_>, round: usize) -> Result<f64> {
    let (knowledge_base, report) = run_pipeline(workload, round).await?;
    forget(workload, &knowledge_base).await?;
    Ok(seconds(&report))
}

/// Deletes a knowledge base with the vectors that were stored for it: the next run has to make them itself.
async fn forget(workload: &Workload<'_>, knowledge_base: &KnowledgeBase) -> Result<()> {
    workload
        .lectern
        .ingestion
        .delete_knowledge_base(knowledge_base)
        .await?;
    Ok(())
}

/// What the embedder read: the text of every chunk below its title path.
async fn chunk_texts(lectern: &Lectern, knowledge_base: &KnowledgeBase) -> Result<Vec<String>> {
    let chunks = lectern.words.chunks(knowledge_base.id).await?;
    let ids: Vec<ChunkId> = chunks.into_iter().map(|listed| listed.chunk).collect();
    let mut texts = Vec::with_capacity(ids.len());
    for ids in ids.chunks(LOOK_UP) {
        let chunks = lectern.ledger.look_up(knowledge_base.id, ids).await?;
        texts.extend(chunks.iter().map(LedgerChunk::text_to_embed));
    }
    Ok(texts)
}

fn bare_request(lectern: &Lectern, texts: &[String]) -> Result<BareRequest> {
    let files = lectern.models.embedder_files(lectern.embedder.name())?;
    Ok(BareRequest {
        texts: tokenise(Path::new(&files.tokenizer), texts, lectern.embedder.max_tokens())?,
        library: files.onnx_runtime,
        model: files.model,
        settings: Vec::new(),
    })
}

/// Every setting on a sample that is spread evenly over the chunks.
async fn try_settings(request: &BareRequest) -> Result<Vec<SweepResult>> {
    let step = request.texts.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<Vec<u32>> = request.texts.iter().step_by(step).cloned().collect();
    let count = sample.len() as f64;
    let request = BareRequest {
        library: request.library.clone(),
        model: request.model.clone(),
        texts: sample,
        settings: sweep(cores()),
    };
    let timings = measure(&request).await?;
    Ok(timings
        .into_iter()
        .map(|timing| SweepResult {
            setting: timing.setting,
            chunks_per_s: count / timing.seconds,
        })
        .collect())
}

async fn run_bare(request: &BareRequest) -> Result<f64> {
    let timings = measure(request).await?;
    Ok(timings
        .first()
        .context("bare ONNX Runtime gave no timing")?
        .seconds)
}
