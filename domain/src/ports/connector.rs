//! Where documents come from.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

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
    /// What is another text whenever anything about the document (content, permissions, attributes) is another:
    /// an `ETag`, a revision, a time to the nanosecond with the size. `None` where the source has no such
    /// thing, or where the change is too recent to be told from the next. The same tag as last time means
    /// that the document isn't fetched.
    pub change_tag: Option<String>,
}

impl SourceItem {
    /// An item of which no more is known than its key and its address.
    pub fn new(key: impl Into<String>, uri: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            uri: uri.into(),
            size_bytes: None,
            modified_at: None,
            change_tag: None,
        }
    }
}

/// How far a source was read, in its own words. Whoever keeps it doesn't look into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

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
    /// A document that is no longer there; its attachments go with it. Needed in a listing of changes only.
    Gone {
        /// What the source called it.
        key: String,
    },
    /// Who may read a document that the listing can't name otherwise, or all whose keys begin with a `key` that ends with `/`:
    /// what is there of them is shown, from now on, to those only who may read it by both lists. It comes beside a `Skipped` or
    /// a `Failed` that says why it isn't named.
    Readers {
        /// What the source calls it.
        key: String,
        /// Who may read it now.
        acl: Acl,
    },
    /// All before it was named: a listing that is asked with this cursor later names the changes since. The
    /// last one of a listing counts.
    Checkpoint(Cursor),
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

/// The code of the error that says that what stands beside a document can't be read. Who may read the document isn't known then,
/// so nobody does until it is, not even what was there before.
pub const SIDECAR_INVALID: &str = "sidecar_invalid";

/// The code of the error that says that a cursor is too old: the source has to be listed in full.
pub const CURSOR_EXPIRED: &str = "cursor_expired";

/// A source of documents.
///
/// * `list(None)` names everything that is there, each once, in any order. An `Err` ends the listing, and
///   says that it isn't whole: a caller must not take an absence from it for a deletion.
/// * `list(Some(cursor))` names what changed since: each document once, as it is now, and [`ListEvent::Gone`]
///   for each that is gone. It is asked only with a cursor that the source gave in a [`ListEvent::Checkpoint`];
///   a source that gives none is never asked so. A cursor that is too old is an `Err` with the code
///   [`CURSOR_EXPIRED`] before anything else.
/// * `fetch` gives the content as it is now. A document that has vanished since the listing is
///   [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
/// * Neither changes anything at the source.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The source in a few words, for logs and tables.
    fn describe(&self) -> String;

    /// Everything that the source has, or what changed since a listing that ended with this cursor.
    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>>;

    /// The content of one document.
    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError>;

    /// How many documents to fetch at a time, where most of the time is spent waiting for another machine. `None` is as
    /// many as this machine reads at a time.
    fn fetches_at_once(&self) -> Option<usize> {
        None
    }
}
