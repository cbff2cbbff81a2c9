//! What tells one state of a file or folder from the next, without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// How old a change must be for the next one to be told from it.
const SETTLED_AFTER_NANOSECONDS: i128 = 2_000_000_000;

/// The times of the last change of the content and of the inode, its number, and the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    content: i128,
    inode: i128,
    pub(crate) number: u64,
    pub(crate) size_bytes: u64,
}

impl State {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            content: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            inode: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            number: metadata.ino(),
            size_bytes: metadata.size(),
        }
    }

    /// Whether the last change is long enough ago for the next one to be told from it.
    pub(crate) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.ok().and_then(|now| i128::try_from(now.as_nanos()).ok());
        now.is_some_and(|now| self.content.max(self.inode) + SETTLED_AFTER_NANOSECONDS <= now)
    }
}
