//! `lectern source list`, `status` and `history`: what is known of sources, of their documents and of their jobs.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use lectern_domain::{Document, DocumentStatus, JobState};
use lectern_ingest::{DocumentFilter, Job, Source, SourceTotals};
use serde::Serialize;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::output;
use super::SourceName;
use crate::compose::Lectern;
use crate::sources;

/// Documents that are asked of the ledger at once.
const PAGE: usize = 1_000;

/// List the sources of a knowledge base with their last jobs
#[derive(Debug, Args)]
pub struct ListArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
}

/// Show how a source and each of its documents stand
#[derive(Debug, Args)]
#[command(after_help = "\
A document is `searchable` by nothing, by its words, or by its words and its meaning. `attempts` says how
often it was read until it stood as it stands.

Examples:
  lectern source status --kb papers reading
  lectern source status --kb papers reading --status failed
  lectern source status --kb papers reading --limit 0 --json | jq .totals")]
pub struct StatusArguments {
    #[command(flatten)]
    name: SourceName,
    /// Only documents that stand so: pending, indexed, skipped or failed
    #[arg(long, value_name = "STATUS", value_parser = document_status)]
    status: Option<DocumentStatus>,
    /// The most documents
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Show the jobs of a source, newest first
#[derive(Debug, Args)]
pub struct HistoryArguments {
    #[command(flatten)]
    name: SourceName,
    /// The most jobs
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// A source and how it stands.
#[derive(Debug, Serialize)]
struct Standing {
    source: Source,
    totals: SourceTotals,
    last_job: Option<Job>,
    /// When its schedule asks for the next sync.
    next_run: Option<DateTime<Utc>>,
}

/// Prints a line for each source.
pub async fn list(context: &Context, arguments: ListArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let knowledge_base = lectern.ledger.knowledge_base(&arguments.kb).await?;
    let mut all = Vec::new();
    for source in lectern.ledger.sources(knowledge_base.id).await? {
        all.push(standing(&lectern, source).await?);
    }
    if context.json {
        output::json(&json!({ "sources": all }))?;
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        output::note(format!(
            "There is no source yet. Add one with: lectern source add --kb {} --name NAME FOLDER",
            knowledge_base.name
        ));
        return Ok(Exit::Done);
    }
    output::line(table_of_sources(&all))?;
    Ok(Exit::Done)
}

/// Prints how a source stands, then its documents.
pub async fn status(context: &Context, arguments: StatusArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (knowledge_base, source) = arguments.name.find(&lectern).await?;
    let filter = DocumentFilter {
        status: arguments.status,
        source: Some(source.id),
    };
    let mut documents = Vec::new();
    let mut cursor = None;
    while documents.len() < arguments.limit {
        let wanted = PAGE.min(arguments.limit - documents.len());
        let page = lectern
            .ledger
            .documents(knowledge_base.id, filter, cursor.as_deref(), wanted)
            .await?;
        documents.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let standing = standing(&lectern, source).await?;
    if context.json {
        let Standing {
            source,
            totals,
            last_job,
            next_run,
        } = standing;
        output::json(&json!({
            "source": source, "totals": totals, "last_job": last_job, "next_run": next_run,
            "documents": documents, "next_cursor": cursor,
        }))?;
        return Ok(Exit::Done);
    }
    output::line(summary(&standing))?;
    if !documents.is_empty() {
        output::line(format!("\n{}", table_of_documents(&documents)))?;
    }
    if cursor.is_some() {
        output::note("There are more; --limit shows them, --status chooses.");
    }
    Ok(Exit::Done)
}

/// Prints a line for each job.
pub async fn history(context: &Context, arguments: HistoryArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (_, source) = arguments.name.find(&lectern).await?;
    let jobs = lectern.ledger.jobs_of_source(source.id, arguments.limit).await?;
    if context.json {
        output::json(&json!({ "source": source, "jobs": jobs }))?;
    } else if jobs.is_empty() {
        output::note(format!("The source {} was never synced.", source.name));
    } else {
        output::line(table_of_jobs(&jobs))?;
    }
    Ok(Exit::Done)
}

async fn standing(lectern: &Lectern, source: Source) -> Result<Standing> {
    let totals = lectern.ledger.source_totals(source.id).await?;
    let last_job = lectern
        .ledger
        .jobs_of_source(source.id, 1)
        .await?
        .into_iter()
        .next();
    Ok(Standing {
        next_run: sources::next_run(&source, Utc::now(), &lectern.config.ingestion),
        source,
        totals,
        last_job,
    })
}

fn table_of_sources(all: &[Standing]) -> String {
    let mut table = output::table(&[
        "source",
        "kind",
        "reads",
        "documents",
        "by meaning",
        "failed",
        "last job",
        "when",
        "next sync",
    ]);
    for Standing {
        source,
        totals,
        last_job,
        next_run,
    } in all
    {
        table.add_row([
            source.name.clone(),
            source.kind.clone(),
            sources::described(source),
            totals.documents.to_string(),
            share(totals),
            totals.failed.to_string(),
            last_job
                .as_ref()
                .map_or("never", |job| job.state.as_str())
                .to_owned(),
            last_job
                .as_ref()
                .map(|job| when(job.requested_at))
                .unwrap_or_default(),
            next_run.map(coming).unwrap_or_default(),
        ]);
    }
    output::align_right(&mut table, &[3, 4, 5]);
    table.to_string()
}

/// What stands above the documents of a source.
fn summary(standing: &Standing) -> String {
    let Standing {
        source,
        totals,
        last_job,
        next_run,
    } = standing;
    let mut lines = vec![format!("source     {} ({})", source.name, source.kind)];
    let reads = sources::described(source);
    if !reads.is_empty() {
        lines.push(format!("reads      {reads}"));
    }
    lines.push(format!(
        "documents  {}: {} indexed, {} pending, {} skipped, {} failed",
        totals.documents, totals.indexed, totals.pending, totals.skipped, totals.failed
    ));
    lines.push(format!(
        "searchable {} by words, {} of them by meaning too",
        totals.searchable_by_words, totals.searchable_by_meaning
    ));
    match last_job {
        None => lines.push("last job   none yet".to_owned()),
        Some(job) => lines.push(format!("last job   {}", told(job))),
    }
    if let Some(next_run) = next_run {
        let schedule = &source.settings.schedule;
        lines.push(format!("next sync  {} ({schedule})", coming(*next_run)));
    }
    lines.join("\n")
}

/// A job in a sentence.
fn told(job: &Job) -> String {
    let mut text = format!("{}, asked for {}", job.state.as_str(), when(job.requested_at));
    if let Some(took) = took(job) {
        text.push_str(&format!(", took {took}"));
    }
    if let Some(reason) = &job.reason {
        text.push_str(&format!("\n           {reason}"));
    }
    text
}

fn table_of_documents(documents: &[Document]) -> String {
    let mut table = output::table(&[
        "document",
        "status",
        "searchable",
        "version",
        "chunks",
        "attempts",
        "read",
        "reason",
    ]);
    for document in documents {
        table.add_row([
            document.key.clone(),
            document.status.as_str().to_owned(),
            document.searchable.in_words().to_owned(),
            document
                .current_version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            document.chunk_count.to_string(),
            document.attempts.to_string(),
            document.attempted_at.map(when).unwrap_or_default(),
            document.reason.clone().unwrap_or_default(),
        ]);
    }
    output::align_right(&mut table, &[3, 4, 5]);
    table.to_string()
}

fn table_of_jobs(jobs: &[Job]) -> String {
    let mut table = output::table(&[
        "asked for",
        "took",
        "state",
        "scanned",
        "new",
        "modified",
        "unchanged",
        "metadata",
        "skipped",
        "failed",
        "deleted",
        "reason",
    ]);
    for job in jobs {
        let counts = &job.counts;
        let mut row = vec![
            when(job.requested_at),
            took(job).unwrap_or_default(),
            job.state.as_str().to_owned(),
        ];
        row.extend(
            [
                counts.scanned,
                counts.new,
                counts.modified,
                counts.unchanged,
                counts.metadata_only,
                counts.skipped,
                counts.failed,
                counts.deleted,
            ]
            .map(|count| count.to_string()),
        );
        row.push(job.reason.clone().unwrap_or_default());
        table.add_row(row);
    }
    output::align_right(&mut table, &[1, 3, 4, 5, 6, 7, 8, 9, 10]);
    table.to_string()
}

fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// When a scheduled sync begins, for people.
fn coming(next_run: DateTime<Utc>) -> String {
    if next_run <= Utc::now() {
        return "due, once a server runs".to_owned();
    }
    when(next_run)
}

/// From the first begin to the end; nothing for a job that never began or goes on.
fn took(job: &Job) -> Option<String> {
    if job.state == JobState::Running {
        return None;
    }
    let milliseconds = (job.ended_at? - job.started_at?).num_milliseconds();
    Some(format!("{:.1} s", milliseconds as f64 / 1_000.0))
}

/// How many of the documents that can be found can be found by meaning.
fn share(totals: &SourceTotals) -> String {
    if totals.searchable_by_meaning == totals.searchable_by_words {
        return "all".to_owned();
    }
    format!(
        "{} of {}",
        totals.searchable_by_meaning, totals.searchable_by_words
    )
}

fn document_status(text: &str) -> Result<DocumentStatus, String> {
    let all = [
        DocumentStatus::Pending,
        DocumentStatus::Indexed,
        DocumentStatus::Skipped,
        DocumentStatus::Failed,
    ];
    all.into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| "it is none of pending, indexed, skipped and failed".to_owned())
}
