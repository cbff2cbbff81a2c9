//! Asks every question, in every way.
//!
//! Two searches for a question: the ordinary one, with the limit that people use, is timed from the words
//! of the question to the passages, the embedding of the question included; a deep one, one passage
//! for each document, gives the ranking that is measured.

use std::fmt;
use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use lectern_domain::{KnowledgeBaseId, Passage, ReadScope};
use lectern_retrieval::{SearchMode, SearchRequest, Searcher};
use serde::{Deserialize, Serialize};

use super::measures::ranking::percentile;
use super::measures::{Measures, means, measure};
use super::questions::Question;
use super::run::{ModeRun, Times};

/// Documents in the ranking that is measured, which is as deep as `recall@100` looks.
const DEPTH: usize = 100;
/// Questions before the first one that is timed, so that no way pays for opening the indexes.
const WARM_UP: usize = 5;

/// A way to search that is measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The index of words alone.
    Lexical,
    /// The index of vectors alone.
    Vector,
    /// Both, fused.
    Hybrid,
    /// Both, fused, and judged again by the reranker that is configured.
    Reranked,
}

impl Way {
    /// All ways; the last one only where there is a reranker.
    pub fn all(reranks: bool) -> Vec<Self> {
        let mut all = vec![Self::Lexical, Self::Vector, Self::Hybrid];
        if reranks {
            all.push(Self::Reranked);
        }
        all
    }

    /// The name by which scripts, runs and gates know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lexical => "lexical",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
            Self::Reranked => "reranked",
        }
    }

    fn request(self, question: &Question) -> SearchRequest {
        SearchRequest {
            mode: match self {
                Self::Lexical => SearchMode::Lexical,
                Self::Vector => SearchMode::Vector,
                Self::Hybrid | Self::Reranked => SearchMode::Hybrid,
            },
            rerank: self == Self::Reranked,
            ..SearchRequest::new(question.text.clone())
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Way {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all(true)
            .into_iter()
            .find(|way| way.name() == text)
            .ok_or_else(|| {
                format!("no way to search: {text:?} (expected lexical, vector, hybrid or reranked)")
            })
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The way of a question.
    pub searcher: &'a Searcher,
    /// As whom.
    pub scope: &'a ReadScope,
    /// Where.
    pub knowledge_base: KnowledgeBaseId,
}

impl Asked<'_> {
    /// Asks all `questions` in `way` and measures what comes back.
    pub async fn all(&self, questions: &[Question], way: Way) -> Result<ModeRun> {
        let bar = ProgressBar::new(questions.len() as u64).with_message(way.name());
        for question in questions.iter().take(WARM_UP) {
            self.search(question, &way.request(question)).await?;
        }
        let mut by_question: Vec<(String, Measures)> = Vec::with_capacity(questions.len());
        let mut times = Vec::with_capacity(questions.len());
        for question in questions {
            let started = Instant::now();
            let first = self.search(question, &way.request(question)).await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            let deep = SearchRequest {
                limit: DEPTH,
                per_document: Some(1),
                ..way.request(question)
            };
            let deep = self.search(question, &deep).await?;
            by_question.push((question.id.clone(), measure(question, &deep, &first)));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(ModeRun {
            means: means(by_question.iter().map(|(_, measures)| measures)),
            times: times_of(times),
            questions: by_question.into_iter().collect(),
        })
    }

    async fn search(&self, question: &Question, request: &SearchRequest) -> Result<Vec<Passage>> {
        let found = self
            .searcher
            .search(self.scope, self.knowledge_base, request)
            .await;
        let found = found.with_context(|| format!("question {:?} failed", question.id))?;
        Ok(found.into_passages())
    }
}

fn times_of(mut milliseconds: Vec<f64>) -> Times {
    milliseconds.sort_by(f64::total_cmp);
    Times {
        p50_ms: percentile(&milliseconds, 50.0),
        p95_ms: percentile(&milliseconds, 95.0),
        p99_ms: percentile(&milliseconds, 99.0),
    }
}
