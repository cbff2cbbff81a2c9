//! Doubles behind the ports: they keep the ports' promises in memory, and count.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lectern_domain::ports::{
    ChunkIndex, Embedder, Extractor, IndexEntry, IndexQuery, IndexedChunk, RawFile, ScoredChunk,
    TokenCounter, TokenCounters,
};
use lectern_domain::{
    Attachment, Block, BlockKind, ChunkId, DocumentMetadata, ErrorKind, Extracted, KnowledgeBaseId,
    PortError, ReadScope, TextSpan,
};

use tokio::sync::Notify;

use super::faults::Faults;

type Entries = HashMap<KnowledgeBaseId, BTreeMap<ChunkId, IndexEntry>>;

/// An index in memory. What isn't committed when the process "dies" may be there or not: both are tried.
pub(super) struct MemoryIndex {
    name: &'static str,
    faults: Arc<Faults>,
    /// It can't be read until it is dropped.
    pub(super) is_broken: std::sync::atomic::AtomicBool,
    /// Optimising takes as long as somebody has it.
    pub(super) optimizing: tokio::sync::Mutex<()>,
    pub(super) optimizing_begun: Notify,
    /// How often it was optimised.
    pub(super) optimized: AtomicUsize,
    now: Mutex<Entries>,
    committed: Mutex<Entries>,
}

impl MemoryIndex {
    pub(super) fn new(name: &'static str, faults: &Arc<Faults>) -> Self {
        Self {
            name,
            faults: Arc::clone(faults),
            is_broken: std::sync::atomic::AtomicBool::default(),
            optimizing: tokio::sync::Mutex::default(),
            optimizing_begun: Notify::new(),
            optimized: AtomicUsize::default(),
            now: Mutex::default(),
            committed: Mutex::default(),
        }
    }

    /// What a power cut does: the uncommitted is gone.
    pub(super) fn lose_uncommitted(&self) {
        *self.now.lock().unwrap() = self.committed.lock().unwrap().clone();
    }

    pub(super) fn entries(&self, knowledge_base: KnowledgeBaseId) -> Vec<IndexEntry> {
        let entries = self.now.lock().unwrap();
        let found = entries.get(&knowledge_base);
        found
            .map(|entries| entries.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Damages the index behind the ledger's back.
    pub(super) fn tamper(
        &self,
        knowledge_base: KnowledgeBaseId,
        change: impl FnOnce(&mut BTreeMap<ChunkId, IndexEntry>),
    ) {
        change(self.now.lock().unwrap().entry(knowledge_base).or_default());
    }
}

#[async_trait]
impl ChunkIndex for MemoryIndex {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn upsert(&self, knowledge_base: KnowledgeBaseId, entries: &[IndexEntry]) -> Result<(), PortError> {
        let work = || {
            let mut now = self.now.lock().unwrap();
            let mine = now.entry(knowledge_base).or_default();
            for entry in entries {
                mine.insert(entry.chunk.id, entry.clone());
            }
        };
        self.faults.around(work).await
    }

    async fn delete(&self, knowledge_base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<(), PortError> {
        let work = || {
            let mut now = self.now.lock().unwrap();
            let mine = now.entry(knowledge_base).or_default();
            for chunk in chunks {
                mine.remove(chunk);
            }
        };
        self.faults.around(work).await
    }

    async fn set_metadata(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
        metadata: &DocumentMetadata,
    ) -> Result<(), PortError> {
        let work = || {
            let mut now = self.now.lock().unwrap();
            let mine = now.entry(knowledge_base).or_default();
            for chunk in chunks {
                if let Some(entry) = mine.get_mut(chunk) {
                    entry.metadata = Arc::new(metadata.clone());
                }
            }
        };
        self.faults.around(work).await
    }

    async fn commit(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError> {
        let work = || {
            let now = self.now.lock().unwrap();
            let mine = now.get(&knowledge_base).cloned().unwrap_or_default();
            self.committed.lock().unwrap().insert(knowledge_base, mine);
        };
        self.faults.around(work).await
    }

    async fn optimize(&self, _knowledge_base: KnowledgeBaseId) -> Result<(), PortError> {
        self.optimizing_begun.notify_one();
        let _turn = self.optimizing.lock().await;
        self.optimized.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn search(
        &self,
        _knowledge_base: KnowledgeBaseId,
        _query: IndexQuery<'_>,
        _scope: &ReadScope,
        _limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        Err(PortError::new(
            ErrorKind::Internal,
            "not_searched",
            "ingestion doesn't search",
        ))
    }

    async fn chunks(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<IndexedChunk>, PortError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(PortError::new(
                ErrorKind::Corrupt,
                "index_corrupt",
                "the index is damaged",
            ));
        }
        Ok(self
            .entries(knowledge_base)
            .iter()
            .map(|entry| IndexedChunk {
                chunk: entry.chunk.id,
                metadata: entry.metadata.digest(),
            })
            .collect())
    }

    async fn drop_knowledge_base(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError> {
        let work = || {
            self.is_broken.store(false, Ordering::Relaxed);
            self.now.lock().unwrap().remove(&knowledge_base);
            self.committed.lock().unwrap().remove(&knowledge_base);
        };
        self.faults.around(work).await
    }
}

/// Each paragraph of a text is a block. `BROKEN` can't be read, and neither can an empty file. A line
/// `=== NAME` begins an attachment; within one, `=-==` begins what is attached to that.
#[derive(Default)]
pub(super) struct Paragraphs {
    pub(super) extractions: AtomicUsize,
}

#[async_trait]
impl Extractor for Paragraphs {
    async fn extract(&self, file: &RawFile) -> Result<Extracted, PortError> {
        self.extractions.fetch_add(1, Ordering::Relaxed);
        let whole = String::from_utf8_lossy(&file.bytes).into_owned();
        let mut parts = whole.split("\n=== ");
        let text = parts.next().unwrap_or_default().to_owned();
        let attachments = parts.map(|part| {
            let (name, text) = part.split_once('\n').unwrap_or((part, ""));
            Attachment {
                name: name.to_owned(),
                media_type: None,
                bytes: text.replace("\n=-", "\n=").into_bytes(),
            }
        });
        let attachments: Vec<Attachment> = attachments.collect();
        if whole.is_empty() {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "empty_file",
                "the file is empty",
            ));
        }
        if text.contains("BROKEN") {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "pdf_damaged",
                "the file is damaged",
            ));
        }
        let start = text.as_ptr() as usize;
        let blocks = text.split("\n\n").map(|paragraph| {
            let from = paragraph.as_ptr() as usize - start;
            Block {
                kind: BlockKind::Paragraph,
                span: TextSpan {
                    start: from,
                    end: from + paragraph.len(),
                },
                page: None,
            }
        });
        Ok(Extracted {
            blocks: blocks.collect(),
            media_type: "text/plain".to_owned(),
            text: text.clone(),
            attachments,
            ..Extracted::default()
        })
    }
}

/// A token is a word.
pub(super) struct Words;

impl TokenCounter for Words {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn added(&self) -> usize {
        0
    }
}

/// Words, and for the model of [`TwoNumbers`] alone: a chunk that another model measures is a fault.
pub(super) struct WordsOfTwoNumbers;

impl TokenCounters for WordsOfTwoNumbers {
    fn of_model(&self, model: &str) -> Arc<dyn TokenCounter> {
        assert_eq!(model, TwoNumbers::default().model());
        Arc::new(Words)
    }
}

/// A vector of two numbers; a text with `REFUSED` gets none.
#[derive(Default)]
pub(super) struct TwoNumbers {
    pub(super) embedded: AtomicUsize,
    /// Texts of the largest call.
    pub(super) largest_call: AtomicUsize,
    pub(super) is_down: std::sync::atomic::AtomicBool,
    /// What was embedded, in order.
    pub(super) texts: Mutex<Vec<String>>,
    /// While it is set, a call says that it came and waits to be let go.
    pub(super) is_held: std::sync::atomic::AtomicBool,
    pub(super) came: Notify,
    pub(super) let_go: Notify,
}

#[async_trait]
impl Embedder for TwoNumbers {
    fn model(&self) -> &str {
        "two-numbers"
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn max_tokens(&self) -> usize {
        64
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(PortError::new(
                ErrorKind::Unavailable,
                "embedder_down",
                "the embedder is down",
            ));
        }
        if texts.iter().any(|text| text.contains("REFUSED")) {
            return Err(PortError::new(
                ErrorKind::Invalid,
                "text_refused",
                "the text can't be embedded",
            ));
        }
        if self.is_held.load(Ordering::Relaxed) {
            self.came.notify_one();
            self.let_go.notified().await;
        }
        self.embedded.fetch_add(texts.len(), Ordering::Relaxed);
        self.texts.lock().unwrap().extend(texts.iter().cloned());
        self.largest_call.fetch_max(texts.len(), Ordering::Relaxed);
        Ok(texts.iter().map(|_| vec![1.0, 0.0]).collect())
    }

    async fn embed_query(&self, _text: &str) -> Result<Vec<f32>, PortError> {
        Ok(vec![1.0, 0.0])
    }
}
