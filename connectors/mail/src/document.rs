//! A document as it is listed and fetched: its address, its change tag, its readers, what is attached to it.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;
use lectern_connector_files::file_uri;
use lectern_domain::ports::{Fetched, SourceItem};
use lectern_domain::{Acl, AttributeValue, Principal};
use mail_parser::Message;

use crate::attachment::Attached;
use crate::body::Body;
use crate::config::{MailConfig, Readers};
use crate::cut::Piece;
use crate::entry::{Entry, hex};
use crate::index::{Index, identity};
use crate::kind::Kind;
use crate::mime::Mail;
use crate::quote::Seen;
use crate::written::Written;

/// Changes with the way documents are made, so that those of an older Lectern are made again.
const FORM: &str = "mail 1";

/// A document of messages, and the index that it is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    pub(crate) index: &'a Index,
    pub(crate) config: &'a MailConfig,
    pub(crate) piece: &'a Piece,
}

impl Document<'_> {
    /// Where a person finds a message: its file, or the mbox and its id in there.
    fn address(&self, member: u32) -> String {
        let (file, entry) = self.index.member(member);
        let folder = &self.index.folders[file.folder as usize];
        // The name of a file in a Maildir changes with the flags of the message, and so may its folder.
        let path = folder.path();
        let path = match folder.is_maildir {
            true => path.parent().map(Path::to_path_buf).unwrap_or(path),
            false => path.join(&file.name),
        };
        let uri = file_uri(&path);
        match (&entry.id_text, folder.is_maildir || file.scan.kind == Kind::Mbox) {
            (Some(id), true) => format!("{uri}#{}", &file_uri(Path::new(&**id))["file://".len()..]),
            _ => uri,
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.piece
            .members
            .iter()
            .map(|member| self.index.member(*member).1)
    }

    /// What is another whenever the document is: of its messages, their folders, and what is cut out of them.
    fn tag(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        add(FORM.as_bytes());
        add(self.readers_word().as_bytes());
        for member in &self.piece.members {
            let (_, entry) = self.index.member(*member);
            add(&entry.content);
            if let Some(parent) = self.index.parents[*member as usize] {
                add(&self.index.member(parent).1.content);
            }
            add(self.address(*member).as_bytes());
            for label in self.index.labels(*member) {
                add(label.as_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    fn readers_word(&self) -> &'static str {
        match self.config.readers {
            Readers::Source => "source",
            Readers::Participants => "participants",
        }
    }

    pub(crate) fn item(&self) -> SourceItem {
        let last = self.entries().filter_map(|entry| entry.date).max();
        SourceItem {
            key: self.piece.key.text(),
            uri: self
                .piece
                .members
                .first()
                .map(|member| self.address(*member))
                .unwrap_or_default(),
            size_bytes: None,
            modified_at: last.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            change_tag: Some(self.tag()),
        }
    }

    /// What is attached to the messages, but for signatures.
    pub(crate) fn attached(&self) -> impl Iterator<Item = (SourceItem, &Attached)> {
        self.piece.members.iter().flat_map(move |member| {
            let (_, entry) = self.index.member(*member);
            let places = entry.attached.iter().enumerate();
            let others = places.filter(|(_, attached)| !attached.is_signature);
            others.map(move |(place, attached)| (self.attached_item(*member, place, attached), attached))
        })
    }

    fn attached_item(&self, member: u32, place: usize, attached: &Attached) -> SourceItem {
        let (_, entry) = self.index.member(member);
        let uri = self.address(member);
        let parts = [
            FORM,
            self.readers_word(),
            &self.piece.key.text(),
            &uri,
            &hex(&entry.content),
        ]
        .join("\n");
        let labels = self.index.labels(member).join("\n");
        SourceItem {
            key: format!(
                "{}/{}/{}",
                self.piece.key.text(),
                hex(&identity(entry)),
                place + 1
            ),
            uri,
            size_bytes: Some(attached.size_bytes),
            modified_at: entry
                .date
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            change_tag: Some(
                blake3::hash(format!("{parts}\n{place}\n{labels}").as_bytes())
                    .to_hex()
                    .to_string(),
            ),
        }
    }

    /// The document of these messages, which are read one after the other.
    pub(crate) fn fetched<E>(
        &self,
        mut read: impl FnMut(u32) -> Result<Vec<u8>, E>,
        broken: impl Fn() -> E,
    ) -> Result<Fetched, E> {
        let mut written = Written::default();
        let mut seen = Seen::default();
        let mut known: HashSet<u32> = HashSet::new();
        for member in &self.piece.members {
            let parent = self.index.parents[*member as usize];
            // The message that is answered may stand in an earlier document of the thread.
            if let Some(parent) = parent.filter(|parent| known.insert(*parent)) {
                let bytes = read(parent)?;
                let mail = Mail::parse(&bytes).map_err(|_| broken())?;
                seen.add(&Body::of(&mail).full);
            }
            let bytes = read(*member)?;
            let mail = Mail::parse(&bytes).map_err(|_| broken())?;
            let body = Body::of(&mail);
            let (_, entry) = self.index.member(*member);
            written.add(&mail.fields, entry, &body.markdown(parent.map(|_| &seen)));
            written.folders.extend(self.index.labels(*member));
            if known.insert(*member) {
                seen.add(&body.full);
            }
        }
        let acl = (self.config.readers == Readers::Participants).then(|| readers(&written.participants));
        let title = written.title();
        Ok(Fetched {
            bytes: Arc::from(written.text(self.piece.key.number).into_bytes()),
            file_name: format!("{}-{}.md", hex(&self.piece.key.root), self.piece.key.number),
            media_type: Some("text/markdown".to_owned()),
            title: Some(title),
            acl,
            attributes: written.attributes(self.piece.key.number),
        })
    }

    /// What is attached to a message of the document.
    pub(crate) fn fetched_attachment(
        &self,
        member: u32,
        message: &Message<'_>,
        attached: &Attached,
        content: (Vec<u8>, Option<String>),
    ) -> Fetched {
        let mut written = Written::default();
        written.note(message);
        written.folders.extend(self.index.labels(member));
        let acl = (self.config.readers == Readers::Participants).then(|| readers(&written.participants));
        let mut attributes = written.attributes(1);
        attributes.insert(
            "attached_to".to_owned(),
            AttributeValue::Text(self.piece.key.text()),
        );
        attributes.remove("message_count");
        Fetched {
            bytes: content.0.into(),
            file_name: attached.name.to_string(),
            media_type: content.1,
            title: None,
            acl,
            attributes,
        }
    }
}

/// Those who are named, and nobody where nobody is.
fn readers(addresses: &BTreeSet<String>) -> Acl {
    Acl::allowing(addresses.iter().cloned().map(Principal::User))
}
