//! Installing a model: lock, fetch what is missing, check, rewrite, put in place, note.

use std::fs;
use std::path::{Path, PathBuf};

use super::{InstalledModel, ModelStore, PARTIAL, Verdict, check_file};
use crate::catalogue::entries::{ModelEntry, ModelFile, Rewrite};
use crate::catalogue::lock::PullLock;
use crate::catalogue::manifest::{Manifest, ManifestFile, size_and_time};
use crate::catalogue::progress::PullProgress;
use crate::catalogue::wheel::hash_file;
use crate::catalogue::{onnx, requantise};
use crate::error::Error;

impl ModelStore {
    /// Installs what is missing of a model and replaces what is damaged. Every file that is there is
    /// hashed. A pull that is cut off, by dropping the future too, goes on at the next call.
    ///
    /// # Errors
    /// [`Error::NoSource`] or the one source's own error where a file can't be had,
    /// [`Error::WrongHash`] where what came is something else, [`Error::Io`], [`Error::Gguf`],
    /// [`Error::Platform`].
    pub async fn pull(
        &self,
        entry: &ModelEntry,
        progress: &dyn PullProgress,
    ) -> Result<InstalledModel, Error> {
        entry.check_platform()?;
        let model_dir = self.model_dir(&entry.name);
        let partial_dir = self.partial_dir(&entry.name);
        fs::create_dir_all(&model_dir).map_err(Error::io("created", &model_dir))?;
        fs::create_dir_all(&partial_dir).map_err(Error::io("created", &partial_dir))?;
        let lock_path = self.dir.join(PARTIAL).join(format!("{}.lock", entry.name));
        let _lock = PullLock::acquire(&lock_path, progress).await?;
        // Whoever held the lock before has removed it when it was done.
        fs::create_dir_all(&partial_dir).map_err(Error::io("created", &partial_dir))?;

        for file in &entry.files {
            if verdict(&model_dir, file).await? == Verdict::Intact {
                note_installed(&model_dir, file, None)?;
                progress.file_finished(file.installed_name());
                continue;
            }
            progress.file_started(file.installed_name(), file.bytes);
            let fetched = self.fetch(entry, file, &partial_dir, progress).await?;
            install(file, fetched, &partial_dir, &model_dir, progress).await?;
            progress.file_finished(file.installed_name());
        }
        fs::remove_dir_all(&partial_dir).map_err(Error::io("removed", &partial_dir))?;
        Ok(self.installed_model(entry))
    }
}

async fn verdict(model_dir: &Path, file: &ModelFile) -> Result<Verdict, Error> {
    let (dir, file) = (model_dir.to_owned(), file.clone());
    blocking(move || {
        let manifest = Manifest::read(&dir).unwrap_or_default();
        // A rewritten file that nothing is known of can't be judged, so it is made again.
        if manifest.file(file.installed_name()).is_none() && file.installed_sha256().is_none() {
            return Ok(Verdict::Missing);
        }
        check_file(&dir, &file, &manifest)
    })
    .await
}

/// Rewrites a checked file if it needs that, and moves it to its place.
async fn install(
    file: &ModelFile,
    fetched: PathBuf,
    partial_dir: &Path,
    model_dir: &Path,
    progress: &dyn PullProgress,
) -> Result<(), Error> {
    let ready = match &file.rewrite {
        Rewrite::Keep => fetched.clone(),
        Rewrite::Q8_0 { file: name } => {
            progress.note(&format!("requantising {} to {name}", file.name));
            let output = partial_dir.join(format!("{name}.part"));
            let (input, target) = (fetched.clone(), output.clone());
            blocking(move || requantise::to_q8_0(&input, &target)).await?;
            output
        }
        Rewrite::Integers {
            file: name, weights, ..
        } => {
            progress.note(&format!("rewriting {} to {name}", file.name));
            let output = partial_dir.join(format!("{name}.part"));
            let (input, target, weights) = (fetched.clone(), output.clone(), *weights);
            blocking(move || onnx::to_integers(&input, &target, weights)).await?;
            output
        }
    };
    let hashed = ready.clone();
    let (sha256, _) = blocking(move || hash_file(&hashed)).await?;
    if let Some(expected) = file.installed_sha256().filter(|expected| **expected != sha256) {
        return Err(Error::WrongHash {
            what: format!("{}, made from {},", file.installed_name(), file.name),
            expected: expected.to_owned(),
            found: sha256,
        });
    }
    let target = model_dir.join(file.installed_name());
    fs::rename(&ready, &target).map_err(Error::io("put in place", &target))?;
    sync_folder(model_dir)?;
    if ready != fetched {
        fs::remove_file(&fetched).map_err(Error::io("removed", &fetched))?;
    }
    note_installed(model_dir, file, Some(sha256))
}

/// Notes an installed file. Without a hash it is one that was just found intact.
fn note_installed(model_dir: &Path, file: &ModelFile, sha256: Option<String>) -> Result<(), Error> {
    let path = model_dir.join(file.installed_name());
    let mut manifest = Manifest::read(model_dir).unwrap_or_default();
    let known = manifest
        .file(file.installed_name())
        .map(|noted| noted.sha256.clone());
    let Some((bytes, modified_ns)) = size_and_time(&path) else {
        return Err(Error::io("read", &path)(std::io::ErrorKind::NotFound.into()));
    };
    let noted = ManifestFile {
        name: file.installed_name().to_owned(),
        bytes,
        sha256: sha256
            .or(known)
            .or_else(|| file.installed_sha256().map(str::to_owned))
            .unwrap_or_default(),
        source_sha256: file.sha256.clone(),
        modified_ns,
    };
    if manifest.file(&noted.name) == Some(&noted) {
        return Ok(());
    }
    manifest.set(noted);
    manifest.write(model_dir)
}

/// Makes a rename in `folder` last through a power cut.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    fs::File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(Error::io("synced", folder))
}

/// Runs work that reads or writes much on a thread for such work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::io("worked on", "the model store")(std::io::Error::other(
            error,
        ))),
    }
}
