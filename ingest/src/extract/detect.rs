//! What a file is, from what is in it. A name decides only where the content can't: every plain text is Markdown too,
//! and what a program is written in is guessed badly from its words.
//!
//! Two questions, in this order: [`byte_format`] knows the files that aren't decoded as one text (PDF, containers,
//! mail, whose parts have encodings of their own), [`text_format`] tells what a decoded text is written in.

mod mail;
mod program;
mod table;

/// How much of a file is looked at for its first mark.
const HEAD_BYTES: usize = 1024;

/// What name or media type say a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Pdf,
    Html,
    Markdown,
    Mail,
    Delimited,
    Json,
    Xml,
    AsciiDoc,
    ReStructuredText,
    /// A program, in the language that is named.
    Program(&'static str),
    Plain,
    None,
}

/// A file that isn't one encoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteFormat {
    Pdf,
    /// Rich Text Format.
    Rtf,
    /// A message (RFC 5322).
    Message,
    /// A mailbox (RFC 4155).
    Mailbox,
    /// A ZIP archive: office files since 2007, `OpenDocument`, EPUB, and any other.
    Zip,
    /// A compound file ([MS-CFB]): office files until 2003, and Outlook's messages.
    CompoundFile,
}

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextFormat {
    Html,
    Xml,
    Markdown,
    /// JSON, one value or one in each line.
    Json,
    /// A table, with the character that stands between its fields.
    Delimited(u8),
    /// `WebVTT` or `SubRip`.
    Subtitles,
    AsciiDoc,
    ReStructuredText,
    /// A program, in the language that is named.
    Program(&'static str),
    Plain,
}

impl Hint {
    pub(super) fn new(name: &str, media_type: Option<&str>) -> Self {
        let media_type = media_type
            .and_then(|stated| stated.split(';').next())
            .map(|stated| stated.trim().to_ascii_lowercase());
        let from_media_type = match media_type.as_deref() {
            Some("application/pdf") => Some(Self::Pdf),
            Some("text/html" | "application/xhtml+xml") => Some(Self::Html),
            Some("text/markdown" | "text/x-markdown") => Some(Self::Markdown),
            Some("message/rfc822" | "application/mbox") => Some(Self::Mail),
            Some("text/csv" | "text/tab-separated-values") => Some(Self::Delimited),
            Some("application/json" | "application/jsonl" | "application/x-ndjson") => Some(Self::Json),
            Some("text/xml" | "application/xml") => Some(Self::Xml),
            _ => None,
        };
        if let Some(hint) = from_media_type {
            return hint;
        }
        let file_name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
        match extension {
            Some("pdf") => Self::Pdf,
            Some("html" | "htm" | "xhtml") => Self::Html,
            Some("md" | "markdown" | "mdown" | "mkd") => Self::Markdown,
            Some("eml" | "mbox" | "mbx") => Self::Mail,
            Some("csv" | "tsv" | "tab" | "psv") => Self::Delimited,
            Some("json" | "jsonl" | "ndjson" | "geojson" | "ipynb") => Self::Json,
            Some("xml" | "rss" | "atom" | "xsd" | "xsl" | "xslt" | "dita") => Self::Xml,
            Some("adoc" | "asciidoc" | "asc") => Self::AsciiDoc,
            Some("rst") => Self::ReStructuredText,
            _ => match program::language_of_name(&file_name) {
                Some(language) => Self::Program(language),
                None if extension.is_some() || media_type.as_deref() == Some("text/plain") => Self::Plain,
                None => Self::None,
            },
        }
    }
}

/// What the bytes are, where they aren't one encoded text.
pub(super) fn byte_format(bytes: &[u8], hint: Hint) -> Option<ByteFormat> {
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(ByteFormat::Zip),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Some(ByteFormat::CompoundFile),
        _ if is_pdf(bytes) => Some(ByteFormat::Pdf),
        [b'{', b'\\', b'r', b't', b'f', ..] => Some(ByteFormat::Rtf),
        _ if mail::is_mailbox(bytes) => Some(ByteFormat::Mailbox),
        _ if mail::is_message(bytes, hint == Hint::Mail) => Some(ByteFormat::Message),
        _ => None,
    }
}

/// Whether the bytes are a PDF: the header comes first, or among the first bytes of something that isn't text
/// (some writers put rubbish before it, and readers have always accepted that).
fn is_pdf(bytes: &[u8]) -> bool {
    const HEADER: &[u8] = b"%PDF-";
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    head.trim_ascii_start().starts_with(HEADER)
        || (head.windows(HEADER.len()).any(|window| window == HEADER) && std::str::from_utf8(bytes).is_err())
}

/// What a text is written in.
pub(super) fn text_format(text: &str, hint: Hint) -> TextFormat {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if begins_as_html(start) || (hint == Hint::Html && text.contains('<')) {
        return TextFormat::Html;
    }
    if begins_as_xml(start, hint) {
        return TextFormat::Xml;
    }
    if begins_as_json(start, hint) {
        return TextFormat::Json;
    }
    if begins_as_subtitles(start) {
        return TextFormat::Subtitles;
    }
    match hint {
        Hint::Markdown => TextFormat::Markdown,
        Hint::AsciiDoc => TextFormat::AsciiDoc,
        Hint::ReStructuredText => TextFormat::ReStructuredText,
        Hint::Program(language) => TextFormat::Program(language),
        Hint::Delimited => TextFormat::Delimited(table::delimiter(text)),
        Hint::None if looks_like_markdown(text) => TextFormat::Markdown,
        _ => match (program::language_of_first_line(start), table::is_table(text)) {
            (Some(language), _) => TextFormat::Program(language),
            (None, Some(delimiter)) => TextFormat::Delimited(delimiter),
            (None, None) => TextFormat::Plain,
        },
    }
}

/// Whether the first tag, after comments and an XML declaration, is one that only HTML begins with.
fn begins_as_html(start: &str) -> bool {
    let Some(rest) = first_element(start) else {
        return false;
    };
    let head: String = rest.chars().take(15).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|mark| head.starts_with(mark))
}

/// The text from the first tag on that is neither a comment nor a declaration.
fn first_element(start: &str) -> Option<&str> {
    let mut rest = start;
    loop {
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") => ">",
            _ => return Some(rest),
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
}

/// Whether it is XML that a person reads as text: declared as such, or of a kind that is known. A program may be XML
/// too; what it is called then decides.
fn begins_as_xml(start: &str, hint: Hint) -> bool {
    if matches!(hint, Hint::Markdown | Hint::Program(_)) {
        return false;
    }
    let names_itself = ["<?xml ", "<rss", "<feed", "<!DOCTYPE "]
        .iter()
        .any(|mark| start.starts_with(mark));
    names_itself || (hint == Hint::Xml && start.starts_with('<'))
}

/// Whether it begins as an object or a list does. Whether it is JSON shows when it is read.
fn begins_as_json(start: &str, hint: Hint) -> bool {
    if !start.starts_with(['{', '[']) || matches!(hint, Hint::Markdown | Hint::Program(_)) {
        return false;
    }
    let next = start[1..].trim_start().chars().next();
    match start.as_bytes().first() {
        _ if hint == Hint::Json => true,
        Some(b'{') => matches!(next, Some('"' | '}')),
        _ => matches!(next, Some('{' | '[' | '"' | ']' | '-' | '0'..='9')),
    }
}

/// Whether it is a `WebVTT` file, or begins with the number and the times of a first `SubRip` subtitle.
fn begins_as_subtitles(start: &str) -> bool {
    let mut lines = start.lines();
    let first = lines.next().unwrap_or_default().trim();
    if first == "WEBVTT" || first.starts_with("WEBVTT ") || first.starts_with("WEBVTT\t") {
        return true;
    }
    let times = lines.next().unwrap_or_default();
    first.bytes().all(|byte| byte.is_ascii_digit()) && times.contains(" --> ") && times.contains(':')
}

/// Whether a text without a name has headings and something else that only Markdown has.
fn looks_like_markdown(text: &str) -> bool {
    let has_heading = text.lines().any(|line| {
        let words = line.trim_start_matches('#');
        (1..=6).contains(&(line.len() - words.len())) && words.starts_with(' ')
    });
    let has_more = text.contains("](")
        || text.contains("**")
        || text
            .lines()
            .any(|line| line.starts_with("```") || line.starts_with("- ") || line.starts_with("| "));
    has_heading && has_more
}

#[cfg(test)]
mod tests;
