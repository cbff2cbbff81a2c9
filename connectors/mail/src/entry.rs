//! What is kept of a message: some hundred bytes, so that threads can be put together without the texts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{Message, MessageParser, PartType};

use crate::account::Reason;
use crate::attachment::{self, Attached};
use crate::config::MailConfig;
use crate::headers::{self, Subject};

/// The hash of an id or of bytes.
pub(crate) type Hash = [u8; 16];

/// The header fields of a message may take so many bytes.
const MOST_HEADER_BYTES: usize = 1 << 20;
/// So many of the messages before it are kept: the first, and the last ones.
const MOST_REFERENCES: usize = 64;
/// An id is kept as a text up to this length, for addresses.
const LONGEST_ID: usize = 200;
/// Fields that mail programs change when a message is read, flagged or moved.
const CHANGING: [&str; 11] = [
    "Status",
    "X-Status",
    "X-Keywords",
    "X-UID",
    "X-IMAP",
    "X-IMAPbase",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Mozilla-Keys",
    "Content-Length",
    "Lines",
];

/// A message of the index.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Of its Message-ID; where it has none, of its bytes.
    pub(crate) id: Hash,
    pub(crate) id_text: Option<Box<str>>,
    /// The messages before it, the first of the thread first and the one that it answers last.
    pub(crate) references: Box<[Hash]>,
    /// In seconds.
    pub(crate) date: Option<i64>,
    /// The hash of what its subject and those of answers to it have in common; 0 where there is nothing.
    pub(crate) subject: u64,
    pub(crate) is_answer: bool,
    /// Of its bytes, without the fields that mail programs change.
    pub(crate) content: Hash,
    /// Of the addresses of all whom it names.
    pub(crate) audience: Hash,
    /// Where it lies in its file.
    pub(crate) offset: u64,
    pub(crate) length: u32,
    /// The size of its text, about, without and with what it quotes.
    pub(crate) own_bytes: u32,
    pub(crate) full_bytes: u32,
    pub(crate) attached: Box<[Attached]>,
}

/// What was read of a message.
#[derive(Debug)]
pub(crate) enum Read {
    Message(Box<Entry>),
    LeftOut(Reason),
    /// A sentence that says why it can't be read.
    Broken(&'static str),
}

/// The hash of an id.
pub(crate) fn hash_of(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    hash
}

/// A hash as a key has it.
pub(crate) fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses a message. A sentence says why it can't be.
pub(crate) fn parse(bytes: &[u8]) -> Result<Message<'_>, &'static str> {
    let ends = [b"\n\n".as_slice(), b"\n\r\n"];
    if bytes.len() > MOST_HEADER_BYTES {
        let head = &bytes[..MOST_HEADER_BYTES];
        let has_end = ends
            .iter()
            .any(|end| head.windows(end.len()).any(|window| window == *end));
        if !has_end {
            return Err("its header fields have more than 1 MiB");
        }
    }
    // What makes the parser give up must not take the other messages along.
    let parsed = catch_unwind(AssertUnwindSafe(|| MessageParser::default().parse(bytes)));
    match parsed {
        Ok(Some(message)) if !message.headers().is_empty() => Ok(message),
        Ok(_) => Err("it has no header fields"),
        Err(_) => Err("the parser of messages gave up on it"),
    }
}

/// Reads what is kept of a message. `offset` is where it lies in its file.
pub(crate) fn read(bytes: &[u8], offset: u64, length: u32, config: &MailConfig) -> Read {
    let message = match parse(bytes) {
        Ok(message) => message,
        Err(problem) => return Read::Broken(problem),
    };
    if let Some(reason) = left_out(&message, config) {
        return Read::LeftOut(reason);
    }
    let content = content(&message);
    let id_text = message.message_id().map(str::trim).filter(|id| !id.is_empty());
    let id = id_text.map_or_else(
        || hash_of(&[b"no id ".as_slice(), &content].concat()),
        |id| hash_of(id.as_bytes()),
    );
    let subject = Subject::of(&message);
    let (own_bytes, full_bytes) = text_bytes(&message);
    let participants: Vec<String> = headers::participants(&message).into_iter().collect();
    Read::Message(Box::new(Entry {
        id,
        id_text: id_text.filter(|id| id.len() <= LONGEST_ID).map(Box::from),
        references: references(&message, &participants, id),
        date: headers::seconds(&message),
        subject: match subject.base.as_str() {
            "" => 0,
            base => u64::from_le_bytes(hash_of(base.as_bytes())[..8].try_into().unwrap_or_default()).max(1),
        },
        is_answer: subject.is_answer,
        content,
        audience: hash_of(participants.join("\n").as_bytes()),
        offset,
        length,
        own_bytes,
        full_bytes,
        attached: attachment::list(&message).into_boxed_slice(),
    }))
}

/// Why a message is left out that could be read.
fn left_out(message: &Message<'_>, config: &MailConfig) -> Option<Reason> {
    let mozilla = headers::text(message, "X-Mozilla-Status");
    let mozilla = mozilla
        .and_then(|text| u32::from_str_radix(&text, 16).ok())
        .unwrap_or_default();
    let status = headers::text(message, "X-Status").unwrap_or_default();
    if mozilla & 0x8 != 0 || status.contains('D') {
        return Some(Reason::Deleted);
    }
    if status.contains('T') {
        return Some(Reason::Draft);
    }
    let is_excluded = !config.exclude.is_empty()
        && headers::labels(message)
            .iter()
            .any(|label| config.excludes(label));
    is_excluded.then_some(Reason::Excluded)
}

/// The hash of a message, without the fields that mail programs change.
pub(crate) fn content(message: &Message<'_>) -> Hash {
    let raw = message.raw_message();
    let part = |start: u32, end: usize| raw.get(start as usize..end).unwrap_or_default();
    let mut hasher = blake3::Hasher::new();
    for header in message.headers() {
        if !CHANGING
            .iter()
            .any(|name| header.name().eq_ignore_ascii_case(name))
        {
            hasher.update(part(header.offset_field(), header.offset_end() as usize));
        }
    }
    hasher.update(b"\0");
    hasher.update(part(message.root_part().offset_body, raw.len()));
    let mut hash = Hash::default();
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

/// The messages before this one: References, or else the first id of In-Reply-To (RFC 5256). An address of somebody is no id of a
/// message, though some programs put it there.
fn references(message: &Message<'_>, participants: &[String], own: Hash) -> Box<[Hash]> {
    let is_id = |id: &String| !participants.contains(&id.to_lowercase());
    let mut ids: Vec<String> = headers::ids(message.references())
        .into_iter()
        .filter(is_id)
        .collect();
    if ids.is_empty() {
        ids = headers::ids(message.in_reply_to())
            .into_iter()
            .filter(is_id)
            .take(1)
            .collect();
    }
    let mut hashes: Vec<Hash> = ids
        .iter()
        .map(|id| hash_of(id.as_bytes()))
        .filter(|id| *id != own)
        .collect();
    hashes.dedup();
    if hashes.len() > MOST_REFERENCES {
        hashes.drain(1..=hashes.len() - MOST_REFERENCES);
    }
    hashes.into_boxed_slice()
}

/// About how much text the message has, without and with what it quotes.
fn text_bytes(message: &Message<'_>) -> (u32, u32) {
    let (mut own, mut full) = (0_usize, 0_usize);
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => {
                full += text.len();
                let lines = text.split_inclusive('\n').filter(|line| !line.starts_with('>'));
                own += lines.map(str::len).sum::<usize>();
            }
            PartType::Html(html) => {
                let mut is_tag = false;
                let words = html.bytes().filter(|byte| {
                    is_tag = *byte == b'<' || (is_tag && *byte != b'>');
                    !is_tag
                });
                let bytes = words.count();
                full += bytes;
                own += bytes;
            }
            _ => {}
        }
    }
    let bounded = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    (bounded(own), bounded(full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        let config = MailConfig::new(vec!["/".into()]);
        match read(text.as_bytes(), 0, 0, &config) {
            Read::Message(entry) => *entry,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_comes_before_a_message_is_in_references_or_else_in_reply_to() {
        let ids = |names: &[&str]| {
            names
                .iter()
                .map(|name| hash_of(name.as_bytes()))
                .collect::<Vec<_>>()
        };
        for (fields, expected) in [
            (
                "References: <a@x>\n <b@x>\nIn-Reply-To: <c@x>\n",
                ids(&["a@x", "b@x"]),
            ),
            ("In-Reply-To: <c@x> <d@x>\n", ids(&["c@x"])),
            ("In-Reply-To: <Ada@a.example>\n", ids(&[])),
            ("References: <own@x>\n", ids(&[])),
            ("", ids(&[])),
        ] {
            let text = format!("From: ada@a.example\nMessage-ID: <own@x>\n{fields}\ntext\n");
            assert_eq!(entry(&text).references.to_vec(), expected, "{fields}");
        }
        let many: String = (0..500).map(|number| format!(" <{number}@x>\n")).collect();
        let kept = entry(&format!("From: a@x\nReferences:{many}\nx")).references;
        assert_eq!(kept.len(), MOST_REFERENCES);
        assert_eq!((kept[0], kept[63]), (hash_of(b"0@x"), hash_of(b"499@x")));
    }

    #[test]
    fn a_flag_changes_nothing_and_a_word_does() {
        let one = entry("From: a@x\nStatus: RO\nX-Mozilla-Status: 0001\n\nwords\n");
        let read = entry("From: a@x\nStatus: O\n\nwords\n");
        let other = entry("From: a@x\n\nword\n");
        assert_eq!((one.content, one.id), (read.content, read.id));
        assert_ne!(one.content, other.content);
    }

    #[test]
    fn what_was_deleted_or_is_no_message_is_told() {
        let config = MailConfig {
            exclude: vec!["spam".to_owned()],
            ..MailConfig::new(vec!["/".into()])
        };
        let read = |text: &str| match read(text.as_bytes(), 0, 0, &config) {
            Read::Message(_) => "message",
            Read::LeftOut(reason) => reason.code(),
            Read::Broken(_) => "broken",
        };
        for (text, expected) in [
            ("From: a@x\nX-Mozilla-Status: 0009\n\nx", "deleted_message"),
            ("From: a@x\nX-Mozilla-Status: 0001\n\nx", "message"),
            ("From: a@x\nX-Status: T\n\nx", "draft"),
            ("From: a@x\nX-Gmail-Labels: Inbox,\"Spam\"\n\nx", "excluded_label"),
            ("\n\nx", "broken"),
            ("", "broken"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
