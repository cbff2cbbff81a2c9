//! From a file of a commit to what is listed and fetched of it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use lectern_connector_files::{components, encode, file_uri};
use lectern_domain::attribute::{AttributeValue, Attributes, names};
use lectern_domain::ports::{Fetched, SourceItem};

use crate::error::Error;
use crate::files::{File, LeftOut, NAME_UNSAFE};
use crate::history::{Change, Trace};
use crate::object::{Kind, Person};
use crate::shelf::{Shelf, Snapshot};
use crate::store::ObjectError;

/// Changes whenever the documents that are made of the same commit do.
const FORM: &str = "1";
/// So much of a file tells whether it is text, as it does for Git.
const LOOKED_AT_BYTES: usize = 8000;
/// What stands at the beginning of the pointer to a file that is kept elsewhere (Git LFS).
const LFS_POINTERS: [&[u8]; 2] = [
    b"version https://git-lfs.github.com/spec/",
    b"version https://hawser.github.com/spec/",
];
/// A pointer is no larger.
const LARGEST_POINTER_BYTES: u64 = 1024;

/// Why a file isn't read: a stable code, and a sentence.
pub(crate) type Reason = (&'static str, String);

/// The key of the document that a file is.
pub(crate) fn key_of(path: &[u8]) -> String {
    let names: Vec<String> = path
        .split(|byte| *byte == b'/')
        .map(|name| encode(OsStr::from_bytes(name)))
        .collect();
    names.join("/")
}

/// The path that [`key_of`] made `key` of; nothing where it made none such.
pub(crate) fn path_of(key: &str) -> Option<Vec<u8>> {
    let names: Vec<Vec<u8>> = components(key)?.into_iter().map(OsString::into_vec).collect();
    Some(names.join(&b'/'))
}

/// Makes documents of one snapshot.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) shelf: &'a Shelf,
    pub(crate) snapshot: &'a Snapshot,
}

impl Setting<'_> {
    /// What is listed of a file that is a document.
    pub(crate) fn item(&self, file: &File, trace: &Trace, size_bytes: Option<u64>) -> SourceItem {
        let last = trace.last.as_ref();
        SourceItem {
            key: key_of(&file.path),
            uri: self.address(&file.path, trace),
            size_bytes,
            modified_at: last.and_then(|last| last.committed_at),
            change_tag: Some(self.change_tag(file, trace)),
        }
    }

    /// What is listed of something that isn't one.
    pub(crate) fn item_left_out(&self, left_out: &LeftOut) -> SourceItem {
        let nothing = Trace::default();
        if left_out.code == NAME_UNSAFE {
            return SourceItem::new(unmistakable(&left_out.path), self.address(b"", &nothing));
        }
        let mut key = key_of(&left_out.path);
        if left_out.is_lost_folder {
            key.push('/');
        }
        SourceItem::new(key, self.address(&left_out.path, &nothing))
    }

    /// Whether a file is a document: text that lies here. Its size, and why not.
    pub(crate) fn look(&self, file: &File) -> Result<(u64, Option<Reason>), ObjectError> {
        let limit_bytes = self.shelf.config.max_file_bytes;
        let glance = self.shelf.store.glance(file.id, LOOKED_AT_BYTES, limit_bytes)?;
        let size_bytes = glance.size_bytes;
        if size_bytes > limit_bytes {
            let reason = format!("it has {size_bytes} bytes; the limit is {limit_bytes}");
            return Ok((size_bytes, Some(("too_large", reason))));
        }
        Ok((size_bytes, no_text(&glance.beginning, size_bytes)))
    }

    /// The document that a file is.
    pub(crate) fn fetch(&self, file: &File, trace: &Trace) -> Result<Fetched, Error> {
        let limit_bytes = self.shelf.config.max_file_bytes;
        let bytes = self.shelf.store.read(file.id, Kind::Blob, limit_bytes)?;
        let beginning = bytes.get(..LOOKED_AT_BYTES).unwrap_or(&bytes);
        if let Some((code, reason)) = no_text(beginning, bytes.len() as u64) {
            let key = key_of(&file.path);
            return Err(Error::LeftOut { key, code, reason });
        }
        let name = file.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        Ok(Fetched {
            bytes: bytes.as_slice().into(),
            file_name: String::from_utf8_lossy(name).into_owned(),
            media_type: None,
            title: None,
            acl: None,
            attributes: self.attributes(trace),
        })
    }

    /// Where a person finds a file: by the last commit that changed it, so that the address stays for as long as the file
    /// does.
    fn address(&self, path: &[u8], trace: &Trace) -> String {
        let Some(web) = self.shelf.config.web() else {
            return file_uri(&self.shelf.repository.root.join(OsStr::from_bytes(path)));
        };
        let commit = trace.last.as_ref().map(|last| last.commit.to_string());
        let branch = || {
            self.snapshot
                .tip
                .branch
                .clone()
                .unwrap_or_else(|| "HEAD".to_owned())
        };
        let below = Path::new("/").join(commit.unwrap_or_else(branch));
        let below = file_uri(&below.join(OsStr::from_bytes(path)));
        format!("{web}/blob{}", below.strip_prefix("file://").unwrap_or(&below))
    }

    /// What is another text whenever the content, the attributes or the address are: the content and the commits say which
    /// author, date and address there are; the rest is the same for all documents.
    fn change_tag(&self, file: &File, trace: &Trace) -> String {
        let commit = |change: &Option<Arc<Change>>| match change {
            Some(change) => change.commit.to_string(),
            None => "-".to_owned(),
        };
        let config = &self.shelf.config;
        let shared = format!(
            "{FORM} {:?} {:?} {}",
            self.snapshot.tip.branch,
            config.web(),
            config.emails
        );
        let shared = blake3::hash(shared.as_bytes()).to_hex();
        format!(
            "{} {:o} {} {} {}",
            file.id,
            file.mode,
            commit(&trace.last),
            commit(&trace.first),
            shared.get(..16).unwrap_or_default()
        )
    }

    fn attributes(&self, trace: &Trace) -> Attributes {
        let (last, first) = (trace.last.as_ref(), trace.first.as_ref());
        let mut attributes = Attributes::new();
        let mut add = |name: &str, value: Option<AttributeValue>| {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        };
        let mut authors: Vec<String> = Vec::new();
        for change in [last, first].into_iter().flatten() {
            let author = self.shown(&change.author);
            if !author.is_empty() && !authors.contains(&author) {
                authors.push(author);
            }
        }
        add(
            names::AUTHOR,
            (!authors.is_empty()).then_some(AttributeValue::TextList(authors)),
        );
        let created = first.and_then(|first| first.authored_at);
        add(names::CREATED, created.map(AttributeValue::Date));
        let modified = last.and_then(|last| last.committed_at);
        add(names::MODIFIED, modified.map(AttributeValue::Date));
        add(
            "commit",
            last.map(|last| AttributeValue::Text(last.commit.to_string())),
        );
        add(
            "branch",
            self.snapshot.tip.branch.clone().map(AttributeValue::Text),
        );
        attributes
    }

    /// The name of an author, without the mail address unless that is asked for.
    fn shown(&self, author: &Person) -> String {
        if self.shelf.config.emails && !author.mail.is_empty() {
            return format!("{} <{}>", author.name, author.mail)
                .trim_start()
                .to_owned();
        }
        // Some are called by their address.
        let name = author.name.split('@').next().unwrap_or_default();
        name.trim().to_owned()
    }
}

/// Why a file that begins so isn't read.
fn no_text(beginning: &[u8], size_bytes: u64) -> Option<Reason> {
    if size_bytes <= LARGEST_POINTER_BYTES && LFS_POINTERS.iter().any(|mark| beginning.starts_with(mark)) {
        let reason = "it is a pointer to a file that Git LFS keeps elsewhere".to_owned();
        return Some(("lfs_pointer", reason));
    }
    let has_zero = beginning.iter().take(LOOKED_AT_BYTES).any(|byte| *byte == 0);
    has_zero.then(|| {
        (
            "not_text",
            "it isn't text, as Git sees it (a zero byte near its beginning)".to_owned(),
        )
    })
}

/// A key for a name that no file can have. No key of a file has an encoded dot or slash.
fn unmistakable(path: &[u8]) -> String {
    key_of(path).replace('.', "%2E").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_path_reads_back(names in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 1..5)) {
            let is_name = |name: &Vec<u8>| !name.contains(&b'/') && name != b"." && name != b"..";
            prop_assume!(names.iter().all(is_name));
            let path = names.join(&b'/');
            prop_assert_eq!(path_of(&key_of(&path)), Some(path));
        }
    }

    #[test]
    fn pointers_and_what_is_no_text_are_told_by_their_beginnings() {
        let code = |bytes: &[u8]| no_text(bytes, bytes.len() as u64).map(|(code, _)| code);
        assert_eq!(code(b""), None);
        assert_eq!(code("Grüße".as_bytes()), None);
        assert_eq!(code(b"\xff\xfe1"), None);
        assert_eq!(code(b"a\0b"), Some("not_text"));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
        assert_eq!(code(pointer), Some("lfs_pointer"));
        assert_eq!(no_text(pointer, 5000), None, "a document about pointers");
    }
}
