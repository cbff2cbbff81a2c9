//! Folders, read by a job.

use lectern_ingest::{Cancellation, Progress};
use serde_json::json;

use super::fixture::Fixture;
use crate::http::error::ApiError;
use crate::http::routes::ingestions;

const INGESTIONS: &str = "/api/v1/knowledge-bases/handbook/ingestions";

#[actix_web::test]
async fn a_folder_is_read_by_a_job_that_can_be_watched() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples are red"), ("b.txt", "pears are green")]);
    // By hand, since the route first loads the embedding model.
    let base = fixture
        .state
        .lectern
        .ledger
        .knowledge_base("handbook")
        .await
        .unwrap();
    let task = ingestions::task(&fixture.state, base, vec![folder])
        .await
        .unwrap();
    let id = fixture
        .state
        .runs
        .start(&fixture.state, task)
        .await
        .unwrap()
        .id
        .to_string();

    let events = fixture.get(&format!("{INGESTIONS}/{id}/events")).await;
    assert!(events.text.contains("event: done"), "{}", events.text);
    let job = fixture.get(&format!("{INGESTIONS}/{id}")).await.json()["job"].clone();
    assert_eq!(
        (job["state"].as_str(), job["counts"]["new"].as_u64()),
        (Some("complete"), Some(2)),
        "{job}"
    );
    assert_eq!(fixture.get(INGESTIONS).await.json()["jobs"][0]["id"], json!(id));

    let found = fixture
        .post(
            "/api/v1/knowledge-bases/handbook/search",
            &json!({"text": "green pears"}),
        )
        .await;
    assert_eq!(found.json()["passages"][0]["text"], "pears are green");
}

#[actix_web::test]
async fn no_job_begins_without_its_models() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let refused = fixture.post(INGESTIONS, &json!({"paths": [folder]})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "model_missing")
    );
    assert_eq!(fixture.get(INGESTIONS).await.json()["jobs"], json!([]));
}

#[actix_web::test]
async fn one_job_at_a_time_writes_to_a_knowledge_base() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let base = fixture
        .state
        .lectern
        .ledger
        .knowledge_base("handbook")
        .await
        .unwrap();
    let task = async || {
        ingestions::task(&fixture.state, base.clone(), vec![folder.clone()])
            .await
            .unwrap()
    };
    let ingestion = &fixture.state.lectern.ingestion;
    let first = task().await;
    // Begun and not yet run: it holds the knowledge base for as long as the test wants.
    let held = ingestion
        .begin_sync(
            &base,
            &first.source,
            first.connector,
            Progress::new(),
            Cancellation::new(),
        )
        .await
        .unwrap();
    let error = fixture
        .state
        .runs
        .start(&fixture.state, task().await)
        .await
        .unwrap_err();
    assert_eq!(ApiError::from(error).code(), "job_running");
    drop(held);
    assert!(
        fixture
            .state
            .runs
            .start(&fixture.state, task().await)
            .await
            .is_ok()
    );
}
