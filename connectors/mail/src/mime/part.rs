//! A part of a message: what its header fields state, and its content without the encoding for the way.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Message, MimeHeaders};

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Html,
    /// Pictures, sounds and films.
    Media,
    Message,
    Other,
}

/// How a part was made ready for the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

/// What the header fields of a part state.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    /// In lower case.
    media_type: String,
    is_stated: bool,
    encoding: Encoding,
    charset: Option<String>,
    name: Option<String>,
    is_attachment: bool,
    has_content_id: bool,
    is_flowed: bool,
    deletes_space: bool,
    /// Of a multipart.
    pub(super) boundary: Option<String>,
}

impl Stated {
    /// Reads the fields. What states nothing is text, or a message in a digest.
    pub(super) fn of(fields: Option<&Message<'_>>, is_in_digest: bool) -> Self {
        let part = fields.map(Message::root_part);
        let stated = part.and_then(MimeHeaders::content_type);
        let attribute = |name: &str| stated.and_then(|stated| stated.attribute(name));
        let is =
            |name: &str, value: &str| attribute(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
        let media_type = stated.and_then(|stated| {
            let (kind, subtype) = (stated.ctype(), stated.subtype()?);
            Some(format!("{kind}/{subtype}").to_ascii_lowercase())
        });
        let default = if is_in_digest {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let is_stated = media_type.is_some();
        let media_type = media_type.unwrap_or_else(|| default.to_owned());
        let encoding = part
            .and_then(MimeHeaders::content_transfer_encoding)
            .map(str::trim);
        let encoding = match encoding.unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Plain,
        };
        let boundary = attribute("boundary").filter(|boundary| !boundary.is_empty());
        Self {
            is_stated,
            encoding,
            charset: attribute("charset").map(str::to_owned),
            name: part.and_then(MimeHeaders::attachment_name).map(str::to_owned),
            is_attachment: part
                .and_then(MimeHeaders::content_disposition)
                .is_some_and(mail_parser::ContentType::is_attachment),
            has_content_id: part.is_some_and(|part| part.content_id().is_some()),
            is_flowed: is("format", "flowed"),
            deletes_space: is("delsp", "yes"),
            boundary: boundary
                .filter(|_| media_type.starts_with("multipart/"))
                .map(str::to_owned),
            media_type,
        }
    }

    pub(super) fn subtype(&self) -> &str {
        self.media_type.split('/').nth(1).unwrap_or_default()
    }

    fn form(&self) -> Form {
        match self.media_type.as_str() {
            "text/html" => Form::Html,
            "message/rfc822" | "message/global" => Form::Message,
            // A multipart whose boundary is missing is read as it stands.
            other if other == "text/plain" || other.starts_with("multipart/") => Form::Plain,
            other
                if ["image/", "audio/", "video/"]
                    .iter()
                    .any(|kind| other.starts_with(kind)) =>
            {
                Form::Media
            }
            _ => Form::Other,
        }
    }
}

/// A part that is no multipart.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) form: Form,
    /// As it is called, if it is.
    pub(crate) name: Option<String>,
    /// Whether it says that it is to be kept apart from the text.
    pub(super) is_attachment: bool,
    /// Whether the text can refer to it.
    pub(crate) has_content_id: bool,
    pub(crate) is_flowed: bool,
    pub(crate) deletes_space: bool,
    media_type: Option<String>,
    encoding: Encoding,
    charset: Option<String>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    pub(super) fn new(stated: Stated, body: &'a [u8]) -> Self {
        Self {
            form: stated.form(),
            name: stated.name,
            is_attachment: stated.is_attachment,
            has_content_id: stated.has_content_id,
            is_flowed: stated.is_flowed,
            deletes_space: stated.deletes_space,
            media_type: stated.is_stated.then_some(stated.media_type),
            encoding: stated.encoding,
            charset: stated.charset,
            body,
        }
    }

    /// As the message states it.
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// The content. What isn't encoded as it says is given as it stands.
    pub(crate) fn bytes(&self) -> Cow<'a, [u8]> {
        let decoded = match self.encoding {
            Encoding::Plain => None,
            Encoding::Base64 => base64_decode(self.body),
            Encoding::QuotedPrintable => quoted_printable_decode(self.body),
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    /// The content as text.
    pub(crate) fn text(&self) -> String {
        let bytes = self.bytes();
        match self.decoder() {
            Some(decode) => decode(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// What is to be stored of it where it is attached: text in a charset that it names as UTF-8, anything else as it is.
    pub(crate) fn content(&self) -> Cow<'a, [u8]> {
        let is_text = self
            .media_type()
            .is_some_and(|media_type| media_type.starts_with("text/"));
        match self.decoder().filter(|_| is_text) {
            Some(decode) => Cow::Owned(decode(&self.bytes()).into_bytes()),
            None => self.bytes(),
        }
    }

    fn decoder(&self) -> Option<fn(&[u8]) -> String> {
        charset_decoder(self.charset.as_deref()?.as_bytes())
    }
}
