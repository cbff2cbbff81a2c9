//! A document as the ledger knows it, and the account of a job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::attribute::Attributes;
use crate::ids::{DocumentId, KnowledgeBaseId, SourceId, Version};
use crate::searchable::Searchable;

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    /// Accepted, and not yet in the indexes as it was accepted: its text, or who may read it.
    Pending,
    /// A version of it can be found.
    Indexed,
    /// Left out for a reason that is no error (too large, empty, of a kind that isn't read).
    Skipped,
    /// Could not be read. An earlier version, if there is one, can still be found.
    Failed,
}

impl DocumentStatus {
    /// The name that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Indexed => "indexed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A document as the ledger knows it. Its text is kept beside the ledger, by hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Derived from the source and the key.
    pub id: DocumentId,
    /// Where it can be found.
    pub knowledge_base: KnowledgeBaseId,
    /// Where it came from.
    pub source: SourceId,
    /// What the source calls it; unique within the source.
    pub key: String,
    /// Where a person finds the original.
    pub uri: String,
    /// Its title, or the file name where it has none.
    pub title: String,
    /// Its media type (RFC 6838), as recognised from the content.
    pub media_type: String,
    /// Size of the original.
    pub size_bytes: u64,
    /// What became of it.
    pub status: DocumentStatus,
    /// How it can be found now.
    pub searchable: Searchable,
    /// Why it was skipped or failed, or has no vectors: a stable code, then a sentence.
    pub reason: Option<String>,
    /// The version that can be found, if one can.
    pub current_version: Option<Version>,
    /// How many chunks that version has.
    pub chunk_count: u32,
    /// Who may read it.
    pub acl: Acl,
    /// What else is known about it.
    pub attributes: Attributes,
    /// When the source says that it changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// When its current version became visible.
    pub indexed_at: Option<DateTime<Utc>>,
    /// How often it was read until it stood as it stands: 1 where the first attempt decided, more where
    /// earlier ones failed, 0 while it waits for its first.
    pub attempts: u32,
    /// When it was last read.
    pub attempted_at: Option<DateTime<Utc>>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waiting for its turn.
    Queued,
    /// At work.
    Running,
    /// Ended, with every document accounted for; some may have failed.
    Complete,
    /// Ended before its time, with a reason.
    Failed,
    /// Ended by request.
    Stopped,
}

impl JobState {
    /// The name that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// What a job did, in documents. `scanned = new + modified + unchanged + metadata_only + skipped + failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Seen in the source.
    pub scanned: u64,
    /// Indexed for the first time.
    pub new: u64,
    /// Indexed again, because the content changed.
    pub modified: u64,
    /// Left as they were, because nothing about them changed.
    pub unchanged: u64,
    /// Given other readers, attributes or another address; the content is the same and nothing was embedded.
    #[serde(default)]
    pub metadata_only: u64,
    /// Gone from the source, and so from the indexes.
    pub deleted: u64,
    /// Left out for a reason that is no error.
    pub skipped: u64,
    /// Could not be read.
    pub failed: u64,
}

impl JobCounts {
    /// Whether every document that was seen is accounted for.
    pub fn add_up(&self) -> bool {
        self.scanned
            == self.new + self.modified + self.unchanged + self.metadata_only + self.skipped + self.failed
    }
}
