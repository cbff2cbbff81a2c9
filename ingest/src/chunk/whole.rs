//! The whole document as one chunk.

use lectern_domain::{Extracted, TextSpan};

use super::pack::small;
use super::sizer::Sizer;
use super::{ChunkDraft, MOST_EMBEDDED_BYTES};

/// One chunk, without the white space at its ends; none where there is nothing else.
pub(super) fn split(extracted: &Extracted, sizer: &Sizer<'_>) -> Option<ChunkDraft> {
    let text = &extracted.text;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let start = text.len() - text.trim_start().len();
    let span = TextSpan {
        start,
        end: start + trimmed.len(),
    };
    // What the embedder doesn't read isn't counted: a text of many megabytes takes long to count.
    let read = TextSpan {
        start,
        end: start + trimmed.floor_char_boundary(MOST_EMBEDDED_BYTES),
    };
    let tokens = sizer.chunk_tokens(&[], None, read).min(sizer.limit(&[]));
    Some(ChunkDraft {
        span,
        page: extracted.blocks.first().and_then(|block| block.page),
        heading_path: Vec::new(),
        table_header: None,
        parent: None,
        token_count: small(tokens),
    })
}
