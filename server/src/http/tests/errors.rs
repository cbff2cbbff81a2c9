//! Every mistake has its status, its code and the one shape.

use actix_web::http::Method;
use serde_json::json;

use super::fixture::{Fixture, request};
use crate::http::openapi;

#[actix_web::test]
async fn the_table_of_routes() {
    let fixture = Fixture::new().await;
    let document = fixture.get("/api/openapi.json").await.json();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    routes.sort();
    insta::assert_snapshot!(routes.join("\n"));
    assert_eq!(
        openapi::document().info.title,
        document["info"]["title"].as_str().unwrap()
    );
}

#[actix_web::test]
async fn mistakes_are_answered_in_one_shape() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let cases = [
        ("GET /nothing/here", None),
        ("GET /api/v1/nothing", None),
        ("PUT /api/v1/knowledge-bases", None),
        ("GET /api/v1/knowledge-bases/handbook/search", None),
        ("GET /api/v1/knowledge-bases/none", None),
        ("DELETE /api/v1/knowledge-bases/none", None),
        ("POST /api/v1/knowledge-bases", Some(json!({"name": "handbook"}))),
        (
            "POST /api/v1/knowledge-bases",
            Some(json!({"name": "Not A Name"})),
        ),
        (
            "POST /api/v1/knowledge-bases",
            Some(json!({"description": "no name"})),
        ),
        (
            "POST /api/v1/knowledge-bases",
            Some(json!({"name": "x", "nmae": "y"})),
        ),
        (
            "POST /api/v1/knowledge-bases/none/search",
            Some(json!({"text": "x"})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/search",
            Some(json!({"text": " "})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/search",
            Some(json!({"text": "x".repeat(100_000)})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/search",
            Some(json!({"text": "x", "limit": 0})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/search",
            Some(json!({"text": "x", "mode": "psychic"})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/search",
            Some(json!({"text": "x".repeat(300_000)})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/answers",
            Some(json!({"question": ""})),
        ),
        (
            "GET /api/v1/knowledge-bases/handbook/documents/00000000-0000-0000-0000-000000000001",
            None,
        ),
        (
            "GET /api/v1/knowledge-bases/handbook/documents/00000000-0000-0000-0000-000000000001/text",
            None,
        ),
        ("GET /api/v1/knowledge-bases/handbook/documents/not-an-id", None),
        ("GET /api/v1/knowledge-bases/handbook/documents?limit=many", None),
        ("GET /api/v1/knowledge-bases/handbook/documents?limit=0", None),
        ("GET /api/v1/knowledge-bases/handbook/documents?cursor=none", None),
        (
            "POST /api/v1/knowledge-bases/handbook/documents",
            Some(json!({"title": "no content"})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/ingestions",
            Some(json!({"paths": ["relative"]})),
        ),
        (
            "POST /api/v1/knowledge-bases/handbook/ingestions",
            Some(json!({"paths": ["/no/such/folder"]})),
        ),
        (
            "GET /api/v1/knowledge-bases/handbook/ingestions/00000000-0000-0000-0000-000000000001",
            None,
        ),
    ];
    let mut replies = Vec::new();
    for (asked, body) in cases {
        let (method, path) = asked.split_once(' ').unwrap();
        let mut case = request(method.parse().unwrap(), path);
        if let Some(body) = body {
            case = case.set_json(body);
        }
        let reply = fixture.call(case).await;
        replies.push(format!(
            "{asked}\n  {} {}",
            reply.status.as_u16(),
            reply.json()["error"]
        ));
    }
    insta::assert_snapshot!(replies.join("\n"));
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let fixture = Fixture::new().await;
    let reply = fixture
        .call(request(Method::PATCH, "/api/v1/knowledge-bases"))
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (405, Some("GET, POST"))
    );
}

#[actix_web::test]
async fn a_deep_body_is_refused() {
    let fixture = Fixture::new().await;
    fixture.make_knowledge_base().await;
    let deep = format!(
        "{{\"text\": \"x\", \"attributes\": {{\"a\": {}",
        "[".repeat(200_000)
    );
    let push = request(Method::POST, "/api/v1/knowledge-bases/handbook/documents")
        .insert_header(("content-type", "application/json"))
        .set_payload(deep);
    let reply = fixture.call(push).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (400, "body_not_json"),
        "{}",
        reply.text
    );
}

#[actix_web::test]
async fn a_body_that_is_no_json_says_where() {
    let fixture = Fixture::new().await;
    let broken = request(Method::POST, "/api/v1/knowledge-bases")
        .insert_header(("content-type", "application/json"))
        .set_payload("{\"name\":\n \"x\",}");
    insta::assert_snapshot!(fixture.call(broken).await.json()["error"]);
    let form = request(Method::POST, "/api/v1/knowledge-bases").set_form([("name", "x")]);
    let reply = fixture.call(form).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (415, "not_json"));
}
