//! Opening a file by its key, without following a link on the way.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};

use crate::error::Error;
use crate::key::decode;

/// The components of a key, or `None` where it can't lead to a file under a root.
pub fn components(key: &str) -> Option<Vec<OsString>> {
    key.split('/')
        .map(|part| match part {
            "" | "." | ".." => None,
            part => decode(part),
        })
        .collect()
}

/// Opens the file `components` under `root`. Each folder is opened relative to the one before and none through
/// a link, so what is opened lies under the root even if somebody exchanges folders for links meanwhile.
pub fn open_beneath(root: &Path, components: &[OsString]) -> io::Result<File> {
    let folder_flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Not to wait for the other end of a pipe that has taken the file's place.
    let file_flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Some((name, folders)) = components.split_last() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let mut folder = open(root, folder_flags, Mode::empty())?;
    for component in folders {
        folder = openat(&folder, component, folder_flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(File::from(openat(&folder, name, file_flags, Mode::empty())?))
}

/// How often a file is read that changes meanwhile.
const MOST_READS: u32 = 5;

/// The bytes of an open file, at most `limit_bytes` of them, as they were at one time: what is written to while it is read is
/// read again, so that no document is half the old text and half the new.
pub(crate) fn read(file: File, key: &str, limit_bytes: u64) -> Result<Vec<u8>, Error> {
    read_by(file, key, limit_bytes, |file| {
        let mut bytes = Vec::new();
        let length = file.metadata()?.len().min(limit_bytes);
        bytes.reserve(usize::try_from(length).unwrap_or_default());
        // One byte more than allowed tells a file that grew.
        file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

fn read_by(
    mut file: File,
    key: &str,
    limit_bytes: u64,
    mut read_once: impl FnMut(&mut File) -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        key: key.to_owned(),
        source,
    };
    let mut before = file.metadata().map_err(failed)?;
    if !before.is_file() {
        return Err(Error::NotAFile { key: key.to_owned() });
    }
    for _ in 0..MOST_READS {
        let bytes = read_once(&mut file).map_err(failed)?;
        if bytes.len() as u64 > limit_bytes {
            return Err(Error::TooLarge {
                key: key.to_owned(),
                limit_bytes,
            });
        }
        let after = file.metadata().map_err(failed)?;
        if written(&before) == written(&after) {
            return Ok(bytes);
        }
        before = after;
        file.rewind().map_err(failed)?;
    }
    Err(Error::Changing {
        key: key.to_owned(),
        attempts: MOST_READS,
    })
}

/// What is another whenever a file was written to, but for writes of the same length within one tick of the system's clock.
fn written(metadata: &Metadata) -> impl PartialEq + use<> {
    let times = [
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ];
    (times, metadata.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::PathBuf;

    /// Half of what is there, then the rest, with something done in between.
    fn in_halves(file: &mut File, mut between: impl FnMut()) -> io::Result<Vec<u8>> {
        let half = file.metadata()?.len() / 2;
        let mut bytes = Vec::new();
        Read::by_ref(file).take(half).read_to_end(&mut bytes)?;
        between();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn a_file(folder: &tempfile::TempDir) -> (PathBuf, File) {
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "aaaa").unwrap();
        let file = File::open(&path).unwrap();
        (path, file)
    }

    #[test]
    fn what_is_written_to_while_it_is_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = a_file(&folder);
        let mut reads = 0;
        let bytes = read_by(file, "a.txt", 100, |file| {
            reads += 1;
            in_halves(file, || {
                if reads == 1 {
                    std::fs::write(&path, "bbbbbb").unwrap();
                }
            })
        });
        assert_eq!((bytes.unwrap().as_slice(), reads), (b"bbbbbb".as_slice(), 2));
    }

    #[test]
    fn what_is_written_to_all_the_time_is_no_document() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = a_file(&folder);
        let mut writer = File::options().append(true).open(path).unwrap();
        let read = read_by(file, "a.txt", 100, |file| {
            in_halves(file, || writer.write_all(b"b").unwrap())
        });
        let error = read.unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("file_changing", lectern_domain::ErrorKind::Unavailable)
        );
    }

    #[test]
    fn what_is_larger_than_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, file) = a_file(&folder);
        assert_eq!(read(file, "a.txt", 3).unwrap_err().code(), "too_large");
        let (_, file) = a_file(&folder);
        assert_eq!(read(file, "a.txt", 4).unwrap(), b"aaaa");
    }
}
