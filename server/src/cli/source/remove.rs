//! `lectern source remove`: takes a source and its documents out of a knowledge base.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::output;
use super::SourceName;
use crate::sources::declared;

/// Remove a source and its documents. The folders themselves stay as they are
#[derive(Debug, Args)]
pub struct RemoveArguments {
    #[command(flatten)]
    name: SourceName,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// Asks, then removes.
pub async fn run(context: &Context, arguments: RemoveArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (knowledge_base, source) = arguments.name.find(&lectern).await?;
    declared::require_undeclared(&context.config, &knowledge_base, &source)?;
    let totals = lectern.ledger.source_totals(source.id).await?;
    let question = format!(
        "Remove the source {} and its {} documents from {}?",
        source.name, totals.documents, knowledge_base.name
    );
    if !arguments.yes && !output::confirmed(&question)? {
        output::note("Nothing was removed.");
        return Ok(Exit::Done);
    }
    lectern.ingestion.remove_source(&knowledge_base, &source).await?;
    if context.json {
        output::json(&json!({ "removed": source, "documents": totals }))?;
    } else {
        output::line(format!(
            "Removed the source {} and its {} documents.",
            source.name, totals.documents
        ))?;
    }
    Ok(Exit::Done)
}
