//! Git's objects as values: ids, the entries of a tree, what a commit says.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};

/// How many parents of a commit are looked at. Real merges have a handful.
pub(crate) const MOST_PARENTS: usize = 256;

/// The name of an object: the SHA-1 of what it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) [u8; 20]);

impl Id {
    /// Of 40 hexadecimal digits, and nothing else.
    pub(crate) fn from_hex(text: &[u8]) -> Option<Self> {
        if text.len() != 40 {
            return None;
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let value = digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?;
            *byte = u8::try_from(value).ok()?;
        }
        Some(Self(id))
    }

    /// Of 20 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.as_str().as_bytes() == name)
    }
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    Link,
    Submodule,
    /// Nothing that Git writes.
    Unknown,
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) mode: u32,
    pub(crate) name: &'a [u8],
    pub(crate) id: Id,
}

impl Entry<'_> {
    pub(crate) fn kind(&self) -> EntryKind {
        match self.mode & 0o170_000 {
            0o040_000 => EntryKind::Folder,
            0o100_000 => EntryKind::File,
            0o120_000 => EntryKind::Link,
            0o160_000 => EntryKind::Submodule,
            _ => EntryKind::Unknown,
        }
    }

    /// How entries of a tree are sorted: a folder as if its name ended with a slash.
    pub(crate) fn order(&self, other: &Entry<'_>) -> std::cmp::Ordering {
        let bytes = |entry: &Entry<'_>| (entry.kind() == EntryKind::Folder).then_some(b'/');
        let mine = self.name.iter().copied().chain(bytes(self));
        let theirs = other.name.iter().copied().chain(bytes(other));
        mine.cmp(theirs)
    }
}

/// The entries of a tree, in its order. What is no entry ends them with what is wrong with it.
pub(crate) fn entries(tree: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, &'static str>> {
    let mut rest = tree;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let entry = next_entry(&mut rest);
        if entry.is_none() {
            rest = &[];
        }
        Some(entry.ok_or("a tree has an entry that is none"))
    })
}

fn next_entry<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let space = rest.iter().take(8).position(|byte| *byte == b' ')?;
    let mut mode = 0_u32;
    for digit in rest.get(..space)? {
        mode = mode * 8 + char::from(*digit).to_digit(8)?;
    }
    let after = rest.get(space + 1..)?;
    let end = after.iter().position(|byte| *byte == 0)?;
    let id = Id::from_bytes(after.get(end + 1..end + 21)?)?;
    *rest = after.get(end + 21..)?;
    let name = after.get(..end)?;
    Some(Entry { mode, name, id })
}

/// Who wrote a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) mail: String,
}

/// What a commit says.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) tree: Id,
    pub(crate) parents: Vec<Id>,
    pub(crate) author: Person,
    pub(crate) authored_at: Option<DateTime<Utc>>,
    pub(crate) committed_at: Option<DateTime<Utc>>,
}

impl Commit {
    /// Reads a commit; nothing where it names no tree or a parent that is none.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut tree = None;
        let mut parents = Vec::new();
        let (mut author, mut committer, mut encoding) = (None, None, None);
        for line in bytes
            .split(|byte| *byte == b'\n')
            .take_while(|line| !line.is_empty())
        {
            let Some(space) = line.iter().position(|byte| *byte == b' ') else {
                continue;
            };
            let (key, value) = (line.get(..space)?, line.get(space + 1..)?);
            match key {
                b"tree" if tree.is_none() => tree = Some(Id::from_hex(value)?),
                b"parent" => parents.push(Id::from_hex(value)?),
                b"author" if author.is_none() => author = Some(value),
                b"committer" if committer.is_none() => committer = Some(value),
                b"encoding" => encoding = encoding_rs::Encoding::for_label(value),
                _ => {}
            }
        }
        let encoding = encoding.unwrap_or(encoding_rs::UTF_8);
        let (author, authored_at) = person(author.unwrap_or_default(), encoding);
        let (_, committed_at) = person(committer.unwrap_or_default(), encoding);
        Some(Self {
            tree: tree?,
            parents,
            author,
            authored_at,
            committed_at,
        })
    }
}

/// Reads `Ada Lovelace <ada@example.com> 1709283600 +0100`, as far as it is that.
fn person(line: &[u8], encoding: &'static encoding_rs::Encoding) -> (Person, Option<DateTime<Utc>>) {
    let (line, _) = encoding.decode_without_bom_handling(line);
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|character| !character.is_control());
        kept.collect::<String>().trim().to_owned()
    };
    let (name, rest) = line.split_once('<').unwrap_or((&*line, ""));
    let (mail, when) = rest.rsplit_once('>').unwrap_or(("", ""));
    let seconds = when.split_whitespace().next().and_then(|text| text.parse().ok());
    // Years that every calendar here can write.
    let time = seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .filter(|time| (1..=9999).contains(&time.year()));
    let person = Person {
        name: plain(name),
        mail: plain(mail),
    };
    (person, time)
}

/// What an annotated tag names.
pub(crate) fn tagged(bytes: &[u8]) -> Option<Id> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    Id::from_hex(line.strip_prefix(b"object ")?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_commit_is_read_in_its_encoding() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        let mut text = format!(
            "tree {hex}\nparent {hex}\nparent {hex}\nauthor Ren\u{1}e <r@a.example> 1709283600 +0100\n\
             committer Bo <b@a.example> 1709290000 -0300\nencoding ISO-8859-1\ngpgsig x\n parent nonsense\n\ntree x"
        )
        .into_bytes();
        let at = text.iter().position(|byte| *byte == 1).unwrap();
        text[at] = 0xe9;
        let commit = Commit::parse(&text).unwrap();
        assert_eq!((commit.tree.to_string().as_str(), commit.parents.len()), (hex, 2));
        assert_eq!(commit.author.name, "Renée");
        assert_eq!(commit.author.mail, "r@a.example");
        assert_eq!(commit.authored_at.unwrap().timestamp(), 1_709_283_600);
        assert_eq!(commit.committed_at.unwrap().timestamp(), 1_709_290_000);
    }

    #[test]
    fn dates_that_nobody_can_write_are_none() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        for when in [
            "99999999999999999999",
            "9223372036854775807",
            "300000000000",
            "",
            "x +0100",
        ] {
            let text = format!("tree {hex}\nauthor A <a> {when}\n\n");
            assert_eq!(
                Commit::parse(text.as_bytes()).unwrap().authored_at,
                None,
                "{when}"
            );
        }
        assert!(Commit::parse(b"author A <a> 1 +0000\n\n").is_none(), "no tree");
        assert!(Commit::parse(format!("tree {hex}\nparent 12\n\n").as_bytes()).is_none());
    }

    #[test]
    fn a_folder_is_sorted_with_its_slash() {
        let id = Id([0; 20]);
        let entry = |mode, name| Entry { mode, name, id };
        let file = entry(0o100_644, b"a".as_slice());
        let dotted = entry(0o100_644, b"a.c".as_slice());
        let folder = entry(0o040_000, b"a".as_slice());
        assert!(file.order(&dotted).is_lt() && dotted.order(&folder).is_lt());
    }

    proptest! {
        #[test]
        fn any_bytes_are_entries_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let read: Vec<_> = entries(&bytes).collect();
            let broken = read.iter().filter(|entry| entry.is_err()).count();
            prop_assert!(broken <= 1 && read.iter().rev().skip(1).all(Result::is_ok));
            Commit::parse(&bytes);
            tagged(&bytes);
        }
    }
}
