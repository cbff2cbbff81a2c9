//! `lectern source add`: has the ledger know a source. Nothing is read yet.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lectern_domain::{Acl, Principal};
use lectern_ingest::SourceSettings;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::ingest::find_or_create;
use super::super::output;
use crate::sources::{self, IfThere, NewSource};

/// Add a source: folders and files under a name
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is read until `lectern source sync`. What isn't said has the defaults of [ingestion] in
lectern.toml.

Examples:
  lectern source add --kb papers --name reading ~/papers
  lectern source add --kb staff --name hr --access group:staff ~/hr
  lectern source add --kb papers --name reading --replace --max-deleted-share 0.5 ~/papers")]
pub struct AddArguments {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// Make the knowledge base if there is none of that name
    #[arg(long)]
    create: bool,
    /// What the source is called [default: its paths]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Change the source of that name if there is one; its documents follow with the next sync
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    rules: SourceRules,
    /// Folders and files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What can be said of a source, besides where it is.
#[derive(Debug, Args)]
pub struct SourceRules {
    /// Who may read the documents: everyone, user:NAME or group:NAME; can be given several times
    #[arg(long, value_name = "WHO", default_value = "everyone")]
    access: Vec<Principal>,
    /// Take in files and folders whose names begin with a dot, too
    #[arg(long)]
    hidden: bool,
    /// A job that would delete more than this share of the documents stops and asks: 0 to 1 [default: 0.2]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_deleted_share: Option<f64>,
    /// ... unless they are no more than this [default: 10]
    #[arg(long, value_name = "N")]
    max_deleted: Option<u64>,
}

impl SourceRules {
    /// The source with those rules; what isn't said is what `defaults` say.
    fn source(&self, name: Option<String>, paths: Vec<PathBuf>, defaults: SourceSettings) -> NewSource {
        let mut settings = defaults;
        if let Some(share) = self.max_deleted_share {
            settings.deletions.max_share = share;
        }
        if let Some(count) = self.max_deleted {
            settings.deletions.more_than = count;
        }
        NewSource {
            name,
            paths,
            hidden: self.hidden,
            access: Acl::allowing(self.access.iter().cloned()),
            settings: Some(settings),
        }
    }
}

/// Adds the source, says what it is now.
pub async fn run(context: &Context, arguments: AddArguments) -> Result<Exit> {
    let ingestion = &context.config.ingestion;
    let defaults = ingestion.source_settings();
    let new = arguments
        .rules
        .source(arguments.name, arguments.paths, defaults.clone());
    let resolved = new.resolve(ingestion.max_file_bytes())?;
    let lectern = context.open().await?;
    let knowledge_base = find_or_create(&lectern, &arguments.kb, arguments.create).await?;
    let if_there = if arguments.replace {
        IfThere::Replace
    } else {
        IfThere::Refuse
    };
    let (source, is_new) =
        sources::add(&lectern.ledger, knowledge_base.id, resolved, if_there, defaults).await?;
    if context.json {
        output::json(&json!({ "source": source, "is_new": is_new }))?;
        return Ok(Exit::Done);
    }
    let done = if is_new { "Added" } else { "Changed" };
    output::line(format!("{done} the source {}.", source.name))?;
    output::note(format!(
        "Take its documents in with: lectern source sync --kb {} {:?}",
        knowledge_base.name, source.name
    ));
    Ok(Exit::Done)
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("it must be 0 to 1".to_owned())
    }
}
