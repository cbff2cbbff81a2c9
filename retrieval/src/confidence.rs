//! How sure a search is of what it found, and whether it found anything at all.
//!
//! Two signs are read from a passage: the cosine of its vector to the question's, and its coverage, the
//! share of the question's words of content that it contains. Neither is enough: questions that a
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
//! A hybrid search, which sees more passages, refuses 7 of 654 (1.1 %) and 1,289 of 1,308 (98.5 %);
//! `tests/ranking.rs` (`calibration`) says how to measure.
//!
//! All of it was measured with all-MiniLM-L6-v2, whose cosines are as they are. Those of another model come here on the
//! same scale ([`lectern_domain::ports::CosineScale`]); for multilingual-e5-small that scale is what its authors say of
//! its cosines and wasn't measured.

use std::collections::HashSet;
use std::sync::LazyLock;

use lectern_domain::{Confidence, Passage};

use crate::words::words_of;

/// What is known about how well a passage matches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The cosine, where vectors were searched; 0 for a passage that they didn't find.
    pub cosine: Option<f32>,
    /// The share of the question's words of content that stand in the passage, 0 to 1.
    pub coverage: f32,
}

impl Evidence {
    /// Reads the signs from a passage.
    pub fn of(question: &QuestionWords, passage_text: &str, cosine: Option<f32>) -> Self {
        Self {
            cosine,
            coverage: question.coverage(passage_text),
        }
    }

    /// The band for this evidence. Half of the questions that have an answer reach the highest one.
    pub fn confidence(&self) -> Confidence {
        let (sign, steps) = match self.cosine {
            Some(cosine) => (cosine + COVERAGE_WEIGHT * self.coverage, [0.85, 0.65, 0.45]),
            None => (self.coverage, [0.9, 0.6, 0.4]),
        };
        let [nearly_certain, probable, possible] = steps;
        match sign {
            sign if sign >= nearly_certain => Confidence::VeryHigh,
            sign if sign >= probable => Confidence::High,
            sign if sign >= possible => Confidence::Medium,
            _ => Confidence::Low,
        }
    }
}

/// How much the coverage adds to the cosine.
const COVERAGE_WEIGHT: f32 = 0.3;

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

    fn coverage(&self, text: &str) -> f32 {
        if self.words.is_empty() {
            return 0.0;
        }
        let there: HashSet<String> = words_of(text).into_iter().collect();
        let covered = self.words.iter().filter(|word| there.contains(*word)).count();
        covered as f32 / self.words.len() as f32
    }
}

/// Whether any of the passages is about what was asked.
pub fn any_relevant<'a>(passages: impl IntoIterator<Item = &'a Passage>) -> bool {
    passages
        .into_iter()
        .any(|passage| passage.confidence > Confidence::Low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_words_of_content_by_their_stems() {
        let question = QuestionWords::of("How many weeks of parental leave are there?");
        let evidence = |text| Evidence::of(&question, text, Some(0.2)).coverage;
        assert_eq!(evidence("Leaves for parents: parental leave, a week."), 1.0);
        assert!((evidence("A week is short.") - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(evidence("How many are there?"), 0.0);
    }

    #[test]
    fn a_question_of_function_words_alone_is_covered_by_them() {
        let question = QuestionWords::of("who am I?");
        assert_eq!(Evidence::of(&question, "That is who I am.", None).coverage, 1.0);
        assert_eq!(Evidence::of(&QuestionWords::of("?"), "any", None).coverage, 0.0);
    }

    #[test]
    fn more_evidence_never_means_less_confidence() {
        let steps = (0..=20).map(|step| step as f32 / 20.0);
        let mut before = Confidence::Low;
        for step in steps {
            let evidence = Evidence {
                cosine: Some(step),
                coverage: step,
            };
            assert!(evidence.confidence() >= before);
            before = evidence.confidence();
        }
        assert_eq!(before, Confidence::VeryHigh);
    }

    #[test]
    fn a_near_miss_without_a_common_word_is_low() {
        let evidence = |cosine, coverage| Evidence { cosine, coverage }.confidence();
        assert_eq!(evidence(Some(0.40), 0.0), Confidence::Low);
        assert_eq!(evidence(Some(0.40), 0.5), Confidence::Medium);
        assert_eq!(evidence(Some(0.0), 1.0), Confidence::Low);
        assert_eq!(evidence(None, 0.3), Confidence::Low);
    }
}
