//! One open directory: a reader that shows the last commit, and a writer made when first needed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use lectern_domain::{ChunkId, DocumentMetadata};
use tantivy::collector::DocSetCollector;
use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::query::TermSetQuery;
use tantivy::schema::TantivyDocument;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyError};

use super::narrowing::Kept;
use super::schema::{FIELDS, TOKENIZER, chunk_term, with_metadata};
use super::{INDEX, tokenizer};
use crate::error::Error;

/// How much the writer holds before it writes a segment of its own accord.
const WRITER_BYTES: usize = 64 << 20;
/// Segments with more deleted documents than this are written anew when there is a chance.
const MOST_DELETED: f32 = 0.3;
/// From this many segments on, `optimize` makes one of them.
const MANY_SEGMENTS: usize = 5;

pub(super) struct Engine {
    index: Index,
    reader: IndexReader,
    writer: Mutex<Option<IndexWriter>>,
    has_uncommitted: AtomicBool,
    /// Which chunks a reader may read and which pass a filter, as far as somebody asked.
    pub(super) kept: Kept,
    place: String,
}

impl Engine {
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let place = directory.display().to_string();
        let failed = |error| failed(&place, "open", error);
        let files = MmapDirectory::open(directory).map_err(|error| failed(error.into()))?;
        let index = Index::open_or_create(files, FIELDS.schema.clone()).map_err(failed)?;
        index.tokenizers().register(TOKENIZER, tokenizer::analyzer());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed)?;
        Ok(Self {
            index,
            reader,
            writer: Mutex::new(None),
            has_uncommitted: AtomicBool::new(false),
            kept: Kept::default(),
            place,
        })
    }

    /// Whether a directory has an index of another schema than this one, which [`Engine::open`] refuses.
    pub(super) fn is_outdated(directory: &Path) -> Result<bool, Error> {
        let failed = |error| failed(&directory.display().to_string(), "read the schema", error);
        if !directory.is_dir() {
            return Ok(false);
        }
        let files = MmapDirectory::open(directory).map_err(|error| failed(error.into()))?;
        if !Index::exists(&files).map_err(|error| failed(error.into()))? {
            return Ok(false);
        }
        let index = Index::open(files).map_err(failed)?;
        Ok(index.schema() != FIELDS.schema)
    }

    /// What was committed last.
    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub(super) fn upsert(&self, documents: Vec<(ChunkId, TantivyDocument)>) -> Result<(), Error> {
        let operations: Vec<_> = documents
            .into_iter()
            .flat_map(|(chunk, document)| {
                [
                    UserOperation::Delete(chunk_term(chunk)),
                    UserOperation::Add(document),
                ]
            })
            .collect();
        self.write("upsert words", |writer| writer.run(operations).map(drop))
    }

    pub(super) fn delete(&self, chunks: &[ChunkId]) -> Result<(), Error> {
        let operations = chunks
            .iter()
            .map(|chunk| UserOperation::Delete(chunk_term(*chunk)));
        self.write("delete words", |writer| writer.run(operations).map(drop))
    }

    /// Reads the chunks' stored texts and writes them with other metadata. What was written
    /// before is committed first, because only what is committed can be read.
    pub(super) fn set_metadata(&self, chunks: &[ChunkId], metadata: &DocumentMetadata) -> Result<(), Error> {
        self.commit()?;
        let failed = |error| self.failed("read the chunks", error);
        let searcher = self.reader.searcher();
        let wanted = TermSetQuery::new(chunks.iter().map(|chunk| chunk_term(*chunk)));
        let found = searcher.search(&wanted, &DocSetCollector).map_err(failed)?;
        let mut documents = Vec::with_capacity(found.len());
        for address in found {
            let stored: TantivyDocument = searcher.doc(address).map_err(failed)?;
            documents.extend(with_metadata(&stored, metadata));
        }
        if documents.is_empty() {
            return Ok(());
        }
        self.upsert(documents)
    }

    pub(super) fn commit(&self) -> Result<(), Error> {
        if !self.has_uncommitted.load(Ordering::Acquire) {
            return Ok(());
        }
        self.with_writer("commit", |writer| {
            // Somebody else may have committed it while this waited for the writer.
            if !self.has_uncommitted.load(Ordering::Acquire) {
                return Ok(());
            }
            writer.commit()?;
            self.reader.reload()?;
            // While nobody else can write: what comes after it needs a commit of its own. And not before the reader
            // shows it: who finds nothing to commit reads at once.
            self.has_uncommitted.store(false, Ordering::Release);
            Ok(())
        })
    }

    /// Makes one segment of many, beside what goes on. The writer merges in the background by itself;
    /// this is for the end of a large job.
    pub(super) fn optimize(&self) -> Result<(), Error> {
        let segments = self
            .index
            .searchable_segment_ids()
            .map_err(|error| self.failed("list the segments", error))?;
        if segments.len() < MANY_SEGMENTS {
            return Ok(());
        }
        let mut merging = None;
        self.with_writer("merge", |writer| {
            merging = Some(writer.merge(&segments));
            Ok(())
        })?;
        if let Some(merging) = merging
            && let Err(error) = merging.wait()
        {
            // Most likely the writer was already merging some of them.
            tracing::debug!(place = self.place, %error, "the segments were not merged");
        }
        self.reader
            .reload()
            .map_err(|error| self.failed("read the merged segment", error))
    }

    /// Writes something that a commit has yet to make visible.
    fn write(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>,
    ) -> Result<(), Error> {
        self.with_writer(action, |writer| {
            self.has_uncommitted.store(true, Ordering::Release);
            work(writer)
        })
    }

    /// A writer that failed is dropped: its threads may be gone, and it would fail for good.
    fn with_writer(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>,
    ) -> Result<(), Error> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self
                .new_writer()
                .map_err(|error| self.failed("make a writer", error))?,
        };
        work(&mut writer).map_err(|error| self.failed(action, error))?;
        *slot = Some(writer);
        Ok(())
    }

    /// A commit that was cut off leaves a list of deleted documents that no segment has. It is removed, because the
    /// next commit would write one of the same name, which the engine refuses.
    fn new_writer(&self) -> tantivy::Result<IndexWriter> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .num_merge_threads(1)
            .build();
        let writer = self.index.writer_with_options(options)?;
        writer.garbage_collect_files().wait()?;
        let mut merging = LogMergePolicy::default();
        merging.set_del_docs_ratio_before_merge(MOST_DELETED);
        writer.set_merge_policy(Box::new(merging));
        Ok(writer)
    }

    pub(super) fn failed(&self, action: &'static str, error: TantivyError) -> Error {
        failed(&self.place, action, error)
    }
}

impl Drop for Engine {
    /// An engine may be closed between a write and its commit, when many others are opened. Merges go
    /// on in threads of the writer, and must have ended before the directory may be removed.
    fn drop(&mut self) {
        if let Err(error) = self.commit() {
            tracing::error!(place = self.place, %error, "an index of words was closed uncommitted");
        }
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = writer.map(IndexWriter::wait_merging_threads) {
            tracing::warn!(place = self.place, %error, "a merge was not finished");
        }
    }
}

fn failed(place: &str, action: &'static str, error: TantivyError) -> Error {
    let place = place.to_owned();
    let is_full = match &error {
        TantivyError::IoError(error) => error.kind() == std::io::ErrorKind::StorageFull,
        error => error.to_string().contains("StorageFull"),
    };
    if is_full {
        return Error::NoSpace {
            index: INDEX,
            place,
            cause: Some(Box::new(error)),
        };
    }
    match error {
        TantivyError::DataCorruption(_)
        | TantivyError::IncompatibleIndex(_)
        | TantivyError::SchemaError(_)
        | TantivyError::OpenReadError(_) => Error::IndexCorrupt {
            index: INDEX,
            place,
            cause: Box::new(error),
        },
        error => Error::Index {
            index: INDEX,
            action,
            place,
            cause: Box::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::ports::IndexEntry;
    use std::sync::Arc;

    use lectern_domain::{Acl, Chunk, DocumentId, DocumentMetadata, KnowledgeBaseId, TextSpan, Version};

    use super::super::schema;
    use super::*;

    fn entry(ordinal: u32) -> IndexEntry {
        let document = DocumentId(uuid::Uuid::from_u128(7));
        let chunk = Chunk {
            id: ChunkId::derive(document, Version(1), ordinal),
            knowledge_base: KnowledgeBaseId(uuid::Uuid::from_u128(1)),
            document,
            version: Version(1),
            ordinal,
            title: "Harbour".to_owned(),
            heading_path: Vec::new(),
            page: None,
            span: TextSpan { start: 0, end: 5 },
            text: "quays".to_owned(),
            table_header: None,
            token_count: 1,
        };
        IndexEntry {
            chunk,
            metadata: Arc::new(DocumentMetadata::readable_by(Acl::everyone())),
            vector: Vec::new(),
        }
    }

    /// A kill between the list of deleted documents and `meta.json`: the list is there, and nobody refers to it. Its
    /// name tells after how many operations it was written, and with one of these numbers it is the same again.
    #[test]
    fn a_commit_that_was_cut_off_doesnt_stop_the_next_one() {
        for operations in 1..8 {
            let folder = tempfile::tempdir().unwrap();
            let meta = folder.path().join("meta.json");
            let entries: Vec<IndexEntry> = (0..10).map(entry).collect();
            let gone = entries[0].chunk.id;
            let engine = Engine::open(folder.path()).unwrap();
            let documents = entries
                .iter()
                .map(|entry| (entry.chunk.id, schema::document(entry)));
            engine.upsert(documents.collect()).unwrap();
            engine.commit().unwrap();
            let before = std::fs::read(&meta).unwrap();
            engine.delete(&[gone; 4]).unwrap();
            engine.commit().unwrap();
            drop(engine);
            std::fs::write(&meta, before).unwrap();

            let engine = Engine::open(folder.path()).unwrap();
            assert_eq!(engine.chunks().unwrap().len(), 10, "the deletion was cut off");
            engine.delete(&vec![gone; operations]).unwrap();
            engine.commit().unwrap();
            let left = engine.chunks().unwrap();
            assert_eq!(left.len(), 9);
            assert!(left.iter().all(|chunk| chunk.chunk != gone));
        }
    }

    #[test]
    fn an_index_of_another_schema_says_so_and_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Engine::is_outdated(&folder.path().join("nothing")).unwrap());
        assert!(!Engine::is_outdated(folder.path()).unwrap());
        let mut older = tantivy::schema::Schema::builder();
        older.add_text_field("body", tantivy::schema::TEXT);
        Index::create_in_dir(folder.path(), older.build()).unwrap();
        assert!(Engine::is_outdated(folder.path()).unwrap());
        assert!(matches!(
            Engine::open(folder.path()),
            Err(Error::IndexCorrupt { .. })
        ));
        let own = tempfile::tempdir().unwrap();
        drop(Engine::open(own.path()).unwrap());
        assert!(!Engine::is_outdated(own.path()).unwrap());
    }
}
