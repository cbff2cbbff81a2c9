//! A message that was read before, read again: whether it is still where it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use lectern_connector_files::State;

use crate::account::Reason;
use crate::entry::{self, Entry};
use crate::kind::Kind;
use crate::mbox::unquoted;
use crate::scan::Scan;

/// Whether a file is the one that was read before with something added at its end.
pub(crate) fn goes_on(file: &File, before: &Scan, known: &State, now: &State) -> io::Result<bool> {
    let is_longer = before.kind == Kind::Mbox
        && !before.entries.is_empty()
        && !before.left_out.contains_key(&Reason::Incomplete)
        && known.number == now.number
        && now.size_bytes >= before.end + 5;
    Ok(is_longer && bytes_at(file, before.end, 5)? == b"From " && ends_hold(file, before)?)
}

/// Whether the first and the last message are where they were.
pub(crate) fn ends_hold(file: &File, scan: &Scan) -> io::Result<bool> {
    for entry in [scan.entries.first(), scan.entries.last()].into_iter().flatten() {
        if read_again(file, Kind::Mbox, entry)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes of a message that is still where it was.
pub(crate) fn read_again(file: &File, kind: Kind, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
    let bytes = match bytes_at(file, entry.offset, u64::from(entry.length)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = match kind {
        Kind::Mbox => unquoted(&bytes).into_owned(),
        _ => bytes,
    };
    let is_same = entry::is_of(&bytes, entry);
    // One that grew would be another.
    let is_whole = kind == Kind::Mbox || file.metadata()?.len() == u64::from(entry.length);
    Ok((is_same && is_whole).then_some(bytes))
}

pub(crate) fn bytes_at(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}
