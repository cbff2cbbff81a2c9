//! `lectern fsck`: proves that the ledger, both indexes and the stored texts agree.

use anyhow::Result;
use clap::Args;
use lectern_ingest::fsck::{FsckReport, KnowledgeBaseCheck};

use super::context::Context;
use super::exit::Exit;
use super::output;

/// Checks that the ledger, both indexes and the stored texts agree.
#[derive(Debug, Args)]
#[command(after_help = "\
Every chunk that may be seen must be in both indexes, once; nothing else may be; every stored text
must have the hash that is its name. Ends with 6 where something is wrong, and names it with --json.

Examples:
  lectern fsck
  lectern fsck --kb papers --json")]
pub struct FsckArguments {
    /// Check this knowledge base only
    #[arg(long, value_name = "NAME")]
    kb: Option<String>,
}

/// Checks, prints what was found.
pub async fn run(context: &Context, arguments: FsckArguments) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_base = match &arguments.kb {
        Some(name) => Some(lectern.ledger.knowledge_base(name).await?),
        None => None,
    };
    let report = lectern.ingestion.fsck(knowledge_base.as_ref()).await?;
    if context.json {
        output::json(&report)?;
    } else {
        show(&report)?;
    }
    Ok(if report.clean {
        Exit::Done
    } else {
        Exit::CheckFailed
    })
}

fn show(report: &FsckReport) -> Result<()> {
    if report.checks.is_empty() {
        output::note("There is no knowledge base to check.");
        return Ok(());
    }
    let mut table = output::table(&["knowledge base", "chunks", "indexes", "texts read", "found"]);
    for check in &report.checks {
        let indexes: Vec<String> = check
            .indexes
            .iter()
            .map(|index| format!("{} {}", index.index, index.chunks))
            .collect();
        table.add_row([
            check.name.clone(),
            check.ledger_chunks.to_string(),
            indexes.join(", "),
            check.files_checked.to_string(),
            if check.clean {
                "clean".to_owned()
            } else {
                faults(check).join("\n")
            },
        ]);
    }
    output::align_right(&mut table, &[1, 3]);
    output::line(table.to_string())?;
    if report.unreferenced_files > 0 {
        output::note(format!(
            "{} stored files belong to nothing; that is no fault.",
            report.unreferenced_files
        ));
    }
    Ok(())
}

/// What is wrong, a line each.
fn faults(check: &KnowledgeBaseCheck) -> Vec<String> {
    let mut counts = vec![
        (
            check.files_damaged.count,
            "stored files are missing or damaged".to_owned(),
        ),
        (check.torn_documents, "documents lack chunks".to_owned()),
        (check.staged_versions, "versions are unfinished".to_owned()),
        (
            check.retired_versions,
            "old versions are still in the indexes".to_owned(),
        ),
        (
            check.owed_access,
            "documents have other permissions in the indexes".to_owned(),
        ),
        (check.running_jobs, "jobs are said to run and don't".to_owned()),
    ];
    for index in &check.indexes {
        counts.push((
            index.missing.count,
            format!("chunks are missing in {}", index.index),
        ));
        counts.push((
            index.ghost.count,
            format!("chunks in {} belong to nothing", index.index),
        ));
        counts.push((
            index.duplicate.count,
            format!("chunks are in {} more than once", index.index),
        ));
    }
    counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
}
