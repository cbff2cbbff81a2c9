//! The measures: recall, precision and intersection over union of found and answering characters.
//!
//! As the reference implementation of the paper counts: a character that answers counts once, however often it was
//! found; all found characters count for precision, those that were found twice twice, because they are
//! read twice; chunks of another corpus answer nothing. The figures are means over the questions.

use std::ops::Range;

use serde::Serialize;

use super::questions::Question;

/// A stretch of a corpus that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which corpus.
    pub corpus: String,
    /// Where, in characters.
    pub characters: Range<usize>,
}

/// Means over the questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SpanFigures {
    /// The part of the answering characters that is in the first five chunks.
    #[serde(rename = "recall@5")]
    pub recall: f64,
    /// The part of the first five chunks that answers.
    #[serde(rename = "precision@5")]
    pub precision: f64,
    /// What is in both over what is in either.
    #[serde(rename = "iou@5")]
    pub iou: f64,
    /// Characters of the first five chunks.
    pub characters: f64,
    /// The part of the answering characters that is in the first 4,000 characters that are found.
    #[serde(rename = "recall@4000characters")]
    pub recall_of_reading: f64,
}

/// The figures of the questions so far, added up.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanSums {
    sums: SpanFigures,
    questions: usize,
}

impl SpanSums {
    /// Adds a question: what was found first, and what a reader with little time reads of it.
    pub fn add(&mut self, question: &Question, found: &[Found], read: &[Found]) {
        let wanted = length(&union(question.answers.clone()));
        let answered = answered(question, found);
        let characters: usize = found.iter().map(|found| found.characters.len()).sum();
        self.questions += 1;
        self.sums.recall += share(answered, wanted);
        self.sums.precision += share(answered, characters);
        self.sums.iou += share(answered, characters + wanted - answered);
        self.sums.characters += characters as f64;
        self.sums.recall_of_reading += share(self::answered(question, read), wanted);
    }

    /// The means.
    pub fn means(self) -> SpanFigures {
        let count = self.questions.max(1) as f64;
        SpanFigures {
            recall: self.sums.recall / count,
            precision: self.sums.precision / count,
            iou: self.sums.iou / count,
            characters: self.sums.characters / count,
            recall_of_reading: self.sums.recall_of_reading / count,
        }
    }
}

/// How many of the answering characters were found.
fn answered(question: &Question, found: &[Found]) -> usize {
    let of_corpus = found.iter().filter(|found| found.corpus == question.corpus);
    let shared = of_corpus.flat_map(|found| {
        question
            .answers
            .iter()
            .map(|answer| answer.start.max(found.characters.start)..answer.end.min(found.characters.end))
    });
    length(&union(shared.collect()))
}

/// The ranges without what they have twice.
pub fn union(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// How long the ranges are together.
pub fn length(ranges: &[Range<usize>]) -> usize {
    ranges.iter().map(Range::len).sum()
}

/// `part` of `whole`; 0 where there is nothing.
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_what_is_read_twice_counts_twice() {
        let question = Question {
            text: String::new(),
            corpus: "a".to_owned(),
            answers: vec![10..20, 40..50],
        };
        let found = |corpus: &str, characters| Found {
            corpus: corpus.to_owned(),
            characters,
        };
        let mut sums = SpanSums::default();
        sums.add(
            &question,
            &[found("a", 0..20), found("a", 15..45), found("b", 40..50)],
            &[found("a", 0..15)],
        );
        let figures = sums.means();
        // 10 and 5 of 20 answer; 20 + 30 + 10 were found.
        assert!((figures.recall - 15.0 / 20.0).abs() < 1e-9);
        assert!((figures.precision - 15.0 / 60.0).abs() < 1e-9);
        assert!((figures.iou - 15.0 / 65.0).abs() < 1e-9);
        assert!((figures.recall_of_reading - 5.0 / 20.0).abs() < 1e-9);
        sums.add(&question, &[], &[]);
        assert!((sums.means().recall - 15.0 / 40.0).abs() < 1e-9);
    }
}
