//! What a source of files is configured with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Larger files are skipped, unless the configuration says otherwise: 50 MiB.
const DEFAULT_MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;

/// The folders and files of a source.
///
/// Patterns are written as in a `.gitignore`: `*.pdf` at any depth, `/drafts/` at the root only, `**` for any number of
/// folders, `!` takes back. They are about paths below a root; a root that is a file is always read.
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
    /// Only files that match one of these are read; all, where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Files and folders that match one of these are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Whether `.gitignore` files count as `.lecternignore` files do.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gitignore: bool,
    /// Whether a server brings in what is saved within seconds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub watch: bool,
    /// Look for changes so often instead of being told by the system, in seconds: for file systems that tell nothing
    /// (NFS, SMB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_s: Option<u32>,
}

impl FilesConfig {
    /// Those roots, with defaults for the rest.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            max_file_bytes: DEFAULT_MAX_FILE_BYTES,
            hidden: false,
            include: Vec::new(),
            exclude: Vec::new(),
            gitignore: false,
            watch: false,
            poll_s: None,
        }
    }
}

fn default_max_file_bytes() -> u64 {
    DEFAULT_MAX_FILE_BYTES
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}
