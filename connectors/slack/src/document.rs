//! A document as it is listed and fetched: its key, its address, its text, its attributes.
//!
//! | key | document |
//! |---|---|
//! | `CHANNEL/TS` | the thread that the message of that time began, or the exchange whose first message it is |
//! | `CHANNEL/files/ID` | a file that was shared there |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lectern_domain::attribute::names;
use lectern_domain::ports::{Fetched, SourceItem};
use lectern_domain::{AttributeValue, Attributes};

use crate::clean::scrub;
use crate::config::SlackConfig;
use crate::cut::Piece;
use crate::directory::{Conversation, Directory};
use crate::export::is_id;
use crate::index::{Entry, FileEntry, Index};
use crate::message::Shown;
use crate::moment::Moment;

/// Changes with the way documents are made, so that those of an older Lectern are made again.
const FORM: &str = "slack 1";

/// What an attribute names at most.
const MOST_NAMED: usize = 200;

/// What stands between two messages.
const BETWEEN: &str = "\n\n";

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Messages { channel: String, first: Moment },
    File { channel: String, id: String },
}

impl Key {
    /// Reads a key that a listing has given; nothing else is one.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let (channel, rest) = key.split_once('/').filter(|(channel, _)| is_id(channel))?;
        let channel = channel.to_owned();
        if let Some(id) = rest.strip_prefix("files/") {
            return is_id(id).then(|| Self::File {
                channel,
                id: id.to_owned(),
            });
        }
        let first = Moment::parse(rest).filter(|first| first.to_string() == rest)?;
        Some(Self::Messages { channel, first })
    }

    pub(crate) fn channel(&self) -> &str {
        match self {
            Self::Messages { channel, .. } | Self::File { channel, .. } => channel,
        }
    }
}

/// What the documents of a conversation share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) conversation: &'a Conversation,
    pub(crate) config: &'a SlackConfig,
}

impl Setting<'_> {
    /// Where a person finds a message, or the conversation where none is named.
    pub(crate) fn address(&self, message: Option<Moment>) -> String {
        let id = &self.conversation.id;
        match (self.config.workspace(), message) {
            (Some(workspace), Some(at)) => format!("{workspace}/archives/{id}/{}", at.permalink()),
            (Some(workspace), None) => format!("{workspace}/archives/{id}"),
            (None, message) => {
                let team = self.directory.team.iter().map(|team| format!("team={team}&"));
                let message = message.map(|at| format!("&message={at}")).unwrap_or_default();
                format!("slack://channel?{}id={id}{message}", team.collect::<String>())
            }
        }
    }

    /// A tag of what is hashed, and of what all documents of the conversation share.
    fn tag(&self, kind: &str, parts: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        let shared = [
            FORM,
            kind,
            self.conversation.kind.as_str(),
            &self.conversation.name,
            &self.address(None),
        ];
        shared.iter().for_each(|part| add(part.as_bytes()));
        for principal in &self.conversation.acl.allow {
            add(principal.to_string().as_bytes());
        }
        add(b"");
        parts.for_each(|part| add(part.as_ref()));
        hasher.finalize().to_hex().to_string()
    }

    pub(crate) fn item(&self, index: &Index, piece: &Piece) -> SourceItem {
        let entries = || piece.lines.iter().filter_map(|line| index.entries.get(*line));
        let kind = if piece.is_thread { "thread" } else { "exchange" };
        let between = BETWEEN.len() * piece.lines.len().saturating_sub(1);
        let bytes: u64 = entries().map(|entry| u64::from(entry.line.bytes)).sum();
        SourceItem {
            key: format!("{}/{}", self.conversation.id, piece.key),
            uri: self.address(Some(piece.key)),
            size_bytes: Some(bytes + between as u64 + 1),
            modified_at: entries().map(|entry: &Entry| entry.changed.time()).max(),
            change_tag: Some(self.tag(kind, entries().map(|entry| entry.hash))),
        }
    }

    pub(crate) fn file_item(&self, file: &FileEntry) -> SourceItem {
        let tag = file.stored.stamp.as_ref().map(|stamp| {
            let document = format!("{} {}", file.with, file.document);
            let parts = [stamp, &file.shared.name, &file.author, &document];
            self.tag("file", parts.into_iter())
        });
        SourceItem {
            key: format!("{}/files/{}", self.conversation.id, file.id),
            uri: self.address(Some(file.with)),
            size_bytes: Some(file.stored.size_bytes),
            modified_at: Some(file.with.time()),
            change_tag: tag,
        }
    }

    /// The document of these messages.
    pub(crate) fn messages(&self, piece: &Piece, messages: &[(Moment, Shown)]) -> Fetched {
        let blocks: Vec<&str> = messages.iter().map(|(_, shown)| shown.block.as_str()).collect();
        let text = blocks.join(BETWEEN) + "\n";
        let summary = messages
            .first()
            .map(|(_, shown)| shown.summary.as_str())
            .unwrap_or_default();
        let title = format!("{}: {summary}", self.conversation.label());
        Fetched {
            bytes: Arc::from(text.into_bytes()),
            file_name: format!("{}-{}.md", self.conversation.id, piece.key),
            media_type: Some("text/markdown".to_owned()),
            title: Some(scrub(title.trim_end_matches(": ")).into_owned()),
            acl: Some(self.conversation.acl.clone()),
            attributes: self.message_attributes(piece, messages),
        }
    }

    fn message_attributes(&self, piece: &Piece, messages: &[(Moment, Shown)]) -> Attributes {
        let shown = || messages.iter().map(|(_, shown)| shown);
        let authors: BTreeSet<&str> = shown().map(|shown| shown.author.as_str()).collect();
        let mentioned = shown().flat_map(|shown| shown.mentioned.iter().map(String::as_str));
        let participants: BTreeSet<&str> = authors.iter().copied().chain(mentioned).collect();
        let files = shown().flat_map(|shown| shown.files.iter().map(|file| file.name.as_str()));
        let mut attributes = self.attributes();
        insert_list(&mut attributes, names::AUTHOR, authors.into_iter());
        insert_list(&mut attributes, "participants", participants.into_iter());
        insert_list(
            &mut attributes,
            "files",
            files.collect::<BTreeSet<_>>().into_iter(),
        );
        let reactions = reactions(shown());
        insert_list(&mut attributes, "reactions", reactions.iter().map(String::as_str));
        let created = messages.iter().map(|(at, _)| at.time()).min();
        let changed = shown().map(|shown| Moment(shown.changed).time()).max();
        for (name, time) in [(names::CREATED, created), (names::MODIFIED, changed)] {
            attributes.extend(time.map(|time| (name.to_owned(), AttributeValue::Date(time))));
        }
        let thread = if piece.is_thread { "yes" } else { "no" };
        attributes.insert("thread".to_owned(), AttributeValue::Text(thread.to_owned()));
        #[allow(clippy::cast_precision_loss, reason = "no document has 2^53 messages")]
        let count = messages.len() as f64;
        attributes.insert("message_count".to_owned(), AttributeValue::Number(count));
        attributes
    }

    /// A file that was shared, as the export has it but for tokens.
    pub(crate) fn file(&self, file: &FileEntry, bytes: Vec<u8>) -> Fetched {
        let mut attributes = self.attributes();
        insert_list(&mut attributes, names::AUTHOR, [file.author.as_str()].into_iter());
        let with = format!("{}/{}", self.conversation.id, file.document);
        attributes.insert("shared_with".to_owned(), AttributeValue::Text(with));
        let created = AttributeValue::Date(file.with.time());
        attributes.insert(names::CREATED.to_owned(), created);
        Fetched {
            bytes: bytes.into(),
            file_name: scrub(&file.shared.name.replace('/', "_")).into_owned(),
            media_type: None,
            title: None,
            acl: Some(self.conversation.acl.clone()),
            attributes,
        }
    }

    fn attributes(&self) -> Attributes {
        let channel = AttributeValue::Text(scrub(&self.conversation.name).into_owned());
        let kind = AttributeValue::Text(self.conversation.kind.as_str().to_owned());
        Attributes::from([("channel".to_owned(), channel), ("channel_type".to_owned(), kind)])
    }
}

/// A list in the attributes, where there is anything in it.
fn insert_list<'a>(attributes: &mut Attributes, name: &str, values: impl Iterator<Item = &'a str>) {
    let values: Vec<String> = values
        .take(MOST_NAMED)
        .map(|value| scrub(value).into_owned())
        .collect();
    if !values.is_empty() {
        attributes.insert(name.to_owned(), AttributeValue::TextList(values));
    }
}

/// `thumbsup 3`, the most frequent first.
fn reactions<'a>(shown: impl Iterator<Item = &'a Shown>) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in shown.flat_map(|shown| &shown.reactions) {
        let sum = counts.entry(name).or_default();
        *sum = sum.saturating_add(*count);
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_a_listing_gives_and_nothing_else() {
        let messages = Key::parse("C12/1709283120.000100").unwrap();
        assert_eq!(messages.channel(), "C12");
        assert!(matches!(Key::parse("C12/files/F1"), Some(Key::File { id, .. }) if id == "F1"));
        for wrong in [
            "",
            "C12",
            "C12/",
            "/1709283120.000100",
            "C12/1709283120.0001",
            "C12/01709283120.000100",
            "C12/1709283120.000100/",
            "../1709283120.000100",
            "C12/files/../F1",
            "C12/files/",
            "C-12/1709283120.000100",
        ] {
            assert_eq!(Key::parse(wrong), None, "{wrong:?}");
        }
    }
}
