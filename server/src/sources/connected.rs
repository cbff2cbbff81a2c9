//! Sources that are more than paths: the configuration of a connector, as a file or a body of a request has it.
//!
//! It names its kind and what that connector needs, such as
//! `{"kind": "slack", "export": "/srv/slack.zip", "workspace_url": "https://acme.slack.com"}`.

use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use lectern_connectors::SourceConfig;
use lectern_domain::{ErrorKind, PortError};

use crate::config::IngestionConfig;

/// The largest file with a configuration.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a configuration: TOML, or JSON where the file's name ends so. What is a path in it and isn't absolute starts at
/// the working folder.
///
/// Fails with `source_config_invalid` and says what is wrong with which file.
pub fn read_config(file: &Path) -> Result<SourceConfig, PortError> {
    let unusable = |reason: String| {
        PortError::new(
            ErrorKind::Invalid,
            "source_config_invalid",
            format!("can't use the configuration in {}: {reason}", file.display()),
        )
    };
    let metadata = std::fs::metadata(file).map_err(|error| unusable(error.to_string()))?;
    if metadata.len() > MAX_BYTES {
        return Err(unusable(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let config: serde_json::Value = if is_json {
        serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?
    } else {
        Toml::from_str(&text).map_err(|error| unusable(told(&error, &text)))?
    };
    Ok(SourceConfig::from_json(config)?)
}

/// The paths that a configuration has.
pub fn paths(config: &mut SourceConfig) -> Vec<&mut PathBuf> {
    match config {
        SourceConfig::Files(files) => files.roots.iter_mut().collect(),
        SourceConfig::Git(git) => vec![&mut git.repository],
        SourceConfig::Mail(mail) => mail.roots.iter_mut().collect(),
        SourceConfig::S3(_) | SourceConfig::Web(_) => Vec::new(),
        SourceConfig::Slack(slack) => vec![&mut slack.export],
    }
}

/// What is wrong with a text, and where, without the line that it stands in, which may have a secret in it.
fn told(error: &<Toml as Format>::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}

/// The configuration with its paths as they are on the disk, and within what this server says about the size of files;
/// and the paths, buckets or seeds, which name a source that has no name.
pub(super) fn bounded_and_resolved(
    mut config: SourceConfig,
    ingestion: &IngestionConfig,
) -> Result<(SourceConfig, Vec<PathBuf>), PortError> {
    let limit_bytes = match &mut config {
        SourceConfig::Files(files) => &mut files.max_file_bytes,
        SourceConfig::Git(git) => &mut git.max_file_bytes,
        SourceConfig::Mail(mail) => &mut mail.max_attachment_bytes,
        SourceConfig::S3(s3) => &mut s3.max_object_bytes,
        SourceConfig::Slack(slack) => &mut slack.max_file_bytes,
        SourceConfig::Web(web) => &mut web.max_page_bytes,
    };
    *limit_bytes = (*limit_bytes).min(ingestion.max_file_bytes());
    let mut resolved = Vec::new();
    for path in paths(&mut config) {
        *path = super::resolved(std::slice::from_ref(path))?.remove(0);
        resolved.push(path.clone());
    }
    if let SourceConfig::S3(s3) = &config {
        resolved.extend(s3.buckets.iter().map(PathBuf::from));
    }
    if let SourceConfig::Web(web) = &config {
        resolved.extend(web.seeds.iter().map(PathBuf::from));
    }
    resolved.sort();
    Ok((config, resolved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_say_the_same_and_a_mistake_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (toml, json) = (folder.path().join("a.toml"), folder.path().join("a.json"));
        std::fs::write(
            &toml,
            "kind = \"slack\"\nexport = \"export.zip\"\npause_minutes = 10\n",
        )
        .unwrap();
        std::fs::write(
            &json,
            r#"{"kind": "slack", "export": "export.zip", "pause_minutes": 10}"#,
        )
        .unwrap();
        let mut config = read_config(&toml).unwrap();
        assert_eq!(config, read_config(&json).unwrap());
        assert_eq!(config.kind(), "slack");
        assert_eq!(paths(&mut config), [&PathBuf::from("export.zip")]);
        for (file, text) in [(&toml, "kind = "), (&json, r#"{"kind": "slack", "exprt": 1}"#)] {
            std::fs::write(file, text).unwrap();
            assert_eq!(read_config(file).unwrap_err().code, "source_config_invalid");
        }
        // The line that is wrong isn't repeated: it may have a secret in it.
        std::fs::write(&toml, "kind = \"s3\"\nsecret = hunter2\n").unwrap();
        let error = read_config(&toml).unwrap_err();
        let shown = lectern_domain::error::chain(&error);
        assert!(
            shown.contains("a.toml: line 2: ") && !shown.contains("hunter2"),
            "{shown}"
        );
        let error = read_config(&folder.path().join("none.toml")).unwrap_err();
        assert!(error.message.contains("none.toml"), "{}", error.message);
    }
}
