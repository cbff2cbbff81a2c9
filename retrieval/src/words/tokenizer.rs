//! Cutting a text into words, the same way for documents and for questions.
//!
//! charabia finds the words of any script (spaces for most, a dictionary for Chinese and Thai) and
//! writes them in lower case and without diacritics; then they are reduced to their stems in the language of the
//! document ([`super::language`]). It keeps symbols within a word (`a|b`, `<tag>`), so a word is cut again at those.
//! Japanese and Korean need a dictionary of hundreds of megabytes; their words are cut into overlapping pairs of
//! characters instead. No word is left out: BM25 weighs the frequent ones down by itself.
//!
//! A text carries its language into the index as a mark before it ([`marked`]).

use std::sync::LazyLock;

use charabia::{Tokenizer as Charabia, TokenizerBuilder};
use lectern_domain::TextSpan;
use tantivy::tokenizer::{RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

use super::language::{self, Language};

/// A longer word (a hash, a picture in base64) is nothing that anybody types.
const LONGEST_WORD_BYTES: usize = 100;
/// Between the mark and the text.
const MARK_END: char = '\u{1f}';

static CHARABIA: LazyLock<Charabia<'static>> = LazyLock::new(|| TokenizerBuilder::default().into_tokenizer());

/// The tokenizer of the index, for texts with a mark. Cloning it is cheap.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(MarkedWords).build()
}

/// A text with the mark of its language.
pub(super) fn marked(text: &str, language: Language) -> String {
    format!("{}{MARK_END}{text}", language::code_of(language))
}

/// A text without its mark, and what the mark says.
pub(super) fn unmarked(text: &str) -> (&str, Language) {
    let Some((code, text)) = text.split_once(MARK_END) else {
        return (text, language::DEFAULT);
    };
    (text, language::of_code(code).unwrap_or(language::DEFAULT))
}

/// The words of a text as an English document has them, in their order, each as often as it occurs.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    let tokens = tokens_of(text, language::DEFAULT);
    tokens.into_iter().map(|token| token.text).collect()
}

/// The same, each with its place in the text.
pub(crate) fn words_with_places(text: &str) -> Vec<(String, TextSpan)> {
    let words = words_in(text, None).into_iter();
    words.map(|word| (word.stem, word.span)).collect()
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its stem.
    pub stem: String,
    /// Where it stands.
    pub span: TextSpan,
}

/// The words of a text of a language, by the code of that.
pub(crate) fn words_in(text: &str, code: Option<&str>) -> Vec<Word> {
    let language = code.and_then(language::of_code).unwrap_or(language::DEFAULT);
    let word = |token: Token| Word {
        stem: token.text,
        span: TextSpan {
            start: token.offset_from,
            end: token.offset_to,
        },
    };
    tokens_of(text, language).into_iter().map(word).collect()
}

/// The words of a text as a document of that language has them, with their places in the text.
pub(crate) fn tokens_of(text: &str, language: Language) -> Vec<Token> {
    let words = Words {
        pairs_all: language == Language::Japanese,
    };
    let words = TextAnalyzer::builder(words).filter(RemoveLongFilter::limit(LONGEST_WORD_BYTES));
    let mut analyzer = match language.stems() {
        (own, None) => words.filter(Stemmer::new(own)).build(),
        (own, Some(foreign)) => words
            .filter(Stemmer::new(foreign))
            .filter(Stemmer::new(own))
            .build(),
    };
    collect(&mut analyzer, text)
}

/// The words of a text as they are written, but for case and diacritics.
pub(crate) fn unstemmed(text: &str) -> Vec<Token> {
    unstemmed_in(text, language::DEFAULT)
}

/// The same, one for each of [`tokens_of`] in that language.
pub(crate) fn unstemmed_in(text: &str, language: Language) -> Vec<Token> {
    let words = Words {
        pairs_all: language == Language::Japanese,
    };
    let mut analyzer = TextAnalyzer::builder(words)
        .filter(RemoveLongFilter::limit(LONGEST_WORD_BYTES))
        .build();
    collect(&mut analyzer, text)
}

/// The letters of a text that is one word, without case and diacritics.
pub(crate) fn unaccented(word: &str) -> String {
    let parts = CHARABIA.tokenize(word);
    parts.map(|part| part.lemma().to_owned()).collect()
}

fn collect(analyzer: &mut TextAnalyzer, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    analyzer.token_stream(text).process(&mut |token| {
        // Without holes, where a word was too long, so that no phrase reaches from one text into the next.
        tokens.push(Token {
            position: tokens.len(),
            ..token.clone()
        });
    });
    tokens
}

/// [`tokens_of`] behind tantivy's interface.
#[derive(Clone)]
struct MarkedWords;

impl Tokenizer for MarkedWords {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        let (text, language) = unmarked(text);
        WordStream {
            words: tokens_of(text, language).into_iter(),
            current: Token::default(),
        }
    }
}

/// charabia behind tantivy's interface.
#[derive(Clone)]
struct Words {
    /// Whether words of Chinese characters are cut into pairs, wherever they stand.
    pairs_all: bool,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        let mut words = Vec::new();
        if self.pairs_all {
            for (start, run, is_japanese) in runs(text) {
                match is_japanese {
                    true => add(&mut words, (start, start + run.len()), pairs(run)),
                    false => add_words(&mut words, start, run),
                }
            }
        } else {
            add_words(&mut words, 0, text);
        }
        WordStream {
            words: words.into_iter(),
            current: Token::default(),
        }
    }
}

/// Adds the words of a text that begins at that place.
fn add_words(words: &mut Vec<Token>, start: usize, text: &str) {
    for found in CHARABIA.tokenize(text).filter(|found| !found.is_separator()) {
        // charabia writes Japanese and Korean letters in parts; pairs need them whole.
        let whole = text.get(found.byte_start..found.byte_end).unwrap_or_default();
        let parts = if whole.contains(is_kana_or_hangul) {
            pairs(whole)
        } else {
            cut_at_symbols(found.lemma())
        };
        add(words, (start + found.byte_start, start + found.byte_end), parts);
    }
}

fn add(words: &mut Vec<Token>, (offset_from, offset_to): (usize, usize), parts: Vec<&str>) {
    for part in parts {
        words.push(Token {
            offset_from,
            offset_to,
            position: words.len(),
            text: part.to_owned(),
            position_length: 1,
        });
    }
}

/// The text in stretches of Japanese characters and of others, with their places.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let is_japanese = is_japanese(rest.chars().next()?);
        let end = rest
            .find(|c| self::is_japanese(c) != is_japanese)
            .unwrap_or(rest.len());
        let start = at;
        at += end;
        Some((start, rest.get(..end)?, is_japanese))
    })
}

fn is_japanese(c: char) -> bool {
    is_kana_or_hangul(c) || matches!(c, '\u{3005}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
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
