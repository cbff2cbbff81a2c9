//! The data folder: everything that Lectern keeps, under one roof and one lock.
//!
//! ```text
//! lectern.toml     settings (optional)          lock        held while a process uses the folder
//! ledger.sqlite    what is indexed              texts/      extracted texts, by hash
//! originals/       documents that were pushed   vectors/    one folder for each knowledge base
//! words/           the same                     models/     model files, unless they live elsewhere
//! demo/            what `lectern demo` unpacks          evaluations/   runs of `lectern eval --kb`
//! analytics.sqlite what was asked and opened
//! ```
//!
//! One process at a time: the indexes have one writer, and an operator who starts a second one by
//! mistake is told which folder is in use and what to do.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use lectern_domain::{ErrorKind, PortError};

/// A data folder that this process holds. The lock goes when the value goes, or the process.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is missing (readable by its owner alone) and takes its lock.
    ///
    /// Fails with `Conflict` `data_folder_in_use` where another process holds it, and with
    /// `data_folder_unusable` where it can't be made or written to.
    pub fn open(root: &Path) -> Result<Self, PortError> {
        make_folder(root)?;
        let root = root.canonicalize().map_err(|error| unusable(root, error))?;
        let lock_path = root.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| unusable(&root, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(PortError::new(
                ErrorKind::Conflict,
                "data_folder_in_use",
                format!(
                    "the data folder {} is in use by another lectern process",
                    root.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(unusable(&root, error)),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The ledger's database.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.sqlite")
    }

    /// What was asked and opened.
    pub fn analytics(&self) -> PathBuf {
        self.root.join("analytics.sqlite")
    }

    /// What the in-process index of vectors keeps.
    pub fn vectors(&self) -> PathBuf {
        self.root.join("vectors")
    }

    /// What the index of words keeps.
    pub fn words(&self) -> PathBuf {
        self.root.join("words")
    }

    /// What `lectern demo` unpacks and remembers.
    pub fn demo(&self) -> PathBuf {
        self.root.join("demo")
    }
}

/// The data folder of a user who doesn't name one: `lectern` in the place where the system keeps a
/// user's data (XDG Base Directory Specification on Linux). `None` where there is no home.
pub fn default_data_folder() -> Option<PathBuf> {
    let by_xdg = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = match by_xdg {
        Some(path) => path,
        None if cfg!(target_os = "macos") => std::env::home_dir()?.join("Library/Application Support"),
        None if cfg!(windows) => std::env::var_os("LOCALAPPDATA").map(PathBuf::from)?,
        None => std::env::home_dir()?.join(".local/share"),
    };
    Some(base.join("lectern"))
}

fn make_folder(path: &Path) -> Result<(), PortError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Invalid,
    };
    PortError::new(
        kind,
        "data_folder_unusable",
        format!("can't use the data folder {}", path.display()),
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_by_name_until_the_first_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::Conflict, "data_folder_in_use")
        );
        assert!(
            error.message.contains(&first.root().display().to_string()),
            "{}",
            error.message
        );

        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_file_in_the_folders_place_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, "").unwrap();
        let error = DataFolder::open(&file).unwrap_err();
        assert_eq!(error.code, "data_folder_unusable");
        assert!(error.message.contains("taken"));
    }
}
