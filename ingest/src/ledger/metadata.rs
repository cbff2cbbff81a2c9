//! What the indexes are told of a document beside its text, put together from its row: who may read it, and all its
//! attributes. One place, so that what is written, what is owed, what is shown and what `fsck` compares are the same.

use std::sync::Arc;

use lectern_domain::{Acl, Attributes, DocumentMetadata, Particulars};
use sqlx::FromRow;

use super::rows;
use super::versions::NewVersion;
use crate::error::Result;

/// The columns of a [`MetadataRow`], where `d` is the document and `s` its source.
pub(super) const METADATA_COLUMNS: &str = "d.acl, d.title, d.uri, d.document_key, d.media_type, d.size_bytes,
     d.modified_at, d.file_attributes, d.source_attributes, s.name AS source_name";

/// A document's row as far as the indexes are told of it.
#[derive(Clone, FromRow, PartialEq, Eq, Hash)]
pub(super) struct MetadataRow {
    pub(super) acl: String,
    pub(super) title: String,
    pub(super) uri: String,
    document_key: String,
    media_type: String,
    size_bytes: i64,
    modified_at: Option<i64>,
    file_attributes: String,
    source_attributes: String,
    source_name: String,
}

impl MetadataRow {
    pub(super) fn metadata(&self) -> Result<DocumentMetadata> {
        let particulars = Particulars {
            title: &self.title,
            uri: &self.uri,
            path: &self.document_key,
            source: &self.source_name,
            media_type: &self.media_type,
            size_bytes: rows::unsigned("document size", self.size_bytes)?,
            modified_at: self.modified_at.map(rows::time).transpose()?,
        };
        let of_file: Attributes = rows::from_json("file attributes", &self.file_attributes)?;
        let of_source: Attributes = rows::from_json("source attributes", &self.source_attributes)?;
        let acl: Acl = rows::from_json("access list", &self.acl)?;
        Ok(DocumentMetadata {
            acl,
            attributes: particulars.attributes(of_file, of_source),
        })
    }
}

impl NewVersion {
    /// The same, of a version that isn't in the ledger yet.
    pub(crate) fn index_metadata(&self, source_name: &str) -> Arc<DocumentMetadata> {
        let particulars = Particulars {
            title: &self.title,
            uri: &self.metadata.uri,
            path: &self.document.key,
            source: source_name,
            media_type: &self.media_type,
            size_bytes: self.size_bytes,
            modified_at: self.metadata.modified_at,
        };
        Arc::new(DocumentMetadata {
            acl: self.acl().clone(),
            attributes: particulars
                .attributes(self.file_attributes.clone(), self.metadata.attributes.clone()),
        })
    }
}
