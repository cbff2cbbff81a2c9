//! The walk over the folders of a source: sorted by name, one folder's names in memory at a time.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};
use ignore::{DirEntry, WalkBuilder};
use lectern_domain::ports::{ListEvent, SourceItem};

use crate::change::change_tag;
use crate::config::FilesConfig;
use crate::error::Error;
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
}

impl Root {
    /// The key of a file or folder under this root.
    fn key(&self, path: &Path) -> String {
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
    let mut walk = WalkBuilder::new(&root.path);
    walk.standard_filters(false)
        .hidden(!config.hidden)
        .follow_links(false)
        .sort_by_file_name(|left, right| left.cmp(right));
    for entry in walk.build() {
        let event = match entry {
            Ok(entry) => file(root, &entry, config).map(Ok),
            Err(error) => unreadable(root, error),
        };
        let Some(event) = event else { continue };
        let is_last = event.is_err();
        if !give(event) || is_last {
            return;
        }
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
    if metadata.is_dir() {
        return None;
    }
    if let Some(described) = path.file_name().and_then(sidecar::described_by) {
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
