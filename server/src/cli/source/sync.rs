//! `lectern source sync` and `stop`: runs the job of a source here, or gives one up that waits.

use anyhow::Result;
use clap::Args;
use lectern_ingest::SyncOptions;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::{ingest, output};
use super::SourceName;
use crate::sources;

/// Sync a source: take in what is new or changed, take out what is gone
#[derive(Debug, Args)]
#[command(after_help = "\
Where a job of the source was interrupted, it goes on from there, under its id. Ctrl-C stops a job after
the documents that are being written; what it did stays. Ends with 4 where documents failed, and with 7 where the
job would delete so much that it asks first.

Examples:
  lectern source sync --kb papers reading
  lectern source sync --kb papers reading --allow-deletes")]
pub struct SyncArguments {
    #[command(flatten)]
    name: SourceName,
    /// Delete the documents that are gone from the source, however many they are
    #[arg(long)]
    allow_deletes: bool,
}

/// Give up the job of a source that waits to go on
#[derive(Debug, Args)]
#[command(after_help = "\
A job that was interrupted waits until the source is synced or a server starts. This ends it instead, as
stopped. A job that a server is working on is stopped with DELETE .../ingestions/JOB.

Examples:
  lectern source stop --kb papers reading")]
pub struct StopArguments {
    #[command(flatten)]
    name: SourceName,
}

/// Runs the job, prints what it did.
pub async fn run(context: &Context, arguments: SyncArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (knowledge_base, source) = arguments.name.find(&lectern).await?;
    let connector = sources::open(&source)?;
    let options = SyncOptions {
        allow_deletes: arguments.allow_deletes,
    };
    let report = ingest::run_job(&lectern, &knowledge_base, &source, connector, options).await?;
    if context.json {
        output::json(&report)?;
    } else {
        ingest::show(&report)?;
    }
    Ok(ingest::exit_of(&report))
}

/// Ends what waits.
pub async fn stop(context: &Context, arguments: StopArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (_, source) = arguments.name.find(&lectern).await?;
    let mut stopped = Vec::new();
    for job in lectern.ledger.jobs_of_source(source.id, 100).await? {
        if job.ended_at.is_none() {
            stopped.push(lectern.ingestion.stop(job.id).await?);
        }
    }
    if context.json {
        output::json(&json!({ "stopped": stopped }))?;
    } else if stopped.is_empty() {
        output::note(format!("No job of the source {} waits.", source.name));
    } else {
        output::line(format!("Gave up the job of the source {}.", source.name))?;
    }
    Ok(Exit::Done)
}
