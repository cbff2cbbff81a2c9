//! A message (RFC 5322): its subject as a heading, who wrote it to whom and when, then its text. What is attached to
//! it becomes a document of its own.
//!
//! The text is taken from the HTML part where there is one, since that has the tables and headings, and from the plain
//! part where the HTML holds much less. Pictures that belong to the HTML are no attachments.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lectern_domain::{Attachment, AttributeValue, Attributes, Extracted};
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::compose::Composition;
use super::read::title_line;
use super::{ExtractError, html, text};

/// The HTML part is taken where it has at least this part of the plain text's letters.
const HTML_SHARE: f64 = 0.5;

/// A name of an attachment has at most so many characters.
const LONGEST_NAME: usize = 120;

/// Reads a message.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let message = parse(bytes)?;
    let attachments = attachments(&message);
    let subject = subject(&message);
    let mut composition = Composition::default();
    composition.heading(1, subject.as_deref().unwrap_or_default());
    composition.paragraph(&head(&message, &attachments));
    composition.append(body(&message));
    let mut extracted = composition.finish("message/rfc822");
    extracted.attributes = attributes(&message, subject.as_deref());
    extracted.title = subject;
    extracted.attachments = attachments;
    Ok(extracted)
}

/// Parses a message.
pub(super) fn parse(bytes: &[u8]) -> Result<Message<'_>, ExtractError> {
    MessageParser::default()
        .parse(bytes)
        .filter(|message| !message.headers().is_empty())
        .ok_or_else(|| ExtractError::Damaged {
            format: "mail".to_owned(),
            reason: "it has no header fields".to_owned(),
        })
}

/// The subject on one line.
pub(super) fn subject(message: &Message<'_>) -> Option<String> {
    message.subject().and_then(title_line)
}

/// When the message was written.
pub(super) fn date(message: &Message<'_>) -> Option<DateTime<Utc>> {
    let date = message.date().filter(|date| date.is_valid())?;
    DateTime::from_timestamp(date.to_timestamp(), 0)
}

/// Who wrote it, as people write it: a name and an address.
pub(super) fn sender(message: &Message<'_>) -> Option<String> {
    title_line(&people(message.from().or_else(|| message.sender())).join(", "))
}

/// The fields of the head that a reader wants to see.
fn head(message: &Message<'_>, attachments: &[Attachment]) -> String {
    let date = message.date().filter(|date| date.is_valid());
    let names: Vec<&str> = attachments
        .iter()
        .map(|attachment| attachment.name.as_str())
        .collect();
    [
        ("From", sender(message).unwrap_or_default()),
        ("To", people(message.to()).join(", ")),
        ("Cc", people(message.cc()).join(", ")),
        ("Date", date.map(|date| date.to_rfc3339()).unwrap_or_default()),
        ("Subject", subject(message).unwrap_or_default()),
        ("Attachments", names.join(", ")),
    ]
    .iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("{name}: {value}"))
    .collect::<Vec<_>>()
    .join("\n")
}

fn people(addresses: Option<&Address<'_>>) -> Vec<String> {
    addresses
        .iter()
        .flat_map(|addresses| addresses.iter())
        .filter_map(|person| match (person.name(), person.address()) {
            (Some(name), Some(address)) if name != address => Some(format!("{name} <{address}>")),
            (_, Some(one)) | (Some(one), None) => Some(one.to_owned()),
            (None, None) => None,
        })
        .collect()
}

/// Addresses alone, in lower case, for filters.
fn addresses(addresses: Option<&Address<'_>>) -> Vec<String> {
    addresses
        .iter()
        .flat_map(|addresses| addresses.iter())
        .filter_map(|person| Some(person.address()?.to_lowercase()))
        .collect()
}

fn attributes(message: &Message<'_>, subject: Option<&str>) -> Attributes {
    let mut attributes = Attributes::new();
    let mut insert = |name: &str, value: Option<AttributeValue>| {
        attributes.extend(value.map(|value| (name.to_owned(), value)));
    };
    let list = |values: Vec<String>| (!values.is_empty()).then_some(AttributeValue::TextList(values));
    let from = message.from().or_else(|| message.sender());
    let author = from
        .and_then(Address::first)
        .and_then(|person| person.name().or_else(|| person.address()));
    insert("author", author.and_then(title_line).map(AttributeValue::Text));
    insert(
        "from",
        addresses(from).into_iter().next().map(AttributeValue::Text),
    );
    insert("to", list(addresses(message.to())));
    insert("cc", list(addresses(message.cc())));
    insert(
        "subject",
        subject.map(|subject| AttributeValue::Text(subject.to_owned())),
    );
    insert("created", date(message).map(AttributeValue::Date));
    attributes
}

/// The text of a message.
fn body(message: &Message<'_>) -> Extracted {
    let mut plain = Composition::default();
    let mut rich = Composition::default();
    let mut has_html = false;
    for part in message.text_bodies() {
        append_part(&mut plain, part);
    }
    for part in message.html_bodies() {
        has_html |= part.is_text_html();
        append_part(&mut rich, part);
    }
    let (plain, rich) = (plain.finish("text/plain"), rich.finish("text/html"));
    if has_html && rich.text.len() as f64 >= HTML_SHARE * plain.text.len() as f64 {
        rich
    } else {
        plain
    }
}

fn append_part(composition: &mut Composition, part: &MessagePart<'_>) {
    match &part.body {
        PartType::Text(words) => composition.append(text::read(words.replace('\r', ""))),
        // A part that can't be read as HTML has nothing that the plain one lacks.
        PartType::Html(page) => composition.append(html::read_part(page).unwrap_or_default()),
        _ => {}
    }
}

/// What is attached, pictures of the HTML left out.
fn attachments(message: &Message<'_>) -> Vec<Attachment> {
    message
        .attachments()
        .filter(|part| !matches!(part.body, PartType::InlineBinary(_) | PartType::Multipart(_)))
        .filter(|part| !(part.content_id().is_some() && is_media(part)))
        .enumerate()
        .filter_map(|(place, part)| {
            let bytes = part_bytes(message, part)?.into_owned();
            (!bytes.is_empty()).then(|| Attachment {
                name: attachment_name(part, place + 1),
                media_type: media_type(part),
                bytes,
            })
        })
        .collect()
}

fn part_bytes<'a>(message: &'a Message<'_>, part: &'a MessagePart<'_>) -> Option<Cow<'a, [u8]>> {
    match &part.body {
        PartType::Text(words) | PartType::Html(words) => Some(Cow::Borrowed(words.as_bytes())),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(Cow::Borrowed(bytes)),
        // Where a message is attached without an encoding, it lies as it is within the outer one.
        PartType::Message(_) if part.encoding == mail_parser::Encoding::None => message
            .raw_message()
            .get(part.offset_body as usize..part.offset_end as usize)
            .map(Cow::Borrowed),
        PartType::Message(inner) => Some(Cow::Borrowed(inner.raw_message())),
        PartType::Multipart(_) => None,
    }
}

fn media_type(part: &MessagePart<'_>) -> Option<String> {
    let stated = part.content_type()?;
    let media_type = format!("{}/{}", stated.ctype(), stated.subtype()?).to_ascii_lowercase();
    (media_type != "application/octet-stream").then_some(media_type)
}

fn is_media(part: &MessagePart<'_>) -> bool {
    part.content_type()
        .is_some_and(|stated| matches!(stated.ctype(), "image" | "audio" | "video"))
}

/// The name that the attachment states, or the subject of an attached message, or its number.
fn attachment_name(part: &MessagePart<'_>, number: usize) -> String {
    let stated = part.attachment_name().map(str::to_owned);
    let from_subject = || match &part.body {
        PartType::Message(inner) => subject(inner).map(|subject| format!("{subject}.eml")),
        _ => None,
    };
    let numbered = || {
        let extension = match &part.body {
            PartType::Message(_) => ".eml",
            PartType::Html(_) => ".html",
            PartType::Text(_) => ".txt",
            _ => "",
        };
        format!("attachment {number}{extension}")
    };
    stated
        .or_else(from_subject)
        .and_then(|name| clean_name(&name))
        .unwrap_or_else(numbered)
}

/// A name on one line without a slash and of bounded length; `None` where nothing is left.
pub(super) fn clean_name(name: &str) -> Option<String> {
    let mut clean = String::new();
    for word in name.split(|character: char| character.is_whitespace() || character.is_control()) {
        if !word.is_empty() && !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word.replace(['/', '\\'], "_"));
    }
    let length = clean.chars().count();
    if length > LONGEST_NAME {
        // The end has the extension.
        clean = clean.chars().skip(length - LONGEST_NAME).collect();
    }
    (!clean.is_empty() && !clean.chars().all(|character| character == '.')).then_some(clean)
}

#[cfg(test)]
mod tests;
