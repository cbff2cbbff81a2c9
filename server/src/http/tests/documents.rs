//! A document's life over the API.

use actix_web::http::{Method, StatusCode};
use serde_json::json;

use super::fixture::{Fixture, Setup, request};
use crate::http::limits::Limits;

const DOCUMENTS: &str = "/api/v1/knowledge-bases/handbook/documents";
const SEARCH: &str = "/api/v1/knowledge-bases/handbook/search";

#[actix_web::test]
async fn a_document_is_pushed_found_shown_changed_and_removed() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let text = "Parental leave is 20 weeks. <script>alert(1)</script>";
    let id = fixture
        .push(&json!({"key": "leave", "title": "Leave", "text": text}))
        .await;

    let question = json!({"text": "how long is parental leave"});
    let found = fixture.post(SEARCH, &question).await.json();
    let passage = &found["passages"][0];
    assert_eq!(
        (passage["document"].as_str(), passage["text"].as_str()),
        (Some(id.as_str()), Some(text))
    );
    assert!(
        passage["score"]
            .as_f64()
            .is_some_and(|score| (0.0..=1.0).contains(&score))
    );

    let shown = fixture.get(&format!("{DOCUMENTS}/{id}/text")).await.json();
    assert_eq!(shown["text"].as_str(), Some(text));
    let (start, end) = (
        passage["span"]["start"].as_u64().unwrap(),
        passage["span"]["end"].as_u64().unwrap(),
    );
    let marked = fixture
        .get(&format!("{DOCUMENTS}/{id}/passage?start={start}&end={end}"))
        .await
        .json();
    let html = marked["html"].as_str().unwrap();
    assert!(
        html.contains("<mark id=\"passage\"") && !html.contains("<script"),
        "{html}"
    );
    let beyond = fixture
        .get(&format!("{DOCUMENTS}/{id}/passage?start=0&end=9999"))
        .await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.code().as_str()),
        (400, "span_invalid")
    );

    let again = fixture
        .push(&json!({"key": "leave", "text": "Parental leave is 30 weeks."}))
        .await;
    assert_eq!(again, id);
    let found = fixture.post(SEARCH, &question).await.json();
    assert_eq!(found["passages"].as_array().unwrap().len(), 1);
    assert_eq!(found["passages"][0]["text"], "Parental leave is 30 weeks.");

    assert_eq!(
        fixture.delete(&format!("{DOCUMENTS}/{id}")).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        fixture.get(&format!("{DOCUMENTS}/{id}")).await.code(),
        "document_not_found"
    );
    assert_eq!(
        fixture.post(SEARCH, &question).await.json()["passages"],
        json!([])
    );
}

#[actix_web::test]
async fn a_push_is_accepted_before_it_is_indexed() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let reply = fixture
        .post(DOCUMENTS, &json!({"key": "a", "text": "words"}))
        .await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let document = reply.json()["document"].clone();
    assert_eq!(document["status"], "pending");
    let id = document["id"].as_str().unwrap();
    assert_eq!(
        reply.header("location"),
        Some(format!("{DOCUMENTS}/{id}").as_str())
    );
}

#[actix_web::test]
async fn a_list_goes_on_where_its_page_ended() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    for key in ["a", "b", "c"] {
        fixture
            .push(&json!({"key": key, "text": format!("the text of {key}")}))
            .await;
    }
    let first = fixture
        .get(&format!("{DOCUMENTS}?limit=2&status=indexed"))
        .await
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = fixture
        .get(&format!("{DOCUMENTS}?limit=2&cursor={cursor}"))
        .await
        .json();
    let keys: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page["documents"].as_array().unwrap())
        .map(|document| document["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert!(second["next_cursor"].is_null());
}

#[actix_web::test]
async fn documents_are_received_a_few_at_a_time_and_within_their_size() {
    let limits = Limits {
        document_bytes: 1_000,
        concurrent_pushes: 1,
        ..Limits::default()
    };
    let fixture = Fixture::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    fixture.make_knowledge_base().await;
    let large = fixture.post(DOCUMENTS, &json!({"text": "x".repeat(1_001)})).await;
    assert_eq!(
        (large.status.as_u16(), large.code().as_str()),
        (413, "document_too_large")
    );
    let declared = request(Method::POST, DOCUMENTS)
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", "1000000000"));
    assert_eq!(fixture.call(declared).await.code(), "body_too_large");

    let place = fixture.state.receiving.clone().try_acquire_owned().unwrap();
    let refused = fixture.post(DOCUMENTS, &json!({"text": "x"})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "push_busy")
    );
    assert!(refused.header("retry-after").is_some());
    drop(place);
    assert_eq!(
        fixture.post(DOCUMENTS, &json!({"text": "x"})).await.status,
        StatusCode::ACCEPTED
    );
}

#[actix_web::test]
async fn a_knowledge_base_goes_with_its_documents() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    fixture.push(&json!({"text": "words"})).await;
    let shown = fixture.get("/api/v1/knowledge-bases/handbook").await.json();
    assert_eq!(
        (shown["document_count"].as_u64(), shown["chunk_count"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(
        fixture.delete("/api/v1/knowledge-bases/handbook").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        fixture.get("/api/v1/knowledge-bases/handbook").await.code(),
        "kb_not_found"
    );
    assert_eq!(
        fixture.get("/api/v1/knowledge-bases").await.json()["knowledge_bases"],
        json!([])
    );
}
