//! `lectern kb`: makes, lists and deletes knowledge bases.

use anyhow::Result;
use clap::{Args, Subcommand};
use lectern_domain::ports::Embedder;
use lectern_ingest::KnowledgeBase;
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;

/// Makes, lists and deletes knowledge bases.
#[derive(Debug, Args)]
#[command(after_help = "\
A knowledge base is a set of documents that is searched together.

Examples:
  lectern kb create papers --description \"What we cite\"
  lectern kb list --json
  lectern kb delete papers")]
pub struct KbArguments {
    #[command(subcommand)]
    action: KbAction,
}

#[derive(Debug, Subcommand)]
enum KbAction {
    /// Make a knowledge base
    Create {
        /// Its name: 1 to 64 of the characters a-z, 0-9, - and _
        name: String,
        /// What it is about, for people
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
    },
    /// List the knowledge bases with their sizes
    List,
    /// Delete a knowledge base: its index and what was pushed to it. Folders that it was made from stay
    Delete {
        /// Its name or id
        name: String,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Does what is asked.
pub async fn run(context: &Context, arguments: KbArguments) -> Result<Exit> {
    match arguments.action {
        KbAction::Create { name, description } => create(context, &name, &description).await,
        KbAction::List => list(context).await,
        KbAction::Delete { name, yes } => delete(context, &name, yes).await,
    }
}

async fn create(context: &Context, name: &str, description: &str) -> Result<Exit> {
    let lectern = context.open().await?;
    let embedder = &lectern.embedder;
    let knowledge_base = lectern
        .ledger
        .create_knowledge_base(name, description, embedder.model(), embedder.dimensions())
        .await?;
    if context.json {
        output::json(&knowledge_base)?;
    } else {
        output::line(format!("Made the knowledge base {name}."))?;
        output::note(format!(
            "Take documents in with: lectern ingest --kb {name} FOLDER"
        ));
    }
    Ok(Exit::Done)
}

async fn list(context: &Context) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_bases = lectern.ledger.knowledge_bases().await?;
    if context.json {
        output::json(&json!({ "knowledge_bases": knowledge_bases }))?;
    } else if knowledge_bases.is_empty() {
        output::note("There is no knowledge base yet. Make one with: lectern kb create NAME");
    } else {
        output::line(table_of(&knowledge_bases))?;
    }
    Ok(Exit::Done)
}

fn table_of(knowledge_bases: &[KnowledgeBase]) -> String {
    let mut table = output::table(&["name", "documents", "chunks", "made", "description"]);
    for knowledge_base in knowledge_bases {
        table.add_row([
            knowledge_base.name.clone(),
            knowledge_base.document_count.to_string(),
            knowledge_base.chunk_count.to_string(),
            knowledge_base.created_at.format("%Y-%m-%d").to_string(),
            knowledge_base.description.clone(),
        ]);
    }
    output::align_right(&mut table, &[1, 2]);
    table.to_string()
}

async fn delete(context: &Context, name: &str, yes: bool) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(name).await?;
    let question = format!(
        "Delete the knowledge base {} with {} documents?",
        knowledge_base.name, knowledge_base.document_count
    );
    if !yes && !output::confirmed(&question)? {
        output::note("Nothing was deleted.");
        return Ok(Exit::Done);
    }
    lectern.ingestion.delete_knowledge_base(&knowledge_base).await?;
    if context.json {
        output::json(&json!({ "deleted": knowledge_base }))?;
    } else {
        output::line(format!("Deleted the knowledge base {}.", knowledge_base.name))?;
    }
    Ok(Exit::Done)
}
