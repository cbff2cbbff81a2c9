//! A message taken apart: its header fields, its parts, and which of these are its text and which are attached.
//!
//! The way: [`split`] finds where the header fields end, [`fields`] has them read by the parser of messages, and [`Walk`] goes through the parts
//! between the lines of a multipart's boundary (RFC 2046), down to those that are no multipart ([`Part`]). Which of them are the text is
//! told as in JMAP (RFC 8621, 4.1.4). An attached message is one part and isn't looked into.
//!
//! The parts are found here, and not by the parser, since what reads mailboxes is the server itself: the parser makes a tree of
//! attached messages that is freed by calls within calls, and looks for each missing boundary up to the end, so that one small message could end
//! the server, or keep it busy for hours. Here each byte is looked at once for each level of parts, and what goes beyond the bounds below
//! makes a message that can't be read. Nothing is left out of one that can.

mod part;

pub(crate) use part::{Form, Part};

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{Message, MessageParser};

use crate::mbox::is_field;
use part::Stated;

/// The header fields of a message may take so many bytes.
const MOST_FIELD_BYTES: usize = 256 << 10;
/// And those of a part. The parser takes time by the square of some of them.
const MOST_PART_FIELD_BYTES: usize = 16 << 10;
/// Multiparts in each other.
const MOST_DEPTH: usize = 32;
/// Parts of a message, multiparts among them.
const MOST_PARTS: usize = 1_000;

/// A message taken apart.
#[derive(Debug)]
pub(crate) struct Mail<'a> {
    pub(crate) fields: Message<'a>,
    /// Everything behind the fields.
    pub(crate) body: &'a [u8],
    parts: Vec<Part<'a>>,
    text: Vec<usize>,
    html: Vec<usize>,
    attached: Vec<usize>,
}

/// The header fields of a message, and what is behind them. A sentence says why it can't be read.
pub(crate) fn head(bytes: &[u8]) -> Result<(Message<'_>, &[u8]), &'static str> {
    let (head, body) = split(bytes, MOST_FIELD_BYTES).ok_or("its header fields have more than 256 KiB")?;
    let fields = fields(head)?.ok_or("it has no header fields")?;
    Ok((fields, body))
}

impl<'a> Mail<'a> {
    /// Takes a message apart. A sentence says why it can't be.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (fields, body) = head(bytes)?;
        let stated = Stated::of(Some(&fields), false);
        let mut walk = Walk::default();
        let mut around = Around {
            depth: 0,
            within: Within::Message,
            is_alternative: false,
            takes_text: true,
            takes_html: true,
        };
        walk.part(stated, body, 0, &mut around)?;
        Ok(Self {
            fields,
            body,
            parts: walk.parts,
            text: walk.text,
            html: walk.html,
            attached: walk.attached,
        })
    }

    /// What is to be read, plain where there is a choice.
    pub(crate) fn text(&self) -> impl Iterator<Item = &Part<'a>> {
        self.text.iter().map(|number| &self.parts[*number])
    }

    /// What is to be read, HTML where there is a choice.
    pub(crate) fn html(&self) -> impl Iterator<Item = &Part<'a>> {
        self.html.iter().map(|number| &self.parts[*number])
    }

    pub(crate) fn attached(&self) -> impl Iterator<Item = &Part<'a>> {
        self.attached.iter().map(|number| &self.parts[*number])
    }
}

/// The header fields with the empty line that ends them, and what is behind. Nothing where they have more than `most_bytes`.
fn split(bytes: &[u8], most_bytes: usize) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if end > most_bytes {
            return None;
        }
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    Some(bytes.split_at(end))
}

/// The header fields, if there is one.
fn fields(head: &[u8]) -> Result<Option<Message<'_>>, &'static str> {
    // What makes the parser give up must not take the other messages along.
    let read = || MessageParser::default().parse_headers(head);
    let fields = catch_unwind(AssertUnwindSafe(read)).map_err(|_| "the parser of messages gave up on it")?;
    Ok(fields.filter(|fields| !fields.headers().is_empty()))
}

/// What parts stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Message,
    Mixed,
    /// The same in several forms.
    Alternative,
    /// A text and what it shows.
    Related,
    /// Messages.
    Digest,
}

/// What is around a part.
#[derive(Clone, Copy, Debug)]
struct Around {
    depth: usize,
    within: Within,
    /// Whether it stands in one of several forms of the same.
    is_alternative: bool,
    /// Which of the two forms of the text it may belong to.
    takes_text: bool,
    takes_html: bool,
}

#[derive(Debug, Default)]
struct Walk<'a> {
    count: usize,
    parts: Vec<Part<'a>>,
    text: Vec<usize>,
    html: Vec<usize>,
    attached: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// Takes a part in. `number` is its place in its multipart.
    fn part(
        &mut self,
        stated: Stated,
        body: &'a [u8],
        number: usize,
        around: &mut Around,
    ) -> Result<(), &'static str> {
        self.count += 1;
        if self.count > MOST_PARTS {
            return Err("it has more than 1000 parts");
        }
        let pieces = match &stated.boundary {
            Some(boundary) => pieces(body, boundary),
            None => Vec::new(),
        };
        match pieces.is_empty() {
            true => self.leaf(Part::new(stated, body), number, around),
            false => self.multipart(&stated, pieces, *around)?,
        }
        Ok(())
    }

    fn multipart(
        &mut self,
        stated: &Stated,
        pieces: Vec<&'a [u8]>,
        around: Around,
    ) -> Result<(), &'static str> {
        if around.depth >= MOST_DEPTH {
            return Err("its parts lie more than 32 deep in each other");
        }
        let within = match stated.subtype() {
            "alternative" => Within::Alternative,
            "related" => Within::Related,
            "digest" => Within::Digest,
            _ => Within::Mixed,
        };
        let mut inside = Around {
            depth: around.depth + 1,
            within,
            is_alternative: around.is_alternative || within == Within::Alternative,
            ..around
        };
        let (texts, pages) = (self.text.len(), self.html.len());
        for (number, piece) in pieces.into_iter().enumerate() {
            let first = piece.split(|byte| *byte == b'\n').next().unwrap_or_default();
            // Some programs forget the empty line.
            let (head, body) = match is_field(first) || first.is_empty() || first == b"\r" {
                true => split(piece, MOST_PART_FIELD_BYTES)
                    .ok_or("the header fields of a part have more than 16 KiB")?,
                false => (&piece[..0], piece),
            };
            let stated = Stated::of(fields(head)?.as_ref(), within == Within::Digest);
            self.part(stated, body, number, &mut inside)?;
        }
        if within == Within::Alternative && around.takes_text && around.takes_html {
            let (has_text, has_html) = (self.text.len() > texts, self.html.len() > pages);
            if !has_text {
                self.text.extend_from_slice(&self.html[pages..]);
            } else if !has_html {
                self.html.extend_from_slice(&self.text[texts..]);
            }
        }
        Ok(())
    }

    fn leaf(&mut self, part: Part<'a>, number: usize, around: &mut Around) {
        let place = self.parts.len();
        let is_media = part.form == Form::Media;
        let is_shown = matches!(part.form, Form::Plain | Form::Html | Form::Media);
        let is_first = number == 0 || (around.within != Within::Related && (is_media || part.name.is_none()));
        match (part.form, is_shown && is_first && !part.is_attachment) {
            (Form::Plain, true) if around.within == Within::Alternative => self.text.push(place),
            (Form::Html, true) if around.within == Within::Alternative => self.html.push(place),
            (form @ (Form::Plain | Form::Html), true) => {
                if around.is_alternative && form == Form::Plain {
                    around.takes_html = false;
                } else if around.is_alternative {
                    around.takes_text = false;
                }
                if around.takes_text {
                    self.text.push(place);
                }
                if around.takes_html {
                    self.html.push(place);
                }
            }
            // A picture that is shown in the text says nothing.
            (Form::Media, true) => {}
            _ => self.attached.push(place),
        }
        self.parts.push(part);
    }
}

/// What stands between the lines of a boundary, and behind the last one where the end is missing. Some more than are allowed are given.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let (mut start, mut place) = (None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let behind = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary.as_bytes()));
        let behind = behind.map(<[u8]>::trim_ascii);
        let (is_next, is_end) = match behind {
            Some(behind) => (behind.is_empty(), behind.starts_with(b"--")),
            None => (false, false),
        };
        if is_next || is_end {
            pieces.extend(start.map(|start: usize| without_line_end(&body[start..place])));
            start = is_next.then_some(place + line.len());
            if is_end || pieces.len() > MOST_PARTS {
                return pieces;
            }
        }
        place += line.len();
    }
    pieces.extend(start.map(|start| &body[start..]));
    pieces
}

/// The line end before a boundary belongs to that.
fn without_line_end(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

#[cfg(test)]
mod tests;
