//! What is attached to a message: which of its parts that are, what they are called, and their bytes.
//!
//! Pictures, sounds and films that the HTML part shows (they have a Content-ID) belong to it and are no attachments; a signature is
//! one, but none that anybody reads.

use crate::headers::Subject;
use crate::mime::{Form, Mail, Part, head};

/// A name has at most so many characters.
const LONGEST_NAME: usize = 120;

/// An attachment of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) name: Box<str>,
    pub(crate) size_bytes: u64,
    /// Whether it is a signature.
    pub(crate) is_signature: bool,
}

/// What is attached to a message. The place in the list names an attachment.
pub(crate) fn list(mail: &Mail<'_>) -> Vec<Attached> {
    let mut list = Vec::new();
    for part in mail.attached().filter(|part| is_apart(part)) {
        let content = part.content();
        // An empty one takes no place.
        if !content.is_empty() {
            list.push(Attached {
                name: name(part, &content, list.len() + 1).into_boxed_str(),
                size_bytes: content.len() as u64,
                is_signature: is_signature(part),
            });
        }
    }
    list
}

/// The content of an attachment, and the media type that the message states.
pub(crate) fn content(mail: &Mail<'_>, place: usize) -> Option<(Vec<u8>, Option<String>)> {
    let parts = mail.attached().filter(|part| is_apart(part));
    let contents = parts.map(|part| (part, part.content()));
    let (part, content) = contents.filter(|(_, content)| !content.is_empty()).nth(place)?;
    let media_type = part
        .media_type()
        .filter(|stated| *stated != "application/octet-stream");
    Some((content.into_owned(), media_type.map(str::to_owned)))
}

/// Whether a part is more than something that the text shows.
fn is_apart(part: &Part<'_>) -> bool {
    !(part.form == Form::Media && part.has_content_id)
}

fn is_signature(part: &Part<'_>) -> bool {
    const SIGNATURES: [&str; 3] = [
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    ];
    part.media_type()
        .is_some_and(|stated| SIGNATURES.contains(&stated))
}

/// The name that the part states, or the subject of an attached message, or its number.
fn name(part: &Part<'_>, content: &[u8], number: usize) -> String {
    let of_subject = || {
        let (fields, _) = head(content).ok().filter(|_| part.form == Form::Message)?;
        let subject = Subject::of(&fields).shown;
        (!subject.is_empty()).then(|| format!("{subject}.eml"))
    };
    let ending = match part.form {
        Form::Message => ".eml",
        Form::Html => ".html",
        Form::Plain => ".txt",
        _ => "",
    };
    part.name
        .as_deref()
        .and_then(clean)
        .or_else(|| clean(&of_subject()?))
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

    #[test]
    fn attachments_are_named_and_pictures_of_the_text_are_none() {
        let text = "From: a@x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n\
            --b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../pl an.pdf\"\nContent-Transfer-Encoding: base64\n\nJVBERg==\n\
            --b\nContent-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\niVBORw==\n\
            --b\nContent-Type: message/rfc822\n\nSubject: Inner\nFrom: b@x\n\ninside\n\
            --b\nContent-Type: application/pgp-signature; name=signature.asc\n\nsigned\n--b--\n";
        let message = Mail::parse(text.as_bytes()).unwrap();
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
