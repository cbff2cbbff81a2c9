//! Bold, italic and struck text, and what has to be escaped.
//!
//! A sign opens where a word begins and closes where one ends, as Slack has it. The places where each sign can close
//! are found once, so that a line of nothing but opening signs costs no more than any other.

use super::pieces::Piece;

/// Slack's signs and Markdown's.
const SIGNS: [(char, &str); 3] = [('*', "**"), ('_', "_"), ('~', "~~")];

/// The longest name of an entity that is looked for.
const LONGEST_ENTITY: usize = 32;

struct Line<'a> {
    pieces: &'a [Piece],
    /// For each of [`SIGNS`], where it can close.
    closing: [Vec<usize>; SIGNS.len()],
    /// Whether signs are written and escaped.
    is_markdown: bool,
}

/// Writes the line with its emphasis.
pub(super) fn write(pieces: &[Piece], markdown: &mut String) {
    let line = Line::read(pieces, true);
    line.write(0, pieces.len(), [false; SIGNS.len()], markdown);
}

/// Writes what the line says, without the signs that emphasise, and as no Markdown.
pub(super) fn write_words(pieces: &[Piece], words: &mut String) {
    let line = Line::read(pieces, false);
    line.write(0, pieces.len(), [false; SIGNS.len()], words);
}

/// Writes the line as it stands, as Markdown.
pub(super) fn write_plainly(pieces: &[Piece], markdown: &mut String) {
    let line = Line {
        pieces,
        closing: Default::default(),
        is_markdown: true,
    };
    line.write(0, pieces.len(), [false; SIGNS.len()], markdown);
}

impl<'a> Line<'a> {
    fn read(pieces: &'a [Piece], is_markdown: bool) -> Self {
        let mut line = Self {
            pieces,
            closing: Default::default(),
            is_markdown,
        };
        for place in 0..pieces.len() {
            if let Some(kind) = line.kind(place).filter(|_| line.closes(place)) {
                line.closing[kind].push(place);
            }
        }
        line
    }

    /// What is open isn't opened again, so this is never more than three deep.
    fn write(&self, start: usize, end: usize, open: [bool; SIGNS.len()], markdown: &mut String) {
        let mut place = start;
        while place < end {
            let closed = self.kind(place).filter(|kind| !open[*kind] && self.opens(place));
            let closed = closed.and_then(|kind| Some((kind, self.close_of(kind, place, end)?)));
            let Some((kind, close)) = closed else {
                self.write_piece(place, markdown);
                place += 1;
                continue;
            };
            let mut inner = open;
            inner[kind] = true;
            let sign = if self.is_markdown { SIGNS[kind].1 } else { "" };
            markdown.push_str(sign);
            self.write(place + 1, close, inner, markdown);
            markdown.push_str(sign);
            place = close + 1;
        }
    }

    fn kind(&self, place: usize) -> Option<usize> {
        match self.pieces.get(place)? {
            Piece::Char(character) => SIGNS.iter().position(|(sign, _)| sign == character),
            Piece::Made(_) => None,
        }
    }

    /// Where the sign that opens at `place` closes.
    fn close_of(&self, kind: usize, place: usize, end: usize) -> Option<usize> {
        let closing = &self.closing[kind];
        let next = closing.partition_point(|close| *close <= place + 1);
        closing.get(next).copied().filter(|close| *close < end)
    }

    fn sign(&self, place: Option<usize>) -> Option<char> {
        Some(self.pieces.get(place?)?.sign())
    }

    fn before(&self, place: usize) -> Option<char> {
        self.sign(place.checked_sub(1))
    }

    fn after(&self, place: usize) -> Option<char> {
        self.sign(Some(place + 1))
    }

    fn opens(&self, place: usize) -> bool {
        let own = self.sign(Some(place));
        is_outside(self.before(place))
            && self
                .after(place)
                .is_some_and(|next| is_inside(next) && Some(next) != own)
    }

    fn closes(&self, place: usize) -> bool {
        let own = self.sign(Some(place));
        is_outside(self.after(place))
            && self
                .before(place)
                .is_some_and(|last| is_inside(last) && Some(last) != own)
    }

    fn write_piece(&self, place: usize, markdown: &mut String) {
        match &self.pieces[place] {
            Piece::Made(made) => markdown.push_str(made),
            Piece::Char(character) => {
                if self.is_markdown && self.is_markup(*character, place) {
                    markdown.push('\\');
                }
                markdown.push(*character);
            }
        }
    }

    /// Whether Markdown would take the character for something else.
    fn is_markup(&self, character: char, place: usize) -> bool {
        let (before, after) = (self.before(place), self.after(place));
        let is_space = |sign: Option<char>| sign.is_none_or(char::is_whitespace);
        let is_letter = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
        match character {
            '`' => true,
            '\\' => after.is_some_and(|next| next.is_ascii_punctuation() || next == '\u{fffc}'),
            '*' => !(is_space(before) && is_space(after)),
            '_' => !(is_space(before) && is_space(after) || is_letter(before) && is_letter(after)),
            '~' => before == Some('~') || after == Some('~'),
            '<' => after.is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(next)),
            ']' => after.is_some_and(|next| "([:".contains(next)),
            '#' => place == 0 && self.is_heading(),
            '>' => place == 0,
            '&' => self.is_entity(place),
            _ => false,
        }
    }

    fn is_heading(&self) -> bool {
        let after = self.pieces.iter().map(Piece::sign).find(|sign| *sign != '#');
        after.is_none_or(char::is_whitespace)
    }

    fn is_entity(&self, place: usize) -> bool {
        let mut rest = self.pieces[place + 1..]
            .iter()
            .take(LONGEST_ENTITY)
            .map(Piece::sign);
        rest.find(|sign| !sign.is_ascii_alphanumeric() && *sign != '#') == Some(';')
    }
}

/// Whether emphasis can begin after, or end before, such a sign.
fn is_outside(sign: Option<char>) -> bool {
    sign.is_none_or(|sign| !sign.is_alphanumeric())
}

fn is_inside(sign: char) -> bool {
    !sign.is_whitespace()
}
