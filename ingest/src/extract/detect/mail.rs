//! Messages and mailboxes: a head of `Name: value` lines with names that messages have.

/// How much of a file can be the head that is looked at.
const HEAD_BYTES: usize = 16 * 1024;

/// Names of header fields that messages have and little else.
const FIELDS: [&str; 14] = [
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "content-type",
    "reply-to",
    "in-reply-to",
    "x-mailer",
];

/// Whether the first line is one that parts the messages of a mailbox (`From ADDRESS DAY MONTH ...`), with a
/// message after it.
pub(super) fn is_mailbox(bytes: &[u8]) -> bool {
    let Some(after) = bytes.strip_prefix(b"From ") else {
        return false;
    };
    let Some(end) = after.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let line = String::from_utf8_lossy(&after[..end]);
    let has_time = line
        .split_whitespace()
        .any(|word| word.bytes().filter(|byte| *byte == b':').count() == 2);
    has_time && is_message(&after[end + 1..], true)
}

/// Whether the bytes begin with the head of a message. A note with a few such lines is none: without a name that says
/// so, a sender and two more fields are asked for.
pub(super) fn is_message(bytes: &[u8], is_named_so: bool) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES)]);
    let mut known: Vec<String> = Vec::new();
    for line in head.lines() {
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) && !known.is_empty() {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else {
            break;
        };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_name {
            return false;
        }
        let name = name.to_ascii_lowercase();
        if FIELDS.contains(&name.as_str()) && !known.contains(&name) {
            known.push(name);
        }
    }
    let has_sender = known
        .iter()
        .any(|name| matches!(name.as_str(), "from" | "received" | "return-path"));
    if is_named_so {
        !known.is_empty()
    } else {
        has_sender && known.len() >= 3
    }
}
