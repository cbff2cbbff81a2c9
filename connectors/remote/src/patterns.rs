//! Patterns for names with `/` in them: keys of buckets, paths of sites.

use globset::{Error, GlobBuilder, GlobSet, GlobSetBuilder};

/// What matches one of those patterns. `*` and `?` stay within a part between two `/`; `**` doesn't.
///
/// Fails where one of them is no pattern.
pub fn glob_set(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
    }
    set.build()
}
