//! Counting tokens as the embedder does, so that chunks can be sized before they are embedded.

use std::path::Path;

use lectern_domain::ports::TokenCounter;
use tokenizers::Tokenizer;

use crate::error::Error;

/// A tokenizer that neither cuts nor pads: the embedder's own cuts at its limit and so can't tell how
/// long a long text is.
#[derive(Debug)]
pub struct TokenSizer {
    tokenizer: Tokenizer,
}

impl TokenSizer {
    /// Loads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::ModelFileMissing`] or [`Error::ModelCorrupt`].
    pub fn load(tokenizer_json: &Path) -> Result<Self, Error> {
        const WHAT: &str = "tokenizer";
        if !tokenizer_json.is_file() {
            return Err(Error::ModelFileMissing {
                what: WHAT,
                path: tokenizer_json.to_owned(),
            });
        }
        let corrupt = |cause| Error::ModelCorrupt {
            what: WHAT,
            path: tokenizer_json.to_owned(),
            cause,
        };
        let mut tokenizer = Tokenizer::from_file(tokenizer_json).map_err(corrupt)?;
        tokenizer.with_truncation(None).map_err(corrupt)?;
        tokenizer.with_padding(None);
        Ok(Self { tokenizer })
    }
}

impl TokenCounter for TokenSizer {
    fn count(&self, text: &str) -> usize {
        match self.tokenizer.encode_fast(text, false) {
            Ok(encoding) => encoding.len(),
            // A text that can't be tokenised is taken for the worst case, a token per byte, so that it
            // is cut small rather than lost.
            Err(error) => {
                tracing::warn!(%error, bytes = text.len(), "a text could not be tokenised");
                text.len()
            }
        }
    }
}
