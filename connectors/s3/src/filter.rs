//! Which objects of a bucket are documents.

use globset::GlobSet;
use lectern_connector_remote::glob_set;

use crate::config::S3Config;
use crate::error::Error;

/// The patterns of a source, over whole keys.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// `None`: everything.
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Filter {
    pub(crate) fn new(config: &S3Config) -> Result<Self, Error> {
        let include = match config.include.as_slice() {
            [] => None,
            patterns => Some(set(patterns)?),
        };
        Ok(Self {
            include,
            exclude: set(&config.exclude)?,
        })
    }

    /// Whether an object of this name is read.
    pub(crate) fn admits(&self, object: &str) -> bool {
        self.include
            .as_ref()
            .is_none_or(|include| include.is_match(object))
            && !self.exclude.is_match(object)
    }
}

fn set(patterns: &[String]) -> Result<GlobSet, Error> {
    glob_set(patterns).map_err(|source| Error::PatternInvalid { source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_is_out_whatever_is_included() {
        let mut config = S3Config::new(vec!["b".to_owned()]);
        assert!(Filter::new(&config).unwrap().admits("anything at all"));
        config.include = vec!["docs/**/*.{md,html}".to_owned(), "*.txt".to_owned()];
        config.exclude = vec!["**/drafts/**".to_owned()];
        let filter = Filter::new(&config).unwrap();
        for object in ["docs/a.md", "docs/x/y/b.html", "top.txt"] {
            assert!(filter.admits(object), "{object}");
        }
        for object in ["docs/a.pdf", "deeper/top.txt", "docs/drafts/a.md"] {
            assert!(!filter.admits(object), "{object}");
        }
        config.include = vec!["[".to_owned()];
        assert_eq!(Filter::new(&config).unwrap_err().code(), "pattern_invalid");
    }
}
