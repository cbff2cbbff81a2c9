//! The objects of a repository: found in its packs or on their own, unpacked, and compared with their names.
//!
//! The way of an object: its id leads to a file of its own (`objects/ab/cdef...`) or to a place in a [`pack`]. There it is a
//! zlib stream ([`inflate`]), or a chain of [`delta`]s to another one. What is put together is hashed: an object that isn't
//! what its name says is an error, so that no two commits can name each other.
//!
//! A repository is somebody else's. So sizes are looked at before anything is unpacked, a chain of deltas has a length and a
//! cost that are bounded, and every file is opened through no link ([`open_beneath`]): objects that are borrowed from another
//! repository aren't read.

mod delta;
mod inflate;
mod pack;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lectern_connector_files::open_beneath;
use sha1::{Digest, Sha1};

use crate::object::{Id, Kind};
use inflate::{Inflater, inflate_all, inflate_some};
use pack::{Form, Pack};

/// A repository with more packs isn't read: each takes two open files.
pub(crate) const MOST_PACKS: usize = 200;
/// The longest chain of deltas. Git makes none longer than 4,095.
const MOST_DELTAS: usize = 4_095;
/// What all steps of a chain together may come to.
const MOST_CHAIN_BYTES: u64 = 4 << 30;
/// A base of deltas may be so many times larger than what is wanted ...
const LARGER_BASES: u64 = 4;
/// ... and this large in any case.
const BASE_BYTES: u64 = 64 << 20;
/// What all bases that are kept take.
const MOST_KEPT_BYTES: usize = 48 << 20;
/// A larger base isn't kept.
const LARGEST_KEPT_BYTES: usize = 4 << 20;
/// The longest head of an object that lies on its own: `commit 18446744073709551615` and a zero.
const LOOSE_HEAD_BYTES: usize = 32;
/// The longest head of a delta.
const DELTA_HEAD_BYTES: usize = 20;

/// What is wrong with the bytes of an object.
#[derive(Debug)]
enum Broken {
    Corrupt(&'static str),
    TooLarge { size_bytes: u64, limit_bytes: u64 },
    Io(io::Error),
}

/// Why an object can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The repository doesn't have it.
    #[error("the repository lacks the object {id}")]
    Missing {
        /// Its name.
        id: String,
    },
    /// It isn't what its name says.
    #[error("the object {id} {problem}")]
    Corrupt {
        /// Its name.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is larger than it may be.
    #[error("the object {id} has {size_bytes} bytes; the limit is {limit_bytes}")]
    TooLarge {
        /// Its name.
        id: String,
        /// How large it says that it is.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The disk failed, or the system refuses.
    #[error("cannot read the object {id}")]
    Io {
        /// Its name.
        id: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ObjectError {
    /// Stable.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "object_missing",
            Self::Corrupt { .. } => "object_corrupt",
            Self::TooLarge { .. } => "too_large",
            Self::Io { .. } => "object_unreadable",
        }
    }

    fn of(id: Id, broken: Broken) -> Self {
        let id = id.to_string();
        match broken {
            Broken::Corrupt(problem) => Self::Corrupt { id, problem },
            Broken::TooLarge {
                size_bytes,
                limit_bytes,
            } => Self::TooLarge {
                id,
                size_bytes,
                limit_bytes,
            },
            Broken::Io(source) => Self::Io { id, source },
        }
    }
}

/// The beginning of a file, and how large it is.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) size_bytes: u64,
    /// Nothing of one that is too large.
    pub(crate) beginning: Vec<u8>,
}

/// The objects of one repository. Waits for the disk.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    packs: Mutex<Packs>,
    bases: Mutex<Bases>,
}

#[derive(Debug, Default)]
struct Packs {
    /// The one that had something last comes first.
    open: VecDeque<Arc<Pack>>,
    next_number: u32,
    /// Those that can't be used; told once.
    unusable: HashSet<OsString>,
}

/// An object, unpacked.
type Unpacked = (Kind, Arc<Vec<u8>>);

/// What deltas were applied to, by pack and place.
#[derive(Debug, Default)]
struct Bases {
    kept: HashMap<(u32, u64), Unpacked>,
    /// The oldest first.
    order: VecDeque<(u32, u64)>,
    bytes: usize,
}

enum Place {
    Loose(File),
    Packed(Arc<Pack>, u64),
}

impl Store {
    /// The objects of the repository `folder` (that with `HEAD` in it).
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            packs: Mutex::default(),
            bases: Mutex::default(),
        }
    }

    /// An object, whole, of `limit_bytes` at most.
    pub(crate) fn read(&self, id: Id, kind: Kind, limit_bytes: u64) -> Result<Arc<Vec<u8>>, ObjectError> {
        let read = match self.locate(id)? {
            Place::Loose(file) => read_loose(&file, limit_bytes),
            Place::Packed(pack, offset) => self.read_packed(&pack, offset, limit_bytes),
        };
        let checked = read.and_then(|(found, bytes)| {
            if found != kind {
                return Err(Broken::Corrupt("is of another kind than it should be"));
            }
            let mut hasher = Sha1::new();
            hasher.update(format!("{} {}\0", kind.as_str(), bytes.len()));
            hasher.update(bytes.as_slice());
            match hasher.finalize()[..] == id.0 {
                true => Ok(bytes),
                false => Err(Broken::Corrupt("isn't what its name says")),
            }
        });
        checked.map_err(|broken| ObjectError::of(id, broken))
    }

    /// The size of a file and its first `most` bytes, which aren't compared with its name.
    pub(crate) fn glance(&self, id: Id, most: usize, limit_bytes: u64) -> Result<Glance, ObjectError> {
        let glance = match self.locate(id)? {
            Place::Loose(file) => glance_loose(&file, most, limit_bytes),
            Place::Packed(pack, offset) => self.glance_packed(&pack, offset, most, limit_bytes),
        };
        glance.map_err(|broken| ObjectError::of(id, broken))
    }

    fn locate(&self, id: Id) -> Result<Place, ObjectError> {
        let of = |broken| ObjectError::of(id, broken);
        if let Some(place) = self.in_packs(&id).map_err(of)? {
            return Ok(place);
        }
        let hex = id.to_string();
        let (folder, name) = hex.split_at(2);
        match open_beneath(&self.folder, &["objects".into(), folder.into(), name.into()]) {
            Ok(file) => return Ok(Place::Loose(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(of(Broken::Io(error))),
        }
        // Perhaps it came with a pack meanwhile, or was put into one.
        if self.look_for_packs().map_err(|error| of(Broken::Io(error)))?
            && let Some(place) = self.in_packs(&id).map_err(of)?
        {
            return Ok(place);
        }
        Err(ObjectError::Missing { id: hex })
    }

    fn in_packs(&self, id: &Id) -> Result<Option<Place>, Broken> {
        let mut packs = locked(&self.packs);
        for place in 0..packs.open.len() {
            let Some(pack) = packs.open.get(place).map(Arc::clone) else {
                break;
            };
            if let Some(offset) = pack.find(id)? {
                packs.open.swap(0, place);
                return Ok(Some(Place::Packed(pack, offset)));
            }
        }
        Ok(None)
    }

    /// Opens the packs that aren't yet. Says whether there were any.
    fn look_for_packs(&self) -> io::Result<bool> {
        let mut packs = locked(&self.packs);
        let mut known = packs.unusable.clone();
        known.extend(packs.open.iter().map(|pack| pack.name.clone()));
        let entries = match self.folder.join("objects/pack").read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            entries => entries?,
        };
        let mut is_any_new = false;
        for entry in entries {
            let path = PathBuf::from(entry?.file_name());
            let Some(name) = path.file_stem().filter(|name| !known.contains(*name)) else {
                continue;
            };
            if path.extension().is_none_or(|ending| ending != "idx") {
                continue;
            }
            if packs.open.len() >= MOST_PACKS {
                return Err(io::Error::other(format!(
                    "the repository has more than {MOST_PACKS} packs; `git gc` makes one of them"
                )));
            }
            match Pack::open(&self.folder, name, packs.next_number) {
                Ok(pack) => {
                    packs.next_number += 1;
                    packs.open.push_front(Arc::new(pack));
                    is_any_new = true;
                }
                Err(error) => {
                    tracing::warn!(pack = ?name, ?error, "a pack can't be used");
                    packs.unusable.insert(name.to_owned());
                }
            }
        }
        Ok(is_any_new)
    }

    fn read_packed(&self, pack: &Pack, offset: u64, limit_bytes: u64) -> Result<Unpacked, Broken> {
        within(packed_size(pack, offset)?, limit_bytes)?;
        let base_limit = limit_bytes.saturating_mul(LARGER_BASES).max(BASE_BYTES);
        // Down to what is whole, or kept ...
        let mut deltas = Vec::new();
        let mut at = offset;
        let (kind, mut bytes) = loop {
            if let Some(kept) = locked(&self.bases).kept.get(&(pack.number, at)) {
                break kept.clone();
            }
            let head = pack.head(at)?;
            let size = within(head.size, base_limit)?;
            match head.form {
                Form::Whole(kind) => {
                    let bytes = Arc::new(inflate_all(&pack.data, head.content, size)?);
                    self.keep((pack.number, at), kind, &bytes);
                    break (kind, bytes);
                }
                Form::DeltaAt(base) => {
                    deltas.push((at, head.content, size));
                    at = base;
                }
                Form::DeltaOf(base) => {
                    deltas.push((at, head.content, size));
                    let found = pack.find(&base)?;
                    at = found.ok_or(Broken::Corrupt("has a base that isn't in its pack"))?;
                }
            }
            if deltas.len() > MOST_DELTAS {
                return Err(Broken::Corrupt("has a chain of deltas that is too long"));
            }
        };
        // ... and up again.
        let mut cost = 0_u64;
        for (at, content, size) in deltas.into_iter().rev() {
            let delta = inflate_all(&pack.data, content, size)?;
            let (_, result_size, _) = delta::sizes(&delta)?;
            within(result_size, base_limit)?;
            cost = cost.saturating_add(result_size);
            if cost > MOST_CHAIN_BYTES {
                return Err(Broken::Corrupt("takes too much to put together"));
            }
            bytes = Arc::new(delta::apply(&bytes, &delta)?);
            self.keep((pack.number, at), kind, &bytes);
        }
        Ok((kind, bytes))
    }

    fn glance_packed(
        &self,
        pack: &Pack,
        offset: u64,
        most: usize,
        limit_bytes: u64,
    ) -> Result<Glance, Broken> {
        let size_bytes = packed_size(pack, offset)?;
        if size_bytes > limit_bytes {
            return Ok(Glance {
                size_bytes,
                beginning: Vec::new(),
            });
        }
        let head = pack.head(offset)?;
        let (kind, beginning) = match head.form {
            Form::Whole(kind) => {
                let most = most.min(usize::try_from(size_bytes).unwrap_or(most));
                (kind, inflate_some(&pack.data, head.content, most)?)
            }
            Form::DeltaAt(_) | Form::DeltaOf(_) => {
                let (kind, bytes) = self.read_packed(pack, offset, limit_bytes)?;
                (kind, bytes.get(..most).unwrap_or(&bytes).to_vec())
            }
        };
        blob(kind)?;
        Ok(Glance {
            size_bytes,
            beginning,
        })
    }

    fn keep(&self, place: (u32, u64), kind: Kind, bytes: &Arc<Vec<u8>>) {
        if bytes.len() > LARGEST_KEPT_BYTES {
            return;
        }
        let mut bases = locked(&self.bases);
        if bases.kept.insert(place, (kind, Arc::clone(bytes))).is_some() {
            return;
        }
        bases.bytes += bytes.len();
        bases.order.push_back(place);
        while bases.bytes > MOST_KEPT_BYTES
            && let Some(oldest) = bases.order.pop_front()
        {
            if let Some((_, gone)) = bases.kept.remove(&oldest) {
                bases.bytes -= gone.len();
            }
        }
    }
}

/// The size of an object, which for a delta stands at its beginning.
fn packed_size(pack: &Pack, offset: u64) -> Result<u64, Broken> {
    let head = pack.head(offset)?;
    match head.form {
        Form::Whole(_) => Ok(head.size),
        Form::DeltaAt(_) | Form::DeltaOf(_) => {
            let beginning = inflate_some(&pack.data, head.content, DELTA_HEAD_BYTES)?;
            Ok(delta::sizes(&beginning)?.1)
        }
    }
}

fn read_loose(file: &File, limit_bytes: u64) -> Result<Unpacked, Broken> {
    let (kind, size, mut inflater, mut bytes) = open_loose(file)?;
    let size = within(size, limit_bytes)?;
    let missing = size.saturating_sub(bytes.len());
    inflater.read(&mut bytes, missing)?;
    if bytes.len() != size || !inflater.is_at_end()? {
        return Err(Broken::Corrupt("has another size than it says"));
    }
    Ok((kind, Arc::new(bytes)))
}

fn glance_loose(file: &File, most: usize, limit_bytes: u64) -> Result<Glance, Broken> {
    let (kind, size_bytes, mut inflater, mut beginning) = open_loose(file)?;
    blob(kind)?;
    if size_bytes > limit_bytes {
        beginning.clear();
    } else {
        let missing = most.saturating_sub(beginning.len());
        inflater.read(&mut beginning, missing)?;
        beginning.truncate(most);
    }
    Ok(Glance {
        size_bytes,
        beginning,
    })
}

/// What an object that lies on its own is, its size, and what of it is unpacked already.
fn open_loose(file: &File) -> Result<(Kind, u64, Inflater<'_>, Vec<u8>), Broken> {
    const CORRUPT: Broken = Broken::Corrupt("has a head that is none");
    if !file.metadata().map_err(Broken::Io)?.is_file() {
        return Err(CORRUPT);
    }
    let mut inflater = Inflater::new(file, 0);
    let mut head = Vec::new();
    inflater.read(&mut head, LOOSE_HEAD_BYTES)?;
    let end = head.iter().position(|byte| *byte == 0).ok_or(CORRUPT)?;
    let content = head.split_off(end + 1);
    head.truncate(end);
    let space = head.iter().position(|byte| *byte == b' ').ok_or(CORRUPT)?;
    let (kind, size) = head.split_at(space);
    let kind = Kind::from_name(kind).ok_or(CORRUPT)?;
    let size = str::from_utf8(size)
        .ok()
        .and_then(|size| size.trim_start().parse().ok());
    Ok((kind, size.ok_or(CORRUPT)?, inflater, content))
}

fn blob(kind: Kind) -> Result<(), Broken> {
    match kind {
        Kind::Blob => Ok(()),
        _ => Err(Broken::Corrupt("is of another kind than it should be")),
    }
}

fn within(size_bytes: u64, limit_bytes: u64) -> Result<usize, Broken> {
    match usize::try_from(size_bytes) {
        Ok(size) if size_bytes <= limit_bytes => Ok(size),
        _ => Err(Broken::TooLarge {
            size_bytes,
            limit_bytes,
        }),
    }
}

/// What a mutex guards, whatever became of who held it last.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
