//! `lectern source add`: has the ledger know a source. Nothing is read yet.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use figment::providers::{Format, Toml};
use lectern_domain::{Acl, ErrorKind, PortError, Principal};
use lectern_ingest::SourceSettings;
use lectern_ingest::chunk::Chunking;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::ingest::find_or_create;
use super::super::output;
use crate::rules_file::read_rules;
use crate::sources::{self, IfThere, NewSource};

/// Add a source: folders and files, or what a connector reads, under a name
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is read until `lectern source sync`. What isn't said has the defaults of [ingestion] in
lectern.toml.

Examples:
  lectern source add --kb papers --name reading ~/papers
  lectern source add --kb staff --name hr --access group:staff ~/hr
  lectern source add --kb papers --name reading --replace --max-deleted-share 0.5 ~/papers
  lectern source add --kb papers --name mail --enrichment rules.toml ~/mail
  lectern source add --kb staff --name slack --config slack.toml
  lectern source add --kb papers --name archive --config bucket.toml
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "hidden"])]
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
    /// How documents are cut: structural, fixed, hierarchical, semantic or none, and sizes
    #[arg(long, value_name = "STRATEGY[,KEY=N...]", value_parser = chunking)]
    chunking: Option<Chunking>,
    /// A file with rules that are applied to its documents, in TOML, or in JSON where its name ends so
    #[arg(long, value_name = "FILE")]
    enrichment: Option<PathBuf>,
    /// A file with all settings of the source, in TOML, or in JSON where its name ends so; what is given here
    /// besides comes on top
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A job that would delete more than this share of the documents stops and asks: 0 to 1 [default: 0.2]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_deleted_share: Option<f64>,
    /// ... unless they are no more than this [default: 10]
    #[arg(long, value_name = "N")]
    max_deleted: Option<u64>,
}

impl SourceRules {
    /// The source with those rules; what isn't said is what `defaults` say.
    fn source(
        &self,
        name: Option<String>,
        paths: Vec<PathBuf>,
        defaults: SourceSettings,
    ) -> Result<NewSource> {
        let mut settings = match &self.settings {
            Some(file) => read_settings(file)?,
            None => defaults,
        };
        if let Some(chunking) = self.chunking {
            settings.chunking = chunking;
        }
        if let Some(rules) = &self.enrichment {
            settings.enrichment = read_rules(rules)?;
        }
        if let Some(share) = self.max_deleted_share {
            settings.deletions.max_share = share;
        }
        if let Some(count) = self.max_deleted {
            settings.deletions.more_than = count;
        }
        Ok(NewSource {
            name,
            paths,
            config: None,
            hidden: self.hidden,
            access: Acl::allowing(self.access.iter().cloned()),
            settings: Some(settings),
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

/// Reads `fixed,max_tokens=200,overlap_tokens=40`.
pub fn chunking(text: &str) -> Result<Chunking, String> {
    let (strategy, sizes) = text.split_once(',').unwrap_or((text, ""));
    let mut fields = serde_json::Map::new();
    fields.insert("strategy".to_owned(), strategy.into());
    for size in sizes.split(',').filter(|size| !size.is_empty()) {
        let (key, value) = size
            .split_once('=')
            .ok_or_else(|| format!("{size:?} is no KEY=N"))?;
        let value: u32 = value
            .parse()
            .map_err(|_| format!("{value:?} is no whole number"))?;
        fields.insert(key.to_owned(), value.into());
    }
    serde_json::from_value(fields.into()).map_err(|error| error.to_string())
}

fn read_settings(file: &Path) -> Result<SourceSettings> {
    let unusable = |error: String| {
        PortError::new(
            ErrorKind::Invalid,
            "source_settings_invalid",
            format!("can't use the settings in {}: {error}", file.display()),
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let settings = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        Toml::from_str(&text).map_err(|error| error.to_string())
    };
    Ok(settings.map_err(unusable)?)
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("it must be 0 to 1".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_written_with_its_sizes() {
        let fixed = chunking("fixed,max_tokens=200,overlap_tokens=40").unwrap();
        let (max_tokens, overlap_tokens) = (200, 40);
        assert_eq!(
            fixed,
            Chunking::Fixed {
                max_tokens,
                overlap_tokens
            }
        );
        assert_eq!(chunking("structural").unwrap(), Chunking::default());
        for written in [
            "structural",
            "structural,max_tokens=128",
            "fixed,max_tokens=200,overlap_tokens=40",
            "hierarchical,child_tokens=100,parent_tokens=400",
            "semantic,max_tokens=200,percentile=95",
            "none",
        ] {
            assert_eq!(chunking(written).unwrap().to_string(), written);
        }
        for wrong in [
            "",
            "fixd",
            "fixed,max_tokens",
            "fixed,max_tokens=x",
            "fixed,max=3",
            "none,max_tokens=3",
        ] {
            assert!(chunking(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn settings_are_read_from_toml_and_json_and_a_misspelt_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (toml, json) = (folder.path().join("a.toml"), folder.path().join("a.json"));
        std::fs::write(
            &toml,
            "deletions = { max_share = 0.5 }\n[chunking]\nstrategy = \"none\"\n",
        )
        .unwrap();
        std::fs::write(
            &json,
            r#"{"deletions": {"max_share": 0.5}, "chunking": {"strategy": "none"}}"#,
        )
        .unwrap();
        let settings = read_settings(&toml).unwrap();
        assert_eq!(settings, read_settings(&json).unwrap());
        assert_eq!(
            (settings.chunking, settings.deletions.max_share),
            (Chunking::None {}, 0.5)
        );
        for (file, text) in [(&toml, "deletion = 1\n"), (&json, r#"{"deletion": 1}"#)] {
            std::fs::write(file, text).unwrap();
            let error = read_settings(file).unwrap_err().to_string();
            assert!(error.contains("deletion") && error.contains("a."), "{error}");
        }
    }
}
