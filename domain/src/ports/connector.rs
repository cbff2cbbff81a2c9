//! Where documents come from.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;

use crate::acl::Acl;
use crate::attribute::Attributes;
use crate::error::PortError;

/// A document that a source has, before it is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceItem {
    /// What the source calls it: unique within the source, and the same at every listing.
    pub key: String,
    /// Where a person finds it.
    pub uri: String,
    /// Its size, where the listing tells.
    pub size_bytes: Option<u64>,
    /// When it changed, where the listing tells.
    pub modified_at: Option<DateTime<Utc>>,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq)]
pub enum ListEvent {
    /// A document that can be fetched.
    Item(SourceItem),
    /// Something that is left out, and is no error.
    Skipped {
        /// What it is.
        item: SourceItem,
        /// Stable, such as `too_large`.
        code: &'static str,
        /// A sentence with the figures.
        reason: String,
    },
    /// Something that should have been a document and can't be read.
    Failed {
        /// What it is.
        item: SourceItem,
        /// Stable, such as `permission_denied`.
        code: &'static str,
        /// A sentence that says what was tried.
        reason: String,
    },
}

/// The content of a document.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The file, whole.
    pub bytes: Arc<[u8]>,
    /// The name of the file; a hint for recognising the format, no more.
    pub file_name: String,
    /// The media type that the source states, if it does; a hint too.
    pub media_type: Option<String>,
    /// A title that the source knows better than the file does.
    pub title: Option<String>,
    /// The source's permissions. `None` where it has none: then the source's default counts.
    pub acl: Option<Acl>,
    /// What the source knows about the document.
    pub attributes: Attributes,
}

/// A source of documents.
///
/// * `list` names everything that is there, each once, in any order. An `Err` ends the listing, and
///   says that it isn't whole: a caller must not take an absence from it for a deletion.
/// * `fetch` gives the content as it is now. A document that has vanished since the listing is
///   [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
/// * Neither changes anything at the source.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The source in a few words, for logs and tables.
    fn describe(&self) -> String;

    /// Everything that the source has.
    fn list(&self) -> BoxStream<'_, Result<ListEvent, PortError>>;

    /// The content of one document.
    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError>;
}
