//! One pack: many objects in a file, and its index beside it (version 2, as Git has written since 2008).
//!
//! Both files are read where it is needed and never mapped into memory: a file that somebody cuts off meanwhile is an
//! error of its object, and no signal.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use lectern_connector_files::open_beneath;

use super::Broken;
use crate::object::{Id, Kind};

/// Where the table of ids begins in an index: after the mark, the version and the counts.
const IDS: u64 = 8 + 4 * 256;
/// So many ids of an index are read at once.
const IDS_AT_ONCE: u64 = 256;
/// The checksums at the end of an index; a pack has one of them.
const CHECKSUM_BYTES: u64 = 20;
/// The longest head of an object in a pack that is one.
const LONGEST_HEAD: usize = 10 + 20;

/// A pack with its index, open.
#[derive(Debug)]
pub(super) struct Pack {
    /// The name of both files, without `.idx`.
    pub(super) name: OsString,
    /// Its place in the cache of bases.
    pub(super) number: u32,
    index: File,
    pub(super) data: File,
    data_bytes: u64,
    /// How many ids begin with each byte or a smaller one.
    counts: Vec<u32>,
}

/// The head of an object in a pack.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) form: Form,
    /// Of the object, or of the delta.
    pub(super) size: u64,
    /// Where its compressed bytes begin.
    pub(super) content: u64,
}

/// How an object lies in a pack.
#[derive(Debug)]
pub(super) enum Form {
    Whole(Kind),
    /// As a delta to the object that begins there.
    DeltaAt(u64),
    /// As a delta to the object of that name, in the same pack.
    DeltaOf(Id),
}

impl Pack {
    /// Opens the pack of that name (without `.idx`) in the repository `folder`.
    pub(super) fn open(folder: &Path, name: &OsStr, number: u32) -> Result<Self, Broken> {
        let open = |ending: &str| {
            let mut file = name.to_owned();
            file.push(ending);
            let file = open_beneath(folder, &["objects".into(), "pack".into(), file])?;
            let metadata = file.metadata()?;
            match metadata.is_file() {
                true => Ok((file, metadata.len())),
                false => Err(std::io::Error::from(std::io::ErrorKind::InvalidInput)),
            }
        };
        let (index, index_bytes) = open(".idx").map_err(Broken::Io)?;
        let (data, data_bytes) = open(".pack").map_err(Broken::Io)?;
        let mut head = [0; 8 + 4 * 256];
        index.read_exact_at(&mut head, 0).map_err(Broken::Io)?;
        let (mark, counts) = head.split_at(8);
        if mark != [0xff, b't', b'O', b'c', 0, 0, 0, 2] {
            return Err(Broken::Corrupt("has an index that isn't of version 2"));
        }
        let counts: Vec<u32> = counts.chunks_exact(4).map(number_of).collect();
        let count = counts.last().copied().unwrap_or(0);
        let least_bytes = IDS + u64::from(count) * (20 + 4 + 4) + 2 * CHECKSUM_BYTES;
        if !counts.is_sorted() || index_bytes < least_bytes {
            return Err(Broken::Corrupt("has an index that is none"));
        }
        let mut head = [0; 12];
        data.read_exact_at(&mut head, 0).map_err(Broken::Io)?;
        if !head.starts_with(b"PACK\0\0\0\x02") && !head.starts_with(b"PACK\0\0\0\x03") {
            return Err(Broken::Corrupt("is no pack"));
        }
        Ok(Self {
            name: name.to_owned(),
            number,
            index,
            data,
            data_bytes,
            counts,
        })
    }

    fn count(&self) -> u64 {
        u64::from(self.counts.last().copied().unwrap_or(0))
    }

    /// Where an object begins, if it is in this pack.
    pub(super) fn find(&self, id: &Id) -> Result<Option<u64>, Broken> {
        let first_byte = usize::from(id.0.first().copied().unwrap_or(0));
        let bound = |place: usize| u64::from(self.counts.get(place).copied().unwrap_or(0));
        let mut from = first_byte.checked_sub(1).map_or(0, bound);
        let mut to = bound(first_byte);
        while to - from > IDS_AT_ONCE {
            let middle = from + (to - from) / 2;
            let mut found = [0; 20];
            self.index
                .read_exact_at(&mut found, IDS + middle * 20)
                .map_err(Broken::Io)?;
            match found.cmp(&id.0) {
                std::cmp::Ordering::Greater => to = middle,
                _ => from = middle,
            }
        }
        let mut ids = vec![0; usize::try_from((to - from) * 20).unwrap_or(0)];
        self.index
            .read_exact_at(&mut ids, IDS + from * 20)
            .map_err(Broken::Io)?;
        let place = ids.chunks_exact(20).position(|found| found == id.0);
        place.map(|place| self.offset(from + place as u64)).transpose()
    }

    fn offset(&self, place: u64) -> Result<u64, Broken> {
        let offsets = IDS + self.count() * (20 + 4);
        let mut short = [0; 4];
        self.index
            .read_exact_at(&mut short, offsets + place * 4)
            .map_err(Broken::Io)?;
        let short = u32::from_be_bytes(short);
        if short & 0x8000_0000 == 0 {
            return Ok(u64::from(short));
        }
        let long_offsets = offsets + self.count() * 4;
        let mut long = [0; 8];
        self.index
            .read_exact_at(&mut long, long_offsets + u64::from(short & 0x7fff_ffff) * 8)
            .map_err(Broken::Io)?;
        Ok(u64::from_be_bytes(long))
    }

    /// The head of the object that begins at `offset`.
    pub(super) fn head(&self, offset: u64) -> Result<Head, Broken> {
        const CORRUPT: Broken = Broken::Corrupt("has a head in its pack that is none");
        let room = self
            .data_bytes
            .saturating_sub(CHECKSUM_BYTES)
            .saturating_sub(offset);
        let length = usize::try_from(room).unwrap_or(LONGEST_HEAD).min(LONGEST_HEAD);
        let mut head = [0; LONGEST_HEAD];
        let head = head.get_mut(..length).unwrap_or_default();
        self.data.read_exact_at(head, offset).map_err(Broken::Io)?;
        let mut at = 0;
        let mut next = || {
            let byte = head.get(at).copied();
            at += 1;
            byte.map(u64::from).ok_or(CORRUPT)
        };
        let first = next()?;
        let mut size = first & 0x0f;
        let (mut byte, mut shift) = (first, 4);
        while byte & 0x80 != 0 {
            byte = next()?;
            if shift > 56 {
                return Err(CORRUPT);
            }
            size |= (byte & 0x7f) << shift;
            shift += 7;
        }
        let form = match (first >> 4) & 7 {
            1 => Form::Whole(Kind::Commit),
            2 => Form::Whole(Kind::Tree),
            3 => Form::Whole(Kind::Blob),
            4 => Form::Whole(Kind::Tag),
            6 => {
                let mut byte = next()?;
                let mut back = byte & 0x7f;
                while byte & 0x80 != 0 {
                    byte = next()?;
                    if back > u64::MAX >> 9 {
                        return Err(CORRUPT);
                    }
                    back = ((back + 1) << 7) | (byte & 0x7f);
                }
                let base = offset.checked_sub(back).filter(|_| back > 0);
                Form::DeltaAt(base.ok_or(CORRUPT)?)
            }
            7 => {
                let id = head.get(at..at + 20).and_then(Id::from_bytes);
                at += 20;
                Form::DeltaOf(id.ok_or(CORRUPT)?)
            }
            _ => return Err(CORRUPT),
        };
        Ok(Head {
            form,
            size,
            content: offset + at as u64,
        })
    }
}

fn number_of(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}
