//! What a listing leaves to the next one: which documents were told of, and where each message lay.
//!
//! A connector remembers nothing; the ledger keeps its cursor. So the cursor is this memory. With it a listing knows what is gone,
//! and of a place where no message can be read any more, which thread the message was in that lay there: that thread is kept as it
//! was ([`Held`]). What could never be read holds nothing.
//!
//! A message takes 32 bytes of it, and 43 as text; a document its key.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{Read, Write};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use lectern_domain::ports::{Cursor, ListEvent, SourceItem};

use crate::account::Reason;
use crate::entry::{Hash, hash_of};
use crate::error::Error;
use crate::index::{Index, MailFile, identity};
use crate::kind::Kind;

/// Stands before everything, and is another one where an older memory would be misread.
const VERSION: &str = "mail1:";
/// A longer cursor isn't given: then nothing is remembered.
const MAX_CURSOR_BYTES: usize = 32 << 20;
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// Where a message lay, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lay {
    /// The file, by the hash of its path.
    file: u64,
    offset: u64,
    /// The message, by the hash of its identity.
    message: u64,
    /// The thread, by its root.
    root: u64,
}

/// What was told at the last listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) keys: BTreeSet<String>,
    /// In order.
    lays: Vec<Lay>,
}

impl Memory {
    /// Reads a cursor. One of another version, or a damaged one, is as good as too old.
    pub(crate) fn read(cursor: &Cursor) -> Result<Self, Error> {
        Self::parse(&cursor.0).ok_or(Error::CursorExpired)
    }

    fn parse(text: &str) -> Option<Self> {
        let (lays, keys) = text.strip_prefix(VERSION)?.split_once(':')?;
        let (lays, keys) = (STANDARD.decode(lays).ok()?, STANDARD.decode(keys).ok()?);
        let mut unpacked = String::new();
        let unpacker = DeflateDecoder::new(keys.as_slice());
        unpacker
            .take(MAX_UNPACKED_BYTES)
            .read_to_string(&mut unpacked)
            .ok()?;
        let (records, rest) = lays.as_chunks::<32>();
        let number = |record: &[u8; 32], place: usize| -> Option<u64> {
            let bytes = record.get(8 * place..8 * place + 8)?;
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        };
        let lays: Option<Vec<Lay>> = records
            .iter()
            .map(|record| {
                Some(Lay {
                    file: number(record, 0)?,
                    offset: number(record, 1)?,
                    message: number(record, 2)?,
                    root: number(record, 3)?,
                })
            })
            .collect();
        let lays = lays.filter(|lays| rest.is_empty() && lays.is_sorted())?;
        // A text that was cut has no end.
        let keys = unpacked.strip_suffix(END)?;
        Some(Self {
            keys: keys.lines().map(str::to_owned).collect(),
            lays,
        })
    }

    /// The memory as text, if it isn't too long.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        let mut lays = Vec::with_capacity(32 * self.lays.len());
        for lay in &self.lays {
            for number in [lay.file, lay.offset, lay.message, lay.root] {
                lays.extend_from_slice(&number.to_be_bytes());
            }
        }
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        for key in &self.keys {
            packer.write_all(key.as_bytes()).ok()?;
            packer.write_all(b"\n").ok()?;
        }
        packer.write_all(END.as_bytes()).ok()?;
        let keys = packer.finish().ok()?;
        let text = format!("{VERSION}{}:{}", STANDARD.encode(lays), STANDARD.encode(keys));
        (text.len() <= MAX_CURSOR_BYTES).then_some(Cursor(text))
    }
}

/// Stands behind the keys.
const END: &str = "end";

/// The threads that are kept as they were, since a message of them can't be read where it lay.
#[derive(Debug, Default)]
pub(crate) struct Held {
    roots: HashSet<u64>,
    /// Where their messages lay.
    lays: Vec<Lay>,
}

impl Held {
    /// What is to be kept of what was told before.
    pub(crate) fn of(index: &Index, before: Option<&Memory>) -> Self {
        let mut held = Self::default();
        let Some(before) = before else {
            return held;
        };
        let there = roots(index);
        for file in &index.files {
            let is_lost = |reason| matches!(reason, Reason::Broken | Reason::Unreadable);
            let lost = file.scan.faults.iter().filter(|fault| is_lost(fault.reason));
            let lost: HashSet<u64> = lost.map(|fault| fault.offset).collect();
            let is_all = file.scan.kind == Kind::Other;
            if lost.is_empty() && !is_all {
                continue;
            }
            let place = place_of(index, file);
            let first = before.lays.partition_point(|lay| lay.file < place);
            let lays = before.lays[first..].iter().take_while(|lay| lay.file == place);
            // A message that lies elsewhere too, or was moved, isn't lost.
            let lost = lays
                .filter(|lay| (is_all || lost.contains(&lay.offset)) && !there.contains_key(&lay.message));
            held.lays.extend(lost);
        }
        held.roots = held.lays.iter().map(|lay| lay.root).collect();
        held
    }

    /// Whether the document of a key stays what it was.
    pub(crate) fn has(&self, key: &str) -> bool {
        let root = key.strip_prefix("threads/").and_then(|rest| rest.get(..16));
        let root = root.and_then(|root| u64::from_str_radix(root, 16).ok());
        root.is_some_and(|root| self.roots.contains(&root))
    }

    /// What is said of such a document.
    pub(crate) fn event(item: SourceItem) -> ListEvent {
        ListEvent::Failed {
            item,
            code: "thread_incomplete",
            reason:
                "a message of the thread can't be read where it was, so what was known of the thread stays"
                    .to_owned(),
        }
    }

    /// What is remembered of this listing, which told of `keys`.
    pub(crate) fn memory(self, index: &Index, keys: BTreeSet<String>) -> Memory {
        let roots = roots(index);
        let mut lays = self.lays;
        for file in &index.files {
            let place = place_of(index, file);
            for entry in &file.scan.entries {
                let message = short(&identity(entry));
                if let Some(root) = roots.get(&message) {
                    lays.push(Lay {
                        file: place,
                        offset: entry.offset,
                        message,
                        root: *root,
                    });
                }
            }
        }
        lays.sort_unstable();
        lays.dedup();
        Memory { keys, lays }
    }
}

/// The thread of each message.
fn roots(index: &Index) -> HashMap<u64, u64> {
    let pieces = index.pieces.iter().flat_map(|piece| {
        let root = short(&piece.key.root);
        let members = piece.members.iter();
        members.map(move |member| (short(&identity(index.member(*member).1)), root))
    });
    pieces.collect()
}

/// The file, whatever the flags are in the name of a message in a Maildir, and whether it is new.
fn place_of(index: &Index, file: &MailFile) -> u64 {
    let folder = &index.folders[file.folder as usize];
    let path: PathBuf = match (folder.is_maildir, folder.path().parent()) {
        (true, Some(maildir)) => {
            let name = file.name.as_encoded_bytes();
            let unique = name.split(|byte| *byte == b':').next().unwrap_or(name);
            maildir.join(String::from_utf8_lossy(unique).into_owned())
        }
        _ => folder.path().join(&file.name),
    };
    short(&hash_of(path.as_os_str().as_encoded_bytes()))
}

/// The beginning of a hash, as its hexadecimal text begins.
fn short(hash: &Hash) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_memory_reads_back_and_what_is_none_is_too_old() {
        let memory = Memory {
            keys: ["threads/00/1", "left-out/draft"].map(str::to_owned).into(),
            lays: (0..3)
                .map(|number| Lay {
                    file: 1,
                    offset: number,
                    message: u64::MAX,
                    root: 7,
                })
                .collect(),
        };
        let cursor = memory.cursor().unwrap();
        assert_eq!(Memory::read(&cursor).unwrap(), memory);
        assert_eq!(
            Memory::read(&Memory::default().cursor().unwrap()).unwrap(),
            Memory::default()
        );
        for wrong in [
            "",
            "mail0::",
            "mail1:",
            "mail1:AAAA:",
            "mail1::AAAA",
            &cursor.0[..cursor.0.len() - 4],
        ] {
            let error = Memory::read(&Cursor(wrong.to_owned())).unwrap_err();
            assert_eq!(error.code(), "cursor_expired", "{wrong}");
        }
    }
}
