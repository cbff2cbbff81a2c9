//! From a fetched document to published chunks: the ledger, extraction, chunking, embedding order, publishing.
//!
//! The way of a document is the order of the modules. [`fetch`] walks a source and drops what is unchanged,
//! [`extract`] reads a file in a child process, [`enrich`] applies the source's rules, [`chunk`] cuts its text, [`embed`] keeps the embedder
//! fed, [`publish`] makes a version visible in the ledger and both indexes. [`pipeline`] puts the stages
//! together behind [`Ingestion`]; every queue between them is bounded.
//!
//! What is known about documents is in the [`ledger`] (SQLite), their text beside it in [`texts`] (files named
//! by their hash). The indexes hold nothing that can't be made again from those two. After a crash
//! [`recover`] puts things in order, and [`fsck`] proves that they are.

pub mod pipeline;
pub mod sync;
pub mod push;
mod preview;
pub mod remove;
mod run;
mod outcome;
mod in_hand;
mod fetch;
pub mod extract;
pub mod enrich;
pub mod chunk;
mod cut;
mod shape;
mod prepare;
mod publish;
pub mod embedding;
mod collect;
pub mod progress;
pub mod report;
pub mod cancel;
mod queues;
mod locks;
pub mod source_settings;
pub mod schedule;
mod recipe;
pub mod sqlite;
pub mod ledger;
pub mod texts;
pub mod access;
pub mod recover;
pub mod fsck;
pub mod repair;
pub mod failpoints;
pub mod error;

pub use cancel::Cancellation;
pub use error::Error;
pub use fsck::{FsckReport, KnowledgeBaseCheck};
pub use ledger::{DocumentFilter, Job, JobEvent, KnowledgeBase, Ledger, Page, Source, SourceTotals};
pub use pipeline::{IngestSettings, Ingestion, IngestionParts};
pub use preview::{LeftOut, Preview, PreviewAttachment, PreviewChunk, PreviewRequest};
pub use progress::{Progress, ProgressSnapshot};
pub use push::{DocumentReceipt, PushReport, PushedDocument};
pub use recover::RecoveryReport;
pub use report::{DocumentProblem, JobReport, StageTimings};
pub use schedule::{Schedule, Spread};
pub use source_settings::{DeletionGuard, SourceSettings};
pub use sync::{SyncOptions, SyncRun};
pub use texts::TextStore;

#[cfg(test)]
mod tests;
