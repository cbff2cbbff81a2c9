//! Chunking strategies against each other: how much of what answers a question is in the chunks that are found,
//! and how much else.
//!
//! A folder holds `corpora/NAME.md` and `questions_df.csv`, whose rows name the exact spans of a corpus that answer
//! a question ([`questions`]). The corpora are taken in once for each strategy, through the ordinary pipeline, each
//! into a knowledge base of its own; every question is asked, and the spans of the chunks that are found
//! are compared with those of the answer ([`spans`]). Layout and measures are those of Smith and Troynikov 2024,
//! "Evaluating Chunking Strategies for Retrieval", in characters.
//!
//! More found text answers more, so recall alone would praise the largest chunks. Beside it stand how many
//! characters were found, and the recall within the first [`READ_CHARACTERS`] of them.

pub mod questions;
pub mod spans;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use lectern_domain::ports::{Connector, Embedder};
use lectern_domain::{Acl, DefaultAccess, KnowledgeBaseId, Passage, ReadScope, TextSpan};
use lectern_ingest::chunk::Chunking;
use lectern_ingest::{JobReport, KnowledgeBase, Source, SourceSettings};
use lectern_retrieval::{SearchMode, SearchRequest};
use serde::Serialize;

use self::questions::{Corpora, Corpus, Question};
use self::spans::{Found, SpanFigures, SpanSums};
use crate::compose::Lectern;

/// Chunks that are found for each question.
const FOUND: usize = 5;
/// What a reader reads of them for the recall at equal effort.
const READ_CHARACTERS: usize = 4_000;
/// Chunks that are asked for to fill that.
const DEEP: usize = 40;

/// One strategy measured.
#[derive(Clone, Debug, Serialize)]
pub struct ChunkingFigures {
    /// The strategy with its sizes.
    pub chunking: Chunking,
    /// Chunks that it made.
    pub chunks: usize,
    /// Their mean size, in tokens of the embedder.
    pub tokens_per_chunk: f64,
    /// How long the corpora took to take in.
    pub ingest_s: f64,
    /// Found by both indexes together, as people search.
    pub hybrid: SpanFigures,
    /// Found by vectors alone, as the paper does.
    pub vector: SpanFigures,
    /// What a generator reads of `hybrid`: the parents of the chunks, each once. Only where chunks have parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hybrid_parents: Option<SpanFigures>,
}

/// Takes the corpora in and asks, once for each of `strategies`.
pub async fn run(
    lectern: &Lectern,
    connector: &Arc<dyn Connector>,
    corpora: &Corpora,
    strategies: &[Chunking],
    scope: &ReadScope,
) -> Result<Vec<ChunkingFigures>> {
    let mut all = Vec::with_capacity(strategies.len());
    for (index, chunking) in strategies.iter().enumerate() {
        chunking.check(lectern.embedder.max_tokens())?;
        let (knowledge_base, report) = take_in(lectern, connector, *chunking, index).await?;
        let bench = Bench {
            lectern,
            scope,
            knowledge_base: knowledge_base.id,
            corpora,
        };
        let bar = ProgressBar::new(2 * corpora.questions.len() as u64).with_message(chunking.name());
        let (hybrid, parents) = bench.ask(SearchMode::Hybrid, &bar).await?;
        let (vector, _) = bench.ask(SearchMode::Vector, &bar).await?;
        bar.finish_and_clear();
        let embedded = report.chunks_embedded.max(1) as f64;
        all.push(ChunkingFigures {
            chunking: *chunking,
            chunks: lectern.words.chunks(knowledge_base.id).await?.len(),
            tokens_per_chunk: report.tokens_embedded as f64 / embedded,
            ingest_s: report.wall_ms as f64 / 1_000.0,
            hybrid,
            vector,
            hybrid_parents: matches!(chunking, Chunking::Hierarchical { .. }).then_some(parents),
        });
    }
    Ok(all)
}

async fn take_in(
    lectern: &Lectern,
    connector: &Arc<dyn Connector>,
    chunking: Chunking,
    index: usize,
) -> Result<(KnowledgeBase, JobReport)> {
    let embedder = &lectern.embedder;
    let name = format!("{index}-{}", chunking.name());
    let knowledge_base = lectern
        .ledger
        .create_knowledge_base(&name, "", embedder.model(), embedder.dimensions())
        .await?;
    let access = DefaultAccess(Acl::everyone());
    let config = serde_json::Value::Null;
    let source = lectern
        .ledger
        .ensure_source(knowledge_base.id, "corpora", "files", &config, &access)
        .await?;
    let settings = SourceSettings {
        chunking,
        ..SourceSettings::default()
    };
    let source: Source = lectern.ledger.set_source_settings(source.id, &settings).await?;
    let report = crate::cli::ingest::sync(lectern, &knowledge_base, &source, Arc::clone(connector)).await?;
    crate::cli::ingest::require_complete(&report)?;
    Ok((knowledge_base, report))
}

/// One knowledge base and what is asked of it.
struct Bench<'a> {
    lectern: &'a Lectern,
    scope: &'a ReadScope,
    knowledge_base: KnowledgeBaseId,
    corpora: &'a Corpora,
}

impl Bench<'_> {
    /// The figures of the chunks that are found, and those of their parents.
    async fn ask(&self, mode: SearchMode, bar: &ProgressBar) -> Result<(SpanFigures, SpanFigures)> {
        let (mut own, mut parents) = (SpanSums::default(), SpanSums::default());
        for question in &self.corpora.questions {
            let found = self.search(question, mode, FOUND).await?;
            let deep = self.search(question, mode, DEEP).await?;
            let read = within(self.spans(&deep, |passage| passage.span)?, READ_CHARACTERS);
            own.add(question, &self.spans(&found, |passage| passage.span)?, &read);
            let parent =
                |passage: &Passage| passage.parent.as_ref().map_or(passage.span, |parent| parent.span);
            let read = within(once(self.spans(&deep, parent)?), READ_CHARACTERS);
            parents.add(question, &once(self.spans(&found, parent)?), &read);
            bar.inc(1);
        }
        Ok((own.means(), parents.means()))
    }

    async fn search(&self, question: &Question, mode: SearchMode, limit: usize) -> Result<Vec<Passage>> {
        let request = SearchRequest {
            mode,
            limit,
            ..SearchRequest::new(question.text.clone())
        };
        let searcher = &self.lectern.searcher;
        let found = searcher.search(self.scope, self.knowledge_base, &request).await;
        Ok(found
            .with_context(|| format!("the question {:?} failed", question.text))?
            .into_passages())
    }

    fn spans(&self, passages: &[Passage], span: impl Fn(&Passage) -> TextSpan) -> Result<Vec<Found>> {
        let place = |passage| self.corpora.place(passage, span(passage));
        passages.iter().map(place).collect()
    }
}

/// The first ones of `found`, each stretch of a corpus once.
fn once(found: Vec<Found>) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// The first `characters` of what was found.
fn within(found: Vec<Found>, characters: usize) -> Vec<Found> {
    let mut left = characters;
    found
        .into_iter()
        .map_while(|mut one| {
            one.characters.end = one.characters.end.min(one.characters.start + left);
            left -= one.characters.len();
            (!one.characters.is_empty()).then_some(one)
        })
        .collect()
}

impl Corpora {
    /// Where a span of a found document lies in its corpus, in characters.
    fn place(&self, passage: &Passage, span: TextSpan) -> Result<Found> {
        let corpus = self
            .of_uri(&passage.uri)
            .with_context(|| format!("{} is no corpus of the folder", passage.uri))?;
        let characters = corpus.characters(span)?;
        // What is compared are places, so the text must be the one that the places were written down for.
        ensure!(
            passage.span.of(&corpus.text) == Some(passage.text.as_str()),
            "the text of {} is not that of the file",
            passage.uri
        );
        Ok(Found {
            corpus: corpus.name.clone(),
            characters,
        })
    }

    fn of_uri(&self, uri: &str) -> Option<&Corpus> {
        let name = uri.rsplit('/').next()?.strip_suffix(".md")?;
        self.by_name.get(name)
    }
}

impl Corpus {
    fn characters(&self, span: TextSpan) -> Result<Range<usize>> {
        let count = |end| self.text.get(..end).map(|before| before.chars().count());
        match (count(span.start), count(span.end)) {
            (Some(start), Some(end)) => Ok(start..end),
            _ => anyhow::bail!("bytes {span:?} are no stretch of {}", self.name),
        }
    }
}

/// Corpora by their names.
pub type CorporaByName = HashMap<String, Corpus>;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(range: Range<usize>) -> Found {
        Found {
            corpus: "a".to_owned(),
            characters: range,
        }
    }

    #[test]
    fn no_more_is_read_than_there_is_time_for() {
        let read = within(vec![found(0..10), found(30..50), found(60..70)], 25);
        assert_eq!(read, [found(0..10), found(30..45)]);
    }

    #[test]
    fn a_parent_of_two_counts_once() {
        assert_eq!(
            once(vec![found(0..9), found(9..12), found(0..9)]),
            [found(0..9), found(9..12)]
        );
    }
}
