//! Words that every text of a language has, and that say nothing of its subject.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use tantivy::tokenizer::{Language as Stems, RawTokenizer, StopWordFilter, TextAnalyzer, TokenStream};

use super::language::{self, Language};
use super::tokenizer::unstemmed;
use crate::confidence::function_words;

/// What leaves out the stop words of a language, for those that the engine has a list of.
static FILTERS: LazyLock<HashMap<Stems, TextAnalyzer>> = LazyLock::new(|| {
    let filter = |language: Stems| {
        let filter = StopWordFilter::new(language)?;
        let analyzer = TextAnalyzer::builder(RawTokenizer::default())
            .filter(filter)
            .build();
        Some((language, analyzer))
    };
    language::all_stems().filter_map(filter).collect()
});

/// The stop words of the language of a question or a text. Those of English count in every language: a question may
/// be in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopWords {
    language: Option<Language>,
}

impl StopWords {
    /// Those of a language by its code, as the attribute `language` has it.
    pub(crate) fn of(code: Option<&str>) -> Self {
        Self {
            language: code.and_then(language::of_code),
        }
    }

    /// Whether a word, as it is written, is one of them.
    pub(crate) fn contain(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let unaccented: HashSet<String> = unstemmed(&word).into_iter().map(|token| token.text).collect();
        let english = function_words();
        if !unaccented.is_empty() && unaccented.iter().all(|word| english.contains(word.as_str())) {
            return true;
        }
        let filter = match self.language {
            Some(Language::Stemmed(stems)) => FILTERS.get(&stems),
            _ => None,
        };
        filter.is_some_and(|filter| !filter.clone().token_stream(&word).advance())
    }
}
