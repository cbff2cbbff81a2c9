//! Which sentences of which passages the generator gets to read.
//!
//! A CPU reads some 25 tokens of a prompt per second, so each sentence that is left out is seconds won
//! before the first word. A sentence is worth the question's terms that it has, each by its rarity
//! among all the sentences at hand; a little for what its headings, its passage and its neighbours are
//! worth; and, where there is an embedder, for how near it is to the question. The best ones are taken
//! until the budget of tokens is used up. They are handed over in the order in which they stand.

use std::collections::{BTreeMap, BTreeSet};

use lectern_domain::Passage;

use crate::reading::texts_to_read;
use crate::sentences::{Sentence, SentenceKind, split};
use crate::terms::terms;

const WORTH_OF_HEADINGS: f32 = 0.3;
const WORTH_OF_PASSAGE: f32 = 0.25;
const WORTH_OF_NEIGHBOUR: f32 = 0.3;
const WORTH_OF_NEARNESS: f32 = 0.6;
/// A sentence below this part of the best one's worth isn't worth its time.
const WORTH_TAKING: f32 = 0.5;
/// Tokens of the brackets, the number and the line breaks around a source.
const SOURCE_OVERHEAD_TOKENS: usize = 6;

/// A passage cut into sentences, with what each is worth for the question.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The number it is cited by.
    pub number: u32,
    /// What it is called: the title and the headings.
    pub label: String,
    /// In their order.
    pub sentences: Vec<Sentence>,
    worth: Vec<f32>,
}

/// What the generator gets to read of a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The number it is cited by.
    pub number: u32,
    /// What it is called: the title and the headings.
    pub label: String,
    /// The sentences that were taken, in their order, on one line each or in a row.
    pub text: String,
}

/// Cuts `passages` into sentences and says what each is worth for `question`. They are numbered from 1.
pub fn candidates(question: &str, passages: &[Passage]) -> Vec<Candidate> {
    let wanted = terms(question);
    let cut: Vec<Vec<Sentence>> = texts_to_read(passages).iter().map(|text| split(text)).collect();
    let sentence_terms: Vec<Vec<BTreeSet<String>>> = cut
        .iter()
        .map(|sentences| sentences.iter().map(|sentence| terms(&sentence.text)).collect())
        .collect();
    let weights = rarity(&wanted, &sentence_terms);
    let total: f32 = weights.values().sum::<f32>().max(f32::EPSILON);
    let coverage = |found: &BTreeSet<String>| -> f32 {
        weights
            .iter()
            .filter(|(term, _)| found.contains(**term))
            .map(|(_, weight)| weight)
            .sum::<f32>()
            / total
    };

    let mut all = Vec::with_capacity(passages.len());
    for (index, ((passage, sentences), found)) in passages.iter().zip(cut).zip(&sentence_terms).enumerate() {
        let label = label_of(passage);
        let base = WORTH_OF_HEADINGS * coverage(&terms(&label)) + WORTH_OF_PASSAGE * passage.score.value();
        let own: Vec<f32> = sentences
            .iter()
            .zip(found)
            .map(|(sentence, terms)| {
                let above = sentence
                    .introduced_by
                    .map_or(0.0, |place| coverage(&found[place]));
                coverage(terms) + WORTH_OF_HEADINGS * above + base
            })
            .collect();
        all.push(Candidate {
            number: u32::try_from(index + 1).unwrap_or(u32::MAX),
            label,
            worth: with_neighbours(&own),
            sentences,
        });
    }
    all
}

impl Candidate {
    /// Adds to the worth of sentence `index` how near it is to the question, at most 1.
    pub fn add_nearness(&mut self, index: usize, nearness: f32) {
        if let Some(worth) = self.worth.get_mut(index) {
            *worth += WORTH_OF_NEARNESS * nearness.max(0.0);
        }
    }

    /// The sentence `index`, what introduces it, what introduces that, and so on.
    fn with_introductions(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(index), |index| self.sentences.get(*index)?.introduced_by)
    }

    /// The worth of its sentences, in their order.
    pub fn worth(&self) -> &[f32] {
        &self.worth
    }
}

/// Takes the best sentences of all until `budget_tokens` are used up. At least one is taken, whole, if
/// there is any.
pub fn choose(
    candidates: &[Candidate],
    budget_tokens: usize,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Excerpt> {
    let mut order: Vec<(usize, usize)> = candidates
        .iter()
        .enumerate()
        .flat_map(|(passage, candidate)| {
            (0..candidate.sentences.len()).map(move |sentence| (passage, sentence))
        })
        // A heading comes with what stands below it.
        .filter(|(passage, sentence)| candidates[*passage].sentences[*sentence].kind != SentenceKind::Heading)
        .collect();
    let worth = |(passage, sentence): (usize, usize)| candidates[passage].worth[sentence];
    order.sort_by(|one, other| worth(*other).total_cmp(&worth(*one)).then(one.cmp(other)));
    let least = order.first().map_or(0.0, |best| worth(*best) * WORTH_TAKING);

    let mut taken: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut used = 0;
    for &(passage, sentence) in order.iter().take_while(|place| worth(**place) >= least) {
        let candidate = &candidates[passage];
        let new: Vec<usize> = candidate
            .with_introductions(sentence)
            .filter(|index| !taken.get(&passage).is_some_and(|known| known.contains(index)))
            .collect();
        let mut cost: usize = new
            .iter()
            .map(|index| count_tokens(&candidate.sentences[*index].text))
            .sum();
        if !taken.contains_key(&passage) {
            cost += count_tokens(&candidate.label) + SOURCE_OVERHEAD_TOKENS;
        }
        if used > 0 && used + cost > budget_tokens {
            continue;
        }
        used += cost;
        taken.entry(passage).or_default().extend(new);
    }
    taken
        .into_iter()
        .map(|(passage, chosen)| excerpt(&candidates[passage], &chosen))
        .collect()
}

fn excerpt(candidate: &Candidate, chosen: &BTreeSet<usize>) -> Excerpt {
    let mut text = String::new();
    let mut last: Option<usize> = None;
    for &index in chosen {
        let sentence = &candidate.sentences[index];
        if let Some(last) = last {
            let in_a_row = [last, index]
                .iter()
                .all(|index| candidate.sentences[*index].kind == SentenceKind::Text);
            text.push_str(match in_a_row {
                true if index == last + 1 => " ",
                true => " … ",
                false => "\n",
            });
        }
        text.push_str(&sentence.text);
        if sentence.kind == SentenceKind::Heading && !sentence.text.ends_with([':', '?', '.']) {
            text.push(':');
        }
        last = Some(index);
    }
    Excerpt {
        number: candidate.number,
        label: candidate.label.clone(),
        text,
    }
}

/// The title and the headings of a passage, each once.
fn label_of(passage: &Passage) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in std::iter::once(&passage.title).chain(&passage.heading_path) {
        let part = part.trim();
        if !part.is_empty() && parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    parts.join(" > ")
}

/// The weight of each wanted term: `ln(1 + n / (1 + sentences with it))`.
fn rarity<'terms>(
    wanted: &'terms BTreeSet<String>,
    sentence_terms: &[Vec<BTreeSet<String>>],
) -> BTreeMap<&'terms str, f32> {
    let count = sentence_terms.iter().map(Vec::len).sum::<usize>() as f32;
    wanted
        .iter()
        .map(|term| {
            let with_it = sentence_terms
                .iter()
                .flatten()
                .filter(|found| found.contains(term))
                .count() as f32;
            (term.as_str(), (1.0 + count / (1.0 + with_it)).ln())
        })
        .collect()
}

fn with_neighbours(own: &[f32]) -> Vec<f32> {
    (0..own.len())
        .map(|index| {
            let before = index
                .checked_sub(1)
                .and_then(|index| own.get(index))
                .copied()
                .unwrap_or(0.0);
            let after = own.get(index + 1).copied().unwrap_or(0.0);
            own[index] + WORTH_OF_NEIGHBOUR * before.max(after)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::test_passage;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    #[test]
    fn the_sentence_with_the_rare_words_comes_first_and_the_budget_holds() {
        let passages = [
            test_passage(
                "Leave",
                "Staff get leave. Parental leave is 20 weeks. Leave is paid. Lunch is at noon.",
            ),
            test_passage("Canteen", "Lunch is served at noon. Soup is free. Bread is free."),
        ];
        let excerpts = choose(&candidates("How long is parental leave?", &passages), 12, &words);
        assert_eq!(excerpts.len(), 1);
        assert_eq!(excerpts[0].number, 1);
        assert!(excerpts[0].text.contains("Parental leave is 20 weeks."));
        assert!(!excerpts[0].text.contains("Lunch"));
    }

    #[test]
    fn a_row_brings_the_head_of_its_table() {
        let table = "| Plan | Price |\n|---|---|\n| Small | 5 |\n| Large | 9 |";
        let excerpts = choose(
            &candidates("price of the large plan", &[test_passage("Plans", table)]),
            60,
            &words,
        );
        assert!(excerpts[0].text.starts_with("| Plan | Price |\n"));
        assert!(excerpts[0].text.contains("| Large | 9 |"));
    }

    #[test]
    fn a_heading_comes_with_its_sentence_and_never_alone() {
        let text = "## Parental leave\n\nIt is 20 weeks.\n\n## Lunch leave\n\nSoup.";
        let found = candidates("parental leave weeks", &[test_passage("Rules", text)]);
        let excerpts = choose(&found, 60, &words);
        assert_eq!(excerpts[0].text, "Parental leave:\nIt is 20 weeks.");
    }

    #[test]
    fn one_sentence_is_taken_even_where_it_is_too_long() {
        let excerpts = choose(
            &candidates("x", &[test_passage("T", "A sentence of six words here.")]),
            1,
            &words,
        );
        assert_eq!(excerpts.len(), 1);
        assert!(choose(&candidates("x", &[]), 100, &words).is_empty());
    }
}
