//! A mailbox (RFC 4155): a list of its messages, and each message as a document of its own.
//!
//! A message is named after its subject and a hash of its id, so it keeps its name when others come or go. A mailbox
//! with more messages than a file may have attachments is handed on in parts, each a mailbox.

use std::io::Cursor;

use lectern_domain::{Attachment, Extracted, MAX_ATTACHMENTS};
use mail_parser::mailbox::mbox::MessageIterator;

use super::ExtractError;
use super::compose::Composition;
use super::mail::{clean_name, date, parse, sender, subject};

/// What a message is called that has no subject.
const NO_SUBJECT: &str = "(no subject)";

/// Reads a mailbox. A message that can't be read costs a warning.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let raw_messages: Vec<Vec<u8>> = MessageIterator::new(Cursor::new(bytes))
        .map_while(Result::ok)
        .map(mail_parser::mailbox::mbox::Message::unwrap_contents)
        .collect();
    let mut composition = Composition::default();
    composition.heading(1, "Mailbox");
    composition.paragraph(&format!("{} messages", raw_messages.len()));
    let mut attachments = Vec::new();
    let mut lines = Vec::new();
    let mut broken = 0_usize;
    let is_split = raw_messages.len() > MAX_ATTACHMENTS;
    for raw in &raw_messages {
        let Ok(message) = parse(raw) else {
            broken += 1;
            continue;
        };
        let subject = subject(&message).unwrap_or_else(|| NO_SUBJECT.to_owned());
        let day = date(&message).map(|date| date.format("%Y-%m-%d").to_string());
        let line = [day, sender(&message), Some(subject.clone())];
        lines.push(format!(
            "- {}",
            line.into_iter().flatten().collect::<Vec<_>>().join(", ")
        ));
        if !is_split {
            let id = message.message_id().map_or(raw.as_slice(), str::as_bytes);
            let hash = blake3::hash(id).to_hex();
            let name = format!("{subject} {}.eml", &hash.as_str()[..8]);
            attachments.push(Attachment {
                name: clean_name(&name).unwrap_or_else(|| format!("{hash}.eml")),
                media_type: Some("message/rfc822".to_owned()),
                bytes: raw.clone(),
            });
        }
    }
    composition.paragraph(&lines.join("\n"));
    let mut extracted = composition.finish("application/mbox");
    extracted.attachments = if is_split { parts(bytes) } else { attachments };
    if broken > 0 {
        extracted.warnings.push(format!(
            "{broken} messages have no header fields and were left out"
        ));
    }
    Ok(extracted)
}

/// The mailbox cut before messages, so that each part has at most [`MAX_ATTACHMENTS`].
fn parts(bytes: &[u8]) -> Vec<Attachment> {
    let mut starts = vec![0];
    starts.extend(
        bytes
            .windows(6)
            .enumerate()
            .filter(|(_, window)| window == b"\nFrom ")
            .map(|(at, _)| at + 1),
    );
    let first_of_parts: Vec<usize> = starts.iter().copied().step_by(MAX_ATTACHMENTS).collect();
    let ends = first_of_parts.iter().copied().skip(1).chain([bytes.len()]);
    first_of_parts
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(part, (start, end))| {
            let first = part * MAX_ATTACHMENTS + 1;
            Attachment {
                name: format!("messages from {first}.mbox"),
                media_type: Some("application/mbox".to_owned()),
                bytes: bytes[*start..end].to_vec(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(messages: usize) -> String {
        (0..messages)
            .map(|number| {
                format!(
                    "From a@example.org Mon Jan  5 10:00:00 2026\nFrom: a@example.org\nSubject: S {number}\n\
                     Message-ID: <{number}@example.org>\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n\n>From here on.\n\n"
                )
            })
            .collect()
    }

    #[test]
    fn each_message_is_an_attachment_with_a_name_that_stays() {
        let three = read(mailbox(3).as_bytes()).unwrap();
        assert!(
            three
                .text
                .contains("3 messages\n\n- 2026-01-05, a@example.org, S 0\n"),
            "{}",
            three.text
        );
        assert_eq!(three.attachments.len(), 3);
        let four = read(mailbox(4).as_bytes()).unwrap();
        assert_eq!(three.attachments[2].name, four.attachments[2].name);
        assert!(four.attachments[3].name.starts_with("S 3 ") && four.attachments[3].name.ends_with(".eml"));
        let message = super::super::mail::read(&three.attachments[1].bytes).unwrap();
        assert!(message.text.ends_with("\n\nFrom here on."), "{:?}", message.text);
    }

    #[test]
    fn a_large_mailbox_is_handed_on_in_parts_that_hold_all_of_it() {
        let bytes = mailbox(2 * MAX_ATTACHMENTS + 5);
        let parts = read(bytes.as_bytes()).unwrap().attachments;
        assert_eq!(parts.len(), 3);
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        assert_eq!(whole, bytes.as_bytes());
        let messages: usize = parts
            .iter()
            .map(|part| read(&part.bytes).unwrap().attachments.len())
            .sum();
        assert_eq!(messages, 2 * MAX_ATTACHMENTS + 5);
    }
}
