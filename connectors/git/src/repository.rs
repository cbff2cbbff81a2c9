//! Where the files of a repository are, and whether they can be read here.
//!
//! Nothing of the repository is run or obeyed: of its configuration only the words are looked up that say how its files are
//! written; hooks, filters and what it includes mean nothing here. So it doesn't matter who owns it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use lectern_connector_files::open_beneath;

use crate::error::Error;

/// The largest configuration that is read.
const CONFIG_BYTES: u64 = 1 << 20;

/// A repository on the disk.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// The checkout, or a bare repository itself. Absolute, without links.
    pub(crate) root: PathBuf,
    /// The folder with `HEAD` in it.
    pub(crate) folder: PathBuf,
}

impl Repository {
    /// The repository at `path`. Waits for the disk.
    pub(crate) fn open(configured: &Path) -> Result<Self, Error> {
        let path = || configured.to_owned();
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::PathNotFound { path: path() },
            _ => Error::PathUnreadable { path: path(), source },
        };
        let root = configured.canonicalize().map_err(unreadable)?;
        let inner = root.join(".git");
        let repository = match inner.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => Self { root, folder: inner },
            Ok(_) => {
                return Err(Error::Unsupported {
                    path: path(),
                    problem: "its .git leads to another folder (a linked worktree or a submodule): name the repository \
                              itself, and the branch as \"reference\"",
                });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(unreadable(error)),
            // `.git` itself was named: what lies beside it is the checkout.
            Err(_) if root.file_name().is_some_and(|name| name == ".git") => Self {
                folder: root.clone(),
                root: root.parent().map_or(root.clone(), Path::to_owned),
            },
            Err(_) => Self {
                folder: root.clone(),
                root,
            },
        };
        if !repository.is_there() {
            return Err(Error::NotARepository { path: path() });
        }
        match repository.unsupported().map_err(unreadable)? {
            Some(problem) => Err(Error::Unsupported {
                path: path(),
                problem,
            }),
            None => Ok(repository),
        }
    }

    /// Whether it has what Git itself takes for a repository.
    pub(crate) fn is_there(&self) -> bool {
        let metadata = |name: &str| self.folder.join(name).symlink_metadata();
        let has_folder = |name: &str| metadata(name).is_ok_and(|metadata| metadata.is_dir());
        let has_head = metadata("HEAD").is_ok_and(|metadata| metadata.is_file());
        has_head && has_folder("objects") && has_folder("refs")
    }

    /// A file of the repository, through no link; nothing where there is none.
    pub(crate) fn file(&self, components: &[OsString], limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        use std::io::Read;
        let file = match open_beneath(&self.folder, components) {
            Ok(file) => file,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                    _ => Err(error),
                };
            }
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit_bytes {
            return Err(io::Error::other(format!(
                "a file of the repository is larger than {limit_bytes} bytes"
            )));
        }
        Ok(Some(bytes))
    }

    /// What about it can't be read here.
    fn unsupported(&self) -> io::Result<Option<&'static str>> {
        let alternates = self.file(
            &["objects".into(), "info".into(), "alternates".into()],
            CONFIG_BYTES,
        )?;
        if alternates.is_some_and(|text| text.iter().any(|byte| !byte.is_ascii_whitespace())) {
            return Ok(Some(
                "it borrows objects from another repository (objects/info/alternates); `git repack -a -d` in it makes it whole",
            ));
        }
        let config = self.file(&["config".into()], CONFIG_BYTES)?.unwrap_or_default();
        let config = String::from_utf8_lossy(&config);
        let value = |name: &str| extension(&config, name);
        if value("objectformat").is_some_and(|format| !format.eq_ignore_ascii_case("sha1")) {
            return Ok(Some("its objects aren't named by SHA-1"));
        }
        if value("refstorage").is_some_and(|format| !format.eq_ignore_ascii_case("files")) {
            return Ok(Some("its references aren't files"));
        }
        Ok(None)
    }
}

/// The value of `extensions.NAME` in a configuration, the last one.
fn extension<'a>(config: &'a str, name: &str) -> Option<&'a str> {
    let mut is_inside = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default();
            is_inside = section.trim().eq_ignore_ascii_case("extensions");
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| is_inside) else {
            continue;
        };
        if key.trim().eq_ignore_ascii_case(name) {
            found = Some(value.trim().trim_matches('"'));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_found_in_its_section_alone() {
        let config = "[core]\n\tobjectformat = sha512\n[Extensions]\n\tworktreeConfig = true\n\tobjectFormat = sha256\n";
        assert_eq!(extension(config, "objectformat"), Some("sha256"));
        assert_eq!(extension(config, "refstorage"), None);
        assert_eq!(
            extension("[extensions]\nrefStorage=\"reftable\"", "refstorage"),
            Some("reftable")
        );
    }
}
