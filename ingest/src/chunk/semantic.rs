//! Cutting where the meaning changes.
//!
//! Each sentence gets a vector. At every border between two sentences, the mean of the [`WINDOW`] vectors before
//! it is compared with the mean of those after it: one sentence alone says too little (the idea is that of
//! `TextTiling`, Hearst 1997, with vectors for word counts). The document is cut at the borders that differ more
//! than a given percentage of its borders do. What is then too small joins the neighbour that it differs less
//! from; what is too large is packed into even pieces.
//!
//! Only the differences are kept, one number for each border, so a long document needs no more memory than its
//! sentences.

use std::collections::VecDeque;
use std::rc::Rc;

use lectern_domain::Extracted;

use super::ChunkDraft;
use super::atom::Atom;
use super::flow::{Sentence, sentences};
use super::pack::pack_atoms;
use super::sizer::Sizer;

/// Sentences on either side of a border that are compared.
const WINDOW: usize = 3;

/// The sentences whose vectors are compared, none longer than a quarter of a chunk. A heading goes with the sentence
/// below it.
pub(super) fn units(extracted: &Extracted, sizer: &Sizer<'_>) -> Vec<Sentence> {
    let budget = (sizer.budget(&[]) / 4).max(1);
    let mut units: Vec<Sentence> = Vec::new();
    for sentence in sentences(extracted, sizer, budget) {
        match units.last_mut() {
            Some(last) if last.is_heading && last.atom.tokens + sentence.atom.tokens <= 2 * budget => {
                last.atom.span.end = sentence.atom.span.end;
                last.atom.tokens += sentence.atom.tokens;
                last.is_heading = sentence.is_heading;
            }
            _ => units.push(sentence),
        }
    }
    units
}

/// The chunks of a document whose neighbouring sentences differ by `differences`, one for each border.
pub(super) fn split(
    extracted: &Extracted,
    differences: &[f32],
    percentile: u8,
    sizer: &Sizer<'_>,
) -> Vec<ChunkDraft> {
    let threshold = percentile_of(differences, percentile);
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, unit) in units(extracted, sizer).into_iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|border| differences.get(border))
            .copied();
        let atom = unit.atom;
        match pieces.last_mut() {
            Some(last) if before.is_none_or(|difference| difference <= threshold) => last.push(atom),
            _ => pieces.push(Piece {
                tokens: atom.tokens,
                atoms: vec![atom],
                heading_path: unit.heading_path,
                difference_before: before.unwrap_or(f32::INFINITY),
            }),
        }
    }
    join_small(pieces, sizer)
        .into_iter()
        .flat_map(|piece| pack_atoms(piece.atoms, &piece.heading_path, sizer))
        .collect()
}

/// Sentences about one thing.
struct Piece {
    atoms: Vec<Atom>,
    heading_path: Rc<[String]>,
    tokens: usize,
    /// From the piece before it.
    difference_before: f32,
}

impl Piece {
    fn push(&mut self, atom: Atom) {
        self.tokens += atom.tokens;
        self.atoms.push(atom);
    }

    fn append(&mut self, next: Self) {
        self.tokens += next.tokens;
        self.atoms.extend(next.atoms);
    }
}

/// Joins pieces that are too small with the neighbour that they differ less from, where both fit a chunk.
fn join_small(pieces: Vec<Piece>, sizer: &Sizer<'_>) -> Vec<Piece> {
    let fits = |one: &Piece, other: &Piece| {
        one.tokens + other.tokens <= sizer.budget(&sizer.fitting_path(&one.heading_path))
    };
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter().peekable();
    while let Some(mut piece) = pieces.next() {
        while piece.tokens < sizer.min_tokens
            && let Some(next) = pieces.next_if(|next| {
                let nearer_before = joined.last().is_some_and(|last| {
                    piece.difference_before < next.difference_before && fits(last, &piece)
                });
                !nearer_before && fits(&piece, next)
            })
        {
            piece.append(next);
        }
        match joined.last_mut() {
            Some(last) if piece.tokens < sizer.min_tokens && fits(last, &piece) => last.append(piece),
            _ => joined.push(piece),
        }
    }
    joined
}

/// The value that `percentile` in 100 of the numbers don't exceed.
fn percentile_of(numbers: &[f32], percentile: u8) -> f32 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let rank = (sorted.len() * usize::from(percentile)).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f32::INFINITY)
}

/// Takes the vectors of sentences one by one and gives how much the text differs at each border.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    recent: VecDeque<Vec<f32>>,
    /// How many of the recent ones stand before the border that is next.
    before: usize,
    found: Vec<f32>,
}

impl Differences {
    /// Takes the vector of the next sentence.
    pub(crate) fn push(&mut self, vector: Vec<f32>) {
        self.recent.push_back(vector);
        if self.before == 0 {
            self.before = 1;
        } else if self.recent.len() >= self.before + WINDOW {
            self.compare();
        }
    }

    /// The differences at all borders: one less than there were sentences.
    pub(crate) fn finish(mut self) -> Vec<f32> {
        while self.recent.len() > self.before {
            self.compare();
        }
        self.found
    }

    fn compare(&mut self) {
        let (before, after) = (self.before, WINDOW.min(self.recent.len() - self.before));
        let left = mean(self.recent.iter().take(before));
        let right = mean(self.recent.iter().skip(before).take(after));
        self.found.push(1.0 - cosine(&left, &right));
        if self.before == WINDOW {
            self.recent.pop_front();
        } else {
            self.before += 1;
        }
    }
}

fn mean<'a>(vectors: impl Iterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let mut sum: Vec<f32> = Vec::new();
    for vector in vectors {
        sum.resize(vector.len().max(sum.len()), 0.0);
        for (total, number) in sum.iter_mut().zip(vector) {
            *total += number;
        }
    }
    // The length doesn't matter to a cosine.
    sum
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let dot = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(left, left) * dot(right, right)).sqrt();
    if lengths > 0.0 {
        dot(left, right) / lengths
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_between_two_subjects_differs_most() {
        let mut differences = Differences::default();
        let subjects = [
            [1.0, 0.0],
            [0.9, 0.1],
            [1.0, 0.1],
            [0.9, 0.0],
            [0.0, 1.0],
            [0.1, 1.0],
        ];
        for vector in subjects {
            differences.push(vector.to_vec());
        }
        let found = differences.finish();
        assert_eq!(found.len(), subjects.len() - 1);
        let most = (0..found.len()).max_by(|one, other| found[*one].total_cmp(&found[*other]));
        assert_eq!(most, Some(3), "{found:?}");
    }

    #[test]
    fn one_sentence_has_no_border_and_a_few_have_one_less() {
        for count in 0..9_usize {
            let mut differences = Differences::default();
            for _ in 0..count {
                differences.push(vec![1.0, 0.0]);
            }
            assert_eq!(differences.finish().len(), count.saturating_sub(1));
        }
    }

    #[test]
    fn a_percentile_is_a_number_of_the_list() {
        let numbers = [0.5, 0.1, 0.4, 0.2, 0.3];
        assert!((percentile_of(&numbers, 80) - 0.4).abs() < f32::EPSILON);
        assert!((percentile_of(&numbers, 50) - 0.3).abs() < f32::EPSILON);
        assert!(percentile_of(&[], 90).is_infinite());
    }
}
