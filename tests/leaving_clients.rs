//! Clients that leave, and more clients than there is room for: a place is given back, a full line says so.

use reqwest::{Method, Response};
use serde_json::json;

use crate::harness::lectern::KB;
use crate::harness::server::{runtime, send};
use crate::harness::{Server, Workplace, until};

/// One answer at a time, one may wait. The answers are as long as may be, so that they don't end by themselves
/// before somebody leaves.
const SETTINGS: &str =
    "[generation]\nmodel = \"smollm2-135m\"\nmax_output_tokens = 1500\nwaiting_answers = 1\n";
const RUNNING: &str = "lectern_answers_running";
const WAITING: &str = "lectern_answers_waiting";

/// Asks, and has the stream as far as its first bytes.
fn ask(server: &Server, question: &str) -> Response {
    let request = server.request(Method::POST, &format!("/knowledge-bases/{KB}/answers"));
    let request = request.json(&json!({ "question": question }));
    let response = runtime().block_on(async { request.send().await }).unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// Reads until a word of the answer has come.
fn read_to_first_token(response: &mut Response) {
    let mut read = String::new();
    while !read.contains("event: token") {
        let piece = runtime().block_on(async { response.chunk().await }).unwrap();
        read.push_str(&String::from_utf8_lossy(
            &piece.unwrap_or_else(|| panic!("no word came: {read}")),
        ));
    }
}

#[test]
fn a_place_is_given_back_when_its_client_leaves_and_a_full_line_says_so() {
    let lectern = Workplace::with_settings(SETTINGS);
    lectern.write(
        "harbour.md",
        "# The harbour\n\nThe harbour of Ostrava Bay has nine quays. The longest quay is 410 metres long. The \
         harbour master keeps a list of all boats, their owners, their cargo and the day of their arrival.\n",
    );
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let question = "Tell everything about the harbour of Ostrava Bay, its quays and its harbour master.";

    let mut first = ask(&server, question);
    read_to_first_token(&mut first);
    assert_eq!(server.metric(RUNNING), 1.0);
    let second = ask(&server, question);
    until("the second to wait", || {
        (server.metric(WAITING) == 1.0).then_some(())
    });

    let third = server.post(
        &format!("/knowledge-bases/{KB}/answers"),
        &json!({ "question": question }),
    );
    let third = third.fails(429, "generator_busy", "answer");
    assert!(
        third.header("retry-after").parse::<u32>().unwrap() > 0,
        "{:?}",
        third.headers
    );
    assert!(server.metric("lectern_answers_refused_total") >= 1.0);

    // The second leaves its place in the line, the first its place at the generator.
    drop(second);
    until("the line to be empty", || {
        (server.metric(WAITING) == 0.0).then_some(())
    });
    assert_eq!(
        server.metric(RUNNING),
        1.0,
        "the first answer ended too soon to prove anything"
    );
    drop(first);
    until("the generator to be free", || {
        (server.metric(RUNNING) == 0.0).then_some(())
    });
    assert!(
        server.metric("lectern_generations_cancelled_total") >= 1.0,
        "the engine wrote on for nobody"
    );

    // And somebody else is served.
    let mut fourth = ask(&server, question);
    read_to_first_token(&mut fourth);
}

#[test]
fn a_question_without_an_answer_needs_no_place() {
    let lectern = Workplace::with_settings(SETTINGS);
    lectern.write(
        "harbour.md",
        "# The harbour\n\nThe harbour of Ostrava Bay has nine quays and a list of boats.\n",
    );
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let mut first = ask(&server, "How many quays does the harbour of Ostrava Bay have?");
    read_to_first_token(&mut first);
    let request = server.request(Method::POST, &format!("/knowledge-bases/{KB}/answers"));
    let body = json!({ "question": "Which enzyme unwinds the DNA double helix?", "stream": false });
    let answer = send(request.json(&body)).is(200).json();
    assert_eq!(answer["outcome"], "nothing_found");
}
