//! Feedback and the report over HTTP.

use actix_web::http::Method;
use lectern_domain::KnowledgeBaseId;
use lectern_retrieval::SearchMode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Fixture, request};
use crate::analytics::{QueryKind, SearchNote};

const BASE: &str = "/api/v1/knowledge-bases/handbook";

async fn with_leave() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    fixture
        .push(&json!({"key": "leave", "title": "Leave", "text": "Parental leave is 20 weeks long."}))
        .await;
    fixture
        .push(&json!({"key": "pay", "title": "Pay", "text": "The pay of the board.", "acl": {"allow": ["group:board"]}}))
        .await;
    fixture
}

async fn ask(fixture: &Fixture, question: &str) -> Value {
    let asked = json!({"question": question, "stream": false});
    fixture.post(&format!("{BASE}/answers"), &asked).await.json()
}

async fn say(fixture: &Fixture, query: &Value, items: Value) -> super::fixture::Reply {
    let body = json!({"query_id": query, "items": items});
    fixture.post(&format!("{BASE}/feedback"), &body).await
}

async fn total(fixture: &Fixture) -> Value {
    fixture.get(&format!("{BASE}/analytics")).await.json()["total"].clone()
}

#[actix_web::test]
async fn a_click_is_counted_with_its_question_and_its_document() {
    let fixture = with_leave().await;
    let answer = ask(&fixture, "How long is parental leave?").await;
    ask(&fixture, "Zebra quantum xylophone?").await;
    let query = &answer["query_id"];
    let click = json!([{"chunk": answer["sources"][0]["chunk"], "kind": "click"}]);
    for counted in [1, 0] {
        let receipt = say(&fixture, query, click.clone()).await.json();
        assert_eq!(receipt, json!({"counted": counted, "unknown": []}));
    }
    let report = fixture.get(&format!("{BASE}/analytics?kind=answer")).await.json();
    let total = &report["total"];
    for (name, expected) in [("searches", 2), ("answers", 2), ("users", 1), ("with_click", 1)] {
        assert_eq!(total[name], expected, "{name}: {report:#}");
    }
    assert_eq!(report["days"].as_array().unwrap().len(), 30);
    assert_eq!(report["days"][29]["searches"], 2);
    assert_eq!(report["keep_days"], 90);
    let opened = &report["top_documents"];
    assert_eq!(opened.as_array().unwrap().len(), 1);
    assert_eq!(
        (&opened[0]["title"], &opened[0]["clicks"]),
        (&json!("Leave"), &json!(1))
    );
    assert_eq!(opened[0]["document"], answer["sources"][0]["document"]);
    let unanswered = &report["top_without_results"];
    assert_eq!(unanswered[0]["text"], "Zebra quantum xylophone?", "{report:#}");
    let searches = fixture.get(&format!("{BASE}/analytics?kind=search")).await.json();
    assert_eq!(searches["total"]["searches"], 0);
}

#[actix_web::test]
async fn what_a_caller_may_not_read_counts_nothing_and_is_as_unknown_as_what_is_not_there() {
    let fixture = with_leave().await;
    let answer = ask(&fixture, "How long is parental leave?").await;
    let documents = fixture.get(&format!("{BASE}/documents")).await.json();
    let hidden = documents["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|document| document["title"] == "Pay");
    let hidden: Uuid = hidden.unwrap()["id"].as_str().unwrap().parse().unwrap();
    let chunk = lectern_domain::ChunkId::derive(
        lectern_domain::DocumentId(hidden),
        lectern_domain::Version::FIRST,
        0,
    );
    let nowhere = Uuid::from_u128(1);
    let items = json!([{"chunk": chunk, "kind": "click"}, {"chunk": nowhere, "kind": "relevant"}]);
    let receipt = say(&fixture, &answer["query_id"], items).await.json();
    assert_eq!(receipt, json!({"counted": 0, "unknown": [chunk, nowhere]}));
    assert_eq!(total(&fixture).await["with_click"], 0);
}

#[actix_web::test]
async fn feedback_that_means_nothing_is_refused() {
    let fixture = with_leave().await;
    let answer = ask(&fixture, "How long is parental leave?").await;
    let (query, click) = (
        &answer["query_id"],
        json!({"chunk": answer["sources"][0]["chunk"], "kind": "click"}),
    );
    let base = fixture.get(BASE).await.json()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let of_another = Uuid::now_v7();
    fixture.state.lectern.analytics.note_search(SearchNote {
        query_id: of_another,
        knowledge_base: KnowledgeBaseId(base),
        text: "mine".to_owned(),
        user: Some("ada".to_owned()),
        kind: QueryKind::Search,
        mode: SearchMode::Hybrid,
        results: 1,
        relevant: true,
        took_ms: 1.0,
    });
    for (query, items, status, code) in [
        (query, json!([]), 400, "feedback_invalid"),
        (query, json!(vec![click.clone(); 101]), 400, "feedback_invalid"),
        (
            query,
            json!([{"chunk": click["chunk"], "kind": "laughed"}]),
            400,
            "body_invalid",
        ),
        (
            &json!(Uuid::now_v7()),
            json!([click.clone()]),
            404,
            "query_not_found",
        ),
        (&json!(of_another), json!([click.clone()]), 404, "query_not_found"),
    ] {
        let reply = say(&fixture, query, items).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (status, code),
            "{}",
            reply.text
        );
    }
    for (query, code) in [
        ("from=2026-01-01&to=2025-01-01", "range_invalid"),
        ("from=2020-01-01", "range_invalid"),
        ("from=yesterday", "query_invalid"),
        ("limit=0", "limit_out_of_range"),
        ("day=1", "query_invalid"),
    ] {
        let reply = fixture.get(&format!("{BASE}/analytics?{query}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (400, code),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn a_person_is_erased_by_name_and_a_knowledge_base_takes_its_questions_along() {
    let fixture = with_leave().await;
    let answer = ask(&fixture, "How long is parental leave?").await;
    let click = json!([{"chunk": answer["sources"][0]["chunk"], "kind": "click"}]);
    say(&fixture, &answer["query_id"], click).await;
    let erase = |user: &str| request(Method::DELETE, &format!("/api/v1/analytics/users/{user}"));
    let nobody = fixture.call(erase("ada")).await.json();
    assert_eq!(nobody, json!({"searches": 0, "feedback": 0}));
    assert_eq!(total(&fixture).await["searches"], 1);
    let erased = fixture.call(erase("operator")).await.json();
    assert_eq!(erased, json!({"searches": 1, "feedback": 1}));
    assert_eq!(total(&fixture).await["searches"], 0);

    ask(&fixture, "How long is parental leave?").await;
    let base = fixture.get(BASE).await.json()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(fixture.delete(BASE).await.status.as_u16(), 204);
    let left = fixture
        .state
        .lectern
        .analytics
        .erase_user("operator")
        .await
        .unwrap();
    assert_eq!(
        left.searches,
        0,
        "the questions of {base:?} are still there",
        base = KnowledgeBaseId(base)
    );
}
