//! The index of words, in tantivy: one directory per knowledge base, ranked by BM25.
//!
//! A chunk becomes a document with its title, its headings and its text as fields ([`schema`]), cut
//! into words the same way as a question ([`tokenizer`], [`language`]), and its attributes as columns ([`attributes`]).
//! A question becomes a query of the engine ([`clauses`]); [`best`] finds the best chunks for it among those that
//! the reader may read and that pass the filter ([`narrowing`]). What else an index of words does ([`word_index`]) has
//! a file each: [`facets`], [`order`], [`titles`], [`phrases`], [`corrections`]. [`engine`] keeps a writer and a reader of one
//! directory.
//!
//! A write is durable and visible from the next `commit` on. An error of a write drops all that was
//! written since the last commit; whoever writes does it again.

mod language;
mod tokenizer;
mod stop_words;
mod attributes;
mod schema;
mod engine;
mod columns;
mod members;
mod values;
mod narrowing;
mod wording;
mod clauses;
mod best;
mod admits;
mod documents;
mod facets;
mod order;
mod titles;
mod phrases;
mod corrections;
mod word_index;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery, IndexedChunk, ScoredChunk};
use lectern_domain::{ChunkId, DocumentMetadata, KnowledgeBaseId, PortError, ReadScope};

use crate::acl_filter::ReaderNames;
use crate::bases::{Absent, Bases, blocking};
use crate::error::Error;
use best::Narrowed;
use engine::Engine;

pub use admits::admits;
pub(crate) use language::code_of_document;
pub(crate) use stop_words::StopWords;
pub(crate) use tokenizer::{Word, unaccented, words_in, words_of, words_with_places};
pub(crate) use wording::wordings_in as wordings;

/// The name of the index of words, for logs and `lectern fsck`.
const INDEX: &str = "words";

/// The words of all knowledge bases on this machine.
#[derive(Clone)]
pub struct TantivyWords {
    bases: Arc<Bases<Engine>>,
}

impl std::fmt::Debug for TantivyWords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TantivyWords").finish_non_exhaustive()
    }
}

impl TantivyWords {
    /// The indexes under `directory`. Opens none yet.
    ///
    /// # Errors
    /// [`Error::Index`] where the directory can't be made.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        Ok(Self {
            bases: Arc::new(Bases::new(INDEX, directory.into(), Engine::open)?),
        })
    }
}

#[async_trait]
impl ChunkIndex for TantivyWords {
    fn name(&self) -> &'static str {
        INDEX
    }

    async fn upsert(&self, base: KnowledgeBaseId, entries: &[IndexEntry]) -> Result<(), PortError> {
        if entries.is_empty() {
            return Ok(());
        }
        let documents: Vec<_> = entries
            .iter()
            .map(|entry| (entry.chunk.id, schema::document(entry)))
            .collect();
        self.bases
            .at_work("upsert words", base, Absent::Create, move |engine| {
                engine.upsert(documents)
            })
            .await?;
        Ok(())
    }

    async fn delete(&self, base: KnowledgeBaseId, chunks: &[ChunkId]) -> Result<(), PortError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let chunks = chunks.to_vec();
        self.bases
            .at_work("delete words", base, Absent::Skip, move |engine| {
                engine.delete(&chunks)
            })
            .await?;
        Ok(())
    }

    async fn set_metadata(
        &self,
        base: KnowledgeBaseId,
        chunks: &[ChunkId],
        metadata: &DocumentMetadata,
    ) -> Result<(), PortError> {
        if chunks.is_empty() {
            return Ok(());
        }
        let (chunks, metadata) = (chunks.to_vec(), metadata.clone());
        self.bases
            .at_work("change metadata", base, Absent::Skip, move |engine| {
                engine.set_metadata(&chunks, &metadata)
            })
            .await?;
        Ok(())
    }

    async fn commit(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        self.bases
            .at_work("commit", base, Absent::Skip, Engine::commit)
            .await?;
        Ok(())
    }

    async fn optimize(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        self.bases
            .at_work("merge", base, Absent::Skip, Engine::optimize)
            .await?;
        Ok(())
    }

    async fn search(
        &self,
        base: KnowledgeBaseId,
        query: IndexQuery<'_>,
        scope: &ReadScope,
        limit: usize,
    ) -> Result<Vec<ScoredChunk>, PortError> {
        let (words, filter) = (query.words.clone(), query.filter.cloned());
        let readers = ReaderNames::from(scope);
        let found = self
            .bases
            .at_work("search", base, Absent::Skip, move |engine| {
                let narrowed = Narrowed {
                    readers: &readers,
                    filter: filter.as_ref(),
                };
                engine.search(&words, narrowed, limit)
            })
            .await?;
        Ok(found.unwrap_or_default())
    }

    async fn chunks(&self, base: KnowledgeBaseId) -> Result<Vec<IndexedChunk>, PortError> {
        let chunks = self
            .bases
            .at_work("list the chunks", base, Absent::Skip, Engine::chunks)
            .await?;
        Ok(chunks.unwrap_or_default())
    }

    async fn is_outdated(&self, base: KnowledgeBaseId) -> Result<bool, PortError> {
        let directory = self.bases.directory(base);
        Ok(blocking("read the schema", move || Engine::is_outdated(&directory)).await?)
    }

    async fn drop_knowledge_base(&self, base: KnowledgeBaseId) -> Result<(), PortError> {
        let bases = Arc::clone(&self.bases);
        blocking("remove the directory", move || bases.remove(base)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
