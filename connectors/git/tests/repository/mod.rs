//! Git repositories as tests write them: objects, trees, commits, references and packs, without any program.

#![allow(dead_code, reason = "each test uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::{Digest, Sha1};

/// The name of an object.
pub type Id = [u8; 20];

pub const FILE: u32 = 0o100_644;
pub const PROGRAM: u32 = 0o100_755;
pub const LINK: u32 = 0o120_000;
pub const SUBMODULE: u32 = 0o160_000;
pub const FOLDER: u32 = 0o040_000;

/// The first second of 2024.
pub const START: i64 = 1_704_067_200;

pub fn hex(id: &Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A repository, and the files that the next commit will have.
pub struct Repository {
    /// The checkout, or the bare repository.
    pub root: PathBuf,
    /// The folder with `HEAD` in it.
    pub git: PathBuf,
    staged: RefCell<Folder>,
    /// What is to be put into a pack; nothing where each object is a file of its own.
    packed: Option<RefCell<Vec<Packed>>>,
}

/// An object, by its name, the number of its kind, and its bytes.
type Packed = (Id, u8, Vec<u8>);

#[derive(Default)]
struct Folder {
    entries: BTreeMap<Vec<u8>, Node>,
    /// The tree of it, as long as nothing in it has changed.
    written: Option<Id>,
}

enum Node {
    File(u32, Id),
    Folder(Folder),
}

/// Who commits, and when.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    pub name: &'a str,
    pub authored_at: i64,
    pub committed_at: i64,
}

impl<'a> Signature<'a> {
    /// Written and committed so many hours after [`START`].
    pub fn new(name: &'a str, hour: i64) -> Self {
        let at = START + 3600 * hour;
        Self {
            name,
            authored_at: at,
            committed_at: at,
        }
    }
}

impl Repository {
    /// A checkout without commits.
    pub fn new(root: &Path) -> Self {
        Self::at(root, root.join(".git"))
    }

    /// A bare repository without commits.
    pub fn bare(root: &Path) -> Self {
        Self::at(root, root.to_owned())
    }

    fn at(root: &Path, git: PathBuf) -> Self {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(git.join(folder)).unwrap();
        }
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n").unwrap();
        Self {
            root: root.to_owned(),
            git,
            staged: RefCell::default(),
            packed: None,
        }
    }

    /// The same, with all objects from now on for [`Repository::write_pack`].
    pub fn packed(self) -> Self {
        Self {
            packed: Some(RefCell::default()),
            ..self
        }
    }

    /// Writes an object.
    pub fn object(&self, kind: &str, bytes: &[u8]) -> Id {
        let whole = [format!("{kind} {}\0", bytes.len()).as_bytes(), bytes].concat();
        let id: Id = Sha1::digest(&whole).into();
        match &self.packed {
            Some(packed) => {
                let number = ["", "commit", "tree", "blob", "tag"]
                    .iter()
                    .position(|known| *known == kind);
                let number = u8::try_from(number.unwrap()).unwrap();
                packed.borrow_mut().push((id, number, bytes.to_vec()));
            }
            None => self.loose(&id, &deflated(&whole)),
        }
        id
    }

    /// Writes the file of an object, whatever is in it.
    pub fn loose(&self, id: &Id, bytes: &[u8]) {
        let path = self.loose_path(id);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes the file of an object with a head of its own.
    pub fn loose_with_head(&self, id: &Id, head: &str, bytes: &[u8]) {
        self.loose(id, &deflated(&[head.as_bytes(), b"\0", bytes].concat()));
    }

    pub fn loose_path(&self, id: &Id) -> PathBuf {
        let hex = hex(id);
        let (folder, name) = hex.split_at(2);
        self.git.join("objects").join(folder).join(name)
    }

    pub fn blob(&self, bytes: &[u8]) -> Id {
        self.object("blob", bytes)
    }

    /// Writes a tree with these entries, in this order.
    pub fn tree(&self, entries: &[(u32, &[u8], Id)]) -> Id {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            write!(bytes, "{mode:o} ").unwrap();
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(id);
        }
        self.object("tree", &bytes)
    }

    /// Writes a commit.
    pub fn commit_of(&self, tree: Id, parents: &[Id], by: Signature<'_>) -> Id {
        let mut text = format!("tree {}\n", hex(&tree));
        for parent in parents {
            text += &format!("parent {}\n", hex(parent));
        }
        let mail = format!("{}@example.com", by.name.to_lowercase().replace(' ', "."));
        text += &format!("author {} <{mail}> {} +0100\n", by.name, by.authored_at);
        text += &format!(
            "committer Robot <robot@example.com> {} +0000\n\nmessage\n",
            by.committed_at
        );
        self.object("commit", text.as_bytes())
    }

    /// Has a reference (`refs/heads/main`) lead to a commit.
    pub fn set(&self, reference: &str, id: &Id) {
        let path = self.git.join(reference);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, hex(id) + "\n").unwrap();
    }

    /// Has the next commit have a file with that content.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        self.put_as(path.as_bytes(), FILE, self.blob(bytes));
    }

    /// Has the next commit have an entry.
    pub fn put_as(&self, path: &[u8], mode: u32, id: Id) {
        self.staged.borrow_mut().put(path, Node::File(mode, id));
    }

    /// Has the next commit not have a file or a folder.
    pub fn remove(&self, path: &str) {
        self.staged.borrow_mut().remove(path.as_bytes());
    }

    /// Has the next commit have no files.
    pub fn clear(&self) {
        *self.staged.borrow_mut() = Folder::default();
    }

    /// The tree of the files that are put.
    pub fn staged_tree(&self) -> Id {
        self.write_folder(&mut self.staged.borrow_mut())
    }

    /// Commits the files that are put.
    pub fn commit(&self, parents: &[Id], by: Signature<'_>) -> Id {
        self.commit_of(self.staged_tree(), parents, by)
    }

    /// Commits the files that are put to `main`, after what is there.
    pub fn commit_to_main(&self, by: Signature<'_>) -> Id {
        let parents: Vec<Id> = self.main().into_iter().collect();
        let id = self.commit(&parents, by);
        self.set("refs/heads/main", &id);
        id
    }

    /// What `main` leads to.
    pub fn main(&self) -> Option<Id> {
        let text = std::fs::read_to_string(self.git.join("refs/heads/main")).ok()?;
        let digit = |place: usize| u8::from_str_radix(text.get(place..place + 2).unwrap(), 16).unwrap();
        Some(std::array::from_fn(|place| digit(2 * place)))
    }

    fn write_folder(&self, folder: &mut Folder) -> Id {
        if let Some(written) = folder.written {
            return written;
        }
        let mut entries = Vec::new();
        for (name, node) in &mut folder.entries {
            entries.push(match node {
                Node::File(mode, id) => (*mode, name.as_slice(), *id),
                Node::Folder(inner) => (FOLDER, name.as_slice(), self.write_folder(inner)),
            });
        }
        entries.sort_by_key(|(mode, name, _)| {
            let end: &[u8] = if *mode == FOLDER { b"/" } else { b"" };
            [name, end].concat()
        });
        *folder.written.insert(self.tree(&entries))
    }

    /// Writes the objects that were kept into one pack; with deltas, each object is one to the last of its kind, in chains
    /// of 40. Gives the path of the pack.
    pub fn write_pack(&self, with_deltas: bool) -> PathBuf {
        let objects = self.packed.as_ref().unwrap().take();
        let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
        let mut places: BTreeMap<Id, u64> = BTreeMap::new();
        let mut last: BTreeMap<u8, (u64, Vec<u8>, usize)> = BTreeMap::new();
        for (id, kind, bytes) in objects {
            if places.contains_key(&id) {
                continue;
            }
            let place = pack.len() as u64;
            let base = last.get(&kind).filter(|(.., depth)| with_deltas && *depth < 40);
            let depth = match base {
                Some((base, base_bytes, depth)) => {
                    let delta = delta(base_bytes, &bytes);
                    pack.extend(head(6, delta.len() as u64));
                    pack.extend(back(place - base));
                    pack.extend(deflated(&delta));
                    depth + 1
                }
                None => {
                    pack.extend(head(kind, bytes.len() as u64));
                    pack.extend(deflated(&bytes));
                    0
                }
            };
            places.insert(id, place);
            last.insert(kind, (place, bytes, depth));
        }
        self.finish_pack(pack, &places)
    }

    /// Writes a pack whose objects begin at these places, and its index.
    pub fn finish_pack(&self, mut pack: Vec<u8>, places: &BTreeMap<Id, u64>) -> PathBuf {
        let count = u32::try_from(places.len()).unwrap();
        pack[8..12].copy_from_slice(&count.to_be_bytes());
        let checksum = Sha1::digest(&pack);
        pack.extend(checksum);
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255_u8 {
            let count = places.keys().filter(|id| id[0] <= first).count();
            index.extend(u32::try_from(count).unwrap().to_be_bytes());
        }
        places.keys().for_each(|id| index.extend(id));
        index.extend(vec![0; 4 * places.len()]);
        for place in places.values() {
            index.extend(u32::try_from(*place).unwrap().to_be_bytes());
        }
        index.extend(checksum);
        let own = Sha1::digest(&index);
        index.extend(own);
        let name = format!("objects/pack/pack-{}", hex(&checksum.into()));
        std::fs::write(self.git.join(format!("{name}.idx")), index).unwrap();
        let path = self.git.join(format!("{name}.pack"));
        std::fs::write(&path, pack).unwrap();
        path
    }
}

impl Folder {
    fn put(&mut self, path: &[u8], node: Node) {
        self.written = None;
        match path.iter().position(|byte| *byte == b'/') {
            None => drop(self.entries.insert(path.to_vec(), node)),
            Some(slash) => {
                let inner = self.entries.entry(path[..slash].to_vec());
                let inner = inner.or_insert_with(|| Node::Folder(Self::default()));
                if let Node::File(..) = inner {
                    *inner = Node::Folder(Self::default());
                }
                if let Node::Folder(inner) = inner {
                    inner.put(&path[slash + 1..], node);
                }
            }
        }
    }

    fn remove(&mut self, path: &[u8]) {
        self.written = None;
        let Some(slash) = path.iter().position(|byte| *byte == b'/') else {
            self.entries.remove(path);
            return;
        };
        if let Some(Node::Folder(inner)) = self.entries.get_mut(&path[..slash]) {
            inner.remove(&path[slash + 1..]);
            if inner.entries.is_empty() {
                self.entries.remove(&path[..slash]);
            }
        }
    }
}

/// The head of an object in a pack.
pub fn head(kind: u8, mut size: u64) -> Vec<u8> {
    let mut bytes = vec![kind << 4 | u8::try_from(size & 15).unwrap()];
    size >>= 4;
    while size > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(u8::try_from(size & 0x7f).unwrap());
        size >>= 7;
    }
    bytes
}

/// How far back the base of a delta lies.
pub fn back(mut distance: u64) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(distance & 0x7f).unwrap()];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        bytes.push(0x80 | u8::try_from(distance & 0x7f).unwrap());
    }
    bytes.reverse();
    bytes
}

/// A size at the beginning of a delta.
pub fn varint(mut size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while size > 0x7f {
        bytes.push(0x80 | u8::try_from(size & 0x7f).unwrap());
        size >>= 7;
    }
    bytes.push(u8::try_from(size).unwrap());
    bytes
}

/// What makes `new` of `base`: what they begin and end with alike, and what is between.
pub fn delta(base: &[u8], new: &[u8]) -> Vec<u8> {
    let same = base.iter().zip(new).take_while(|(old, new)| old == new).count();
    let rest = base.len().min(new.len()) - same;
    let ends = base.iter().rev().zip(new.iter().rev()).take(rest);
    let tail = ends.take_while(|(old, new)| old == new).count();
    let mut delta = varint(base.len() as u64);
    delta.extend(varint(new.len() as u64));
    let copy = |delta: &mut Vec<u8>, mut from: usize, mut length: usize| {
        while length > 0 {
            let step = length.min(0xffff);
            delta.push(0x80 | 0x0f | 0x30);
            delta.extend(u32::try_from(from).unwrap().to_le_bytes());
            delta.extend(u16::try_from(step).unwrap().to_le_bytes());
            from += step;
            length -= step;
        }
    };
    copy(&mut delta, 0, same);
    for part in new[same..new.len() - tail].chunks(127) {
        delta.push(u8::try_from(part.len()).unwrap());
        delta.extend_from_slice(part);
    }
    copy(&mut delta, base.len() - tail, tail);
    delta
}

/// Bytes as they lie in a pack.
pub fn packed_bytes(bytes: &[u8]) -> Vec<u8> {
    deflated(bytes)
}
