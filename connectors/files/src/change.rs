//! What tells that a file changed, without reading it.
//!
//! The tag has the time of the last change of the content and of the inode, both to the nanosecond, the inode's
//! number and the size, of the file and of the file with its metadata beside it. Writing to a file, replacing it or
//! renaming another one to its name changes the time of the inode, which no program can set.
//!
//! A file that changed within the last two seconds has no tag: the clock of the file system may stand
//! still for that long (FAT), and a second change within one tick would look like none.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sidecar::SUFFIX;

/// How old a change must be for the next one to be told from it.
const SETTLED_AFTER_NANOSECONDS: i128 = 2_000_000_000;

/// The change tag of a file, as [`lectern_domain::ports::SourceItem::change_tag`] means it.
pub(crate) fn change_tag(path: &Path, metadata: &Metadata) -> Option<String> {
    let now = now()?;
    let file = state(metadata, now)?;
    let mut sidecar = path.as_os_str().to_owned();
    sidecar.push(SUFFIX);
    match Path::new(&sidecar).symlink_metadata() {
        Ok(beside) => Some(format!("{file} {}", state(&beside, now)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(file),
        // Perhaps it is there and says another thing than last time.
        Err(_) => None,
    }
}

/// What tells one state of a file from the next; nothing where it changed just now, or in the future.
pub fn state_of(metadata: &Metadata) -> Option<String> {
    state(metadata, now()?)
}

/// One file's part of the tag; nothing where it changed just now, or in the future.
fn state(metadata: &Metadata, now: i128) -> Option<String> {
    let state = State::of(metadata);
    state.is_settled_at(now).then(|| {
        let State {
            content,
            inode,
            number,
            size_bytes,
        } = state;
        format!("{content} {inode} {number} {size_bytes}")
    })
}

/// The state of a file or a folder: the times of the last change of its content and of its inode, the number of that, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    content: i128,
    inode: i128,
    /// Of the inode.
    pub number: u64,
    /// Of the content.
    pub size_bytes: u64,
}

impl State {
    /// As the file system tells it.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            content: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            inode: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            number: metadata.ino(),
            size_bytes: metadata.size(),
        }
    }

    /// Whether the last change is long enough ago for the next one to be told from it.
    pub fn is_settled(&self) -> bool {
        now().is_some_and(|now| self.is_settled_at(now))
    }

    fn is_settled_at(&self, now: i128) -> bool {
        self.content.max(self.inode) + SETTLED_AFTER_NANOSECONDS <= now
    }
}

/// In nanoseconds, as the times of files are counted here.
fn now() -> Option<i128> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i128::try_from(now.as_nanos()).ok()
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const HOUR: i128 = 3_600_000_000_000;

    fn later() -> i128 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i128::try_from(now.as_nanos()).unwrap() + HOUR
    }

    #[test]
    fn what_changed_just_now_or_in_the_future_has_no_tag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "a").unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!(change_tag(&path, &metadata), None);
        let changed = nanoseconds(metadata.ctime(), metadata.ctime_nsec());
        let edge = changed + SETTLED_AFTER_NANOSECONDS;
        assert_eq!(state(&metadata, edge - 1), None);
        assert!(state(&metadata, edge).is_some());
        assert_eq!(state(&metadata, changed - HOUR), None);
    }

    #[test]
    fn the_same_size_and_time_of_content_in_another_file_is_another_state() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        let time = std::fs::FileTimes::new().set_modified(UNIX_EPOCH);
        for path in [&one, &two] {
            std::fs::write(path, "same").unwrap();
            std::fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_times(time)
                .unwrap();
        }
        let before = state(&one.metadata().unwrap(), later()).unwrap();
        assert_eq!(state(&one.metadata().unwrap(), later()).unwrap(), before);
        std::fs::rename(&two, &one).unwrap();
        assert_ne!(state(&one.metadata().unwrap(), later()).unwrap(), before);
    }
}
