//! A chunk: the piece of a document that is found, and later cited.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, ContentHash, DocumentId, KnowledgeBaseId, Version};

/// A stretch of a document's extracted text, in bytes of UTF-8, end exclusive. Both ends lie on
/// character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TextSpan {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl TextSpan {
    /// How many bytes it covers.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text that it covers, or `None` where it doesn't fit `text`.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }
}

/// A stretch of a document's text and what stands there. `text` is exactly `document_text[span]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpannedText {
    /// Where it lies in the document's extracted text.
    pub span: TextSpan,
    /// What stands there.
    pub text: String,
}

/// A piece of one version of a document. `text` is exactly `document_text[span]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Derived from document, version and ordinal.
    pub id: ChunkId,
    /// The knowledge base it can be found in.
    pub knowledge_base: KnowledgeBaseId,
    /// The document it is a piece of.
    pub document: DocumentId,
    /// The version of that document.
    pub version: Version,
    /// Its place among the chunks of the version, from 0.
    pub ordinal: u32,
    /// The document's title.
    pub title: String,
    /// The headings above it, highest first.
    pub heading_path: Vec<String>,
    /// The page it begins on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// Where it lies in the document's text.
    pub span: TextSpan,
    /// The piece itself.
    pub text: String,
    /// The header row of the table that it begins in the middle of. It goes before the text for whoever reads
    /// the chunk, as the title path does, and is no part of it.
    pub table_header: Option<SpannedText>,
    /// Tokens of [`Chunk::text_to_embed`], as the embedder counts them.
    pub token_count: u32,
}

impl Chunk {
    /// What the embedder reads: the title and the headings on a line of their own, the header of a table that is
    /// continued, then the text. A paragraph that says "it is due in May" is found by what "it" is.
    pub fn text_to_embed(&self) -> String {
        let header = self.table_header.as_ref().map(|header| header.text.as_str());
        text_to_embed(&self.title, &self.heading_path, header, &self.text)
    }

    /// The hash of what the embedder reads; equal hashes have equal vectors.
    pub fn text_hash(&self) -> ContentHash {
        ContentHash::of(self.text_to_embed().as_bytes())
    }
}

/// Puts the title path and a table's header before a text, as [`Chunk::text_to_embed`] does. A heading that
/// repeats the title, or the heading above it, is written once.
pub fn text_to_embed(title: &str, heading_path: &[String], table_header: Option<&str>, text: &str) -> String {
    let mut path: Vec<&str> = Vec::with_capacity(heading_path.len() + 1);
    for part in std::iter::once(title).chain(heading_path.iter().map(String::as_str)) {
        let part = part.trim();
        if !part.is_empty() && path.last() != Some(&part) {
            path.push(part);
        }
    }
    let text = below_header(table_header, text);
    if path.is_empty() {
        return text.into_owned();
    }
    format!("{}\n{text}", path.join(" > "))
}

/// A text below the header of the table that it continues, for whoever reads it.
pub fn below_header<'a>(table_header: Option<&str>, text: &'a str) -> Cow<'a, str> {
    match table_header {
        Some(header) => Cow::Owned(format!("{header}\n{text}")),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_path_stands_before_the_text_once() {
        let headings = ["Leave".to_owned(), "Parents".to_owned()];
        assert_eq!(
            text_to_embed("Leave", &headings, None, "It is 20 weeks."),
            "Leave > Parents\nIt is 20 weeks."
        );
        assert_eq!(text_to_embed(" ", &[], None, "Bare."), "Bare.");
        assert_eq!(
            text_to_embed("Plans", &[], Some("| plan | price |"), "| large | 9 |"),
            "Plans\n| plan | price |\n| large | 9 |"
        );
    }
}
