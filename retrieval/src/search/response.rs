//! What a search gives, and how it is put together of what was found.

use lectern_domain::ports::Facet;
use lectern_domain::{EmbeddedShare, Passage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Vouched;
use super::beside::{Answered, Spelling};
use super::explained::Explained;
use super::hit::Hit;
use super::reading::Reading;
use crate::confidence::any_relevant;
use crate::request::SearchMode;

/// Where the time went, in milliseconds. The two indexes are asked at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchTimings {
    /// Making the question's vector.
    pub embed_ms: f64,
    /// Asking the index of vectors.
    pub vectors_ms: f64,
    /// Asking the index of words.
    pub words_ms: f64,
    /// Looking the chunks up in the ledger, with their texts.
    pub recheck_ms: f64,
    /// Judging them again, and putting them in order.
    pub rerank_ms: f64,
    /// Counting facets, marking words, and whatever else is given beside passages.
    pub beside_ms: f64,
    /// All of it.
    pub total_ms: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResponse {
    /// The search, for its next pages and for what is said of its results.
    pub query_id: Uuid,
    /// Best first, or in the order that was asked for.
    pub passages: Vec<Hit>,
    /// Which index was asked.
    pub mode: SearchMode,
    /// Whether anything that was found is about what was asked. Where it is `false` there is nothing
    /// to answer from. Where nothing was named to look for, whatever passes the filter is what was asked for.
    pub relevant: bool,
    /// Where the next page begins; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How much of the knowledge base can be found by meaning now.
    pub embedded: EmbeddedShare,
    /// The values that were asked for, counted over all documents that pass the filter and have one of the words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// Documents that come first for this question, each by its beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub featured: Vec<Hit>,
    /// What answers the question: the words of a passage, or an answer that somebody wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answered>,
    /// How the question may have been meant, where that was asked for and the documents don't have a word of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spelling: Option<Spelling>,
    /// Where the time went.
    pub timings: SearchTimings,
}

impl SearchResponse {
    /// The passages alone, for whoever answers from them.
    pub fn into_passages(self) -> Vec<Passage> {
        self.passages.into_iter().map(|hit| hit.passage).collect()
    }
}

impl Vouched {
    /// What is shown of it. There is nothing beside the passages yet.
    pub(super) fn into_response(
        self,
        reading: &Reading<'_>,
        explained: &Explained,
        query_id: Uuid,
    ) -> SearchResponse {
        let found = self.found.into_iter();
        let passages: Vec<Hit> = found.map(|found| found.into_hit(reading, explained)).collect();
        SearchResponse {
            query_id,
            relevant: any_relevant(passages.iter().map(|hit| &hit.passage)),
            passages,
            mode: reading.request.mode,
            next: None,
            embedded: self.embedded,
            facets: Vec::new(),
            featured: Vec::new(),
            answer: None,
            spelling: None,
            timings: self.timings,
        }
    }
}
