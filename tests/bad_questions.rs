//! Questions that can't be asked: each is refused with its reason, on the command line and over HTTP alike.

use serde_json::json;

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace, handbook};

#[test]
fn the_command_line_refuses_what_is_no_question() {
    let lectern = Workplace::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let long = "why ".repeat(25_000);
    for command in ["search", "ask"] {
        lectern
            .run([command, "--kb", KB, ""])
            .fails(2, "question_empty", "empty");
        lectern
            .run([command, "--kb", KB, " \t\n"])
            .fails(2, "question_empty", "empty");
        lectern
            .run([command, "--kb", KB, &long])
            .fails(2, "question_too_long", "20");
        lectern
            .run([command, "--kb", "nowhere", "why?"])
            .fails(3, "kb_not_found", "nowhere");
    }
    lectern
        .run(["search", "--kb", KB, "--top", "0", "why?"])
        .fails(2, "limit_out_of_range", "0");
    let mut ingest = lectern.program();
    ingest
        .args(["--json", "ingest", "--kb", "nowhere"])
        .arg(lectern.documents());
    Outcome::of(ingest).fails(3, "kb_not_found", "nowhere");
    lectern
        .run(["ingest", "--kb", KB, "/no/such/folder"])
        .fails(3, "path_not_found", "/no/such/folder");
    // An empty knowledge base has no answer, and that is no error.
    let answer = lectern.run(["ask", "--kb", KB, "Why?"]).exits(0).json();
    assert_eq!(answer["outcome"], "nothing_found");
}

#[test]
fn the_server_refuses_what_is_no_question() {
    let handbook = handbook();
    let server = &handbook.server;
    let long = "x".repeat(100_000);
    for (route, field) in [("search", "text"), ("answers", "question")] {
        let path = handbook.path(route);
        let ask = |text: &str| server.post(&path, &json!({ field: text }));
        ask("").fails(400, "question_empty", "empty");
        ask("  \n ").fails(400, "question_empty", "empty");
        ask(&long).fails(413, "question_too_long", "20");
        // Bytes are not characters: 20,000 of the longest ones are a question.
        ask(&"🜚".repeat(20_001)).fails(413, "question_too_long", "20");
        let missing = server.post(
            &format!("/knowledge-bases/nowhere/{route}"),
            &json!({ field: "why?" }),
        );
        missing.fails(404, "kb_not_found", "nowhere");
    }
    let path = handbook.path("search");
    for limit in [0, 1_001] {
        let body = json!({ "text": "leave", "limit": limit });
        server
            .post(&path, &body)
            .fails(400, "limit_out_of_range", &limit.to_string());
    }
}

#[test]
fn odd_characters_are_only_characters() {
    let handbook = handbook();
    let path = handbook.path("search");
    let odd = [
        "\"",
        "'; DROP TABLE documents; --",
        "+leave -leave AND OR NOT ( ^ ~ *",
        "title:leave",
        "leave\0leave",
        "\u{202e}evael",
        "🜚🜛🜜",
        "%s%n%x",
        "../../etc/passwd",
        "{{leave}}",
        "a\u{0301}\u{0301}\u{0301}",
        "[1..9]",
    ];
    for text in odd {
        for mode in ["lexical", "vector", "hybrid"] {
            handbook
                .server
                .post(&path, &json!({ "text": text, "mode": mode }))
                .is(200);
        }
    }
    handbook
        .server
        .post(
            &handbook.path("answers"),
            &json!({ "question": odd[1], "stream": false }),
        )
        .is(200);
}
