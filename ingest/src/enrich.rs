//! Rules that act on a document between extraction and chunking.
//!
//! The way of a document: it arrives as its title, its attributes and its [`Extracted`] text. [`language`] says what
//! language it is in. Each rule of the source then looks at it, in the order in which they are written ([`condition`]);
//! where all conditions of a rule hold, its actions are done, in their order too ([`action`]): attributes are set, derived,
//! mapped or deleted, text that matches a pattern is redacted ([`redact`], [`pattern`]), or the document is dropped.
//! What comes out is chunked, stored and indexed; nothing else of the text is.
//!
//! [`rules`] is what a person writes, [`enricher`] checks it and makes it ready. Every regular expression runs in time
//! linear in the text (the `regex` crate has no backtracking), and its compiled size is bounded.
//!
//! The concepts are those of Amazon Kendra's custom document enrichment: a condition on an attribute, an operator and
//! a value; a target that is set or deleted; a document that is dropped. The operators carry its names.

mod rules;
mod error;
mod enricher;
mod facts;
mod condition;
mod action;
mod pattern;
mod redact;
mod language;
mod stage;

pub use action::Effect;
pub use condition::FailedCondition;
pub use enricher::{Enriched, Enricher, RuleTrace, Verdict};
pub use error::RuleError;
pub use facts::DocumentFacts;
pub use rules::{
    Action, BuiltInPattern, Condition, Derive, Enrichment, MapValues, Operand, Operator, Redact, Rule,
    ValueType,
};
pub(crate) use stage::enrich;

#[cfg(test)]
mod tests;
