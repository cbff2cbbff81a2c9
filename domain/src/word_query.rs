//! What is looked for in an index of words: the clauses that a question was read into.

use serde::{Deserialize, Serialize};

use crate::tuning::FieldWeights;

/// Where the words of a clause must stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordField {
    /// Anywhere: the title, a heading, the text.
    #[default]
    Any,
    /// In the title.
    Title,
    /// In a heading.
    Heading,
    /// In the text.
    Text,
}

/// Whether a clause must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// It adds to the score; of a query's clauses of this kind one must match where there is no other.
    #[default]
    Should,
    /// It must match, with all of its words.
    Must,
    /// It must not.
    MustNot,
}

/// Words that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordClause {
    /// Where they stand.
    pub field: WordField,
    /// Whether they must.
    pub occurrence: Occurrence,
    /// Whether they stand one after the other.
    pub is_phrase: bool,
    /// The words as they were typed.
    pub text: String,
    /// What means the same, each a word or a phrase: one of them counts as much as the words themselves.
    pub synonyms: Vec<String>,
}

/// What an index of words looks for. A question without operators is one clause with all of its words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WordQuery {
    /// In the order of the question.
    pub clauses: Vec<WordClause>,
    /// Whether words that the index hasn't got may stand for ones that differ in a letter or two.
    pub tolerates_typos: bool,
    /// How much a word counts by where it stands; as built in where it isn't said.
    pub weights: Option<FieldWeights>,
}

impl WordQuery {
    /// All words of a text, none of which is an operator.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            clauses: vec![WordClause {
                text: text.into(),
                ..WordClause::default()
            }],
            ..Self::default()
        }
    }

    /// The words that are looked for, without those that must not be there: what a model reads of the question.
    pub fn wanted_text(&self) -> String {
        let wanted = self
            .clauses
            .iter()
            .filter(|clause| clause.occurrence != Occurrence::MustNot);
        let texts: Vec<&str> = wanted.map(|clause| clause.text.as_str()).collect();
        texts.join(" ")
    }

    /// Whether a chunk can be kept out by what it says: it lacks a word that must be there, or has one that must not.
    pub fn restricts(&self) -> bool {
        self.clauses
            .iter()
            .any(|clause| clause.occurrence != Occurrence::Should)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_there_is_not_asked_for() {
        let clause = |text: &str, occurrence| WordClause {
            text: text.into(),
            occurrence,
            ..WordClause::default()
        };
        let query = WordQuery {
            clauses: vec![
                clause("parental leave", Occurrence::Should),
                clause("unpaid", Occurrence::MustNot),
            ],
            ..WordQuery::default()
        };
        assert_eq!(query.wanted_text(), "parental leave");
        assert!(query.restricts());
        assert!(!WordQuery::plain("parental leave").restricts());
    }
}
