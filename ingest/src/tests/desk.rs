//! A data folder with everything around it, that can be closed and opened again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lectern_domain::ports::{ChunkIndex, ChunkLookup, IndexEntry, OneEmbedder};
use lectern_domain::{Acl, DefaultAccess, EmbeddedShare, JobCounts, JobState, LedgerChunk};
use tempfile::TempDir;

use super::doubles::{MemoryIndex, Paragraphs, TwoNumbers, WordsOfTwoNumbers};
use super::faults::Faults;
use super::shelf::Shelf;
use crate::chunk::ChunkSettings;
use crate::{
    Cancellation, FsckReport, IngestSettings, Ingestion, IngestionParts, JobReport, KnowledgeBase, Ledger,
    Progress, Source, TextStore,
};

pub(super) struct Desk {
    folder: TempDir,
    pub(super) faults: Arc<Faults>,
    pub(super) vectors: Arc<MemoryIndex>,
    pub(super) words: Arc<MemoryIndex>,
    pub(super) extractor: Arc<Paragraphs>,
    pub(super) embedder: Arc<TwoNumbers>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) ingestion: Ingestion,
    pub(super) knowledge_base: KnowledgeBase,
    pub(super) source: Source,
    settings: IngestSettings,
}

pub(super) fn settings() -> IngestSettings {
    IngestSettings {
        chunk: ChunkSettings {
            max_tokens: 12,
            min_tokens: 1,
            special_tokens: 0,
        },
        texts_per_call: 3,
        publish_chunks: 4,
        publish_interval: Duration::from_millis(20),
        pushed_access: DefaultAccess(Acl::everyone()),
        ..IngestSettings::default()
    }
}

impl Desk {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let faults = Arc::new(Faults::default());
        let vectors = Arc::new(MemoryIndex::new("vectors", &faults));
        let words = Arc::new(MemoryIndex::new("words", &faults));
        let extractor = Arc::new(Paragraphs::default());
        let embedder = Arc::new(TwoNumbers::default());
        let indexes = [words.clone(), vectors.clone()];
        let ingestion = open(&folder, &extractor, &embedder, indexes, settings()).await;
        let ledger = &ingestion.parts.ledger;
        let knowledge_base = ledger
            .create_knowledge_base("library", "", "two-numbers", 2)
            .await
            .unwrap();
        let access = DefaultAccess(Acl::everyone());
        let config = serde_json::json!({});
        let source = ledger
            .ensure_source(knowledge_base.id, "shelf", "shelf", &config, &access)
            .await;
        Self {
            source: source.unwrap(),
            knowledge_base,
            ingestion,
            shelf: Arc::new(Shelf::default()),
            folder,
            faults,
            vectors,
            words,
            extractor,
            embedder,
            settings: settings(),
        }
    }

    /// Where everything is kept.
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.folder.path().to_owned()
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ingestion.parts.ledger
    }

    /// Closes everything and opens it again, as a new process does.
    pub(super) async fn reopen(&mut self) {
        self.ledger().close().await;
        let indexes = [self.words.clone(), self.vectors.clone()];
        let settings = self.settings.clone();
        self.ingestion = open(&self.folder, &self.extractor, &self.embedder, indexes, settings).await;
    }

    /// The same with other settings.
    pub(super) async fn reopen_with(&mut self, change: impl FnOnce(&mut IngestSettings)) {
        change(&mut self.settings);
        self.reopen().await;
    }

    pub(super) async fn sync(&self) -> JobReport {
        self.sync_with(Progress::new(), Cancellation::new()).await
    }

    pub(super) async fn sync_with(&self, progress: Progress, cancel: Cancellation) -> JobReport {
        let shelf = self.shelf.clone();
        let report = self
            .ingestion
            .sync(&self.knowledge_base, &self.source, shelf, progress, cancel)
            .await;
        let report = report.unwrap();
        let stored = self.ledger().job(report.job.id).await.unwrap();
        assert_eq!(stored, report.job, "what is reported is what is stored");
        assert!(report.job.counts.add_up(), "{:?}", report.job);
        report
    }

    pub(super) async fn sync_complete(&self) -> JobCounts {
        let report = self.sync().await;
        assert_eq!(report.job.state, JobState::Complete, "{:?}", report.job);
        report.job.counts
    }

    pub(super) async fn fsck(&self) -> FsckReport {
        self.ingestion.fsck(None).await.unwrap()
    }

    pub(super) async fn assert_clean(&self) {
        let report = self.fsck().await;
        assert!(report.clean, "{report:#?}");
    }

    /// What can be found: by key, the text and the readers. Asserts that the index of words and the ledger say the
    /// same, and so do the index of vectors and the ledger of all that has its vectors, and that every document is
    /// there whole.
    pub(super) async fn visible(&self) -> BTreeMap<String, (String, Acl)> {
        loop {
            let before = self.embedded_share().await;
            let words = self.visible_in(&self.words, |_| true).await;
            let by_meaning = self.visible_in(&self.vectors, |chunk| chunk.is_embedded).await;
            // Pushed documents get their vectors beside what a test does: then look again.
            if before != self.embedded_share().await {
                continue;
            }
            let mut embedded = words.clone();
            embedded.retain(|key, _| by_meaning.contains_key(key));
            assert_eq!(by_meaning, embedded);
            let (documents, of) = (by_meaning.len() as u64, words.len() as u64);
            assert_eq!(before, EmbeddedShare { documents, of });
            return words;
        }
    }

    async fn embedded_share(&self) -> EmbeddedShare {
        let share = self.ledger().embedded_share(self.knowledge_base.id).await;
        share.unwrap()
    }

    /// What a search would show, with the recheck before it: an index may hold more than may be seen.
    pub(super) async fn visible_after_recheck(&self) -> BTreeMap<String, (String, Acl)> {
        let mut shown = BTreeMap::new();
        for index in [&self.words, &self.vectors] {
            let entries = index.entries(self.knowledge_base.id);
            let ids: Vec<_> = entries.iter().map(|entry| entry.chunk.id).collect();
            let found = self.ledger().look_up(self.knowledge_base.id, &ids).await.unwrap();
            let by_vector = index.name() == "vectors";
            for chunk in found {
                if chunk.is_current && (chunk.is_embedded || !by_vector) {
                    let (document, text) = self
                        .ledger()
                        .document_text(self.knowledge_base.id, chunk.document)
                        .await
                        .unwrap();
                    let held: Vec<_> = entries
                        .iter()
                        .filter(|entry| {
                            (entry.chunk.document, entry.chunk.version) == (chunk.document, chunk.version)
                        })
                        .collect();
                    assert_eq!(held.len(), document.chunk_count as usize, "torn");
                    shown.insert(document.key, (text, document.acl));
                }
            }
        }
        shown
    }

    /// What can be found by meaning.
    pub(super) async fn visible_by_meaning(&self) -> BTreeMap<String, (String, Acl)> {
        self.visible_in(&self.vectors, |chunk| chunk.is_embedded).await
    }

    async fn visible_in(
        &self,
        index: &MemoryIndex,
        counts: fn(&LedgerChunk) -> bool,
    ) -> BTreeMap<String, (String, Acl)> {
        let entries = index.entries(self.knowledge_base.id);
        let ids: Vec<_> = entries.iter().map(|entry| entry.chunk.id).collect();
        let found = self.ledger().look_up(self.knowledge_base.id, &ids).await.unwrap();
        let known: BTreeMap<_, _> = found.iter().map(|chunk| (chunk.chunk, chunk)).collect();
        let mut documents: BTreeMap<_, Vec<(&IndexEntry, &str)>> = BTreeMap::new();
        for entry in &entries {
            let Some(chunk) = known
                .get(&entry.chunk.id)
                .filter(|chunk| chunk.is_current && counts(chunk))
            else {
                continue;
            };
            assert_eq!(chunk.metadata, *entry.metadata, "misfiled");
            assert_eq!(entry.vector.is_empty(), index.name() == "words");
            if index.name() == "words" {
                assert_eq!(chunk.text, entry.chunk.text);
            }
            documents
                .entry(chunk.document)
                .or_default()
                .push((entry, chunk.text.as_str()));
        }
        let mut visible = BTreeMap::new();
        for (id, mut entries) in documents {
            let (document, text) = self
                .ledger()
                .document_text(self.knowledge_base.id, id)
                .await
                .unwrap();
            entries.sort_by_key(|(entry, _)| entry.chunk.ordinal);
            let pieces: Vec<&str> = entries.iter().map(|(_, text)| *text).collect();
            assert_eq!(squeezed(&pieces.join(" ")), squeezed(&text), "torn");
            assert_eq!(document.chunk_count as usize, entries.len());
            visible.insert(document.key, (text, document.acl));
        }
        visible
    }

    /// The same as [`Self::visible`], as the shelf has it.
    pub(super) fn on_shelf(&self) -> BTreeMap<String, (String, Acl)> {
        let books = self.shelf.books.lock().unwrap();
        books
            .iter()
            .map(|(key, book)| {
                let acl = book.acl.clone().unwrap_or_else(Acl::everyone);
                (key.clone(), (book.text.clone(), acl))
            })
            .collect()
    }

    /// Extractions and embedded chunks so far.
    pub(super) fn work(&self) -> (usize, usize) {
        (
            self.extractor.extractions.load(Ordering::Relaxed),
            self.embedder.embedded.load(Ordering::Relaxed),
        )
    }

    /// Stored texts and originals.
    pub(super) fn stored_files(&self) -> usize {
        let mut files = 0;
        for store in [
            self.ingestion.parts.texts.texts(),
            self.ingestion.parts.texts.originals(),
        ] {
            store.for_each_folder(|found| files += found.len()).unwrap();
        }
        files
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn open(
    folder: &TempDir,
    extractor: &Arc<Paragraphs>,
    embedder: &Arc<TwoNumbers>,
    [words, vectors]: [Arc<MemoryIndex>; 2],
    settings: IngestSettings,
) -> Ingestion {
    let texts = Arc::new(TextStore::open(folder.path()).unwrap());
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite"), texts.clone())
        .await
        .unwrap();
    Ingestion::new(IngestionParts {
        ledger: Arc::new(ledger),
        texts,
        extractor: extractor.clone(),
        token_counters: Arc::new(WordsOfTwoNumbers),
        embedders: Arc::new(OneEmbedder(embedder.clone())),
        words,
        vectors,
        settings,
    })
}
