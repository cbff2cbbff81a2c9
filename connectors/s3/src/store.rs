//! What a bucket can be asked, whoever keeps it.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::error::Error;

/// An object as a listing tells of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    /// The whole key, as the service has it.
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) modified_at: Option<DateTime<Utc>>,
    /// Opaque, as it is told.
    pub(crate) etag: Option<String>,
    /// Whether it has to be fetched from an archive before it can be read.
    pub(crate) is_archived: bool,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Listed>,
    /// What the next page is asked with; `None` after the last.
    pub(crate) next: Option<String>,
    /// What the clock of the service said.
    pub(crate) told_at: Option<DateTime<Utc>>,
}

/// An object, whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// The content type, where it is more than "bytes".
    pub(crate) media_type: Option<String>,
    /// What whoever stored it wrote beside it.
    pub(crate) metadata: Vec<(String, String)>,
}

/// A bucket of some service.
#[async_trait]
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// The next part of the listing of all keys that begin with `prefix`, in the order of their bytes.
    async fn page(&self, prefix: &str, token: Option<&str>) -> Result<Page, Error>;

    /// An object of at most `limit_bytes`, all of one version. [`Error::Gone`] where there is none.
    async fn object(&self, name: &str, limit_bytes: u64) -> Result<Object, Error>;

    /// The tags of an object, sorted. [`Error::Gone`] where there is none.
    async fn tags(&self, name: &str) -> Result<Vec<(String, String)>, Error>;
}

/// A content type that says something.
pub(crate) fn telling(media_type: &str) -> Option<String> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let says_nothing = ["", "application/octet-stream", "binary/octet-stream"];
    (!says_nothing.contains(&essence.to_ascii_lowercase().as_str())).then(|| media_type.to_owned())
}
