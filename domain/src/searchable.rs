//! How far a document can be found: first by its words, later by its meaning too.
//!
//! Extracting a document takes milliseconds and embedding it seconds, so a version is published in two steps,
//! each of them whole: for words as soon as its text is there, for meaning when all its vectors are.

use serde::{Deserialize, Serialize};

/// How a document can be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Searchable {
    /// Not at all: no version of it is published.
    #[default]
    Nothing,
    /// By its words. Its vectors are still to come.
    Words,
    /// By its words and by its vectors.
    WordsAndMeaning,
}

impl Searchable {
    /// The name that is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Words => "words",
            Self::WordsAndMeaning => "words_and_meaning",
        }
    }

    /// The name for a person.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Words => "words",
            Self::WordsAndMeaning => "words and meaning",
        }
    }
}

/// How much of a knowledge base has its vectors, in documents that can be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedShare {
    /// Documents that can be found by meaning.
    pub documents: u64,
    /// Documents that can be found at all.
    pub of: u64,
}

impl EmbeddedShare {
    /// Whether every document that can be found has its vectors.
    pub fn is_whole(self) -> bool {
        self.documents >= self.of
    }

    /// Documents whose vectors are still to come.
    pub fn pending(self) -> u64 {
        self.of.saturating_sub(self.documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_found_by_meaning_can_be_found_by_words() {
        assert!(Searchable::Nothing < Searchable::Words && Searchable::Words < Searchable::WordsAndMeaning);
    }

    #[test]
    fn a_name_is_what_is_sent() {
        for state in [
            Searchable::Nothing,
            Searchable::Words,
            Searchable::WordsAndMeaning,
        ] {
            let sent = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(state.as_str());
            assert_eq!(Searchable::deserialize(sent).ok(), Some(state));
        }
    }

    #[test]
    fn an_empty_knowledge_base_is_whole() {
        assert!(EmbeddedShare::default().is_whole());
        let half = EmbeddedShare { documents: 1, of: 2 };
        assert!(!half.is_whole());
        assert_eq!(half.pending(), 1);
    }
}
