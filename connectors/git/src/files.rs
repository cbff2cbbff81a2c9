//! The files that a commit has: its tree, walked from the top, by the rules of the source.
//!
//! Trees are data, and names in them are paths to nothing here: a key is made of them, and no file is ever opened by one. A
//! name that no file can have (`..`, `.git`, one with a slash) is left out and told; a tree that can't be read, isn't sorted
//! as trees are, or lies too deep is told as a folder that is lost.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use lectern_connector_files::Filter;

use crate::error::Error;
use crate::object::{Commit, EntryKind, Id, Kind, entries};
use crate::store::{ObjectError, Store};

/// The deepest folder that is looked into.
pub(crate) const MOST_DEPTH: usize = 128;
/// A repository with more entries in its folders isn't read.
const MOST_ENTRIES: usize = 2_000_000;
/// So many trees are kept at a time ...
const MOST_KEPT: usize = 256;
/// ... of this size at most.
const LARGEST_KEPT_BYTES: usize = 64 << 10;
/// What is said of an entry whose name no file can have.
pub(crate) const NAME_UNSAFE: &str = "name_unsafe";
/// The largest tree; one with a million entries is as large.
pub(crate) const TREE_BYTES: u64 = 64 << 20;
/// The largest commit.
pub(crate) const COMMIT_BYTES: u64 = 16 << 20;

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// The names on the way to it and its own, with slashes between.
    pub(crate) path: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) id: Id,
}

/// What stands in a tree and isn't read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeftOut {
    pub(crate) path: Vec<u8>,
    /// Whether it is a folder about which nothing is known.
    pub(crate) is_lost_folder: bool,
    /// Stable.
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

/// What a commit has.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Sorted by path, each once.
    pub(crate) files: Vec<File>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Files {
    /// Reads what `commit` has, below `root` where patterns are meant so.
    pub(crate) fn of_commit(
        store: &Store,
        commit: Id,
        filter: &Filter,
        root: PathBuf,
    ) -> Result<Self, Error> {
        let bytes = store.read(commit, Kind::Commit, COMMIT_BYTES)?;
        let tree = Commit::parse(&bytes).ok_or_else(|| ObjectError::Corrupt {
            id: commit.to_string(),
            problem: "is no commit",
        })?;
        let mut walk = Walk {
            store,
            filter,
            at: root,
            path: Vec::new(),
            count: 0,
            read: HashMap::new(),
            found: Self::default(),
        };
        walk.folder(tree.tree, 0)?;
        Ok(walk.found)
    }

    /// The numbers of all files.
    pub(crate) fn numbers(&self) -> BTreeSet<u32> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).collect()
    }

    /// Whether nothing is known of some folder.
    pub(crate) fn has_lost_folders(&self) -> bool {
        self.left_out.iter().any(|left_out| left_out.is_lost_folder)
    }

    /// Whether `path` lies in a folder about which nothing is known.
    pub(crate) fn is_lost(&self, path: &[u8]) -> bool {
        let is_within = |folder: &[u8]| {
            let rest = path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        };
        let mut lost = self.left_out.iter().filter(|left_out| left_out.is_lost_folder);
        lost.any(|left_out| is_within(&left_out.path))
    }

    /// The number of the file at `path`.
    pub(crate) fn find(&self, path: &[u8]) -> Option<u32> {
        let place = self.files.binary_search_by(|file| file.path.as_slice().cmp(path));
        u32::try_from(place.ok()?).ok()
    }
}

struct Walk<'a> {
    store: &'a Store,
    filter: &'a Filter,
    /// Where the walk is, as a path that patterns are about.
    at: PathBuf,
    /// The same from the top of the repository.
    path: Vec<u8>,
    count: usize,
    /// Trees that were read just now: the same one may lie in many places.
    read: HashMap<Id, Arc<Vec<u8>>>,
    found: Files,
}

impl Walk<'_> {
    fn folder(&mut self, tree: Id, depth: usize) -> Result<(), Error> {
        let before = (self.found.files.len(), self.found.left_out.len());
        let read = self.read(tree);
        let walked = match &read {
            Ok(bytes) => self.tree(bytes, depth)?,
            Err(error) => Err((error.code(), error.to_string())),
        };
        let Err((code, reason)) = walked else {
            return Ok(());
        };
        if self.path.is_empty() {
            return Err(read.err().map_or(Error::TreeCorrupt { reason }, Error::Object));
        }
        // What was found in it so far may be wrong too.
        self.found.files.truncate(before.0);
        self.found.left_out.truncate(before.1);
        self.leave_out(true, code, format!("the folder cannot be read: {reason}"));
        Ok(())
    }

    fn read(&mut self, tree: Id) -> Result<Arc<Vec<u8>>, ObjectError> {
        if let Some(read) = self.read.get(&tree) {
            return Ok(Arc::clone(read));
        }
        let read = self.store.read(tree, Kind::Tree, TREE_BYTES)?;
        if self.read.len() >= MOST_KEPT {
            self.read.clear();
        }
        if read.len() <= LARGEST_KEPT_BYTES {
            self.read.insert(tree, Arc::clone(&read));
        }
        Ok(read)
    }

    /// The inner error is what is wrong with the tree itself.
    fn tree(&mut self, tree: &[u8], depth: usize) -> Result<Result<(), (&'static str, String)>, Error> {
        let mut last = None;
        for entry in entries(tree) {
            self.count += 1;
            if self.count > MOST_ENTRIES {
                return Err(Error::TooManyEntries { limit: MOST_ENTRIES });
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(problem) => return Ok(Err(("object_corrupt", problem.to_owned()))),
            };
            if last.is_some_and(|last| entry.order(&last).is_le()) {
                return Ok(Err(("object_corrupt", "a tree isn't sorted".to_owned())));
            }
            last = Some(entry);
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(entry.name);
            if is_name(entry.name) {
                self.at.push(OsStr::from_bytes(entry.name));
                self.entry(&entry, depth)?;
                self.at.pop();
            } else {
                self.leave_out(false, NAME_UNSAFE, "no file can have that name".to_owned());
            }
            self.path.truncate(length);
        }
        Ok(Ok(()))
    }

    fn entry(&mut self, entry: &crate::object::Entry<'_>, depth: usize) -> Result<(), Error> {
        let kind = entry.kind();
        let is_folder = kind == EntryKind::Folder;
        if self.filter.hides(OsStr::from_bytes(entry.name)) || self.filter.excludes(&self.at, is_folder) {
            return Ok(());
        }
        if is_folder && depth >= MOST_DEPTH {
            let reason = format!("it lies in more than {MOST_DEPTH} folders");
            self.leave_out(true, "too_deep", reason);
            return Ok(());
        }
        if is_folder {
            return self.folder(entry.id, depth + 1);
        }
        if !self.filter.includes(&self.at) {
            return Ok(());
        }
        match kind {
            EntryKind::File => self.found.files.push(File {
                path: self.path.clone(),
                mode: entry.mode,
                id: entry.id,
            }),
            EntryKind::Link => {
                self.leave_out(false, "link_not_followed", "links are not followed".to_owned())
            }
            EntryKind::Submodule => {
                let reason = "it is a submodule, which is a repository of its own".to_owned();
                self.leave_out(false, "submodule", reason);
            }
            EntryKind::Folder | EntryKind::Unknown => {
                self.leave_out(
                    false,
                    "not_a_file",
                    "it is neither a file nor a folder".to_owned(),
                );
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, is_lost_folder: bool, code: &'static str, reason: String) {
        self.found.left_out.push(LeftOut {
            path: self.path.clone(),
            is_lost_folder,
            code,
            reason,
        });
    }
}

/// Whether a file of a checkout can have the name.
fn is_name(name: &[u8]) -> bool {
    let is_special = name.is_empty() || name == b"." || name == b".." || name.eq_ignore_ascii_case(b".git");
    !is_special && !name.contains(&b'/')
}
