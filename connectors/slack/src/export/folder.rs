//! An unpacked export: a folder on the disk.
//!
//! Files are opened one folder after the other without following a link, so that nothing outside of the export is
//! read, whatever somebody puts into it.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lectern_connector_files::{open_beneath, state_of};

use super::{
    ATTACHMENTS, Days, Place, Root, StoredFile, UPLOADS, USERS, Unreadable, attachment_id, is_day, is_id,
};
use crate::error::Error;

/// The folder, and what lies in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    pub(super) root: Root,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = unwrapped(path)?;
        let unreadable = |source| super::path_error(&path, source);
        let mut root = Root::default();
        for entry in entries(&path).map_err(unreadable)? {
            let Some(name) = entry.name.to_str() else { continue };
            if entry.metadata.is_dir() {
                root.folders.push(name.to_owned());
            } else if entry.metadata.is_file() {
                root.lists
                    .insert(name.to_owned(), stored(&[name], &entry.metadata));
            }
        }
        root.folders.sort();
        if let Some(place) = root.folders.iter().position(|name| name == UPLOADS) {
            root.folders.remove(place);
            root.uploads = uploads(&path).map_err(unreadable)?;
        }
        Ok(Self { path, root })
    }

    pub(super) fn days(&self, name: &str) -> Result<Days, Unreadable> {
        let mut days = Days::default();
        if self
            .root
            .folders
            .binary_search_by(|folder| folder.as_str().cmp(name))
            .is_err()
        {
            days.signature = Some(String::new());
            return Ok(days);
        }
        let path = self.path.join(name);
        let mut signature = Some(String::new());
        for entry in entries(&path).map_err(|error| Unreadable::io(&error))? {
            let Some(file) = entry.name.to_str() else { continue };
            if entry.metadata.is_file() && is_day(file) {
                let stored = stored(&[name, file], &entry.metadata);
                let line = stored.stamp.as_ref().map(|stamp| format!("{file} {stamp}\n"));
                signature = signature.zip(line).map(|(all, line)| all + &line);
                days.files.push(stored);
            } else if entry.metadata.is_dir() && file == ATTACHMENTS {
                days.uploads = attachments(&path, name).map_err(|error| Unreadable::io(&error))?;
            }
        }
        days.files.sort_by(|left, right| left.name.cmp(&right.name));
        days.signature = signature.map(|all| blake3::hash(all.as_bytes()).to_hex().to_string());
        Ok(days)
    }

    pub(super) fn read(&self, path: &[OsString], limit_bytes: u64) -> Result<Vec<u8>, Unreadable> {
        let mut file = open_beneath(&self.path, path).map_err(|error| Unreadable::io(&error))?;
        let metadata = file.metadata().map_err(|error| Unreadable::io(&error))?;
        if !metadata.is_file() {
            return Err(Unreadable::new("not_a_file", "is no regular file"));
        }
        let mut bytes = Vec::new();
        file.by_ref()
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Unreadable::io(&error))?;
        match bytes.len() as u64 > limit_bytes {
            true => Err(Unreadable::too_large(limit_bytes)),
            false => Ok(bytes),
        }
    }
}

/// The folder that has the lists: this one, or the only one in it.
fn unwrapped(path: &Path) -> Result<PathBuf, Error> {
    let unreadable = |source| super::path_error(path, source);
    let has_users = |path: &Path| {
        USERS.iter().any(|name| {
            path.join(name)
                .symlink_metadata()
                .is_ok_and(|metadata| metadata.is_file())
        })
    };
    if has_users(path) {
        return Ok(path.to_owned());
    }
    let inner = entries(path).map_err(unreadable)?;
    let mut wrappers = inner
        .iter()
        .filter(|entry| entry.metadata.is_dir())
        .map(|entry| path.join(&entry.name))
        .filter(|path| has_users(path));
    Ok(wrappers.next().unwrap_or_else(|| path.to_owned()))
}

struct Entry {
    name: OsString,
    metadata: Metadata,
}

/// What lies in a folder, without following links. What goes meanwhile is passed over.
fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in path.read_dir()? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) => found.push(Entry {
                name: entry.file_name(),
                metadata,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn stored(path: &[&str], metadata: &Metadata) -> StoredFile {
    StoredFile {
        name: path.join("/"),
        size_bytes: metadata.len(),
        stamp: state_of(metadata),
        place: Place::Path(path.iter().map(OsString::from).collect()),
    }
}

/// The files of `__uploads/ID/NAME`.
fn uploads(root: &Path) -> io::Result<std::collections::HashMap<String, StoredFile>> {
    let mut found = std::collections::HashMap::new();
    for entry in entries(&root.join(UPLOADS))? {
        let id = entry.name.to_str().filter(|name| is_id(name));
        let Some(id) = id.filter(|_| entry.metadata.is_dir()) else {
            continue;
        };
        for file in entries(&root.join(UPLOADS).join(id))? {
            if let Some(name) = file.name.to_str().filter(|_| file.metadata.is_file()) {
                found.insert(id.to_owned(), stored(&[UPLOADS, id, name], &file.metadata));
            }
        }
    }
    Ok(found)
}

/// The files of `CONVERSATION/attachments/ID-NAME`.
fn attachments(folder: &Path, name: &str) -> io::Result<std::collections::HashMap<String, StoredFile>> {
    let mut found = std::collections::HashMap::new();
    for entry in entries(&folder.join(ATTACHMENTS))? {
        let file = entry.name.to_str().filter(|_| entry.metadata.is_file());
        if let Some((file, id)) = file.and_then(|file| Some((file, attachment_id(file)?))) {
            found.insert(id.to_owned(), stored(&[name, ATTACHMENTS, file], &entry.metadata));
        }
    }
    Ok(found)
}

/// The state of an archive, or of a folder and of the files that lie directly in it.
pub(super) fn signature(path: &Path) -> Result<Option<String>, Error> {
    let unreadable = |source| super::path_error(path, source);
    let metadata = path.metadata().map_err(unreadable)?;
    let Some(mut all) = state_of(&metadata) else {
        return Ok(None);
    };
    if !metadata.is_dir() {
        return Ok(Some(all));
    }
    let path = unwrapped(path)?;
    let mut lines = Vec::new();
    for entry in entries(&path).map_err(unreadable)? {
        // What happens in a folder that was there is seen when that folder is read.
        let is_relevant = entry.metadata.is_file() || entry.name == OsStr::new(UPLOADS);
        if is_relevant {
            let Some(state) = state_of(&entry.metadata) else {
                return Ok(None);
            };
            lines.push(format!("{:?} {state}", entry.name));
        }
    }
    lines.sort();
    all.push_str(&lines.join("\n"));
    Ok(Some(blake3::hash(all.as_bytes()).to_hex().to_string()))
}
