//! Counting tokens as the embedder does, so that chunks can be sized before they are embedded.
//!
//! A text is counted several times on its way into chunks (as a paragraph, as sentences, as a chunk with its title), which
//! took as long as all else besides embedding. A tokenizer of BERT's kind never makes a token across a space, so the
//! count of a text is the sum of the counts of its words, and most words are old acquaintances.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use lectern_domain::ports::TokenCounter;
use tokenizers::{ModelWrapper, PreTokenizerWrapper, Tokenizer};

use crate::error::Error;

/// Words whose counts are remembered; then all are forgotten. 10 MiB at most.
const MOST_WORDS: usize = 100_000;
/// A longer word isn't remembered.
const LONGEST_WORD_BYTES: usize = 48;

/// A tokenizer that neither cuts nor pads: the embedder's own cuts at its limit and so can't tell how
/// long a long text is.
#[derive(Debug)]
pub struct TokenSizer {
    tokenizer: Tokenizer,
    /// The counts of words, where a text's count is their sum.
    words: Option<RwLock<HashMap<Box<str>, usize>>>,
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
        let is_of_words = matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
            && matches!(
                tokenizer.get_pre_tokenizer(),
                Some(PreTokenizerWrapper::BertPreTokenizer(_))
            );
        Ok(Self {
            tokenizer,
            words: is_of_words.then(RwLock::default),
        })
    }

    fn count_whole(&self, text: &str) -> usize {
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

    fn count_words(&self, text: &str, known: &RwLock<HashMap<Box<str>, usize>>) -> usize {
        let mut unknown = Vec::new();
        let mut count = 0;
        {
            let known = known.read().unwrap_or_else(PoisonError::into_inner);
            for word in text.split(parts_words).filter(|word| !word.is_empty()) {
                match known.get(word) {
                    Some(tokens) => count += tokens,
                    None => unknown.push(word),
                }
            }
        }
        if unknown.is_empty() {
            return count;
        }
        let counted: Vec<(&str, usize)> = unknown
            .into_iter()
            .map(|word| (word, self.count_whole(word)))
            .collect();
        count += counted.iter().map(|(_, tokens)| tokens).sum::<usize>();
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        for (word, tokens) in counted {
            if known.len() >= MOST_WORDS {
                known.clear();
            }
            if word.len() <= LONGEST_WORD_BYTES {
                known.insert(word.into(), tokens);
            }
        }
        count
    }
}

/// Whether no token goes across this character. Other control characters are taken out before words are told apart,
/// also those that count as spaces elsewhere.
fn parts_words(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r') || (character.is_whitespace() && !character.is_control())
}

impl TokenCounter for TokenSizer {
    fn count(&self, text: &str) -> usize {
        match &self.words {
            Some(known) => self.count_words(text, known),
            None => self.count_whole(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    /// The default model's, or `None`, said aloud, where this machine hasn't got it.
    fn sizer() -> Option<TokenSizer> {
        let Some(models) = std::env::var_os("LECTERN_TEST_MODELS").map(PathBuf::from) else {
            println!(
                "SKIPPED: no models (set LECTERN_TEST_MODELS to a folder made by `lectern models pull`)"
            );
            return None;
        };
        Some(TokenSizer::load(&models.join("all-minilm-l6-v2-int8/tokenizer.json")).unwrap())
    }

    #[test]
    fn a_long_text_is_counted_whole() {
        let Some(sizer) = sizer() else { return };
        assert_eq!(sizer.count("word"), 1);
        assert_eq!(sizer.count(&"word ".repeat(1_000)), 1_000);
        assert_eq!(sizer.count(""), 0);
    }

    #[test]
    fn words_add_up_to_their_text() {
        let Some(sizer) = sizer() else { return };
        assert!(sizer.words.is_some());
        let piece = prop_oneof![
            4 => "[a-zA-Z]{1,12}",
            2 => "[ \t\n\r]{1,3}",
            1 => any::<char>().prop_map(String::from),
            1 => prop::sample::select(vec![
                "\u{85}", "\u{b}", "\u{c}", "\u{a0}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{301}", "\u{0}", "[SEP]",
                "[CLS]", "[MASK] ", "日本語", "한국어", "Σ", "ß", "don't", "…", "\u{feff}",
            ]).prop_map(str::to_owned),
            1 => Just("x".repeat(120)),
        ];
        let text = prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
        proptest!(|(text in text)| {
            prop_assert_eq!(sizer.count(&text), sizer.count_whole(&text));
            // And again, when all of its words are known.
            prop_assert_eq!(sizer.count(&text), sizer.count_whole(&text));
        });
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
