//! Files named by the hash of their content.
//!
//! A file appears whole or not at all: it is written under another name, fsynced, renamed, and the folder is
//! fsynced, so a name in the ledger has its file after a power cut too.
//!
//! A file goes when nothing refers to it. Whether something does is known to the ledger, which is asked
//! without holding a lock here; so removing takes two steps. [`ContentFiles::condemn`] marks the file, the
//! ledger is asked, and [`ContentFiles::remove_condemned`] removes it if that mark is still on it. Storing the
//! same content in between takes the mark away and pins the file, and so does the end of the pin; whoever marks it after
//! that asks the ledger again, so an answer from before is worth nothing.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_domain::{ContentHash, TextSpan};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A folder of such files.
#[derive(Debug)]
pub(crate) struct ContentFiles {
    root: PathBuf,
    incoming: PathBuf,
    usage: Mutex<Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    pinned: HashMap<ContentHash, usize>,
    condemned: HashMap<ContentHash, u64>,
    /// How many marks there ever were.
    marks: u64,
}

/// The mark on a file that nothing seems to need any more. A later one takes its place.
#[derive(Debug)]
#[must_use]
pub(crate) struct Condemned {
    hash: ContentHash,
    mark: u64,
}

impl Usage {
    /// False where it isn't there any more, or is another one.
    fn take_mark(&mut self, condemned: &Condemned) -> bool {
        let is_there = self.condemned.get(&condemned.hash) == Some(&condemned.mark);
        if is_there {
            self.condemned.remove(&condemned.hash);
        }
        is_there
    }
}

/// Keeps a file from being removed while it is stored and not yet in the ledger.
#[derive(Debug)]
pub(crate) struct Pin {
    hash: ContentHash,
    files: Arc<ContentFiles>,
}

impl Pin {
    pub(crate) fn hash(&self) -> ContentHash {
        self.hash
    }
}

impl Drop for Pin {
    /// A mark from while it was pinned goes too: whoever made it may have asked the ledger just before the file was
    /// referred to.
    fn drop(&mut self) {
        let mut usage = self.files.usage();
        usage.condemned.remove(&self.hash);
        if let Some(count) = usage.pinned.get_mut(&self.hash) {
            *count -= 1;
            if *count == 0 {
                usage.pinned.remove(&self.hash);
            }
        }
    }
}

impl ContentFiles {
    pub(crate) fn open(root: PathBuf) -> Result<Self> {
        let incoming = root.join("incoming");
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("clear", incoming)(error));
            }
            _ => {}
        }
        fs::create_dir_all(&incoming).map_err(Error::file("make", &incoming))?;
        Ok(Self {
            root,
            incoming,
            usage: Mutex::default(),
        })
    }

    /// Stores `content` durably, unless it is there.
    pub(crate) fn put(self: &Arc<Self>, content: &[u8]) -> Result<Pin> {
        let hash = ContentHash::of(content);
        let pin = self.pin(hash);
        let path = self.path(hash);
        if fs::metadata(&path).is_ok_and(|found| usize::try_from(found.len()) == Ok(content.len())) {
            return Ok(pin);
        }
        self.write(&path, content).map_err(Error::file("write", path))?;
        Ok(pin)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.incoming)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        let folder = path.parent().unwrap_or(&self.root);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            File::open(&self.root)?.sync_all()?;
        }
        file.persist(path)?;
        File::open(folder)?.sync_all()
    }

    /// The whole content, with its hash checked.
    pub(crate) fn read(&self, hash: ContentHash) -> Result<Vec<u8>> {
        let path = self.path(hash);
        let content = fs::read(&path).map_err(|error| unreadable(hash, &path, error))?;
        if ContentHash::of(&content) == hash {
            return Ok(content);
        }
        Err(Error::ContentDamaged {
            hash,
            problem: "is damaged: its hash is another one",
        })
    }

    /// A stretch of the content, unchecked.
    pub(crate) fn read_span(&self, hash: ContentHash, span: TextSpan) -> Result<Vec<u8>> {
        let path = self.path(hash);
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(span.start as u64))?;
            let mut bytes = Vec::with_capacity(span.len());
            file.take(span.len() as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| unreadable(hash, &path, error))
    }

    /// Marks a file that nothing seems to need any more. Whether that is so is asked after this, not before.
    pub(crate) fn condemn(&self, hash: ContentHash) -> Condemned {
        let mut usage = self.usage();
        usage.marks += 1;
        let mark = usage.marks;
        usage.condemned.insert(hash, mark);
        Condemned { hash, mark }
    }

    /// Takes the mark away.
    pub(crate) fn pardon(&self, condemned: &Condemned) {
        self.usage().take_mark(condemned);
    }

    /// Removes a file that still has this mark and that nobody has pinned.
    pub(crate) fn remove_condemned(&self, condemned: &Condemned) -> Result<()> {
        let mut usage = self.usage();
        let hash = condemned.hash;
        if !usage.take_mark(condemned) || usage.pinned.contains_key(&hash) {
            return Ok(());
        }
        let path = self.path(hash);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// The hashes of all files, folder by folder: each call of `visit` gets those of one of the 256 folders.
    pub(crate) fn for_each_folder(&self, mut visit: impl FnMut(Vec<ContentHash>)) -> Result<()> {
        let folders = fs::read_dir(&self.root).map_err(Error::file("list", &self.root))?;
        for folder in folders {
            let folder = folder.map_err(Error::file("list", &self.root))?.path();
            if folder == self.incoming || !folder.is_dir() {
                continue;
            }
            let mut hashes = Vec::new();
            for file in fs::read_dir(&folder).map_err(Error::file("list", &folder))? {
                let name = file.map_err(Error::file("list", &folder))?.file_name();
                hashes.extend(name.to_str().and_then(|name| name.parse::<ContentHash>().ok()));
            }
            visit(hashes);
        }
        Ok(())
    }

    fn pin(self: &Arc<Self>, hash: ContentHash) -> Pin {
        let mut usage = self.usage();
        usage.condemned.remove(&hash);
        *usage.pinned.entry(hash).or_default() += 1;
        Pin {
            hash,
            files: Arc::clone(self),
        }
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the content lies, if it is stored.
    pub(crate) fn path(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_hex();
        self.root.join(name.get(..2).unwrap_or_default()).join(name)
    }
}

fn unreadable(hash: ContentHash, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::ContentDamaged {
            hash,
            problem: "is missing",
        },
        _ => Error::file("read", path)(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Arc<ContentFiles>) {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(ContentFiles::open(folder.path().join("texts")).unwrap());
        (folder, files)
    }

    #[test]
    fn what_was_stored_is_read_back_whole_and_in_pieces() {
        let (_folder, files) = files();
        let pin = files.put("Grüße aus dem Archiv".as_bytes()).unwrap();
        assert_eq!(files.read(pin.hash()).unwrap(), "Grüße aus dem Archiv".as_bytes());
        let span = TextSpan { start: 8, end: 11 };
        assert_eq!(files.read_span(pin.hash(), span).unwrap(), b"aus");
    }

    #[test]
    fn a_flipped_byte_is_noticed() {
        let (_folder, files) = files();
        let hash = files.put(b"the truth").unwrap().hash();
        fs::write(files.path(hash), b"the trush").unwrap();
        let error = files.read(hash).unwrap_err();
        assert_eq!(error.code(), "stored_content_damaged");
    }

    #[test]
    fn only_what_is_marked_and_unpinned_is_removed() {
        let (_folder, files) = files();
        let pin = files.put(b"wanted").unwrap();
        let hash = pin.hash();

        let condemned = files.condemn(hash);
        files.remove_condemned(&condemned).unwrap();
        assert!(files.read(hash).is_ok(), "pinned");

        drop(pin);
        let condemned = files.condemn(hash);
        drop(files.put(b"wanted").unwrap());
        files.remove_condemned(&condemned).unwrap();
        assert!(files.read(hash).is_ok(), "stored again in between");

        let condemned = files.condemn(hash);
        files.pardon(&condemned);
        files.remove_condemned(&condemned).unwrap();
        assert!(files.read(hash).is_ok(), "pardoned");

        let condemned = files.condemn(hash);
        files.remove_condemned(&condemned).unwrap();
        assert!(files.read(hash).is_err());
    }

    /// One who found that nothing needs the file, then was slow; meanwhile it was stored for a document, and marked
    /// by another one who has yet to ask.
    #[test]
    fn an_answer_from_before_the_file_was_stored_again_removes_nothing() {
        let (_folder, files) = files();
        let hash = files.put(b"wanted").unwrap().hash();
        let slow = files.condemn(hash);
        drop(files.put(b"wanted").unwrap());
        let other = files.condemn(hash);
        files.remove_condemned(&slow).unwrap();
        assert!(files.read(hash).is_ok());
        files.pardon(&other);
        assert!(files.read(hash).is_ok());
    }

    /// One who asked the ledger while the file was stored and not yet referred to, and removes it when it is.
    #[test]
    fn an_answer_from_while_the_file_was_pinned_removes_nothing() {
        let (_folder, files) = files();
        let pin = files.put(b"wanted").unwrap();
        let hash = pin.hash();
        let slow = files.condemn(hash);
        drop(pin);
        files.remove_condemned(&slow).unwrap();
        assert!(files.read(hash).is_ok());
    }

    #[test]
    fn half_written_files_are_gone_after_opening() {
        let (folder, files) = files();
        let left = files.incoming.join("half");
        fs::write(&left, b"ha").unwrap();
        ContentFiles::open(folder.path().join("texts")).unwrap();
        assert!(!left.exists());
    }
}
