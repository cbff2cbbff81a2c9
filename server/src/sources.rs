//! Sources as people make them: a name, folders, who may read, and the rules that the source has.
//!
//! The command line and the API go through here, so that a source that was made by one is the same for the
//! other: [`NewSource`] is what was asked for, [`NewSource::resolve`] looks at the folders, [`add`] has the ledger
//! know it (or [`declared`], where `lectern.toml` asks for it), and [`open`] makes a connector of what the ledger knows. A source without a name is named by its paths, which
//! is how `lectern ingest` finds the same one again.

mod connected;
pub mod declared;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lectern_connectors::SourceConfig;
use lectern_connectors::files::FilesConfig;
use lectern_domain::ports::Connector;
use lectern_domain::{Acl, ContentHash, DefaultAccess, ErrorKind, KnowledgeBaseId, PortError};
use lectern_ingest::{Ledger, Source, SourceSettings, Spread};

pub use connected::{paths as paths_of, read_config};

use crate::config::IngestionConfig;

/// The longest name, in characters. A longer list of paths is named by its hash.
const LONGEST_NAME: usize = 200;
/// The name of the source that pushed documents belong to.
const PUSH_NAME: &str = "pushed";
/// The kind of the source that pushed documents belong to; nothing can be synced from it.
const PUSH_KIND: &str = "push";

/// A source of folders and files, as it is asked for.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// What it is called; by its paths, where nothing is said.
    pub name: Option<String>,
    /// Folders and files of this machine.
    pub paths: Vec<PathBuf>,
    /// What a connector is configured with, in the place of paths.
    pub config: Option<SourceConfig>,
    /// Whether names that begin with a dot are read too.
    pub hidden: bool,
    /// What else is said about its files.
    pub files: FilesOptions,
    /// Who may read documents that carry no permissions.
    pub access: Acl,
    /// How its documents are cut and enriched, and how many deletions pass unasked. Where nothing is said, a source
    /// that is there keeps what it has.
    pub settings: Option<SourceSettings>,
}

/// What can be said about the files of a source, as [`FilesConfig`] has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesOptions {
    /// Only files that match one of these patterns are read.
    pub include: Vec<String>,
    /// Files and folders that match one of these are left out.
    pub exclude: Vec<String>,
    /// Whether `.gitignore` files count.
    pub gitignore: bool,
    /// Larger files are skipped; what `[ingestion]` says is the most.
    pub max_file_mib: Option<u64>,
    /// Whether a server brings in what is saved within seconds.
    pub watch: bool,
    /// Look for changes so often instead of being told.
    pub poll_s: Option<u32>,
}

impl FilesOptions {
    fn config(self, roots: Vec<PathBuf>, hidden: bool, ingestion: &IngestionConfig) -> FilesConfig {
        let own_limit = self.max_file_mib.map(|mib| mib.saturating_mul(1 << 20));
        FilesConfig {
            max_file_bytes: own_limit.unwrap_or(u64::MAX).min(ingestion.max_file_bytes()),
            hidden,
            include: self.include,
            exclude: self.exclude,
            gitignore: self.gitignore,
            watch: self.watch,
            poll_s: self.poll_s,
            ..FilesConfig::new(roots)
        }
    }
}

/// A source whose folders are there, not known to the ledger yet.
#[derive(Clone, Debug)]
pub struct ResolvedSource {
    name: String,
    config: SourceConfig,
    access: DefaultAccess,
    settings: Option<SourceSettings>,
}

impl NewSource {
    /// Those paths, read by everyone who is let in, with defaults for the rest.
    pub fn of_paths(paths: Vec<PathBuf>) -> Self {
        Self {
            name: None,
            paths,
            config: None,
            hidden: false,
            files: FilesOptions::default(),
            access: Acl::everyone(),
            settings: None,
        }
    }

    /// Looks at the folders. Waits for the disk.
    ///
    /// Fails with `path_not_found` where one isn't there, `pattern_invalid`, `source_name_invalid`, and where its settings are none.
    pub fn resolve(self, ingestion: &IngestionConfig) -> Result<ResolvedSource, PortError> {
        if let Some(settings) = &self.settings {
            settings.check(ingestion.chunk_tokens)?;
        }
        let (config, roots) = match self.config {
            Some(_) if self.hidden || self.files != FilesOptions::default() => {
                return Err(PortError::new(
                    ErrorKind::Invalid,
                    "source_config_invalid",
                    "what a source with a configuration reads has to be said in that",
                ));
            }
            Some(config) => connected::bounded_and_resolved(config, ingestion)?,
            None => {
                let roots = resolved(&self.paths)?;
                let config = self.files.config(roots.clone(), self.hidden, ingestion);
                (SourceConfig::Files(config), roots)
            }
        };
        let name = match self.name {
            Some(name) => checked_name(name)?,
            None => name_of_paths(&roots),
        };
        // Opened for the check alone: a mistake is told before anything is written down.
        lectern_connectors::open(&config)?;
        Ok(ResolvedSource {
            name,
            config,
            access: DefaultAccess(self.access),
            settings: self.settings,
        })
    }
}

/// What becomes of a source that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfThere {
    /// It stays as it is, and adding it again is a conflict.
    Refuse,
    /// It becomes the new one. Its documents follow with the next sync.
    Replace,
}

/// Has the ledger know the source, with this configuration from now on. Says whether it is new; a new one has
/// `defaults` where nothing is said.
///
/// Fails with `source_exists`.
pub async fn add(
    ledger: &Ledger,
    knowledge_base: KnowledgeBaseId,
    source: ResolvedSource,
    if_there: IfThere,
    defaults: SourceSettings,
) -> Result<(Source, bool), PortError> {
    let name = &source.name;
    let is_new = match ledger.source(knowledge_base, name).await {
        Ok(found) => found.name != *name,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(error.into()),
    };
    if !is_new && if_there == IfThere::Refuse {
        return Err(PortError::new(
            ErrorKind::Conflict,
            "source_exists",
            format!("there is a source {name:?} already"),
        ));
    }
    let (kind, config) = (source.config.kind(), source.config.to_json()?);
    let added = ledger
        .ensure_source(knowledge_base, name, kind, &config, &source.access)
        .await?;
    let settings = match source.settings {
        Some(settings) => settings,
        None if is_new => defaults,
        None => return Ok((added, is_new)),
    };
    let added = ledger.set_source_settings(added.id, &settings).await?;
    Ok((added, is_new))
}

/// Gives a source other settings.
///
/// Fails with `source_is_pushed` for the source of pushed documents, and where they are none.
pub async fn set(
    ledger: &Ledger,
    source: &Source,
    settings: &SourceSettings,
    ingestion: &IngestionConfig,
) -> Result<Source, PortError> {
    if source.kind == PUSH_KIND {
        return Err(lectern_ingest::Error::PushedSource { action: "set" }.into());
    }
    settings.check(ingestion.chunk_tokens)?;
    Ok(ledger.set_source_settings(source.id, settings).await?)
}

/// When the schedule of a source asks for the next sync, seen at `now`; not later than that where it is due.
pub fn next_run(source: &Source, now: DateTime<Utc>, ingestion: &IngestionConfig) -> Option<DateTime<Utc>> {
    let spread = Spread::of(source.id, ingestion.schedule_jitter());
    source
        .settings
        .schedule
        .next_run(source.scheduled_from?, now, spread)
}

/// Opens what the ledger knows. Waits for the disk.
///
/// Fails with `source_not_synced` for the source of pushed documents.
pub fn open(source: &Source) -> Result<Arc<dyn Connector>, PortError> {
    if source.kind == PUSH_KIND {
        return Err(PortError::new(
            ErrorKind::Invalid,
            "source_not_synced",
            format!(
                "the source {:?} holds what was pushed, and there is nothing to sync it with",
                source.name
            ),
        ));
    }
    let config = SourceConfig::from_json(source.config.clone())?;
    Ok(Arc::from(lectern_connectors::open(&config)?))
}

/// The folders or buckets that a source reads, for people.
pub fn described(source: &Source) -> String {
    match SourceConfig::from_json(source.config.clone()) {
        Ok(SourceConfig::Files(files)) => {
            let roots: Vec<String> = files
                .roots
                .iter()
                .map(|root| root.display().to_string())
                .collect();
            let watched = if files.watch { " (watched)" } else { "" };
            format!("{}{watched}", roots.join(", "))
        }
        Ok(SourceConfig::Git(git)) => format!("{} ({})", git.repository.display(), git.reference),
        Ok(SourceConfig::Mail(mail)) => {
            let roots: Vec<String> = mail.roots.iter().map(|root| root.display().to_string()).collect();
            roots.join(", ")
        }
        Ok(SourceConfig::S3(s3)) => s3.buckets.join(", "),
        Ok(SourceConfig::Slack(slack)) => slack.export.display().to_string(),
        Ok(SourceConfig::Web(web)) => web.seeds.join(", "),
        Err(_) => String::new(),
    }
}

fn checked_name(name: String) -> Result<String, PortError> {
    let characters = name.chars().count();
    let problem = if name.trim().is_empty() {
        "it is empty".to_owned()
    } else if characters > LONGEST_NAME {
        format!("it has {characters} characters, and {LONGEST_NAME} is the most")
    } else if name.chars().any(char::is_control) {
        "it has a control character".to_owned()
    } else if name == PUSH_NAME {
        "documents that are pushed have it".to_owned()
    } else {
        return Ok(name);
    };
    Err(PortError::new(
        ErrorKind::Invalid,
        "source_name_invalid",
        format!("{name:?} can't be the name of a source: {problem}"),
    ))
}

/// The paths as they are on the disk, each once and sorted. One that isn't there stays as it is: the
/// connector says what is wrong with it, in its own words.
fn resolved(paths: &[PathBuf]) -> Result<Vec<PathBuf>, PortError> {
    let mut resolved = Vec::with_capacity(paths.len());
    for path in paths {
        let path = path
            .canonicalize()
            .or_else(|_| std::path::absolute(path))
            .map_err(|error| unusable(path, error))?;
        if !resolved.contains(&path) {
            resolved.push(path);
        }
    }
    resolved.sort();
    Ok(resolved)
}

/// The name of the source with these roots: the same paths again are the same source.
fn name_of_paths(roots: &[PathBuf]) -> String {
    let names: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    let name = names.join(", ");
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    let hash = ContentHash::of(name.as_bytes()).to_hex();
    format!("{} paths ({})", roots.len(), hash.get(..16).unwrap_or(&hash))
}

fn unusable(path: &std::path::Path, error: io::Error) -> PortError {
    PortError::new(
        ErrorKind::Invalid,
        "path_unusable",
        format!("can't use the path {:?}", path.display().to_string()),
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_without_a_name_is_named_by_its_paths_whatever_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        let name = |paths: &[&PathBuf]| {
            let paths = paths.iter().map(|path| (*path).clone()).collect();
            NewSource::of_paths(paths)
                .resolve(&IngestionConfig::default())
                .unwrap()
                .name
        };
        assert_eq!(name(&[&one, &two]), name(&[&two, &one, &two]));
        assert_ne!(name(&[&one]), name(&[&one, &two]));

        let many: Vec<PathBuf> = (0..50)
            .map(|number| folder.path().join(number.to_string()))
            .collect();
        assert!(name_of_paths(&many).starts_with("50 paths ("));
    }

    #[test]
    fn a_name_is_a_line_and_a_folder_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| NewSource {
            name: Some(name.to_owned()),
            ..NewSource::of_paths(vec![folder.path().to_owned()])
        };
        assert_eq!(
            named("papers, 2024")
                .resolve(&IngestionConfig::default())
                .unwrap()
                .name,
            "papers, 2024"
        );
        for name in ["", "  ", "two\nlines", "pushed", &"x".repeat(201)] {
            assert_eq!(
                named(name).resolve(&IngestionConfig::default()).unwrap_err().code,
                "source_name_invalid",
                "{name:?}"
            );
        }
        let missing = NewSource::of_paths(vec![folder.path().join("missing")]);
        assert_eq!(
            missing.resolve(&IngestionConfig::default()).unwrap_err().code,
            "path_not_found"
        );
    }
}
