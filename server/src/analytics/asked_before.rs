//! What somebody asked before, for when they begin to type it again. Nobody is told what others asked.

use lectern_domain::{KnowledgeBaseId, PortError};
use sqlx::query_scalar;

use super::note::normalised;
use super::store::{Store, failed};

impl Store {
    /// The questions of a person that begin like this and found something, the latest first, each once.
    pub(super) async fn asked_before(
        &self,
        base: KnowledgeBaseId,
        user: &str,
        typed: &str,
        limit: u32,
    ) -> Result<Vec<String>, PortError> {
        const ACTION: &str = "look up what was asked before";
        let mut connection = self.begin().await?;
        let rows: Vec<String> = query_scalar(
            "SELECT text FROM (SELECT text, normalised, MAX(at) AS at FROM searches
                               WHERE user_name = $1 AND knowledge_base = $2 AND relevant = 1
                               AND substr(normalised, 1, length($3)) = $3
                               GROUP BY normalised)
             ORDER BY at DESC LIMIT $4",
        )
        .bind(user)
        .bind(base.0)
        .bind(normalised(typed))
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed(ACTION))?;
        Ok(rows)
    }
}
