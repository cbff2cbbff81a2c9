//! Doubles behind the ports: they keep the ports' promises in memory, and count.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{
    ChunkIndex, Connector, Cursor, Embedder, Extractor, Fetched, IndexEntry, IndexQuery, ListEvent, RawFile,
    ScoredChunk, SourceItem, TokenCounter,
};
use lectern_domain::{
    Acl, Attributes, Block, BlockKind, ChunkId, ErrorKind, Extracted, KnowledgeBaseId, PortError, ReadScope,
    TextSpan,
};

use super::faults::Faults;

type Entries = HashMap<KnowledgeBaseId, BTreeMap<ChunkId, IndexEntry>>;

/// An index in memory. What isn't committed when the process "dies" may be there or not: both are tried.
pub(super) struct MemoryIndex {
    name: &'static str,
    faults: Arc<Faults>,
    now: Mutex<Entries>,
    committed: Mutex<Entries>,
}

impl MemoryIndex {
    pub(super) fn new(name: &'static str, faults: &Arc<Faults>) -> Self {
        Self {
            name,
            faults: Arc::clone(faults),
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

    async fn set_acl(
        &self,
        knowledge_base: KnowledgeBaseId,
        chunks: &[ChunkId],
        acl: &Acl,
    ) -> Result<(), PortError> {
        let work = || {
            let mut now = self.now.lock().unwrap();
            let mine = now.entry(knowledge_base).or_default();
            for chunk in chunks {
                if let Some(entry) = mine.get_mut(chunk) {
                    entry.acl = acl.clone();
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

    async fn chunk_ids(&self, knowledge_base: KnowledgeBaseId) -> Result<Vec<ChunkId>, PortError> {
        Ok(self
            .entries(knowledge_base)
            .iter()
            .map(|entry| entry.chunk.id)
            .collect())
    }

    async fn drop_knowledge_base(&self, knowledge_base: KnowledgeBaseId) -> Result<(), PortError> {
        let work = || {
            self.now.lock().unwrap().remove(&knowledge_base);
            self.committed.lock().unwrap().remove(&knowledge_base);
        };
        self.faults.around(work).await
    }
}

/// Each paragraph of a text is a block. `BROKEN` can't be read, and neither can an empty file.
#[derive(Default)]
pub(super) struct Paragraphs {
    pub(super) extractions: AtomicUsize,
}

#[async_trait]
impl Extractor for Paragraphs {
    async fn extract(&self, file: &RawFile) -> Result<Extracted, PortError> {
        self.extractions.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        if text.is_empty() {
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
}

/// A vector of two numbers; a text with `REFUSED` gets none.
#[derive(Default)]
pub(super) struct TwoNumbers {
    pub(super) embedded: AtomicUsize,
    /// Texts of the largest call.
    pub(super) largest_call: AtomicUsize,
    pub(super) is_down: std::sync::atomic::AtomicBool,
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
        self.embedded.fetch_add(texts.len(), Ordering::Relaxed);
        self.largest_call.fetch_max(texts.len(), Ordering::Relaxed);
        Ok(texts.iter().map(|_| vec![1.0, 0.0]).collect())
    }

    async fn embed_query(&self, _text: &str) -> Result<Vec<f32>, PortError> {
        Ok(vec![1.0, 0.0])
    }
}

/// A document of [`Shelf`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Book {
    pub(super) text: String,
    pub(super) acl: Option<Acl>,
}

/// A source in memory.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) books: Mutex<BTreeMap<String, Book>>,
    /// After so many lines the listing breaks off.
    pub(super) breaks_after: Mutex<Option<usize>>,
    /// Folders that can't be read.
    pub(super) lost: Mutex<Vec<String>>,
    /// Keys that are listed and gone when they are fetched.
    pub(super) vanishing: Mutex<Vec<String>>,
}

impl Shelf {
    pub(super) fn put(&self, key: &str, text: &str) {
        let acl = self
            .books
            .lock()
            .unwrap()
            .get(key)
            .and_then(|book| book.acl.clone());
        self.put_for(key, text, acl);
    }

    pub(super) fn put_for(&self, key: &str, text: &str, acl: Option<Acl>) {
        let text = text.to_owned();
        self.books
            .lock()
            .unwrap()
            .insert(key.to_owned(), Book { text, acl });
    }

    pub(super) fn take(&self, key: &str) {
        self.books.lock().unwrap().remove(key);
    }
}

fn item(key: &str) -> SourceItem {
    SourceItem::new(key, format!("shelf:{key}"))
}

#[async_trait]
impl Connector for Shelf {
    fn describe(&self) -> String {
        "a shelf".to_owned()
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let lost = self.lost.lock().unwrap().clone();
        let keys: Vec<String> = self.books.lock().unwrap().keys().cloned().collect();
        let mut lines: Vec<Result<ListEvent, PortError>> = lost
            .iter()
            .map(|folder| {
                Ok(ListEvent::Failed {
                    item: item(folder),
                    code: "permission_denied",
                    reason: "the folder can't be read".to_owned(),
                })
            })
            .collect();
        let readable = keys
            .iter()
            .filter(|key| !lost.iter().any(|folder| key.starts_with(folder)));
        lines.extend(readable.map(|key| Ok(ListEvent::Item(item(key)))));
        if let Some(count) = *self.breaks_after.lock().unwrap() {
            lines.truncate(count);
            let error = PortError::new(ErrorKind::Unavailable, "source_lost", "the source went away");
            lines.push(Err(error));
        }
        stream::iter(lines).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let gone = || PortError::new(ErrorKind::NotFound, "path_not_found", "there is no such book");
        if self.vanishing.lock().unwrap().contains(&item.key) {
            return Err(gone());
        }
        let book = self
            .books
            .lock()
            .unwrap()
            .get(&item.key)
            .cloned()
            .ok_or_else(gone)?;
        Ok(Fetched {
            bytes: book.text.into_bytes().into(),
            file_name: item.key.clone(),
            media_type: None,
            title: None,
            acl: book.acl,
            attributes: Attributes::new(),
        })
    }
}
