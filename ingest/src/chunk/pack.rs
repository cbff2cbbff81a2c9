//! Packing: from the atoms of a section to chunks of even size.
//!
//! A section of 300 tokens in chunks of 250 becomes two of 150, not one of 250 and a scrap of 50: the scrap
//! would say too little to be found.

use lectern_domain::TextSpan;

use super::ChunkDraft;
use super::atom::{Atom, cut};
use super::section::Section;
use super::sizer::Sizer;

/// The chunks of a section.
pub(super) fn pack(section: Section, sizer: &Sizer<'_>) -> Vec<ChunkDraft> {
    pack_atoms(section.atoms, &section.heading_path, sizer)
}

/// The chunks of some atoms that stand under `heading_path`.
pub(super) fn pack_atoms(atoms: Vec<Atom>, heading_path: &[String], sizer: &Sizer<'_>) -> Vec<ChunkDraft> {
    let heading_path = sizer.fitting_path(heading_path);
    let (budget, limit) = (sizer.budget(&heading_path), small(sizer.limit(&heading_path)));
    let mut left: usize = atoms.iter().map(|atom| atom.tokens).sum();
    // The next atom is the last of the list.
    let mut atoms = atoms;
    atoms.reverse();
    let mut drafts = Vec::new();
    while let Some(first) = atoms.pop() {
        let room = budget
            .saturating_sub(first.header.map_or(0, |header| header.tokens))
            .max(1);
        let target = left.div_ceil(left.div_ceil(room).max(1));
        let mut taken = take(first, &mut atoms, target, room);
        let mut draft = draft(&taken, &heading_path, sizer);
        // Sums of atoms tell nearly, not exactly, how many tokens they have together.
        while draft.token_count > limit && taken.len() > 1 {
            atoms.extend(taken.pop());
            draft = self::draft(&taken, &heading_path, sizer);
        }
        if draft.token_count > limit && taken[0].tokens > 1 {
            let smaller = cut(&taken[0], true, sizer, (taken[0].tokens.min(room) / 2).max(1));
            if smaller.len() > 1 {
                atoms.extend(smaller.into_iter().rev());
                continue;
            }
        }
        left = left.saturating_sub(taken.iter().map(|atom| atom.tokens).sum());
        drafts.push(draft);
    }
    drafts
}

/// `first` and as many of the next ones as bring the chunk to `target` tokens and keep it within `budget`.
fn take(first: Atom, atoms: &mut Vec<Atom>, target: usize, budget: usize) -> Vec<Atom> {
    let mut size = first.tokens;
    let mut taken = vec![first];
    while let Some(next) = atoms.last() {
        let bytes = next.span.end - taken[0].span.start;
        if size >= target || size + next.tokens > budget || bytes > Sizer::max_bytes(budget) {
            break;
        }
        size += next.tokens;
        taken.extend(atoms.pop());
    }
    taken
}

/// The chunk that those atoms make, counted.
fn draft(atoms: &[Atom], heading_path: &[String], sizer: &Sizer<'_>) -> ChunkDraft {
    let table_header = atoms
        .first()
        .and_then(|first| first.header)
        .map(|header| header.span);
    let span = span_of(atoms);
    ChunkDraft {
        span,
        page: atoms.first().and_then(|first| first.page),
        heading_path: heading_path.to_vec(),
        table_header,
        parent: None,
        token_count: small(sizer.chunk_tokens(heading_path, table_header, span)),
    }
}

/// A count of tokens as it is stored.
pub(super) fn small(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// From the beginning of the first to the end of the last.
pub(super) fn span_of(atoms: &[Atom]) -> TextSpan {
    TextSpan {
        start: atoms.first().map_or(0, |first| first.span.start),
        end: atoms.last().map_or(0, |last| last.span.end),
    }
}
