//! Whether what was found is about what was asked, however it was found: in an order, by other words, by corrected ones,
//! or by words that no model knows. Over both real indexes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use lectern_domain::ports::SortKey;
use lectern_domain::{Acl, Confidence};
use lectern_retrieval::{Answered, SearchMode, SearchRequest, SearchResponse};

use support::word_counts::WordCounts;
use support::{Filled, Text, anybody, filled};

fn text(number: usize, text: &str) -> Text {
    Text {
        key: format!("text-{number}"),
        title: String::new(),
        text: text.to_owned(),
        acl: Acl::everyone(),
        attributes: serde_json::from_value(serde_json::json!({ "number": number })).unwrap(),
    }
}

async fn handbook() -> Filled {
    let texts = [
        text(1, "The canteen serves soup on Mondays. Tables are not reserved."),
        text(2, "Working from home is agreed with the manager."),
        text(3, "The sauna opens at six."),
    ];
    filled(&texts).await
}

async fn search(filled: &Filled, request: &SearchRequest) -> SearchResponse {
    let found = filled.searcher.search(&anybody(), filled.base, request).await;
    found.unwrap()
}

fn by_number() -> Vec<SortKey> {
    vec![SortKey {
        attribute: "number".into(),
        descending: false,
    }]
}

#[tokio::test]
async fn a_search_in_an_order_is_relevant_by_its_words() {
    let filled = handbook().await;
    for mode in SearchMode::ALL {
        let in_order = |text: &str| SearchRequest {
            mode,
            sort: by_number(),
            answer: true,
            ..SearchRequest::new(text)
        };
        let found = search(&filled, &in_order("When does the canteen serve soup?")).await;
        assert!(found.relevant, "{mode}");
        assert_eq!(found.passages[0].confidence, Confidence::VeryHigh, "{mode}");
        assert!(
            matches!(&found.answer, Some(Answered::Passage { text, .. }) if text == "The canteen serves soup on Mondays."),
            "{mode}: {:?}",
            found.answer
        );
        let foreign = in_order("soup helicopters with a pilot licence");
        let foreign = search(&filled, &foreign).await;
        assert!(!foreign.passages.is_empty() && !foreign.relevant, "{mode}");
    }
}

#[tokio::test]
async fn who_names_nothing_to_look_for_asked_for_all_of_it() {
    let filled = handbook().await;
    let mut request = SearchRequest {
        sort: by_number(),
        explain: true,
        ..SearchRequest::new("")
    };
    let listed = search(&filled, &request).await;
    assert_eq!(listed.passages.len(), 3);
    assert!(listed.relevant);
    let confidence = listed.passages.iter().map(|hit| hit.confidence);
    assert!(confidence.into_iter().all(|one| one == Confidence::VeryHigh));
    // The same by what must not be there.
    request.operators = true;
    request.text = "-canteen".into();
    let listed = search(&filled, &request).await;
    assert_eq!((listed.passages.len(), listed.relevant), (2, true));
    let nothing = r#"{"exists":{"attribute":"nothing"}}"#;
    request.filter = Some(serde_json::from_str(nothing).unwrap());
    assert!(!search(&filled, &request).await.relevant);
}

#[tokio::test]
async fn what_a_synonym_found_is_relevant_and_answers() {
    let filled = handbook().await;
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        answer: true,
        explain: true,
        ..SearchRequest::new("Is wfh agreed?")
    };
    assert!(search(&filled, &request).await.answer.is_none());
    let settings = r#"{"synonyms":"wfh => working from home"}"#;
    *filled.ledger.settings.lock().unwrap() = Arc::new(serde_json::from_str(settings).unwrap());
    let alone = SearchRequest {
        text: "wfh".into(),
        ..request.clone()
    };
    let found = search(&filled, &alone).await;
    assert!(found.relevant);
    assert_eq!(found.passages[0].confidence, Confidence::VeryHigh);
    assert_eq!(found.passages[0].explanation.unwrap().coverage, 1.0);
    let answer = search(&filled, &request).await.answer;
    assert!(
        matches!(&answer, Some(Answered::Passage { text, .. }) if text.starts_with("Working from home")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn what_a_correction_found_is_relevant_and_marked_on_every_page() {
    let copies = [
        "The canteen is open.",
        "A canteen for all.",
        "Canteens have tables.",
    ];
    let texts: Vec<Text> = copies
        .iter()
        .enumerate()
        .map(|(number, words)| text(number, words))
        .collect();
    let filled = filled(&texts).await;
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        typos: true,
        spelling: true,
        highlights: true,
        limit: 2,
        ..SearchRequest::new("canteeen")
    };
    let first = search(&filled, &request).await;
    let next = first.next.clone().unwrap();
    let second = filled.searcher.next_page(&anybody(), filled.base, &next).await;
    let second = second.unwrap();
    assert_eq!((first.passages.len(), second.passages.len()), (2, 1));
    assert!(first.relevant && second.relevant);
    for hit in first.passages.iter().chain(&second.passages) {
        assert_eq!(hit.confidence, Confidence::VeryHigh);
        let marked = hit
            .highlights
            .first()
            .and_then(|span| span.of(&hit.text))
            .unwrap();
        assert!(marked.to_lowercase().starts_with("canteen"), "{marked}");
    }
    let spelling = first.spelling.unwrap();
    assert_eq!(spelling.text, "canteen");
    let strict = SearchRequest {
        typos: false,
        ..request
    };
    assert!(search(&filled, &strict).await.passages.is_empty());
}

/// The words of a question about an error.
const ABOUT_THE_ERROR: [&str; 4] = ["E4711", "turbine", "bolts", "colour"];
/// More than the index of vectors is asked for.
const FILLERS: usize = 260;

/// A manual with an error code in one long passage, and many short ones that are a little nearer to the code by their
/// vectors, since a word of theirs has the same vector.
async fn manual() -> Filled {
    let code = WordCounts::vector(ABOUT_THE_ERROR[0]);
    let near = (0..).map(|number| format!("w{number}"));
    let near = near
        .into_iter()
        .find(|word| WordCounts::vector(word) == code)
        .unwrap();
    let is_far = |word: &String| {
        let vector = WordCounts::vector(word);
        ABOUT_THE_ERROR
            .iter()
            .all(|other| WordCounts::vector(other) != vector)
    };
    let mut words = (0..).map(|number| format!("v{number}")).filter(is_far);
    let mut some = |count: usize| words.by_ref().take(count).collect::<Vec<_>>().join(" ");
    let mut texts: Vec<Text> = (0..FILLERS)
        .map(|number| text(number, &format!("{near} {}", some(15))))
        .collect();
    texts.push(text(FILLERS, &format!("{} {}", ABOUT_THE_ERROR[0], some(100))));
    filled(&texts).await
}

#[tokio::test]
async fn a_code_that_no_model_knows_may_be_answered_from_the_passage_that_has_it() {
    let filled = manual().await;
    let asking = |text: &str| SearchRequest {
        explain: true,
        ..SearchRequest::new(text)
    };
    let found = search(&filled, &asking(ABOUT_THE_ERROR[0])).await;
    let first = &found.passages[0];
    assert!(first.text.contains(ABOUT_THE_ERROR[0]), "{}", first.text);
    let explanation = first.explanation.unwrap();
    assert_eq!(explanation.cosine, None, "it is beyond the list of vectors");
    assert_eq!(explanation.coverage, 1.0);
    assert_eq!(first.confidence, Confidence::Medium);
    assert!(found.relevant);
    // With a word of four it stands there in passing.
    let foreign = search(&filled, &asking(&ABOUT_THE_ERROR.join(" "))).await;
    assert!(!foreign.passages.is_empty() && !foreign.relevant);
}
