//! What a job does with a document. It is written down with the document, so that a job that goes on after a crash
//! counts what it had done before.

use serde::Deserialize;

/// What became of a document, for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    New,
    Modified,
    Unchanged,
    MetadataOnly,
    Skipped,
    Failed,
}

impl Outcome {
    /// The name that is stored and counted under.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Modified => "modified",
            Self::Unchanged => "unchanged",
            Self::MetadataOnly => "metadata_only",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// What counts for the whole job where an earlier attempt of it came to `before`: a document that it took in
    /// is new, although it finds it unchanged when it comes by again.
    pub(crate) fn after(self, before: Option<Self>) -> Self {
        match (before, self) {
            (Some(Self::New), Self::Modified | Self::Unchanged | Self::MetadataOnly) => Self::New,
            (Some(Self::Modified), Self::Unchanged | Self::MetadataOnly) => Self::Modified,
            (Some(Self::MetadataOnly), Self::Unchanged) => Self::MetadataOnly,
            (_, now) => now,
        }
    }
}
