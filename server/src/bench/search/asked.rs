//! Questions to a knowledge base that is there, through the whole of a search.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lectern_domain::{KnowledgeBaseId, ReadScope};
use lectern_retrieval::{SearchRequest, SearchTimings, Searcher};
use serde::Serialize;

use super::Watcher;
use super::latency::Latency;

/// Questions whose times don't count.
const WARM_UP: usize = 20;

/// The times of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AskedFigures {
    /// How many ask at a time.
    pub clients: usize,
    /// Questions asked.
    pub questions: usize,
    /// Embedding the question.
    pub embed: Latency,
    /// The index of vectors.
    pub vectors: Latency,
    /// The index of words, at the same time as those two.
    pub words: Latency,
    /// Looking up in the ledger what is shown.
    pub recheck: Latency,
    /// Marks in the texts, spellings, and what else comes with the passages.
    pub beside: Latency,
    /// All of it.
    pub total: Latency,
}

impl AskedFigures {
    fn of(times: &[SearchTimings], clients: usize) -> Self {
        let of = |step: fn(&SearchTimings) -> f64| Latency::of(times.iter().map(step).collect());
        Self {
            clients,
            questions: times.len(),
            embed: of(|times| times.embed_ms),
            vectors: of(|times| times.vectors_ms),
            words: of(|times| times.words_ms),
            recheck: of(|times| times.recheck_ms),
            beside: of(|times| times.beside_ms),
            total: of(|times| times.total_ms),
        }
    }
}

/// Who asks whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The way of a question.
    pub searcher: Arc<Searcher>,
    /// The knowledge base.
    pub base: KnowledgeBaseId,
    /// What is asked, over and over.
    pub questions: Arc<Vec<String>>,
    /// Whose eyes it is seen with.
    pub scope: ReadScope,
}

impl Asked {
    async fn ask(&self, number: usize) -> Result<SearchTimings> {
        let question = &self.questions[number % self.questions.len()];
        // As somebody asks who sees what it gives.
        let request = SearchRequest {
            highlights: true,
            spelling: true,
            ..SearchRequest::new(question.clone())
        };
        let response = self.searcher.search(&self.scope, self.base, &request).await?;
        Ok(response.timings)
    }

    /// Asks `count` questions from `clients` at a time.
    pub async fn measure(&self, count: usize, clients: usize, watcher: Watcher<'_>) -> Result<AskedFigures> {
        ensure!(!self.questions.is_empty(), "there is no question to ask");
        let clients = clients.max(1);
        let per_client = count.div_ceil(clients);
        for number in 0..WARM_UP {
            self.ask(number).await?;
        }
        watcher("asking", 0, 0);
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let asked = self.clone();
                tokio::spawn(async move {
                    let mut times = Vec::with_capacity(per_client);
                    for number in 0..per_client {
                        times.push(asked.ask(WARM_UP + client * per_client + number).await?);
                    }
                    Ok::<_, anyhow::Error>(times)
                })
            })
            .collect();
        let mut times = Vec::new();
        for client in running {
            times.extend(client.await.context("a client ended in a panic")??);
        }
        Ok(AskedFigures::of(&times, clients))
    }

    /// Asks one question after another, up to `most`, as long as `goes_on`.
    pub async fn measure_while(&self, most: usize, goes_on: impl Fn() -> bool) -> Result<AskedFigures> {
        ensure!(!self.questions.is_empty(), "there is no question to ask");
        let mut times = Vec::new();
        while times.len() < most && goes_on() {
            times.push(self.ask(times.len()).await?);
        }
        Ok(AskedFigures::of(&times, 1))
    }
}
