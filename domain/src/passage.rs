//! What a search gives back: passages of documents that the reader may read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::chunk::{SpannedText, TextSpan, below_header, text_to_embed};
use crate::ids::{ChunkId, DocumentId, Version};
use crate::metadata::DocumentMetadata;

/// How well a passage matches, from 0 (not at all) to 1. Comparable within one answer; a raw score
/// of an index never leaves `retrieval`, because it tells about documents that the reader can't see.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(f32);

impl Score {
    /// A score, held within 0 and 1; what isn't a number counts as 0.
    pub fn clamped(value: f32) -> Self {
        if value.is_nan() {
            return Self(0.0);
        }
        Self(value.clamp(0.0, 1.0))
    }

    /// The number from 0 to 1.
    pub fn value(self) -> f32 {
        self.0
    }
}

/// How sure a search is of a passage. The bands carry Amazon Kendra's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Confidence {
    /// Probably about something else.
    Low,
    /// Perhaps.
    Medium,
    /// Probably.
    High,
    /// Nearly certainly.
    VeryHigh,
}

/// A chunk that was found, checked against the ledger and read from the stored text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// The chunk.
    pub chunk: ChunkId,
    /// The document it is a piece of.
    pub document: DocumentId,
    /// The version of that document.
    pub version: Version,
    /// The document's title.
    pub title: String,
    /// Where a person finds the original.
    pub uri: String,
    /// The headings above it, highest first.
    pub heading_path: Vec<String>,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// Where it lies in the document's extracted text.
    pub span: TextSpan,
    /// The piece itself.
    pub text: String,
    /// The header row of the table that it begins in the middle of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_header: Option<SpannedText>,
    /// What a generator reads in its place: a larger piece of the document that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SpannedText>,
    /// How well it matches.
    pub score: Score,
    /// How sure the search is.
    pub confidence: Confidence,
}

impl Passage {
    /// Its text below the header of the table that it continues: what a person reads of it.
    pub fn readable(&self) -> Cow<'_, str> {
        below_header(header_text(&self.table_header), &self.text)
    }

    /// What is compared with a question: title, headings and table header before the text.
    pub fn text_to_embed(&self) -> String {
        let header = header_text(&self.table_header);
        text_to_embed(&self.title, &self.heading_path, header, &self.text)
    }
}

fn header_text(header: &Option<SpannedText>) -> Option<&str> {
    header.as_ref().map(|header| header.text.as_str())
}

/// A chunk as the ledger knows it, for the recheck: whose it is, whether it is current, who may read it.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerChunk {
    /// The chunk.
    pub chunk: ChunkId,
    /// The document it is a piece of.
    pub document: DocumentId,
    /// The version it belongs to.
    pub version: Version,
    /// Its place among the chunks of the version, from 0.
    pub ordinal: u32,
    /// Tokens of what the embedder reads of it.
    pub token_count: u32,
    /// Whether that version is the one that may be seen.
    pub is_current: bool,
    /// Whether that version has all its vectors. A hit of the index of vectors counts only then.
    pub is_embedded: bool,
    /// Who may read the document, and its attributes.
    pub metadata: DocumentMetadata,
    /// The document's title.
    pub title: String,
    /// Where a person finds the original.
    pub uri: String,
    /// The headings above it, highest first.
    pub heading_path: Vec<String>,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// Where it lies in the document's extracted text.
    pub span: TextSpan,
    /// The piece itself, read from the stored text.
    pub text: String,
    /// The header row of the table that it begins in the middle of.
    pub table_header: Option<SpannedText>,
    /// The larger piece that contains it, where its source is chunked hierarchically.
    pub parent: Option<SpannedText>,
}

impl LedgerChunk {
    /// What the embedder reads of it, but for a title that is cut because it is too long.
    pub fn text_to_embed(&self) -> String {
        let header = header_text(&self.table_header);
        text_to_embed(&self.title, &self.heading_path, header, &self.text)
    }
}
