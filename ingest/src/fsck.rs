//! The proof that ledger, indexes and texts agree.
//!
//! For each knowledge base: the chunks that may be seen, as a set, are exactly those in the index of words; the index of
//! vectors has all of the documents that are said to have their vectors, and none of what may not be seen; each has
//! them for the readers of their document; every text that a version has, and every stored vector, is there and has its hash; nothing is unfinished. Documents
//! whose vectors are still to come are counted and are no fault. Reads every id of both indexes, and every byte of
//! every text and stored vector. What is amiss is mended by [`crate::repair`].

use std::collections::BTreeSet;
use std::fmt;

use lectern_domain::ports::{ChunkIndex, IndexedChunk};
use lectern_domain::{ChunkId, ContentHash, ErrorKind, KnowledgeBaseId, PortError};
use serde::Serialize;

use crate::error::Result;
use crate::ledger::{KnowledgeBase, ReleasedFiles, VisibleChunks};
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
    /// Those of them that belong to documents with all their vectors.
    pub embedded_chunks: u64,
    /// Documents that can be found by words only, for now or for good. No fault.
    pub words_only: u64,
    /// Those of them whose vectors can't be made; each says why.
    pub without_vectors: u64,
    /// Each index against the ledger.
    pub indexes: Vec<IndexCheck>,
    /// Texts and originals that were read.
    pub files_checked: u64,
    /// Files that are missing or whose hash is another one: their number, and the first of them.
    pub files_damaged: Findings<String>,
    /// Stored vectors that were read.
    pub vectors_checked: u64,
    /// Stored vectors that are not what was stored, by the hash of what was embedded.
    pub vectors_damaged: Findings<String>,
    /// Chunks of embedded documents whose vector isn't stored.
    pub vectors_missing: u64,
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
    /// Whether the counts that are kept with the knowledge base aren't those of its documents.
    pub miscounted: bool,
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
    /// Why the index can't be read, if it can't.
    pub unreadable: Option<String>,
    /// In the ledger, not in the index.
    pub missing: Findings<ChunkId>,
    /// In the index, and known to the ledger as unfinished or replaced: what a crash leaves and the next start
    /// takes out.
    pub leftover: Findings<ChunkId>,
    /// In the index, not in the ledger.
    pub ghost: Findings<ChunkId>,
    /// In the index more than once.
    pub duplicate: Findings<ChunkId>,
    /// In the index for other readers, or with other attributes, than those of its document.
    pub misfiled: Findings<ChunkId>,
}

/// How many there are, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings<T> {
    /// How many.
    pub count: u64,
    /// At most 20.
    pub first: Vec<T>,
}

impl<T> Default for Findings<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: Vec::new(),
        }
    }
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
        let mut findings = Self::default();
        for value in values {
            findings.push(value);
        }
        findings
    }
}

impl Ingestion {
    /// Checks one knowledge base, or all. Fails with [`crate::Error::JobRunning`] while one of them is written to.
    pub async fn fsck(&self, knowledge_base: Option<&KnowledgeBase>) -> Result<FsckReport> {
        let all = self.this_or_all(knowledge_base).await?;
        let mut checks = Vec::with_capacity(all.len());
        for knowledge_base in &all {
            let _lock = self.lock_now(knowledge_base)?;
            checks.push(check(&self.parts, knowledge_base).await?);
        }
        let strays = recover::strays(&self.parts).await?;
        Ok(FsckReport {
            clean: checks.iter().all(|check| check.clean),
            unreferenced_files: (strays.texts.len() + strays.originals.len()) as u64,
            checks,
        })
    }

    /// The knowledge base that is named, or every one.
    pub(crate) async fn this_or_all(
        &self,
        knowledge_base: Option<&KnowledgeBase>,
    ) -> Result<Vec<KnowledgeBase>> {
        match knowledge_base {
            Some(one) => Ok(vec![one.clone()]),
            None => self.parts.ledger.knowledge_bases().await,
        }
    }
}

async fn check(parts: &IngestionParts, knowledge_base: &KnowledgeBase) -> Result<KnowledgeBaseCheck> {
    let id = knowledge_base.id;
    // Nobody brings vectors in while sets are compared.
    let turn = parts.ledger.index_turn(id).await;
    let visible = parts.ledger.visible_chunks(id).await?;
    let indexes = vec![
        compare(&*parts.words, id, &visible.current, &visible).await?,
        compare(&*parts.vectors, id, &visible.embedded, &visible).await?,
    ];
    drop(turn);
    let files = parts.ledger.files_of(id).await?;
    let files_checked = (files.texts.len() + files.originals.len()) as u64;
    let files_damaged = damaged(parts, files).await?;
    let model = &knowledge_base.embedding_model;
    let (vectors_checked, vectors_damaged) = parts
        .ledger
        .damaged_vectors(id, model, knowledge_base.dimensions)
        .await?;
    let vectors_missing = parts.ledger.chunks_lacking_vectors(id, model).await?;
    let unfinished = parts.ledger.unfinished(id).await?;
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let mut check = KnowledgeBaseCheck {
        knowledge_base: id,
        name: knowledge_base.name.clone(),
        ledger_chunks: visible.current.len() as u64,
        embedded_chunks: visible.embedded.len() as u64,
        words_only: count(unfinished.words_only),
        without_vectors: count(unfinished.without_vectors),
        indexes,
        files_checked,
        files_damaged: files_damaged.iter().map(Damaged::to_string).collect(),
        vectors_checked,
        vectors_damaged: vectors_damaged.iter().map(ToString::to_string).collect(),
        vectors_missing,
        staged_versions: count(unfinished.staged_versions),
        retired_versions: count(unfinished.retired_versions),
        owed_access: count(unfinished.owed_access),
        running_jobs: count(unfinished.running_jobs),
        torn_documents: count(unfinished.torn_documents),
        miscounted: parts.ledger.is_miscounted(id).await?,
        clean: false,
    };
    check.clean = is_clean(&check);
    Ok(check)
}

fn is_clean(check: &KnowledgeBaseCheck) -> bool {
    let indexes_agree = check.indexes.iter().all(IndexCheck::agrees);
    let unfinished = check.staged_versions + check.retired_versions + check.owed_access + check.running_jobs;
    let is_stored = check.files_damaged.none() && check.vectors_damaged.none() && check.vectors_missing == 0;
    indexes_agree && is_stored && unfinished + check.torn_documents == 0 && !check.miscounted
}

impl IndexCheck {
    fn agrees(&self) -> bool {
        let nothing_more = self.leftover.none() && self.ghost.none() && self.duplicate.none();
        self.unreadable.is_none() && self.missing.none() && nothing_more && self.misfiled.none()
    }
}

/// An index against what it has to hold and what it may hold, all sorted and without repetition.
async fn compare(
    index: &dyn ChunkIndex,
    knowledge_base: KnowledgeBaseId,
    required: &[ChunkId],
    allowed: &VisibleChunks,
) -> Result<IndexCheck> {
    let mut check = IndexCheck {
        index: index.name().to_owned(),
        chunks: 0,
        unreadable: None,
        missing: Findings::default(),
        leftover: Findings::default(),
        ghost: Findings::default(),
        duplicate: Findings::default(),
        misfiled: Findings::default(),
    };
    match index.chunks(knowledge_base).await {
        Ok(listed) => {
            check.chunks = listed.len() as u64;
            check.misfiled = misfiled(&listed, allowed).collect();
            let mut found: Vec<ChunkId> = listed.into_iter().map(|listed| listed.chunk).collect();
            check.duplicate = repeated(&mut found).into_iter().collect();
            check.missing = without(required, &found).collect();
            let others: Vec<ChunkId> = without(&found, &allowed.current).collect();
            check.ghost = without(&others, &allowed.leftover).collect();
            let is_leftover = |id: &ChunkId| allowed.leftover.binary_search(id).is_ok();
            check.leftover = others.into_iter().filter(is_leftover).collect();
        }
        Err(error) if is_damage(&error) => {
            check.unreadable = Some(lectern_domain::error::chain(&error));
            check.missing = required.iter().copied().collect();
        }
        Err(error) => return Err(error.into()),
    }
    Ok(check)
}

/// Those that are in an index for other readers, or with other attributes, than the ledger says.
pub(crate) fn misfiled(listed: &[IndexedChunk], allowed: &VisibleChunks) -> impl Iterator<Item = ChunkId> {
    let is_misfiled = |listed: &&IndexedChunk| {
        let metadata = allowed.metadata.get(&listed.chunk);
        metadata.is_some_and(|metadata| *metadata != listed.metadata)
    };
    listed.iter().filter(is_misfiled).map(|listed| listed.chunk)
}

/// Whether an index can't be read because of what it is, and not because of what happens around it.
pub(crate) fn is_damage(error: &PortError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Corrupt | ErrorKind::Internal | ErrorKind::NotFound
    )
}

/// Sorts the ids, takes repetitions out, and gives what was there more than once.
pub(crate) fn repeated(ids: &mut Vec<ChunkId>) -> Vec<ChunkId> {
    ids.sort_unstable();
    let repeated = ids
        .windows(2)
        .filter(|pair| pair.first() == pair.last())
        .filter_map(|pair| pair.first().copied())
        .collect();
    ids.dedup();
    repeated
}

/// Those of `these` that aren't among `others`; both sorted.
pub(crate) fn without(these: &[ChunkId], others: &[ChunkId]) -> impl Iterator<Item = ChunkId> {
    these
        .iter()
        .filter(|id| others.binary_search(id).is_err())
        .copied()
}

/// A stored file that is missing or isn't what was stored.
#[derive(Clone, Debug)]
pub(crate) enum Damaged {
    /// Of a version.
    Text(ContentHash, String),
    /// Of a pushed document.
    Original(ContentHash, String),
}

impl fmt::Display for Damaged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(hash, problem) => write!(formatter, "text {hash}: {problem}"),
            Self::Original(hash, problem) => write!(formatter, "original {hash}: {problem}"),
        }
    }
}

/// Reads the files, and gives those that are missing or damaged.
pub(crate) async fn damaged(parts: &IngestionParts, files: ReleasedFiles) -> Result<Vec<Damaged>> {
    let store = std::sync::Arc::clone(&parts.texts);
    blocking(move || {
        let mut damaged = Vec::new();
        let texts: BTreeSet<ContentHash> = files.texts.into_iter().collect();
        for hash in texts {
            if let Err(error) = store.texts().read(hash) {
                damaged.push(Damaged::Text(hash, error.to_string()));
            }
        }
        for hash in files.originals {
            if let Err(error) = store.originals().read(hash) {
                damaged.push(Damaged::Original(hash, error.to_string()));
            }
        }
        Ok(damaged)
    })
    .await
}
