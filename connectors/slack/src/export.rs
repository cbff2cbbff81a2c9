//! The export as a set of files: a zip archive as Slack gives it ([`archive`]), or the folder that it was unpacked to
//! ([`folder`]).
//!
//! What lies where is read at once; the content of a file only when it is asked for, one file at a time and never
//! beyond its bound. Names inside an export are never made paths: a file is read by its place in what was listed, so
//! a name such as `../../etc/passwd` leads nowhere.

mod archive;
mod folder;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use archive::Archive;
use folder::Folder;

use crate::config::SlackConfig;
use crate::error::Error;

/// A list that names the users.
pub(crate) const USERS: [&str; 2] = ["users.json", "org_users.json"];
/// The folder in which exports that were completed with files have them, by their ids.
const UPLOADS: &str = "__uploads";
/// The folder beside the messages of a conversation in which other programs put its files, as `ID-NAME`.
const ATTACHMENTS: &str = "attachments";

/// A file of the export.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    /// Its path in the export, for people.
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    /// What is another text when its content is another; `None` where it changed too recently to be sure.
    pub(crate) stamp: Option<String>,
    place: Place,
}

/// How it is opened.
#[derive(Clone, Debug)]
enum Place {
    /// By its number in the archive.
    Entry(usize),
    /// By its path under the folder.
    Path(Vec<std::ffi::OsString>),
}

/// What lies beside the conversations.
#[derive(Debug, Default)]
pub(crate) struct Root {
    /// `users.json`, `channels.json` and so on, by name.
    pub(crate) lists: BTreeMap<String, StoredFile>,
    /// The names of the folders.
    pub(crate) folders: Vec<String>,
    /// Files that were shared, by their ids.
    pub(crate) uploads: HashMap<String, StoredFile>,
}

/// What lies in the folder of a conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    /// The files of messages, by date.
    pub(crate) files: Vec<StoredFile>,
    /// Files that were shared there, by their ids.
    pub(crate) uploads: HashMap<String, StoredFile>,
    /// What is another text when anything in the folder is another; `None` where that can't be told.
    pub(crate) signature: Option<String>,
}

/// Why a file of the export can't be used, to be said after its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Stable.
    pub(crate) code: &'static str,
    pub(crate) problem: String,
}

impl Unreadable {
    pub(crate) fn new(code: &'static str, problem: impl Into<String>) -> Self {
        Self {
            code,
            problem: problem.into(),
        }
    }

    fn too_large(limit_bytes: u64) -> Self {
        Self::new(
            "too_large",
            format!("has more than the {limit_bytes} bytes that it may"),
        )
    }

    fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::new("permission_denied", "may not be read"),
            kind => Self::new("file_unreadable", format!("can't be read ({kind})")),
        }
    }
}

/// An opened export.
#[derive(Debug)]
pub(crate) enum Export {
    Archive(Archive),
    Folder(Folder),
}

impl Export {
    /// Opens the export and reads what lies where. Waits for the disk.
    pub(crate) fn open(config: &SlackConfig) -> Result<Self, Error> {
        let path = &config.export;
        let metadata = path.metadata().map_err(|source| path_error(path, source))?;
        match metadata.is_dir() {
            true => Ok(Self::Folder(Folder::open(path)?)),
            false => Ok(Self::Archive(Archive::open(path, config.max_entries)?)),
        }
    }

    /// What is another text when the export, or at least its lists, is another; `None` where that can't be told.
    pub(crate) fn signature(config: &SlackConfig) -> Result<Option<String>, Error> {
        folder::signature(&config.export)
    }

    pub(crate) fn root(&self) -> &Root {
        match self {
            Self::Archive(archive) => &archive.root,
            Self::Folder(folder) => &folder.root,
        }
    }

    /// What lies in one of the folders; nothing where there is none of that name.
    pub(crate) fn days(&self, name: &str) -> Result<Days, Unreadable> {
        match self {
            Self::Archive(archive) => Ok(archive.days(name)),
            Self::Folder(folder) => folder.days(name),
        }
    }

    /// The content of a file, at most `limit_bytes` of it.
    pub(crate) fn read(&self, file: &StoredFile, limit_bytes: u64) -> Result<Vec<u8>, Unreadable> {
        match (self, &file.place) {
            (Self::Archive(archive), Place::Entry(entry)) => archive.read(*entry, limit_bytes),
            (Self::Folder(folder), Place::Path(path)) => folder.read(path, limit_bytes),
            _ => Err(Unreadable::new("file_unreadable", "isn't one of this export")),
        }
    }
}

fn path_error(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::PathNotFound {
            path: path.to_owned(),
        },
        _ => Error::PathUnreadable {
            path: path.to_owned(),
            source,
        },
    }
}

/// Whether the file has the messages of a day: `2024-03-01.json`.
fn is_day(name: &str) -> bool {
    name.strip_suffix(".json").and_then(day_of).is_some()
}

fn day_of(stem: &str) -> Option<chrono::NaiveDate> {
    let is_plain = stem.len() == 10;
    is_plain.then(|| chrono::NaiveDate::parse_from_str(stem, "%Y-%m-%d").ok())?
}

impl StoredFile {
    /// The last component of its name.
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The day whose messages it has.
    pub(crate) fn day(&self) -> Option<chrono::NaiveDate> {
        day_of(self.file_name().strip_suffix(".json")?)
    }
}

/// The id in `F012AB3CD-plan.pdf`.
fn attachment_id(name: &str) -> Option<&str> {
    let (id, _) = name.split_once('-')?;
    is_id(id).then_some(id)
}

/// Whether it is an id as Slack makes them. Nothing else becomes a part of a key.
pub(crate) fn is_id(text: &str) -> bool {
    (2..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
