//! The settings of a source: what its documents are made with, what a job may do to them, and when one runs.
//!
//! They are stored with the source as JSON. Whatever decides what a document becomes is part of the
//! [recipe](crate::recipe), so that a changed setting reaches every document with the next sync.

use serde::{Deserialize, Serialize};

use crate::chunk::Chunking;
use crate::enrich::Enrichment;
use crate::error::Result;
use crate::schedule::Schedule;

/// The settings of a source. What isn't said has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// How its documents are cut.
    pub chunking: Chunking,
    /// What is done to its documents before they are cut.
    #[serde(skip_serializing_if = "Enrichment::is_empty")]
    pub enrichment: Enrichment,
    /// When a job stops and asks instead of deleting.
    pub deletions: DeletionGuard,
    /// When it is synced without anybody asking.
    #[serde(skip_serializing_if = "Schedule::is_never")]
    pub schedule: Schedule,
}

impl SourceSettings {
    /// Whether documents can be taken in with these settings. `chunk_tokens` is the most that a chunk may have
    /// ([`crate::chunk::ChunkSettings::max_tokens`]).
    ///
    /// # Errors
    /// The one of [`Chunking::check`] or [`Enrichment::check`].
    pub fn check(&self, chunk_tokens: usize) -> Result<()> {
        self.enrichment.check()?;
        self.chunking.check(chunk_tokens)
    }
}

/// How much a job may delete unasked. One that would delete more than `max_share` of the documents that the source
/// had *and* more than `more_than` of them is stopped before it deletes anything: a source that is
/// half mounted looks just like one whose owner has tidied up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeletionGuard {
    /// 0 to 1.
    pub max_share: f64,
    /// In documents.
    pub more_than: u64,
}

impl Default for DeletionGuard {
    fn default() -> Self {
        Self {
            max_share: 0.2,
            more_than: 10,
        }
    }
}

impl DeletionGuard {
    /// Whether `deleted` of the `known` documents may go unasked.
    pub fn permits(&self, deleted: u64, known: u64) -> bool {
        // Exact up to 2^53 documents.
        deleted <= self.more_than || deleted as f64 <= self.max_share * known as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_deletions_or_a_small_share_pass_and_only_many_of_a_large_share_do_not() {
        let guard = DeletionGuard::default();
        for (deleted, known, is_permitted) in [
            (0, 0, true),
            (10, 10, true),
            (11, 11, false),
            (11, 54, false),
            (11, 55, true),
            (20_000, 100_000, true),
            (20_001, 100_000, false),
        ] {
            assert_eq!(
                guard.permits(deleted, known),
                is_permitted,
                "{deleted} of {known}"
            );
        }
        let never = DeletionGuard {
            max_share: 0.0,
            more_than: 0,
        };
        assert!(never.permits(0, 5) && !never.permits(1, 5));
    }

    #[test]
    fn what_is_not_said_has_its_default_and_what_is_unknown_is_refused() {
        let settings: SourceSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings, SourceSettings::default());
        let some: SourceSettings = serde_json::from_str(r#"{"deletions":{"max_share":0.5}}"#).unwrap();
        assert_eq!((some.deletions.max_share, some.deletions.more_than), (0.5, 10));
        assert!(serde_json::from_str::<SourceSettings>(r#"{"deletion":{}}"#).is_err());
        let wrong = serde_json::from_str::<SourceSettings>(r#"{"schedule":"0 3 * *"}"#).unwrap_err();
        assert!(wrong.to_string().contains("4 fields"), "{wrong}");
    }
}
