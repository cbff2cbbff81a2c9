//! An export as Slack gives it: a zip archive, which is read in place.
//!
//! The table of contents is held to its bound before it is read, and kept; an entry is inflated when it is asked for.
//! What an entry declares to be its size isn't believed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{
    ATTACHMENTS, Days, Place, Root, StoredFile, UPLOADS, USERS, Unreadable, attachment_id, is_day, is_id,
};
use crate::error::Error;

/// An open archive, and what lies where in it.
#[derive(Debug)]
pub(crate) struct Archive {
    archive: ZipArchive<SharedFile>,
    pub(super) root: Root,
    folders: BTreeMap<String, Days>,
}

impl Archive {
    pub(super) fn open(path: &Path, max_entries: u64) -> Result<Self, Error> {
        let unreadable = |source| super::path_error(path, source);
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let no_archive = |error: ZipError| Error::NotAnExport {
            path: path.to_owned(),
            problem: format!("it can't be read as a zip archive ({})", described(&error)),
        };
        let shared = SharedFile {
            file: Arc::new(file),
            position: 0,
            length_bytes: metadata.len(),
        };
        let bounded = |entries: u64| match entries > max_entries {
            true => Err(Error::TooManyEntries {
                entries,
                limit: max_entries,
            }),
            false => Ok(()),
        };
        bounded(declared_entries(&shared).map_err(unreadable)?)?;
        let archive = ZipArchive::new(shared).map_err(no_archive)?;
        bounded(archive.len() as u64)?;
        let signature = super::folder::signature(path)?;
        let mut opened = Self {
            archive,
            root: Root::default(),
            folders: BTreeMap::new(),
        };
        opened.sort_in(signature.as_deref());
        Ok(opened)
    }

    /// Puts each entry where it belongs by its name. What fits nowhere is never read.
    fn sort_in(&mut self, signature: Option<&str>) {
        let mut files = Vec::new();
        for index in 0..self.archive.len() {
            let Ok(entry) = self.archive.by_index_data(index) else {
                continue;
            };
            let Ok(name) = entry.name() else { continue };
            if entry.is_dir() || entry.is_symlink() {
                continue;
            }
            files.push((
                name.trim_start_matches("./").to_owned(),
                StoredFile {
                    name: String::new(),
                    size_bytes: entry.size(),
                    stamp: Some(format!("{:08x} {}", entry.crc32(), entry.size())),
                    place: Place::Entry(index),
                },
            ));
        }
        let wrapper = wrapper(files.iter().map(|(name, _)| name.as_str())).map(str::to_owned);
        for (name, mut file) in files {
            let inner = match &wrapper {
                Some(wrapper) => name.strip_prefix(wrapper.as_str()),
                None => Some(name.as_str()),
            };
            let Some(inner) = inner else { continue };
            inner.clone_into(&mut file.name);
            self.place(file);
        }
        self.root.folders = self.folders.keys().cloned().collect();
        for days in self.folders.values_mut() {
            days.files.sort_by(|left, right| left.name.cmp(&right.name));
            // An archive may have two entries of one name; the first one counts.
            days.files.dedup_by(|later, earlier| later.name == earlier.name);
            days.signature = signature.map(str::to_owned);
        }
    }

    fn place(&mut self, file: StoredFile) {
        let name = file.name.clone();
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            [list] => {
                self.root.lists.entry((*list).to_owned()).or_insert(file);
            }
            [UPLOADS, id, _] if is_id(id) => {
                self.root.uploads.entry((*id).to_owned()).or_insert(file);
            }
            [folder, day] if is_day(day) => {
                self.folders
                    .entry((*folder).to_owned())
                    .or_default()
                    .files
                    .push(file);
            }
            [folder, ATTACHMENTS, attachment] => {
                if let Some(id) = attachment_id(attachment) {
                    let days = self.folders.entry((*folder).to_owned()).or_default();
                    days.uploads.entry(id.to_owned()).or_insert(file);
                }
            }
            _ => {}
        }
    }

    pub(super) fn days(&self, name: &str) -> Days {
        self.folders.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn read(&self, entry: usize, limit_bytes: u64) -> Result<Vec<u8>, Unreadable> {
        // The copy shares the table of contents and has a position of its own.
        let mut archive = self.archive.clone();
        let known = archive.by_index_data(entry);
        if known.is_ok_and(|known| known.encrypted()) {
            return Err(Unreadable::new("encrypted", "is encrypted"));
        }
        let mut entry = archive.by_index(entry).map_err(|error| {
            Unreadable::new("file_damaged", format!("is damaged ({})", described(&error)))
        })?;
        let mut bytes = Vec::new();
        // One byte more than allowed tells an entry that is larger than it says.
        entry
            .by_ref()
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Unreadable::new("file_damaged", format!("is damaged ({})", error.kind())))?;
        match bytes.len() as u64 > limit_bytes {
            true => Err(Unreadable::too_large(limit_bytes)),
            false => Ok(bytes),
        }
    }
}

/// How many entries the end of the archive declares, to be known before any of them is read (APPNOTE 4.3.14 and
/// 4.3.16). None where there is no such end, which is told by whoever reads the rest.
fn declared_entries(file: &SharedFile) -> io::Result<u64> {
    const END: &[u8] = b"PK\x05\x06";
    const END_LONG: &[u8] = b"PK\x06\x06";
    const LONGEST_END: u64 = 22 + (1 << 16) + 20 + 56;
    let start = file.length_bytes.saturating_sub(LONGEST_END);
    let mut end = vec![0; usize::try_from(file.length_bytes - start).unwrap_or_default()];
    file.file.read_exact_at(&mut end, start)?;
    let field = |place: usize, length: usize| -> Option<u64> {
        let bytes = end.get(place..place + length)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    };
    let counts = (0..end.len()).filter_map(|place| match &end[place..] {
        rest if rest.starts_with(END) => field(place + 10, 2),
        rest if rest.starts_with(END_LONG) => field(place + 32, 8),
        _ => None,
    });
    Ok(counts.max().unwrap_or_default())
}

/// The folder that all of the export lies in, with its slash, where somebody packed it again.
fn wrapper<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut found = None;
    for name in names {
        if USERS.contains(&name) {
            return None;
        }
        let is_list = |(_, rest): &(&str, &str)| USERS.contains(rest);
        if let Some((folder, _)) = name.split_once('/').filter(is_list) {
            found = Some(&name[..=folder.len()]);
        }
    }
    found
}

/// What is wrong, without a word of what stands in the archive.
fn described(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) => error.kind().to_string(),
        ZipError::UnsupportedArchive(what) => format!("unsupported: {what}"),
        ZipError::CompressionMethodNotSupported(method) => {
            format!("compressed by the unsupported method {method}")
        }
        _ => "it is damaged".to_owned(),
    }
}

/// A file that several readers share, each at a position of its own.
#[derive(Clone, Debug)]
struct SharedFile {
    file: Arc<File>,
    position: u64,
    length_bytes: u64,
}

impl Read for SharedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length_bytes.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
