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
    let heading_path = sizer.fitting_path(&section.heading_path);
    let (budget, limit) = (sizer.budget(&heading_path), sizer.settings.max_tokens);
    let mut left: usize = section.atoms.iter().map(|atom| atom.tokens).sum();
    // The next atom is the last of the list.
    let mut atoms = section.atoms;
    atoms.reverse();
    let mut drafts = Vec::new();
    while let Some(first) = atoms.pop() {
        let target = left.div_ceil(left.div_ceil(budget).max(1));
        let mut taken = take(first, &mut atoms, target, budget);
        let mut token_count = sizer.chunk_tokens(&heading_path, span_of(&taken));
        // Sums of atoms tell nearly, not exactly, how many tokens they have together.
        while token_count > limit && taken.len() > 1 {
            atoms.extend(taken.pop());
            token_count = sizer.chunk_tokens(&heading_path, span_of(&taken));
        }
        if token_count > limit && taken[0].tokens > 1 {
            let smaller = cut(&taken[0], true, sizer, (taken[0].tokens.min(budget) / 2).max(1));
            if smaller.len() > 1 {
                atoms.extend(smaller.into_iter().rev());
                continue;
            }
        }
        left = left.saturating_sub(taken.iter().map(|atom| atom.tokens).sum());
        drafts.push(ChunkDraft {
            span: span_of(&taken),
            page: taken[0].page,
            heading_path: heading_path.clone(),
            table_header: None,
            parent: None,
            token_count: u32::try_from(token_count).unwrap_or(u32::MAX),
        });
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

fn span_of(atoms: &[Atom]) -> TextSpan {
    match atoms {
        [] => TextSpan { start: 0, end: 0 },
        [first, .., last] => TextSpan {
            start: first.span.start,
            end: last.span.end,
        },
        [only] => only.span,
    }
}
