//! Who is let in: the operator of this machine, whoever has the token, and no page from elsewhere.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HOST, ORIGIN};
use serde_json::json;

use crate::harness::server::send;
use crate::harness::{Outcome, Server, Workplace, handbook};

const TOKEN: &str = "correct-horse-battery-staple-0123456789";

#[test]
fn a_server_with_a_token_asks_every_api_call_for_it() {
    let lectern = Workplace::new();
    let server = Server::start_with_token(&lectern, TOKEN);
    server.get("/knowledge-bases").is(200);
    server.get("/metrics").is(200);

    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address());
    for path in [
        "/api/v1/knowledge-bases",
        "/api/v1/knowledge-bases/x/documents",
        "/api/v1/nothing",
        "/metrics",
    ] {
        let reply = send(stranger.get(url(path))).fails(401, "token_needed", "token");
        assert!(
            reply.header("www-authenticate").starts_with("Bearer"),
            "{:?}",
            reply.headers
        );
    }
    for shown in ["wrong-token-wrong-token-wrong-token", &TOKEN[1..], ""] {
        let reply = send(stranger.get(url("/api/v1/knowledge-bases")).bearer_auth(shown)).is(401);
        assert!(["token_wrong", "token_needed"].contains(&reply.json()["error"]["code"].as_str().unwrap()));
    }
    let basic = stranger
        .get(url("/api/v1/knowledge-bases"))
        .header(AUTHORIZATION, format!("Basic {TOKEN}"));
    send(basic).fails(401, "token_needed", "token");
    let create = stranger
        .post(url("/api/v1/knowledge-bases"))
        .json(&json!({ "name": "mine" }));
    send(create).fails(401, "token_needed", "token");

    // Health tells nothing, and the page is the same for all.
    send(stranger.get(url("/healthz"))).is(200);
    send(stranger.get(url("/"))).is(200);
    assert!(!server.log().contains(TOKEN), "the token is in the log");
    assert_eq!(
        server.get("/knowledge-bases").json()["knowledge_bases"],
        json!([])
    );
}

#[test]
fn a_server_for_the_network_does_not_start_without_a_token() {
    let lectern = Workplace::new();
    let refused = lectern.run(["serve", "--address", "0.0.0.0", "--port", "0"]);
    let refused = refused.fails(2, "listen_refused", "0.0.0.0");
    assert!(refused.stderr.contains("LECTERN_API_TOKEN"), "{}", refused.stderr);

    let mut short = lectern.program();
    short
        .env("LECTERN_API_TOKEN", "short")
        .args(["--json", "serve", "--port", "0"]);
    let short = Outcome::of(short);
    assert_ne!(short.code, 0);
    assert!(short.stderr.contains("token"), "{}", short.stderr);
}

#[test]
fn a_page_from_elsewhere_changes_nothing() {
    let handbook = handbook();
    let server = &handbook.server;
    let own = format!("http://{}", server.address());
    let search = |origin: &str| {
        let request = server.request(Method::POST, &handbook.path("search"));
        send(request.header(ORIGIN, origin).json(&json!({ "text": "leave" })))
    };
    search(&own).is(200);
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:1",
    ] {
        search(origin).fails(403, "origin_foreign", origin);
        let delete = server
            .request(Method::DELETE, "/knowledge-bases/notes")
            .header(ORIGIN, origin);
        send(delete).fails(403, "origin_foreign", origin);
    }
    server.get("/knowledge-bases/notes").is(200);
}

#[test]
fn a_foreign_name_that_points_here_is_not_answered() {
    let server = &handbook().server;
    for path in ["/api/v1/knowledge-bases", "/", "/metrics", "/api/openapi.json"] {
        let request = server
            .request(Method::GET, path)
            .header(HOST, "rebound.evil.example");
        send(request).fails(403, "host_unknown", "rebound.evil.example");
    }
    let port = server.address().rsplit(':').next().unwrap();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        send(server.request(Method::GET, "/knowledge-bases").header(HOST, host)).is(200);
    }
}

#[test]
fn a_proxy_does_not_make_the_network_the_operator() {
    let server = &handbook().server;
    for name in ["x-forwarded-for", "forwarded"] {
        let request = server
            .request(Method::GET, "/knowledge-bases")
            .header(name, "203.0.113.7");
        send(request).fails(403, "not_local", "own machine");
    }
}
