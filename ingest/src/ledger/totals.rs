//! How the documents of a source stand, in numbers.

use lectern_domain::{DocumentStatus, SourceId};
use serde::Serialize;
use sqlx::FromRow;

use super::{Ledger, rows};
use crate::error::{Error, Result};

/// How many documents of a source stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceTotals {
    /// Documents in all.
    pub documents: u64,
    /// Accepted, and not yet read.
    pub pending: u64,
    /// Their newest content is in the indexes.
    pub indexed: u64,
    /// Left out for a reason that is no error.
    pub skipped: u64,
    /// Could not be read.
    pub failed: u64,
    /// Can be found by their words: a version of them is visible, be it the newest or not.
    pub searchable_by_words: u64,
    /// Can be found by their meaning too.
    pub searchable_by_meaning: u64,
    /// Chunks of the visible versions.
    pub chunks: u64,
}

#[derive(FromRow)]
struct Row {
    status: String,
    documents: i64,
    by_words: i64,
    by_meaning: i64,
    chunks: i64,
}

impl Ledger {
    /// How the documents of a source stand. Reads each of its rows once.
    pub async fn source_totals(&self, source: SourceId) -> Result<SourceTotals> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT d.status, COUNT(*) AS documents, COUNT(d.current_version) AS by_words,
                    COUNT(v.embedded_at) AS by_meaning, CAST(SUM(d.chunk_count) AS BIGINT) AS chunks
             FROM documents d
             LEFT JOIN versions v ON v.document = d.id AND v.version = d.current_version
             WHERE d.source = $1 AND d.deleted = 0 GROUP BY d.status",
        )
        .bind(source.0)
        .fetch_all(&self.readers)
        .await
        .map_err(Error::ledger("count the documents of a source"))?;
        let mut totals = SourceTotals::default();
        for row in rows {
            let documents = rows::unsigned("document count", row.documents)?;
            totals.documents += documents;
            totals.searchable_by_words += rows::unsigned("document count", row.by_words)?;
            totals.searchable_by_meaning += rows::unsigned("document count", row.by_meaning)?;
            totals.chunks += rows::unsigned("chunk count", row.chunks)?;
            let status: DocumentStatus = rows::from_name("document status", &row.status)?;
            *match status {
                DocumentStatus::Pending => &mut totals.pending,
                DocumentStatus::Indexed => &mut totals.indexed,
                DocumentStatus::Skipped => &mut totals.skipped,
                DocumentStatus::Failed => &mut totals.failed,
            } += documents;
        }
        Ok(totals)
    }
}
