//! What the server says about itself: the description of its API, the page, health and figures.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::harness::server::send;
use crate::harness::{Reply, handbook};

/// Every route of the API, as a caller writes it.
const ROUTES: [(&str, &str); 29] = [
    ("get", "/api/v1/knowledge-bases"),
    ("post", "/api/v1/knowledge-bases"),
    ("get", "/api/v1/knowledge-bases/{kb}"),
    ("delete", "/api/v1/knowledge-bases/{kb}"),
    ("get", "/api/v1/knowledge-bases/{kb}/documents"),
    ("post", "/api/v1/knowledge-bases/{kb}/documents"),
    ("get", "/api/v1/knowledge-bases/{kb}/documents/{id}"),
    ("delete", "/api/v1/knowledge-bases/{kb}/documents/{id}"),
    ("get", "/api/v1/knowledge-bases/{kb}/documents/{id}/text"),
    ("get", "/api/v1/knowledge-bases/{kb}/documents/{id}/passage"),
    ("get", "/api/v1/knowledge-bases/{kb}/sources"),
    ("post", "/api/v1/knowledge-bases/{kb}/sources"),
    ("get", "/api/v1/knowledge-bases/{kb}/sources/{source}"),
    ("patch", "/api/v1/knowledge-bases/{kb}/sources/{source}"),
    ("delete", "/api/v1/knowledge-bases/{kb}/sources/{source}"),
    ("post", "/api/v1/knowledge-bases/{kb}/sources/{source}/sync"),
    ("get", "/api/v1/knowledge-bases/{kb}/ingestions"),
    ("post", "/api/v1/knowledge-bases/{kb}/ingestions"),
    ("get", "/api/v1/knowledge-bases/{kb}/ingestions/{job}"),
    ("delete", "/api/v1/knowledge-bases/{kb}/ingestions/{job}"),
    ("get", "/api/v1/knowledge-bases/{kb}/ingestions/{job}/events"),
    ("post", "/api/v1/knowledge-bases/{kb}/search"),
    ("get", "/api/v1/knowledge-bases/{kb}/suggestions"),
    ("get", "/api/v1/knowledge-bases/{kb}/search-settings"),
    ("put", "/api/v1/knowledge-bases/{kb}/search-settings"),
    ("post", "/api/v1/knowledge-bases/{kb}/feedback"),
    ("get", "/api/v1/knowledge-bases/{kb}/analytics"),
    ("delete", "/api/v1/analytics/users/{user}"),
    ("post", "/api/v1/knowledge-bases/{kb}/answers"),
];

#[test]
fn the_description_names_every_route_and_each_is_there() {
    let handbook = handbook();
    let described = handbook.server.get("/api/openapi.json").is(200).json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3."));
    let paths = described["paths"].as_object().unwrap();
    let named: BTreeSet<(&str, &str)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| (method.as_str(), path.as_str()))
        })
        .filter(|(method, path)| path.starts_with("/api/") && *method != "parameters")
        .collect();
    assert_eq!(named, BTreeSet::from(ROUTES));
    for (method, path) in ROUTES {
        let operation = &paths[path][method];
        assert!(
            operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .any(|status| status.starts_with('2'))
        );
        assert!(
            operation["summary"].is_string(),
            "{method} {path} doesn't say what it does"
        );
        // A path that isn't there, or not with this method, has another code than what it refers to.
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let concrete = path
            .replace("{kb}", "nowhere")
            .replace("{id}", "01890000-0000-7000-8000-000000000000")
            .replace("{source}", "nothing")
            .replace("{job}", "01890000-0000-7000-8000-000000000000");
        let reply = send(handbook.server.request(method, &concrete));
        assert!(!reply.body.contains("route_not_found"), "{path}: {}", reply.body);
        assert!(
            !reply.body.contains("method_not_allowed"),
            "{path}: {}",
            reply.body
        );
    }
    assert_references_resolve(&described, &described);
}

/// Every `$ref` points to something in the document.
fn assert_references_resolve(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} points nowhere");
            }
            fields
                .values()
                .for_each(|field| assert_references_resolve(field, document));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| assert_references_resolve(item, document)),
        _ => {}
    }
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_runs_nothing_of_its_own() {
    let server = &handbook().server;
    let page = server.get("/").is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_policy_is_strict(&page);
    let html = page.body.to_lowercase();
    assert!(
        !html.contains(" style=\"") && !html.contains("<style"),
        "an inline style"
    );
    for handler in [" onclick", " onload", " onerror", " onsubmit", "javascript:"] {
        assert!(!html.contains(handler), "an inline handler: {handler}");
    }
    let scripts: Vec<&str> = html.split("<script").skip(1).collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains("src="), "an inline script: {script}");
        assert!(
            rest.trim_start().starts_with("</script>"),
            "a script with a body: {script}"
        );
    }
    for attribute in ["src=\"", "href=\""] {
        for reference in html.split(attribute).skip(1) {
            let reference = reference.split('"').next().unwrap();
            if reference.starts_with('#') || reference.starts_with("data:") {
                continue;
            }
            assert!(!reference.contains("//"), "{reference} is elsewhere");
            let path = format!("/{}", reference.trim_start_matches(['.', '/']));
            server.get(&path).is(200);
        }
    }
}

fn assert_policy_is_strict(page: &Reply) {
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    for bad in ["unsafe-inline", "unsafe-eval", "*", "http:"] {
        assert!(!policy.contains(bad), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[test]
fn health_readiness_and_figures_are_told() {
    let handbook = handbook();
    let server = &handbook.server;
    let health = server.get("/healthz").is(200).json();
    assert_eq!(health["status"], "ok");
    let ready = server.get("/readyz").is(200).json();
    assert_eq!(ready["ready"], true, "{ready:#}");

    let before = server.metric("lectern_search_seconds_count");
    let body = serde_json::json!({ "text": "leave" });
    server.post(&handbook.path("search"), &body).is(200);
    assert!(server.metric("lectern_search_seconds_count") > before);
    assert!(server.metric("lectern_http_requests_total") > 0.0);
    assert_eq!(
        server.metric("lectern_recheck_dropped_total"),
        0.0,
        "an index let something through"
    );
    let figures = server.get("/metrics").is(200);
    assert!(figures.header("content-type").starts_with("text/plain"));
}

#[test]
fn the_description_can_be_tried_on_a_page_of_its_own() {
    let server = &handbook().server;
    let page = server.get("/api/docs/").is(200);
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{:?}",
        page.headers
    );
    assert!(
        page.header("content-security-policy")
            .contains("script-src 'self'")
    );
    assert!(!page.body.contains("https://"), "the page loads from elsewhere");
}
