//! Folders of this machine as a source of documents, the same one from everywhere.
//!
//! A source is named by its set of paths. The command line and the API go through here, so that a folder
//! that was taken in by one is the same source for the other.

use std::io;
use std::path::{Path, PathBuf};

use lectern_domain::{ContentHash, ErrorKind, PortError};

/// A longer list of paths is named by its hash.
const LONGEST_SOURCE_NAME: usize = 200;

/// The paths as they are on the disk, each once and sorted. One that isn't there stays as it is: the
/// connector says what is wrong with it, in its own words.
pub fn resolved(paths: &[PathBuf]) -> Result<Vec<PathBuf>, PortError> {
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
pub fn source_name(roots: &[PathBuf]) -> String {
    let names: Vec<String> = roots.iter().map(|root| Path::display(root).to_string()).collect();
    let name = names.join(", ");
    if name.chars().count() <= LONGEST_SOURCE_NAME {
        return name;
    }
    let hash = ContentHash::of(name.as_bytes()).to_hex();
    format!("{} paths ({})", roots.len(), hash.get(..16).unwrap_or(&hash))
}

fn unusable(path: &Path, error: io::Error) -> PortError {
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
    fn a_source_is_named_by_its_paths_whatever_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        let name = |paths: &[&PathBuf]| {
            source_name(&resolved(&paths.iter().map(|path| (*path).clone()).collect::<Vec<_>>()).unwrap())
        };
        assert_eq!(name(&[&one, &two]), name(&[&two, &one, &two]));
        assert_ne!(name(&[&one]), name(&[&one, &two]));

        let many: Vec<PathBuf> = (0..50)
            .map(|number| folder.path().join(number.to_string()))
            .collect();
        assert!(source_name(&many).starts_with("50 paths ("));
    }
}
