//! From a document's text to the pieces that are found and cited.
//!
//! How a document is cut is set for its source ([`strategy`]). The structural way, which is the default: its blocks
//! become *atoms* (a paragraph, a table, a listing; what is larger than a chunk is cut at sentences, see
//! [`atom`]), atoms under one heading become a *section*, small neighbouring sections join (see [`section`]),
//! and each section is packed into chunks of even size (see [`pack`]). [`hierarchical`] does the same at two
//! sizes. [`fixed`] and [`semantic`] look at the text as a [`flow`] of sentences, and [`whole`] at nothing.
//!
//! What holds for every result (and is tested with random documents):
//!
//! * a chunk is a stretch of the document: `text[span]`, nothing added, nothing rewritten;
//! * chunks stand in the order of the text, and don't overlap unless the strategy is `fixed`;
//! * every byte of a paragraph, table or listing that isn't white space is in a chunk;
//! * a chunk with its title path, the header of the table that it continues and the embedder's special tokens has
//!   at most [`ChunkSettings::max_tokens`] tokens, unless the strategy is `none`; of a title that would take more
//!   than half of them, the beginning goes before the text;
//! * a chunk lies within its parent, where it has one.
//!
//! By default chunks don't overlap: an overlap stores and embeds text twice, and the same sentence is then
//! found twice. What an overlap is for, a piece that says what it is about, is done by the title path.

pub mod strategy;
mod sizer;
mod atom;
mod section;
mod pack;
mod hierarchical;
mod flow;
mod fixed;
mod semantic;
mod whole;

use lectern_domain::chunk::text_to_embed;
use lectern_domain::ports::TokenCounter;
use lectern_domain::{Extracted, TextSpan};

use sizer::Sizer;

pub use strategy::Chunking;

pub(crate) use semantic::Differences;
pub(crate) use sizer::title_to_embed;

/// No embedder reads further than this many bytes of a chunk. Only a document that is one chunk has more.
const MOST_EMBEDDED_BYTES: usize = 64 * 1024;

/// How large chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSettings {
    /// The most that a chunk may have, in the embedder's tokens, with the title path and
    /// [`Self::special_tokens`].
    pub max_tokens: usize,
    /// A section with fewer tokens than this joins its neighbours where they fit together.
    pub min_tokens: usize,
    /// What the embedder adds to every text: [CLS] and [SEP] in the BERT family, and a prefix if it has one. Taken from
    /// [`TokenCounter::added`] where documents are cut.
    pub special_tokens: usize,
}

impl Default for ChunkSettings {
    fn default() -> Self {
        Self {
            max_tokens: 256,
            min_tokens: 64,
            special_tokens: 2,
        }
    }
}

/// A chunk before it has a document, a version and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkDraft {
    /// Where it lies in [`Extracted::text`].
    pub span: TextSpan,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// The headings above it, highest first.
    pub heading_path: Vec<String>,
    /// The header row of the table that it begins in the middle of, likewise in [`Extracted::text`].
    pub table_header: Option<TextSpan>,
    /// The larger piece that contains it and that a generator reads in its place.
    pub parent: Option<TextSpan>,
    /// Tokens of what the embedder reads (title path and text), special tokens counted.
    pub token_count: u32,
}

impl ChunkDraft {
    /// What the embedder reads of the chunk. `title` is one that [`title_to_embed`] gave, `text` the document's.
    pub(crate) fn text_to_embed(&self, title: &str, text: &str) -> String {
        let header = self.table_header.and_then(|header| header.of(text));
        let own = self.span.of(text).unwrap_or_default();
        embedder_text(title, &self.heading_path, header, own)
    }
}

/// What the embedder reads of a chunk: the only place that makes it while documents are taken in. `title` is one
/// that [`title_to_embed`] gave; of a document that is one chunk, the beginning is read.
pub(crate) fn embedder_text(
    title: &str,
    headings: &[String],
    table_header: Option<&str>,
    own: &str,
) -> String {
    let read = own
        .get(..own.floor_char_boundary(MOST_EMBEDDED_BYTES))
        .unwrap_or(own);
    text_to_embed(title, headings, table_header, read)
}

/// Cuts a document into chunks.
///
/// `title` is what will stand in [`lectern_domain::Chunk::title`]; its beginning ([`title_to_embed`]) is part of
/// what the embedder reads, so it counts. `differences` are those between the sentences that
/// [`sentences_to_compare`] gave, and empty where it gave none. A document without any text gives no chunk. Costs
/// about two token counts of the whole text.
pub fn split(
    extracted: &Extracted,
    title: &str,
    counter: &dyn TokenCounter,
    settings: ChunkSettings,
    chunking: Chunking,
    differences: &[f32],
) -> Vec<ChunkDraft> {
    let sizer = |max_tokens| Sizer::new(&extracted.text, title, counter, settings, max_tokens);
    match chunking {
        Chunking::Structural { max_tokens } => structural(extracted, &sizer(max_tokens)),
        Chunking::Fixed {
            max_tokens,
            overlap_tokens,
        } => fixed::split(extracted, &sizer(Some(max_tokens)), large(overlap_tokens)),
        Chunking::Hierarchical {
            child_tokens,
            parent_tokens,
        } => hierarchical::split(extracted, &sizer(Some(child_tokens)), large(parent_tokens)),
        Chunking::Semantic {
            max_tokens,
            percentile,
        } => semantic::split(extracted, differences, percentile, &sizer(Some(max_tokens))),
        Chunking::None {} => whole::split(extracted, &sizer(None)).into_iter().collect(),
    }
}

/// The sentences whose vectors have to be compared before [`split`], in their order; none unless the strategy is
/// `semantic`.
pub(crate) fn sentences_to_compare(
    extracted: &Extracted,
    title: &str,
    counter: &dyn TokenCounter,
    settings: ChunkSettings,
    chunking: Chunking,
) -> Vec<TextSpan> {
    let Chunking::Semantic { max_tokens, .. } = chunking else {
        return Vec::new();
    };
    let sizer = Sizer::new(&extracted.text, title, counter, settings, Some(max_tokens));
    let units = semantic::units(extracted, &sizer);
    units.into_iter().map(|unit| unit.atom.span).collect()
}

fn structural(extracted: &Extracted, sizer: &Sizer<'_>) -> Vec<ChunkDraft> {
    section::join_small(section::sections(extracted, sizer), sizer)
        .into_iter()
        .flat_map(|section| pack::pack(section, sizer))
        .collect()
}

fn large(tokens: u32) -> usize {
    usize::try_from(tokens).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
