//! What can be said of the settings of a source on the command line, for `add` and `set` alike.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use figment::providers::{Format, Toml};
use lectern_domain::{ErrorKind, PortError};
use lectern_ingest::chunk::Chunking;
use lectern_ingest::{Schedule, SourceSettings};

use crate::rules_file::read_rules;

/// The settings of a source.
#[derive(Debug, Args)]
pub struct SettingsArguments {
    /// When a server syncs it: a cron expression in UTC (minute, hour, day of the month, month, day of the week),
    /// @hourly, @daily, ..., or never [default: never]
    #[arg(long, value_name = "CRON")]
    schedule: Option<Schedule>,
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

impl SettingsArguments {
    /// What is said, over `base`; a file of settings takes its place.
    pub fn over(&self, base: SourceSettings) -> Result<SourceSettings> {
        let mut settings = match &self.settings {
            Some(file) => read_settings(file)?,
            None => base,
        };
        if let Some(schedule) = &self.schedule {
            settings.schedule = schedule.clone();
        }
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
        Ok(settings)
    }
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
