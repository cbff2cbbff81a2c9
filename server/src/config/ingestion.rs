//! `[ingestion]`: how documents are read and cut, and how much of the machine that may take.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use lectern_domain::{PortError, Principal};
use lectern_ingest::chunk::Chunking;
use lectern_ingest::enrich::Enrichment;
use lectern_ingest::{DeletionGuard, Schedule, SourceSettings};
use serde::{Deserialize, Serialize};

use super::invalid;

/// The longest text that every embedder reads whole, in its own tokens.
const EMBEDDER_TOKENS: usize = 256;
/// A chunk must have room for a title and a sentence.
const SMALLEST_CHUNK_TOKENS: usize = 32;

/// How documents are read and cut, and how much of the machine that may take.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestionConfig {
    /// The longest chunk, in the embedder's tokens, with its title path. 32 to 256. Default 256.
    pub chunk_tokens: usize,
    /// A larger file is skipped, in MiB. Default 50.
    pub max_file_mib: u64,
    /// How many embedder sessions run side by side, one thread each. Default: one for each core.
    pub embedder_sessions: Option<usize>,
    /// How many processes read files side by side. Default: one for each core, four at most.
    pub extractor_processes: Option<usize>,
    /// The memory that one of them may take, in MiB. Default 2048.
    pub extractor_memory_mib: u64,
    /// How long the reading of one file may take, in seconds. Default 120.
    pub extractor_timeout_s: u64,
    /// The longest text that a file may give, in MiB. Default 64.
    pub max_text_mib: u64,
    /// How deep a file may be nested (elements, groups, lists within each other); a format may allow less.
    /// Default 4000.
    pub max_depth: usize,
    /// How deep attachments of attachments are taken in; 0 takes none. Default 3.
    pub attachment_depth: usize,
    /// How documents are cut where their source says nothing else, and those that are pushed: `{ strategy = "structural" }`, or one of
    /// `fixed`, `hierarchical`, `semantic` and `none` with their sizes.
    pub chunking: Chunking,
    /// When a job stops and asks instead of deleting, where its source says nothing else: when more than
    /// `max_share` of the documents are gone *and* more than `more_than`. Default 0.2 and 10.
    pub deletions: DeletionGuard,
    /// How many jobs run at once, each on a knowledge base of its own. Default 2.
    pub jobs_at_once: usize,
    /// How many jobs may wait; one more is refused. Default 100.
    pub jobs_waiting: usize,
    /// How much later than its time a scheduled sync begins at most, in seconds, so that sources with the same schedule
    /// don't begin together; never more than a tenth of the way to its next time. 0 is not at all. Default 300.
    pub schedule_jitter_s: u32,
    /// How many documents are fetched and read ahead of the indexes. Default: four for each core.
    pub documents_ahead: Option<usize>,
    /// How much memory their originals may take together, in MiB. Default 256.
    pub documents_ahead_mib: u64,
    /// Who may read a document that is pushed without a list of its own: `everyone`, `user:NAME`,
    /// `group:NAME`; an empty list is nobody. Default: everyone who is let in.
    pub pushed_access: BTreeSet<Principal>,
}

impl Default for IngestionConfig {
    fn default() -> Self {
        Self {
            chunk_tokens: EMBEDDER_TOKENS,
            max_file_mib: 50,
            embedder_sessions: None,
            extractor_processes: None,
            extractor_memory_mib: 2048,
            extractor_timeout_s: 120,
            max_text_mib: 64,
            max_depth: 4_000,
            attachment_depth: 3,
            chunking: Chunking::default(),
            deletions: DeletionGuard::default(),
            jobs_at_once: 2,
            jobs_waiting: 100,
            schedule_jitter_s: 300,
            documents_ahead: None,
            documents_ahead_mib: 256,
            pushed_access: BTreeSet::from([Principal::Everyone]),
        }
    }
}

impl IngestionConfig {
    /// How many embedder sessions to run.
    pub fn sessions(&self) -> usize {
        self.embedder_sessions.unwrap_or_else(cores).max(1)
    }

    /// How many extractor processes to run.
    pub fn processes(&self) -> usize {
        self.extractor_processes.unwrap_or_else(|| cores().min(4)).max(1)
    }

    /// How long the reading of one file may take.
    pub fn extractor_timeout(&self) -> Duration {
        Duration::from_secs(self.extractor_timeout_s)
    }

    /// What a source has that says nothing else.
    pub fn source_settings(&self) -> SourceSettings {
        SourceSettings {
            chunking: self.chunking,
            enrichment: Enrichment::default(),
            deletions: self.deletions,
            schedule: Schedule::Never,
        }
    }

    /// How much later than its time a scheduled sync begins at most.
    pub fn schedule_jitter(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.schedule_jitter_s))
    }

    /// How many documents are read ahead of the indexes.
    pub fn documents_ahead(&self) -> usize {
        self.documents_ahead.unwrap_or_else(|| cores() * 4).max(1)
    }

    /// `documents_ahead_mib` in bytes.
    pub fn documents_ahead_bytes(&self) -> u64 {
        mebibytes(self.documents_ahead_mib)
    }

    /// `max_file_mib` in bytes.
    pub fn max_file_bytes(&self) -> u64 {
        mebibytes(self.max_file_mib)
    }

    /// `extractor_memory_mib` in bytes.
    pub fn extractor_memory_bytes(&self) -> u64 {
        mebibytes(self.extractor_memory_mib)
    }

    /// `max_text_mib` in bytes.
    pub fn max_text_bytes(&self) -> u64 {
        mebibytes(self.max_text_mib)
    }

    pub(super) fn check(&self) -> Result<(), PortError> {
        if !(SMALLEST_CHUNK_TOKENS..=EMBEDDER_TOKENS).contains(&self.chunk_tokens) {
            return Err(invalid(format!(
                "[ingestion] chunk_tokens is {}, and must be {SMALLEST_CHUNK_TOKENS} to {EMBEDDER_TOKENS}",
                self.chunk_tokens
            )));
        }
        for (name, value) in [
            ("max_file_mib", self.max_file_mib),
            ("extractor_memory_mib", self.extractor_memory_mib),
            ("extractor_timeout_s", self.extractor_timeout_s),
            ("max_text_mib", self.max_text_mib),
            ("max_depth", self.max_depth as u64),
            ("jobs_at_once", self.jobs_at_once as u64),
            ("jobs_waiting", self.jobs_waiting as u64),
            ("documents_ahead", self.documents_ahead.unwrap_or(1) as u64),
            ("documents_ahead_mib", self.documents_ahead_mib),
        ] {
            if value == 0 {
                return Err(invalid(format!("[ingestion] {name} is 0, and must be 1 or more")));
            }
        }
        if !(0.0..=1.0).contains(&self.deletions.max_share) {
            return Err(invalid(format!(
                "[ingestion] deletions.max_share is {}, and must be 0 to 1",
                self.deletions.max_share
            )));
        }
        self.chunking
            .check(self.chunk_tokens)
            .map_err(|error| invalid(format!("[ingestion] chunking: {error}")))
    }
}

fn mebibytes(count: u64) -> u64 {
    count.saturating_mul(1024 * 1024)
}

/// How many threads the machine runs at once; 1 where it doesn't tell.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
