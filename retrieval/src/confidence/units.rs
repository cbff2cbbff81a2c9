//! The words that a query looks for, each with the ways in which a text may say it.
//!
//! A word stands for itself, and for every synonym of the clause that it is in: a passage that says `working from home`
//! has said `wfh`. How sure a search is and which sentence answers are both counted in such words, so that what is found
//! in another wording counts as what it is.

use std::collections::{BTreeSet, HashMap, HashSet};

use lectern_domain::{Occurrence, WordQuery};

use crate::words::words_in;

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its stem.
    pub word: String,
    /// The ways of saying it, each as stems that are all needed.
    ways: BTreeSet<Vec<String>>,
}

impl Unit {
    /// Whether a text with these stems says it.
    pub(crate) fn is_said(&self, there: &HashSet<String>) -> bool {
        let mut ways = self.ways.iter();
        ways.any(|way| way.iter().all(|stem| there.contains(stem)))
    }
}

/// The words that a query looks for and that are wanted as they are written, each once, in the order of the query and in
/// the stems of a language, by its code. What must not be there isn't looked for.
pub(crate) fn units(
    query: &WordQuery,
    language: Option<&str>,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<Unit> {
    let stems = |text: &str| -> Vec<String> {
        words_in(text, language)
            .into_iter()
            .map(|word| word.stem)
            .collect()
    };
    let mut units: Vec<Unit> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for clause in &query.clauses {
        if clause.occurrence == Occurrence::MustNot {
            continue;
        }
        let synonyms = clause.synonyms.iter().map(|synonym| stems(synonym));
        let synonyms: Vec<Vec<String>> = synonyms.filter(|way| !way.is_empty()).collect();
        for word in words_in(&clause.text, language) {
            if !is_wanted(word.span.of(&clause.text).unwrap_or_default()) {
                continue;
            }
            let place = *places.entry(word.stem.clone()).or_insert(units.len());
            if place == units.len() {
                units.push(Unit {
                    ways: BTreeSet::from([vec![word.stem.clone()]]),
                    word: word.stem,
                });
            }
            if let Some(unit) = units.get_mut(place) {
                unit.ways.extend(synonyms.iter().cloned());
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use lectern_domain::WordClause;

    use super::*;

    fn clause(text: &str, occurrence: Occurrence, synonyms: &[&str]) -> WordClause {
        WordClause {
            text: text.to_owned(),
            occurrence,
            synonyms: synonyms.iter().map(|synonym| (*synonym).to_owned()).collect(),
            ..WordClause::default()
        }
    }

    fn said(query: &WordQuery, text: &str) -> Vec<String> {
        let there: HashSet<String> = words_in(text, None).into_iter().map(|word| word.stem).collect();
        let units = units(query, None, |_| true).into_iter();
        let said = units.filter(|unit| unit.is_said(&there));
        said.map(|unit| unit.word).collect()
    }

    #[test]
    fn a_word_is_said_by_itself_or_by_a_whole_synonym_of_its_clause() {
        let query = WordQuery {
            clauses: vec![
                clause("rules for", Occurrence::Should, &[]),
                clause("home office", Occurrence::Should, &["wfh", "working from home"]),
                clause("garden", Occurrence::MustNot, &["park"]),
            ],
            ..WordQuery::default()
        };
        assert_eq!(said(&query, "A rule of the office."), ["rule", "offic"]);
        assert_eq!(said(&query, "Who works from his home?"), ["home", "offic"]);
        assert_eq!(said(&query, "Work from the office."), ["offic"]);
        assert_eq!(said(&query, "WFH, in a garden or a park."), ["home", "offic"]);
    }

    #[test]
    fn a_word_that_comes_twice_is_one_with_the_ways_of_both() {
        let query = WordQuery {
            clauses: vec![
                clause("leave and", Occurrence::Should, &[]),
                clause("leaves", Occurrence::Must, &["pto"]),
            ],
            ..WordQuery::default()
        };
        assert_eq!(units(&query, None, |written| written != "and").len(), 1);
        assert_eq!(said(&query, "PTO"), ["leav"]);
    }
}
