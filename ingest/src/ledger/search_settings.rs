//! What is set for searches in a knowledge base. Every search asks, so what was read is kept until it is set anew;
//! nobody else writes to the ledger of a data folder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lectern_domain::{ChunkId, KnowledgeBaseId, SearchSettings};
use uuid::Uuid;

use super::{Ledger, commit, now, rows};
use crate::error::{Error, Result};

/// The settings that were read. They are kept by whoever read them and forgotten by whoever sets others, both only while
/// they have the ledger's one writer. So nobody keeps older ones than were committed last.
#[derive(Debug, Default)]
pub(super) struct KnownSettings(Mutex<HashMap<KnowledgeBaseId, Arc<SearchSettings>>>);

impl KnownSettings {
    fn get(&self, base: KnowledgeBaseId) -> Option<Arc<SearchSettings>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&base).map(Arc::clone)
    }

    fn keep(&self, base: KnowledgeBaseId, settings: &Arc<SearchSettings>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(base, Arc::clone(settings));
    }

    fn forget(&self, base: KnowledgeBaseId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&base);
    }
}

impl Ledger {
    /// What is set for searches in a knowledge base; what is built in where nothing is.
    pub async fn search_settings(&self, base: KnowledgeBaseId) -> Result<Arc<SearchSettings>> {
        if let Some(known) = self.settings.get(base) {
            return Ok(known);
        }
        // In the one line of the writer, so that a change in between is either read or comes after.
        let mut writer = self.begin().await?;
        if let Some(read_meanwhile) = self.settings.get(base) {
            return Ok(read_meanwhile);
        }
        let stored: Option<String> =
            sqlx::query_scalar("SELECT settings FROM search_settings WHERE knowledge_base = $1")
                .bind(base.0)
                .fetch_optional(&mut *writer)
                .await
                .map_err(Error::ledger("read the settings of searches"))?;
        let settings: SearchSettings = match stored {
            Some(stored) => rows::from_json("search settings", &stored)?,
            None => SearchSettings::default(),
        };
        let settings = Arc::new(settings);
        self.settings.keep(base, &settings);
        Ok(settings)
    }

    /// Sets it. The next search goes by it.
    pub async fn set_search_settings(&self, base: KnowledgeBaseId, settings: &SearchSettings) -> Result<()> {
        const ACTION: &str = "set the settings of searches";
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO search_settings (knowledge_base, settings, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (knowledge_base) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at",
        )
        .bind(base.0)
        .bind(rows::to_json("search settings", settings)?)
        .bind(now().timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        self.settings.forget(base);
        // The next search reads and keeps them. Here it would be too late: after the commit somebody else may set others.
        commit(transaction, ACTION).await
    }

    /// The first chunk of each visible document that goes by one of `names`, its address or its path, in the order of
    /// the names.
    pub(super) async fn first_chunks_of(
        &self,
        base: KnowledgeBaseId,
        names: &[String],
    ) -> Result<Vec<ChunkId>> {
        let mut chunks = Vec::with_capacity(names.len());
        for name in names {
            let found: Vec<Uuid> = sqlx::query_scalar(
                "SELECT c.id FROM documents d
                 JOIN chunks c ON c.document = d.id AND c.version = d.current_version AND c.ordinal = 0
                 WHERE d.knowledge_base = $1 AND d.deleted = 0 AND (d.uri = $2 OR d.id IN
                     (SELECT p.id FROM sources s JOIN documents p ON p.source = s.id AND p.document_key = $2
                      WHERE s.knowledge_base = $1))
                 ORDER BY d.id LIMIT 10",
            )
            .bind(base.0)
            .bind(name)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::ledger("look up documents by name"))?;
            chunks.extend(found.into_iter().map(ChunkId));
        }
        Ok(chunks)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::texts::TextStore;

    async fn ledger_with_a_base() -> (TempDir, Ledger, KnowledgeBaseId) {
        let folder = tempfile::tempdir().unwrap();
        let texts = Arc::new(TextStore::open(folder.path()).unwrap());
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path, texts).await.unwrap();
        let base = ledger.create_knowledge_base("library", "", "m", 2).await.unwrap();
        (folder, ledger, base.id)
    }

    fn synonyms(synonyms: &str) -> SearchSettings {
        SearchSettings {
            synonyms: synonyms.to_owned(),
            ..SearchSettings::default()
        }
    }

    #[tokio::test]
    async fn the_next_search_goes_by_what_was_set_and_it_is_read_once() {
        let (_folder, ledger, base) = ledger_with_a_base().await;
        assert_eq!(
            *ledger.search_settings(base).await.unwrap(),
            SearchSettings::default()
        );
        for set in [synonyms("a, b"), synonyms("c, d")] {
            ledger.set_search_settings(base, &set).await.unwrap();
            let read = ledger.search_settings(base).await.unwrap();
            assert_eq!(*read, set);
            let again = ledger.search_settings(base).await.unwrap();
            assert!(Arc::ptr_eq(&read, &again), "it is kept");
        }
    }

    /// Two set it at once, and who commits first is told so last.
    #[tokio::test]
    async fn what_was_committed_last_is_in_force_whoever_comes_back_last() {
        let (_folder, ledger, base) = ledger_with_a_base().await;
        ledger
            .set_search_settings(base, &synonyms("first"))
            .await
            .unwrap();
        let done = ledger
            .tamper("UPDATE search_settings SET settings = '{\"synonyms\":\"second\"}'")
            .await;
        assert_eq!(done, 1);
        assert_eq!(*ledger.search_settings(base).await.unwrap(), synonyms("second"));
    }
}
