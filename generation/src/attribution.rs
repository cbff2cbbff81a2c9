//! Giving each sentence of an answer the source it comes from, where the model forgot or erred.
//!
//! A small model at times answers from a source and cites nothing, or cites its neighbour. So sentences
//! are compared with what was handed over, by their terms; a number counts [`WORTH_OF_A_NUMBER`] times,
//! because it is mostly what was asked for. A sentence belongs to the source that has the most of its
//! terms, if those are at least [`CLEAR_OVERLAP`] of them; of two with the same, to the one that the
//! search thought better. A citation is changed only where its source has less than half of what that
//! one has, and an answer without citations gets those of its sentences. A sentence that clearly belongs
//! to none gets none: a citation is never made up.

use std::collections::BTreeSet;

use crate::prompt::DONT_KNOW_START;
use crate::selection::Excerpt;
use crate::sentences::split;
use crate::terms::terms;

/// The part of a sentence's terms that its source must have.
const CLEAR_OVERLAP: f32 = 0.6;
const WORTH_OF_A_NUMBER: f32 = 3.0;

/// What was handed over, ready to be compared with.
#[derive(Debug)]
pub struct Attribution {
    known: Vec<(u32, BTreeSet<String>)>,
}

impl Attribution {
    /// Takes the terms of what was handed over, best first.
    pub fn new(excerpts: &[Excerpt]) -> Self {
        let terms_of = |excerpt: &Excerpt| terms(&format!("{}\n{}", excerpt.label, excerpt.text));
        Self {
            known: excerpts
                .iter()
                .map(|excerpt| (excerpt.number, terms_of(excerpt)))
                .collect(),
        }
    }

    /// The numbers of the sources that the sentences of `answer` clearly come from.
    pub fn sources_of(&self, answer: &str) -> BTreeSet<u32> {
        if answer.trim_start().starts_with(DONT_KNOW_START) {
            return BTreeSet::new();
        }
        split(answer)
            .iter()
            .filter_map(|sentence| self.source_of(&terms(&sentence.text)))
            .map(|(number, _overlap)| number)
            .collect()
    }

    /// The number to put behind `sentence`, where the model wrote `cited`.
    pub fn corrected(&self, sentence: &str, cited: u32) -> u32 {
        let sentence = terms(sentence);
        let own = self
            .known
            .iter()
            .find(|(number, _)| *number == cited)
            .map_or(0.0, |(_, terms)| overlap(&sentence, terms));
        match self.source_of(&sentence) {
            Some((number, best)) if own * 2.0 < best => number,
            _ => cited,
        }
    }

    /// The source that a sentence clearly belongs to, and the part of its terms there.
    fn source_of(&self, sentence: &BTreeSet<String>) -> Option<(u32, f32)> {
        let mut best: Option<(u32, f32)> = None;
        for (number, terms) in &self.known {
            let part = overlap(sentence, terms);
            if part >= CLEAR_OVERLAP && best.is_none_or(|(_, most)| part > most) {
                best = Some((*number, part));
            }
        }
        best
    }
}

/// The part of a sentence's terms, by their worth, that `source` has.
fn overlap(sentence: &BTreeSet<String>, source: &BTreeSet<String>) -> f32 {
    let worth = |term: &String| match term.bytes().any(|byte| byte.is_ascii_digit()) {
        true => WORTH_OF_A_NUMBER,
        false => 1.0,
    };
    let all: f32 = sentence.iter().map(worth).sum();
    let there: f32 = sentence.intersection(source).map(worth).sum();
    if all > 0.0 { there / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribution() -> Attribution {
        let excerpt = |number, label: &str, text: &str| Excerpt {
            number,
            label: label.to_owned(),
            text: text.to_owned(),
        };
        Attribution::new(&[
            excerpt(1, "Parental leave", "Parents get 20 weeks of paid leave."),
            excerpt(2, "Canteen", "Lunch costs 5 euros."),
        ])
    }

    #[test]
    fn a_sentence_belongs_to_the_source_with_its_words() {
        assert_eq!(
            attribution().sources_of("Parents get 20 weeks."),
            BTreeSet::from([1])
        );
        assert_eq!(
            attribution().sources_of("The leave is 20 weeks. Lunch costs 5 euros."),
            BTreeSet::from([1, 2])
        );
    }

    #[test]
    fn what_comes_from_nowhere_gets_no_source() {
        assert!(attribution().sources_of("The moon is made of cheese.").is_empty());
        assert!(
            attribution()
                .sources_of("I don't know. Lunch costs 5 euros.")
                .is_empty()
        );
        assert!(attribution().sources_of("").is_empty());
    }

    #[test]
    fn a_citation_of_the_neighbour_is_changed_and_a_fair_one_stays() {
        assert_eq!(attribution().corrected("Parents get 20 weeks of leave", 2), 1);
        assert_eq!(attribution().corrected("Lunch costs 5 euros", 2), 2);
        assert_eq!(attribution().corrected("The moon is made of cheese", 2), 2);
    }
}
