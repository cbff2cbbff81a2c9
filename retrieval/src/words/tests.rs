//! What the index of words promises beside the conformance of all indexes, each against a plain count over all chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lectern_domain::ports::{
    ChunkIndex, DocumentSet, FacetRequest, IndexEntry, IndexQuery, SortKey, WordIndex,
};
use lectern_domain::{
    Acl, AttributeValue, Chunk, ChunkId, DocumentId, DocumentMetadata, Filter, KnowledgeBaseId, LedgerChunk,
    Principal, ReadScope, SourceId, SpannedText, TextSpan, Version, WordQuery,
};

use super::TantivyWords;
use super::order::order_of_values;

mod corpus;
mod counting;
mod filters;
mod languages;
mod phrases;
mod queries;
mod spelling;

/// An index in a folder of its own, with what was written to it.
pub(super) struct Written {
    pub index: TantivyWords,
    pub base: KnowledgeBaseId,
    pub entries: Vec<IndexEntry>,
    _directory: tempfile::TempDir,
}

/// Writes the chunks in several batches, so that there are several segments.
pub(super) async fn written(entries: impl FnOnce(KnowledgeBaseId) -> Vec<IndexEntry>) -> Written {
    let directory = tempfile::tempdir().unwrap();
    let index = TantivyWords::open(directory.path()).unwrap();
    let base = KnowledgeBaseId::generate();
    let entries = entries(base);
    for some in entries.chunks(entries.len().div_ceil(3).max(1)) {
        index.upsert(base, some).await.unwrap();
        index.commit(base).await.unwrap();
    }
    Written {
        index,
        base,
        entries,
        _directory: directory,
    }
}

/// A chunk of a document of that name.
pub(super) fn entry(
    base: KnowledgeBaseId,
    (name, ordinal): (&str, u32),
    (title, text): (&str, &str),
    metadata: DocumentMetadata,
) -> IndexEntry {
    let document = DocumentId::derive(SourceId::derive(base, "words"), name);
    IndexEntry {
        chunk: Chunk {
            id: ChunkId::derive(document, Version::FIRST, ordinal),
            knowledge_base: base,
            document,
            version: Version::FIRST,
            ordinal,
            title: title.to_owned(),
            heading_path: Vec::new(),
            page: None,
            span: TextSpan {
                start: 0,
                end: text.len(),
            },
            text: text.to_owned(),
            table_header: None,
            token_count: 0,
        },
        metadata: Arc::new(metadata),
        vector: Vec::new(),
    }
}

/// A document that everyone may read, with attributes in JSON.
pub(super) fn of_everyone(attributes: &str) -> DocumentMetadata {
    DocumentMetadata {
        acl: Acl::everyone(),
        attributes: serde_json::from_str(attributes).unwrap(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test asks as several readers")]
pub(super) fn reader(names: &[&str]) -> ReadScope {
    ReadScope::granted_by_authentication(names.iter().map(|name| Principal::User((*name).to_owned())))
}

/// The chunk as the ledger has it.
pub(super) fn in_ledger(entry: &IndexEntry) -> LedgerChunk {
    let chunk = entry.chunk.clone();
    LedgerChunk {
        chunk: chunk.id,
        document: chunk.document,
        version: chunk.version,
        ordinal: chunk.ordinal,
        token_count: 0,
        is_current: true,
        is_embedded: true,
        metadata: entry.metadata.as_ref().clone(),
        title: chunk.title,
        uri: String::new(),
        heading_path: chunk.heading_path,
        page: None,
        span: chunk.span,
        text: chunk.text,
        table_header: chunk.table_header,
        parent: None,
    }
}

impl Written {
    /// The chunks that a search finds, best first.
    pub(super) async fn found(
        &self,
        words: &WordQuery,
        filter: Option<&Filter>,
        scope: &ReadScope,
    ) -> Vec<ChunkId> {
        let query = IndexQuery {
            words,
            vector: &[],
            filter,
            documents: None,
        };
        let found = self
            .index
            .search(self.base, query, scope, self.entries.len())
            .await;
        found.unwrap().into_iter().map(|found| found.chunk).collect()
    }
}
