//! What a crawl leaves to the next one: what each address came to, what the site called the version, and where it led.
//!
//! A connector remembers nothing; the ledger keeps its cursor. So the cursor is this memory, as JSON, packed and written as
//! text. With it the next crawl asks for each page only whether it is another (304 has no content), goes on by the links
//! that an unchanged page had, and knows what is gone. A page that fails for now is taken as it was.
//!
//! An address takes its length and some dozen bytes, a link four bytes in memory. Links are kept for pages with validators,
//! [`MAX_LINKS`] of them at most: a page whose links have no place is read in full the next time.

use std::collections::HashMap;
use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use lectern_domain::ports::Cursor;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exchange::Validators;

/// Stands before everything, and is another one where an older memory would be misread.
const VERSION: &str = "web2:";
/// Links that are remembered at most, of all pages together.
pub(crate) const MAX_LINKS: usize = 4_000_000;
/// A longer cursor isn't given: then the next crawl reads everything.
const MAX_CURSOR_BYTES: usize = 32 << 20;
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// What an address came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Came {
    /// It wasn't asked for: too deep, or left over.
    #[default]
    #[serde(rename = "u")]
    Unasked,
    /// A document, with its change tag.
    #[serde(rename = "d")]
    Document(Option<String>),
    /// It is left out, by this code.
    #[serde(rename = "s")]
    Skipped(String),
    /// It couldn't be read.
    #[serde(rename = "f")]
    Failed,
    /// Links and no document: a sitemap, a page that isn't included, one that is a document under another address.
    #[serde(rename = "l")]
    Links,
    /// Nothing is there, or a redirect.
    #[serde(rename = "n")]
    Nothing,
}

impl Came {
    /// Whether the ledger was told of it.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Skipped(_) | Self::Failed)
    }
}

/// What is remembered of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(rename = "a")]
    pub(crate) url: String,
    #[serde(rename = "c", default)]
    pub(crate) came: Came,
    #[serde(flatten)]
    pub(crate) validators: Validators,
    /// The place of its canonical address, where that is another one.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) canonical: Option<u32>,
    /// Where it leads, as places in the memory.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<u32>,
    /// Whether it was read at some time, and all of its links are known.
    #[serde(rename = "r", default)]
    pub(crate) was_read: bool,
    /// Whether its links are sitemaps.
    #[serde(rename = "x", default)]
    pub(crate) is_index: bool,
    /// How many of its links have a secret in their address. Nothing else of them is kept.
    #[serde(rename = "w", default, skip_serializing_if = "is_none")]
    pub(crate) withheld: u32,
}

/// Whether there are none, as of most pages: then nothing is written of them.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Record {
    /// Whether it stands for a line about the crawl, and not for a page: pages have no fragment.
    pub(crate) fn is_note(&self) -> bool {
        self.url.contains('#')
    }
}

/// All that a crawl leaves.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) records: Vec<Record>,
    places: HashMap<Fingerprint, u32>,
}

/// Stands for an address where there are many of them: 128 bits of its hash.
pub(crate) type Fingerprint = [u8; 16];

/// The fingerprint of an address.
pub(crate) fn fingerprint(url: &str) -> Fingerprint {
    let mut fingerprint = [0; 16];
    blake3::Hasher::new()
        .update(url.as_bytes())
        .finalize_xof()
        .fill(&mut fingerprint);
    fingerprint
}

impl Memory {
    /// Reads a cursor. One of another version, or a damaged one, is as good as too old.
    pub(crate) fn read(cursor: &Cursor) -> Result<Self, Error> {
        let packed = cursor.0.strip_prefix(VERSION).ok_or(Error::CursorExpired)?;
        let packed = STANDARD.decode(packed).map_err(|_| Error::CursorExpired)?;
        let mut json = Vec::new();
        let mut unpacker = DeflateDecoder::new(packed.as_slice()).take(MAX_UNPACKED_BYTES);
        unpacker
            .read_to_end(&mut json)
            .map_err(|_| Error::CursorExpired)?;
        let records: Vec<Record> = serde_json::from_slice(&json).map_err(|_| Error::CursorExpired)?;
        let is_place = |place: &u32| usize::try_from(*place).is_ok_and(|place| place < records.len());
        let is_sound = |record: &Record| record.links.iter().chain(&record.canonical).all(is_place);
        if !records.iter().all(is_sound) {
            return Err(Error::CursorExpired);
        }
        let places = records
            .iter()
            .zip(0..)
            .map(|(record, place)| (fingerprint(&record.url), place));
        Ok(Self {
            places: places.collect(),
            records,
        })
    }

    pub(crate) fn find(&self, url: &str) -> Option<&Record> {
        self.at(*self.places.get(&fingerprint(url))?)
    }

    pub(crate) fn at(&self, place: u32) -> Option<&Record> {
        self.records.get(usize::try_from(place).ok()?)
    }
}

/// Writes a cursor; none, where it would be too long.
pub(crate) fn cursor(records: &[Record]) -> Option<Cursor> {
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut packer, records).ok()?;
    packer.flush().ok()?;
    let text = format!("{VERSION}{}", STANDARD.encode(packer.finish().ok()?));
    (text.len() <= MAX_CURSOR_BYTES).then_some(Cursor(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn record(number: u32, count: u32) -> Record {
        Record {
            url: format!(
                "https://docs.example.com/handbook/chapter-{}/page-{number}.html",
                number % 40
            ),
            came: Came::Document(Some(
                blake3::hash(&number.to_le_bytes()).to_hex()[..32].to_owned(),
            )),
            validators: Validators {
                etag: Some(format!("\"{number:x}-5f3c\"")),
                modified: Some("Sun, 01 Nov 2026 12:00:00 GMT".to_owned()),
            },
            links: (0..100).map(|link| (number / 40 * 40 + link) % count).collect(),
            was_read: true,
            ..Record::default()
        }
    }

    #[test]
    fn a_memory_reads_back_and_a_page_takes_less_than_two_hundred_bytes_of_it() {
        let mut records: Vec<Record> = (0..2000).map(|number| record(number, 2000)).collect();
        records[7].withheld = 3;
        let cursor = cursor(&records).unwrap();
        assert!(cursor.0.len() < 200 * records.len(), "{} bytes", cursor.0.len());
        let memory = Memory::read(&cursor).unwrap();
        assert_eq!(memory.records, records);
        let url = &records[7].url;
        assert_eq!(memory.find(url), Some(&records[7]));
        assert_eq!(memory.find("https://docs.example.com/"), None);
    }

    #[test]
    fn what_is_no_memory_is_too_old() {
        let mut lost = record(0, 1);
        lost.links = vec![1];
        for wrong in [
            Cursor(String::new()),
            Cursor("web1:AAAA".to_owned()),
            Cursor("web2:?".to_owned()),
            Cursor("web2:AAAA".to_owned()),
            cursor(&[lost]).unwrap(),
        ] {
            assert_eq!(
                Memory::read(&wrong).unwrap_err().code(),
                "cursor_expired",
                "{wrong:?}"
            );
        }
    }
}
