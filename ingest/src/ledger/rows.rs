//! From the ledger's columns to the domain's words and back.

use chrono::{DateTime, Utc};
use lectern_domain::{
    ContentHash, Document, DocumentId, DocumentStatus, KnowledgeBaseId, Searchable, SourceId, Version,
};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// SQLite takes 32,766 parameters.
pub(super) const IDS_PER_STATEMENT: usize = 30_000;

/// A row of `documents` with what [`Document`] needs.
#[derive(sqlx::FromRow)]
pub(super) struct DocumentRow {
    id: Uuid,
    knowledge_base: Uuid,
    source: Uuid,
    document_key: String,
    uri: String,
    title: String,
    media_type: String,
    size_bytes: i64,
    status: String,
    reason: Option<String>,
    acl: String,
    access_revision: i64,
    access_indexed: i64,
    file_attributes: String,
    source_attributes: String,
    modified_at: Option<i64>,
    indexed_at: Option<i64>,
    current_version: Option<i64>,
    chunk_count: i64,
    attempts: i64,
    attempted_at: Option<i64>,
    /// Of the visible version.
    embedded_at: Option<i64>,
    embed_problem: Option<String>,
}

/// The columns of a [`DocumentRow`]; a condition on `d` follows.
pub(super) const SELECT_DOCUMENTS: &str = "SELECT d.*, v.embedded_at, v.embed_problem FROM documents d
     LEFT JOIN versions v ON v.document = d.id AND v.version = d.current_version WHERE ";

/// The status of a document `d` as it is shown. New readers find it only when the indexes know of them: until then
/// it isn't ready.
pub(super) const SHOWN_STATUS: &str = "CASE WHEN d.status = 'indexed' AND d.access_indexed <> d.access_revision THEN 'pending' ELSE d.status END";

impl TryFrom<DocumentRow> for Document {
    type Error = Error;

    fn try_from(row: DocumentRow) -> Result<Self> {
        let mut attributes: lectern_domain::Attributes = from_json("file attributes", &row.file_attributes)?;
        let of_source: lectern_domain::Attributes = from_json("source attributes", &row.source_attributes)?;
        attributes.extend(of_source);
        Ok(Self {
            id: DocumentId(row.id),
            knowledge_base: KnowledgeBaseId(row.knowledge_base),
            source: SourceId(row.source),
            key: row.document_key,
            uri: row.uri,
            title: row.title,
            media_type: row.media_type,
            size_bytes: unsigned("document size", row.size_bytes)?,
            status: match from_name("document status", &row.status)? {
                DocumentStatus::Indexed if row.access_indexed != row.access_revision => {
                    DocumentStatus::Pending
                }
                status => status,
            },
            searchable: match (row.current_version, row.embedded_at) {
                (None, _) => Searchable::Nothing,
                (Some(_), None) => Searchable::Words,
                (Some(_), Some(_)) => Searchable::WordsAndMeaning,
            },
            reason: row.reason.or(row.embed_problem),
            current_version: row.current_version.map(version).transpose()?,
            chunk_count: small("chunk count", row.chunk_count)?,
            acl: from_json("access list", &row.acl)?,
            attributes,
            modified_at: row.modified_at.map(time).transpose()?,
            indexed_at: row.indexed_at.map(time).transpose()?,
            attempts: small("attempts", row.attempts)?,
            attempted_at: row.attempted_at.map(time).transpose()?,
        })
    }
}

pub(super) fn version(value: i64) -> Result<Version> {
    unsigned("version", value).map(Version)
}

pub(super) fn unsigned(what: &'static str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| unreadable(what, value))
}

pub(super) fn small(what: &'static str, value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| unreadable(what, value))
}

pub(super) fn position(what: &'static str, value: i64) -> Result<usize> {
    usize::try_from(value).map_err(|_| unreadable(what, value))
}

/// SQLite's integers have a sign; what is counted here never comes near the limit.
pub(super) fn signed(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

pub(super) fn time(milliseconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| unreadable("time", milliseconds))
}

pub(super) fn hash(bytes: &[u8]) -> Result<ContentHash> {
    <[u8; 32]>::try_from(bytes)
        .map(ContentHash)
        .map_err(|_| unreadable("hash", bytes.len()))
}

/// A value of an enum that is stored by its snake-case name.
pub(super) fn from_name<T: DeserializeOwned>(what: &'static str, name: &str) -> Result<T> {
    let deserializer: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    T::deserialize(deserializer).map_err(|_| unreadable(what, name))
}

pub(super) fn from_json<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| unreadable(what, text))
}

/// What is stored as JSON has string keys and plain values, which always serialise; a value that
/// doesn't is a fault and is named.
pub(super) fn to_json(what: &'static str, value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| unreadable(what, error))
}

fn unreadable(what: &'static str, value: impl ToString) -> Error {
    Error::LedgerValue {
        what,
        value: value.to_string(),
    }
}
