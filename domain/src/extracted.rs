//! What extraction makes of a file: one text, and where its blocks lie in it.

use serde::{Deserialize, Serialize};

use crate::attribute::Attributes;
use crate::chunk::TextSpan;

/// The text of a document, with its structure.
///
/// Blocks stand in the order of the text, don't overlap and lie within it; what lies between two
/// blocks is white space or markup that belongs to no chunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extracted {
    /// The title that the document gives itself.
    pub title: Option<String>,
    /// The media type that was recognised from the content (RFC 6838).
    pub media_type: String,
    /// The whole text. Every span of the document counts bytes of this string.
    pub text: String,
    /// The structure of the text.
    pub blocks: Vec<Block>,
    /// What the document says about itself (author, created, ...).
    pub attributes: Attributes,
    /// What was noticed and didn't stop the extraction.
    pub warnings: Vec<String>,
    /// Files that it carries, which become documents of their own; at most [`MAX_ATTACHMENTS`].
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// How many attachments one file may have.
pub const MAX_ATTACHMENTS: usize = 1_000;

/// A file within a file: what is attached to a message, or a message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name: a single line without a slash, never empty. Several attachments may have the same.
    pub name: String,
    /// The media type that it is declared to have, as a hint.
    pub media_type: Option<String>,
    /// The file, whole. They are no part of the serialised form: whoever sends it sends them beside it.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// A piece of the text that belongs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it lies, in bytes of [`Extracted::text`].
    pub span: TextSpan,
    /// The page or slide it stands on, counted from 1, where the format has pages.
    pub page: Option<u32>,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BlockKind {
    /// A heading; level 1 is the highest.
    Heading {
        /// 1 to 6.
        level: u8,
        /// The words of the heading, without markup.
        title: String,
    },
    /// Running text, a quotation or a list.
    Paragraph,
    /// A table in Markdown.
    Table,
    /// Program text or other text whose line breaks matter.
    Code,
}
