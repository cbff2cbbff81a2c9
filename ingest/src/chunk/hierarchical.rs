//! Small pieces that are found, each within a larger one that the generator reads.
//!
//! The small pieces are those of the structural strategy, at their own size. A parent is a run of them: the pieces
//! of a long section in even parts, and small sections with their neighbours, as far as they fit. So a parent
//! is a stretch of the document too, from the beginning of its first piece to the end of its last.

use lectern_domain::{Extracted, TextSpan};

use super::ChunkDraft;
use super::pack::pack;
use super::section::{join_small, sections};
use super::sizer::Sizer;

/// The chunks of a document, each with its parent of at most `parent_tokens`. A child that is larger than
/// that is its own parent.
pub(super) fn split(extracted: &Extracted, sizer: &Sizer<'_>, parent_tokens: usize) -> Vec<ChunkDraft> {
    let families = join_small(sections(extracted, sizer), sizer)
        .into_iter()
        .map(|section| pack(section, sizer))
        .flat_map(|children| parts(children, sizer, parent_tokens))
        .collect();
    join_families(families, sizer, parent_tokens)
        .into_iter()
        .flat_map(|family| {
            let parent = family.span();
            family.children.into_iter().map(move |child| ChunkDraft {
                parent: Some(parent),
                ..child
            })
        })
        .collect()
}

/// A parent's children, in the order of the text, never empty.
struct Family {
    children: Vec<ChunkDraft>,
    tokens: usize,
}

impl Family {
    fn span(&self) -> TextSpan {
        TextSpan {
            start: self.children.first().map_or(0, |first| first.span.start),
            end: self.children.last().map_or(0, |last| last.span.end),
        }
    }
}

/// The pieces of one section in as few families as can be, of even size.
fn parts(children: Vec<ChunkDraft>, sizer: &Sizer<'_>, parent_tokens: usize) -> Vec<Family> {
    let tokens_of = |span: TextSpan| sizer.count(sizer.slice(span));
    let all: usize = children.iter().map(|child| tokens_of(child.span)).sum();
    let target = all.div_ceil(all.div_ceil(parent_tokens.max(1)).max(1));
    let mut families: Vec<Family> = Vec::new();
    for child in children {
        if let Some(family) = families.last_mut().filter(|family| family.tokens < target) {
            let span = TextSpan {
                start: family.span().start,
                end: child.span.end,
            };
            let tokens = tokens_of(span);
            if tokens <= parent_tokens {
                family.children.push(child);
                family.tokens = tokens;
                continue;
            }
        }
        families.push(Family {
            tokens: tokens_of(child.span),
            children: vec![child],
        });
    }
    families
}

/// Joins a family with the one before it where one of them is small, or the whole document is one.
fn join_families(families: Vec<Family>, sizer: &Sizer<'_>, parent_tokens: usize) -> Vec<Family> {
    let small = parent_tokens / 4;
    let all: usize = families.iter().map(|family| family.tokens).sum();
    let mut joined: Vec<Family> = Vec::with_capacity(families.len());
    for family in families {
        let Some(last) = joined.last_mut() else {
            joined.push(family);
            continue;
        };
        let helps = all <= parent_tokens || last.tokens < small || family.tokens < small;
        // A sum that is too large already saves the count.
        if helps && last.tokens + family.tokens <= parent_tokens {
            let span = TextSpan {
                start: last.span().start,
                end: family.span().end,
            };
            let tokens = sizer.count(sizer.slice(span));
            if tokens <= parent_tokens {
                last.children.extend(family.children);
                last.tokens = tokens;
                continue;
            }
        }
        joined.push(family);
    }
    joined
}
