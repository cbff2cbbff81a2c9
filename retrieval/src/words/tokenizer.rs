//! Cutting a text into words, the same way for documents and for questions.
//!
//! charabia finds the words of any script (spaces for most, a dictionary for Chinese and Thai) and
//! writes them in lower case and without diacritics; what is English among them is reduced to its stem
//! (Porter 2). It keeps symbols within a word (`a|b`, `<tag>`), so a word is cut again at those. Japanese
//! and Korean need a dictionary of hundreds of megabytes; their words are cut into overlapping pairs of
//! characters instead. No word is left out: BM25 weighs the frequent ones down by itself.

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
        let mut words = Vec::new();
        for found in CHARABIA.tokenize(text).filter(|found| !found.is_separator()) {
            // charabia writes Japanese and Korean letters in parts; pairs need them whole.
            let whole = text.get(found.byte_start..found.byte_end).unwrap_or_default();
            let parts = if whole.contains(is_kana_or_hangul) {
                pairs(whole)
            } else {
                cut_at_symbols(found.lemma())
            };
            for part in parts {
                words.push(Token {
                    offset_from: found.byte_start,
                    offset_to: found.byte_end,
                    position: words.len(),
                    text: part.to_owned(),
                    position_length: 1,
                });
            }
        }
        WordStream {
            words: words.into_iter(),
            current: Token::default(),
        }
    }
}

fn cut_at_symbols(word: &str) -> Vec<&str> {
    word.split(|c: char| c.is_ascii_punctuation() || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect()
}

fn is_kana_or_hangul(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}')
}

/// All neighbouring pairs of characters, or the word itself where it has but one.
fn pairs(word: &str) -> Vec<&str> {
    let ends: Vec<usize> = word.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    if ends.len() < 2 {
        return vec![word];
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts
        .zip(&ends[1..])
        .filter_map(|(start, end)| word.get(start..*end))
        .collect()
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
    fn japanese_and_korean_are_cut_into_pairs() {
        assert_eq!(
            words_of("東京タワーです"),
            ["東京", "京タ", "タワ", "ワー", "ーで", "です"]
        );
        assert_eq!(words_of("문서를 비"), ["문서", "서를", "비"]);
    }

    #[test]
    fn symbols_part_words() {
        assert_eq!(
            words_of("sauna~2^3 <tag> a|b q=1"),
            ["sauna", "2", "3", "tag", "a", "b", "q", "1"]
        );
        assert_eq!(
            words_of("foo_bar state-of-the-art"),
            ["foo", "bar", "state", "of", "the", "art"]
        );
    }

    #[test]
    fn what_holds_no_word_has_none() {
        assert!(words_of(" ... \n\t -- ").is_empty());
        assert!(words_of(&"x".repeat(LONGEST_WORD_BYTES + 1)).is_empty());
    }
}
