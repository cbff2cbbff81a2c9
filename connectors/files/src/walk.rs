//! The walk over the folders of a source: sorted by name, one folder's names in memory at a time; or, where only some paths
//! changed, over the folders that lead to them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ignore::{DirEntry, WalkBuilder};
use lectern_domain::ports::{ListEvent, SourceItem};

use crate::change::change_tag;
use crate::config::FilesConfig;
use crate::error::Error;
use crate::filter::{Filter, IGNORE_FILE};
use crate::key::{encode, file_uri};
use crate::sidecar;

/// A root, and what its keys begin with: nothing, or its name and `/` where a source has several.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Absolute, without links.
    pub(crate) path: std::path::PathBuf,
    /// Whether it is one file.
    pub(crate) is_file: bool,
    /// Empty, or ends with `/`.
    pub(crate) prefix: String,
    /// What is read below it.
    pub(crate) filter: Arc<Filter>,
}

impl Root {
    /// Whether something at this path could be a document of this root.
    pub(crate) fn has(&self, path: &Path) -> bool {
        match self.is_file {
            true => self.path == path,
            false => path != self.path && path.starts_with(&self.path),
        }
    }

    /// The key of a file or folder under this root.
    pub(crate) fn key(&self, path: &Path) -> String {
        if self.is_file {
            return path.file_name().map(encode).unwrap_or_default();
        }
        let relative = path.strip_prefix(&self.path).unwrap_or(path);
        let components: Vec<String> = relative.iter().map(encode).collect();
        format!("{}{}", self.prefix, components.join("/"))
    }

    pub(crate) fn item(&self, path: &Path, metadata: Option<&Metadata>) -> SourceItem {
        SourceItem {
            key: self.key(path),
            uri: file_uri(path),
            size_bytes: metadata.map(Metadata::len),
            modified_at: metadata
                .and_then(|metadata| metadata.modified().ok())
                .map(DateTime::<Utc>::from),
            change_tag: metadata.and_then(|metadata| change_tag(path, metadata)),
        }
    }
}

/// Walks a root and hands over what is there. Ends early when `give` says that nobody listens.
pub(crate) fn walk(
    root: &Root,
    config: &FilesConfig,
    give: &mut dyn FnMut(Result<ListEvent, Error>) -> bool,
) {
    walk_with(walker(root, config, None), root, config, give);
}

/// Walks to the paths `changed`, and through those of them that are folders.
pub(crate) fn walk_to(
    changed: &Arc<BTreeSet<PathBuf>>,
    root: &Root,
    config: &FilesConfig,
    give: &mut dyn FnMut(Result<ListEvent, Error>) -> bool,
) {
    walk_with(
        walker(root, config, Some(Arc::clone(changed))),
        root,
        config,
        give,
    );
}

/// A walk by the rules of the source: hidden names, ignore files, excluded paths.
pub(crate) fn walker(
    root: &Root,
    config: &FilesConfig,
    changed: Option<Arc<BTreeSet<PathBuf>>>,
) -> WalkBuilder {
    let mut walk = WalkBuilder::new(&root.path);
    let filter = Arc::clone(&root.filter);
    walk.standard_filters(false)
        .hidden(!config.hidden)
        .git_ignore(config.gitignore)
        .require_git(false)
        .follow_links(false)
        .sort_by_file_name(|left, right| left.cmp(right))
        .filter_entry(move |entry| {
            if entry.depth() == 0 {
                return true;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_wanted = |changed: &Arc<BTreeSet<PathBuf>>| leads_to(changed, entry.path());
            changed.as_ref().is_none_or(is_wanted) && !filter.excludes(entry.path(), is_folder)
        });
    walk.add_custom_ignore_filename(IGNORE_FILE);
    walk
}

/// Whether `path` is one of the changed ones, or under one, or on the way to one.
fn leads_to(changed: &BTreeSet<PathBuf>, path: &Path) -> bool {
    let is_above = || {
        let next = changed
            .range::<Path, _>((Bound::Included(path), Bound::Unbounded))
            .next();
        next.is_some_and(|next| next.starts_with(path))
    };
    is_above() || path.ancestors().any(|above| changed.contains(above))
}

fn walk_with(
    walk: WalkBuilder,
    root: &Root,
    config: &FilesConfig,
    give: &mut dyn FnMut(Result<ListEvent, Error>) -> bool,
) {
    for entry in walk.build() {
        let event = match entry {
            // What an ignore file was meant to leave out must not be taken in because it is misspelt.
            Ok(entry) => match entry.error() {
                Some(problem) => Some(Err(ignore_file_invalid(entry.path(), problem))),
                None => file(root, &entry, config).map(Ok),
            },
            Err(error) => unreadable(root, error),
        };
        let Some(event) = event else { continue };
        let is_last = event.is_err();
        if !give(event) || is_last {
            return;
        }
    }
}

fn ignore_file_invalid(folder: &Path, problem: &ignore::Error) -> Error {
    Error::IgnoreFile {
        path: path_of(problem).unwrap_or(folder).to_owned(),
        problem: problem.to_string(),
    }
}

/// What is said of an entry; nothing of a folder.
fn file(root: &Root, entry: &DirEntry, config: &FilesConfig) -> Option<ListEvent> {
    let path = entry.path();
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        // Gone since its folder was read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(failed(root.item(path, None), &error)),
    };
    let name = path.file_name().unwrap_or_default();
    if metadata.is_dir() || root.filter.is_ignore_file(name) {
        return None;
    }
    if !root.is_file && !root.filter.includes(path) {
        return None;
    }
    if let Some(described) = sidecar::described_by(name) {
        return orphan(root, path, described);
    }
    let item = root.item(path, Some(&metadata));
    let skipped = |code, reason| ListEvent::Skipped {
        item: item.clone(),
        code,
        reason,
    };
    if metadata.is_symlink() {
        return Some(skipped("link_not_followed", "links are not followed".to_owned()));
    }
    if !metadata.is_file() {
        return Some(skipped(
            "not_a_file",
            "it is a device, a pipe or a socket".to_owned(),
        ));
    }
    if metadata.len() > config.max_file_bytes {
        let reason = format!(
            "it has {} bytes; the limit is {}",
            metadata.len(),
            config.max_file_bytes
        );
        return Some(skipped("too_large", reason));
    }
    if let Err(error) = rustix::fs::access(path, rustix::fs::Access::READ_OK) {
        return Some(failed(item, &error.into()));
    }
    Some(ListEvent::Item(item))
}

/// What is said of a sidecar: nothing where what it is about is there, since it is read with that.
fn orphan(root: &Root, path: &Path, described: &OsStr) -> Option<ListEvent> {
    if path.with_file_name(described).symlink_metadata().is_ok() {
        return None;
    }
    Some(ListEvent::Skipped {
        item: root.item(path, None),
        code: "sidecar_alone",
        reason: format!("it is about {described:?}, and there is no such file beside it"),
    })
}

/// What is said of a folder that can't be read: at the root the listing ends, below it goes on beside it.
fn unreadable(root: &Root, error: ignore::Error) -> Option<Result<ListEvent, Error>> {
    let path = path_of(&error).unwrap_or(&root.path).to_owned();
    let source = error
        .into_io_error()
        .unwrap_or_else(|| io::Error::other("the folder could not be walked"));
    if path == root.path {
        return Some(Err(match source.kind() {
            io::ErrorKind::NotFound => Error::PathNotFound { path },
            _ => Error::PathUnreadable { path, source },
        }));
    }
    if source.kind() == io::ErrorKind::NotFound {
        return None;
    }
    let mut item = root.item(&path, None);
    item.key.push('/');
    Some(Ok(failed(item, &source)))
}

fn failed(item: SourceItem, error: &io::Error) -> ListEvent {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission_denied",
        _ => "file_unreadable",
    };
    let what = if item.key.ends_with('/') {
        "the folder"
    } else {
        "the file"
    };
    let reason = format!("{what} cannot be read: {error}");
    ListEvent::Failed { item, code, reason }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        _ => None,
    }
}
