//! The zip archive that an office file is: bounded before anything is inflated, then read part by part.
//!
//! The way of a file: [`Package::open`] reads the table of contents alone and holds what it declares to the
//! [budget](self#constants); [`Package::part`] inflates one part, never further than it declared, and never
//! further than [`MAX_PART_BYTES`]; [`Package::verify`] does that with every part and keeps nothing, for libraries
//! that inflate by themselves and believe what is declared.
//!
//! An archive within an archive is never opened, so a budget of one level is the budget of all.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::{ExtractError, decode};

/// More entries than any office file has: a presentation of 500 slides has about 3,000.
const MAX_ENTRIES: usize = 20_000;

/// The most that all entries together may take, inflated.
const MAX_TOTAL_BYTES: u64 = 1024 * 1024 * 1024;

/// The most that one part may take which is read whole. XML of this size is several thousand pages.
pub(super) const MAX_PART_BYTES: u64 = 96 * 1024 * 1024;

/// The most that the archive may grow: XML of office files shrinks to a tenth or a twentieth, a sheet
/// of equal cells to a hundredth.
const MAX_RATIO: u64 = 250;

/// Up to this size an archive may grow however much it likes.
const RATIO_APPLIES_FROM_BYTES: u64 = 32 * 1024 * 1024;

/// An opened archive.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Declared size by name.
    sizes: HashMap<String, u64>,
}

impl<'a> Package<'a> {
    /// Reads the table of contents.
    ///
    /// Errors: [`ExtractError::ArchiveDamaged`] without a readable one, [`ExtractError::ArchiveBomb`] where it
    /// declares more than the budget.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ExtractError> {
        let mut archive =
            ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged("its contents", &error))?;
        if archive.len() > MAX_ENTRIES {
            return Err(ExtractError::ArchiveBomb(format!(
                "{} entries, with a limit of {MAX_ENTRIES}",
                archive.len()
            )));
        }
        let mut sizes = HashMap::with_capacity(archive.len());
        let mut total = 0_u64;
        for index in 0..archive.len() {
            let entry = archive
                .by_index_raw(index)
                .map_err(|error| damaged("its contents", &error))?;
            total = total.saturating_add(entry.size());
            if let Ok(name) = entry.name() {
                sizes.insert(name.into_owned(), entry.size());
            }
        }
        if total > MAX_TOTAL_BYTES {
            return Err(ExtractError::ArchiveBomb(format!(
                "{total} bytes when unpacked, with a limit of {MAX_TOTAL_BYTES}"
            )));
        }
        if total > RATIO_APPLIES_FROM_BYTES && total / (bytes.len() as u64).max(1) > MAX_RATIO {
            return Err(ExtractError::ArchiveBomb(format!(
                "{total} bytes unpacked out of {}, more than {MAX_RATIO} times as many",
                bytes.len()
            )));
        }
        Ok(Self { archive, sizes })
    }

    /// Whether there is a part of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.sizes.contains_key(name)
    }

    /// The names of all parts, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.sizes.keys().map(String::as_str)
    }

    /// The bytes of a part; `None` where there is none of this name.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let Some(size) = self.sizes.get(name).copied() else {
            return Ok(None);
        };
        if size > MAX_PART_BYTES {
            return Err(ExtractError::ArchiveBomb(format!(
                "{name} takes {size} bytes, with a limit of {MAX_PART_BYTES}"
            )));
        }
        let mut bytes = Vec::new();
        self.inflate(name, size, |piece| bytes.extend_from_slice(piece))?;
        Ok(Some(bytes))
    }

    /// The text of a part, in whatever encoding it has; `None` where there is none of this name.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ExtractError> {
        Ok(self.part(name)?.map(|bytes| decode::decode_any(&bytes)))
    }

    /// Inflates every part whose name satisfies `wanted` and keeps nothing of it. After `Ok`, none is longer
    /// than it declares.
    pub(super) fn verify(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), ExtractError> {
        let parts: Vec<(String, u64)> = self
            .sizes
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, size)| (name.clone(), *size))
            .collect();
        for (name, size) in parts {
            self.inflate(&name, size, |_| ())?;
        }
        Ok(())
    }

    /// Inflates a part piece by piece; more than the declared size is a lie that ends it.
    fn inflate(&mut self, name: &str, size: u64, mut take: impl FnMut(&[u8])) -> Result<(), ExtractError> {
        let mut entry = self
            .archive
            .by_name(name)
            .map_err(|error| damaged(name, &error))?;
        let mut buffer = vec![0; 64 * 1024];
        let mut read = 0_u64;
        loop {
            let length = entry
                .read(&mut buffer)
                .map_err(|error| ExtractError::ArchiveDamaged(format!("{name}: {error}")))?;
            if length == 0 {
                return Ok(());
            }
            read += length as u64;
            if read > size {
                return Err(ExtractError::ArchiveBomb(format!(
                    "{name} declares {size} bytes and unpacks to more"
                )));
            }
            take(&buffer[..length]);
        }
    }
}

fn damaged(what: &str, error: &ZipError) -> ExtractError {
    match error {
        ZipError::UnsupportedArchive(reason) if reason.contains("assword") => ExtractError::Encrypted,
        _ => ExtractError::ArchiveDamaged(format!("{what}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{archive, docx, extract};
    use super::*;

    /// Overwrites the declared size of an entry in its header and in the table of contents.
    fn declare(archive: &mut [u8], real: u32, declared: u32) {
        let places: Vec<usize> = archive
            .windows(4)
            .enumerate()
            .filter(|(_, window)| *window == real.to_le_bytes())
            .map(|(place, _)| place)
            .collect();
        assert!(places.len() >= 2, "{places:?}");
        for place in places {
            archive[place..place + 4].copy_from_slice(&declared.to_le_bytes());
        }
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() {
        let zeros = " ".repeat(80 * 1024 * 1024);
        let bomb = docx(&zeros, &[]);
        assert!(bomb.len() < 200_000);
        assert_eq!(extract(&bomb).unwrap_err().code(), "archive_bomb");
        let mut huge = archive(&[("a", "x".repeat(70_001))]);
        declare(&mut huge, 70_001, 0xf000_0000);
        assert_eq!(Package::open(&huge).err().unwrap().code(), "archive_bomb");
    }

    #[test]
    fn an_archive_that_lies_about_its_sizes_is_found_out() {
        let mut liar = archive(&[("a", "x".repeat(70_001)), ("b", "words".to_owned())]);
        declare(&mut liar, 70_001, 500);
        let mut package = Package::open(&liar).unwrap();
        assert_eq!(package.part("b").unwrap().unwrap(), b"words");
        assert!(package.part("a").is_err());
        assert!(package.verify(|_| true).is_err());
        assert!(package.verify(|name| name == "b").is_ok());
    }

    #[test]
    fn too_many_entries_are_refused() {
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|number| number.to_string()).collect();
        let parts: Vec<(&str, String)> = names.iter().map(|name| (name.as_str(), String::new())).collect();
        assert_eq!(
            Package::open(&archive(&parts)).err().unwrap().code(),
            "archive_bomb"
        );
    }

    #[test]
    fn what_is_damaged_or_something_else_is_told() {
        let whole = docx("<w:p><w:r><w:t>words</w:t></w:r></w:p>", &[]);
        assert_eq!(extract(&whole).unwrap().text, "words");
        for length in (4..whole.len() - 1).step_by(7) {
            let code = extract(&whole[..length]).unwrap_err().code();
            assert_eq!(code, "archive_damaged", "at {length}");
        }
        let other = archive(&[("a.txt", "words".to_owned())]);
        assert_eq!(
            extract(&other).unwrap_err(),
            ExtractError::UnknownFormat("application/zip".to_owned())
        );
    }

    #[test]
    fn flipped_bytes_never_do_more_than_fail() {
        let whole = docx(
            "<w:p><w:r><w:t>words</w:t></w:r></w:p><w:tbl><w:tr><w:tc/></w:tr></w:tbl>",
            &[],
        );
        for place in 4..whole.len() {
            let mut broken = whole.clone();
            broken[place] ^= 0x5a;
            if let Err(error) = extract(&broken) {
                assert!(!error.code().is_empty());
            }
        }
    }
}
