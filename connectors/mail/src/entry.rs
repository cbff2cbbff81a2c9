//! What is kept of a message: some hundred bytes, so that threads can be put together without the texts.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::Message;

use crate::account::Reason;
use crate::attachment::{self, Attached};
use crate::config::MailConfig;
use crate::headers::{self, Subject};
use crate::kind;
use crate::mime::{self, Form, Mail};

/// The hash of an id or of bytes.
pub(crate) type Hash = [u8; 16];

/// So many of the messages before it are kept: the first, and the last ones.
const MOST_REFERENCES: usize = 64;
/// An id is kept as a text up to this length, for addresses.
const LONGEST_ID: usize = 200;
/// What tells a message where one is expected, besides what tells one anywhere: a draft may have no more.
const ALSO_TELLING: [&str; 4] = ["Subject", "To", "Cc", "Sender"];
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

/// Reads what is kept of a message. `offset` is where it lies in its file.
pub(crate) fn read(bytes: &[u8], offset: u64, length: u32, config: &MailConfig) -> Read {
    // What makes a decoder give up must not take the other messages along.
    let read = || read_entry(bytes, offset, length, config).unwrap_or_else(Read::Broken);
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Read::Broken("a decoder gave up on it"))
}

fn read_entry(bytes: &[u8], offset: u64, length: u32, config: &MailConfig) -> Result<Read, &'static str> {
    let mail = Mail::parse(bytes)?;
    let fields = &mail.fields;
    // The parser takes a line of garbage for a field.
    let is_telling = |name: &str| {
        kind::is_telling(name.as_bytes())
            || ALSO_TELLING
                .iter()
                .any(|telling| telling.eq_ignore_ascii_case(name))
    };
    if !fields.headers().iter().any(|field| is_telling(field.name())) {
        return Err("it has none of the header fields that messages have");
    }
    if let Some(reason) = left_out(fields, config) {
        return Ok(Read::LeftOut(reason));
    }
    let content = content(bytes, fields, mail.body);
    let id_text = fields.message_id().map(str::trim).filter(|id| !id.is_empty());
    let id = id_text.map_or_else(
        || hash_of(&[b"no id ".as_slice(), &content].concat()),
        |id| hash_of(id.as_bytes()),
    );
    let subject = Subject::of(fields);
    let (own_bytes, full_bytes) = text_bytes(&mail);
    let participants = headers::participants(fields);
    let audience: Vec<&str> = participants.iter().map(String::as_str).collect();
    Ok(Read::Message(Box::new(Entry {
        id,
        id_text: id_text.filter(|id| id.len() <= LONGEST_ID).map(Box::from),
        references: references(fields, &participants, id),
        date: headers::seconds(fields),
        subject: match subject.base.as_str() {
            "" => 0,
            base => u64::from_le_bytes(hash_of(base.as_bytes())[..8].try_into().unwrap_or_default()).max(1),
        },
        is_answer: subject.is_answer,
        content,
        audience: hash_of(audience.join("\n").as_bytes()),
        offset,
        length,
        own_bytes,
        full_bytes,
        attached: attachment::list(&mail).into_boxed_slice(),
    })))
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

/// Whether these are the bytes of that message.
pub(crate) fn is_of(bytes: &[u8], entry: &Entry) -> bool {
    mime::head(bytes).is_ok_and(|(fields, body)| content(bytes, &fields, body) == entry.content)
}

/// The hash of a message, without the fields that mail programs change.
fn content(bytes: &[u8], fields: &Message<'_>, body: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for header in fields.headers() {
        if !CHANGING
            .iter()
            .any(|name| header.name().eq_ignore_ascii_case(name))
        {
            let range = header.offset_field() as usize..header.offset_end() as usize;
            hasher.update(bytes.get(range).unwrap_or_default());
        }
    }
    hasher.update(b"\0");
    hasher.update(body);
    let mut hash = Hash::default();
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

/// The messages before this one: References, or else the first id of In-Reply-To (RFC 5256). An address of somebody is no id of a
/// message, though some programs put it there.
fn references(message: &Message<'_>, participants: &BTreeSet<String>, own: Hash) -> Box<[Hash]> {
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
fn text_bytes(mail: &Mail<'_>) -> (u32, u32) {
    let (mut own, mut full) = (0_usize, 0_usize);
    for part in mail.text() {
        let text = part.text();
        let bytes = match part.form {
            Form::Html => words_of(&text),
            _ => text.len(),
        };
        full += bytes;
        own += match part.form {
            Form::Html => bytes,
            _ => {
                let lines = text.split_inclusive('\n').filter(|line| !line.starts_with('>'));
                lines.map(str::len).sum::<usize>()
            }
        };
    }
    let bounded = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    (bounded(own), bounded(full))
}

/// How much of HTML isn't tags, about.
fn words_of(html: &str) -> usize {
    let mut is_tag = false;
    let is_word = |byte: &u8| {
        is_tag = *byte == b'<' || (is_tag && *byte != b'>');
        !is_tag
    };
    html.as_bytes().iter().copied().filter(is_word).count()
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
            ("\u{1}garbage, as of a disk that failed", "broken"),
            ("X-Something: else\n\nx", "broken"),
            ("", "broken"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
