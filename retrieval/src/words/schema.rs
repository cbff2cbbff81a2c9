//! The fields of a chunk in the index of words.
//!
//! The texts are stored as well as indexed, because a changed access list means that the document is
//! written anew. The id stands there twice: as a term, by which a document is replaced, and as two
//! numbers in columns, which are read for every hit.

use std::sync::LazyLock;

use lectern_domain::ChunkId;
use lectern_domain::ports::IndexEntry;
use tantivy::Term;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TantivyDocument, TextFieldIndexing, TextOptions,
    Value,
};
use uuid::Uuid;

use crate::acl_filter::{AclNames, DENIED, READERS};

/// The name under which the index knows the [`super::tokenizer`].
pub(super) const TOKENIZER: &str = "lectern";
/// The column with the upper half of a chunk's id.
pub(super) const CHUNK_HIGH: &str = "chunk_high";
/// The column with the lower half of a chunk's id.
pub(super) const CHUNK_LOW: &str = "chunk_low";

/// The schema and its fields.
pub(super) struct Fields {
    pub schema: Schema,
    pub chunk: Field,
    pub chunk_high: Field,
    pub chunk_low: Field,
    pub title: Field,
    pub headings: Field,
    pub body: Field,
    pub readers: Field,
    pub denied: Field,
}

/// The one schema of all knowledge bases. An index with another one is refused when it is opened.
pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let words = TextOptions::default().set_stored().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqs),
    );
    let mut schema = Schema::builder();
    let chunk = schema.add_text_field("chunk", STRING | STORED);
    let chunk_high = schema.add_u64_field(CHUNK_HIGH, FAST);
    let chunk_low = schema.add_u64_field(CHUNK_LOW, FAST);
    let title = schema.add_text_field("title", words.clone());
    let headings = schema.add_text_field("headings", words.clone());
    let body = schema.add_text_field("body", words);
    let readers = schema.add_text_field(READERS, STRING);
    let denied = schema.add_text_field(DENIED, STRING);
    Fields {
        schema: schema.build(),
        chunk,
        chunk_high,
        chunk_low,
        title,
        headings,
        body,
        readers,
        denied,
    }
});

/// What is written for a chunk.
pub(super) fn document(entry: &IndexEntry) -> TantivyDocument {
    let chunk = &entry.chunk;
    let mut document = TantivyDocument::default();
    document.add_text(FIELDS.chunk, chunk.id.to_string());
    document.add_text(FIELDS.title, &chunk.title);
    for heading in &chunk.heading_path {
        document.add_text(FIELDS.headings, heading);
    }
    if let Some(header) = &chunk.table_header {
        document.add_text(FIELDS.body, &header.text);
    }
    document.add_text(FIELDS.body, &chunk.text);
    add_unstored(&mut document, chunk.id, &AclNames::from(&entry.metadata.acl));
    document
}

/// A stored document with another access list. `None` where it carries no chunk id, which no document
/// of this crate does.
pub(super) fn with_acl(stored: &TantivyDocument, names: &AclNames) -> Option<(ChunkId, TantivyDocument)> {
    let chunk = Uuid::parse_str(stored.get_first(FIELDS.chunk)?.as_str()?)
        .map(ChunkId)
        .ok()?;
    let mut document = TantivyDocument::default();
    for field in [FIELDS.chunk, FIELDS.title, FIELDS.headings, FIELDS.body] {
        for text in stored.get_all(field) {
            document.add_text(field, text.as_str()?);
        }
    }
    add_unstored(&mut document, chunk, names);
    Some((chunk, document))
}

/// The term that stands for a chunk.
pub(super) fn chunk_term(chunk: ChunkId) -> Term {
    Term::from_field_text(FIELDS.chunk, &chunk.to_string())
}

/// A chunk's id from its two columns.
pub(super) fn chunk_from_halves(high: u64, low: u64) -> ChunkId {
    ChunkId(Uuid::from_u64_pair(high, low))
}

fn add_unstored(document: &mut TantivyDocument, chunk: ChunkId, names: &AclNames) {
    let (high, low) = chunk.0.as_u64_pair();
    document.add_u64(FIELDS.chunk_high, high);
    document.add_u64(FIELDS.chunk_low, low);
    for name in &names.readers {
        document.add_text(FIELDS.readers, name);
    }
    for name in &names.denied {
        document.add_text(FIELDS.denied, name);
    }
}
