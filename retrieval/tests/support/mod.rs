//! A ledger in memory, and knowledge bases filled without a pipeline: every text is one chunk.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod word_counts;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lectern_domain::ports::{ChunkIndex, ChunkLookup, Embedder, IndexEntry, OneEmbedder, WordIndex};
use lectern_domain::{
    Acl, Attributes, Chunk, ChunkId, DocumentId, DocumentMetadata, EmbeddedShare, KnowledgeBaseId,
    LedgerChunk, PortError, ReadScope, SearchSettings, SourceId, TextSpan, Version,
};
use lectern_retrieval::{EdgeVectors, EmbedderFiles, Searcher, SearcherParts, TantivyWords};

use word_counts::WordCounts;

/// A text with a title, and what it is called outside.
#[derive(Clone, Debug)]
pub struct Text {
    pub key: String,
    pub title: String,
    pub text: String,
    pub acl: Acl,
    pub attributes: Attributes,
}

/// A ledger that has everything in memory.
#[derive(Default)]
pub struct MemoryLedger {
    /// What made the vectors; `None`: what is preferred.
    pub model: Option<String>,
    /// What is set for searches.
    pub settings: Mutex<Arc<SearchSettings>>,
    chunks: Mutex<HashMap<ChunkId, LedgerChunk>>,
}

impl MemoryLedger {
    /// Changes all chunks of a document. The indexes hear nothing of it.
    pub fn change(&self, document: DocumentId, change: impl Fn(&mut LedgerChunk)) {
        let mut chunks = self.chunks.lock().unwrap();
        let of_document = chunks.values_mut().filter(|chunk| chunk.document == document);
        of_document.for_each(change);
    }

    /// The text of a chunk that there is.
    pub fn text_of(&self, chunk: ChunkId) -> String {
        self.chunks.lock().unwrap()[&chunk].text.clone()
    }
}

#[async_trait]
impl ChunkLookup for MemoryLedger {
    async fn look_up(&self, _: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<LedgerChunk>, PortError> {
        let known = self.chunks.lock().unwrap();
        Ok(chunks
            .iter()
            .filter_map(|chunk| known.get(chunk))
            .cloned()
            .collect())
    }

    async fn embedding_model(&self, _: KnowledgeBaseId) -> Result<Option<String>, PortError> {
        Ok(self.model.clone())
    }

    async fn embedded_share(&self, _: KnowledgeBaseId) -> Result<EmbeddedShare, PortError> {
        let known = self.chunks.lock().unwrap();
        let of = |is_counted: fn(&LedgerChunk) -> bool| {
            let counted = known.values().filter(|chunk| is_counted(chunk));
            let documents: HashSet<DocumentId> = counted.map(|chunk| chunk.document).collect();
            documents.len() as u64
        };
        Ok(EmbeddedShare {
            documents: of(|chunk| chunk.is_embedded),
            of: of(|_| true),
        })
    }

    async fn search_settings(&self, _: KnowledgeBaseId) -> Result<Arc<SearchSettings>, PortError> {
        Ok(Arc::clone(&self.settings.lock().unwrap()))
    }

    async fn first_chunks(&self, _: KnowledgeBaseId, names: &[String]) -> Result<Vec<ChunkId>, PortError> {
        let known = self.chunks.lock().unwrap();
        let is_called = |chunk: &LedgerChunk, name: &String| chunk.ordinal == 0 && chunk.title == *name;
        let of = |name| known.values().filter(move |chunk| is_called(chunk, name));
        Ok(names.iter().flat_map(of).map(|chunk| chunk.chunk).collect())
    }

    async fn not_embedded(&self, _: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<Vec<ChunkId>, PortError> {
        let known = self.chunks.lock().unwrap();
        let is_embedded = |chunk: &ChunkId| known.get(chunk).is_some_and(|chunk| chunk.is_embedded);
        Ok(chunks
            .iter()
            .filter(|chunk| !is_embedded(chunk))
            .copied()
            .collect())
    }
}

/// A knowledge base with both indexes on disk, and what its documents are called.
pub struct Filled {
    pub base: KnowledgeBaseId,
    pub searcher: Searcher,
    pub parts: SearcherParts,
    pub ledger: Arc<MemoryLedger>,
    pub keys: HashMap<DocumentId, String>,
    _directory: tempfile::TempDir,
}

/// Indexes the texts with vectors of their titles and words, which need no model.
pub async fn filled(texts: &[Text]) -> Filled {
    let vector = |text: &Text| WordCounts::vector(&format!("{} {}", text.title, text.text));
    fill(
        Arc::new(WordCounts::default()),
        texts,
        texts.iter().map(vector).collect(),
    )
    .await
}

/// Indexes the texts. A text may be in several pieces: those of one key are chunks of one document.
pub async fn fill(embedder: Arc<dyn Embedder>, texts: &[Text], vectors: Vec<Vec<f32>>) -> Filled {
    let directory = tempfile::tempdir().unwrap();
    let base = KnowledgeBaseId::generate();
    let mut pieces: HashMap<&str, u32> = HashMap::new();
    let entries: Vec<IndexEntry> = texts
        .iter()
        .zip(vectors)
        .map(|(text, vector)| {
            let ordinal = pieces.entry(&text.key).or_default();
            *ordinal += 1;
            IndexEntry {
                chunk: chunk(base, text, *ordinal - 1),
                metadata: Arc::new(DocumentMetadata {
                    acl: text.acl.clone(),
                    attributes: text.attributes.clone(),
                }),
                vector,
            }
        })
        .collect();
    let by_vector = EdgeVectors::open(directory.path().join("vectors"), embedder.dimensions()).unwrap();
    let by_words = TantivyWords::open(directory.path().join("words")).unwrap();
    let words: Arc<dyn WordIndex> = Arc::new(by_words);
    let indexes: [Arc<dyn ChunkIndex>; 2] = [Arc::new(by_vector), Arc::clone(&words) as Arc<dyn ChunkIndex>];
    for index in &indexes {
        for some in entries.chunks(500) {
            index.upsert(base, some).await.unwrap();
        }
        index.commit(base).await.unwrap();
        index.optimize(base).await.unwrap();
    }
    let ledger = MemoryLedger {
        model: Some(embedder.model().to_owned()),
        ..MemoryLedger::default()
    };
    let mut keys = HashMap::new();
    for (entry, text) in entries.into_iter().zip(texts) {
        keys.insert(entry.chunk.document, text.key.clone());
        let mut chunks = ledger.chunks.lock().unwrap();
        chunks.insert(entry.chunk.id, ledger_chunk(entry));
    }
    let [vectors, _] = indexes;
    let ledger = Arc::new(ledger);
    let parts = SearcherParts {
        ledger: Arc::clone(&ledger) as Arc<dyn ChunkLookup>,
        embedders: Arc::new(OneEmbedder(embedder)),
        vectors,
        words,
        reranker: None,
        demand: None,
    };
    Filled {
        base,
        searcher: Searcher::new(parts.clone()),
        parts,
        ledger,
        keys,
        _directory: directory,
    }
}

fn chunk(base: KnowledgeBaseId, text: &Text, ordinal: u32) -> Chunk {
    let document = DocumentId::derive(SourceId::derive(base, "test"), &text.key);
    Chunk {
        id: ChunkId::derive(document, Version::FIRST, ordinal),
        knowledge_base: base,
        document,
        version: Version::FIRST,
        ordinal,
        title: text.title.clone(),
        heading_path: Vec::new(),
        page: None,
        span: TextSpan {
            start: 0,
            end: text.text.len(),
        },
        text: text.text.clone(),
        table_header: None,
        token_count: 0,
    }
}

fn ledger_chunk(entry: IndexEntry) -> LedgerChunk {
    let chunk = entry.chunk;
    LedgerChunk {
        chunk: chunk.id,
        document: chunk.document,
        version: chunk.version,
        ordinal: chunk.ordinal,
        token_count: chunk.token_count,
        is_current: true,
        is_embedded: true,
        metadata: (*entry.metadata).clone(),
        title: chunk.title,
        uri: "memory:".to_owned(),
        heading_path: chunk.heading_path,
        page: chunk.page,
        span: chunk.span,
        text: chunk.text,
        table_header: chunk.table_header,
        parent: None,
    }
}

/// Somebody who may read what everyone may.
#[expect(clippy::disallowed_methods, reason = "a test asks as a reader")]
pub fn anybody() -> ReadScope {
    ReadScope::granted_by_authentication([])
}

/// The files of the default model in a folder as the model store makes it, or `None`, said aloud.
pub fn model_files() -> Option<EmbedderFiles> {
    let Some(models) = std::env::var_os("LECTERN_TEST_MODELS").map(PathBuf::from) else {
        println!("SKIPPED: no models (set LECTERN_TEST_MODELS to a folder made by `lectern models pull`)");
        return None;
    };
    let model = models.join("all-minilm-l6-v2-int8");
    Some(EmbedderFiles {
        model: file_like(&model, ".onnx"),
        tokenizer: model.join("tokenizer.json"),
        config: model.join("config.json"),
        special_tokens_map: model.join("special_tokens_map.json"),
        tokenizer_config: model.join("tokenizer_config.json"),
        onnx_runtime: file_like(&models.join("onnxruntime"), "libonnxruntime"),
    })
}

fn file_like(directory: &Path, part: &str) -> PathBuf {
    let mut files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.file_name().unwrap().to_string_lossy().contains(part))
        .unwrap_or_else(|| panic!("no {part} in {}", directory.display()))
}

/// A folder of shared test data, or `None`, said aloud.
pub fn shared_data(folder: &str) -> Option<PathBuf> {
    let path = std::env::var_os("LECTERN_TEST_DATA").map(|data| PathBuf::from(data).join(folder));
    if path.as_ref().is_none_or(|path| !path.is_dir()) {
        println!("SKIPPED: no {folder} (set LECTERN_TEST_DATA to the folder with the shared test data)");
        return None;
    }
    path
}
