//! What a file is, by how it begins and what it is called.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::mbox::is_field;

/// What is looked at to see what a file is.
const HEAD_BYTES: u64 = 8 << 10;

/// Fields of which a message has one at least.
const TELLING: [&str; 7] = [
    "from",
    "date",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mbox,
    /// One message.
    Message,
    /// It has no messages, but may get some.
    Empty,
    Other,
}

/// What a file is, by how it begins.
pub(crate) fn of(file: &mut File) -> io::Result<Kind> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Kind::Empty);
    }
    if head.starts_with(b"From ") {
        return Ok(Kind::Mbox);
    }
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    let mut is_told = false;
    for (number, line) in lines.iter().enumerate() {
        let is_continued = number > 0 && (line.starts_with(b" ") || line.starts_with(b"\t"));
        if line.is_empty() || *line == b"\r" {
            break;
        }
        if is_continued {
            continue;
        }
        if !is_field(line) {
            // The last line may be cut.
            let is_cut = number + 1 == lines.len() && head.len() as u64 == HEAD_BYTES;
            return Ok(if is_cut && is_told {
                Kind::Message
            } else {
                Kind::Other
            });
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        is_told |= is_telling(name);
    }
    Ok(if is_told { Kind::Message } else { Kind::Other })
}

/// Whether a header field of that name tells a message.
pub(crate) fn is_telling(name: &[u8]) -> bool {
    let mut telling = TELLING.iter();
    telling.any(|telling| telling.as_bytes().eq_ignore_ascii_case(name))
}

/// The flags of a message in a Maildir: `1700000000.M1P2.host:2,FS`.
pub(crate) fn maildir_flags(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let flags = name.rsplit_once(":2,").or_else(|| name.rsplit_once("!2,"));
    flags.map(|(_, flags)| flags.to_owned()).unwrap_or_default()
}
