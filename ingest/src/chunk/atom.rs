//! Atoms: the pieces that packing never cuts.
//!
//! A block that fits a chunk is one atom. A larger one is cut by `text-splitter`, which knows where sentences
//! end in every language, into atoms of one or a few sentences (rows, for a table or a listing). The splitter
//! measures in characters, scaled by what the whole block has per token, so that a block is tokenised once
//! and not at every candidate; each atom is then counted, and cut again where the scale misled.
//!
//! The pieces of a table but the first one name its header row, which goes before their text for whoever
//! reads them.

use std::borrow::Cow;

use lectern_domain::{BlockKind, TextSpan};
use text_splitter::{Characters, ChunkConfig, TextSplitter};

use super::sizer::Sizer;

/// Hard-wrapped prose has lines of about this many characters.
const WRAPPED_LINE: std::ops::RangeInclusive<usize> = 40..=120;

/// The splitter looks through what is left of a line for each piece that it cuts, so a long line costs the square
/// of its length (a line of 2 MB took more than a minute). It gets this much at a time.
const WINDOW_BYTES: usize = 32 * 1024;

/// A header that takes more than one part in so many of a chunk isn't repeated.
const MOST_OF_A_CHUNK: usize = 3;

/// A piece of the text that packing doesn't cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) span: TextSpan,
    pub(super) page: Option<u32>,
    /// Tokens of the text alone.
    pub(super) tokens: usize,
    /// The header of the table that it continues.
    pub(super) header: Option<TableHeader>,
}

/// The first row of a Markdown table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TableHeader {
    pub(super) span: TextSpan,
    pub(super) tokens: usize,
}

/// The atoms of a block: itself, or pieces of it with at most `budget` tokens each. A blank block has none.
pub(super) fn atoms(
    kind: &BlockKind,
    span: TextSpan,
    page: Option<u32>,
    sizer: &Sizer<'_>,
    budget: usize,
) -> Vec<Atom> {
    let text = sizer.slice(span);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    let start = span.start + (text.len() - text.trim_start().len());
    let whole = Atom {
        span: TextSpan {
            start,
            end: start + trimmed.len(),
        },
        page,
        tokens: sizer.count(trimmed),
        header: None,
    };
    if fits(&whole, budget) {
        return vec![whole];
    }
    if let Some(header) = header_of(kind, &whole, sizer, budget) {
        return cut_table(&whole, header, sizer, budget);
    }
    let prose = *kind == BlockKind::Paragraph && is_hard_wrapped(trimmed);
    cut(&whole, prose, sizer, budget)
}

/// The header row of a table, where it has one that leaves room for rows below it.
pub(super) fn header_of(
    kind: &BlockKind,
    table: &Atom,
    sizer: &Sizer<'_>,
    budget: usize,
) -> Option<TableHeader> {
    let (first, rest) = sizer.slice(table.span).split_once('\n')?;
    let second = rest.lines().next()?.trim();
    let is_rule = second.contains('-') && second.chars().all(|mark| matches!(mark, '|' | '-' | ':' | ' '));
    if *kind != BlockKind::Table || !is_rule {
        return None;
    }
    let first = first.trim_end();
    let tokens = sizer.count(first);
    let span = TextSpan {
        start: table.span.start,
        end: table.span.start + first.len(),
    };
    let header = TableHeader { span, tokens };
    (tokens <= budget / MOST_OF_A_CHUNK && span.len() <= Sizer::max_bytes(budget)).then_some(header)
}

/// The pieces of a table, each but the first one with the table's header.
fn cut_table(table: &Atom, header: TableHeader, sizer: &Sizer<'_>, budget: usize) -> Vec<Atom> {
    let room = budget.saturating_sub(header.tokens).max(1);
    let below = |piece: Atom| Atom {
        header: (piece.span.start >= header.span.end).then_some(header),
        ..piece
    };
    cut(table, false, sizer, room).into_iter().map(below).collect()
}

/// Cuts an atom into smaller ones of at most `budget` tokens, at the best borders there are; down to single
/// characters, where nothing else helps. They continue the same table.
pub(super) fn cut(atom: &Atom, hard_wrapped: bool, sizer: &Sizer<'_>, budget: usize) -> Vec<Atom> {
    let text = sizer.slice(atom.span);
    let shadow = if hard_wrapped {
        unwrapped(text)
    } else {
        Cow::Borrowed(text)
    };
    let characters = text.chars().count();
    let scaled =
        |tokens: usize| (tokens * characters / atom.tokens.max(1)).clamp(1, Sizer::max_bytes(tokens).max(1));
    let mut largest = scaled(budget / 2).min(characters.div_ceil(2)).max(1);
    let mut waiting = vec![(0, shadow.as_ref())];
    let mut pieces = Vec::new();
    // Depth first and from the left, so that the pieces come in the order of the text.
    while let Some((offset, part)) = waiting.pop() {
        let span = TextSpan {
            start: atom.span.start + offset,
            end: atom.span.start + offset + part.len(),
        };
        let piece = Atom {
            span,
            page: atom.page,
            tokens: sizer.count(sizer.slice(span)),
            header: atom.header,
        };
        let is_one_character = part.chars().nth(1).is_none();
        let is_smaller = piece.span != atom.span;
        if is_smaller && fits(&piece, budget) || is_one_character {
            pieces.push(piece);
            continue;
        }
        if part.len() > WINDOW_BYTES {
            waiting.extend(
                windows(part)
                    .into_iter()
                    .rev()
                    .map(|(at, window)| (offset + at, window)),
            );
            continue;
        }
        if is_smaller {
            largest = largest.min(part.chars().count() / 2).max(1);
        }
        let smallest = (largest / 4).max(1);
        let splitter = TextSplitter::new(ChunkConfig::<Characters>::new(smallest..=largest));
        let mut parts: Vec<(usize, &str)> = splitter
            .chunk_indices(part)
            .map(|(at, text)| (offset + at, text))
            .collect();
        if parts.len() == 1 && parts[0].1.len() == part.len() {
            pieces.push(piece);
            continue;
        }
        parts.reverse();
        waiting.extend(parts);
    }
    pieces
}

/// A text in windows of at most [`WINDOW_BYTES`], each with its place. A window ends where a line does, or else a
/// sentence, or else a word, if one ends in its second half.
fn windows(text: &str) -> Vec<(usize, &str)> {
    let mut windows = Vec::new();
    let (mut at, mut rest) = (0, text);
    while rest.len() > WINDOW_BYTES {
        let most = &rest[..rest.floor_char_boundary(WINDOW_BYTES)];
        let ends = [
            most.rfind('\n'),
            most.rfind(". ").map(|dot| dot + 1),
            most.rfind(char::is_whitespace),
        ];
        let end = ends
            .into_iter()
            .flatten()
            .find(|end| *end > WINDOW_BYTES / 2)
            .unwrap_or(most.len());
        let (window, after) = rest.split_at(end);
        // Nothing is lost with white space, and nothing is found in it.
        if !window.trim().is_empty() {
            windows.push((at, window));
        }
        (at, rest) = (at + end, after);
    }
    windows.push((at, rest));
    windows
}

pub(super) fn fits(atom: &Atom, budget: usize) -> bool {
    atom.tokens <= budget && atom.span.len() <= Sizer::max_bytes(budget)
}

/// Whether the lines end where a page ended, and not where a thought did: all but the last are of about the
/// length of a printed line.
pub(super) fn is_hard_wrapped(text: &str) -> bool {
    let mut lengths: Vec<usize> = text.lines().map(|line| line.trim_end().chars().count()).collect();
    lengths.pop();
    if lengths.is_empty() || lengths.iter().any(|length| length > WRAPPED_LINE.end()) {
        return false;
    }
    lengths.sort_unstable();
    lengths[lengths.len() / 2] >= *WRAPPED_LINE.start()
}

/// The same text with spaces for line breaks, byte for byte as long: the splitter then sees sentences where it
/// saw lines, and its offsets hold for the original.
pub(super) fn unwrapped(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        Cow::Owned(text.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(text)
    }
}
