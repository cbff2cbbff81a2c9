//! How sure a search is of what it found, and whether it found anything at all.
//!
//! Two signs are read from a passage: the cosine of its vector to the question's, and its coverage, the
//! share of the question's words of content that it contains, in whatever words mean the same here. Neither is enough: questions that a
//! collection answers reach down to a cosine of 0.26, questions that it doesn't up to 0.40. A passage is
//! taken to be about the question from `cosine + 0.3 * coverage` = 0.45 on.
//!
//! Three collections (Cranfield, xquad-en, the example handbook), each asked its own questions and those
//! of the other two, with the ten nearest passages each: refused of 654 questions that have an answer, and
//! of 1,352 that have none:
//!
//! | rule | own | foreign |
//! |---|---|---|
//! | cosine >= 0.30 | 0.8 % | 91.5 % |
//! | cosine >= 0.35 | 3.4 % | 97.1 % |
//! | cosine + 0.3 * coverage >= 0.40 | 0.6 % | 96.1 % |
//! | **cosine + 0.3 * coverage >= 0.45** | 1.4 % | 98.5 % |
//! | cosine + 0.3 * coverage >= 0.50 | 2.8 % | 99.5 % |
//! | coverage >= 0.40 (words alone) | 1.2 % | 83.2 % |
//!
//! The six questions about the handbook's company that the handbook doesn't answer were all refused.
//! A hybrid search, which sees more passages, refuses 9 of 654 (1.4 %) and 1,288 of 1,308 (98.5 %);
//! `tests/ranking.rs` (`calibration`) says how to measure.
//!
//! A passage that has nearly all words of the question may be about it whatever its cosine is: the chunk with an error
//! code is the one that was meant, and no model knows what the code means. One that only its words have found lies
//! somewhere beyond the end of the list of vectors; nothing but its cosine would make it more than that.
//!
//! All of it was measured with all-MiniLM-L6-v2, whose cosines are as they are. Those of another model come here on the
//! same scale ([`lectern_domain::ports::CosineScale`]); for multilingual-e5-small that scale is what its authors say of
//! its cosines and wasn't measured.

mod units;

use std::collections::HashSet;
use std::sync::LazyLock;

use lectern_domain::{Confidence, Passage, WordQuery};

use crate::fuse::BEYOND;
use crate::words::words_of;

pub(crate) use units::{Unit, units};

/// How much the coverage adds to the cosine.
const COVERAGE_WEIGHT: f32 = 0.3;
/// From where on the sum of both is nearly certain, probable and possible.
const STEPS: [f32; 3] = [0.85, 0.65, 0.45];
/// The same for the coverage alone.
const STEPS_OF_WORDS: [f32; 3] = [0.9, 0.6, 0.4];
/// The coverage that is enough whatever the cosine is: all words of a short question, and nine of ten of a long
/// one. Passages with all words of a question that they aren't about are rare, those with most of them aren't.
const NEARLY_ALL: f32 = 0.9;

/// What the index of vectors says of a passage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Nearness {
    /// Nothing: it wasn't asked, or the passage has no vector yet.
    #[default]
    Unasked,
    /// The cosine of its vector to the question's.
    Cosine(f32),
    /// It wasn't found: its cosine is no higher than this one, the last of those that were.
    Beyond(f32),
}

/// What is known about how well a passage matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// How near its vector is to the question's.
    pub nearness: Nearness,
    /// The share of the question's words of content that stand in the passage, 0 to 1.
    pub coverage: f32,
    /// Whether the question has a word of content at all. What asks with function words alone is covered by any text.
    pub has_content: bool,
}

impl Evidence {
    /// Reads the signs from a passage.
    pub fn of(asked: &AskedWords, passage_text: &str, nearness: Nearness) -> Self {
        Self {
            nearness,
            coverage: asked.coverage(passage_text),
            has_content: asked.has_content,
        }
    }

    /// The band for this evidence. Half of the questions that have an answer reach the highest one.
    pub fn confidence(&self) -> Confidence {
        let from_coverage = COVERAGE_WEIGHT * self.coverage;
        let by_words = match self.has_content && self.coverage >= NEARLY_ALL {
            true => Confidence::Medium,
            false => Confidence::Low,
        };
        match self.nearness {
            Nearness::Unasked => band(self.coverage, STEPS_OF_WORDS),
            Nearness::Cosine(cosine) => band(cosine + from_coverage, STEPS).max(by_words),
            // Fusion takes it for the same.
            Nearness::Beyond(last) => {
                let guessed = BEYOND * last.max(0.0);
                band(guessed + from_coverage, STEPS)
                    .min(Confidence::Medium)
                    .max(by_words)
            }
        }
    }
}

fn band(sign: f32, [nearly_certain, probable, possible]: [f32; 3]) -> Confidence {
    match sign {
        sign if sign >= nearly_certain => Confidence::VeryHigh,
        sign if sign >= probable => Confidence::High,
        sign if sign >= possible => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// English words that say nothing about the subject of a question.
const FUNCTION_WORDS: &str = "a about after all also am an and any are as at be been before being between both but \
    by can could did do does doing during each every few for from get had has have having he her here hers him his \
    how i if in into is it its just know many may me more most much must my no not of off on one or other our out \
    over own please same say says she should so some such tell than that the their them then there these they this \
    those through to under until up us very was we were what when where which while who whom whose why will with \
    would you your";

/// English words that say nothing about the subject of a text, in lower case.
pub(crate) fn function_words() -> &'static HashSet<&'static str> {
    static WORDS: LazyLock<HashSet<&'static str>> =
        LazyLock::new(|| FUNCTION_WORDS.split_whitespace().collect());
    &WORDS
}

static FUNCTION_STEMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| words_of(FUNCTION_WORDS).into_iter().collect());

/// The words of a question that carry its content. Questions are equal that ask with the same ones, whatever their
/// order and endings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionWords {
    words: Vec<String>,
}

impl QuestionWords {
    /// The words of content of a question, each once; all its words where it has no others.
    pub fn of(question: &str) -> Self {
        let mut words = words_of(question);
        words.sort_unstable();
        words.dedup();
        if words.iter().any(|word| !FUNCTION_STEMS.contains(word)) {
            words.retain(|word| !FUNCTION_STEMS.contains(word));
        }
        Self { words }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// The words of content of what a query looks for, with what means the same: what a passage is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedWords {
    units: Vec<Unit>,
    has_content: bool,
}

impl AskedWords {
    /// Those of a query; all its words where none of them is one of content.
    pub fn of(query: &WordQuery) -> Self {
        let mut units = units(query, None, |_| true);
        let is_of_content = |unit: &Unit| !FUNCTION_STEMS.contains(&unit.word);
        let has_content = units.iter().any(is_of_content);
        if has_content {
            units.retain(is_of_content);
        }
        Self { units, has_content }
    }

    fn coverage(&self, text: &str) -> f32 {
        if self.units.is_empty() {
            return 0.0;
        }
        let there: HashSet<String> = words_of(text).into_iter().collect();
        let covered = self.units.iter().filter(|unit| unit.is_said(&there)).count();
        covered as f32 / self.units.len() as f32
    }
}

/// Whether any of the passages is about what was asked.
pub fn any_relevant<'a>(passages: impl IntoIterator<Item = &'a Passage>) -> bool {
    passages
        .into_iter()
        .any(|passage| passage.confidence > Confidence::Low)
}

#[cfg(test)]
mod tests;
