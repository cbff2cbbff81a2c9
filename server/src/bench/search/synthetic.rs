//! A knowledge base that is made up, in the real indexes.
//!
//! ```text
//! Generated -> built (both indexes written, merged, the graph built) -> questions -> recall, latency, memory
//!                                                                    -> words with a filter on a part of a text
//! ```
//!
//! The chunks aren't in the ledger, so the recheck is no part of these figures: it looks up what is shown, and costs the
//! same whatever the number of chunks; [`super::asked`] measures it. The question's vector is a generated one; the time of embedding is that of the model on the question's
//! words, where its files are there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use lectern_domain::ports::{Embedder, IndexQuery, ScoredChunk};
use lectern_domain::{ChunkId, Filter, KnowledgeBaseId, ReadScope, WordQuery};
use lectern_retrieval::Fusion;
use serde::Serialize;

use super::Watcher;
use super::built::{Built, BuiltFigures, Indexes};
use super::exact::{BEST, Exact};
use super::generated::{Generated, PARTS, SHARES};
use super::latency::{Latency, milliseconds};
use super::memory::Resident;
use crate::config::cores;

/// Chunks that each index is asked for, as a search for ten passages does.
const DEPTH: usize = 200;
/// How often somebody looks how far a long step is.
const LOOK_AFTER: Duration = Duration::from_millis(250);
/// Questions whose times don't count.
const WARM_UP: usize = 20;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Synthetic {
    /// How many chunks.
    pub chunks: u64,
    /// How many questions.
    pub questions: usize,
    /// How many ask at a time, in a second round.
    pub clients: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct SyntheticFigures {
    /// Chunks in the indexes.
    pub chunks: u64,
    /// Questions asked in each round.
    pub questions: usize,
    /// How the indexes were made.
    #[serde(flatten)]
    pub built: BuiltFigures,
    /// When both were opened anew and all questions asked.
    pub resident_opened: Resident,
    /// The index of vectors alone, without a filter and with one that selects each share.
    pub vectors: Vec<FilteredFigures>,
    /// The index of words alone, with a filter on a part of a text.
    pub words_containing: ContainingFigures,
    /// All steps, one question after another.
    pub steps: StepFigures,
    /// The same with several clients.
    pub clients: usize,
    /// All steps, with so many clients.
    pub steps_of_clients: StepFigures,
}

/// How well and how fast the index of vectors finds.
#[derive(Clone, Debug, Serialize)]
pub struct FilteredFigures {
    /// The share of the chunks that pass the filter.
    pub passing: f64,
    /// How many of the ten nearest are among the first ten.
    pub recall_at_10: f64,
    /// The time of a search.
    pub latency: Latency,
}

/// How fast the index of words finds where a filter asks for a part of a text. What passes a filter is kept, so each
/// filter is asked with once: this is what the first question with it takes.
#[derive(Clone, Debug, Serialize)]
pub struct ContainingFigures {
    /// The share of the values in which the part is.
    pub passing: f64,
    /// How many filters.
    pub filters: usize,
    /// The time of a search.
    pub latency: Latency,
}

/// The times of the steps.
#[derive(Clone, Debug, Serialize)]
pub struct StepFigures {
    /// Embedding the question; all zero without the model's files.
    pub embed: Latency,
    /// The index of vectors.
    pub vectors: Latency,
    /// The index of words, at the same time as those two.
    pub words: Latency,
    /// Merging the lists.
    pub fuse: Latency,
    /// All of it.
    pub total: Latency,
}

/// Makes the indexes up in `folder` where they aren't there, and asks the questions.
pub async fn run(
    wanted: Synthetic,
    folder: &Path,
    embedder: Arc<dyn Embedder>,
    scope: &ReadScope,
    watcher: Watcher<'_>,
) -> Result<SyntheticFigures> {
    let built = Built::there_or_new(wanted.chunks, folder, embedder.dimensions(), watcher).await?;
    let generated = Generated::new(built.base, wanted.chunks, embedder.dimensions());
    let indexes = Indexes::open(folder, embedder.dimensions())?;
    let exact = exactly(&generated, wanted.questions, watcher).await?;
    let asker = Arc::new(Asker {
        base: built.base,
        generated,
        indexes,
        embedder: embedder.embed_query("warm").await.is_ok().then_some(embedder),
        scope: scope.clone(),
    });
    let mut vectors = Vec::new();
    for filter in 0..=SHARES.len() {
        vectors.push(filtered(&asker, &exact, filter, wanted.questions, watcher).await?);
    }
    let words_containing = containing(&asker, wanted.questions, watcher).await?;
    let steps = all_steps(&asker, wanted.questions, 1, watcher).await?;
    let steps_of_clients = all_steps(&asker, wanted.questions, wanted.clients, watcher).await?;
    Ok(SyntheticFigures {
        chunks: wanted.chunks,
        questions: wanted.questions,
        built: built.figures,
        resident_opened: Resident::now(),
        vectors,
        words_containing,
        steps,
        clients: wanted.clients,
        steps_of_clients,
    })
}

async fn exactly(generated: &Generated, questions: usize, watcher: Watcher<'_>) -> Result<Exact> {
    let (total, seen) = (generated.chunks(), Arc::new(AtomicU64::new(0)));
    let (generated, counted) = (generated.clone(), Arc::clone(&seen));
    let mut comparing = tokio::task::spawn_blocking(move || {
        let questions: Vec<_> = (0..questions as u64)
            .map(|question| generated.question_vector(question))
            .collect();
        Exact::search(&generated, &questions, cores(), |chunks| {
            counted.fetch_add(chunks, Ordering::Relaxed);
        })
    });
    loop {
        watcher("comparing exactly", seen.load(Ordering::Relaxed), total);
        if let Ok(done) = tokio::time::timeout(LOOK_AFTER, &mut comparing).await {
            return done.context("the exact search ended in a panic");
        }
    }
}

/// Who asks.
struct Asker {
    base: KnowledgeBaseId,
    generated: Generated,
    indexes: Indexes,
    embedder: Option<Arc<dyn Embedder>>,
    scope: ReadScope,
}

/// The times of the steps of one question, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    embed: f64,
    vectors: f64,
    words: f64,
    fuse: f64,
    total: f64,
}

impl Asker {
    async fn vectors(&self, vector: &[f32], filter: Option<&Filter>) -> Result<(Vec<ScoredChunk>, f64)> {
        let started = Instant::now();
        let query = IndexQuery {
            words: &WordQuery::default(),
            vector,
            filter,
            documents: None,
        };
        let found = self
            .indexes
            .vectors
            .search(self.base, query, &self.scope, DEPTH)
            .await?;
        Ok((found, milliseconds(started.elapsed())))
    }

    async fn words(&self, text: &str, filter: Option<&Filter>) -> Result<(Vec<ScoredChunk>, f64)> {
        let started = Instant::now();
        let query = IndexQuery {
            words: &WordQuery::plain(text),
            vector: &[],
            filter,
            documents: None,
        };
        let found = self
            .indexes
            .words
            .search(self.base, query, &self.scope, DEPTH)
            .await?;
        Ok((found, milliseconds(started.elapsed())))
    }

    /// Embedding and then vectors, and words at the same time, as a search does it.
    async fn all(&self, question: u64) -> Result<Times> {
        let (text, vector) = (
            self.generated.question_text(question),
            self.generated.question_vector(question),
        );
        let started = Instant::now();
        let by_meaning = async {
            if let Some(embedder) = &self.embedder {
                embedder.embed_query(&text).await?;
            }
            let embed = milliseconds(started.elapsed());
            let (found, vectors) = self.vectors(&vector, None).await?;
            Ok::<_, anyhow::Error>((found, embed, vectors))
        };
        let ((by_vector, embed, vectors), (by_words, words)) =
            futures::try_join!(by_meaning, self.words(&text, None))?;
        let fusing = Instant::now();
        Fusion::default().merge(&by_vector, &by_words);
        Ok(Times {
            embed,
            vectors,
            words,
            fuse: milliseconds(fusing.elapsed()),
            total: milliseconds(started.elapsed()),
        })
    }
}

/// The index of vectors with filter number `filter`, 0 being none.
async fn filtered(
    asker: &Asker,
    exact: &Exact,
    filter: usize,
    questions: usize,
    watcher: Watcher<'_>,
) -> Result<FilteredFigures> {
    let share = filter.checked_sub(1).map(|at| SHARES[at]);
    let (mut times, mut found_of_best, mut best) = (Vec::new(), 0, 0);
    for question in 0..questions {
        watcher("asking the index of vectors", question as u64, questions as u64);
        let vector = asker.generated.question_vector(question as u64);
        let condition = share.map(|share| Generated::filter(question as u64, share));
        let (found, time) = asker.vectors(&vector, condition.as_ref()).await?;
        if question >= WARM_UP.min(questions / 2) {
            times.push(time);
        }
        let first: Vec<ChunkId> = found.iter().take(BEST).map(|hit| hit.chunk).collect();
        for chunk in exact.best(question, filter) {
            best += 1;
            found_of_best += usize::from(first.contains(&asker.generated.id(chunk)));
        }
    }
    Ok(FilteredFigures {
        passing: share.map_or(1.0, |share| 1.0 / share as f64),
        recall_at_10: f64::from(found_of_best as u32) / f64::from(best.max(1) as u32),
        latency: Latency::of(times),
    })
}

/// The index of words with each of the filters on a part of a text, once.
async fn containing(asker: &Asker, questions: usize, watcher: Watcher<'_>) -> Result<ContainingFigures> {
    let filters = questions.min(PARTS as usize);
    for question in 0..WARM_UP as u64 {
        asker
            .words(&asker.generated.question_text(question), None)
            .await?;
    }
    let (mut times, mut passing) = (Vec::new(), 0.0);
    for filter in 0..filters as u64 {
        watcher("asking the index of words", filter, filters as u64);
        let text = asker.generated.question_text(WARM_UP as u64 + filter);
        let (_, time) = asker.words(&text, Some(&Generated::containing(filter))).await?;
        times.push(time);
        passing += Generated::share_containing(filter);
    }
    Ok(ContainingFigures {
        passing: passing / filters.max(1) as f64,
        filters,
        latency: Latency::of(times),
    })
}

/// All steps, from so many clients at a time.
async fn all_steps(
    asker: &Arc<Asker>,
    questions: usize,
    clients: usize,
    watcher: Watcher<'_>,
) -> Result<StepFigures> {
    watcher("asking both indexes", 0, questions as u64);
    for question in 0..WARM_UP {
        asker.all(question as u64).await?;
    }
    let per_client = questions.div_ceil(clients.max(1));
    let running: Vec<_> = (0..clients.max(1))
        .map(|client| {
            let asker = Arc::clone(asker);
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(per_client);
                for question in 0..per_client {
                    times.push(
                        asker
                            .all((WARM_UP + client * per_client + question) as u64)
                            .await?,
                    );
                }
                Ok::<_, anyhow::Error>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in running {
        times.extend(client.await.context("a client ended in a panic")??);
    }
    let of = |step: fn(&Times) -> f64| Latency::of(times.iter().map(step).collect());
    Ok(StepFigures {
        embed: of(|times| times.embed),
        vectors: of(|times| times.vectors),
        words: of(|times| times.words),
        fuse: of(|times| times.fuse),
        total: of(|times| times.total),
    })
}
