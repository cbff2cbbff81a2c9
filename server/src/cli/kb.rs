//! `lectern kb`: makes, lists and deletes knowledge bases.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use lectern_domain::SearchSettings;
use lectern_domain::ports::Embedder;
use lectern_ingest::KnowledgeBase;
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::search_settings;

/// Makes, lists and deletes knowledge bases.
#[derive(Debug, Args)]
#[command(after_help = "\
A knowledge base is a set of documents that is searched together.

Examples:
  lectern kb create papers --description \"What we cite\"
  lectern kb create contracts --embedder multilingual-e5-small-int8
  lectern kb list --json
  lectern kb settings papers > settings.json
  lectern kb settings papers --set settings.json
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
        /// The model of its vectors, from `lectern models list`; it keeps it for good. Default: [models] embedder
        #[arg(long, value_name = "MODEL")]
        embedder: Option<String>,
    },
    /// List the knowledge bases with their sizes
    List,
    /// Show or set what its searches go by: synonyms, tuning, featured documents, frequent questions
    #[command(after_help = "\
The settings are JSON, shown whole and set whole; the next search goes by them and nothing is indexed anew:
  synonyms   lines of \"a, b, c\" (they stand for each other) or \"a => b\" (a stands for b)
  tuning     {\"freshness\": {\"half_life_days\": 90, \"weight\": 1},
              \"numbers\": [{\"attribute\": \"views\", \"half\": 1000, \"weight\": 0.5}],
              \"values\": [{\"attribute\": \"category\", \"value\": \"policy\", \"weight\": 2}],
              \"fields\": {\"title\": 1, \"headings\": 0.5, \"text\": 1}}
  featured   [{\"queries\": [\"holidays\"], \"documents\": [\"leave.md\"]}], by path or address
  questions  [{\"questions\": [\"Who runs the canteen?\"], \"answer\": \"...\", \"uri\": \"...\"}]")]
    Settings {
        /// Its name or id
        name: String,
        /// Set them from this file; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        set: Option<PathBuf>,
    },
    /// Delete a knowledge base: its index, what was pushed to it and what was asked of it. Folders that it was made from stay
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
        KbAction::Create {
            name,
            description,
            embedder,
        } => create(context, &name, &description, embedder.as_deref()).await,
        KbAction::List => list(context).await,
        KbAction::Settings { name, set } => settings(context, &name, set.as_deref()).await,
        KbAction::Delete { name, yes } => delete(context, &name, yes).await,
    }
}

async fn settings(context: &Context, name: &str, set: Option<&Path>) -> Result<Exit> {
    let lectern = context.open().await?;
    let knowledge_base = lectern.ledger.knowledge_base(name).await?;
    if let Some(file) = set {
        let settings = read_settings(file)?;
        search_settings::check(&settings)?;
        lectern
            .ledger
            .set_search_settings(knowledge_base.id, &settings)
            .await?;
        output::note(format!(
            "Searches in {} go by them from now on.",
            knowledge_base.name
        ));
    }
    output::json(&*lectern.ledger.search_settings(knowledge_base.id).await?)?;
    Ok(Exit::Done)
}

fn read_settings(file: &Path) -> Result<SearchSettings> {
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()).context("can't read standard input")?,
        false => std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?,
    };
    serde_json::from_str(&text).with_context(|| format!("{} holds no settings of searches", file.display()))
}

async fn create(
    context: &Context,
    name: &str,
    description: &str,
    embedding_model: Option<&str>,
) -> Result<Exit> {
    let lectern = context.open().await?;
    let embedder = lectern.embedders.for_new(embedding_model)?;
    let knowledge_base = lectern
        .ledger
        .create_knowledge_base(name, description, embedder.model(), embedder.dimensions())
        .await?;
    if context.json {
        output::json(&knowledge_base)?;
    } else {
        output::line(format!("Made the knowledge base {name}."))?;
        if let Err(error) = lectern.require_embedder(embedder).await {
            output::note(format!("Before documents can be taken in: {error}"));
        }
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
    let mut table = output::table(&["name", "documents", "chunks", "made", "embedder", "description"]);
    for knowledge_base in knowledge_bases {
        table.add_row([
            knowledge_base.name.clone(),
            knowledge_base.document_count.to_string(),
            knowledge_base.chunk_count.to_string(),
            knowledge_base.created_at.format("%Y-%m-%d").to_string(),
            knowledge_base.embedding_model.clone(),
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
    lectern.delete_knowledge_base(&knowledge_base).await?;
    if context.json {
        output::json(&json!({ "deleted": knowledge_base }))?;
    } else {
        output::line(format!("Deleted the knowledge base {}.", knowledge_base.name))?;
    }
    Ok(Exit::Done)
}
