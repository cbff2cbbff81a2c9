//! Every failure over HTTP has one shape: a status, a stable code, a message that names the thing.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::harness::server::send;
use crate::harness::{Server, Workplace, handbook, models};

#[test]
fn what_is_not_there_is_told_by_name() {
    let handbook = handbook();
    let server = &handbook.server;
    server
        .get("/api/v1/nothing")
        .fails(404, "route_not_found", "/api/v1/nothing");
    server
        .get("/nothing.php")
        .fails(404, "route_not_found", "/nothing.php");
    server
        .get("/knowledge-bases/nowhere")
        .fails(404, "kb_not_found", "nowhere");
    server
        .get("/knowledge-bases/nowhere/documents")
        .fails(404, "kb_not_found", "nowhere");
    server
        .delete("/knowledge-bases/nowhere")
        .fails(404, "kb_not_found", "nowhere");
    let unknown = "01890000-0000-7000-8000-000000000000";
    let document = handbook.path(&format!("documents/{unknown}"));
    server.get(&document).fails(404, "document_not_found", unknown);
    server
        .get(&format!("{document}/text"))
        .fails(404, "document_not_found", unknown);
    server.delete(&document).fails(404, "document_not_found", unknown);
    server
        .get(&handbook.path(&format!("ingestions/{unknown}")))
        .fails(404, "job_not_found", unknown);
    server
        .get(&handbook.path("documents/not-an-id"))
        .fails(400, "path_invalid", "not-an-id");
}

#[test]
fn a_wrong_method_is_told_which_are_right() {
    let server = &handbook().server;
    let reply = send(server.request(Method::PUT, "/knowledge-bases").json(&json!({})));
    let reply = reply.fails(405, "method_not_allowed", "PUT");
    let allowed: Vec<&str> = reply.header("allow").split(", ").collect();
    assert!(
        allowed.contains(&"GET") && allowed.contains(&"POST") && !allowed.contains(&"PUT"),
        "{allowed:?}"
    );
}

#[test]
fn a_body_that_cannot_be_read_is_told_why() {
    let handbook = handbook();
    let path = handbook.path("search");
    let post = |media_type: &str, body: &str| {
        let request = handbook
            .server
            .request(Method::POST, &path)
            .header(CONTENT_TYPE, media_type);
        send(request.body(body.to_owned()))
    };
    post("application/json", "{\"text\": oops}").fails(400, "body_not_json", "line 1");
    post("application/json", "").fails(400, "body_not_json", "line 1");
    post("application/json", "{\"txt\": \"leave\"}").fails(400, "body_invalid", "txt");
    post("application/json", "{\"text\": 7}").fails(400, "body_invalid", "string");
    post("application/json", "{\"text\": \"a\", \"mode\": \"psychic\"}").fails(
        400,
        "body_invalid",
        "psychic",
    );
    post("application/json", &"[".repeat(200_000)).fails(400, "body_invalid", "sequence");
    post("application/json", &format!("\"{}\"", "x".repeat(300_000))).fails(413, "body_too_large", "262144");
    post("text/plain", "{\"text\": \"leave\"}").fails(415, "not_json", "text/plain");
    post("application/x-www-form-urlencoded", "text=leave").fails(415, "not_json", "form");
    handbook
        .server
        .get(&handbook.path("documents?limit=many"))
        .fails(400, "query_invalid", "query");
    handbook
        .server
        .get(&handbook.path("documents?status=lost"))
        .fails(400, "query_invalid", "lost");
    handbook
        .server
        .get(&handbook.path("documents?cursor=%00"))
        .fails(400, "cursor_invalid", "cursor");
}

#[test]
fn names_and_pushes_that_break_a_rule_are_refused() {
    let lectern = Workplace::new();
    let server = Server::start(&lectern);
    let create = |name: &str| server.post("/knowledge-bases", &json!({ "name": name }));
    create("papers").is(201);
    create("papers").fails(409, "kb_exists", "papers");
    for name in ["", "Papers", "a b", "../up", &"x".repeat(65)] {
        create(name).fails(400, "kb_name_invalid", name);
    }
    let with_embedder = |name: &str, model: &str| {
        let body = json!({ "name": name, "embedding_model": model });
        server.post("/knowledge-bases", &body)
    };
    with_embedder("books", "gpt").fails(400, "embedder_unknown", "multilingual-e5-small-int8");
    let made = with_embedder("books", models::FLOAT_EMBEDDER).is(201).json();
    assert_eq!(made["embedding_model"], models::FLOAT_EMBEDDER);
    if !models::folder().join("multilingual-e5-small-int8").exists() {
        let refused = with_embedder("more", "multilingual-e5-small-int8");
        refused.fails(503, "model_missing", "models pull multilingual-e5");
    }

    let push = |body: serde_json::Value| server.post("/knowledge-bases/papers/documents", &body);
    push(json!({ "title": "neither" })).fails(400, "push_invalid", "content_base64");
    push(json!({ "text": "a", "content_base64": "YQ==" })).fails(400, "push_invalid", "either");
    push(json!({ "content_base64": "no base64!" })).fails(400, "push_invalid", "base64");
    push(json!({ "text": "a", "acl": { "allow": ["somebody"] } })).fails(400, "body_invalid", "somebody");
    let jobs = "/knowledge-bases/papers/ingestions";
    server
        .post(jobs, &json!({ "paths": [] }))
        .fails(400, "paths_invalid", "no path");
    server
        .post(jobs, &json!({ "paths": ["relative"] }))
        .fails(400, "paths_invalid", "relative");
    server
        .post(jobs, &json!({ "paths": ["/no/such/place"] }))
        .fails(404, "path_not_found", "/no/such/place");

    // What can't be read is a document's failure, not the request's.
    let failed = send(
        server
            .request(Method::POST, "/knowledge-bases/papers/documents?wait=true")
            .json(&json!({ "key": "bad.pdf", "content_base64": "JVBERi0xLjQKJSVFT0Y=" })),
    );
    let document = failed.is(200).json()["document"].clone();
    assert_eq!(document["status"], "failed", "{document:#}");
    assert!(
        document["reason"].as_str().unwrap().starts_with("pdf_damaged"),
        "{document:#}"
    );
}

#[test]
fn a_document_is_pushed_shown_replaced_and_removed() {
    let lectern = Workplace::new();
    let server = Server::start(&lectern);
    server
        .post("/knowledge-bases", &json!({ "name": "papers" }))
        .is(201);
    let push = |text: &str| {
        let request = server.request(Method::POST, "/knowledge-bases/papers/documents?wait=true");
        send(request.json(&json!({ "key": "memo", "title": "Memo", "text": text })))
    };
    let found = |text: &str| {
        let body = json!({ "text": text, "mode": "lexical" });
        let found = server
            .post("/knowledge-bases/papers/search", &body)
            .is(200)
            .json();
        found["passages"].as_array().unwrap().len()
    };
    let first = push("The gong sounds at noon.").is(200);
    let id = first.json()["document"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        first.header("location"),
        format!("/api/v1/knowledge-bases/papers/documents/{id}")
    );
    assert_eq!(found("gong"), 1);

    let second = push("The whistle sounds at noon.").is(200).json();
    assert_eq!(
        second["document"]["id"],
        id.as_str(),
        "the same key is the same document"
    );
    assert_eq!((found("gong"), found("whistle")), (0, 1));
    let path = format!("/knowledge-bases/papers/documents/{id}");
    let text = server.get(&format!("{path}/text")).is(200).json();
    assert_eq!(text["text"], "The whistle sounds at noon.");

    server.delete(&path).is(204);
    assert_eq!(found("whistle"), 0);
    server.get(&path).fails(404, "document_not_found", &id);
    server.delete(&path).fails(404, "document_not_found", &id);
    server.kill();
    lectern.assert_sound();
}
