//! An mbox as a stream: where each message begins and ends, with one message in memory at a time.
//!
//! A message begins behind a line `From ADDRESS DATE` (RFC 4155). Not every line that begins so is one: its date must have a
//! time, and a header field must follow; and where no empty line is before it, the date must have a weekday and a month too, since some programs leave the empty line out. Lines of a text that begin with `From ` have a `>` before them in an mbox (mboxo), and those that
//! have such a `>` already one more (mboxrd): [`unquoted`] takes one of them away.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

/// What is read at a time.
const PIECE_BYTES: u64 = 64 << 10;
/// A line that begins a message isn't longer.
const LONGEST_FROM_LINE: usize = 1_000;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A message of an mbox, as it lies there.
#[derive(Debug)]
pub(crate) struct Raw<'a> {
    /// Where its first line begins, behind the one that begins with `From `.
    pub(crate) offset: u64,
    /// Without the empty line behind it.
    pub(crate) length: u64,
    /// Where it ends, with that line.
    pub(crate) end: u64,
    /// Nothing where it has more than the limit.
    pub(crate) bytes: Option<&'a [u8]>,
    /// Whether an empty line, or another message, is behind it.
    pub(crate) is_closed: bool,
}

/// Reads the messages between the places `start` and `end` of an mbox, of which `reader` is at `start`. The first line must begin a message:
/// what is before one is passed over.
pub(crate) fn messages(
    reader: &mut dyn BufRead,
    start: u64,
    end: u64,
    limit_bytes: u64,
    give: &mut dyn FnMut(Raw<'_>),
) -> io::Result<()> {
    let mut reader = reader.take(end.saturating_sub(start));
    let mut cutter = Cutter {
        place: start,
        limit_bytes,
        open: None,
        candidate: Vec::new(),
        is_line_start: true,
        is_after_empty: true,
        is_first: true,
        give,
    };
    let mut piece = Vec::new();
    loop {
        piece.clear();
        if reader.by_ref().take(PIECE_BYTES).read_until(b'\n', &mut piece)? == 0 {
            break;
        }
        cutter.take_in(&piece);
    }
    cutter.finish();
    Ok(())
}

struct Open {
    offset: u64,
    length: u64,
    bytes: Option<Vec<u8>>,
    /// The last bytes, to see an empty line at the end.
    tail: [u8; 3],
}

struct Cutter<'a> {
    /// Where the next piece begins.
    place: u64,
    limit_bytes: u64,
    open: Option<Open>,
    /// A line that begins a message if the next line is a header field.
    candidate: Vec<u8>,
    is_line_start: bool,
    is_after_empty: bool,
    is_first: bool,
    give: &'a mut dyn FnMut(Raw<'_>),
}

impl Cutter<'_> {
    /// Takes a line, or a piece of a long one.
    fn take_in(&mut self, piece: &[u8]) {
        let is_line_start = self.is_line_start;
        self.is_line_start = piece.ends_with(b"\n");
        if !self.candidate.is_empty() {
            let line = std::mem::take(&mut self.candidate);
            let is_begin = self.is_first || is_field(piece) || piece.starts_with(b">From ");
            self.is_first = false;
            if is_begin {
                self.close(true);
                self.place += line.len() as u64;
                self.open = Some(Open {
                    offset: self.place,
                    length: 0,
                    bytes: Some(Vec::new()),
                    tail: [b'\n'; 3],
                });
            } else {
                self.add(&line);
            }
        }
        let is_candidate = is_line_start
            && piece.starts_with(b"From ")
            && (self.is_first || is_from_line(piece, self.is_after_empty));
        self.is_after_empty = is_line_start && matches!(piece, b"\n" | b"\r\n");
        if is_candidate {
            self.candidate = piece.to_vec();
        } else {
            self.is_first = false;
            self.add(piece);
        }
    }

    fn add(&mut self, piece: &[u8]) {
        self.place += piece.len() as u64;
        let Some(open) = &mut self.open else {
            return;
        };
        open.length += piece.len() as u64;
        if open.length > self.limit_bytes {
            open.bytes = None;
        }
        if let Some(bytes) = &mut open.bytes {
            bytes.extend_from_slice(piece);
        }
        for byte in &piece[piece.len().saturating_sub(3)..] {
            open.tail = [open.tail[1], open.tail[2], *byte];
        }
    }

    fn close(&mut self, is_followed: bool) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let separator = match open.tail {
            [b'\n', b'\r', b'\n'] if open.length >= 2 => 2,
            [_, b'\n', b'\n'] if open.length >= 1 => 1,
            _ => 0,
        };
        open.length -= separator;
        if let Some(bytes) = &mut open.bytes {
            bytes.truncate(usize::try_from(open.length).unwrap_or(usize::MAX));
        }
        (self.give)(Raw {
            offset: open.offset,
            length: open.length,
            end: self.place,
            bytes: open.bytes.as_deref(),
            is_closed: separator > 0 || is_followed,
        });
    }

    fn finish(mut self) {
        if !self.candidate.is_empty() {
            let line = std::mem::take(&mut self.candidate);
            // A line that begins a message, and nothing of the message yet.
            if self.is_first {
                return;
            }
            self.add(&line);
        }
        self.close(false);
    }
}

/// Whether a line that begins with `From ` can begin a message.
fn is_from_line(line: &[u8], is_after_empty: bool) -> bool {
    if line.len() > LONGEST_FROM_LINE || !line.ends_with(b"\n") {
        return false;
    }
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let has_time = words.iter().any(|word| is_time(word));
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    has_time && (is_after_empty || (has(&MONTHS) && has(&WEEKDAYS)))
}

fn is_time(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    let is_number =
        |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(is_number)
}

/// Whether a line is a header field (RFC 5322, 2.2).
pub(crate) fn is_field(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take(100)
        .take_while(|byte| byte.is_ascii_graphic() && **byte != b':');
    let length = name.count();
    length > 0 && line.get(length) == Some(&b':')
}

/// The message without what an mbox puts before its lines.
pub(crate) fn unquoted(message: &[u8]) -> Cow<'_, [u8]> {
    let is_quoted = |line: &[u8]| {
        let depth = line.iter().take_while(|byte| **byte == b'>').count();
        depth > 0 && line[depth..].starts_with(b"From ")
    };
    if !message.split(|byte| *byte == b'\n').any(is_quoted) {
        return Cow::Borrowed(message);
    }
    let mut plain = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        plain.extend_from_slice(if is_quoted(line) { &line[1..] } else { line });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(mbox: &[u8], limit_bytes: u64) -> Vec<(u64, Option<String>, bool)> {
        let mut found = Vec::new();
        let mut give = |raw: Raw<'_>| {
            let text = raw.bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            if text.is_some() {
                let (start, end) = (raw.offset as usize, (raw.offset + raw.length) as usize);
                assert_eq!(raw.bytes, Some(&mbox[start..end]));
            }
            found.push((raw.offset, text, raw.is_closed));
        };
        messages(&mut &mbox[..], 0, mbox.len() as u64, limit_bytes, &mut give).unwrap();
        found
    }

    fn texts(mbox: &str) -> Vec<String> {
        cut(mbox.as_bytes(), 1 << 20)
            .into_iter()
            .map(|found| found.1.unwrap())
            .collect()
    }

    const LINE: &str = "From ada@a.example Mon Jan  5 10:00:00 2026\n";

    #[test]
    fn messages_begin_where_a_line_and_what_follows_say_so() {
        for (mbox, expected) in [
            (String::new(), vec![]),
            (format!("{LINE}A: 1\n\nx\n\n"), vec!["A: 1\n\nx\n"]),
            (format!("{LINE}A: 1\n\nx\n\n{LINE}B: 2\n\ny\n"), vec!["A: 1\n\nx\n", "B: 2\n\ny\n"]),
            // A line of the text.
            (
                format!("{LINE}A: 1\n\nx\n\nFrom here on all is well.\nNote: well\n"),
                vec!["A: 1\n\nx\n\nFrom here on all is well.\nNote: well\n"],
            ),
            (
                format!("{LINE}A: 1\n\nx\n\nFrom 10:00 on we meet\nand eat\n"),
                vec!["A: 1\n\nx\n\nFrom 10:00 on we meet\nand eat\n"],
            ),
            // No empty line before.
            (format!("{LINE}A: 1\n\nx\n{LINE}B: 2\n\ny\n"), vec!["A: 1\n\nx\n", "B: 2\n\ny\n"]),
            (
                format!("{LINE}A: 1\n\nx\nFrom 10:00 on\nNote: well\n"),
                vec!["A: 1\n\nx\nFrom 10:00 on\nNote: well\n"],
            ),
            // Other forms of the line.
            (
                "From - Mon Jan 05 10:00:00 2026\r\nA: 1\r\n\r\nx\r\n\r\nFrom 17@xxx Mon Jan 05 10:00:00 +0000 2026\r\nB: 2\r\n"
                    .to_owned(),
                vec!["A: 1\r\n\r\nx\r\n", "B: 2\r\n"],
            ),
            ("From nobody\nA: 1\n".to_owned(), vec!["A: 1\n"]),
            // What is before the first message.
            (format!("hello\n{LINE}A: 1\n"), vec!["A: 1\n"]),
        ] {
            assert_eq!(texts(&mbox), expected, "{mbox:?}");
        }
    }

    #[test]
    fn a_large_message_is_passed_over_and_an_open_one_is_told() {
        let mbox = format!(
            "{LINE}A: 1\n\n{}\n\n{LINE}B: 2\n\ny\n\n{LINE}C: 3\n\nhalf",
            "x".repeat(200_000)
        );
        let found = cut(mbox.as_bytes(), 1_000);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].1, None);
        assert_eq!(found[1].1.as_deref(), Some("B: 2\n\ny\n"));
        assert_eq!(
            found.iter().map(|found| found.2).collect::<Vec<_>>(),
            [true, true, false]
        );
    }

    #[test]
    fn one_quoting_of_an_mbox_is_taken_away() {
        let text = b"A: 1\n\n>From me\n>>From you\n> From them\n>Fro\n";
        assert_eq!(
            unquoted(text).as_ref(),
            b"A: 1\n\nFrom me\n>From you\n> From them\n>Fro\n"
        );
        assert!(matches!(unquoted(b"A: 1\n\n> x\n"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn what_was_written_comes_back(bodies in prop::collection::vec("([a-zA-Z >:\n]|From |>From ){0,60}", 0..8)) {
            let quote = |body: &str| -> String {
                let quoted = |line: &str| match line.trim_start_matches('>').starts_with("From ") {
                    true => format!(">{line}\n"),
                    false => format!("{line}\n"),
                };
                body.split('\n').map(quoted).collect()
            };
            let mbox: String = bodies.iter().map(|body| format!("{LINE}A: 1\n\n{}\n", quote(body))).collect();
            let found: Vec<String> = texts(&mbox)
                .iter()
                .map(|text| String::from_utf8(unquoted(text.as_bytes()).into_owned()).unwrap())
                .collect();
            let expected: Vec<String> = bodies.iter().map(|body| format!("A: 1\n\n{body}\n")).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
