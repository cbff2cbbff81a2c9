//! `lectern fsck`: proves that the ledger, both indexes and the stored texts agree, and mends what doesn't.

use anyhow::Result;
use clap::Args;
use lectern_ingest::KnowledgeBase;
use lectern_ingest::fsck::{FsckReport, IndexCheck, KnowledgeBaseCheck};
use lectern_ingest::repair::Repair;
use serde::Serialize;

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::compose::Lectern;

/// Checks that the ledger, both indexes and the stored texts agree; with --repair, mends what doesn't.
#[derive(Debug, Args)]
#[command(after_help = "\
Every chunk that may be seen must be in the index of words, once; those of documents that have their vectors must be in
the index of vectors, once; nothing else may be; each must be there for the readers of its document; every stored
text and vector must have the hash that it was stored under. Ends with 6 where something is wrong, and names it with --json.

--repair makes it right from the ledger and the stored texts, without asking the sources and, where the vectors are
stored, without the model. What can't be made from these (a stored text that is lost) is named, is found by nobody,
and is read again by the next sync of its source; the command ends with 6 then, too.

Examples:
  lectern fsck
  lectern fsck --kb papers --json
  lectern fsck --repair")]
pub struct FsckArguments {
    /// Check this knowledge base only
    #[arg(long, value_name = "NAME")]
    kb: Option<String>,
    /// Mend what is wrong, then check
    #[arg(long)]
    repair: bool,
    /// Look before anything puts in order what a crash left
    #[arg(long, conflicts_with = "repair")]
    as_found: bool,
}

/// What was mended, and what was found after that.
#[derive(Debug, Serialize)]
struct Account {
    /// What was mended, for each knowledge base; absent where nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<Vec<Repair>>,
    #[serde(flatten)]
    report: FsckReport,
}

/// Mends if that is asked, checks, prints what was found.
pub async fn run(context: &Context, arguments: FsckArguments) -> Result<Exit> {
    let lectern = match arguments.as_found {
        true => context.open_as_found().await?,
        false => context.open().await?,
    };
    let knowledge_base = match &arguments.kb {
        Some(name) => Some(lectern.ledger.knowledge_base(name).await?),
        None => None,
    };
    let repairs = match arguments.repair {
        true => Some(mend(&lectern, knowledge_base.as_ref()).await?),
        false => None,
    };
    let report = lectern.ingestion.fsck(knowledge_base.as_ref()).await?;
    let lost = repairs
        .iter()
        .flatten()
        .any(|repair| !repair.lost_texts.is_empty());
    let exit = if report.clean && !lost {
        Exit::Done
    } else {
        Exit::CheckFailed
    };
    let account = Account { repairs, report };
    if context.json {
        output::json(&account)?;
    } else {
        show(&account, arguments.repair)?;
    }
    Ok(exit)
}

/// Mends, then does what waits after that: pushed documents are read again, vectors are made again.
async fn mend(lectern: &Lectern, knowledge_base: Option<&KnowledgeBase>) -> Result<Vec<Repair>> {
    let repairs = lectern.ingestion.repair(knowledge_base).await?;
    let wait = |repair: &&Repair| repair.requeued > 0 || repair.waiting_for_vectors > 0;
    for repair in repairs.iter().filter(wait) {
        let id = repair.knowledge_base.to_string();
        let base = lectern.ledger.knowledge_base(&id).await?;
        if let Err(error) = lectern.prepare_ingestion(&base.embedding_model).await {
            output::note(format!("What was mended in {} still waits: {error}", base.name));
            continue;
        }
        lectern.ingestion.process_pending(&base).await?;
        lectern.ingestion.embed_pending(Some(base.id)).await?;
    }
    Ok(repairs)
}

fn show(account: &Account, asked_to_repair: bool) -> Result<()> {
    for repair in account.repairs.iter().flatten() {
        let mended = mended(repair);
        if mended.is_empty() {
            output::line(format!("{}: nothing to mend", repair.name))?;
        }
        for what in mended {
            output::line(format!("{}: {what}", repair.name))?;
        }
    }
    let report = &account.report;
    if report.checks.is_empty() {
        output::note("There is no knowledge base to check.");
        return Ok(());
    }
    output::line(table_of(report))?;
    if report.unreferenced_files > 0 {
        output::note(format!(
            "{} stored files belong to nothing; that is no fault.",
            report.unreferenced_files
        ));
    }
    if !report.clean && !asked_to_repair {
        output::note("`lectern fsck --repair` mends what can be mended without the sources.");
    }
    Ok(())
}

fn table_of(report: &FsckReport) -> String {
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
            found(check).join("\n"),
        ]);
    }
    output::align_right(&mut table, &[1, 3]);
    table.to_string()
}

/// What was found, a line each: the faults, or that there are none, then what is no fault.
fn found(check: &KnowledgeBaseCheck) -> Vec<String> {
    let mut lines = if check.clean {
        vec!["clean".to_owned()]
    } else {
        faults(check)
    };
    if check.words_only > 0 {
        lines.push(format!("{} documents wait for their vectors", check.words_only));
    }
    if check.without_vectors > 0 {
        lines.push(format!("{} documents can't get vectors", check.without_vectors));
    }
    lines
}

/// What is wrong, a line each.
fn faults(check: &KnowledgeBaseCheck) -> Vec<String> {
    let mut lines = Vec::new();
    let mut count = |count: u64, what: &str| {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    };
    count(check.files_damaged.count, "stored files are missing or damaged");
    count(check.vectors_damaged.count, "stored vectors are damaged");
    count(check.vectors_missing, "stored vectors are missing");
    count(check.torn_documents, "documents lack chunks");
    count(check.staged_versions, "versions are unfinished");
    count(check.retired_versions, "old versions are still in the indexes");
    count(
        check.owed_access,
        "documents have other permissions in the indexes",
    );
    count(check.running_jobs, "jobs are said to run and don't");
    if check.miscounted {
        lines.push("the counts of documents and chunks are wrong".to_owned());
    }
    lines.extend(check.indexes.iter().flat_map(index_faults));
    lines
}

fn index_faults(index: &IndexCheck) -> Vec<String> {
    let name = &index.index;
    if let Some(error) = &index.unreadable {
        return vec![format!("the index of {name} can't be read: {error}")];
    }
    let counts = [
        (index.missing.count, format!("chunks are missing in {name}")),
        (
            index.leftover.count,
            format!("chunks of unfinished or replaced versions are in {name}"),
        ),
        (index.ghost.count, format!("chunks in {name} belong to nothing")),
        (
            index.duplicate.count,
            format!("chunks are in {name} more than once"),
        ),
        (
            index.misfiled.count,
            format!("chunks are in {name} for other readers"),
        ),
    ];
    counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
}

/// What was mended in a knowledge base, a line each.
fn mended(repair: &Repair) -> Vec<String> {
    let mut lines: Vec<String> = repair
        .rebuilt
        .iter()
        .map(|index| format!("the index of {index} was made anew"))
        .collect();
    for (count, what) in [
        (
            repair.words_written,
            "chunks were brought into the index of words",
        ),
        (
            repair.words_removed,
            "chunks were taken out of the index of words",
        ),
        (
            repair.vectors_written,
            "chunks were brought into the index of vectors",
        ),
        (
            repair.vectors_removed,
            "chunks were taken out of the index of vectors",
        ),
        (
            repair.access_settled,
            "documents got their readers back in the indexes",
        ),
        (
            repair.damaged_vectors,
            "damaged vectors were removed, to be made again",
        ),
        (
            repair.waiting_for_vectors,
            "documents waited for vectors after that",
        ),
        (
            repair.requeued,
            "pushed documents were read again from their originals",
        ),
        (
            repair.lost_originals,
            "originals of pushed documents are lost; their texts are there",
        ),
    ] {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if repair.recounted {
        lines.push("documents and chunks were counted anew".to_owned());
    }
    for key in &repair.lost_texts {
        lines.push(format!(
            "the stored text of {key} is lost; the next sync of its source reads it again"
        ));
    }
    lines
}
