//! `lectern source`: folders that are kept in step with a knowledge base, under a name.
//!
//! [`add`] has the ledger know a source and [`set`] gives it other [`settings`], [`sync`] runs its job, [`show`] tells what is known of sources, documents
//! and jobs, [`remove`] takes a source and its documents away.

mod settings;
mod add;
mod set;
mod sync;
mod show;
mod remove;

pub use settings::chunking;

use anyhow::Result;
use clap::{Args, Subcommand};
use lectern_ingest::{KnowledgeBase, Source};

use super::context::Context;
use super::exit::Exit;
use crate::compose::Lectern;

/// Keeps folders in step: adds, sets, syncs, shows and removes sources.
#[derive(Debug, Args)]
#[command(after_help = "\
A source is where documents come from: folders under a name, with their own rules. Syncing it is a job that
takes in what is new or changed and takes out what is gone. A job that is interrupted goes on from
where it was, with the next `lectern source sync` or when a server starts. Sources can be declared in
lectern.toml, too ([[sources]]); those are as it says with each of these commands.

Examples:
  lectern source add --kb papers --name reading ~/papers
  lectern source sync --kb papers reading
  lectern source status --kb papers reading --status failed
  lectern source history --kb papers reading --json")]
pub struct SourceArguments {
    #[command(subcommand)]
    action: SourceAction,
}

#[derive(Debug, Subcommand)]
enum SourceAction {
    Add(add::AddArguments),
    Set(set::SetArguments),
    List(show::ListArguments),
    Sync(sync::SyncArguments),
    Status(show::StatusArguments),
    History(show::HistoryArguments),
    Stop(sync::StopArguments),
    Remove(remove::RemoveArguments),
}

/// Which source of which knowledge base.
#[derive(Debug, Args)]
pub struct SourceName {
    /// The knowledge base, by name or id
    #[arg(long, value_name = "NAME")]
    kb: String,
    /// The source, by name or id
    #[arg(value_name = "SOURCE")]
    source: String,
}

impl SourceName {
    async fn find(&self, lectern: &Lectern) -> Result<(KnowledgeBase, Source)> {
        let knowledge_base = lectern.ledger.knowledge_base(&self.kb).await?;
        let source = lectern.ledger.source(knowledge_base.id, &self.source).await?;
        Ok((knowledge_base, source))
    }
}

/// Does what is asked.
pub async fn run(context: &Context, arguments: SourceArguments) -> Result<Exit> {
    match arguments.action {
        SourceAction::Add(arguments) => add::run(context, arguments).await,
        SourceAction::Set(arguments) => set::run(context, arguments).await,
        SourceAction::List(arguments) => show::list(context, arguments).await,
        SourceAction::Sync(arguments) => sync::run(context, arguments).await,
        SourceAction::Status(arguments) => show::status(context, arguments).await,
        SourceAction::History(arguments) => show::history(context, arguments).await,
        SourceAction::Stop(arguments) => sync::stop(context, arguments).await,
        SourceAction::Remove(arguments) => remove::run(context, arguments).await,
    }
}
