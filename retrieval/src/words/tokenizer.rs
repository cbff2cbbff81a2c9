//! Cutting a text into words, the same way for documents and for questions.
//!
//! charabia finds the words of any script (spaces for most, a dictionary for Chinese and Thai) and
//! writes them in lower case and without diacritics; what is English among them is reduced to its stem
//! (Porter 2). No word is left out: BM25 weighs the frequent ones down by itself.

use std::sync::LazyLock;

use charabia::{Tokenizer as Charabia, TokenizerBuilder};
use tantivy::tokenizer::{Language, RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// A longer word (a hash, a picture in base64) is nothing that anybody types.
const LONGEST_WORD_BYTES: usize = 100;

static CHARABIA: LazyLock<Charabia<'static>> = LazyLock::new(|| TokenizerBuilder::default().into_tokenizer());

/// The tokenizer of the index. Cloning it is cheap.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(Words)
        .filter(RemoveLongFilter::limit(LONGEST_WORD_BYTES))
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The words of a text as the index has them, in their order, each as often as it occurs.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut words = Vec::new();
    while let Some(token) = stream.next() {
        words.push(token.text.clone());
    }
    words
}

/// charabia behind tantivy's interface.
#[derive(Clone)]
struct Words;

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        let words = CHARABIA
            .tokenize(text)
            .filter(|token| !token.is_separator() && !token.lemma().trim().is_empty())
            .enumerate()
            .map(|(position, token)| Token {
                offset_from: token.byte_start,
                offset_to: token.byte_end,
                position,
                text: token.lemma.into_owned(),
                position_length: 1,
            })
            .collect::<Vec<_>>();
        WordStream {
            words: words.into_iter(),
            current: Token::default(),
        }
    }
}

struct WordStream {
    words: std::vec::IntoIter<Token>,
    current: Token,
}

impl TokenStream for WordStream {
    fn advance(&mut self) -> bool {
        match self.words.next() {
            Some(token) => {
                self.current = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_their_case_diacritics_and_endings() {
        assert_eq!(words_of("Running, RUNS; café"), ["run", "run", "cafe"]);
    }

    #[test]
    fn chinese_is_cut_by_a_dictionary() {
        let words = words_of("人工智能改变世界");
        assert!(words.len() > 1 && words.len() < 8, "{words:?}");
    }

    #[test]
    fn what_holds_no_word_has_none() {
        assert!(words_of(" ... \n\t -- ").is_empty());
        assert!(words_of(&"x".repeat(LONGEST_WORD_BYTES + 1)).is_empty());
    }
}
