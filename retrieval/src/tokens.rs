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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_long_text_is_counted_whole() {
        let Some(models) = std::env::var_os("LECTERN_TEST_MODELS").map(PathBuf::from) else {
            println!(
                "SKIPPED: no models (set LECTERN_TEST_MODELS to a folder made by `lectern models pull`)"
            );
            return;
        };
        let sizer = TokenSizer::load(&models.join("all-minilm-l6-v2-int8/tokenizer.json")).unwrap();
        assert_eq!(sizer.count("word"), 1);
        assert_eq!(sizer.count(&"word ".repeat(1_000)), 1_000);
        assert_eq!(sizer.count(""), 0);
    }

    #[test]
    fn a_missing_and_a_damaged_tokenizer_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokenizer.json");
        assert_eq!(TokenSizer::load(&path).unwrap_err().code(), "model_file_missing");
        std::fs::write(&path, "{").unwrap();
        assert_eq!(TokenSizer::load(&path).unwrap_err().code(), "model_corrupt");
    }
}
