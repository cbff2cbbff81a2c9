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
            reason: refused.join(", "),
            file: file.name,
            bytes: file.bytes,
            sha256: file.sha256,
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
