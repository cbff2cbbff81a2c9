//! The walk over the roots: which files may have messages, and which folders they lie in.
//!
//! A folder that has `cur` and `new` is a Maildir: each file in these two is a message, `tmp` has what is still being delivered,
//! what else lies in it belongs to mail programs, and folders in it that begin with a dot are its subfolders. In other folders each file
//! is looked into later, whose name doesn't begin with a dot. Links are not followed.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_connector_files::State;

use crate::config::MailConfig;
use crate::error::Error;
use crate::names::{self, INBOX};

/// A path in a root has at most so many parts.
const DEEPEST: usize = 64;

/// A folder of files, as the walk found it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// Absolute, without links.
    pub(crate) root: Arc<Path>,
    /// The way from the root.
    pub(crate) components: Vec<OsString>,
    /// What people call it; empty for a root that is no Maildir.
    pub(crate) label: String,
    /// Whether each file in it is a message.
    pub(crate) is_maildir: bool,
}

impl Folder {
    pub(crate) fn path(&self) -> PathBuf {
        self.root.join(self.components.iter().collect::<PathBuf>())
    }
}

/// A file that may have messages.
#[derive(Clone, Debug)]
pub(crate) struct MailFile {
    /// The number of its folder.
    pub(crate) folder: u32,
    pub(crate) name: OsString,
    /// Whether it was configured itself.
    pub(crate) is_root: bool,
}

/// Something that is left out, and why.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) path: PathBuf,
    pub(crate) code: &'static str,
    pub(crate) reason: &'static str,
}

/// The state of a folder.
#[derive(Clone, Debug)]
pub(crate) struct FolderState {
    path: PathBuf,
    state: State,
    is_settled: bool,
}

impl FolderState {
    /// Whether it looks as it did.
    pub(crate) fn is_same(&self) -> bool {
        let now = self.path.symlink_metadata();
        now.is_ok_and(|metadata| State::of(&metadata) == self.state)
    }

    /// Whether nothing happened in it since.
    pub(crate) fn is_current(&self) -> bool {
        self.is_settled && self.is_same()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) folders: Vec<Folder>,
    /// In the order of the folders, and by name in each.
    pub(crate) files: Vec<MailFile>,
    pub(crate) left: Vec<Left>,
    /// The states of all folders before they were read.
    pub(crate) states: Vec<FolderState>,
}

/// Walks the roots. Fails where one of them, or a folder below, can't be read.
pub(crate) fn find(config: &MailConfig) -> Result<Found, Error> {
    let mut walk = Walk {
        config,
        found: Found::default(),
    };
    for root in &config.roots {
        let path = root.canonicalize().map_err(|error| Error::of_path(root, error))?;
        let metadata = path.metadata().map_err(|error| Error::of_path(root, error))?;
        if metadata.is_dir() {
            walk.folder(&Arc::from(path), Vec::new(), String::new())?;
            continue;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            continue;
        };
        let folder = walk.add_folder(&Arc::from(parent), Vec::new(), String::new(), false);
        walk.file(folder, name, &metadata, true);
    }
    Ok(walk.found)
}

struct Walk<'a> {
    config: &'a MailConfig,
    found: Found,
}

/// A name in a folder, and what it is.
type Entry = (OsString, Metadata);

impl Walk<'_> {
    fn add_folder(
        &mut self,
        root: &Arc<Path>,
        components: Vec<OsString>,
        label: String,
        is_maildir: bool,
    ) -> u32 {
        self.found.folders.push(Folder {
            root: Arc::clone(root),
            components,
            label,
            is_maildir,
        });
        u32::try_from(self.found.folders.len() - 1).unwrap_or(u32::MAX)
    }

    fn folder(&mut self, root: &Arc<Path>, components: Vec<OsString>, label: String) -> Result<(), Error> {
        // Folders within folders are gone through by a list, and not by calls within calls.
        let mut open = vec![(components, label)];
        while let Some((components, label)) = open.pop() {
            if components.len() > DEEPEST {
                self.leave(root, &components, "too_deep", "it lies more than 64 folders deep");
                continue;
            }
            let entries = match self.entries(root, &components) {
                Err(_) if self.config.excludes(&label) => continue,
                entries => entries?,
            };
            let has = |name: &str| {
                entries
                    .iter()
                    .any(|(known, metadata)| known == name && metadata.is_dir())
            };
            if has("new") && has("tmp") && !has("cur") && !self.config.excludes(&label) {
                return Err(Error::PathUnreadable {
                    path: self.path(root, &components),
                    source: io::Error::other("it is a Maildir that has lost its folder cur"),
                });
            }
            let mut below = match has("cur") && has("new") {
                true => self.maildir(root, &components, label, &entries)?,
                false => self.plain(root, &components, &label, &entries),
            };
            // The first is to be taken next.
            below.reverse();
            open.extend(below);
        }
        Ok(())
    }

    /// Notes the messages of a Maildir. Gives the folders below it.
    fn maildir(
        &mut self,
        root: &Arc<Path>,
        components: &[OsString],
        label: String,
        entries: &[Entry],
    ) -> Result<Vec<(Vec<OsString>, String)>, Error> {
        let label = if label.is_empty() { INBOX.to_owned() } else { label };
        // What is read moves from new to cur: looked at the other way round, it might be in neither.
        for part in ["new", "cur"] {
            if self.config.excludes(&label) {
                break;
            }
            let components = with(components, OsStr::new(part));
            let messages = self.entries(root, &components)?;
            let folder = self.add_folder(root, components, label.clone(), true);
            for (name, metadata) in messages {
                if !name.as_encoded_bytes().starts_with(b".") && !metadata.is_dir() {
                    self.file(folder, &name, &metadata, false);
                }
            }
        }
        let mut below = Vec::new();
        for (name, metadata) in entries {
            let is_own = ["cur", "new", "tmp"].iter().any(|own| name == own);
            if is_own || !metadata.is_dir() {
                continue;
            }
            let text = name.to_string_lossy();
            let label = match text.starts_with('.') {
                true => names::maildir_folder(&label, &text),
                false => names::below(&label, &text),
            };
            let components = with(components, name);
            let is_maildir = || self.path(root, &components).join("cur").is_dir();
            if !text.starts_with('.') || is_maildir() {
                below.push((components, label));
            }
        }
        Ok(below)
    }

    /// Notes the files of a folder that is no Maildir. Gives the folders below it.
    fn plain(
        &mut self,
        root: &Arc<Path>,
        components: &[OsString],
        label: &str,
        entries: &[Entry],
    ) -> Vec<(Vec<OsString>, String)> {
        let mut below = Vec::new();
        let is_excluded = self.config.excludes(label);
        let mut folder = None;
        for (name, metadata) in entries {
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if metadata.is_dir() {
                let label = names::below(label, &name.to_string_lossy());
                below.push((with(components, name), label));
                continue;
            }
            if is_excluded {
                continue;
            }
            let number = *folder
                .get_or_insert_with(|| self.add_folder(root, components.to_vec(), label.to_owned(), false));
            self.file(number, name, metadata, false);
        }
        below
    }

    fn file(&mut self, folder: u32, name: &OsStr, metadata: &Metadata, is_root: bool) {
        let reason = if metadata.is_symlink() {
            Some(("link_not_followed", "links are not followed"))
        } else if !metadata.is_file() {
            Some(("not_a_file", "it is a device, a pipe or a socket"))
        } else {
            None
        };
        let place = &self.found.folders[folder as usize];
        match reason {
            Some((code, reason)) => self.found.left.push(Left {
                path: place.path().join(name),
                code,
                reason,
            }),
            None => self.found.files.push(MailFile {
                folder,
                name: name.to_owned(),
                is_root,
            }),
        }
    }

    fn leave(&mut self, root: &Path, components: &[OsString], code: &'static str, reason: &'static str) {
        let path = self.path(root, components);
        self.found.left.push(Left { path, code, reason });
    }

    fn path(&self, root: &Path, components: &[OsString]) -> PathBuf {
        root.join(components.iter().collect::<PathBuf>())
    }

    /// What lies in a folder, by name, without following links. What goes meanwhile is passed over, and so is a folder.
    fn entries(&mut self, root: &Path, components: &[OsString]) -> Result<Vec<Entry>, Error> {
        let path = self.path(root, components);
        let unreadable = |source| Error::of_path(&path, source);
        let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let read = path.symlink_metadata().and_then(|metadata| {
            let state = State::of(&metadata);
            let state = FolderState {
                path: path.clone(),
                state,
                is_settled: state.is_settled(),
            };
            Ok((state, path.read_dir()?))
        });
        let reader = match read {
            Ok((state, reader)) => {
                self.found.states.push(state);
                reader
            }
            // The folder that it was in has changed, which is seen there.
            Err(error) if is_gone(&error) && !components.is_empty() => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut entries = Vec::new();
        for entry in reader {
            let entry = entry.map_err(unreadable)?;
            match entry.metadata() {
                Ok(metadata) => entries.push((entry.file_name(), metadata)),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(entries)
    }
}

fn with(components: &[OsString], name: &OsStr) -> Vec<OsString> {
    let mut all = components.to_vec();
    all.push(name.to_owned());
    all
}
