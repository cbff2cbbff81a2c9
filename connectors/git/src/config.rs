//! What a source of a Git repository is configured with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A repository, and which of it is read.
///
/// Patterns are those of a source of files: as in a `.gitignore`, about paths below the top of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitConfig {
    /// A checkout (the folder with `.git` in it) or a bare repository.
    pub repository: PathBuf,
    /// What is read: a branch, a tag, a branch of a remote (`origin/main`), or a whole name (`refs/...`). What is
    /// committed there counts, whatever is checked out.
    #[serde(default = "head")]
    pub reference: String,
    /// Only files that match one of these are read; all, where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Files and folders that match one of these are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Whether names that begin with a dot are read too.
    #[serde(default)]
    pub hidden: bool,
    /// Larger files are skipped.
    #[serde(default = "default_max_file_bytes")]
    pub max_file_bytes: u64,
    /// So many commits are looked at for dates and authors. What is older has none.
    #[serde(default = "default_max_commits")]
    pub max_commits: u32,
    /// Where the repository is shown, such as `https://git.example/owner/repository`: documents then have the address
    /// `WEB_URL/blob/COMMIT/PATH`, with the last commit that changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_url: Option<String>,
    /// Whether the mail addresses of authors are kept.
    #[serde(default)]
    pub emails: bool,
}

impl GitConfig {
    /// That repository, with defaults for the rest.
    pub fn new(repository: PathBuf) -> Self {
        Self {
            repository,
            reference: head(),
            include: Vec::new(),
            exclude: Vec::new(),
            hidden: false,
            max_file_bytes: default_max_file_bytes(),
            max_commits: default_max_commits(),
            web_url: None,
            emails: false,
        }
    }

    /// Fails with [`Error::Setting`] where a value makes no sense.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let setting = |name, problem| Err(Error::Setting { name, problem });
        if !crate::reference::is_name(&self.reference) {
            return setting(
                "reference",
                "it must be the name of a branch or a tag, such as main",
            );
        }
        if self.web_url.as_deref().is_some_and(|url| !is_web_url(url)) {
            return setting(
                "web_url",
                "it must be an address such as https://git.example/owner/repository, without a password or a query",
            );
        }
        Ok(())
    }

    /// The address of the repository without a slash at its end.
    pub(crate) fn web(&self) -> Option<&str> {
        self.web_url.as_deref().map(|url| url.trim_end_matches('/'))
    }
}

fn is_web_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._~:/%+".contains(character);
    rest.is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty() && rest.chars().all(is_plain))
}

fn head() -> String {
    "HEAD".to_owned()
}

fn default_max_file_bytes() -> u64 {
    50 << 20
}

fn default_max_commits() -> u32 {
    100_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let config = GitConfig::new("/srv/handbook".into());
        assert!(config.check().is_ok());
        for reference in [
            "",
            "..",
            "a/../b",
            "/a",
            "a/",
            "a b",
            "a\nb",
            ".git",
            "main.lock",
            "@{0}",
            "-x",
        ] {
            let wrong = GitConfig {
                reference: reference.to_owned(),
                ..config.clone()
            };
            let error = wrong.check().unwrap_err();
            assert_eq!(error.code(), "source_config_invalid", "{reference:?}");
            assert!(error.to_string().contains("reference"), "{error}");
        }
        for (url, is_one) in [
            ("https://git.example/owner/repository", true),
            ("http://localhost:3000/a/b/", true),
            ("https://ada:secret@git.example/a", false),
            ("https://git.example/a?token=x", false),
            ("ssh://git.example/a", false),
            ("https://", false),
            ("https:///a", false),
        ] {
            assert_eq!(is_web_url(url), is_one, "{url}");
        }
    }
}
