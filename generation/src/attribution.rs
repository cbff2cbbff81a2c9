//! Giving an answer its source where the model forgot to.
//!
//! A small model at times answers from a source and cites nothing. Then each sentence of the answer is
//! compared with what was handed over. A sentence belongs to the source that has at least
//! [`CLEAR_OVERLAP`] of its terms and more of them than any other; of two that have the same, to the
//! one that the search thought better. A sentence that belongs to none gets none: a citation is never
//! made up.

use std::collections::BTreeSet;

use crate::prompt::DONT_KNOW_START;
use crate::selection::Excerpt;
use crate::sentences::split;
use crate::terms::terms;

/// The part of a sentence's terms that its source must have.
const CLEAR_OVERLAP: f32 = 0.6;

/// The numbers of the sources that the sentences of `answer` clearly come from.
pub fn sources_of(answer: &str, excerpts: &[Excerpt]) -> BTreeSet<u32> {
    if answer.trim_start().starts_with(DONT_KNOW_START) {
        return BTreeSet::new();
    }
    let known: Vec<(u32, BTreeSet<String>)> = excerpts
        .iter()
        .map(|excerpt| {
            (
                excerpt.number,
                terms(&format!("{}\n{}", excerpt.label, excerpt.text)),
            )
        })
        .collect();
    split(answer)
        .iter()
        .filter_map(|sentence| source_of(&terms(&sentence.text), &known))
        .collect()
}

fn source_of(sentence: &BTreeSet<String>, known: &[(u32, BTreeSet<String>)]) -> Option<u32> {
    let overlap = |terms: &BTreeSet<String>| sentence.intersection(terms).count();
    // `min_by_key` takes the first of equals, which is the better-ranked one.
    let (number, terms) = known
        .iter()
        .min_by_key(|(_, terms)| std::cmp::Reverse(overlap(terms)))?;
    let part = overlap(terms) as f32 / sentence.len().max(1) as f32;
    (part >= CLEAR_OVERLAP).then_some(*number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpts() -> Vec<Excerpt> {
        let excerpt = |number, label: &str, text: &str| Excerpt {
            number,
            label: label.to_owned(),
            text: text.to_owned(),
        };
        vec![
            excerpt(1, "Parental leave", "Parents get 20 weeks of paid leave."),
            excerpt(2, "Canteen", "Lunch costs 5 euros."),
        ]
    }

    #[test]
    fn a_sentence_belongs_to_the_source_with_its_words() {
        assert_eq!(
            sources_of("Parents get 20 weeks.", &excerpts()),
            BTreeSet::from([1])
        );
        assert_eq!(
            sources_of("The leave is 20 weeks. Lunch costs 5 euros.", &excerpts()),
            BTreeSet::from([1, 2])
        );
    }

    #[test]
    fn what_comes_from_nowhere_gets_no_source() {
        assert!(sources_of("The moon is made of cheese.", &excerpts()).is_empty());
        assert!(sources_of("I don't know. Lunch costs 5 euros.", &excerpts()).is_empty());
        assert!(sources_of("", &excerpts()).is_empty());
    }
}
