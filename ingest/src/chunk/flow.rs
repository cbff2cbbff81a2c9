//! The text as a flow of sentences, for the strategies that look at no structure.
//!
//! Every block is in it, headings too, in the order of the text. A paragraph gives its sentences (Unicode's,
//! UAX #29), a table or listing its lines; a sentence longer than a chunk comes in pieces.

use std::borrow::Cow;
use std::rc::Rc;

use lectern_domain::{BlockKind, Extracted, TextSpan};
use unicode_segmentation::UnicodeSegmentation;

use super::atom::{Atom, cut, fits, header_of, is_hard_wrapped, unwrapped};
use super::sizer::Sizer;

/// A sentence, or a line of a table or listing.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) atom: Atom,
    /// The headings above it, highest first; a heading isn't above itself.
    pub(super) heading_path: Rc<[String]>,
    pub(super) is_heading: bool,
}

/// The sentences of a document, none with more than `budget` tokens.
pub(super) fn sentences(extracted: &Extracted, sizer: &Sizer<'_>, budget: usize) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut path: Vec<(u8, String)> = Vec::new();
    let mut heading_path: Rc<[String]> = Rc::default();
    let mut read_to = 0;
    for block in &extracted.blocks {
        // What doesn't fit the text, or lies before what was read, comes from no extractor of ours.
        if block.span.start < read_to || block.span.of(&extracted.text).is_none() {
            continue;
        }
        read_to = block.span.end;
        let level = match &block.kind {
            BlockKind::Heading { level, title } => Some((*level, title)),
            _ => None,
        };
        if let Some((level, _)) = level {
            path.retain(|(above, _)| *above < level);
            heading_path = path.iter().map(|(_, title)| title.clone()).collect();
        }
        let atoms = of_block(&block.kind, block.span, block.page, sizer, budget);
        sentences.extend(atoms.into_iter().map(|atom| Sentence {
            atom,
            heading_path: Rc::clone(&heading_path),
            is_heading: level.is_some(),
        }));
        if let Some((level, title)) = level {
            path.push((level, title.clone()));
            heading_path = path.iter().map(|(_, title)| title.clone()).collect();
        }
    }
    if sentences.is_empty() {
        // Text without blocks comes from no extractor of ours, and isn't lost.
        let span = TextSpan {
            start: 0,
            end: extracted.text.len(),
        };
        let atoms = of_block(&BlockKind::Paragraph, span, None, sizer, budget);
        sentences.extend(atoms.into_iter().map(|atom| Sentence {
            atom,
            heading_path: Rc::default(),
            is_heading: false,
        }));
    }
    sentences
}

fn of_block(
    kind: &BlockKind,
    span: TextSpan,
    page: Option<u32>,
    sizer: &Sizer<'_>,
    budget: usize,
) -> Vec<Atom> {
    let whole = Atom {
        span,
        page,
        tokens: 0,
        header: None,
    };
    let Some(whole) = trimmed(&whole, sizer) else {
        return Vec::new();
    };
    let header = header_of(kind, &whole, sizer, budget);
    let room = budget
        .saturating_sub(header.map_or(0, |header| header.tokens))
        .max(1);
    let text = sizer.slice(whole.span);
    let is_prose = *kind == BlockKind::Paragraph;
    let shadow = if is_prose && is_hard_wrapped(text) {
        unwrapped(text)
    } else {
        Cow::Borrowed(text)
    };
    let borders: Vec<(usize, &str)> = if is_prose {
        shadow.split_sentence_bound_indices().collect()
    } else {
        lines(&shadow)
    };
    let mut atoms = Vec::with_capacity(borders.len());
    for (at, part) in borders {
        let start = whole.span.start + at;
        let piece = Atom {
            span: TextSpan {
                start,
                end: start + part.len(),
            },
            header: header.filter(|header| start >= header.span.end),
            ..whole
        };
        match trimmed(&piece, sizer) {
            None => {}
            Some(piece) if fits(&piece, room) => atoms.push(piece),
            Some(piece) => atoms.extend(cut(&piece, is_prose, sizer, room)),
        }
    }
    atoms
}

fn lines(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, line)
        })
        .collect()
}

/// The atom without the white space at its ends, counted. A blank one is none.
fn trimmed(atom: &Atom, sizer: &Sizer<'_>) -> Option<Atom> {
    let text = sizer.slice(atom.span);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let start = atom.span.start + (text.len() - text.trim_start().len());
    let span = TextSpan {
        start,
        end: start + trimmed.len(),
    };
    Some(Atom {
        span,
        tokens: sizer.count(trimmed),
        ..*atom
    })
}
