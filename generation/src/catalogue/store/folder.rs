//! Taking a model's files from a folder of the operator's, where no source can be reached.
//!
//! A file is looked for under the model's name, then as itself, then as its hub calls it: so a folder of one's own, a
//! clone of the hub's repository and another machine's folder of models will all do. What is let in is told by the hash
//! alone, as always.

use std::fs;
use std::path::{Path, PathBuf};

use super::pull::blocking;
use crate::catalogue::entries::{FileSource, ModelEntry, ModelFile};
use crate::catalogue::wheel::hash_file;
use crate::error::Error;

/// Copies `file` from `folder` to `part`. Its hash was checked, on the copy.
pub(super) async fn copy(
    folder: &Path,
    entry: &ModelEntry,
    file: &ModelFile,
    part: &Path,
) -> Result<(), Error> {
    let places = places(folder, entry, file);
    let (file, part) = (file.clone(), part.to_owned());
    let (model, folder) = (entry.name.to_string(), folder.to_owned());
    blocking(move || {
        let mut refused = Vec::new();
        for place in places.iter().filter(|place| place.is_file()) {
            match copy_checked(place, &file, &part)? {
                None => return Ok(()),
                Some(reason) => refused.push(format!("{} {reason}", place.display())),
            }
        }
        if refused.is_empty() {
            let names = places.iter().filter_map(|place| place.strip_prefix(&folder).ok());
            let names: Vec<String> = names.map(|name| name.display().to_string()).collect();
            refused.push(format!("there is no {}", names.join(" or ")));
        }
        Err(Error::NotInFolder {
            model,
            folder,
            reason: format!(
                "{}; it has {} bytes and the SHA-256 {}",
                refused.join(", "),
                file.bytes,
                file.sha256
            ),
            file: file.name,
        })
    })
    .await
}

/// Where the file may lie, best first, each place once.
fn places(folder: &Path, entry: &ModelEntry, file: &ModelFile) -> Vec<PathBuf> {
    let mut places = vec![
        folder.join(entry.name.as_str()).join(&file.name),
        folder.join(&file.name),
    ];
    for source in &file.sources {
        if let FileSource::Hub { path, .. } = source {
            places.push(folder.join(path));
            places.extend(Path::new(path).file_name().map(|name| folder.join(name)));
        }
    }
    let mut seen = Vec::new();
    for place in places {
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    seen
}

/// Copies the file at `place` if it is the one that is wanted; else says why it isn't.
fn copy_checked(place: &Path, file: &ModelFile, part: &Path) -> Result<Option<String>, Error> {
    let bytes = fs::metadata(place).map_err(Error::io("read", place))?.len();
    if bytes != file.bytes {
        return Ok(Some(format!("has {bytes} bytes")));
    }
    fs::copy(place, part).map_err(Error::io("copied", place))?;
    let (sha256, _) = hash_file(part)?;
    if sha256 == file.sha256 {
        return Ok(None);
    }
    fs::remove_file(part).map_err(Error::io("removed", part))?;
    Ok(Some(format!("has the SHA-256 {sha256}")))
}

#[cfg(test)]
mod tests {
    use super::super::ModelStore;
    use super::*;
    use crate::catalogue::entries::{ModelName, ModelRole, Rewrite};
    use crate::catalogue::hub::Hub;
    use crate::catalogue::progress::NoProgress;

    /// A model of one file with these bytes, which its hub keeps under another name.
    fn entry(content: &[u8]) -> ModelEntry {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let (sha256, bytes) = hash_file(file.path()).unwrap();
        ModelEntry {
            name: ModelName::new("test-model"),
            role: ModelRole::Generator,
            embedder: None,
            files: vec![ModelFile {
                name: "weights.bin".to_owned(),
                bytes,
                sha256,
                sources: vec![FileSource::Hub {
                    repository: "someone/something".to_owned(),
                    revision: "main".to_owned(),
                    path: "onnx/weights_small.bin".to_owned(),
                }],
                rewrite: Rewrite::Keep,
            }],
            licence: "MIT",
            about: "made by a test",
            platform: None,
        }
    }

    #[tokio::test]
    async fn a_file_is_taken_from_where_it_may_lie_if_it_is_the_right_one() {
        const RIGHT: &[u8] = b"the right bytes";
        let entry = entry(RIGHT);
        for name in [
            "test-model/weights.bin",
            "weights.bin",
            "onnx/weights_small.bin",
            "weights_small.bin",
        ] {
            let (models, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            // Nobody listens there: a source that was asked would be told of in the error.
            let store = ModelStore::new(models.path())
                .with_hub(Hub::new("http://127.0.0.1:9"))
                .with_folder(folder.path());
            let refused = |error: Error, told: &[&str]| {
                assert_eq!(error.code(), "model_file_not_in_folder");
                for told in told {
                    assert!(error.to_string().contains(told), "{told} isn't in {error}");
                }
            };
            let sha256 = entry.files[0].sha256.as_str();
            let missing = store.pull(&entry, &NoProgress).await.unwrap_err();
            refused(missing, &["there is no", "weights_small.bin", "15 bytes", sha256]);

            let place = folder.path().join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, b"the wrong bytes").unwrap();
            let wrong = store.pull(&entry, &NoProgress).await.unwrap_err();
            refused(wrong, &[name, "has the SHA-256"]);
            fs::write(&place, b"short").unwrap();
            let short = store.pull(&entry, &NoProgress).await.unwrap_err();
            refused(short, &[name, "has 5 bytes"]);
            assert_eq!(store.installed(&entry).unwrap(), None);

            fs::write(&place, RIGHT).unwrap();
            let installed = store.pull(&entry, &NoProgress).await.unwrap();
            assert_eq!(fs::read(&installed.files[0]).unwrap(), RIGHT);
        }
    }
}
