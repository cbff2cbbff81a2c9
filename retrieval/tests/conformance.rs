//! All indexes keep the promises of the conformance suite, on the real engines.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use lectern_domain::ports::ChunkIndex;
use lectern_retrieval::conformance::{chunk_index_suite, documents_suite, filter_suite, survives_reopening};
use lectern_retrieval::{EdgeVectors, ServerVectors, ServerVectorsConfig, TantivyWords};

const DIMENSIONS: usize = 8;

fn edge(directory: &Path) -> Arc<dyn ChunkIndex> {
    Arc::new(EdgeVectors::open(directory, DIMENSIONS).unwrap())
}

fn words(directory: &Path) -> Arc<dyn ChunkIndex> {
    Arc::new(TantivyWords::open(directory).unwrap())
}

#[tokio::test]
async fn the_engine_in_this_process_conforms() {
    let directory = tempfile::tempdir().unwrap();
    chunk_index_suite(edge(directory.path()), DIMENSIONS)
        .await
        .unwrap();
    filter_suite(edge(directory.path()), DIMENSIONS).await.unwrap();
    documents_suite(edge(directory.path()), DIMENSIONS).await.unwrap();
    survives_reopening(|| edge(directory.path()), DIMENSIONS)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_index_of_words_conforms() {
    let directory = tempfile::tempdir().unwrap();
    chunk_index_suite(words(directory.path()), DIMENSIONS)
        .await
        .unwrap();
    filter_suite(words(directory.path()), DIMENSIONS).await.unwrap();
    survives_reopening(|| words(directory.path()), DIMENSIONS)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_qdrant_server_conforms() {
    let Ok(url) = std::env::var("LECTERN_TEST_QDRANT_URL") else {
        println!("SKIPPED: no Qdrant server (set LECTERN_TEST_QDRANT_URL to its gRPC address)");
        return;
    };
    let config = ServerVectorsConfig {
        url,
        api_key: None,
        collection: format!("lectern-conformance-{}", std::process::id()),
    };
    let server = ServerVectors::connect(config.clone(), DIMENSIONS).await.unwrap();
    chunk_index_suite(Arc::new(server), DIMENSIONS).await.unwrap();
    let again = ServerVectors::connect(config.clone(), DIMENSIONS).await.unwrap();
    filter_suite(Arc::new(again.clone()), DIMENSIONS).await.unwrap();
    documents_suite(Arc::new(again.clone()), DIMENSIONS)
        .await
        .unwrap();
    survives_reopening(|| Arc::new(again.clone()), DIMENSIONS)
        .await
        .unwrap();
    let error = ServerVectors::connect(config, DIMENSIONS + 1).await.unwrap_err();
    assert_eq!(error.code(), "dimension_mismatch");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // A port that was just free, on this machine.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = ServerVectorsConfig {
        url: format!("http://127.0.0.1:{port}"),
        api_key: Some("secret".to_owned()),
        collection: "any".to_owned(),
    };
    assert!(!format!("{config:?}").contains("secret"));
    let error = ServerVectors::connect(config, DIMENSIONS).await.unwrap_err();
    assert_eq!(error.code(), "vector_server_unavailable");
}
