//! The page, the description, health and metrics.

use actix_web::http::Method;

use super::fixture::{Fixture, request};

#[actix_web::test]
async fn the_page_is_served_with_a_tag_and_a_strict_policy() {
    let fixture = Fixture::new().await;
    let page = fixture.get("/").await;
    assert_eq!(page.status.as_u16(), 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));

    let tag = page.header("etag").unwrap().to_owned();
    let known = fixture
        .call(request(Method::GET, "/").insert_header(("if-none-match", tag)))
        .await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    for file in ["/app.css", "/app.js"] {
        assert_eq!(fixture.get(file).await.status.as_u16(), 200, "{file}");
    }
    assert_eq!(fixture.get("/../Cargo.toml").await.status.as_u16(), 404);
}

#[actix_web::test]
async fn nothing_in_the_page_needs_more_than_the_policy_allows() {
    let fixture = Fixture::new().await;
    let page = fixture.get("/").await.text.to_lowercase();
    for forbidden in [
        " style=",
        "<style",
        " onclick=",
        " onload=",
        "javascript:",
        "src=\"http",
        "href=\"http",
    ] {
        assert!(!page.contains(forbidden), "{forbidden} in the page");
    }
    for script in page.split("<script").skip(1) {
        assert!(
            script.split('>').next().unwrap().contains("src="),
            "a script in the page itself"
        );
    }
}

#[actix_web::test]
async fn the_description_can_be_tried_without_the_network() {
    let fixture = Fixture::new().await;
    let moved = fixture.get("/api/docs").await;
    assert_eq!(
        (moved.status.as_u16(), moved.header("location")),
        (308, Some("/api/docs/"))
    );
    let docs = fixture.get("/api/docs/").await;
    assert_eq!(docs.status.as_u16(), 200);
    assert!(
        docs.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self';")
    );
    let initializer = fixture.get("/api/docs/swagger-initializer.js").await;
    assert!(
        initializer.text.contains("/api/openapi.json"),
        "{}",
        initializer.text
    );
}

#[actix_web::test]
async fn readiness_names_what_is_missing() {
    let fixture = Fixture::new().await;
    let ready = fixture.get("/readyz").await;
    assert_eq!(ready.status.as_u16(), 503);
    insta::assert_json_snapshot!(ready.json()["parts"], @r#"
    [
      {
        "name": "ledger",
        "ready": true
      },
      {
        "name": "models",
        "ready": false,
        "code": "model_missing"
      },
      {
        "name": "serving",
        "ready": true
      }
    ]
    "#);
    assert_eq!(fixture.get("/healthz").await.json()["status"], "ok");
}

#[actix_web::test]
async fn answers_are_counted_by_route() {
    let fixture = Fixture::new().await;
    fixture.get("/api/v1/knowledge-bases/no-such-one").await;
    let metrics = fixture.get("/metrics").await;
    let line = metrics.text.lines().find(|line| {
        line.starts_with("lectern_http_requests_total") && line.contains("{kb}") && line.contains("404")
    });
    assert!(line.is_some(), "{}", metrics.text);
    assert!(!metrics.text.contains("no-such-one"));
}
