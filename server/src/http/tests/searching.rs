//! What is asked of a search besides words, over the API: every feature once, and its mistakes.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fixture::{Fixture, request};

const SEARCH: &str = "/api/v1/knowledge-bases/handbook/search";
const SETTINGS: &str = "/api/v1/knowledge-bases/handbook/search-settings";

/// Six documents about leave by two authors, one a month, and one that the operator may not read.
async fn handbook() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    for month in 1..=6 {
        let document = json!({
            "key": format!("leave-{month}.md"),
            "title": format!("Leave in month {month}"),
            "text": format!("Parental leave in month {month} is {month}0 days long."),
            "attributes": {
                "author": if month % 3 == 0 { "Bo" } else { "Ada" },
                "month": month,
                "approved": format!("2026-0{month}-01T00:00:00Z"),
            },
        });
        fixture.push(&document).await;
    }
    let secret = json!({
        "key": "secret.md", "title": "Leave of the chair", "text": "Parental leave of the chair is unbounded.",
        "attributes": {"author": "Cy", "month": 7}, "acl": {"allow": ["group:board"]},
    });
    fixture.push(&secret).await;
    fixture
}

async fn search(fixture: &Fixture, body: Value) -> Value {
    let reply = fixture.post(SEARCH, &body).await;
    assert_eq!(reply.status, StatusCode::OK, "{body}: {}", reply.text);
    reply.json()
}

fn months(found: &Value) -> Vec<u64> {
    let passages = found["passages"].as_array().unwrap().iter();
    passages
        .map(|passage| passage["attributes"]["month"].as_f64().unwrap() as u64)
        .collect()
}

#[actix_web::test]
async fn a_filter_an_order_and_facets() {
    let fixture = handbook().await;
    let found = search(
        &fixture,
        json!({
            "text": "parental leave",
            "filter": {"and": [{"range": {"attribute": "approved", "at_least": "2026-02-01"}},
                               {"equals": {"attribute": "author", "value": "Ada"}}]},
            "sort": [{"attribute": "month", "descending": true}],
            "facets": [{"attribute": "author", "limit": 5}, {"attribute": "source", "limit": 5}],
        }),
    )
    .await;
    assert_eq!(months(&found), [5, 4, 2]);
    assert_eq!(
        found["facets"][0],
        json!({"attribute": "author", "values": [{"value": "Ada", "documents": 3}], "other_values": 0})
    );
    let browsed = search(&fixture, json!({"facets": [{"attribute": "author", "limit": 5}]})).await;
    assert_eq!(
        months(&browsed),
        [1, 2, 3, 4, 5, 6],
        "all that may be read, by path"
    );
    let counted = &browsed["facets"][0]["values"];
    assert_eq!(
        counted,
        &json!([{"value": "Ada", "documents": 4}, {"value": "Bo", "documents": 2}])
    );
}

#[actix_web::test]
async fn pages_marks_and_explanations() {
    let fixture = handbook().await;
    let mut body = json!({"text": "parental leave", "limit": 4, "highlights": true, "explain": true});
    let first = search(&fixture, body.clone()).await;
    body["cursor"] = first["next"].clone();
    let second = search(&fixture, body).await;
    let mut all = [months(&first), months(&second)].concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        (second.get("next"), &second["query_id"]),
        (None, &first["query_id"])
    );

    let passage = &first["passages"][0];
    let (text, mark) = (passage["text"].as_str().unwrap(), &passage["highlights"][0]);
    let place = |name: &str| mark[name].as_u64().unwrap() as usize;
    assert_eq!(&text[place("start")..place("end")], "Parental");
    assert!(passage["explanation"]["words_rank"].as_u64().is_some());
    assert!(first["timings"]["total_ms"].as_f64().is_some());
}

#[actix_web::test]
async fn operators_suggestions_and_spellings() {
    let fixture = handbook().await;
    let phrase = search(&fixture, json!({"text": "leave +\"month 3\""})).await;
    assert_eq!(months(&phrase), [3]);
    let by_author = search(&fixture, json!({"text": "leave author:Bo"})).await;
    assert_eq!(months(&by_author).len(), 2);
    let misspelt = search(&fixture, json!({"text": "parentel leave"})).await;
    assert_eq!(misspelt["spelling"]["text"], "parental leave");
    let suggested = fixture
        .get("/api/v1/knowledge-bases/handbook/suggestions?text=leave%20in&limit=3")
        .await
        .json();
    assert_eq!(suggested["suggestions"].as_array().unwrap().len(), 3);
    let secret = fixture
        .get("/api/v1/knowledge-bases/handbook/suggestions?text=leave%20of")
        .await;
    assert!(!secret.text.contains("chair"), "{}", secret.text);
    let phrases = async |typed: &str| {
        let uri = format!("/api/v1/knowledge-bases/handbook/suggestions?text={typed}");
        fixture.get(&uri).await.json()["suggestions"].clone()
    };
    assert_eq!(
        phrases("parental%20leave%20i").await,
        json!([{
            "kind": "phrase", "text": "Parental leave in month",
            "highlights": [{"start": 0, "end": 8}, {"start": 9, "end": 14}, {"start": 15, "end": 16}],
        }])
    );
    assert_eq!(phrases("parental%20leave%20of").await, json!([]), "of the chair");
}

#[actix_web::test]
async fn settings_are_kept_and_the_next_search_goes_by_them() {
    let fixture = handbook().await;
    assert_eq!(fixture.get(SETTINGS).await.json()["synonyms"], "");
    let settings = json!({
        "synonyms": "time off => leave",
        "tuning": {"numbers": [{"attribute": "month", "half": 1.0, "weight": 10.0}]},
        "featured": [{"queries": ["Time off"], "documents": ["leave-2.md", "secret.md"]}],
        "questions": [{"questions": ["How long is it?"], "answer": "Ask the board.", "readers": {"allow": ["everyone"]}}],
    });
    let put = |body: &Value| request(Method::PUT, SETTINGS).set_json(body);
    assert_eq!(fixture.call(put(&settings)).await.status, StatusCode::OK);
    let found = search(&fixture, json!({"text": "time off", "mode": "lexical"})).await;
    assert_eq!(months(&found)[0], 6);
    let featured = found["featured"].as_array().unwrap();
    assert_eq!(featured.len(), 1);
    assert_eq!(featured[0]["title"], "Leave in month 2");
    let asked = search(&fixture, json!({"text": "how long is it", "answer": true})).await;
    assert_eq!(
        (&asked["answer"]["kind"], &asked["answer"]["text"]),
        (&json!("frequent"), &json!("Ask the board."))
    );

    for (wrong, code) in [
        (
            json!({"tuning": {"values": [{"attribute": "a", "value": "b", "weight": 99}]}}),
            "settings_invalid",
        ),
        (json!({"synonyms": "a => b => c"}), "synonyms_invalid"),
        (json!({"synonym": ""}), "body_invalid"),
    ] {
        let reply = fixture.call(put(&wrong)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::BAD_REQUEST, code),
            "{wrong}"
        );
    }
}

#[actix_web::test]
async fn mistakes_are_told_from_each_other() {
    let fixture = handbook().await;
    for (body, status, code) in [
        (json!({"text": " "}), 400, "question_empty"),
        (
            json!({"text": "x", "filter": {"equals": {"attribute": "", "value": 1}}}),
            400,
            "filter_invalid",
        ),
        (json!({"text": "x", "filter": {"equal": {}}}), 400, "body_invalid"),
        (
            json!({"text": "x", "facets": [{"attribute": "a", "limit": 0}]}),
            400,
            "facet_invalid",
        ),
        (
            json!({"text": "x", "tuning": {"freshness": {"half_life_days": 0, "weight": 1}}}),
            400,
            "tuning_invalid",
        ),
        (json!({"text": "x", "cursor": "next"}), 400, "cursor_invalid"),
        (
            json!({"cursor": "00000000000000000000000000000007.10"}),
            404,
            "cursor_expired",
        ),
    ] {
        let reply = fixture.post(SEARCH, &body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (status, code),
            "{body}"
        );
    }
}
