//! What a clause of a query asks for: ways of saying it, of which one is enough.
//!
//! The index ([`super::clauses`]), the check of a single chunk ([`super::admits`]) and highlighting read clauses
//! through this, so that they mean the same.

use lectern_domain::WordClause;

use super::language::{self, Language};
use super::tokenizer::tokens_of;

/// The most words of a clause that are looked at, where all of them must be there.
const MOST_WORDS: usize = 64;
/// The most synonyms of a clause.
const MOST_SYNONYMS: usize = 64;

/// One way of saying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wording {
    /// The words as the index has them.
    pub words: Vec<String>,
    /// Whether they stand one after the other.
    pub is_phrase: bool,
}

impl Wording {
    fn of(text: &str, is_phrase: bool, language: Language) -> Option<Self> {
        let tokens = tokens_of(text, language).into_iter().take(MOST_WORDS);
        let words: Vec<String> = tokens.map(|token| token.text).collect();
        let is_phrase = is_phrase && words.len() > 1;
        (!words.is_empty()).then_some(Self { words, is_phrase })
    }
}

/// The ways of saying what a clause asks for in a language: its own words first, then its synonyms, each a phrase.
/// None where the clause holds no word, and means nothing.
pub(crate) fn wordings(clause: &WordClause, language: Language) -> Vec<Wording> {
    let Some(own) = Wording::of(&clause.text, clause.is_phrase, language) else {
        return Vec::new();
    };
    let synonyms = clause.synonyms.iter().take(MOST_SYNONYMS);
    let synonyms = synonyms.filter_map(|synonym| Wording::of(synonym, true, language));
    std::iter::once(own).chain(synonyms).collect()
}

/// The same for the code of a language, as the attribute `language` has it.
pub(crate) fn wordings_in(clause: &WordClause, code: Option<&str>) -> Vec<Wording> {
    let language = code.and_then(language::of_code).unwrap_or(language::DEFAULT);
    wordings(clause, language)
}
