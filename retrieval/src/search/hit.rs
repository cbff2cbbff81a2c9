//! What is shown of a chunk that was found, and how it came to its place.

use std::ops::Deref;

use lectern_domain::{Attributes, Confidence, LedgerChunk, Passage, Score, SpannedText, TextSpan};
use serde::{Deserialize, Serialize};

use super::explained::Explained;
use super::reading::Reading;
use crate::fuse::FusedChunk;

/// A passage that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// What is read and cited.
    #[serde(flatten)]
    pub passage: Passage,
    /// What is known about its document.
    pub attributes: Attributes,
    /// Where the words that were looked for stand in its text, in bytes of the passage, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<TextSpan>,
    /// Where they stand in its title.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub title_highlights: Vec<TextSpan>,
    /// Passages that say nearly the same, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Passage>,
    /// Further passages of its document, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Passage>,
    /// The chunks before and after it, in the order of the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<SpannedText>,
    /// How it came to its place, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// A hit reads like its passage.
impl Deref for Hit {
    type Target = Passage;

    fn deref(&self) -> &Passage {
        &self.passage
    }
}

/// How a passage came to its place. Ranks count from 1 among what the reader may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Its rank in the index of words; absent where that didn't find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_rank: Option<usize>,
    /// Its rank in the index of vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors_rank: Option<usize>,
    /// Its score after the two lists were merged, 0 to 1.
    pub fused: f32,
    /// What the tuning multiplied that by, more than 0 and at most 1.
    pub tuning: f32,
    /// The judgement of the reranker, 0 to 1, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranked: Option<f32>,
    /// The cosine of its vector to the question's, where the index of vectors found it; of a model whose cosines are
    /// never low, stretched to 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f32>,
    /// The share of the question's words of content that it contains, 0 to 1.
    pub coverage: f32,
    /// Whether there was a filter, which its document passed.
    pub filtered: bool,
}

/// A chunk on its way to a [`Hit`]: vouched for by the ledger, its place not settled yet.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) fused: FusedChunk,
    pub(super) chunk: LedgerChunk,
    /// What it is put in order by.
    pub(super) score: f32,
    pub(super) tuning: f32,
    pub(super) reranked: Option<f32>,
    /// Those that say nearly the same.
    pub(super) duplicates: Vec<Found>,
    /// Others of the same document.
    pub(super) others: Vec<Found>,
}

impl Found {
    pub(super) fn new((fused, chunk): (FusedChunk, LedgerChunk)) -> Self {
        Self {
            score: fused.score,
            fused,
            chunk,
            tuning: 1.0,
            reranked: None,
            duplicates: Vec::new(),
            others: Vec::new(),
        }
    }

    /// What is shown, with how it came to its place where that was noted. Nothing is marked yet.
    pub(super) fn into_hit(self, reading: &Reading<'_>, explained: &Explained) -> Hit {
        let evidence = reading.evidence(&self);
        let explanation = explained.explanation(&self, evidence, reading.plan.filter.is_some());
        let hit = self.into_hit_of(reading.confidence(evidence), |found| {
            found.into_hit(reading, explained).passage
        });
        Hit { explanation, ..hit }
    }

    /// The same, shown for its own sake.
    pub(super) fn into_certain_hit(self) -> Hit {
        self.into_hit_of(Confidence::VeryHigh, |found| found.into_certain_hit().passage)
    }

    fn into_hit_of(self, confidence: Confidence, passage: impl Fn(Self) -> Passage) -> Hit {
        let chunk = self.chunk;
        Hit {
            duplicates: self.duplicates.into_iter().map(&passage).collect(),
            others: self.others.into_iter().map(&passage).collect(),
            context: Vec::new(),
            passage: Passage {
                chunk: chunk.chunk,
                document: chunk.document,
                version: chunk.version,
                title: chunk.title,
                uri: chunk.uri,
                heading_path: chunk.heading_path,
                page: chunk.page,
                span: chunk.span,
                text: chunk.text,
                table_header: chunk.table_header,
                parent: chunk.parent,
                score: Score::clamped(self.score),
                confidence,
            },
            attributes: chunk.metadata.attributes,
            highlights: Vec::new(),
            title_highlights: Vec::new(),
            explanation: None,
        }
    }
}
