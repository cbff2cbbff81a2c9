//! What is attached to a message: which of its parts that are, what they are called, and their bytes.
//!
//! Pictures, sounds and films that the HTML part shows (they have a Content-ID) belong to it and are no attachments; a signature is
//! one, but none that anybody reads.

use std::borrow::Cow;

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use crate::headers::Subject;

/// A name has at most so many characters.
const LONGEST_NAME: usize = 120;
/// A message has at most so many attachments that are looked at.
const MOST_ATTACHMENTS: usize = 1_000;

/// An attachment of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) name: Box<str>,
    pub(crate) size_bytes: u64,
    /// Whether it is a signature.
    pub(crate) is_signature: bool,
}

/// What is attached to a message. The place in the list names an attachment.
pub(crate) fn list(message: &Message<'_>) -> Vec<Attached> {
    let parts = parts(message).enumerate();
    parts
        .map(|(place, part)| Attached {
            name: name(part, place + 1).into_boxed_str(),
            size_bytes: bytes(message, part).len() as u64,
            is_signature: is_signature(part),
        })
        .collect()
}

/// The content of an attachment, and the media type that the message states.
pub(crate) fn content(message: &Message<'_>, place: usize) -> Option<(Vec<u8>, Option<String>)> {
    let part = parts(message).nth(place)?;
    Some((bytes(message, part).into_owned(), media_type(part)))
}

fn parts<'a>(message: &'a Message<'a>) -> impl Iterator<Item = &'a MessagePart<'a>> {
    let attachments = message
        .attachments
        .iter()
        .filter_map(move |number| message.part(*number));
    attachments
        .filter(|part| !matches!(part.body, PartType::InlineBinary(_) | PartType::Multipart(_)))
        .filter(|part| !(part.content_id().is_some() && is_media(part)))
        .filter(move |part| !bytes(message, part).is_empty())
        .take(MOST_ATTACHMENTS)
}

fn bytes<'a>(message: &'a Message<'_>, part: &'a MessagePart<'_>) -> Cow<'a, [u8]> {
    match &part.body {
        PartType::Text(words) | PartType::Html(words) => Cow::Borrowed(words.as_bytes()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Cow::Borrowed(bytes),
        // Where a message is attached without an encoding, it lies as it is within the outer one.
        PartType::Message(_) if part.encoding == mail_parser::Encoding::None => {
            let range = part.offset_body as usize..part.offset_end as usize;
            Cow::Borrowed(message.raw_message().get(range).unwrap_or_default())
        }
        PartType::Message(inner) => Cow::Borrowed(inner.raw_message()),
        PartType::Multipart(_) => Cow::Borrowed(&[]),
    }
}

fn media_type(part: &MessagePart<'_>) -> Option<String> {
    let stated = part.content_type()?;
    let media_type = format!("{}/{}", stated.ctype(), stated.subtype()?).to_ascii_lowercase();
    (media_type != "application/octet-stream").then_some(media_type)
}

fn is_media(part: &MessagePart<'_>) -> bool {
    let stated = part.content_type();
    stated.is_some_and(|stated| matches!(stated.ctype(), "image" | "audio" | "video"))
}

fn is_signature(part: &MessagePart<'_>) -> bool {
    const SIGNATURES: [&str; 3] = [
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    ];
    media_type(part).is_some_and(|stated| SIGNATURES.contains(&stated.as_str()))
}

/// The name that the part states, or the subject of an attached message, or its number.
fn name(part: &MessagePart<'_>, number: usize) -> String {
    let of_subject = || match &part.body {
        PartType::Message(inner) => Some(Subject::of(inner).shown).filter(|subject| !subject.is_empty()),
        _ => None,
    };
    let stated = part.attachment_name().map(str::to_owned);
    let stated = stated.or_else(|| of_subject().map(|subject| format!("{subject}.eml")));
    let ending = match &part.body {
        PartType::Message(_) => ".eml",
        PartType::Html(_) => ".html",
        PartType::Text(_) => ".txt",
        _ => "",
    };
    stated
        .and_then(|name| clean(&name))
        .unwrap_or_else(|| format!("attachment {number}{ending}"))
}

/// A name on one line without a slash and of bounded length; `None` where nothing is left.
fn clean(name: &str) -> Option<String> {
    let words = name.split(|character: char| character.is_whitespace() || character.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name = words.join(" ").replace(['/', '\\'], "_");
    let length = name.chars().count();
    // The end has the extension.
    let name: String = name.chars().skip(length.saturating_sub(LONGEST_NAME)).collect();
    (!name.is_empty() && !name.chars().all(|character| character == '.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::parse;

    #[test]
    fn attachments_are_named_and_pictures_of_the_text_are_none() {
        let text = "From: a@x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n\
            --b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../pl an.pdf\"\nContent-Transfer-Encoding: base64\n\nJVBERg==\n\
            --b\nContent-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\niVBORw==\n\
            --b\nContent-Type: message/rfc822\n\nSubject: Inner\nFrom: b@x\n\ninside\n\
            --b\nContent-Type: application/pgp-signature; name=signature.asc\n\nsigned\n--b--\n";
        let message = parse(text.as_bytes()).unwrap();
        let found = list(&message);
        let names: Vec<&str> = found.iter().map(|attached| &*attached.name).collect();
        assert_eq!(names, [".._pl an.pdf", "Inner.eml", "signature.asc"]);
        assert!(found[2].is_signature && !found[0].is_signature);
        let (bytes, media_type) = content(&message, 0).unwrap();
        assert_eq!(
            (bytes.as_slice(), media_type.as_deref()),
            (b"%PDF".as_slice(), Some("application/pdf"))
        );
        assert_eq!(bytes.len() as u64, found[0].size_bytes);
        assert!(content(&message, 1).unwrap().0.starts_with(b"Subject: Inner\n"));
        assert_eq!(content(&message, 3), None);
    }
}
