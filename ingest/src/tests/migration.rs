//! A data folder of the first version goes on with this one.

use std::sync::Arc;

use lectern_domain::{JobState, KnowledgeBaseId, SourceId};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{SqlSafeStr, SqlitePool};
use uuid::Uuid;

use crate::{DocumentFilter, Ledger, SourceSettings, TextStore};

/// Opens a ledger as the first version made it.
async fn first_version(path: &std::path::Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let sql = include_str!("../../migrations/0001_ledger.sql").into_sql_str();
    let migration = Migration::new(1, "ledger".into(), MigrationType::Simple, sql, false);
    Migrator::with_migrations(vec![migration])
        .run(&pool)
        .await
        .unwrap();
    pool
}

#[tokio::test]
async fn jobs_sources_and_documents_of_the_first_version_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let base = KnowledgeBaseId(Uuid::from_u128(1));
    let source = SourceId::derive(base, "shelf");
    let [job, lost, document, found] = [3, 4, 5, 6].map(Uuid::from_u128);
    let pool = first_version(&path).await;
    let statements = [
        "INSERT INTO knowledge_bases (id, name, description, embedding_model, dimensions, created_at)
         VALUES ($1, 'library', '', 'two-numbers', 2, 1)",
        "INSERT INTO sources (id, knowledge_base, name, kind, config, default_access, created_at)
         VALUES ($2, $1, 'shelf', 'shelf', '{}', '{\"allow\":[],\"deny\":[]}', 1)",
        "INSERT INTO jobs (id, knowledge_base, source, state, started_at, ended_at, scanned, new)
         VALUES ($3, $1, $2, 'complete', 7000, 8000, 5, 5)",
        "INSERT INTO jobs (id, knowledge_base, source, state, started_at) VALUES ($4, $1, $2, 'running', 9000)",
        "INSERT INTO documents (id, knowledge_base, source, document_key, uri, title, media_type, size_bytes,
                                status, acl)
         VALUES ($5, $1, $2, 'a.txt', 'shelf:a.txt', 'a', 'text/plain', 1, 'failed', '{\"allow\":[],\"deny\":[]}')",
        "INSERT INTO documents (id, knowledge_base, source, document_key, uri, title, media_type, size_bytes,
                                status, acl, current_version, chunk_count)
         VALUES ($6, $1, $2, 'b.txt', 'shelf:b.txt', 'b', 'text/plain', 1, 'indexed',
                 '{\"allow\":[],\"deny\":[]}', 1, 12)",
        "INSERT INTO versions (document, version, knowledge_base, state, text_hash, staged_at)
         VALUES ($6, 1, $1, 'current', X'00', 1)",
    ];
    for statement in statements {
        let mut query = sqlx::query(statement);
        let last = (1..=6)
            .filter(|n| statement.contains(&format!("${n}")))
            .max()
            .unwrap_or(0);
        for id in [base.0, source.0, job, lost, document, found]
            .into_iter()
            .take(last)
        {
            query = query.bind(id);
        }
        query.execute(&pool).await.unwrap();
    }
    pool.close().await;

    let texts = Arc::new(TextStore::open(folder.path()).unwrap());
    let ledger = Ledger::open(&path, texts).await.unwrap();
    let jobs = ledger.jobs(base).await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!((jobs[1].state, jobs[1].counts.new), (JobState::Complete, 5));
    assert_eq!(jobs[1].requested_at.timestamp_millis(), 7000);
    assert_eq!(
        (jobs[1].started_at, jobs[1].attempts),
        (Some(jobs[1].requested_at), 1)
    );
    let known = ledger.source(base, "shelf").await.unwrap();
    assert_eq!((known.id, known.settings), (source, SourceSettings::default()));
    let filter = DocumentFilter::default();
    let documents = ledger.documents(base, filter, None, 10).await.unwrap();
    assert_eq!(documents.items[0].attempts, 0);

    let library = ledger.knowledge_base("library").await.unwrap();
    assert_eq!((library.document_count, library.chunk_count), (1, 12));
    let share = ledger.embedded_share(base).await.unwrap();
    assert_eq!((share.documents, share.of), (1, 1));

    // The job that was running goes on.
    assert_eq!(ledger.requeue_interrupted_jobs(base).await.unwrap(), 1);
    assert_eq!(ledger.queued_jobs().await.unwrap()[0].id.0, lost);
}
