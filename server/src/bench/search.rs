//! The way of a question, step by step.
//!
//! [`asked`] asks a knowledge base that is there. [`synthetic`] makes one up ([`generated`]), as large as is wanted,
//! in the real engines ([`built`]), and compares what they find with an exact search ([`exact`]), with and without filters.

pub mod asked;
pub mod built;
pub mod exact;
pub mod generated;
pub mod latency;
pub mod memory;
pub mod synthetic;

/// Somebody who looks on: the step, how much of it is done, and of how much.
pub type Watcher<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);
