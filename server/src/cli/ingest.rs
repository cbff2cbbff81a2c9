//! `lectern ingest`: takes folders and files into a knowledge base, and later what changed in them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use lectern_domain::ports::Connector;
use lectern_domain::{Acl, DocumentStatus, JobCounts, JobState, Principal};
use lectern_ingest::{Cancellation, JobReport, KnowledgeBase, Progress, Source, SyncOptions};

use super::context::Context;
use super::exit::Exit;
use super::interrupt;
use super::output;
use super::progress::IngestBar;
use crate::compose::Lectern;
use crate::sources::{self, IfThere, NewSource};

/// The code of a job that would have deleted so much that it asks first.
const TOO_MANY_DELETES: &str = "too_many_deletes";

/// Takes folders and files into a knowledge base: new, changed and deleted documents.
#[derive(Debug, Args)]
#[command(after_help = "\
Given the same paths again, only what changed is read, and what is gone is taken out. A document that
can't be read is reported with its reason, keeps its earlier version if it had one, and makes the
command end with 4; the others are taken in. Ctrl-C stops after the documents that are being written;
the next run goes on from there. Where so much is gone that it may be a mistake, nothing is deleted and the command
ends with 7. This is `lectern source add` and `lectern source sync` in one, with a source that is named by its paths.

Examples:
  lectern ingest --kb papers ~/papers
  lectern ingest --kb papers --create ~/papers ~/notes/todo.md
  lectern ingest --kb staff --access group:staff ~/staff")]
pub struct IngestArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// Make the knowledge base if there is none of that name
    #[arg(long)]
    create: bool,
    /// Who may read the documents: everyone, user:NAME or group:NAME; can be given several times
    #[arg(long, value_name = "WHO", default_value = "everyone")]
    access: Vec<Principal>,
    /// Take in files and folders whose names begin with a dot, too
    #[arg(long)]
    hidden: bool,
    /// Delete the documents that are gone from the paths, however many they are
    #[arg(long)]
    allow_deletes: bool,
    /// Folders and files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs the job, prints what it did.
pub async fn run(context: &Context, arguments: IngestArguments) -> Result<Exit> {
    let ingestion = &context.config.ingestion;
    let new = NewSource {
        hidden: arguments.hidden,
        access: Acl::allowing(arguments.access),
        ..NewSource::of_paths(arguments.paths)
    };
    let lectern = context.open().await?;
    let resolved = new.resolve(ingestion)?;
    let knowledge_base = find_or_create(&lectern, &arguments.kb, arguments.create).await?;
    let defaults = ingestion.source_settings();
    let (source, _) = sources::add(
        &lectern.ledger,
        knowledge_base.id,
        resolved,
        IfThere::Replace,
        defaults,
    )
    .await?;
    let options = SyncOptions {
        allow_deletes: arguments.allow_deletes,
    };
    let connector = sources::open(&source)?;
    let report = run_job(&lectern, &knowledge_base, &source, connector, options).await?;
    if context.json {
        output::json(&report)?;
    } else {
        show(&report)?;
    }
    Ok(exit_of(&report))
}

/// Runs a job that asks for nothing special.
pub async fn sync(
    lectern: &Lectern,
    knowledge_base: &KnowledgeBase,
    source: &Source,
    connector: Arc<dyn Connector>,
) -> Result<JobReport> {
    run_job(lectern, knowledge_base, source, connector, SyncOptions::default()).await
}

/// Runs the job of a source that waits, or a new one, with a progress bar. Ctrl-C ends it well.
pub async fn run_job(
    lectern: &Lectern,
    knowledge_base: &KnowledgeBase,
    source: &Source,
    connector: Arc<dyn Connector>,
    options: SyncOptions,
) -> Result<JobReport> {
    lectern.prepare_ingestion(&knowledge_base.embedding_model).await?;
    lectern.ingestion.request_sync(source, options).await?;
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let _bar = IngestBar::follow(&progress);
    let asked = cancel.clone();
    let listener = tokio::spawn(async move {
        interrupt::asked_to_stop().await;
        output::note("Stopping after the documents that are being written ...");
        asked.cancel();
    });
    let report = lectern
        .ingestion
        .sync(knowledge_base, source, connector, progress, cancel)
        .await;
    listener.abort();
    Ok(report?)
}

/// Refuses the report of a job that didn't run to its end, for those who measure it.
pub fn require_complete(report: &JobReport) -> Result<()> {
    let reason = report.job.reason.as_deref().unwrap_or("no reason given");
    anyhow::ensure!(
        report.job.state == JobState::Complete,
        "the job ended as {}: {reason}",
        report.job.state.as_str()
    );
    Ok(())
}

/// The knowledge base of that name; made, if it may be and there is none.
pub async fn find_or_create(lectern: &Lectern, name: &str, create: bool) -> Result<KnowledgeBase> {
    match create {
        true => Ok(lectern.find_or_create(name).await?),
        false => Ok(lectern.ledger.knowledge_base(name).await?),
    }
}

/// Prints the table of counts, then every problem with its reason.
pub fn show(report: &JobReport) -> Result<()> {
    output::line(table_of(&report.job.counts))?;
    for problem in &report.problems {
        let what = if problem.status == DocumentStatus::Failed {
            "failed "
        } else {
            "skipped"
        };
        output::line(format!(
            "{what}  {}: {} ({})",
            problem.key, problem.reason, problem.code
        ))?;
    }
    if report.problems_left_out > 0 {
        output::line(format!(
            "... and {} more, all of them in the ledger",
            report.problems_left_out
        ))?;
    }
    let seconds = report.wall_ms as f64 / 1000.0;
    output::note(format!(
        "{} after {seconds:.1} s, {} chunks embedded{}.",
        match report.job.state {
            JobState::Complete => "Done",
            JobState::Stopped => "Stopped",
            _ => "Ended early",
        },
        report.chunks_embedded,
        if seconds > 0.0 && report.chunks_embedded > 0 {
            format!(" ({:.1}/s)", report.chunks_embedded as f64 / seconds)
        } else {
            String::new()
        }
    ));
    if let Some(reason) = &report.job.reason {
        output::note(format!("reason: {reason}"));
    }
    Ok(())
}

fn table_of(counts: &JobCounts) -> String {
    let mut table = output::table(&["documents", "count"]);
    for (name, count) in [
        ("new", counts.new),
        ("modified", counts.modified),
        ("unchanged", counts.unchanged),
        ("metadata only", counts.metadata_only),
        ("deleted", counts.deleted),
        ("skipped", counts.skipped),
        ("failed", counts.failed),
    ] {
        table.add_row([name.to_owned(), count.to_string()]);
    }
    output::align_right(&mut table, &[1]);
    table.to_string()
}

/// How the command ends whose job this was.
pub fn exit_of(report: &JobReport) -> Exit {
    let reason = report.job.reason.as_deref().unwrap_or_default();
    match report.job.state {
        JobState::Stopped if reason.starts_with(TOO_MANY_DELETES) => Exit::Asks,
        JobState::Stopped => Exit::Interrupted,
        JobState::Failed => Exit::Failed,
        _ if report.job.counts.failed > 0 => Exit::DocumentsFailed,
        _ => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_accounts_for_every_kind() {
        let counts = JobCounts {
            scanned: 1237,
            new: 1200,
            modified: 1,
            unchanged: 30,
            metadata_only: 3,
            deleted: 2,
            skipped: 1,
            failed: 2,
        };
        let table = table_of(&counts);
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        for row in [
            ["new", "1200"],
            ["modified", "1"],
            ["unchanged", "30"],
            ["deleted", "2"],
            ["skipped", "1"],
            ["failed", "2"],
        ] {
            assert!(rows.contains(&row.to_vec()), "{row:?} is missing in\n{table}");
        }
    }
}
