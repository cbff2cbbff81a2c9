//! Keeping the engine's write-ahead log short.
//!
//! qdrant-edge 0.7.2 writes every operation to a log but neither reads it back (`EdgeShard::load` opens
//! it for its numbering alone) nor ever shortens it: it would grow by 2 KB per chunk for good. A
//! publication is durable through `flush`, so the closed files of the log are of no use to anybody. All
//! but the newest are removed while the engine is closed; the newest carries the numbering on, which
//! must never go back, because the engine leaves out an operation older than the point it is for.

use std::io;
use std::path::{Path, PathBuf};

/// How large a file of the log gets. The engine's own 32 MiB are too much for many small bases.
pub(super) const SEGMENT_BYTES: usize = 4 << 20;

/// From this many closed files on, shortening is worth closing the engine for.
const MANY_CLOSED: usize = 16;

/// Whether the log has grown long.
pub(super) fn is_long(engine_directory: &Path) -> bool {
    closed_files(engine_directory).is_ok_and(|files| files.len() >= MANY_CLOSED)
}

/// Removes what the log no longer needs. The engine must be closed.
pub(super) fn shorten(engine_directory: &Path) -> io::Result<()> {
    let mut files = closed_files(engine_directory)?;
    files.pop();
    for (_, path) in files {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// The closed files of the log, oldest first. Each is named after the number of its first operation.
fn closed_files(engine_directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(engine_directory.join("wal")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("closed-"))
            .and_then(|number| number.parse::<u64>().ok());
        if let Some(number) = number {
            files.push((number, entry.path()));
        }
    }
    files.sort_unstable();
    Ok(files)
}
