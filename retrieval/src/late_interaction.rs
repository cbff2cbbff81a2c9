//! Judging passages again by their tokens, with the embedder that is there anyway.
//!
//! A vector is the mean over the tokens of a text, and a mean forgets. Here every token of the question looks for
//! the token of the passage that is most like it, and the passage is as relevant as the mean of what they find: MaxSim of
//! ColBERT (Khattab and Zaharia, SIGIR 2020), on the last hidden state of the embedding model, whose tokens were
//! never trained for it. The first and the last token stand for the whole text and are left out.
//!
//! What it is worth, as nDCG@10 over the fused list alone, by how much it counts against the fused score
//! (the first 20 passages judged; every question of Cranfield and every third of XQuAD, every second of ARAGOG,
//! every fourth of the chunking set, every twelfth of SQuAD):
//!
//! | weight | Cranfield | XQuAD | SQuAD articles | chunking | ARAGOG |
//! |---|---|---|---|---|---|
//! | none | 0.440 | 0.975 | 0.730 | 0.785 | 0.985 |
//! | 0.2 | 0.443 | 0.981 | 0.751 | 0.788 | 0.985 |
//! | **0.4** | 0.442 | 0.983 | 0.758 | 0.794 | 0.985 |
//! | 0.6 | 0.435 | 0.987 | 0.766 | 0.794 | 0.977 |
//! | 1 | 0.415 | 0.988 | 0.782 | 0.772 | 0.970 |
//! | fitted on the other sets | 0.430 | 0.983 | 0.758 | 0.794 | 0.977 |
//!
//! So it pays for questions that a sentence answers and not for abstracts on a subject: the weight that the others ask
//! for costs Cranfield 0.010 and ARAGOG 0.008. And it costs time: the tokens of a passage are no vector that is kept (200
//! times as much to store), so the model reads every passage anew, as long as embedding it took. It is off unless
//! it is configured.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use fastembed::{OutputKey, SingleBatchOutput, TextEmbedding};
use lectern_domain::PortError;
use lectern_domain::ports::Reranker;

use crate::bases::blocking;
use crate::embedder::{EmbedderFiles, open_sessions};
use crate::error::Error;

/// Compares the tokens of a question with those of passages, a session and a thread for each core.
pub struct LateInteraction {
    sessions: Arc<Vec<Mutex<TextEmbedding>>>,
}

impl std::fmt::Debug for LateInteraction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LateInteraction")
            .field("sessions", &self.sessions.len())
            .finish()
    }
}

impl LateInteraction {
    /// How many passages are judged: each costs as much as embedding it.
    pub const DEPTH: usize = 20;
    /// How much the tokens count against the fused score.
    pub const WEIGHT: f32 = 0.4;

    /// Loads an embedding model, `sessions` times. Blocks for about a second.
    ///
    /// # Errors
    /// [`Error::ModelFileMissing`] or [`Error::ModelCorrupt`].
    pub fn load(files: &EmbedderFiles, sessions: usize, max_tokens: usize) -> Result<Self, Error> {
        let sessions = open_sessions(files, sessions.max(1), max_tokens)?;
        Ok(Self {
            sessions: Arc::new(sessions.into_iter().map(Mutex::new).collect()),
        })
    }
}

#[async_trait]
impl Reranker for LateInteraction {
    fn depth(&self) -> usize {
        Self::DEPTH
    }

    fn weight(&self) -> f32 {
        Self::WEIGHT
    }

    async fn rerank(&self, question: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        if passages.is_empty() {
            return Ok(Vec::new());
        }
        let (question, passages) = (question.to_owned(), passages.to_vec());
        let sessions = Arc::clone(&self.sessions);
        Ok(blocking("comparing tokens", move || judge(&sessions, &question, &passages)).await?)
    }
}

/// The relevance of each passage; every session takes the next one.
fn judge(sessions: &[Mutex<TextEmbedding>], question: &str, passages: &[String]) -> Result<Vec<f32>, Error> {
    let Some(first) = sessions.first() else {
        return Err(Error::EmbedderStopped);
    };
    let question = tokens_of(first, question)?;
    let next = AtomicUsize::new(0);
    let work = |session: &Mutex<TextEmbedding>| -> Result<Vec<(usize, f32)>, Error> {
        let mut judged = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(passage) = passages.get(place) else {
                return Ok(judged);
            };
            judged.push((place, max_sim(&question, &tokens_of(session, passage)?)));
        }
    };
    let all = thread::scope(|scope| {
        let workers: Vec<_> = sessions
            .iter()
            .map(|session| scope.spawn(move || work(session)))
            .collect();
        let joined = workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| Error::EmbedderStopped)?);
        joined.collect::<Result<Vec<Vec<(usize, f32)>>, Error>>()
    })?;
    let mut relevance = vec![0.0; passages.len()];
    for (place, value) in all.into_iter().flatten() {
        if let Some(relevance) = relevance.get_mut(place) {
            *relevance = value;
        }
    }
    Ok(relevance)
}

/// The vectors of a text's tokens, each of unit length.
#[derive(Debug, PartialEq)]
struct Tokens {
    numbers: Vec<f32>,
    dimensions: usize,
}

impl Tokens {
    /// From the states of all tokens of a text, the first and the last of which are no words.
    fn of(states: &[f32], dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        let count = states.len() / dimensions;
        let words = states
            .chunks_exact(dimensions)
            .take(count.saturating_sub(1))
            .skip(1);
        let mut numbers = Vec::with_capacity(states.len());
        for state in words {
            let length = dot(state, state).sqrt().max(f32::MIN_POSITIVE);
            numbers.extend(state.iter().map(|number| number / length));
        }
        Self { numbers, dimensions }
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.dimensions)
    }
}

fn tokens_of(session: &Mutex<TextEmbedding>, text: &str) -> Result<Tokens, Error> {
    let failed = |cause: fastembed::Error| Error::Embedder {
        action: "read the tokens of a text",
        cause: Box::new(cause),
    };
    let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
    let output = session.transform([text], Some(1)).map_err(failed)?;
    let read = |batches: &[SingleBatchOutput]| {
        let mut tokens = Tokens::of(&[], 1);
        for batch in batches {
            let states = batch
                .select_output(&[OutputKey::ByName("last_hidden_state"), OutputKey::ByOrder(0)].as_slice())?;
            let dimensions = states.shape().last().copied().unwrap_or(1);
            let numbers: Vec<f32> = states.iter().copied().collect();
            tokens = Tokens::of(&numbers, dimensions);
        }
        Ok(tokens)
    };
    output.export_with_transformer(read).map_err(failed)
}

/// The mean over the tokens of the question of the highest cosine to a token of the passage, from 0 to 1.
fn max_sim(question: &Tokens, passage: &Tokens) -> f32 {
    let count = question.iter().len();
    if count == 0 {
        return 0.0;
    }
    let best = |token: &[f32]| passage.iter().map(|other| dot(token, other)).fold(0.0, f32::max);
    let sum: f32 = question.iter().map(best).sum();
    (sum / count as f32).clamp(0.0, 1.0)
}

/// Sums in eight lanes, which the compiler turns into vector instructions.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0_f32; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest: f32 = ones
        .remainder()
        .iter()
        .zip(others.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in ones.zip(others) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of two dimensions between a first and a last one that don't count.
    fn tokens(words: &[[f32; 2]]) -> Tokens {
        let mut states = vec![9.0, 9.0];
        states.extend(words.iter().flatten());
        states.extend([9.0, 9.0]);
        Tokens::of(&states, 2)
    }

    #[test]
    fn each_word_of_the_question_counts_for_its_best_match() {
        let question = tokens(&[[2.0, 0.0], [0.0, 3.0]]);
        assert!((max_sim(&question, &tokens(&[[0.0, 1.0], [5.0, 0.0]])) - 1.0).abs() < 1e-6);
        assert!((max_sim(&question, &tokens(&[[1.0, 0.0]])) - 0.5).abs() < 1e-6);
        assert_eq!(max_sim(&question, &tokens(&[[-1.0, -1.0]])), 0.0);
    }

    #[test]
    fn a_text_without_words_is_irrelevant() {
        let word = tokens(&[[1.0, 0.0]]);
        assert_eq!(max_sim(&word, &tokens(&[])), 0.0);
        assert_eq!(max_sim(&tokens(&[]), &word), 0.0);
        assert_eq!(max_sim(&Tokens::of(&[], 384), &word), 0.0);
    }

    #[test]
    fn a_dot_product_is_the_sum_of_all_products() {
        let numbers: Vec<f32> = (1_u8..=19).map(f32::from).collect();
        assert_eq!(dot(&numbers, &numbers), 2470.0);
    }
}
