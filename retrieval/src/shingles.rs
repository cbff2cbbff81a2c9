//! What two passages have in common, by their words.
//!
//! A text becomes the set of its runs of [`RUN`] words (shingles), hashed; two texts resemble each other by the share
//! of shingles that they have in common (Broder 1997, "On the resemblance and containment of documents"). A search
//! gives so few passages that the sets themselves are compared, not a sketch of them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words in a shingle. A shorter text is one shingle.
const RUN: usize = 4;

/// The shingles of a text, and its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shingles {
    runs: HashSet<u64>,
    words: HashSet<u64>,
    numbers: HashSet<u64>,
}

impl Shingles {
    /// Reads a text. Case, punctuation and white space don't count.
    pub fn of(text: &str) -> Self {
        let words: Vec<String> = text
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let numbers = words.iter().filter(|word| word.contains(char::is_numeric));
        let run = RUN.min(words.len()).max(1);
        Self {
            runs: words.windows(run).map(hash).collect(),
            numbers: numbers.map(hash).collect(),
            words: words.iter().map(hash).collect(),
        }
    }

    /// All shingles, hashed.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = u64> {
        self.runs.iter().copied()
    }

    /// Whether both texts have the same numbers. Two price lists may differ in nothing else.
    pub fn has_the_numbers_of(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }

    /// The share of words that two texts have in common, from 0 to 1: what they are about, rather than how they say it.
    pub fn overlap(&self, other: &Self) -> f32 {
        let shared = self.words.intersection(&other.words).count();
        let all = self.words.len() + other.words.len() - shared;
        if all == 0 { 0.0 } else { shared as f32 / all as f32 }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
