//! The account of a listing: what became of each file, and how much of the history was read.

use crate::shelf::Snapshot;

/// What a listing has named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Files that are documents.
    pub documents: u64,
    /// Those of them whose last change or first commit couldn't be told: the history ends before it (a shallow clone, a
    /// missing object, `max_commits`).
    pub undated: u64,
    /// Files, links and submodules that aren't read.
    pub skipped: u64,
    /// Files and folders that can't be read.
    pub failed: u64,
    /// Files that are gone since the last listing, in a listing of changes.
    pub gone: u64,
    /// Commits that were looked at for dates and authors.
    pub commits: u32,
}

impl Account {
    /// Writes it into the log.
    pub(crate) fn tell(&self, snapshot: &Snapshot) {
        tracing::info!(
            commit = snapshot.tip.commit.map(|commit| commit.to_string()),
            files = snapshot.files.files.len(),
            documents = self.documents,
            undated = self.undated,
            skipped = self.skipped,
            failed = self.failed,
            gone = self.gone,
            commits = self.commits,
            "a Git repository was listed"
        );
        if self.undated > 0 {
            tracing::warn!(
                undated = self.undated,
                commits = self.commits,
                "the history of a repository ends before the dates and authors of some files are known"
            );
        }
    }
}
