//! What this process has in memory, as the kernel counts it.

use serde::{Deserialize, Serialize};

/// Resident memory in bytes. That of mapped files is given back when somebody else needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resident {
    /// Its own.
    pub anonymous_bytes: u64,
    /// Pages of mapped files.
    pub file_bytes: u64,
}

impl Resident {
    /// As it is now. All zero where there is no `/proc`.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
            kilobytes.unwrap_or_default() * 1024
        };
        Self {
            anonymous_bytes: bytes("RssAnon:"),
            file_bytes: bytes("RssFile:"),
        }
    }
}
