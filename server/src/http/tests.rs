//! The HTTP layer over the real ledger, the real indexes and the real pipeline.
//!
//! Three parts stand in: an embedder that needs no model files, a reader of plain text that needs no
//! child process (the test program can't be one), and the scripted generator.

mod fixture;
mod errors;
mod access;
mod documents;
mod sources;
mod schedules;
mod searching;
mod ingestions;
mod answers;
mod analytics;
mod pages;
