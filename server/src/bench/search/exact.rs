//! The exact search that the indexes are compared with: every vector against every question.

use std::cmp::Ordering;

use super::generated::{Generated, SHARES};

/// How many of the best count.
pub const BEST: usize = 10;

/// The best chunks of each question, for each filter: first none, then one for each share.
#[derive(Clone, Debug)]
pub struct Exact {
    best: Vec<Vec<Best>>,
}

/// Score and number of the best chunks so far, the worst of them last.
#[derive(Clone, Debug, Default)]
struct Best(Vec<(f32, u64)>);

impl Best {
    fn offer(&mut self, score: f32, chunk: u64) {
        if self.0.len() == BEST && self.0.last().is_some_and(|worst| score <= worst.0) {
            return;
        }
        let order = |other: &(f32, u64)| other.0.partial_cmp(&score).unwrap_or(Ordering::Less);
        let at = self.0.partition_point(|other| order(other) != Ordering::Less);
        self.0.insert(at, (score, chunk));
        self.0.truncate(BEST);
    }

    fn merge(&mut self, other: Self) {
        for (score, chunk) in other.0 {
            self.offer(score, chunk);
        }
    }
}

impl Exact {
    /// Compares everything with everything, on `threads` threads. Calls `done` with the numbers of chunks seen.
    pub fn search(
        generated: &Generated,
        questions: &[Vec<f32>],
        threads: usize,
        done: impl Fn(u64) + Sync,
    ) -> Self {
        let threads = threads.max(1) as u64;
        let part = generated.chunks().div_ceil(threads);
        let parts: Vec<Self> = std::thread::scope(|scope| {
            let done = &done;
            let workers: Vec<_> = (0..threads)
                .map(|number| {
                    let chunks = number * part..((number + 1) * part).min(generated.chunks());
                    scope.spawn(move || Self::of_part(generated, questions, chunks, done))
                })
                .collect();
            let joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined.filter_map(Result::ok).collect()
        });
        let mut all = Self::nothing(questions.len());
        for part in parts {
            for (into, from) in all.best.iter_mut().zip(part.best) {
                into.iter_mut()
                    .zip(from)
                    .for_each(|(into, from)| into.merge(from));
            }
        }
        all
    }

    fn nothing(questions: usize) -> Self {
        Self {
            best: vec![vec![Best::default(); SHARES.len() + 1]; questions],
        }
    }

    fn of_part(
        generated: &Generated,
        questions: &[Vec<f32>],
        chunks: std::ops::Range<u64>,
        done: &(impl Fn(u64) + Sync),
    ) -> Self {
        let mut part = Self::nothing(questions.len());
        for chunk in chunks {
            let vector = generated.vector(chunk);
            let values = SHARES.map(|share| Generated::value(Generated::document_of(chunk), share));
            for (number, question) in questions.iter().enumerate() {
                let score = dot(question, &vector);
                let best = &mut part.best[number];
                best[0].offer(score, chunk);
                for (at, share) in SHARES.iter().enumerate() {
                    if values[at] == number as u64 % share {
                        best[at + 1].offer(score, chunk);
                    }
                }
            }
            if chunk % 1_000 == 0 {
                done(1_000);
            }
        }
        part
    }

    /// The best chunks of a question; `filter` 0 is none, then those of the shares.
    pub fn best(&self, question: usize, filter: usize) -> impl Iterator<Item = u64> + '_ {
        self.best[question][filter].0.iter().map(|(_, chunk)| *chunk)
    }
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    // Eight sums side by side, so that the compiler can use wide registers.
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use lectern_domain::KnowledgeBaseId;

    use super::*;

    #[test]
    fn the_best_are_the_nearest_and_pass_the_filter() {
        let generated = Generated::new(KnowledgeBaseId::generate(), 3_000, 64);
        let questions: Vec<_> = (0..3)
            .map(|question| generated.question_vector(question))
            .collect();
        let exact = Exact::search(&generated, &questions, 2, |_| {});
        for (number, question) in questions.iter().enumerate() {
            let mut all: Vec<u64> = (0..3_000).collect();
            all.sort_by(|one, other| {
                dot(question, &generated.vector(*other)).total_cmp(&dot(question, &generated.vector(*one)))
            });
            assert_eq!(exact.best(number, 0).collect::<Vec<_>>(), all[..BEST]);
            let passing =
                |chunk: &u64| Generated::value(Generated::document_of(*chunk), 10) == number as u64 % 10;
            let passing: Vec<u64> = all.into_iter().filter(passing).take(BEST).collect();
            assert_eq!(exact.best(number, 2).collect::<Vec<_>>(), passing);
        }
    }
}
