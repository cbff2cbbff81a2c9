//! What people ask is counted exactly, by day and in lists; and who wants it erased has it erased, to the last byte of the last
//! file.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::server::send;
use crate::harness::{Outcome, Server, Workplace};

/// What nobody says but those who ask here.
const OWN_WORD: &str = "xylomarquette";

fn path(rest: &str) -> String {
    format!("/knowledge-bases/{KB}/{rest}")
}

fn workplace() -> Workplace {
    let lectern = Workplace::new();
    let lamp = "The lighthouse at Cape Morrow is looked after by Ingrid. Its lamp was renewed in 1968.";
    let pier = "The ferry to Cape Morrow leaves at seven from the northern pier.";
    for (name, title, text) in [
        ("tower.md", "The lighthouse", lamp),
        ("ferry.md", "The ferry", pier),
    ] {
        lectern.write(name, format!("# {title}\n\n{text}\n"));
    }
    lectern.ingest().exits(0);
    lectern
}

fn lighthouse_question() -> String {
    format!("Is the lighthouse at Cape Morrow looked after by Ingrid or by {OWN_WORD}?")
}

fn ask(server: &Server, question: &str) -> Value {
    let body = json!({ "question": question, "stream": false });
    server.post(&path("answers"), &body).is(200).json()
}

fn click(server: &Server, answer: &Value, source: usize) -> Value {
    let item = json!({ "chunk": answer["sources"][source]["chunk"], "kind": "click" });
    let body = json!({ "query_id": answer["query_id"], "items": [item] });
    server.post(&path("feedback"), &body).is(200).json()
}

/// Asks four times, of which one is opened and one has no answer. Gives the answer that was opened.
fn ask_around(server: &Server) -> Value {
    let opened = ask(server, &lighthouse_question());
    assert_eq!(opened["outcome"], "answered", "{opened:#}");
    for counted in [1, 0] {
        assert_eq!(click(server, &opened, 0)["counted"], counted);
    }
    ask(server, &lighthouse_question().to_uppercase());
    ask(server, "When does the ferry to Cape Morrow leave?");
    let nothing = ask(
        server,
        &format!("Which enzyme unwinds the {OWN_WORD} helix of DNA?"),
    );
    assert_eq!(nothing["outcome"], "nothing_found", "{nothing:#}");
    opened
}

fn count(figures: &Value, name: &str) -> u64 {
    figures[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {figures:#}"))
}

/// What [`ask_around`] did, and nothing else.
fn check(report: &Value, opened: &Value) {
    let total = &report["total"];
    for (name, expected) in [("searches", 4), ("answers", 4), ("users", 1), ("with_click", 1)] {
        assert_eq!(count(total, name), expected, "{name}: {report:#}");
    }
    let [none, irrelevant] = ["no_results", "not_relevant"].map(|name| count(total, name));
    assert_eq!(none + irrelevant, 1, "{report:#}");
    assert_eq!(count(total, "abandoned"), 3 - none, "{report:#}");
    assert!(total["took_ms_p95"].as_f64() >= total["took_ms_p50"].as_f64());
    // Midnight may have passed meanwhile.
    let days = report["days"].as_array().unwrap();
    for name in ["searches", "with_click", "abandoned", "no_results"] {
        let sum: u64 = days.iter().map(|day| count(day, name)).sum();
        assert_eq!(sum, count(total, name), "{name} of {days:#?}");
    }
    let queries = report["top_queries"].as_array().unwrap();
    assert_eq!(queries.len(), 3, "{report:#}");
    assert_eq!(count(&queries[0], "searches"), 2, "{report:#}");
    let unanswered = report["top_without_results"].as_array().unwrap();
    assert_eq!(unanswered.len(), 1, "{report:#}");
    assert!(
        unanswered[0]["text"].as_str().unwrap().contains("enzyme"),
        "{report:#}"
    );
    let documents = report["top_documents"].as_array().unwrap();
    assert_eq!(documents.len(), 1, "{report:#}");
    assert_eq!(documents[0]["document"], opened["sources"][0]["document"]);
    assert_eq!(
        (&documents[0]["title"], count(&documents[0], "clicks")),
        (&json!("The lighthouse"), 1)
    );
}

/// The files of the data folder that say it, in whatever letters.
fn files_with(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, word));
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
            if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn what_is_asked_and_opened_is_counted_exactly_over_http_and_at_the_terminal() {
    let lectern = workplace();
    let mut server = Server::start(&lectern);
    let opened = ask_around(&server);
    check(&server.get(&path("analytics")).is(200).json(), &opened);
    let before = server
        .get(&path("analytics?from=2001-01-01&to=2001-12-31"))
        .is(200)
        .json();
    assert_eq!(
        (
            count(&before["total"], "searches"),
            before["days"].as_array().unwrap().len()
        ),
        (0, 365)
    );
    assert_eq!(server.metric("lectern_analytics_dropped_total"), 0.0);
    lectern
        .run(["analytics", "--kb", KB])
        .fails(5, "data_folder_in_use", "in use");

    // The last question is asked right before the end.
    ask(&server, "From which pier does the ferry leave?");
    server.end_well();
    let report = lectern.run(["analytics", "--kb", KB]).exits(0).json();
    assert_eq!(count(&report["total"], "searches"), 5, "{report:#}");
    let shown = lectern.type_in(&["analytics", "--kb", KB]).exits(0).stdout;
    for told in [
        "searches",
        "Opened most",
        "The lighthouse",
        "From which pier does the ferry leave?",
        "nothing relevant found",
    ] {
        assert!(shown.contains(told), "{told} is missing:\n{shown}");
    }
    lectern
        .run(["analytics", "--kb", "other"])
        .fails(3, "kb_not_found", "other");
    lectern
        .run(["analytics", "--kb", KB, "--from", "2020-01-01"])
        .fails(2, "range_invalid", "366");
    assert_eq!(lectern.type_in(&["analytics"]).code, 2);
}

#[test]
fn who_is_erased_leaves_no_word_in_any_file() {
    let lectern = workplace();
    let data = lectern.data();
    let mut server = Server::start(&lectern);
    let opened = ask_around(&server);
    check(&server.get(&path("analytics")).is(200).json(), &opened);
    assert_ne!(
        files_with(&data, OWN_WORD),
        Vec::<String>::new(),
        "nothing was kept"
    );

    let erase = server.request(Method::DELETE, "/api/v1/analytics/users/operator");
    assert_eq!(
        send(erase).is(200).json(),
        json!({ "searches": 4, "feedback": 1 })
    );
    assert_eq!(files_with(&data, OWN_WORD), Vec::<String>::new());
    let report = server.get(&path("analytics")).is(200).json();
    assert_eq!(count(&report["total"], "searches"), 0, "{report:#}");
    let late = json!({ "chunk": opened["sources"][0]["chunk"], "kind": "click" });
    let late = json!({ "query_id": opened["query_id"], "items": [late] });
    server
        .post(&path("feedback"), &late)
        .fails(404, "query_not_found", opened["query_id"].as_str().unwrap());

    // Once more at the terminal.
    ask_around(&server);
    server.end_well();
    assert_ne!(
        files_with(&data, OWN_WORD),
        Vec::<String>::new(),
        "nothing was kept"
    );
    let nobody = lectern
        .run(["analytics", "erase", "--user", "ada"])
        .exits(0)
        .json();
    assert_eq!(nobody["erased"], json!({ "searches": 0, "feedback": 0 }));
    assert_ne!(files_with(&data, OWN_WORD), Vec::<String>::new());
    let erased = lectern
        .run(["analytics", "erase", "--user", "operator"])
        .exits(0)
        .json();
    assert_eq!(erased["erased"], json!({ "searches": 4, "feedback": 1 }));
    assert_eq!(files_with(&data, OWN_WORD), Vec::<String>::new());
    assert!(!server.log().contains(OWN_WORD), "a question is in the log");
}

#[test]
fn a_server_that_keeps_nothing_answers_all_the_same() {
    let lectern = workplace();
    let mut program = lectern.program();
    program.env("LECTERN_ANALYTICS__KEEP_DAYS", "0");
    let mut server = Server::launch(program, None);
    let answer = ask(&server, &lighthouse_question());
    let item = json!({ "chunk": answer["sources"][0]["chunk"], "kind": "click" });
    let body = json!({ "query_id": answer["query_id"], "items": [item] });
    server
        .post(&path("feedback"), &body)
        .fails(409, "analytics_disabled", "no analytics");
    server.end_well();
    assert_eq!(files_with(&lectern.data(), OWN_WORD), Vec::<String>::new());

    let mut misspelt = lectern.program();
    misspelt.args(["kb", "list"]).env("LECTERN_ANALYTICS__KEEP", "1");
    assert!(Outcome::of(misspelt).exits(2).stderr.contains("keep"));
}
