//! A question as it comes in: its text, which index is asked, what it is narrowed to, how much is wanted, and what is
//! refused.

use std::fmt;
use std::str::FromStr;

use lectern_domain::ports::{FacetRequest, SortKey};
use lectern_domain::{Filter, Tuning};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The longest question that is read, in characters.
pub const LONGEST_QUESTION: usize = 20_000;
/// The most passages that one search gives.
pub const MOST_PASSAGES: usize = 1_000;
/// The most attributes whose values are counted.
pub const MOST_FACETS: usize = 20;
/// The most values of an attribute that are given.
pub const MOST_FACET_VALUES: usize = 1_000;
/// The most further passages of a document that stand behind its best one.
pub const MOST_EXPANDED: usize = 20;
/// The most chunks before and after a passage that are given with it.
pub const MOST_NEIGHBOURS: usize = 5;
/// The most attributes that results are put in order by.
pub const MOST_SORT_KEYS: usize = 3;

/// Which index is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Both, and their lists are merged.
    #[default]
    Hybrid,
    /// That of vectors.
    Vector,
    /// That of words. No model is needed.
    Lexical,
}

impl SearchMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::Vector, Self::Lexical];

    /// The name that is written and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Vector => "vector",
            Self::Lexical => "lexical",
        }
    }
}

impl fmt::Display for SearchMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no mode.
#[derive(Debug, thiserror::Error)]
#[error("no search mode: {0:?} (expected hybrid, vector or lexical)")]
pub struct SearchModeError(String);

impl FromStr for SearchMode {
    type Err = SearchModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| SearchModeError(text.to_owned()))
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The question, or a few words. May be empty where there is something else to go by: a filter, an order, facets.
    /// Then all documents are meant.
    pub text: String,
    /// Which index is asked.
    #[serde(default)]
    pub mode: SearchMode,
    /// The most passages, from 1 to [`MOST_PASSAGES`].
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// The most passages of one document; any number where it isn't said.
    #[serde(default)]
    pub per_document: Option<usize>,
    /// Whether quotes, `+`, `-` and `field:` mean something in the text.
    #[serde(default)]
    pub operators: bool,
    /// Whether a word that no document has may stand for one that differs in a letter or two.
    #[serde(default)]
    pub typos: bool,
    /// Which documents count.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// The attributes whose values are counted.
    #[serde(default)]
    pub facets: Vec<FacetRequest>,
    /// What the results are put in order by, in place of how well they match.
    #[serde(default)]
    pub sort: Vec<SortKey>,
    /// How matches are weighed for this question, in place of how the knowledge base weighs them.
    #[serde(default)]
    pub tuning: Option<Tuning>,
    /// Whether the places are marked where the words stand.
    #[serde(default)]
    pub highlights: bool,
    /// Whether the sentence is looked for that answers the question.
    #[serde(default)]
    pub answer: bool,
    /// Whether it is said how the text may have been meant, where the documents don't have a word of it.
    #[serde(default)]
    pub spelling: bool,
    /// Whether each passage says how it came to its place.
    #[serde(default)]
    pub explain: bool,
    /// Whether the reranker judges the first passages again, where there is one.
    #[serde(default = "is_wanted")]
    pub rerank: bool,
    /// Whether passages that say nearly the same stand behind the best of them.
    #[serde(default)]
    pub fold: bool,
    /// How much a passage counts less for saying what was said above it, from 0 (not at all) to 1.
    #[serde(default)]
    pub diversity: f32,
    /// Each document once, with so many more of its passages behind the best one, as far as the indexes found them.
    #[serde(default)]
    pub expand: Option<usize>,
    /// How many chunks before and after each passage are given with it.
    #[serde(default)]
    pub neighbours: u32,
}

fn is_wanted() -> bool {
    true
}

fn default_limit() -> usize {
    10
}

impl SearchRequest {
    /// A hybrid search for ten passages.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            mode: SearchMode::default(),
            limit: default_limit(),
            per_document: None,
            operators: false,
            typos: false,
            filter: None,
            facets: Vec::new(),
            sort: Vec::new(),
            tuning: None,
            highlights: false,
            answer: false,
            spelling: false,
            explain: false,
            rerank: true,
            fold: false,
            diversity: 0.0,
            expand: None,
            neighbours: 0,
        }
    }

    /// Whether it names nothing to look for, and all documents are meant.
    pub fn is_browsing(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_browsing() && self.filter.is_none() && self.sort.is_empty() && self.facets.is_empty() {
            return Err(Error::QuestionEmpty);
        }
        let characters = self.text.chars().count();
        if characters > LONGEST_QUESTION {
            return Err(Error::QuestionTooLong {
                characters,
                limit: LONGEST_QUESTION,
            });
        }
        if !(1..=MOST_PASSAGES).contains(&self.limit) {
            return Err(Error::LimitOutOfRange {
                limit: self.limit,
                most: MOST_PASSAGES,
            });
        }
        if let Some(filter) = &self.filter {
            filter.check()?;
        }
        if let Some(tuning) = &self.tuning {
            tuning.check()?;
        }
        if !(0.0..=1.0).contains(&self.diversity) {
            return Err(Error::DiversityOutOfRange);
        }
        if self.expand.is_some_and(|others| others > MOST_EXPANDED) {
            return Err(Error::TooManyBeside {
                what: "passages behind each document",
                most: MOST_EXPANDED,
            });
        }
        if self.neighbours as usize > MOST_NEIGHBOURS {
            return Err(Error::TooManyBeside {
                what: "neighbours of each passage",
                most: MOST_NEIGHBOURS,
            });
        }
        self.check_facets()?;
        if self.sort.len() > MOST_SORT_KEYS {
            return Err(Error::TooManySortKeys {
                keys: self.sort.len(),
            });
        }
        Ok(())
    }

    fn check_facets(&self) -> Result<(), Error> {
        if self.facets.len() > MOST_FACETS {
            return Err(Error::TooManyFacets {
                facets: self.facets.len(),
            });
        }
        for facet in &self.facets {
            if facet.attribute.is_empty() || !(1..=MOST_FACET_VALUES).contains(&facet.limit) {
                return Err(Error::FacetInvalid {
                    attribute: facet.attribute.clone(),
                });
            }
        }
        Ok(())
    }
}
