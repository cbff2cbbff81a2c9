//! Opening a file by its key, without following a link on the way.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};

use crate::error::Error;
use crate::key::decode;

/// The components of a key, or `None` where it can't lead to a file under a root.
pub(crate) fn components(key: &str) -> Option<Vec<OsString>> {
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

/// The bytes of an open file, at most `limit_bytes` of them.
pub(crate) fn read(mut file: File, key: &str, limit_bytes: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        key: key.to_owned(),
        source,
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::NotAFile { key: key.to_owned() });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(limit_bytes)).unwrap_or(0));
    // One byte more than allowed tells a file that grew.
    file.by_ref()
        .take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Error::TooLarge {
            key: key.to_owned(),
            limit_bytes,
        });
    }
    Ok(bytes)
}
