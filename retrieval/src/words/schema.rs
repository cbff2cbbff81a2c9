//! The fields of a chunk in the index of words.
//!
//! The texts are stored as well as indexed, because changed metadata mean that the chunk is written anew. Ids stand
//! there twice: as a term or stored, and as numbers in columns, which are read for every hit. Attributes and their
//! digest are columns ([`super::attributes`]). What completes a title stands with the first chunk of a document alone
//! ([`super::titles`]).

use std::sync::LazyLock;

use lectern_domain::ports::IndexEntry;
use lectern_domain::{AttributesDigest, ChunkId, DocumentId, DocumentMetadata};
use tantivy::Term;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, OwnedValue, STORED, STRING, Schema, TantivyDocument,
    TextFieldIndexing, TextOptions, Value,
};
use uuid::Uuid;

use super::attributes::{ATTRIBUTES, columns_of};
use super::language::{self, Language};
use super::{titles, tokenizer};
use crate::acl_filter::{AclNames, DENIED, READERS};

/// The name under which the index knows the [`super::tokenizer`]. Another way of cutting texts gets another name,
/// so that an index which was written in the old way is known by its schema.
pub(super) const TOKENIZER: &str = "lectern 2";
/// The column with the upper half of a chunk's id.
pub(super) const CHUNK_HIGH: &str = "chunk_high";
/// The column with the lower half of a chunk's id.
pub(super) const CHUNK_LOW: &str = "chunk_low";
/// The column with the upper half of its document's id.
pub(super) const DOCUMENT_HIGH: &str = "document_high";
/// The column with the lower half of its document's id.
pub(super) const DOCUMENT_LOW: &str = "document_low";
/// The column with its place in the document.
pub(super) const ORDINAL: &str = "ordinal";
/// The column with the digest of its document's attributes.
pub(super) const DIGEST: &str = "attributes_digest";
/// The column with the title of the document, for first chunks.
pub(super) const TITLE_SHOWN: &str = "title_shown";

/// The schema and its fields.
pub(super) struct Fields {
    pub schema: Schema,
    pub chunk: Field,
    pub chunk_high: Field,
    pub chunk_low: Field,
    pub document_high: Field,
    pub document_low: Field,
    pub ordinal: Field,
    pub digest: Field,
    pub title: Field,
    pub headings: Field,
    pub body: Field,
    pub language: Field,
    pub title_words: Field,
    pub title_key: Field,
    pub title_shown: Field,
    pub attributes: Field,
    pub readers: Field,
    pub denied: Field,
}

/// The one schema of all knowledge bases. An index with another one is refused when it is opened.
pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let words = TextOptions::default().set_stored().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions),
    );
    let mut schema = Schema::builder();
    let chunk = schema.add_text_field("chunk", STRING | STORED);
    let chunk_high = schema.add_u64_field(CHUNK_HIGH, FAST);
    let chunk_low = schema.add_u64_field(CHUNK_LOW, FAST);
    let document_high = schema.add_u64_field(DOCUMENT_HIGH, FAST | STORED);
    let document_low = schema.add_u64_field(DOCUMENT_LOW, FAST | STORED);
    let ordinal = schema.add_u64_field(ORDINAL, FAST | STORED);
    let digest = schema.add_u64_field(DIGEST, FAST);
    let title = schema.add_text_field("title", words.clone());
    let headings = schema.add_text_field("headings", words.clone());
    let body = schema.add_text_field("body", words);
    let language = schema.add_text_field("language", STRING);
    let title_words = schema.add_text_field("title_words", STRING);
    let title_key = schema.add_text_field("title_key", STRING);
    let title_shown = schema.add_text_field(TITLE_SHOWN, TextOptions::default().set_fast("raw"));
    let attributes = schema.add_json_field(ATTRIBUTES, JsonObjectOptions::from(FAST));
    let readers = schema.add_text_field(READERS, STRING);
    let denied = schema.add_text_field(DENIED, STRING);
    Fields {
        schema: schema.build(),
        chunk,
        chunk_high,
        chunk_low,
        document_high,
        document_low,
        ordinal,
        digest,
        title,
        headings,
        body,
        language,
        title_words,
        title_key,
        title_shown,
        attributes,
        readers,
        denied,
    }
});

/// A chunk's ids and texts, which stay when its metadata change.
struct Content<'a> {
    chunk: ChunkId,
    document: DocumentId,
    ordinal: u64,
    title: &'a str,
    headings: Vec<&'a str>,
    body: Vec<&'a str>,
}

/// What is written for a chunk.
pub(super) fn document(entry: &IndexEntry) -> TantivyDocument {
    let chunk = &entry.chunk;
    let header = chunk.table_header.iter().map(|header| header.text.as_str());
    let content = Content {
        chunk: chunk.id,
        document: chunk.document,
        ordinal: u64::from(chunk.ordinal),
        title: &chunk.title,
        headings: chunk.heading_path.iter().map(String::as_str).collect(),
        body: header.chain([chunk.text.as_str()]).collect(),
    };
    content.written(&entry.metadata)
}

/// A stored chunk with other metadata. `None` where it lacks what every chunk of this crate has.
pub(super) fn with_metadata(
    stored: &TantivyDocument,
    metadata: &DocumentMetadata,
) -> Option<(ChunkId, TantivyDocument)> {
    let number = |field| stored.get_first(field)?.as_u64();
    let texts = |field| -> Vec<&str> {
        let texts = stored.get_all(field).filter_map(|text| text.as_str());
        texts.map(|text| tokenizer::unmarked(text).0).collect()
    };
    let chunk = Uuid::parse_str(stored.get_first(FIELDS.chunk)?.as_str()?)
        .map(ChunkId)
        .ok()?;
    let content = Content {
        chunk,
        document: document_from_halves(number(FIELDS.document_high)?, number(FIELDS.document_low)?),
        ordinal: number(FIELDS.ordinal)?,
        title: texts(FIELDS.title).first()?,
        headings: texts(FIELDS.headings),
        body: texts(FIELDS.body),
    };
    Some((chunk, content.written(metadata)))
}

impl Content<'_> {
    fn written(&self, metadata: &DocumentMetadata) -> TantivyDocument {
        let language = language::of_document(&metadata.attributes);
        let mut document = TantivyDocument::default();
        document.add_text(FIELDS.chunk, self.chunk.to_string());
        self.add_texts(&mut document, language);
        let (chunk_high, chunk_low) = self.chunk.0.as_u64_pair();
        let (document_high, document_low) = self.document.0.as_u64_pair();
        let AttributesDigest(digest) = AttributesDigest::from(&metadata.attributes);
        for (field, number) in [
            (FIELDS.chunk_high, chunk_high),
            (FIELDS.chunk_low, chunk_low),
            (FIELDS.document_high, document_high),
            (FIELDS.document_low, document_low),
            (FIELDS.ordinal, self.ordinal),
            (FIELDS.digest, digest),
        ] {
            document.add_u64(field, number);
        }
        let columns = columns_of(&metadata.attributes);
        document.add_field_value(FIELDS.attributes, &OwnedValue::Object(columns));
        let names = AclNames::from(&metadata.acl);
        for name in &names.readers {
            document.add_text(FIELDS.readers, name);
        }
        for name in &names.denied {
            document.add_text(FIELDS.denied, name);
        }
        document
    }

    fn add_texts(&self, document: &mut TantivyDocument, language: Language) {
        document.add_text(FIELDS.language, language::code_of(language));
        document.add_text(FIELDS.title, tokenizer::marked(self.title, language));
        for heading in &self.headings {
            document.add_text(FIELDS.headings, tokenizer::marked(heading, language));
        }
        for text in &self.body {
            document.add_text(FIELDS.body, tokenizer::marked(text, language));
        }
        if self.ordinal == 0 {
            let words = titles::words_of_title(self.title);
            document.add_text(FIELDS.title_shown, titles::shown(self.title));
            document.add_text(FIELDS.title_key, words.join(" "));
            for word in words {
                document.add_text(FIELDS.title_words, word);
            }
        }
    }
}

/// The term that stands for a chunk.
pub(super) fn chunk_term(chunk: ChunkId) -> Term {
    Term::from_field_text(FIELDS.chunk, &chunk.to_string())
}

/// A chunk's id from its two columns.
pub(super) fn chunk_from_halves(high: u64, low: u64) -> ChunkId {
    ChunkId(Uuid::from_u64_pair(high, low))
}

/// A document's id from its two columns.
pub(super) fn document_from_halves(high: u64, low: u64) -> DocumentId {
    DocumentId(Uuid::from_u64_pair(high, low))
}
