//! What was checked when a model was installed, in `manifest.json` of its folder.
//!
//! A start compares sizes and times of change with it. Only when a time differs (a folder that was
//! copied, say) is the file hashed again.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::error::Error;

const FILE: &str = "manifest.json";

/// One installed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of what lies there.
    pub sha256: String,
    /// The SHA-256 of what it was made from: the one in the catalogue.
    pub source_sha256: String,
    /// When it last changed, in nanoseconds since 1970.
    pub modified_ns: u64,
}

/// The installed files of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// In the order of the catalogue.
    pub files: Vec<ManifestFile>,
}

impl Manifest {
    /// Reads the manifest of the model in `dir`; `None` where there is none that can be read.
    pub fn read(dir: &Path) -> Option<Self> {
        let bytes = fs::read(dir.join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes it beside the files, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(FILE);
        let part = dir.join(format!("{FILE}.part"));
        let bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::io("written", &path)(error.into()))?;
        let mut file = fs::File::create(&part).map_err(Error::io("created", &part))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(Error::io("written", &part))?;
        fs::rename(&part, &path).map_err(Error::io("put in place", &path))
    }

    /// What is noted of the file `name`.
    pub fn file(&self, name: &str) -> Option<&ManifestFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Notes `file`, in place of what was noted under its name.
    pub fn set(&mut self, file: ManifestFile) {
        match self.files.iter_mut().find(|known| known.name == file.name) {
            Some(known) => *known = file,
            None => self.files.push(file),
        }
    }
}

/// Length and time of change (nanoseconds since 1970) of the file at `path`; `None` where there is none.
pub(crate) fn size_and_time(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), u64::try_from(modified.as_nanos()).ok()?))
}
