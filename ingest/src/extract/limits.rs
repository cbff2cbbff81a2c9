//! The limits that a child sets for itself before it reads the first byte of a file.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// How deep a file may be nested in this process, besides what its format allows.
static DEPTH: AtomicUsize = AtomicUsize::new(usize::MAX);

/// How deep a file of a format may be nested that allows `own`: that, or what the process was started with,
/// whichever is less.
pub(super) fn depth(own: usize) -> usize {
    own.min(DEPTH.load(Ordering::Relaxed))
}

/// The limits of a child, sent by the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limits {
    /// Address space, in bytes.
    pub(super) memory_bytes: u64,
    /// Processor time of the child's whole life, in seconds; behind the parent's time-out, for the case that
    /// the parent is gone.
    pub(super) cpu_seconds: u64,
    /// The longest text, and the longest answer, in bytes.
    pub(super) max_output_bytes: u64,
    /// The largest file, and all attachments of a file together, in bytes.
    pub(super) max_input_bytes: u64,
    /// The most levels that a file may be nested, in elements, groups or lists within each other.
    pub(super) max_depth: usize,
}

impl Limits {
    /// The longest answer on the pipe: JSON writes a line break in two bytes, and each block takes about
    /// a hundred.
    pub(super) fn max_response_bytes(&self) -> u64 {
        self.max_output_bytes.saturating_mul(8).saturating_add(64 * 1024)
    }

    /// Makes the kernel hold this process to the limits. They can't be lifted again.
    ///
    /// No file can be written (a write is answered with `SIGXFSZ`), no more than a handful can be open, and a crash
    /// leaves no core dump with a document in it.
    pub(super) fn apply(&self) -> io::Result<()> {
        DEPTH.store(self.max_depth, Ordering::Relaxed);
        let limits = [
            (Resource::As, self.memory_bytes),
            (Resource::Cpu, self.cpu_seconds),
            (Resource::Fsize, 0),
            (Resource::Nofile, 16),
            (Resource::Core, 0),
        ];
        for (resource, limit) in limits {
            let limit = Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            };
            setrlimit(resource, limit)?;
        }
        Ok(())
    }
}
