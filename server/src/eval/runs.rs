//! Asks every judged query in every mode.
//!
//! Two searches per query: the ordinary one, with the limit that people use, is timed from the words
//! of the question to the passages, the embedding of the question included; a deep one, one passage
//! for each document, gives the ranking that is measured.

use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use lectern_domain::{KnowledgeBaseId, ReadScope};
use lectern_retrieval::{SearchMode, SearchRequest, Searcher};
use serde::Serialize;

use super::connector::id_of;
use super::dataset::JudgedQuery;
use super::metrics::{average_precision, ndcg_at, percentile, recall_at, reciprocal_rank_at};

/// Documents in the ranking that is measured, which is as deep as `Recall@100` looks. MAP is
/// the mean over the same ranking.
const DEPTH: usize = 100;
/// Queries before the first one that is timed, so that no mode pays for opening the indexes.
const WARM_UP: usize = 5;

/// The means over all judged queries of one mode, and how long a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ModeFigures {
    /// nDCG of the first ten.
    #[serde(rename = "ndcg@10")]
    pub ndcg_at_10: f64,
    /// Recall of the first ten.
    #[serde(rename = "recall@10")]
    pub recall_at_10: f64,
    /// Recall of the first hundred.
    #[serde(rename = "recall@100")]
    pub recall_at_100: f64,
    /// Mean average precision of the first hundred.
    pub map: f64,
    /// Mean reciprocal rank within the first ten.
    #[serde(rename = "mrr@10")]
    pub mrr_at_10: f64,
    /// Half of the queries took no longer.
    pub p50_ms: f64,
    /// 95 in 100 took no longer.
    pub p95_ms: f64,
    /// 99 in 100 took no longer.
    pub p99_ms: f64,
}

/// Runs all `queries` in `mode` and measures what comes back.
pub async fn measure(
    searcher: &Searcher,
    scope: &ReadScope,
    knowledge_base: KnowledgeBaseId,
    queries: &[JudgedQuery],
    mode: SearchMode,
) -> Result<ModeFigures> {
    let bar = ProgressBar::new(queries.len() as u64).with_message(mode.as_str());
    for query in queries.iter().take(WARM_UP) {
        searcher
            .search(scope, knowledge_base, &ordinary(query, mode))
            .await?;
    }
    let mut figures = ModeFigures::default();
    let mut times = Vec::with_capacity(queries.len());
    for query in queries {
        let started = Instant::now();
        let asked = || format!("query {:?} failed", query.id);
        searcher
            .search(scope, knowledge_base, &ordinary(query, mode))
            .await
            .with_context(asked)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        let deep = SearchRequest {
            limit: DEPTH,
            per_document: Some(1),
            ..ordinary(query, mode)
        };
        let found = searcher
            .search(scope, knowledge_base, &deep)
            .await
            .with_context(asked)?;
        let ranking: Vec<String> = found
            .passages
            .iter()
            .filter_map(|passage| id_of(&passage.uri))
            .map(str::to_owned)
            .collect();
        figures.add(&ranking, query);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(figures.means(times))
}

fn ordinary(query: &JudgedQuery, mode: SearchMode) -> SearchRequest {
    SearchRequest {
        mode,
        ..SearchRequest::new(query.text.clone())
    }
}

impl ModeFigures {
    fn add(&mut self, ranking: &[String], query: &JudgedQuery) {
        let judgements = &query.judgements;
        self.ndcg_at_10 += ndcg_at(ranking, judgements, 10);
        self.recall_at_10 += recall_at(ranking, judgements, 10);
        self.recall_at_100 += recall_at(ranking, judgements, 100);
        self.map += average_precision(ranking, judgements);
        self.mrr_at_10 += reciprocal_rank_at(ranking, judgements, 10);
    }

    /// Turns sums over as many queries as there are `times` into means.
    fn means(self, mut times: Vec<f64>) -> Self {
        let count = times.len().max(1) as f64;
        times.sort_by(f64::total_cmp);
        Self {
            ndcg_at_10: self.ndcg_at_10 / count,
            recall_at_10: self.recall_at_10 / count,
            recall_at_100: self.recall_at_100 / count,
            map: self.map / count,
            mrr_at_10: self.mrr_at_10 / count,
            p50_ms: percentile(&times, 50.0),
            p95_ms: percentile(&times, 95.0),
            p99_ms: percentile(&times, 99.0),
        }
    }
}
