//! Narrowing, counting, ordering, paging and the rest of what is asked besides words, over both real indexes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use lectern_domain::ports::{FacetRequest, SortKey};
use lectern_domain::{Acl, Attributes, Filter, Principal, SearchSettings};
use lectern_retrieval::{Answered, SearchMode, SearchRequest, SearchResponse};

use support::{Filled, Text, anybody, filled};

/// Documents about soup that everyone may read.
const SOUPS: usize = 60;

fn attributes(number: usize) -> Attributes {
    let cook = ["Ada", "Bo", "Cy"][number % 3];
    serde_json::from_value(serde_json::json!({
        "cook": cook,
        "portions": number,
        "path": format!("{}/soup-{number}.md", if number < 10 { "old" } else { "new" }),
        "served": format!("2026-01-{:02}T00:00:00Z", 1 + number % 28),
    }))
    .unwrap()
}

/// Soups in two chunks each, and a secret one.
async fn kitchen() -> Filled {
    let soup = |number: usize, part: usize, acl: &Acl| Text {
        key: format!("soup-{number}"),
        title: format!("Soup {number}"),
        text: format!("Recipe {number} part {part}: boil the soup, add salt."),
        acl: acl.clone(),
        attributes: attributes(number),
    };
    let secret = Acl::allowing([Principal::User("chef".into())]);
    let mut texts: Vec<Text> = (0..SOUPS)
        .flat_map(|number| {
            [
                soup(number, 1, &Acl::everyone()),
                soup(number, 2, &Acl::everyone()),
            ]
        })
        .collect();
    texts.push(Text {
        title: "Bouillon of the chef".into(),
        text: "The secret bouillon needs saffron.".into(),
        ..soup(99, 1, &secret)
    });
    filled(&texts).await
}

fn filter(json: &str) -> Option<Filter> {
    Some(serde_json::from_str(json).unwrap())
}

async fn search(filled: &Filled, request: &SearchRequest) -> SearchResponse {
    let found = filled.searcher.search(&anybody(), filled.base, request).await;
    found.unwrap()
}

fn numbers(filled: &Filled, response: &SearchResponse) -> Vec<usize> {
    let key = |document| filled.keys[document].trim_start_matches("soup-").parse().unwrap();
    response.passages.iter().map(|hit| key(&hit.document)).collect()
}

#[tokio::test]
async fn only_what_passes_the_filter_is_found_and_all_of_it() {
    let filled = kitchen().await;
    for (json, passes) in [
        (
            r#"{"equals":{"attribute":"cook","value":"Bo"}}"#,
            (|n| n % 3 == 1) as fn(usize) -> bool,
        ),
        (r#"{"range":{"attribute":"portions","at_least":50}}"#, |n| n >= 50),
        (r#"{"starts_with":{"attribute":"path","text":"old/"}}"#, |n| {
            n < 10
        }),
        (
            r#"{"not":{"contains":{"attribute":"path","text":"NEW/"}}}"#,
            |n| n < 10,
        ),
        (
            r#"{"and":[{"in":{"attribute":"cook","values":["Ada","Cy"]}},{"range":{"attribute":"portions","below":6}}]}"#,
            |n| n % 3 != 1 && n < 6,
        ),
        (r#"{"exists":{"attribute":"nothing"}}"#, |_| false),
    ] {
        for mode in SearchMode::ALL {
            let request = SearchRequest {
                mode,
                limit: 2 * SOUPS,
                filter: filter(json),
                ..SearchRequest::new("soup 3")
            };
            let found: BTreeSet<usize> = numbers(&filled, &search(&filled, &request).await)
                .into_iter()
                .collect();
            let expected: BTreeSet<usize> = (0..SOUPS).filter(|number| passes(*number)).collect();
            assert_eq!(found, expected, "{mode}: {json}");
        }
    }
}

#[tokio::test]
async fn facets_count_documents_that_may_be_read() {
    let filled = kitchen().await;
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        filter: filter(r#"{"range":{"attribute":"portions","below":50}}"#),
        facets: vec![FacetRequest {
            attribute: "cook".into(),
            limit: 2,
        }],
        ..SearchRequest::new("soup")
    };
    let response = search(&filled, &request).await;
    let facet = &response.facets[0];
    let counts: Vec<(String, u64)> = facet
        .values
        .iter()
        .map(|value| (serde_json::to_string(&value.value).unwrap(), value.documents))
        .collect();
    assert_eq!(counts, [("\"Ada\"".to_owned(), 17), ("\"Bo\"".to_owned(), 17)]);
    assert_eq!(facet.other_values, 1, "Cy, and nobody's secret");
}

#[tokio::test]
async fn an_order_is_that_of_the_attribute_over_all_that_match() {
    let filled = kitchen().await;
    let by = |attribute: &str, descending| SortKey {
        attribute: attribute.into(),
        descending,
    };
    let mut request = SearchRequest {
        per_document: Some(1),
        limit: 5,
        sort: vec![by("portions", true)],
        ..SearchRequest::new("soup 3")
    };
    assert_eq!(
        numbers(&filled, &search(&filled, &request).await),
        [59, 58, 57, 56, 55]
    );
    request.sort = vec![by("served", false), by("portions", true)];
    assert_eq!(
        numbers(&filled, &search(&filled, &request).await),
        [56, 28, 0, 57, 29]
    );
    // Nothing to look for: all documents.
    request.text = String::new();
    request.sort = vec![by("portions", false)];
    assert_eq!(
        numbers(&filled, &search(&filled, &request).await),
        [0, 1, 2, 3, 4]
    );
}

#[tokio::test]
async fn pages_show_everything_once_and_no_more_of_a_document_than_wanted() {
    let filled = kitchen().await;
    for mode in SearchMode::ALL {
        let request = SearchRequest {
            mode,
            limit: 7,
            per_document: Some(1),
            ..SearchRequest::new("soup 3")
        };
        let mut page = search(&filled, &request).await;
        let mut shown = numbers(&filled, &page);
        let scores = |page: &SearchResponse| {
            page.passages
                .iter()
                .map(|hit| hit.score.value())
                .collect::<Vec<_>>()
        };
        let mut all_scores = scores(&page);
        while let Some(next) = page.next {
            page = filled
                .searcher
                .next_page(&anybody(), filled.base, &next)
                .await
                .unwrap();
            shown.extend(numbers(&filled, &page));
            all_scores.extend(scores(&page));
        }
        let distinct: BTreeSet<usize> = shown.iter().copied().collect();
        assert_eq!(distinct, (0..SOUPS).collect(), "{mode}: everything");
        assert_eq!(shown.len(), SOUPS, "{mode}: once");
        assert!(
            all_scores.is_sorted_by(|one, other| one >= other),
            "{mode}: {all_scores:?}"
        );
    }
    let error = filled
        .searcher
        .next_page(&anybody(), filled.base, "nonsense")
        .await
        .unwrap_err();
    assert_eq!(error.code, "cursor_invalid");
}

#[tokio::test]
async fn operators_narrow_both_indexes() {
    let filled = kitchen().await;
    let found = async |text: &str, operators| {
        let request = SearchRequest {
            limit: 2 * SOUPS,
            operators,
            ..SearchRequest::new(text)
        };
        numbers(&filled, &search(&filled, &request).await)
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(found("soup +\"recipe 7\"", true).await, BTreeSet::from([7]));
    assert_eq!(found("soup -recipe", true).await, BTreeSet::new());
    assert_eq!(found("soup title:7", true).await.first(), Some(&7));
    assert!(
        found("soup -recipe", false).await.len() > 1,
        "without operators it is a word"
    );
}

#[tokio::test]
async fn settings_decide_what_counts_more_and_what_comes_first() {
    let filled = kitchen().await;
    let set =
        |json: &str| *filled.ledger.settings.lock().unwrap() = Arc::new(serde_json::from_str(json).unwrap());
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        per_document: Some(1),
        limit: 3,
        answer: true,
        ..SearchRequest::new("Soup?")
    };
    set(r#"{"tuning":{"values":[{"attribute":"cook","value":"Cy","weight":10}]}}"#);
    let tuned = search(&filled, &request).await;
    assert!(numbers(&filled, &tuned).iter().all(|number| number % 3 == 2));
    assert!(tuned.passages.iter().all(|hit| hit.score.value() <= 1.0));

    set(r#"{"featured":[{"queries":["soup"],"documents":["Soup 41","Bouillon of the chef","Soup 40"]}]}"#);
    let featured: Vec<String> = search(&filled, &request)
        .await
        .featured
        .iter()
        .map(|hit| hit.title.clone())
        .collect();
    assert_eq!(
        featured,
        ["Soup 41", "Soup 40"],
        "and nothing that may not be read"
    );

    set(
        r#"{"questions":[{"questions":["soup"],"answer":"Secret.","readers":{"allow":["user:chef"]}},
                         {"questions":["What is it?","soup"],"answer":"Boil it."}]}"#,
    );
    let answer = search(&filled, &request).await.answer;
    assert!(matches!(answer, Some(Answered::Frequent { text, .. }) if text == "Boil it."));

    set(r#"{"synonyms":"broth => soup"}"#);
    let broth = SearchRequest {
        text: "broth".into(),
        ..request
    };
    assert_eq!(search(&filled, &broth).await.passages.len(), 3);
    *filled.ledger.settings.lock().unwrap() = Arc::new(SearchSettings::default());
    assert_eq!(search(&filled, &broth).await.passages.len(), 0);
}

#[tokio::test]
async fn spellings_and_suggestions_tell_nothing_of_what_may_not_be_read() {
    let filled = kitchen().await;
    let spelled = async |text: &str| {
        let request = SearchRequest {
            mode: SearchMode::Lexical,
            spelling: true,
            ..SearchRequest::new(text)
        };
        let spelling = search(&filled, &request).await.spelling;
        let unasked = SearchRequest {
            spelling: false,
            ..request
        };
        assert_eq!(search(&filled, &unasked).await.spelling, None);
        spelling.map(|spelling| spelling.text)
    };
    assert_eq!(spelled("recipi of salt").await.as_deref(), Some("recipe of salt"));
    assert_eq!(spelled("safron").await, None, "saffron is the chef's");
    let suggested = async |typed: &str| {
        let suggestions = filled
            .searcher
            .suggest(&anybody(), filled.base, typed, Vec::new(), 3)
            .await
            .unwrap();
        suggestions
            .into_iter()
            .map(|suggestion| suggestion.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(suggested("soup 4").await.len(), 3);
    assert!(
        suggested("so")
            .await
            .iter()
            .all(|title| title.starts_with("Soup "))
    );
    assert_eq!(suggested("boui").await, Vec::<String>::new(), "the chef's");
}

#[tokio::test]
async fn an_explanation_tells_the_ranks() {
    let filled = kitchen().await;
    let request = SearchRequest {
        explain: true,
        highlights: true,
        ..SearchRequest::new("soup 7")
    };
    let response = search(&filled, &request).await;
    let first = &response.passages[0];
    let explanation = first.explanation.unwrap();
    assert!(explanation.words_rank.is_some() && explanation.vectors_rank.is_some());
    assert_eq!((explanation.tuning, explanation.filtered), (1.0, false));
    let marked: Vec<&str> = first
        .highlights
        .iter()
        .filter_map(|span| span.of(&first.text))
        .collect();
    assert!(marked.contains(&"soup"), "{marked:?}");
}

#[tokio::test]
async fn a_document_in_several_languages_is_marked_and_answers_by_the_first_that_is_known() {
    let text = |key: &str, language: serde_json::Value| Text {
        key: key.to_owned(),
        title: "Häuser".into(),
        text: "Hier ist Kaffee. Neue Häuser werden im Frühling gebaut.".into(),
        acl: Acl::everyone(),
        attributes: serde_json::from_value(serde_json::json!({"language": language})).unwrap(),
    };
    let texts = [
        text("one", "de".into()),
        text("several", ["tlh", "de-AT", "fr"].into()),
    ];
    let filled = filled(&texts).await;
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        highlights: true,
        answer: true,
        limit: 1,
        ..SearchRequest::new("welche haus werden im frühling gebaut")
    };
    for text in &texts {
        let request = SearchRequest {
            filter: filter(&format!(
                r#"{{"equals":{{"attribute":"language","value":{}}}}}"#,
                if text.key == "one" { "\"de\"" } else { "\"fr\"" }
            )),
            ..request.clone()
        };
        let found = search(&filled, &request).await;
        let hit = &found.passages[0];
        assert_eq!(filled.keys[&hit.document], text.key);
        let marked: Vec<&str> = hit
            .highlights
            .iter()
            .filter_map(|span| span.of(&hit.text))
            .collect();
        assert_eq!(marked, ["Häuser", "Frühling", "gebaut"], "{}", text.key);
        assert_eq!(hit.title_highlights.len(), 1, "{}", text.key);
        assert!(
            matches!(&found.answer, Some(Answered::Passage { text, .. }) if text.starts_with("Neue")),
            "{}: {:?}",
            text.key,
            found.answer
        );
    }
}

#[tokio::test]
async fn passages_are_gathered_by_document_with_what_stands_around_them() {
    let filled = kitchen().await;
    let request = SearchRequest {
        mode: SearchMode::Lexical,
        limit: 4,
        expand: Some(1),
        ..SearchRequest::new("soup")
    };
    let mut page = search(&filled, &request).await;
    let (mut shown, mut with_others) = (numbers(&filled, &page), 0);
    while let Some(next) = page.next.clone() {
        for hit in &page.passages {
            assert!(hit.others.len() <= 1);
            assert!(
                hit.others
                    .iter()
                    .all(|other| other.document == hit.document && other.chunk != hit.chunk)
            );
            with_others += hit.others.len();
        }
        page = filled
            .searcher
            .next_page(&anybody(), filled.base, &next)
            .await
            .unwrap();
        shown.extend(numbers(&filled, &page));
    }
    let distinct: BTreeSet<usize> = shown.iter().copied().collect();
    assert_eq!(
        (distinct.len(), shown.len()),
        (SOUPS, SOUPS),
        "each document once"
    );
    assert!(
        with_others >= SOUPS / 2,
        "{with_others} of them with another passage"
    );

    let request = SearchRequest {
        neighbours: 2,
        operators: true,
        limit: 1,
        ..SearchRequest::new("+\"recipe 7 part 1\"")
    };
    let context = &search(&filled, &request).await.passages[0].context;
    assert_eq!(context.len(), 1);
    assert!(context[0].text.starts_with("Recipe 7 part 2"), "{context:?}");
}

#[tokio::test]
async fn what_says_the_same_stands_behind_the_best_of_it() {
    let leave = "Parents take twenty weeks of leave after a birth, and the leave is paid in full by the company for all \
                 of that time, whether it is taken at once or in several parts within the first two years.";
    let other =
        "Leave for moving house is one day, and it is asked for in writing by the first of the month before.";
    let text = |key: &str, text: &str| Text {
        key: key.to_owned(),
        title: String::new(),
        text: text.to_owned(),
        acl: Acl::everyone(),
        attributes: Attributes::new(),
    };
    let texts = [
        text("a", leave),
        text("b", &leave.to_uppercase()),
        text("c", other),
    ];
    let filled = filled(&texts).await;
    let mut request = SearchRequest {
        mode: SearchMode::Lexical,
        ..SearchRequest::new("leave of parents")
    };
    assert_eq!(search(&filled, &request).await.passages.len(), 3);
    request.fold = true;
    let folded = search(&filled, &request).await.passages;
    assert_eq!(folded.len(), 2);
    assert_eq!(folded[0].duplicates.len(), 1);
    request.fold = false;
    request.diversity = 0.9;
    let diverse = search(&filled, &request).await.passages;
    assert_eq!(
        filled.keys[&diverse[1].document], "c",
        "another matter before the same one again"
    );
}
