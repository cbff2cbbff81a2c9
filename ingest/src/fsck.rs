//! The proof that ledger, indexes and texts agree.
//!
//! For each knowledge base: the chunks that may be seen, as a set, are exactly those in each index; every text
//! that a version has is stored and has its hash; nothing is unfinished. Reads every id of every index and every
//! byte of every text.

use std::collections::BTreeSet;

use lectern_domain::{ChunkId, ContentHash, KnowledgeBaseId};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::ledger::{KnowledgeBase, ReleasedFiles};
use crate::pipeline::{Ingestion, IngestionParts};
use crate::recover;
use crate::texts::blocking;

/// How many ids of each kind a report names.
const NAMED: usize = 20;

/// What was found in all checked knowledge bases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FsckReport {
    /// One for each knowledge base.
    pub checks: Vec<KnowledgeBaseCheck>,
    /// Stored files that nothing refers to: wasted space and no fault, removed by the next recovery.
    pub unreferenced_files: u64,
    /// Whether every check is clean.
    pub clean: bool,
}

/// What was found in one knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnowledgeBaseCheck {
    /// Which one.
    pub knowledge_base: KnowledgeBaseId,
    /// Its name.
    pub name: String,
    /// Chunks that may be seen, as the ledger knows them.
    pub ledger_chunks: u64,
    /// Each index against the ledger.
    pub indexes: Vec<IndexCheck>,
    /// Texts and originals that were read.
    pub files_checked: u64,
    /// Files that are missing or whose hash is another one: their number, and the first of them.
    pub files_damaged: Findings<String>,
    /// Versions that are staged although no job runs.
    pub staged_versions: u64,
    /// Versions that wait to be taken out of the indexes.
    pub retired_versions: u64,
    /// Documents whose access list the indexes don't have yet.
    pub owed_access: u64,
    /// Jobs that are said to run although none does.
    pub running_jobs: u64,
    /// Documents whose visible version lacks chunks.
    pub torn_documents: u64,
    /// Whether nothing of the above is amiss.
    pub clean: bool,
}

/// An index against the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexCheck {
    /// `vectors` or `words`.
    pub index: String,
    /// Entries of the index.
    pub chunks: u64,
    /// In the ledger, not in the index.
    pub missing: Findings<ChunkId>,
    /// In the index, not in the ledger.
    pub ghost: Findings<ChunkId>,
    /// In the index more than once.
    pub duplicate: Findings<ChunkId>,
}

/// How many there are, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings<T> {
    /// How many.
    pub count: u64,
    /// At most 20.
    pub first: Vec<T>,
}

impl<T> Findings<T> {
    fn none(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, value: T) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(value);
        }
    }
}

impl<T> FromIterator<T> for Findings<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut findings = Self {
            count: 0,
            first: Vec::new(),
        };
        for value in values {
            findings.push(value);
        }
        findings
    }
}

impl Ingestion {
    /// Checks one knowledge base, or all. Fails with [`Error::JobRunning`] while one of them is written to.
    pub async fn fsck(&self, knowledge_base: Option<&KnowledgeBase>) -> Result<FsckReport> {
        let all = match knowledge_base {
            Some(one) => vec![one.clone()],
            None => self.parts.ledger.knowledge_bases().await?,
        };
        let mut checks = Vec::with_capacity(all.len());
        for knowledge_base in &all {
            let _lock = self
                .locks
                .try_lock(knowledge_base.id)
                .ok_or_else(|| Error::JobRunning {
                    name: knowledge_base.name.clone(),
                })?;
            checks.push(check(&self.parts, knowledge_base).await?);
        }
        let strays = recover::strays(&self.parts).await?;
        Ok(FsckReport {
            clean: checks.iter().all(|check| check.clean),
            unreferenced_files: (strays.texts.len() + strays.originals.len()) as u64,
            checks,
        })
    }
}

async fn check(parts: &IngestionParts, knowledge_base: &KnowledgeBase) -> Result<KnowledgeBaseCheck> {
    let ledger = parts.ledger.visible_chunks(knowledge_base.id).await?;
    let mut indexes = Vec::with_capacity(2);
    for index in parts.indexes() {
        let found = index.chunk_ids(knowledge_base.id).await?;
        indexes.push(compare(index.name(), &ledger, found));
    }
    let files = parts.ledger.files_of(knowledge_base.id).await?;
    let files_checked = (files.texts.len() + files.originals.len()) as u64;
    let files_damaged = damaged(parts, files).await?;
    let unfinished = parts.ledger.unfinished(knowledge_base.id).await?;
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let mut check = KnowledgeBaseCheck {
        knowledge_base: knowledge_base.id,
        name: knowledge_base.name.clone(),
        ledger_chunks: ledger.len() as u64,
        indexes,
        files_checked,
        files_damaged,
        staged_versions: count(unfinished.staged_versions),
        retired_versions: count(unfinished.retired_versions),
        owed_access: count(unfinished.owed_access),
        running_jobs: count(unfinished.running_jobs),
        torn_documents: count(unfinished.torn_documents),
        clean: false,
    };
    check.clean = is_clean(&check);
    Ok(check)
}

fn is_clean(check: &KnowledgeBaseCheck) -> bool {
    let indexes_agree = check
        .indexes
        .iter()
        .all(|index| index.missing.none() && index.ghost.none() && index.duplicate.none());
    let unfinished = check.staged_versions + check.retired_versions + check.owed_access + check.running_jobs;
    indexes_agree && check.files_damaged.none() && unfinished + check.torn_documents == 0
}

/// `ledger` is sorted and has each id once.
fn compare(index: &str, ledger: &[ChunkId], mut found: Vec<ChunkId>) -> IndexCheck {
    found.sort_unstable();
    let chunks = found.len() as u64;
    let duplicate = found
        .windows(2)
        .filter(|pair| pair.first() == pair.last())
        .filter_map(|pair| pair.first().copied())
        .collect();
    found.dedup();
    IndexCheck {
        index: index.to_owned(),
        chunks,
        missing: without(ledger, &found),
        ghost: without(&found, ledger),
        duplicate,
    }
}

fn without(these: &[ChunkId], others: &[ChunkId]) -> Findings<ChunkId> {
    these
        .iter()
        .filter(|id| others.binary_search(id).is_err())
        .copied()
        .collect()
}

async fn damaged(parts: &IngestionParts, files: ReleasedFiles) -> Result<Findings<String>> {
    let store = std::sync::Arc::clone(&parts.texts);
    blocking(move || {
        let mut damaged = Findings::default();
        let texts: BTreeSet<ContentHash> = files.texts.into_iter().collect();
        for hash in texts {
            if let Err(error) = store.texts().read(hash) {
                damaged.push(format!("text {hash}: {error}"));
            }
        }
        for hash in files.originals {
            if let Err(error) = store.originals().read(hash) {
                damaged.push(format!("original {hash}: {error}"));
            }
        }
        Ok(damaged)
    })
    .await
}
