//! Answers over HTTP: sources first, then words, then what they cite, and nothing is cited that wasn't found.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::events::{Event, cited_numbers, parse};
use crate::harness::lectern::KB;
use crate::harness::server::send;
use crate::harness::{Server, Workplace, handbook};

/// Asks for a stream and gives its events.
fn stream(server: &Server, question: &str) -> Vec<Event> {
    let request = server.request(Method::POST, &format!("/knowledge-bases/{KB}/answers"));
    let reply = send(request.json(&json!({ "question": question }))).is(200);
    assert!(
        reply.header("content-type").starts_with("text/event-stream"),
        "{:?}",
        reply.headers
    );
    parse(&reply.body)
}

/// The numbers of a list of citations.
fn numbers(citations: &Value) -> BTreeSet<u64> {
    citations
        .as_array()
        .unwrap()
        .iter()
        .map(|citation| citation["number"].as_u64().unwrap())
        .collect()
}

/// One `sources`, some `token`s, one `done`; the text is the tokens; what is cited was handed over.
fn check(events: &[Event]) -> Value {
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names.first(), Some(&"sources"), "{names:?}");
    assert_eq!(names.last(), Some(&"done"), "{events:#?}");
    let between = &names[1..names.len() - 1];
    assert!(
        !between.is_empty() && between.iter().all(|name| *name == "token"),
        "{names:?}"
    );

    let sources = &events[0].data["sources"];
    let done = &events[events.len() - 1].data;
    let tokens: String = events[1..events.len() - 1]
        .iter()
        .map(|event| event.data["text"].as_str().unwrap())
        .collect();
    assert_eq!(done["text"], tokens.as_str());
    let cited: BTreeSet<u64> = cited_numbers(&tokens).into_iter().collect();
    assert!(cited.is_subset(&numbers(sources)), "{cited:?} of {sources:#}");
    assert_eq!(cited, numbers(&done["citations"]), "{done:#}");
    for citation in done["citations"].as_array().unwrap() {
        assert!(
            sources.as_array().unwrap().contains(citation),
            "{citation:#} is no source"
        );
        let link = format!("href=\"#source-{}\"", citation["number"]);
        assert!(done["html"].as_str().unwrap().contains(&link), "{done:#}");
    }
    done.clone()
}

#[test]
fn an_answer_streams_its_sources_before_its_words_and_its_citations_last() {
    let done = check(&stream(
        &handbook().server,
        "How many days of paid leave does a full-time employee have?",
    ));
    assert_eq!(done["outcome"], "answered");
    assert!(done["text"].as_str().unwrap().contains("27 days"), "{done:#}");
    assert!(!done["citations"].as_array().unwrap().is_empty());
}

#[test]
fn an_answer_comes_as_one_body_too() {
    let handbook = handbook();
    let question = "How much is the referral bonus for recommending a new colleague?";
    let answer = handbook.answer(question);
    assert!(answer["text"].as_str().unwrap().contains("1,500"), "{answer:#}");
    let streamed = check(&stream(&handbook.server, question));
    assert_eq!(answer["text"], streamed["text"]);
    assert_eq!(answer["citations"], streamed["citations"]);
    assert!(numbers(&answer["citations"]).is_subset(&numbers(&answer["sources"])));
}

#[test]
fn a_cited_passage_can_be_seen_in_its_document() {
    let handbook = handbook();
    let answer = handbook.answer("How long is the probation period?");
    let citation = &answer["citations"][0];
    let place = |end: &str| citation["span"][end].as_u64().unwrap();
    let document = citation["document"].as_str().unwrap();
    let path = format!(
        "documents/{document}/passage?start={}&end={}",
        place("start"),
        place("end")
    );
    let shown = handbook.server.get(&handbook.path(&path)).is(200).json();
    let html = shown["html"].as_str().unwrap();
    assert!(html.contains("id=\"passage\""), "{html}");
    assert!(html.contains("<mark"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    let beyond = format!("documents/{document}/passage?start=0&end=99999999");
    handbook
        .server
        .get(&handbook.path(&beyond))
        .fails(400, "span_invalid", "99999999");
}

#[test]
fn a_real_model_writes_from_what_it_is_given_and_cites_nothing_else() {
    let lectern =
        Workplace::with_settings("[generation]\nmodel = \"smollm2-135m\"\nmax_output_tokens = 48\n");
    lectern.write(
        "boat.md",
        "# The boat\n\nThe boat of the harbour master is called Perdita. It was built in 1931.\n",
    );
    lectern.write(
        "dog.md",
        "# The dog\n\nThe dog of the harbour master is called Argos and sleeps on the quay.\n",
    );
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let done = check(&stream(&server, "What is the boat of the harbour master called?"));
    println!("{done:#}");
    assert_ne!(done["outcome"], "nothing_found");
    assert!(
        done["usage"]["prompt_tokens"].as_u64().unwrap() > 0,
        "no model was asked: {done:#}"
    );
    assert!(done["usage"]["output_tokens"].as_u64().unwrap() > 0, "{done:#}");
    let asked = server.metric("lectern_generator_prompt_tokens_total");
    assert!(asked > 0.0);

    // Nothing relevant: an answer without a model.
    let done = check(&stream(&server, "Which enzyme unwinds the DNA double helix?"));
    assert_eq!(done["outcome"], "nothing_found");
    assert_eq!(server.metric("lectern_generator_prompt_tokens_total"), asked);
}

#[test]
fn what_a_document_says_is_text_and_never_markup() {
    let lectern = Workplace::new();
    lectern.write(
        "page.md",
        "# Trap <img src=x onerror=alert(1)>\n\nThe trapdoor <script>alert(2)</script> opens with \
         [a click](javascript:alert(3)) or <a href=\"data:text/html,x\" onclick=\"alert(4)\">another</a>.\n",
    );
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let body = json!({ "question": "How does the trapdoor open?", "stream": false });
    let answer = server
        .post(&format!("/knowledge-bases/{KB}/answers"), &body)
        .is(200)
        .json();
    assert_ne!(answer["outcome"], "nothing_found", "{answer:#}");
    let source = &answer["sources"][0];
    let path = format!(
        "/knowledge-bases/{KB}/documents/{}/passage?start={}&end={}",
        source["document"].as_str().unwrap(),
        source["span"]["start"],
        source["span"]["end"]
    );
    let shown = server.get(&path).is(200).json();
    for html in [answer["html"].as_str().unwrap(), shown["html"].as_str().unwrap()] {
        assert!(html.contains("trapdoor"), "{html}");
        assert_harmless(html);
    }
}

/// No element that loads or runs something, no handler, no link but to the page itself or the web.
fn assert_harmless(html: &str) {
    for tag in html
        .split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap().to_lowercase())
    {
        let name = tag.split_whitespace().next().unwrap();
        assert!(
            !["script", "img", "iframe", "svg", "style", "form", "object"].contains(&name),
            "<{tag}>"
        );
        let mut attributes = tag.split_whitespace().skip(1);
        assert!(
            attributes.all(|attribute| !attribute.starts_with("on")),
            "<{tag}>"
        );
        if let Some((_, target)) = tag.split_once("href=\"") {
            assert!(target.starts_with('#') || target.starts_with("http"), "<{tag}>");
        }
    }
}
