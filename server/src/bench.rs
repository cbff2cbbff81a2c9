//! `lectern bench`: how fast this machine takes documents in and answers, and how well documents are cut.
//!
//! [`ingest`] runs the whole pipeline and, on the very same chunks, ONNX Runtime alone ([`bare`], in a
//! process of its own), so that the figure says what everything around the model costs. [`chunking`] says which way
//! of cutting finds most of what answers. [`search`] measures the way of a question. How fast answers
//! are written is measured by `lectern_generation::bench`.

pub mod tokens;
pub mod bare;
pub mod ingest;
pub mod chunking;
pub mod search;
