//! `lectern source set`: gives a source other settings; its folders and its access list stay.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::output;
use super::SourceName;
use super::settings::SettingsArguments;
use crate::sources;

/// Change the settings of a source
#[derive(Debug, Args)]
#[command(after_help = "\
What isn't said stays as it is. Other rules and another way to cut reach the documents with the next sync.

Examples:
  lectern source set --kb papers reading --schedule \"0 3 * * *\"       every night at three, UTC
  lectern source set --kb papers reading --schedule never
  lectern source set --kb papers reading --max-deleted-share 0.5")]
pub struct SetArguments {
    #[command(flatten)]
    name: SourceName,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Changes the settings, says what they are now.
pub async fn run(context: &Context, arguments: SetArguments) -> Result<Exit> {
    let lectern = context.open_with_sources().await?;
    let (_, source) = arguments.name.find(&lectern).await?;
    let settings = arguments.settings.over(source.settings.clone())?;
    let source = sources::set(&lectern.ledger, &source, &settings, &context.config.ingestion).await?;
    if context.json {
        output::json(&json!({ "source": source }))?;
    } else {
        output::line(format!("Changed the settings of the source {}.", source.name))?;
    }
    Ok(Exit::Done)
}
