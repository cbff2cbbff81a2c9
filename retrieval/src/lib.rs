//! Both indexes, their write side and their read side, the embedder, fusion and the recheck.
//!
//! Chunks come in from `ingest` with their vectors and are written to two indexes, which know nothing
//! of each other: one of vectors ([`vectors`]) and one of words ([`words`]). A question goes to both,
//! the two lists are merged ([`fuse`]), every chunk of the merged list is looked up in the ledger
//! ([`recheck`]), and what is left gets a score and a confidence ([`confidence`]). The way of a
//! question is written down in one place, [`search::Searcher`].
//!
//! The raw scores of the indexes never leave this crate: they tell about documents that the reader
//! may not see.

pub mod tokens;
pub mod embedder;
pub mod acl_filter;
mod bases;
pub mod vectors;
pub mod words;
mod query_values;
pub mod query_language;
pub mod synonyms;
pub mod fuse;
pub mod recheck;
pub mod reranker;
pub mod late_interaction;
pub mod shingles;
pub mod fold;
pub mod diversity;
pub mod confidence;
pub mod highlight;
mod phrases;
pub mod request;
pub mod search;
pub mod conformance;
pub mod error;

pub use embedder::{EmbedderFiles, EmbedderSettings, FastEmbedder, Prefixes};
pub use error::Error;
pub use fuse::Fusion;
pub use late_interaction::LateInteraction;
pub use request::{SearchMode, SearchRequest};
pub use reranker::{FastReranker, RerankerFiles};
pub use search::{
    Answered, Explanation, Hit, SearchResponse, SearchTimings, Searcher, SearcherParts, Spelling, Suggestion,
    SuggestionKind,
};
pub use synonyms::Synonyms;
pub use tokens::TokenSizer;
pub use vectors::{EdgeVectors, ServerVectors, ServerVectorsConfig};
pub use words::TantivyWords;
