//! Jobs: begun by a request, done after it, watched, stopped, refused.

use std::path::Path;

use lectern_domain::JobState;
use lectern_ingest::{Cancellation, Progress};
use serde_json::{Value, json};

use super::fixture::{Fixture, Setup};
use crate::config::Config;
use crate::sources;

const BASE: &str = "/api/v1/knowledge-bases/handbook";
const INGESTIONS: &str = "/api/v1/knowledge-bases/handbook/ingestions";

async fn begin(fixture: &Fixture, folder: &Path) -> String {
    let begun = fixture.post(INGESTIONS, &json!({"paths": [folder]})).await;
    assert_eq!(begun.status.as_u16(), 202, "{}", begun.text);
    let id = begun.json()["job"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        begun.header("location"),
        Some(format!("{INGESTIONS}/{id}").as_str())
    );
    id
}

async fn ended(fixture: &Fixture, id: &str) -> Value {
    // The stream ends with the job.
    let events = fixture.get(&format!("{INGESTIONS}/{id}/events")).await;
    assert!(events.text.contains("event: done"), "{}", events.text);
    fixture.get(&format!("{INGESTIONS}/{id}")).await.json()["job"].clone()
}

#[actix_web::test]
async fn a_folder_is_read_by_a_job_that_can_be_watched() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples are red"), ("b.txt", "pears are green")]);
    let id = begin(&fixture, &folder).await;
    let job = ended(&fixture, &id).await;
    assert_eq!(
        (job["state"].as_str(), job["counts"]["new"].as_u64()),
        (Some("complete"), Some(2)),
        "{job}"
    );
    assert_eq!(
        (&job["reason"], job["attempts"].as_u64(), &job["progress"]),
        (&Value::Null, Some(1), &Value::Null)
    );
    assert_eq!(fixture.get(INGESTIONS).await.json()["jobs"][0]["id"], json!(id));

    let found = fixture
        .post(&format!("{BASE}/search"), &json!({"text": "green pears"}))
        .await;
    assert_eq!(found.json()["passages"][0]["text"], "pears are green");
}

#[actix_web::test]
async fn no_job_begins_without_its_models() {
    let setup = Setup {
        needs_models: true,
        ..Setup::default()
    };
    let fixture = Fixture::with(setup).await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let refused = fixture.post(INGESTIONS, &json!({"paths": [folder]})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "model_missing")
    );
    assert_eq!(fixture.get(INGESTIONS).await.json()["jobs"], json!([]));
}

/// Holds the right to write to the knowledge base with a job of another source, so that others wait.
async fn hold(fixture: &Fixture, folder: &Path) -> lectern_ingest::SyncRun {
    let lectern = &fixture.state.lectern;
    let base = lectern.ledger.knowledge_base("handbook").await.unwrap();
    let body = json!({"name": "held", "paths": [folder]});
    let made = fixture.post(&format!("{BASE}/sources"), &body).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let source = lectern.ledger.source(base.id, "held").await.unwrap();
    let connector = sources::open(&source).unwrap();
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    lectern
        .ingestion
        .begin_sync(&base, &source, connector, progress, cancel)
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_job_waits_for_its_turn_and_then_is_done() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let held = hold(&fixture, &folder).await;
    let id = begin(&fixture, &folder).await;
    assert_eq!(
        id,
        begin(&fixture, &folder).await,
        "one that waits is enough for a source"
    );
    let job = fixture.get(&format!("{INGESTIONS}/{id}")).await.json()["job"].clone();
    assert_eq!(
        (job["state"].as_str(), job["progress"]["state"].as_str()),
        (Some("queued"), Some("queued")),
        "{job}"
    );
    drop(held);
    assert_eq!(ended(&fixture, &id).await["state"], "complete");
}

#[actix_web::test]
async fn a_job_that_waits_is_stopped_at_once_and_for_good() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let held = hold(&fixture, &folder).await;
    let id = begin(&fixture, &folder).await;
    let stopped = fixture.delete(&format!("{INGESTIONS}/{id}")).await;
    assert_eq!(stopped.status.as_u16(), 202);
    assert_eq!(stopped.json()["job"]["state"], "stopped");
    assert!(
        stopped.json()["job"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("stopped:")
    );
    drop(held);
    let job = ended(&fixture, &id).await;
    assert_eq!(
        (job["state"].as_str(), job["attempts"].as_u64()),
        (Some("stopped"), Some(0)),
        "{job}"
    );
}

#[actix_web::test]
async fn no_more_jobs_wait_than_may() {
    let mut config = Config::default();
    config.ingestion.jobs_waiting = 1;
    let setup = Setup {
        config,
        ..Setup::default()
    };
    let fixture = Fixture::with(setup).await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples"), ("b.txt", "pears"), ("c.txt", "plums")]);
    // Nothing takes up what is queued: the jobs have no one who works on them.
    fixture.state.jobs.shut_down();
    begin(&fixture, &folder.join("a.txt")).await;
    begin(&fixture, &folder.join("a.txt")).await;
    let body = json!({"paths": [folder.join("b.txt")]});
    let refused = fixture.post(INGESTIONS, &body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "jobs_busy")
    );
    assert!(refused.header("retry-after").is_some());
}

#[actix_web::test]
async fn a_source_that_cannot_be_read_any_more_ends_its_job_with_the_reason() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let held = hold(&fixture, &folder).await;
    let id = begin(&fixture, &folder).await;
    std::fs::remove_dir_all(&folder).unwrap();
    drop(held);
    let job = ended(&fixture, &id).await;
    assert_eq!(job["state"], "failed", "{job}");
    assert!(
        job["reason"].as_str().unwrap().starts_with("path_not_found:"),
        "{job}"
    );
}

#[actix_web::test]
async fn a_shutdown_puts_jobs_down_and_a_watcher_is_told() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let folder = fixture.make_folder(&[("a.txt", "apples")]);
    let _held = hold(&fixture, &folder).await;
    let id = begin(&fixture, &folder).await;
    let path = format!("{INGESTIONS}/{id}/events");
    let (events, ()) = tokio::join!(fixture.get(&path), async {
        while fixture.state.jobs.progress(id.parse().unwrap()).is_none() {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        fixture.state.jobs.shut_down();
    });
    assert!(events.text.contains("job_put_down"), "{}", events.text);
    let job = fixture
        .state
        .lectern
        .ledger
        .job(id.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(job.state, JobState::Queued);
}
