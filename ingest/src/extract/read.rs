//! One file, from bytes to text, in this process: what a child does for each file.

use lectern_domain::Extracted;

use super::detect::{self, ByteFormat, Hint, TextFormat};
use super::{
    ExtractError, asciidoc, decode, delimited, html, json, mail, mailbox, markdown, office, pdf, program,
    rtf, subtitles, text, xml,
};

/// The longest title, or heading in a title path, in characters.
const MAX_TITLE_CHARACTERS: usize = 200;

/// Reads a file whose format is recognised from its content; `name` and `media_type` are hints.
///
/// Runs in the calling process, so a hostile file can take that down: the server calls this only through
/// [`ExtractorPool`](super::ExtractorPool). A parser's panic is not caught here, but for the PDF engines'.
pub fn read(name: &str, media_type: Option<&str>, bytes: &[u8]) -> Result<Extracted, ExtractError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ExtractError::EmptyFile);
    }
    let hint = detect::Hint::new(name, media_type);
    match detect::byte_format(bytes, hint) {
        Some(ByteFormat::Pdf) => pdf::read(bytes),
        Some(ByteFormat::Zip) => office::read_archive(bytes),
        Some(ByteFormat::CompoundFile) => office::read_compound_file(bytes),
        Some(ByteFormat::Rtf) => rtf::read(bytes),
        Some(ByteFormat::Message) => mail::read(bytes),
        Some(ByteFormat::Mailbox) => mailbox::read(bytes),
        None => read_text(bytes, hint),
    }
}

/// Reads a file that is one text in some encoding.
fn read_text(bytes: &[u8], hint: Hint) -> Result<Extracted, ExtractError> {
    let text = match decode::decode(bytes) {
        Err(_) if hint == Hint::Pdf => {
            return Err(ExtractError::PdfDamaged(
                "it doesn't begin as a PDF does".to_owned(),
            ));
        }
        other => other?,
    };
    if text.trim().is_empty() {
        return Err(ExtractError::EmptyFile);
    }
    match detect::text_format(&text, hint) {
        TextFormat::Html => html::read(&text),
        TextFormat::Markdown => Ok(markdown::read(text)),
        TextFormat::Delimited(delimiter) => Ok(delimited::read(&text, delimiter)),
        TextFormat::Json => json::read(text),
        TextFormat::Xml => xml::read(text),
        TextFormat::Subtitles => Ok(subtitles::read(&text)),
        TextFormat::AsciiDoc => Ok(asciidoc::read(text)),
        TextFormat::ReStructuredText => Ok(asciidoc::read_restructured(text)),
        TextFormat::Program(language) => Ok(program::read(text, language)),
        TextFormat::Plain => Ok(text::read(text)),
    }
}

/// A title on one line and of bounded length; `None` where nothing is left.
pub(super) fn title_line(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > MAX_TITLE_CHARACTERS {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    (!line.is_empty()).then_some(line)
}
