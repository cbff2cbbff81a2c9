//! What a source of files is configured with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Larger files are skipped, unless the configuration says otherwise: 50 MiB.
const DEFAULT_MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;

/// The folders and files of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// Folders, read with all that is under them, or single files.
    pub roots: Vec<PathBuf>,
    /// Larger files are skipped.
    #[serde(default = "default_max_file_bytes")]
    pub max_file_bytes: u64,
    /// Whether names that begin with a dot are read too.
    #[serde(default)]
    pub hidden: bool,
}

impl FilesConfig {
    /// Those roots, with defaults for the rest.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            max_file_bytes: DEFAULT_MAX_FILE_BYTES,
            hidden: false,
        }
    }
}

fn default_max_file_bytes() -> u64 {
    DEFAULT_MAX_FILE_BYTES
}
