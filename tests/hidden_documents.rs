//! A document that somebody may not read is for them as if it weren't there: it isn't found, answers aren't made
//! of it, and its text isn't shown.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::server::send;
use crate::harness::{Server, Workplace};

/// A word that only hidden documents have.
const CANARY: &str = "zyzzyvacanary";

/// A server whose operator may read one of several documents about the same thing, and the ids of the others.
fn with_hidden(lectern: &Workplace) -> (Server, Vec<String>) {
    lectern.run(["kb", "create", KB]).exits(0);
    let server = Server::start(lectern);
    let push = |key: &str, text: String, acl: Value| {
        let request = server.request(
            Method::POST,
            &format!("/knowledge-bases/{KB}/documents?wait=true"),
        );
        let body = json!({ "key": key, "title": key, "text": text, "acl": acl });
        let document = send(request.json(&body)).is(200).json()["document"].clone();
        assert_eq!(document["status"], "indexed", "{document:#}");
        document["id"].as_str().unwrap().to_owned()
    };
    push(
        "open",
        "The salary of the lighthouse keeper is 900 crowns.".to_owned(),
        json!({ "allow": ["everyone"] }),
    );
    let secret =
        |name: &str| format!("The secret salary {CANARY} of the lighthouse keeper {name} is 12000 crowns.");
    let hidden = vec![
        push("others", secret("Ada"), json!({ "allow": ["user:someone-else"] })),
        push("group", secret("Bea"), json!({ "allow": ["group:board"] })),
        push("nobody", secret("Cleo"), json!({ "allow": [] })),
        push(
            "denied",
            secret("Dora"),
            json!({ "allow": ["everyone"], "deny": ["user:operator"] }),
        ),
    ];
    (server, hidden)
}

#[test]
fn what_is_hidden_is_not_found_nor_answered_nor_shown() {
    let lectern = Workplace::new();
    let (server, hidden) = with_hidden(&lectern);
    for mode in ["lexical", "vector", "hybrid"] {
        for text in ["the salary of the lighthouse keeper", "secret salary", CANARY] {
            let body = json!({ "text": text, "mode": mode, "limit": 1000 });
            let found = server
                .post(&format!("/knowledge-bases/{KB}/search"), &body)
                .is(200);
            assert!(!found.body.contains(CANARY), "{mode} {text}: {}", found.body);
            assert!(
                hidden.iter().all(|id| !found.body.contains(id.as_str())),
                "{mode} {text}: {}",
                found.body
            );
            let passages = found.json()["passages"].as_array().unwrap().len();
            assert!(passages <= 1, "{mode} {text}: {}", found.body);
        }
    }
    for question in [
        "What is the salary of the lighthouse keeper?",
        "What is the secret salary of Ada?",
        CANARY,
    ] {
        let body = json!({ "question": question, "stream": false });
        let answer = server
            .post(&format!("/knowledge-bases/{KB}/answers"), &body)
            .is(200);
        assert!(!answer.body.contains("12000"), "{question}: {}", answer.body);
        assert!(
            !answer.body.contains(CANARY) || question == CANARY,
            "{question}: {}",
            answer.body
        );
        assert!(
            hidden.iter().all(|id| !answer.body.contains(id.as_str())),
            "{question}: {}",
            answer.body
        );
    }
    for id in &hidden {
        let path = format!("/knowledge-bases/{KB}/documents/{id}");
        for part in ["text", "passage?start=0&end=4"] {
            let shown = server.get(&format!("{path}/{part}")).is(404);
            assert!(!shown.body.contains(CANARY), "{}", shown.body);
        }
    }
    let found = server.metric("lectern_recheck_dropped_total");
    assert_eq!(found, 0.0, "the recheck had to hide what the indexes let through");
}

#[test]
fn the_command_line_hides_the_same() {
    let lectern = Workplace::new();
    let (server, _) = with_hidden(&lectern);
    server.kill();
    for mode in ["lexical", "vector", "hybrid"] {
        let passages = lectern.search(mode, "secret salary of the lighthouse keeper");
        assert!(
            passages
                .iter()
                .all(|passage| !passage["text"].as_str().unwrap().contains(CANARY)),
            "{mode}"
        );
    }
    let answer = lectern
        .run(["ask", "--kb", KB, "What is the secret salary of Bea?"])
        .exits(0);
    assert!(!answer.stdout.contains("12000"), "{}", answer.stdout);

    lectern.write("folder.md", "The vault of the lighthouse has the number 4471.\n");
    let mut ingest = lectern.program();
    ingest
        .args(["--json", "ingest", "--kb", KB, "--access", "group:board"])
        .arg(lectern.documents());
    crate::harness::Outcome::of(ingest).exits(0);
    assert_eq!(lectern.found("vault"), [""; 0]);
    lectern.assert_sound();
}

#[test]
fn a_permission_that_changes_counts_at_once() {
    let lectern = Workplace::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let server = Server::start(&lectern);
    let push = |acl: Value| {
        let request = server.request(
            Method::POST,
            &format!("/knowledge-bases/{KB}/documents?wait=true"),
        );
        let body = json!({ "key": "memo", "text": "The regatta is on Sunday.", "acl": acl });
        send(request.json(&body)).is(200);
    };
    let count = || {
        let body = json!({ "text": "regatta", "limit": 10 });
        let found = server
            .post(&format!("/knowledge-bases/{KB}/search"), &body)
            .is(200)
            .json();
        found["passages"].as_array().unwrap().len()
    };
    for _ in 0..3 {
        push(json!({ "allow": ["everyone"] }));
        assert_eq!(count(), 1);
        push(json!({ "allow": ["user:someone-else"] }));
        assert_eq!(count(), 0);
    }
    server.kill();
    lectern.assert_sound();
}
