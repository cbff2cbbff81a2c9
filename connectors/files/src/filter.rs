//! Which paths below a root are read: include and exclude patterns, hidden names, and the names of ignore files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::config::FilesConfig;
use crate::error::Error;

/// The ignore file that always counts. It says what it says about the folder it lies in and those below.
pub(crate) const IGNORE_FILE: &str = ".lecternignore";
/// The one that counts where it is asked for.
const GIT_IGNORE_FILE: &str = ".gitignore";

/// What the configuration says about paths below one root.
#[derive(Clone, Debug)]
pub struct Filter {
    include: Option<Gitignore>,
    exclude: Option<Gitignore>,
    hidden: bool,
    gitignore: bool,
}

impl Filter {
    /// The patterns of `config`, for paths below `root`.
    pub(crate) fn new(config: &FilesConfig, root: &Path) -> Result<Self, Error> {
        let filter = Self::of_patterns(root, &config.include, &config.exclude, config.hidden)?;
        Ok(Self {
            gitignore: config.gitignore,
            ..filter
        })
    }

    /// Those patterns, for paths below `root`, and whether names that begin with a dot are read.
    ///
    /// Fails with [`Error::Pattern`].
    pub fn of_patterns(
        root: &Path,
        include: &[String],
        exclude: &[String],
        hidden: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            include: matcher(root, include)?,
            exclude: matcher(root, exclude)?,
            hidden,
            gitignore: false,
        })
    }

    /// Whether a name isn't looked at since it begins with a dot.
    pub fn hides(&self, name: &OsStr) -> bool {
        !self.hidden && is_hidden(name)
    }

    /// Whether a file or folder is left out, with all that is under it.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let matches = |exclude: &Gitignore| exclude.matched(path, is_folder).is_ignore();
        self.exclude.as_ref().is_some_and(matches)
    }

    /// Whether a file is one of those that are asked for.
    pub fn includes(&self, file: &Path) -> bool {
        let matches = |include: &Gitignore| include.matched_path_or_any_parents(file, false).is_ignore();
        self.include.as_ref().is_none_or(matches)
    }

    /// Whether nothing at `path`, which lies below `root`, can be a document or lead to one. Ignore files
    /// aren't looked at.
    pub(crate) fn rules_out(&self, root: &Path, path: &Path) -> bool {
        let mut above = path.ancestors().take_while(|above| *above != root);
        above.any(|above| {
            let is_hidden = above.file_name().is_some_and(|name| self.hides(name));
            // The path itself may be a file, which a pattern for folders says nothing about.
            is_hidden || self.excludes(above, above != path)
        })
    }

    /// Whether the name is that of an ignore file that counts.
    pub(crate) fn is_ignore_file(&self, name: &OsStr) -> bool {
        name == IGNORE_FILE || (self.gitignore && name == GIT_IGNORE_FILE)
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().first() == Some(&b'.')
}

fn matcher(root: &Path, patterns: &[String]) -> Result<Option<Gitignore>, Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GitignoreBuilder::new(root);
    // Git takes an open `[` for itself; here it is a slip.
    builder.allow_unclosed_class(false);
    for pattern in patterns {
        let invalid = |problem: String| Error::Pattern {
            pattern: pattern.clone(),
            problem,
        };
        if pattern.trim().is_empty() || pattern.starts_with('#') {
            return Err(invalid("it matches nothing".to_owned()));
        }
        builder
            .add_line(None, pattern)
            .map_err(|error| invalid(error.to_string()))?;
    }
    let built = builder.build().map_err(|error| Error::Pattern {
        pattern: patterns.join(", "),
        problem: error.to_string(),
    })?;
    Ok(Some(built))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Result<Filter, Error> {
        let owned = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let config = FilesConfig {
            include: owned(include),
            exclude: owned(exclude),
            ..FilesConfig::new(vec!["/srv".into()])
        };
        Filter::new(&config, Path::new("/srv"))
    }

    #[test]
    fn patterns_are_those_of_an_ignore_file() {
        let filter = filter(&["*.md", "/docs/"], &["drafts/", "/top.md", "*.tmp"]).unwrap();
        for (path, is_included) in [
            ("a.md", true),
            ("deep/down/a.md", true),
            ("docs/picture.png", true),
            ("other/docs/picture.png", false),
            ("a.txt", false),
        ] {
            assert_eq!(
                filter.includes(&Path::new("/srv").join(path)),
                is_included,
                "{path}"
            );
        }
        for (path, is_folder, is_excluded) in [
            ("drafts", true, true),
            ("a/drafts", true, true),
            ("drafts", false, false),
            ("top.md", false, true),
            ("a/top.md", false, false),
            ("a/b.tmp", false, true),
        ] {
            let excluded = filter.excludes(&Path::new("/srv").join(path), is_folder);
            assert_eq!(excluded, is_excluded, "{path}");
        }
        for (path, is_out) in [
            ("/srv/a/drafts/b.md", true),
            ("/srv/.git/config", true),
            ("/srv/a/.b.md.swp", true),
            ("/srv/a/b.md", false),
        ] {
            assert_eq!(
                filter.rules_out(Path::new("/srv"), Path::new(path)),
                is_out,
                "{path}"
            );
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused_by_name() {
        for wrong in ["", " ", "# all", "a[", "{a,b"] {
            let error = filter(&[], &[wrong]).unwrap_err();
            assert_eq!(error.code(), "pattern_invalid", "{wrong:?}");
            assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
