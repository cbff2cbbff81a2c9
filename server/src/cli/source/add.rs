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
use super::settings::SettingsArguments;
use crate::sources::{self, FilesOptions, IfThere, NewSource};

/// Add a source: folders and files, or what a connector reads, under a name
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is read until `lectern source sync`, or until a server runs and its --schedule says so. What isn't said has the defaults of [ingestion] in
lectern.toml.

Examples:
  lectern source add --kb papers --name reading ~/papers
  lectern source add --kb papers --name notes --watch --exclude drafts/ ~/notes
  lectern source add --kb staff --name hr --access group:staff ~/hr
  lectern source add --kb papers --name reading --replace --max-deleted-share 0.5 ~/papers
  lectern source add --kb papers --name reading --schedule \"0 3 * * *\" ~/papers
  lectern source add --kb papers --name mail --enrichment rules.toml ~/mail
  lectern source add --kb staff --name slack --config slack.toml
  lectern source add --kb staff --name post --config mail.toml
  lectern source add --kb papers --name archive --config bucket.toml
  lectern source add --kb papers --name handbook --config git.toml
  lectern source add --kb staff --name site --config site.toml
  lectern source add --kb papers --name logs --chunking fixed,max_tokens=200,overlap_tokens=40 ~/logs")]
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
    /// A file with the kind of the source and what its connector needs, in TOML, or in JSON where its name ends so:
    /// kind = "slack", export = "export.zip"
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "paths", "hidden", "include", "exclude", "gitignore", "max_file_mib", "watch", "watch_every",
    ])]
    config: Option<PathBuf>,
    /// Folders and files
    #[arg(required_unless_present = "config", value_name = "PATH")]
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
    /// Read only files that match: a pattern as in a .gitignore, such as '*.md' or /docs/; can be given several times
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Leave out files and folders that match; can be given several times, and .lecternignore files count too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Leave out what .gitignore files name, too
    #[arg(long)]
    gitignore: bool,
    /// Skip files that are larger, in MiB [default: as many as the server takes, which is the most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_file_mib: Option<u64>,
    /// Have a running server bring in what is saved, within seconds
    #[arg(long)]
    watch: bool,
    /// ... by looking so often instead of being told: for NFS and SMB
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    watch_every: Option<u32>,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl SourceRules {
    /// The source with those rules; what isn't said is what `defaults` say.
    fn source(
        &self,
        name: Option<String>,
        paths: Vec<PathBuf>,
        defaults: SourceSettings,
    ) -> Result<NewSource> {
        Ok(NewSource {
            name,
            paths,
            config: None,
            hidden: self.hidden,
            files: FilesOptions {
                include: self.include.clone(),
                exclude: self.exclude.clone(),
                gitignore: self.gitignore,
                max_file_mib: self.max_file_mib,
                watch: self.watch,
                poll_s: self.watch_every,
            },
            access: Acl::allowing(self.access.iter().cloned()),
            settings: Some(self.settings.over(defaults)?),
        })
    }
}

/// Adds the source, says what it is now.
pub async fn run(context: &Context, arguments: AddArguments) -> Result<Exit> {
    let ingestion = &context.config.ingestion;
    let defaults = ingestion.source_settings();
    let mut new = arguments
        .rules
        .source(arguments.name, arguments.paths, defaults.clone())?;
    new.config = arguments
        .config
        .as_deref()
        .map(sources::read_config)
        .transpose()?;
    let resolved = new.resolve(ingestion)?;
    let lectern = context.open_with_sources().await?;
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
