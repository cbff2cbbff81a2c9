//! Who is let in, and what is kept from whom.

use actix_web::http::Method;
use serde_json::json;

use super::fixture::{Fixture, Setup, request};

const LIST: &str = "/api/v1/knowledge-bases";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[actix_web::test]
async fn a_name_of_somebody_else_is_not_answered_to() {
    let fixture = Fixture::new().await;
    for path in ["/", LIST, "/api/docs/", "/metrics"] {
        let reply = fixture
            .call(request(Method::GET, path).insert_header(("host", "evil.example")))
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (403, "host_unknown"),
            "{path}"
        );
    }
    let probe = fixture
        .call(request(Method::GET, "/healthz").insert_header(("host", "10.0.0.1")))
        .await;
    assert_eq!(probe.status.as_u16(), 200);
}

#[actix_web::test]
async fn a_foreign_page_can_change_nothing() {
    let fixture = Fixture::new().await;
    let make = |origin: &'static str| {
        request(Method::POST, LIST)
            .insert_header(("origin", origin))
            .set_json(json!({"name": "x"}))
    };
    let foreign = fixture.call(make("https://evil.example")).await;
    assert_eq!(
        (foreign.status.as_u16(), foreign.code().as_str()),
        (403, "origin_foreign")
    );
    assert_eq!(
        fixture.call(make("http://localhost:8080")).await.status.as_u16(),
        201
    );
    let read = fixture
        .call(request(Method::GET, LIST).insert_header(("origin", "https://evil.example")))
        .await;
    assert_eq!(read.header("access-control-allow-origin"), None);
}

#[actix_web::test]
async fn every_call_needs_the_token_where_there_is_one() {
    let setup = Setup {
        token: Some(TOKEN),
        ..Setup::default()
    };
    let fixture = Fixture::with(setup).await;
    let document = fixture.get("/api/openapi.json").await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        if matches!(path.as_str(), "/healthz" | "/readyz") {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = fixture.call(request(method.clone(), path)).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code().as_str()),
                (401, "token_needed"),
                "{method} {path}"
            );
            assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"lectern\""));
        }
    }
    let wrong = request(Method::GET, LIST).insert_header(("authorization", "Bearer wrong"));
    assert_eq!(fixture.call(wrong).await.code(), "token_wrong");
    let right = request(Method::GET, LIST).insert_header(("authorization", format!("Bearer {TOKEN}")));
    assert_eq!(fixture.call(right).await.status.as_u16(), 200);
}

#[actix_web::test]
async fn only_this_machine_may_name_paths() {
    let setup = Setup {
        token: Some(TOKEN),
        ..Setup::default()
    };
    let fixture = Fixture::with(setup).await;
    let away = request(Method::POST, "/api/v1/knowledge-bases/handbook/ingestions")
        .peer_addr("192.0.2.7:5000".parse().unwrap())
        .insert_header(("authorization", format!("Bearer {TOKEN}")))
        .set_json(json!({"paths": ["/etc"]}));
    let reply = fixture.call(away).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (403, "paths_need_loopback")
    );
}

#[actix_web::test]
async fn what_a_document_says_is_kept_from_who_may_not_read_it() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let secret = json!({"title": "Salaries", "text": "The salary of the chair is 90000.", "acl": {"allow": ["group:board"]}});
    let id = fixture.push(&secret).await;

    let document = format!("/api/v1/knowledge-bases/handbook/documents/{id}");
    for path in [
        format!("{document}/text"),
        format!("{document}/passage?start=0&end=5"),
    ] {
        let reply = fixture.get(&path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (404, "document_has_no_text"),
            "{path}"
        );
    }
    for mode in ["hybrid", "vector", "lexical"] {
        let body = json!({"text": "salary of the chair", "mode": mode});
        let found = fixture
            .post("/api/v1/knowledge-bases/handbook/search", &body)
            .await;
        assert_eq!(found.json()["passages"], json!([]), "{mode}");
    }
    let asked = json!({"question": "What is the salary of the chair?", "stream": false});
    let answer = fixture
        .post("/api/v1/knowledge-bases/handbook/answers", &asked)
        .await;
    assert!(!answer.text.contains("90000"), "{}", answer.text);
    assert_eq!(answer.json()["sources"], json!([]));
}

#[actix_web::test]
async fn a_server_that_is_shutting_down_takes_nothing_new() {
    let fixture = Fixture::new().await;
    fixture.state.begin_shutdown();
    let reply = fixture.get(LIST).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (503, "shutting_down")
    );
    assert!(reply.header("retry-after").is_some());
    assert_eq!(fixture.get("/readyz").await.status.as_u16(), 503);
    assert_eq!(fixture.get("/healthz").await.status.as_u16(), 200);
}
