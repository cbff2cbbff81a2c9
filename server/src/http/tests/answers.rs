//! Answers, as events and as one body.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::http::Method;
use lectern_generation::engine::scripted::ScriptedGenerator;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::fixture::{Fixture, SAID, Setup, request};

const ANSWERS: &str = "/api/v1/knowledge-bases/handbook/answers";
const QUESTION: &str = "How long is parental leave?";

async fn with_leave(setup: Setup) -> Fixture {
    let fixture = Fixture::with(setup).await;
    fixture.make_knowledge_base().await;
    fixture
        .push(&json!({"key": "leave", "title": "Leave", "text": "Parental leave is 20 weeks long."}))
        .await;
    fixture
}

/// The events of a stream: each one's name and data.
fn events(text: &str) -> Vec<(String, Value)> {
    text.split("\n\n")
        .filter_map(|block| {
            let name = block.lines().find_map(|line| line.strip_prefix("event: "))?;
            let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
            Some((name.to_owned(), serde_json::from_str(data).unwrap()))
        })
        .collect()
}

#[actix_web::test]
async fn sources_come_first_then_words_then_what_was_cited() {
    let fixture = with_leave(Setup::default()).await;
    let reply = fixture.post(ANSWERS, &json!({"question": QUESTION})).await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let events = events(&reply.text);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        (names[0], names[1], names[names.len() - 1]),
        ("sources", "token", "done")
    );
    assert_eq!(events[0].1["sources"][0]["number"], 1);
    assert_eq!(events[0].1["sources"][0]["title"], "Leave");

    let words: String = events
        .iter()
        .filter(|(name, _)| name == "token")
        .filter_map(|(_, data)| data["text"].as_str())
        .collect();
    let done = &events[events.len() - 1].1;
    assert_eq!(words, SAID.concat());
    assert_eq!(done["text"].as_str(), Some(words.as_str()));
    assert_eq!(done["outcome"], "answered");
    assert_eq!(done["citations"][0]["number"], 1);
    assert!(
        done["html"]
            .as_str()
            .unwrap()
            .contains("data-source=\"1\">[1]</a>"),
        "{done}"
    );
    assert!(
        done["usage"]["output_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0)
    );
}

#[actix_web::test]
async fn the_same_answer_comes_as_one_body() {
    let fixture = with_leave(Setup::default()).await;
    let answer = fixture
        .post(ANSWERS, &json!({"question": QUESTION, "stream": false}))
        .await
        .json();
    assert_eq!(answer["text"].as_str(), Some(SAID.concat().as_str()));
    assert_eq!(
        answer["sources"][0]["document"],
        answer["citations"][0]["document"]
    );
}

#[actix_web::test]
async fn nothing_found_is_said_without_a_model() {
    let never = ScriptedGenerator::new(["never"]).paced_by(Arc::new(Semaphore::new(0)));
    let fixture = with_leave(Setup {
        generator: never,
        ..Setup::default()
    })
    .await;
    let asked = json!({"question": "Zebra quantum xylophone?", "stream": false});
    assert_eq!(
        fixture.post(ANSWERS, &asked).await.json()["outcome"],
        "nothing_found"
    );
}

#[actix_web::test]
async fn a_full_line_refuses_at_once() {
    let fixture = with_leave(Setup::default()).await;
    let places = [
        fixture.admission.enter().unwrap(),
        fixture.admission.enter().unwrap(),
    ];
    for stream in [true, false] {
        let reply = fixture
            .post(ANSWERS, &json!({"question": QUESTION, "stream": stream}))
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (429, "generator_busy")
        );
        assert!(reply.header("retry-after").is_some());
    }
    drop(places);
    let reply = fixture
        .post(ANSWERS, &json!({"question": QUESTION, "stream": false}))
        .await;
    assert_eq!(reply.status.as_u16(), 200);
}

#[actix_web::test]
async fn a_reader_that_leaves_frees_its_place() {
    let pace = Arc::new(Semaphore::new(1));
    let generator = ScriptedGenerator::new(vec!["word "; 100]).paced_by(Arc::clone(&pace));
    let fixture = with_leave(Setup {
        generator,
        ..Setup::default()
    })
    .await;
    let response = fixture
        .begin(request(Method::POST, ANSWERS).set_json(json!({"question": QUESTION})))
        .await;
    let mut body = Box::pin(response.into_body());
    let mut read = String::new();
    while !read.contains("event: sources") {
        let piece = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
        read.push_str(std::str::from_utf8(&piece.unwrap().ok().unwrap()).unwrap());
    }
    assert_eq!(fixture.admission.inside(), 1);
    drop(body);
    pace.add_permits(100);
    while fixture.admission.inside() > 0 {
        tokio::task::yield_now().await;
    }
}
