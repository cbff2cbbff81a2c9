//! What somebody asked before, for when they begin to type it again. Nobody is told what others asked.
//!
//! This is asked with every letter, by everybody who types. So it waits for nobody who writes, and looks through the newest
//! part of what somebody asked, which an index has in its order: who has asked for years waits no longer than others.

use lectern_domain::{KnowledgeBaseId, PortError};
use sqlx::query_scalar;

use super::note::normalised;
use super::store::{Store, failed};

/// The questions of `$1` in `$2` that begin like `$3`: of the newest 2,000 that found something the `$4` latest, each once,
/// as it was typed last.
pub(super) const ASKED_BEFORE: &str = "
    SELECT text FROM (
        SELECT text, normalised, MAX(at) AS at FROM (
            SELECT text, normalised, at FROM searches
            WHERE user_name = $1 AND knowledge_base = $2 AND relevant = 1
            ORDER BY at DESC LIMIT 2000)
        WHERE substr(normalised, 1, length($3)) = $3
        GROUP BY normalised)
    ORDER BY at DESC LIMIT $4";

impl Store {
    /// The questions of a person that begin like this and found something, the latest first, each once. Those that are too
    /// far back aren't looked at.
    pub(super) async fn asked_before(
        &self,
        base: KnowledgeBaseId,
        user: &str,
        typed: &str,
        limit: u32,
    ) -> Result<Vec<String>, PortError> {
        let rows: Vec<String> = query_scalar(ASKED_BEFORE)
            .bind(user)
            .bind(base.0)
            .bind(normalised(typed))
            .bind(i64::from(limit))
            .fetch_all(&self.database.readers)
            .await
            .map_err(failed("look up what was asked before"))?;
        Ok(rows)
    }
}
