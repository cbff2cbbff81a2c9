//! From the name of a branch or a tag to a commit.
//!
//! A reference is a file of its own (`refs/heads/main`) or a line of `packed-refs`; one that is symbolic, as `HEAD` mostly is, names
//! another one. A tag may be an object that names the commit.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::error::Error;
use crate::object::{Id, Kind, tagged};
use crate::repository::Repository;
use crate::store::Store;

/// So many references may lead from one to the next, and tags too.
const MOST_STEPS: usize = 5;
/// The largest file with one reference.
const REFERENCE_BYTES: u64 = 4096;
/// The largest `packed-refs`.
const PACKED_BYTES: u64 = 256 << 20;
/// The largest tag.
const TAG_BYTES: u64 = 1 << 20;
/// So many files and folders are looked at to see whether there are any references.
const MOST_LOOKED_AT: usize = 10_000;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Nothing in a repository without commits.
    pub(crate) commit: Option<Id>,
    /// The branch or the tag, without `refs/heads/`; nothing where a commit itself is checked out.
    pub(crate) branch: Option<String>,
}

/// Whether a text can be the name of a reference, as `git check-ref-format` has it.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |character: char| !character.is_control() && !" ~^:?*[\\".contains(character);
    let is_part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
    };
    name.len() < 1000
        && !name.starts_with('-')
        && name != "@"
        && name.chars().all(is_plain)
        && name.split('/').all(is_part)
        && !name.contains("..")
        && !name.contains("@{")
}

/// The commit that `reference` leads to.
pub(crate) fn resolve(repository: &Repository, store: &Store, reference: &str) -> Result<Tip, Error> {
    let invalid = |problem| Error::ReferenceInvalid {
        reference: reference.to_owned(),
        problem,
    };
    let candidates = match reference {
        "HEAD" => vec![reference.to_owned()],
        whole if whole.starts_with("refs/") => vec![whole.to_owned()],
        name => ["heads", "tags", "remotes"]
            .iter()
            .map(|kind| format!("refs/{kind}/{name}"))
            .collect(),
    };
    let mut packed = None;
    for candidate in candidates {
        let mut name = candidate;
        for _ in 0..=MOST_STEPS {
            match read(repository, &name, &mut packed)? {
                Some(Target::Id(id)) => {
                    return Ok(Tip {
                        commit: Some(peel(store, id)?),
                        branch: short(&name),
                    });
                }
                Some(Target::Name(next)) if is_name(&next) => name = next,
                Some(Target::Name(_)) => return Err(invalid("it leads to a name that is none")),
                Some(Target::Nothing) => return Err(invalid("its file has no commit in it")),
                None => break,
            }
        }
        if let Some(Target::Name(_)) = read(repository, &name, &mut packed)? {
            return Err(invalid("it leads in a circle"));
        }
    }
    if has_any(repository, &mut packed)? {
        return Err(Error::ReferenceNotFound {
            reference: reference.to_owned(),
        });
    }
    Ok(Tip {
        commit: None,
        branch: None,
    })
}

enum Target {
    Id(Id),
    Name(String),
    /// A file with something else in it.
    Nothing,
}

fn read(repository: &Repository, name: &str, packed: &mut Option<Vec<u8>>) -> Result<Option<Target>, Error> {
    let components: Vec<OsString> = name.split('/').map(OsString::from).collect();
    if let Some(text) = repository
        .file(&components, REFERENCE_BYTES)
        .map_err(Error::Unreadable)?
    {
        let text = text.trim_ascii();
        return Ok(Some(match text.strip_prefix(b"ref:") {
            Some(next) => Target::Name(String::from_utf8_lossy(next.trim_ascii()).into_owned()),
            None => Id::from_hex(text).map_or(Target::Nothing, Target::Id),
        }));
    }
    let found = packed_lines(repository, packed)?.find(|(_, found)| *found == name.as_bytes());
    Ok(found.map(|(id, _)| Target::Id(id)))
}

/// The references in `packed-refs`, which is read once.
fn packed_lines<'a>(
    repository: &Repository,
    packed: &'a mut Option<Vec<u8>>,
) -> Result<impl Iterator<Item = (Id, &'a [u8])>, Error> {
    if packed.is_none() {
        let read = repository.file(&["packed-refs".into()], PACKED_BYTES);
        *packed = Some(read.map_err(Error::Unreadable)?.unwrap_or_default());
    }
    let lines = packed.as_deref().unwrap_or_default().split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| {
        let (id, name) = line.split_at_checked(40)?;
        Some((Id::from_hex(id)?, name.strip_prefix(b" ")?.trim_ascii_end()))
    }))
}

/// The commit that a tag names, over other tags.
fn peel(store: &Store, mut id: Id) -> Result<Id, Error> {
    for _ in 0..MOST_STEPS {
        let Ok(tag) = store.read(id, Kind::Tag, TAG_BYTES) else {
            // Not a tag: a commit, or nothing that can be read, which is told of the commit.
            return Ok(id);
        };
        match tagged(&tag) {
            Some(next) => id = next,
            None => return Ok(id),
        }
    }
    Ok(id)
}

fn short(name: &str) -> Option<String> {
    ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind))
        .map(str::to_owned)
}

/// Whether the repository has a reference at all.
fn has_any(repository: &Repository, packed: &mut Option<Vec<u8>>) -> Result<bool, Error> {
    if packed_lines(repository, packed)?.next().is_some() {
        return Ok(true);
    }
    has_file(repository.folder.join("refs")).map_err(Error::Unreadable)
}

fn has_file(top: PathBuf) -> io::Result<bool> {
    let mut folders = vec![top];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        let entries = match folder.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            looked_at += 1;
            // With so many folders, there are some; and a link may lead to one.
            if looked_at > MOST_LOOKED_AT || !entry.file_type()?.is_dir() {
                return Ok(true);
            }
            folders.push(entry.path());
        }
    }
    Ok(false)
}
