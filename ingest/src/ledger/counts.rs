//! How many documents and chunks a knowledge base has, and how many of the documents have their vectors.
//!
//! Every request asks, and counting takes as long as there are documents. So the row of the knowledge base has the
//! counts, and triggers keep them (`migrations/0008_counts.sql`): with every change, in its transaction. Here they are
//! read, and compared with what they stand for.

use lectern_domain::{EmbeddedShare, KnowledgeBaseId};
use sqlx::AssertSqlSafe;

use super::{Ledger, commit, rows};
use crate::error::{Error, Result};

/// What the counts of the knowledge base `$1` have to be, in one row.
const REAL: &str = "(SELECT COUNT(*) AS documents, COALESCE(SUM(d.chunk_count), 0) AS chunks,
            (SELECT COUNT(*) FROM versions
             WHERE knowledge_base = $1 AND state = 'current' AND embedded_at IS NOT NULL) AS embedded
     FROM documents d WHERE d.knowledge_base = $1 AND d.current_version IS NOT NULL) AS real";

/// Whether the counts of `knowledge_bases` are others.
const DIFFER: &str = "id = $1 AND
     (document_count, chunk_count, embedded_count) <> (real.documents, real.chunks, real.embedded)";

impl Ledger {
    /// How many documents of a knowledge base have their vectors.
    pub async fn embedded_share(&self, knowledge_base: KnowledgeBaseId) -> Result<EmbeddedShare> {
        let counts: Option<(i64, i64)> =
            sqlx::query_as("SELECT embedded_count, document_count FROM knowledge_bases WHERE id = $1")
                .bind(knowledge_base.0)
                .fetch_optional(&self.readers)
                .await
                .map_err(Error::ledger("look up how many documents are embedded"))?;
        // A knowledge base that has just been erased has none.
        let (documents, of) = counts.unwrap_or_default();
        Ok(EmbeddedShare {
            documents: rows::unsigned("document count", documents)?,
            of: rows::unsigned("document count", of)?,
        })
    }

    /// Whether the counts of a knowledge base aren't what they stand for. Reads all its documents.
    pub(crate) async fn is_miscounted(&self, knowledge_base: KnowledgeBaseId) -> Result<bool> {
        let sql = format!("SELECT 1 FROM knowledge_bases, {REAL} WHERE {DIFFER}");
        let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(knowledge_base.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::ledger("compare the counts of documents"))?;
        Ok(found.is_some())
    }

    /// Counts the documents and chunks of a knowledge base anew. True where the counts were others.
    pub(crate) async fn recount(&self, knowledge_base: KnowledgeBaseId) -> Result<bool> {
        const ACTION: &str = "count the documents anew";
        let sql = format!(
            "UPDATE knowledge_bases SET document_count = real.documents, chunk_count = real.chunks,
                                        embedded_count = real.embedded
             FROM {REAL} WHERE {DIFFER}"
        );
        let mut transaction = self.begin().await?;
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(knowledge_base.0)
            .execute(&mut *transaction)
            .await
            .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await?;
        Ok(done.rows_affected() > 0)
    }
}
