//! From passages to a cited answer, and the models that write it.
//!
//! A question comes with the passages that a search found for it, already rechecked against the
//! reader's rights. [`answer::Answerer`] takes it the rest of the way: a place in a bounded queue
//! ([`admission`]), what is read of each passage ([`reading`]), the best sentences of it ([`selection`]), a short numbered prompt
//! ([`prompt`]), a stream of tokens from an engine ([`engine`]), and a guard that lets no citation
//! through that was not handed over ([`citations`]). Nothing but those passages reaches an engine,
//! and an engine can neither fetch nor call anything.
//!
//! Models come from the [`catalogue`]: which there are, where they can be had, and a store that
//! fetches them once and checks every byte.

pub mod catalogue;
pub mod admission;
pub mod terms;
pub mod sentences;
pub mod reading;
pub mod selection;
pub mod prompt;
pub mod engine;
pub mod citations;
pub mod repetition;
pub mod attribution;
pub mod answer;
pub mod bench;
pub mod error;

pub use admission::{Admission, AdmissionSettings};
pub use answer::{AnswerSettings, AnswerStream, Answerer, AnswererParts};
pub use error::Error;
