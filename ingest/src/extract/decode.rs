//! From bytes to characters: a byte order mark, UTF-8, UTF-16 without a mark, the character set that HTML declares,
//! and then the guess of `chardetng` (what Firefox does with an unlabelled page).
//!
//! Every sequence of bytes is text in some encoding, so the result is judged: more than one control character
//! in a hundred, and it is no text.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::ExtractError;

/// How much of a file is looked at for a declaration or for the pattern of UTF-16.
const HEAD_BYTES: usize = 4096;

/// Decodes a file, or says what it is in place of text.
pub(super) fn decode(bytes: &[u8]) -> Result<String, ExtractError> {
    if let Some(media_type) = document_in_ascii(bytes) {
        return Err(ExtractError::UnknownFormat(media_type.to_owned()));
    }
    let text = decode_any(bytes);
    let rubbish = text.chars().filter(|character| is_rubbish(*character)).count();
    let characters = text.chars().count();
    if rubbish * 100 <= characters {
        return Ok(text);
    }
    Err(match infer::get(bytes) {
        Some(kind) if kind.matcher_type() != infer::MatcherType::Text => {
            ExtractError::UnknownFormat(kind.mime_type().to_owned())
        }
        _ => ExtractError::NotText(format!(
            "{rubbish} of {characters} characters are control characters"
        )),
    })
}

pub(super) fn decode_any(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling(&bytes[mark..])
            .0
            .into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains('\0')
    {
        return text.to_owned();
    }
    let encoding = utf16_without_mark(bytes)
        .or_else(|| declared(bytes))
        .unwrap_or_else(|| {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            detector.feed(bytes, true);
            detector.guess(None, Utf8Detection::Allow)
        });
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Document formats whose files are ASCII, and no text that a person reads.
fn document_in_ascii(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'%', b'!', b'P', b'S', ..] => Some("application/postscript"),
        _ => None,
    }
}

/// Latin text in UTF-16 has a zero in every other byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES) & !1];
    let zeros = |parity: usize| {
        head.iter()
            .skip(parity)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let many = head.len() / 2 * 7 / 10;
    let few = head.len() / 2 / 20;
    match () {
        () if head.len() < 4 => None,
        () if odd > many && even <= few => Some(UTF_16LE),
        () if even > many && odd <= few => Some(UTF_16BE),
        () => None,
    }
}

/// The character set in a `<meta>` tag or an XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES)]).to_ascii_lowercase();
    if !head.trim_start().starts_with('<') {
        return None;
    }
    let after = head
        .split_once("charset=")
        .or_else(|| head.split_once("encoding="))?
        .1;
    let label: String = after
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
        .collect();
    // A declaration that says UTF-8 is wrong, or the bytes would have been UTF-8.
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != UTF_8)
}

/// What doesn't occur in text. An escape character does: in a log with colours.
fn is_rubbish(character: char) -> bool {
    let is_control = character.is_control()
        && !matches!(
            character,
            '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '\x1b' | '\x08' | '\u{85}'
        );
    is_control || character == char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_that_people_have() {
        let text = "Käse, Brötchen und früher schöne Grüße aus Köln; naïve café, señor.";
        let utf16 =
            |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(to_bytes).collect() };
        assert_eq!(decode(text.as_bytes()).unwrap(), text);
        assert_eq!(
            decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()).unwrap(),
            text
        );
        assert_eq!(
            decode(&[b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat()).unwrap(),
            text
        );
        assert_eq!(decode(&utf16(u16::to_le_bytes)).unwrap(), text);
        assert_eq!(decode(&utf16(u16::to_be_bytes)).unwrap(), text);
        let latin: Vec<u8> = text.chars().map(|character| character as u8).collect();
        assert_eq!(decode(&latin).unwrap(), text);
    }

    #[test]
    fn a_page_is_read_in_the_character_set_that_it_declares() {
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode("<html><meta charset=\"windows-1251\"><p>да");
        assert!(decode(&bytes).unwrap().ends_with("да"));
    }

    #[test]
    fn what_is_no_text_is_named() {
        let noise: Vec<u8> = (0..4096_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert_eq!(decode(&noise).unwrap_err().code(), "not_text");
        let zip = [b"PK\x03\x04\x14\x00\x00\x00\x08\x00".as_slice(), &noise].concat();
        assert_eq!(
            decode(&zip).unwrap_err(),
            ExtractError::UnknownFormat("application/zip".to_owned())
        );
        assert_eq!(decode(b"%!PS-Adobe-3.0").unwrap_err().code(), "unknown_format");
    }

    #[test]
    fn a_text_that_begins_like_an_image_is_a_text() {
        assert_eq!(
            decode(b"BM25 is a ranking function.").unwrap(),
            "BM25 is a ranking function."
        );
    }
}
