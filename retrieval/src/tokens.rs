//! Counting tokens as the embedder does, so that chunks can be sized before they are embedded.
//!
//! A text is counted several times on its way into chunks (as a paragraph, as sentences, as a chunk with its title), which
//! took as long as all else besides embedding. A tokenizer of BERT's kind never makes a token across a space, so the
//! count of a text is the sum of the counts of its words, and most words are old acquaintances. Any other tokenizer
//! counts the whole text.

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
    /// Special tokens, and those of what the embedder puts before a text.
    added: usize,
}

impl TokenSizer {
    /// Loads a `tokenizer.json` for an embedder that puts `prefix` before every text of a document.
    ///
    /// # Errors
    /// [`Error::ModelFileMissing`] or [`Error::ModelCorrupt`].
    pub fn load(tokenizer_json: &Path, prefix: &str) -> Result<Self, Error> {
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
        let special = tokenizer.encode_fast("", true).map_err(corrupt)?.len();
        let mut sizer = Self {
            tokenizer,
            words: is_of_words.then(RwLock::default),
            added: 0,
        };
        sizer.added = special + sizer.count_whole(prefix);
        Ok(sizer)
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

    fn added(&self) -> usize {
        self.added
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
        Some(TokenSizer::load(&models.join("all-minilm-l6-v2-int8/tokenizer.json"), "").unwrap())
    }

    #[test]
    fn a_long_text_is_counted_whole() {
        let Some(sizer) = sizer() else { return };
        assert_eq!(sizer.count("word"), 1);
        assert_eq!(sizer.count(&"word ".repeat(1_000)), 1_000);
        assert_eq!(sizer.count(""), 0);
        assert_eq!(sizer.added(), 2, "[CLS] and [SEP]");
    }

    /// A tokenizer of the kind that XLM-RoBERTa has: pieces of words with a mark where a space was, in a text between
    /// `<s>` and `</s>`, and cut at 8 tokens, as `tokenizer.json` files do.
    const OF_PIECES: &str = r#"{
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                               "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}
        },
        "decoder": null,
        "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false,
                  "vocab": [["<s>", 0], ["</s>", 0], ["<unk>", -9], ["▁", -3], ["▁pass", -4], ["age", -4], [":", -4],
                            ["▁日本", -4], ["語", -4]]}
    }"#;

    #[test]
    fn a_tokenizer_of_pieces_counts_whole_texts_with_what_the_embedder_adds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokenizer.json");
        std::fs::write(&path, OF_PIECES).unwrap();
        let sizer = TokenSizer::load(&path, "passage: ").unwrap();
        assert!(sizer.words.is_none());
        assert_eq!(sizer.count("日本語"), 2);
        assert_eq!(sizer.count(&"日本語 ".repeat(40)), 81, "and the space at the end");
        // <s>, </s>, and ▁pass, age, :, ▁.
        assert_eq!(sizer.added(), 6);
        let whole = sizer.tokenizer.encode_fast("passage: 日本語", true).unwrap();
        assert!(whole.len() <= sizer.count("日本語") + sizer.added());
        assert_eq!(TokenSizer::load(&path, "").unwrap().added(), 2);
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
        assert_eq!(
            TokenSizer::load(&path, "").unwrap_err().code(),
            "model_file_missing"
        );
        std::fs::write(&path, "{").unwrap();
        assert_eq!(TokenSizer::load(&path, "").unwrap_err().code(), "model_corrupt");
    }
}
