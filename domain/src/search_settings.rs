//! What those who run a knowledge base say about searches in it: which words mean the same, what counts more, which
//! documents are shown first for a question, and which questions have an answer already.

use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::tuning::{Tuning, TuningError};

/// The most featured sets, and the most frequent questions, of a knowledge base.
pub const MOST_CURATED: usize = 500;
/// The most texts of one of them (queries of a set, keys of its documents, ways to ask).
pub const MOST_TEXTS: usize = 50;
/// The longest of those texts, in characters.
pub const LONGEST_TEXT: usize = 1_000;
/// The longest answer, in characters.
pub const LONGEST_ANSWER: usize = 10_000;

/// The settings of searches in a knowledge base.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchSettings {
    /// Words that mean the same, in Solr's form: a line of `a, b, c` for words that stand for each other, or of
    /// `a, b => c` for those that stand for others.
    pub synonyms: String,
    /// How matches are weighed.
    pub tuning: Tuning,
    /// Documents that come first for a question.
    pub featured: Vec<Featured>,
    /// Questions that have an answer already.
    pub questions: Vec<FrequentQuestion>,
}

/// Documents that are shown above all others for some questions, to those who may read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Featured {
    /// The questions, in any case and with any spaces.
    pub queries: Vec<String>,
    /// The addresses (`uri`) or paths of the documents, in the order in which they are shown.
    pub documents: Vec<String>,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequentQuestion {
    /// Ways to ask it.
    pub questions: Vec<String>,
    /// The answer, as it is shown.
    pub answer: String,
    /// Where more is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Who may read it; everyone who may search where it isn't said.
    #[serde(default = "Acl::everyone")]
    pub readers: Acl,
}

/// Settings that mean nothing, or are too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The tuning.
    #[error(transparent)]
    Tuning(#[from] TuningError),
    /// Too many.
    #[error("there may be {MOST_CURATED} featured sets and as many questions")]
    TooMany,
    /// A set or a question without texts, or with too many.
    #[error("{0} needs 1 to {MOST_TEXTS} texts, none of them empty or longer than {LONGEST_TEXT} characters")]
    Texts(String),
    /// An answer.
    #[error("the answer to {0:?} is empty or longer than {LONGEST_ANSWER} characters")]
    Answer(String),
}

impl SearchSettings {
    /// Looks at all but the synonyms, which whoever reads them checks.
    ///
    /// # Errors
    /// A [`SettingsError`], which names what is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.tuning.check()?;
        if self.featured.len() > MOST_CURATED || self.questions.len() > MOST_CURATED {
            return Err(SettingsError::TooMany);
        }
        for (number, featured) in self.featured.iter().enumerate() {
            let name = || format!("featured set {}", number + 1);
            check_texts(&featured.queries, name)?;
            check_texts(&featured.documents, name)?;
        }
        for (number, question) in self.questions.iter().enumerate() {
            check_texts(&question.questions, || format!("question {}", number + 1))?;
            let characters = question.answer.chars().count();
            if question.answer.trim().is_empty() || characters > LONGEST_ANSWER {
                return Err(SettingsError::Answer(question.questions.concat()));
            }
        }
        Ok(())
    }
}

fn check_texts(texts: &[String], name: impl Fn() -> String) -> Result<(), SettingsError> {
    let fits = |text: &String| !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT;
    match (1..=MOST_TEXTS).contains(&texts.len()) && texts.iter().all(fits) {
        true => Ok(()),
        false => Err(SettingsError::Texts(name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Result<(), SettingsError> {
        serde_json::from_str::<SearchSettings>(json).unwrap().check()
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(settings("{}"), Ok(()));
        assert_eq!(
            settings(
                r#"{"featured":[{"queries":["leave"],"documents":["a.md"]},{"queries":[" "],"documents":["a"]}]}"#
            ),
            Err(SettingsError::Texts("featured set 2".into()))
        );
        assert_eq!(
            settings(r#"{"questions":[{"questions":["Who?"],"answer":" "}]}"#),
            Err(SettingsError::Answer("Who?".into()))
        );
        assert!(matches!(
            settings(r#"{"tuning":{"values":[{"attribute":"a","value":"b","weight":-1}]}}"#),
            Err(SettingsError::Tuning(_))
        ));
    }

    #[test]
    fn an_answer_is_for_everyone_unless_it_says_for_whom() {
        let read: FrequentQuestion =
            serde_json::from_str(r#"{"questions":["Who?"],"answer":"We."}"#).unwrap();
        assert_eq!(read.readers, Acl::everyone());
    }
}
