//! Texts as the embedder's tokens, for a run without the embedder.

use std::path::Path;

use anyhow::{Result, anyhow};
use tokenizers::{Tokenizer, TruncationParams};

/// The tokens of each of `texts` with the special ones, cut at `max_tokens` as the embedder cuts them.
pub fn tokenise(tokenizer: &Path, texts: &[String], max_tokens: usize) -> Result<Vec<Vec<u32>>> {
    let failed =
        |error: tokenizers::Error| anyhow!("can't use the tokenizer {}: {error}", tokenizer.display());
    let mut loaded = Tokenizer::from_file(tokenizer).map_err(failed)?;
    loaded.with_padding(None);
    loaded
        .with_truncation(Some(TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        }))
        .map_err(failed)?;
    texts
        .iter()
        .map(|text| {
            Ok(loaded
                .encode_fast(text.as_str(), true)
                .map_err(failed)?
                .get_ids()
                .to_vec())
        })
        .collect()
}
