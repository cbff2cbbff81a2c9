//! Questions about the handbook: the right document is found, and what nobody can know is not answered.

use serde::Deserialize;
use serde_json::Value;

use crate::harness::{handbook, repository};

/// The share of questions whose document must be the first one, and among the first three.
const FIRST: f64 = 0.75;
const AMONG_THREE: f64 = 0.90;
/// How many of the questions about something else may be taken for answerable.
const TAKEN_IN: usize = 1;

#[derive(Deserialize)]
struct Question {
    question: String,
    document: Option<String>,
    #[serde(default)]
    answer_contains: Vec<String>,
    #[serde(default)]
    unanswerable: bool,
}

fn questions() -> Vec<Question> {
    let path = repository().join("tests/fixtures/handbook-questions.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The documents of the passages, each once, best first.
fn documents(passages: &[Value]) -> Vec<String> {
    let mut documents: Vec<String> = Vec::new();
    for passage in passages {
        let (_, document) = passage["uri"].as_str().unwrap().split_once("/examples/").unwrap();
        if !documents.iter().any(|known| known == document) {
            documents.push(document.to_owned());
        }
    }
    documents
}

#[test]
fn the_right_document_comes_first_or_nearly_so() {
    let handbook = handbook();
    let questions: Vec<Question> = questions()
        .into_iter()
        .filter(|question| !question.unanswerable)
        .collect();
    assert!(
        questions.len() >= 40,
        "{} questions prove little",
        questions.len()
    );
    let (mut first, mut among_three, mut told) = (0, 0, 0);
    for question in &questions {
        let body = serde_json::json!({ "text": question.question, "limit": 10 });
        let found = handbook
            .server
            .post(&handbook.path("search"), &body)
            .is(200)
            .json();
        let passages = found["passages"].as_array().unwrap();
        let documents = documents(passages);
        let expected = question.document.as_ref().unwrap();
        let rank = documents.iter().position(|document| document == expected);
        first += usize::from(rank == Some(0));
        among_three += usize::from(rank.is_some_and(|rank| rank < 3));
        let text: String = passages
            .iter()
            .take(3)
            .map(|passage| passage["text"].as_str().unwrap())
            .collect();
        told += usize::from(
            question
                .answer_contains
                .iter()
                .all(|words| text.contains(words.as_str())),
        );
        if rank != Some(0) {
            println!(
                "{:?} finds {:?} before {expected}",
                question.question,
                documents.first()
            );
        }
    }
    let share = |count: usize| count as f64 / questions.len() as f64;
    println!(
        "first {:.3}, among three {:.3}, answer in three passages {:.3}",
        share(first),
        share(among_three),
        share(told)
    );
    assert!(share(first) >= FIRST, "{first} of {}", questions.len());
    assert!(
        share(among_three) >= AMONG_THREE,
        "{among_three} of {}",
        questions.len()
    );
}

#[test]
fn what_the_documents_do_not_tell_is_not_answered() {
    let handbook = handbook();
    let questions: Vec<Question> = questions()
        .into_iter()
        .filter(|question| question.unanswerable)
        .collect();
    assert!(questions.len() >= 6);
    let mut answered = Vec::new();
    for question in &questions {
        let answer = handbook.answer(&question.question);
        if answer["outcome"] != "nothing_found" {
            answered.push(question.question.as_str());
            continue;
        }
        assert!(
            answer["text"].as_str().unwrap().starts_with("I don't know"),
            "{answer:#}"
        );
        assert_eq!(answer["citations"], Value::Array(Vec::new()));
        assert_eq!(
            answer["usage"]["prompt_tokens"], 0,
            "a model was asked: {answer:#}"
        );
    }
    println!("taken for answerable: {answered:?}");
    assert!(answered.len() <= TAKEN_IN, "{answered:?}");
}

#[test]
fn what_the_documents_tell_is_answered() {
    let handbook = handbook();
    let questions: Vec<Question> = questions()
        .into_iter()
        .filter(|question| !question.unanswerable)
        .collect();
    let refused: Vec<&str> = questions
        .iter()
        .filter(|question| handbook.answer(&question.question)["outcome"] == "nothing_found")
        .map(|question| question.question.as_str())
        .collect();
    println!("refused: {refused:?}");
    assert!(refused.len() * 10 <= questions.len(), "{refused:?}");
}
