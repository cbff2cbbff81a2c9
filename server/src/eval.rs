//! `lectern eval`: how well the ordinary search finds what people judged to be right.
//!
//! A folder in the layout of BEIR (Thakur et al. 2021, "BEIR: A Heterogeneous Benchmark for
//! Zero-shot Evaluation of Information Retrieval Models") is read ([`dataset`]), ingested into a
//! temporary knowledge base through the ordinary pipeline ([`connector`]), and asked every judged
//! query in every mode ([`runs`]). What comes back is measured as `trec_eval` does ([`metrics`]) and
//! shown as a table or as one JSON object ([`report`]).
//!
//! Nothing is set differently for an evaluation: the same chunks, the same indexes, the same fusion.

pub mod dataset;
pub mod connector;
pub mod metrics;
pub mod runs;
pub mod report;
