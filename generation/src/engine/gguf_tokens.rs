//! Counting tokens as a GGUF model does, without asking its engine.
//!
//! The engine could count, but only in its turn, behind whatever it is writing. The vocabulary and the
//! merges of a byte-pair tokenizer stand in the file, so a tokenizer of our own is made of them, with
//! the same splitting rule that the engine uses for every such model. For another kind of tokenizer
//! the count is an estimate on the safe side.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::normalizer::SplitDelimiterBehavior;

use crate::error::Error;

/// English has about four bytes to a token; code and other languages have fewer.
const BYTES_PER_TOKEN_AT_LEAST: usize = 3;
const SPLIT_RULE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What a GGUF file says about its tokens.
#[derive(Debug)]
pub struct GgufTokens {
    tokenizer: Option<Tokenizer>,
    context_tokens: Option<usize>,
}

impl GgufTokens {
    /// Reads the head of a GGUF file. Takes a good part of a second for a large vocabulary.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Gguf`] where it is no GGUF file or ends early.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("opened", path))?;
        let content = Content::read(&mut BufReader::new(file)).map_err(|source| Error::Gguf {
            action: "read",
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let tokenizer = tokenizer_of(&content);
        if tokenizer.is_none() {
            tracing::info!(path = %path.display(), "the tokens of this model are estimated");
        }
        Ok(Self {
            tokenizer,
            context_tokens: context_of(&content),
        })
    }

    /// The longest text that the model was made for, where the file says so.
    pub fn context_tokens(&self) -> Option<usize> {
        self.context_tokens
    }

    /// How many tokens `text` has.
    pub fn count(&self, text: &str) -> usize {
        self.tokenizer
            .as_ref()
            .and_then(|tokenizer| tokenizer.encode_fast(text, false).ok())
            .map_or_else(
                || text.len().div_ceil(BYTES_PER_TOKEN_AT_LEAST),
                |encoding| encoding.len(),
            )
    }
}

fn context_of(content: &Content) -> Option<usize> {
    let architecture = content.metadata.get("general.architecture")?.to_string().ok()?;
    let length = content.metadata.get(&format!("{architecture}.context_length"))?;
    length
        .to_u32()
        .ok()
        .and_then(|length| usize::try_from(length).ok())
}

fn tokenizer_of(content: &Content) -> Option<Tokenizer> {
    let strings = |name: &str| -> Option<Vec<&String>> {
        let values = content.metadata.get(name)?.to_vec().ok()?;
        values.iter().map(|value| value.to_string().ok()).collect()
    };
    if content.metadata.get("tokenizer.ggml.model")?.to_string().ok()? != "gpt2" {
        return None;
    }
    let vocabulary = strings("tokenizer.ggml.tokens")?
        .into_iter()
        .enumerate()
        .map(|(id, token)| Some((token.clone(), u32::try_from(id).ok()?)))
        .collect::<Option<Vocab>>()?;
    let merges = strings("tokenizer.ggml.merges")?
        .into_iter()
        .map(|merge| {
            merge
                .split_once(' ')
                .map(|(left, right)| (left.to_owned(), right.to_owned()))
        })
        .collect::<Option<Vec<_>>>()?;
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build().ok()?;
    let split = Split::new(
        SplitPattern::Regex(SPLIT_RULE.to_owned()),
        SplitDelimiterBehavior::Isolated,
        false,
    )
    .ok()?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![
        PreTokenizerWrapper::Split(split),
        PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, false)),
    ])));
    Some(tokenizer)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::quantized::gguf_file::{Value, VersionedMagic};

    use super::*;

    fn content(metadata: HashMap<String, Value>) -> Content {
        Content {
            magic: VersionedMagic::GgufV3,
            metadata,
            tensor_infos: HashMap::new(),
            tensor_data_offset: 0,
        }
    }

    fn string_value(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn list(items: &[&str]) -> Value {
        Value::Array(items.iter().map(|item| string_value(item)).collect())
    }

    #[test]
    fn a_byte_pair_vocabulary_counts_as_the_merges_say() {
        let tokens = GgufTokens {
            tokenizer: tokenizer_of(&content(HashMap::from([
                ("tokenizer.ggml.model".to_owned(), string_value("gpt2")),
                (
                    "tokenizer.ggml.tokens".to_owned(),
                    list(&["a", "b", "ab", "Ġ", "Ġab"]),
                ),
                ("tokenizer.ggml.merges".to_owned(), list(&["a b", "Ġ ab"])),
            ]))),
            context_tokens: None,
        };
        assert!(tokens.tokenizer.is_some());
        assert_eq!(tokens.count("ab ab"), 2);
        assert_eq!(tokens.count("aab"), 2);
    }

    #[test]
    fn another_tokenizer_is_estimated_on_the_safe_side() {
        let tokens = GgufTokens {
            tokenizer: tokenizer_of(&content(HashMap::from([(
                "tokenizer.ggml.model".to_owned(),
                string_value("llama"),
            )]))),
            context_tokens: None,
        };
        assert!(tokens.count("The quick brown fox jumps.") >= 6);
    }

    #[test]
    fn what_is_no_model_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"not a model").unwrap();
        assert_eq!(
            GgufTokens::read(file.path()).unwrap_err().code(),
            "gguf_unreadable"
        );
    }
}
