//! From a file to its text.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::PortError;
use crate::extracted::Extracted;

/// A file to be read.
#[derive(Clone, Debug)]
pub struct RawFile {
    /// Its name, as a hint for the format and a title of last resort.
    pub name: String,
    /// The media type that the source states, as a hint.
    pub media_type: Option<String>,
    /// The file, whole.
    pub bytes: Arc<[u8]>,
}

/// Reads files. A hostile file costs one `Err`, never the process: see `ingest::extract`.
#[async_trait]
pub trait Extractor: Send + Sync {
    /// The text of `file` and its structure.
    ///
    /// Fails with `Invalid` and a code such as `pdf_encrypted`, `pdf_damaged`, `not_text`,
    /// `empty_file`, `unknown_format`, `no_text_layer`, or `TooLarge` with `extraction_timeout`,
    /// `extraction_memory`, `extraction_crashed`, `output_too_large`.
    async fn extract(&self, file: &RawFile) -> Result<Extracted, PortError>;
}
