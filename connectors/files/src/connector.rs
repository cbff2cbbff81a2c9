//! The connector: its roots, and the two ways into them.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::PortError;
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::changes::Changes;
use crate::config::FilesConfig;
use crate::error::Error;
use crate::filter::Filter;
use crate::key::encode;
use crate::listing::{Listed, listing_of};
use crate::open::{components, open_beneath, read};
use crate::sidecar::{self, Sidecar};
use crate::walk::{Root, walk, walk_to};

/// Reads folders and files of this machine.
#[derive(Clone, Debug)]
pub struct FilesConnector {
    pub(crate) config: Arc<FilesConfig>,
    pub(crate) roots: Arc<[Root]>,
    /// What changed, where it is watched.
    changes: Option<Arc<Changes>>,
}

impl FilesConnector {
    /// A connector for folders and files that are there. Their paths are made absolute and free of links.
    ///
    /// Fails with [`Error::PathNotFound`] where one is missing.
    pub fn new(config: FilesConfig) -> Result<Self, Error> {
        if config.roots.is_empty() {
            return Err(Error::NoRoots);
        }
        let has_several = config.roots.len() > 1;
        let roots: Vec<Root> = config
            .roots
            .iter()
            .map(|path| resolve(path, has_several, &config))
            .collect::<Result<_, _>>()?;
        let mut names = HashSet::new();
        for root in &roots {
            let name = root.path.file_name().map(encode).unwrap_or_default();
            if !names.insert(name.clone()) {
                return Err(Error::RootNamesCollide { name });
            }
        }
        Ok(Self {
            config: Arc::new(config),
            roots: roots.into(),
            changes: None,
        })
    }

    /// The same, with listings of what changed since the last one.
    pub(crate) fn with_changes(self, changes: Arc<Changes>) -> Self {
        Self {
            changes: Some(changes),
            ..self
        }
    }

    /// The roots, absolute and free of links.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(|root| root.path.as_path())
    }

    /// The document that the file `path` (absolute, without links) is in this source, or `None` where the source doesn't
    /// have it. Ignore files aren't looked at.
    pub fn item_of(&self, path: &Path) -> Option<SourceItem> {
        let has = |root: &&Root| {
            let is_read = || !root.filter.rules_out(&root.path, path) && root.filter.includes(path);
            root.has(path) && (root.is_file || is_read())
        };
        let root = self.roots.iter().find(has)?;
        let metadata = path.symlink_metadata().ok()?;
        metadata.is_file().then(|| root.item(path, Some(&metadata)))
    }

    /// The paths that changed since a listing ended with `cursor`, and the files whose sidecars they are or that are theirs.
    fn changed_since(&self, cursor: &Cursor) -> Option<BTreeSet<PathBuf>> {
        let mut paths = self.changes.as_ref()?.since(cursor)?;
        let beside: Vec<PathBuf> = paths
            .iter()
            .filter_map(|path| {
                let name = path.file_name()?;
                let described = sidecar::described_by(name).map(OsString::from);
                Some(path.with_file_name(described.unwrap_or_else(|| sidecar::name_of(name))))
            })
            .collect();
        paths.extend(beside);
        Some(paths)
    }

    /// The folder that a key is relative to, and the components under it.
    fn locate(&self, key: &str) -> Option<(PathBuf, Vec<OsString>)> {
        self.roots.iter().find_map(|root| {
            if root.is_file {
                let name = root.path.file_name()?;
                let parent = root.path.parent()?;
                return (encode(name) == key).then(|| (parent.to_owned(), vec![name.to_owned()]));
            }
            let relative = key.strip_prefix(&root.prefix)?;
            Some((root.path.clone(), components(relative)?))
        })
    }

    /// What it is when there is no such file: gone, unless all of its root is, as a disk that isn't mounted.
    fn missing(&self, key: &str) -> Error {
        let is_there = |root: &&Root| root.path.symlink_metadata().is_ok();
        let mut roots = self.roots.iter().filter(|root| key.starts_with(&root.prefix));
        match roots.all(|root| is_there(&root)) {
            true => Error::Gone { key: key.to_owned() },
            false => Error::RootLost { key: key.to_owned() },
        }
    }

    /// The file, its name, and what its sidecar says.
    fn read(&self, key: &str) -> Result<(Vec<u8>, OsString, Sidecar), Error> {
        let key_of = || key.to_owned();
        let (folder, components) = self
            .locate(key)
            .ok_or_else(|| Error::UnknownKey { key: key_of() })?;
        let file = open_beneath(&folder, &components).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => self.missing(key),
            io::ErrorKind::PermissionDenied => Error::PermissionDenied {
                key: key_of(),
                source,
            },
            _ if is_link(&source) => Error::NotAFile { key: key_of() },
            _ => Error::Read {
                key: key_of(),
                source,
            },
        })?;
        let bytes = read(file, key, self.config.max_file_bytes)?;
        let sidecar = read_sidecar(&folder, &components, key)?;
        Ok((bytes, components.last().cloned().unwrap_or_default(), sidecar))
    }
}

/// Lists the paths of a root that changed: those that are there as a full listing does, the others as gone.
fn list_changed(
    changed: &Arc<BTreeSet<PathBuf>>,
    root: &Root,
    config: &FilesConfig,
    give: &mut dyn FnMut(Result<ListEvent, Error>) -> bool,
) {
    let changed: BTreeSet<PathBuf> = changed.iter().filter(|path| root.has(path)).cloned().collect();
    if changed.is_empty() {
        return;
    }
    let mut gone: BTreeSet<String> = changed.iter().map(|path| root.key(path)).collect();
    let mut is_whole = true;
    walk_to(&Arc::new(changed), root, config, &mut |event| {
        match &event {
            Ok(ListEvent::Item(item) | ListEvent::Skipped { item, .. } | ListEvent::Failed { item, .. }) => {
                gone.remove(&item.key);
                // Nothing is known about what is under a folder that can't be read.
                if item.key.ends_with('/') {
                    gone.retain(|key| !key.starts_with(&item.key));
                }
            }
            Ok(_) => {}
            Err(_) => is_whole = false,
        }
        let is_heard = give(event);
        is_whole &= is_heard;
        is_heard
    });
    for key in gone {
        if !is_whole || !give(Ok(ListEvent::Gone { key })) {
            return;
        }
    }
}

/// What the sidecar of the file `components` under `folder` says; nothing where there is none.
fn read_sidecar(folder: &Path, components: &[OsString], key: &str) -> Result<Sidecar, Error> {
    let unusable = |problem: String| Error::Sidecar {
        key: key.to_owned(),
        problem,
    };
    let Some((name, folders)) = components.split_last() else {
        return Ok(Sidecar::default());
    };
    let mut beside = folders.to_vec();
    beside.push(sidecar::name_of(name));
    let file = match open_beneath(folder, &beside) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Sidecar::default()),
        // A name that is too long for its sidecar's has none.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NAMETOOLONG.raw_os_error()) => {
            return Ok(Sidecar::default());
        }
        Err(error) if is_link(&error) => {
            return Err(unusable("is a link, and links are not followed".to_owned()));
        }
        Err(error) => return Err(unusable(format!("can't be read: {error}"))),
    };
    let bytes = read(file, key, sidecar::MAX_BYTES).map_err(|error| match error {
        Error::TooLarge { limit_bytes, .. } => unusable(format!("is larger than {limit_bytes} bytes")),
        Error::NotAFile { .. } => unusable("is no regular file".to_owned()),
        Error::Read { source, .. } => unusable(format!("can't be read: {source}")),
        error => error,
    })?;
    sidecar::parse(&bytes).map_err(unusable)
}

/// What opening without following links answers to a link.
fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn resolve(configured: &Path, has_several: bool, config: &FilesConfig) -> Result<Root, Error> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::PathNotFound {
            path: configured.to_owned(),
        },
        _ => Error::PathUnreadable {
            path: configured.to_owned(),
            source,
        },
    };
    let path = configured.canonicalize().map_err(unreadable)?;
    let is_file = !path.metadata().map_err(unreadable)?.is_dir();
    let prefix = match path.file_name() {
        Some(name) if has_several && !is_file => format!("{}/", encode(name)),
        _ => String::new(),
    };
    Ok(Root {
        filter: Arc::new(Filter::new(config, &path)?),
        path,
        is_file,
        prefix,
    })
}

#[async_trait]
impl Connector for FilesConnector {
    fn describe(&self) -> String {
        let paths: Vec<String> = self.roots().map(|path| path.display().to_string()).collect();
        format!("files in {}", paths.join(", "))
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let changed = match since.map(|cursor| self.changed_since(cursor)) {
            None => None,
            Some(Some(paths)) => Some(Arc::new(paths)),
            Some(None) => return stream::iter([Err(Error::CursorExpired.into())]).boxed(),
        };
        // What changes from here on may be listed or not, and is noted for the next listing.
        let cursor = self.changes.as_ref().map(|changes| changes.cursor());
        let (roots, config) = (Arc::clone(&self.roots), Arc::clone(&self.config));
        let list = move |sender: &mpsc::Sender<Listed>| {
            for root in roots.iter() {
                let mut is_whole = true;
                let mut give = |event: Result<ListEvent, Error>| {
                    is_whole = event.is_ok();
                    let is_heard = sender.blocking_send(event.map_err(PortError::from)).is_ok();
                    is_whole &= is_heard;
                    is_heard
                };
                match &changed {
                    None => walk(root, &config, &mut give),
                    Some(changed) => list_changed(changed, root, &config, &mut give),
                }
                if !is_whole {
                    return;
                }
            }
            if let Some(cursor) = cursor {
                // Nobody may listen any more.
                sender.blocking_send(Ok(ListEvent::Checkpoint(cursor))).ok();
            }
        };
        listing_of(list, |error| Error::ThreadEnded(error).into())
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let (connector, key) = (self.clone(), item.key.clone());
        let (bytes, file_name, sidecar) = spawn_blocking(move || connector.read(&key))
            .await
            .map_err(Error::ThreadEnded)??;
        Ok(Fetched {
            bytes: bytes.into(),
            file_name: file_name.to_string_lossy().into_owned(),
            media_type: sidecar.media_type,
            title: sidecar.title,
            acl: sidecar.acl,
            attributes: sidecar.attributes,
        })
    }
}
