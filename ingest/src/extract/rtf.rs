//! Rich Text Format: the words of a document, its paragraphs and the cells of its tables. Fonts, pictures and the
//! other destinations that aren't text are left out.
//!
//! A control word begins with a backslash, a group stands in braces and keeps its own settings (Rich Text Format
//! Specification 1.9.1). Bytes are in the code page that `\ansicpg` names, unless `\u` gives the character.

use encoding_rs::{Encoding, WINDOWS_1252};
use lectern_domain::{AttributeValue, Extracted};

use super::ExtractError;
use super::compose::Composition;
use super::read::title_line;
use super::text;

/// Groups within groups.
const MAX_DEPTH: usize = 1_000;

/// Destinations whose text is none of the document's. Those after `\*` are left out as well.
const SKIPPED: [&str; 22] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "generator",
    "pict",
    "object",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "xmlnstbl",
    "header",
    "footer",
    "headerl",
    "headerr",
    "footerl",
    "footerr",
    "filetbl",
];

/// What a group inherits and changes for itself.
#[derive(Clone, Default)]
struct Group {
    is_skipped: bool,
    /// Bytes that stand in for a character after `\u`, for readers that don't know it.
    fallback: usize,
    /// The entry of the document's information that its text belongs to.
    information: Option<&'static str>,
}

/// What has been read so far.
struct Reading {
    groups: Vec<Group>,
    text: String,
    title: String,
    author: String,
    encoding: &'static Encoding,
    /// Bytes of the code page that wait for the rest of their character.
    pending: Vec<u8>,
    /// Characters to leave out after a `\u`.
    to_skip: usize,
}

/// Reads RTF. Spans are those of the text that comes out.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let mut reading = Reading {
        groups: vec![Group {
            fallback: 1,
            ..Group::default()
        }],
        text: String::new(),
        title: String::new(),
        author: String::new(),
        encoding: WINDOWS_1252,
        pending: Vec::new(),
        to_skip: 0,
    };
    let mut at = 0;
    while at < bytes.len() {
        at = reading.step(bytes, at)?;
    }
    reading.flush();
    if reading.text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    let mut composition = Composition::default();
    composition.append(text::read(reading.text));
    let mut extracted = composition.finish("application/rtf");
    extracted.title = title_line(&reading.title);
    if let Some(author) = title_line(&reading.author) {
        extracted
            .attributes
            .insert("author".to_owned(), AttributeValue::Text(author));
    }
    Ok(extracted)
}

impl Reading {
    fn group(&mut self) -> &mut Group {
        if self.groups.is_empty() {
            self.groups.push(Group::default());
        }
        let last = self.groups.len() - 1;
        &mut self.groups[last]
    }

    /// Reads what begins at `at`, and says where it ends.
    fn step(&mut self, bytes: &[u8], at: usize) -> Result<usize, ExtractError> {
        match bytes[at] {
            b'{' => {
                self.flush();
                let most = super::limits::depth(MAX_DEPTH);
                if self.groups.len() > most {
                    return Err(ExtractError::TooDeep(most));
                }
                let group = self.group().clone();
                self.groups.push(group);
            }
            b'}' => {
                self.flush();
                self.to_skip = 0;
                self.groups.pop();
            }
            b'\\' => return Ok(self.control(bytes, at + 1)),
            b'\r' | b'\n' => {}
            byte => self.byte(byte),
        }
        Ok(at + 1)
    }

    /// Reads a control word or symbol, which begins after the backslash.
    fn control(&mut self, bytes: &[u8], at: usize) -> usize {
        let Some(&first) = bytes.get(at) else {
            return at;
        };
        if first == b'\'' {
            let hex = bytes
                .get(at + 1..at + 3)
                .and_then(|hex| std::str::from_utf8(hex).ok());
            if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                self.byte(byte);
            }
            return at + 3;
        }
        self.flush();
        if !first.is_ascii_alphabetic() {
            match first {
                b'\\' | b'{' | b'}' => self.byte(first),
                b'~' => self.push(" "),
                b'_' => self.push("-"),
                b'*' => self.group().is_skipped = true,
                b'\r' | b'\n' => self.push("\n\n"),
                _ => {}
            }
            return at + 1;
        }
        let count = |from: usize, is_part: fn(&u8) -> bool| {
            bytes[from..].iter().take_while(|byte| is_part(byte)).count()
        };
        let word_end = at + count(at, u8::is_ascii_alphabetic);
        let sign = usize::from(bytes.get(word_end) == Some(&b'-'));
        let digits = count(word_end + sign, u8::is_ascii_digit);
        let end = if digits == 0 {
            word_end
        } else {
            word_end + sign + digits
        };
        let number = std::str::from_utf8(&bytes[word_end..end])
            .ok()
            .and_then(|digits| digits.parse().ok());
        let word = std::str::from_utf8(&bytes[at..word_end]).unwrap_or_default();
        let after = end + usize::from(bytes.get(end) == Some(&b' '));
        if word == "bin" {
            // What follows is binary, as many bytes as the number says.
            return after
                .saturating_add(usize::try_from(number.unwrap_or(0)).unwrap_or(0))
                .min(bytes.len());
        }
        self.word(word, number);
        after
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        match word {
            "par" | "sect" | "page" => self.push("\n\n"),
            "line" => self.push("\n"),
            "tab" => self.push("\t"),
            "cell" | "nestcell" => self.push(" | "),
            "row" | "nestrow" => self.push("\n"),
            "emdash" => self.push("—"),
            "endash" => self.push("–"),
            "bullet" => self.push("•"),
            "lquote" => self.push("‘"),
            "rquote" => self.push("’"),
            "ldblquote" => self.push("“"),
            "rdblquote" => self.push("”"),
            "uc" => self.group().fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(1),
            "u" => self.unicode(number.unwrap_or(0)),
            "ansicpg" => {
                let label = format!("windows-{}", number.unwrap_or(1252));
                self.encoding = Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252);
            }
            "info" => self.group().is_skipped = true,
            "title" => self.group().information = Some("title"),
            "author" => self.group().information = Some("author"),
            destination if SKIPPED.contains(&destination) => self.group().is_skipped = true,
            _ => {}
        }
    }

    /// A character by its number, which is a UTF-16 unit and may be negative.
    fn unicode(&mut self, number: i64) {
        let unit = u32::try_from(number.rem_euclid(65_536)).unwrap_or(0);
        self.to_skip = 0;
        if let Some(character) = char::from_u32(unit) {
            self.push(&character.to_string());
        }
        self.to_skip = self.group().fallback;
    }

    fn byte(&mut self, byte: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else {
            self.pending.push(byte);
        }
    }

    /// Decodes the bytes that wait.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let words = self.encoding.decode_without_bom_handling(&bytes).0.into_owned();
            self.push(&words);
        }
    }

    fn push(&mut self, words: &str) {
        let group = self.group();
        match group.information {
            Some("title") => self.title.push_str(words),
            Some(_) => self.author.push_str(words),
            None if group.is_skipped => {}
            None => self.text.push_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_and_the_rest_does_not() {
        let source = br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title A title}{\author Ann}{\creatim\yr2026}}
{\*\generator Writer;}\pard K\'e4se and \u8364?5 for {\b two}.\par Second {\pict\bin2 }}}\{x\}\par a\cell b\cell\row}";
        let extracted = read(source).unwrap();
        assert_eq!(extracted.text, "Käse and €5 for two.\n\nSecond {x}\n\na | b |");
        assert_eq!(extracted.title.as_deref(), Some("A title"));
        assert_eq!(
            extracted.attributes["author"],
            AttributeValue::Text("Ann".to_owned())
        );
        assert_eq!(extracted.blocks.len(), 3);
    }

    #[test]
    fn hostile_groups_are_refused() {
        let deep = [b"{\\rtf1 ".to_vec(), vec![b'{'; 100_000]].concat();
        assert_eq!(read(&deep).unwrap_err().code(), "nested_too_deep");
        assert_eq!(read(b"{\\rtf1 }}}}}").unwrap_err().code(), "no_text");
        assert_eq!(read(b"{\\rtf1\\bin99999999999 x").unwrap_err().code(), "no_text");
    }
}
