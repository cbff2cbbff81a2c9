//! `lectern eval`: how well the ordinary search finds what people judged to be right.
//!
//! ```text
//! folder -> layouts -> (connector) -> ingest --+
//! file   -> questions ------------------------+-> asking -> measures -> run -> report, gate
//! knowledge base ------------------------------+                          \-> compare
//! ```
//!
//! A folder is read in the layout that it has ([`layouts`]) and ingested into a knowledge base of its own through the
//! ordinary pipeline ([`connector`]), or a knowledge base that people use is taken as it is, with questions from a
//! file ([`questions`]). Every question is asked in every way ([`asking`]); what comes back is measured
//! ([`measures`]), kept ([`run`]), shown ([`report`]), held against a gate ([`gate`]) and compared with an earlier run
//! ([`compare`]).
//!
//! Nothing is set differently for an evaluation: the same chunks, the same indexes, the same fusion.

mod lines;
pub mod layouts;
pub mod connector;
pub mod questions;
pub mod asking;
pub mod measures;
pub mod run;
pub mod report;
pub mod gate;
pub mod compare;

#[cfg(test)]
mod tests;
