//! Listings in an order of attributes: all documents, page by page, whatever else weighs matches. And attributes that
//! only others may read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::{Reranker, SortKey};
use lectern_domain::{Acl, PortError, Principal, ReadScope};
use lectern_retrieval::{SearchMode, SearchRequest, Searcher, SearcherParts};

use support::{Filled, Text, anybody, filled};

/// Memos of category "a": more than a search for a page of passages asks an index for.
const MANY: usize = 260;
/// Memos of category "b".
const FEW: usize = 12;

fn text(key: String, attributes: serde_json::Value) -> Text {
    Text {
        title: format!("Memo {key}"),
        text: format!("A memo about the canteen, called {key}."),
        acl: Acl::everyone(),
        attributes: serde_json::from_value(attributes).unwrap(),
        key,
    }
}

/// When a memo was changed, in hours: no two at the same time, and not in the order of their numbers.
fn hours(number: usize) -> usize {
    number * 101 % (MANY + FEW)
}

/// Memos called by the hour of their last change.
async fn memos() -> Filled {
    let memo = |number: usize| {
        let hours = hours(number);
        let modified = chrono::DateTime::from_timestamp(3_600 * hours as i64, 0).unwrap();
        let category = if number < MANY { "a" } else { "b" };
        text(
            hours.to_string(),
            serde_json::json!({"category": category, "modified": modified.format("%Y-%m-%dT%H:%M:%SZ").to_string()}),
        )
    };
    filled(&(0..MANY + FEW).map(memo).collect::<Vec<_>>()).await
}

fn by(attribute: &str, descending: bool) -> SortKey {
    SortKey {
        attribute: attribute.to_owned(),
        descending,
    }
}

/// What all pages show, in their order.
async fn shown(filled: &Filled, searcher: &Searcher, request: &SearchRequest) -> Vec<String> {
    let mut page = searcher.search(&anybody(), filled.base, request).await.unwrap();
    let mut shown = Vec::new();
    loop {
        assert!(page.passages.len() <= request.limit);
        shown.extend(page.passages.iter().map(|hit| filled.keys[&hit.document].clone()));
        let Some(next) = page.next else { return shown };
        page = searcher.next_page(&anybody(), filled.base, &next).await.unwrap();
    }
}

/// The hours of the memos that are wanted, the latest first.
fn latest_first(wanted: impl Iterator<Item = usize>) -> Vec<String> {
    let mut hours: Vec<usize> = wanted.map(hours).collect();
    hours.sort_unstable_by(|one, other| other.cmp(one));
    hours.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_pages_of_a_listing_show_all_documents_in_order() {
    let filled = memos().await;
    for text in ["", "canteen"] {
        let request = SearchRequest {
            per_document: Some(1),
            limit: 20,
            sort: vec![by("modified", true)],
            ..SearchRequest::new(text)
        };
        let shown = shown(&filled, &filled.searcher, &request).await;
        assert_eq!(shown, latest_first(0..MANY + FEW), "{text:?}");
    }
}

#[tokio::test]
async fn a_further_key_puts_all_documents_in_order_that_are_equal_in_the_first() {
    let filled = memos().await;
    let request = SearchRequest {
        limit: 50,
        sort: vec![by("category", false), by("modified", true)],
        ..SearchRequest::new("canteen")
    };
    let expected = [latest_first(0..MANY), latest_first(MANY..MANY + FEW)].concat();
    assert_eq!(shown(&filled, &filled.searcher, &request).await, expected);
}

#[tokio::test]
async fn a_list_has_the_place_of_its_least_text_or_of_its_greatest() {
    let tags = [
        ("one", &["melon", "apple"][..]),
        ("two", &["banana"]),
        ("three", &["cherry", "zucchini"]),
        ("four", &["pear"]),
    ];
    let texts = tags.map(|(key, tags)| text(key.to_owned(), serde_json::json!({"tags": tags})));
    let filled = filled(&texts).await;
    for (descending, expected) in [
        (false, ["one", "two", "three", "four"]),
        (true, ["three", "four", "one", "two"]),
    ] {
        let request = SearchRequest {
            mode: SearchMode::Lexical,
            sort: vec![by("tags", descending)],
            ..SearchRequest::new("canteen")
        };
        assert_eq!(shown(&filled, &filled.searcher, &request).await, expected);
    }
}

/// Takes what stands last for the best.
struct Backwards;

#[async_trait]
impl Reranker for Backwards {
    async fn rerank(&self, _: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        let places = 1..=passages.len();
        Ok(places.map(|place| place as f32 / passages.len() as f32).collect())
    }
}

#[tokio::test]
async fn neither_tuning_nor_a_reranker_nor_diversity_moves_what_is_in_order() {
    let filled = memos().await;
    let searcher = Searcher::new(SearcherParts {
        reranker: Some(Arc::new(Backwards)),
        ..filled.parts.clone()
    });
    let tuning = r#"{"values":[{"attribute":"category","value":"b","weight":10}]}"#;
    let request = SearchRequest {
        limit: 30,
        tuning: Some(serde_json::from_str(tuning).unwrap()),
        diversity: 0.9,
        sort: vec![by("category", false), by("modified", true)],
        ..SearchRequest::new("canteen")
    };
    let expected = [latest_first(0..MANY), latest_first(MANY..MANY + FEW)].concat();
    assert_eq!(shown(&filled, &searcher, &request).await, expected);
}

#[expect(clippy::disallowed_methods, reason = "a test asks as a reader")]
fn board() -> ReadScope {
    ReadScope::granted_by_authentication([Principal::Group("board".into())])
}

#[tokio::test]
async fn a_name_tells_nothing_of_attributes_that_only_others_may_read() {
    let lunch = text("lunch".to_owned(), serde_json::json!({"floor": "x"}));
    let salaries = Text {
        acl: Acl::allowing([Principal::Group("board".into())]),
        ..text("salaries".to_owned(), serde_json::json!({"salary_band": "x"}))
    };
    let with = filled(&[lunch.clone(), salaries]).await;
    let without = filled(std::slice::from_ref(&lunch)).await;
    let found = async |filled: &Filled, scope: &ReadScope, text: &str| {
        let request = SearchRequest {
            operators: true,
            mode: SearchMode::Lexical,
            ..SearchRequest::new(text)
        };
        let response = filled.searcher.search(scope, filled.base, &request).await;
        let passages = response.unwrap().passages;
        let keys = passages.iter().map(|hit| filled.keys[&hit.document].clone());
        keys.collect::<Vec<_>>()
    };
    let asked = "salary_band:x canteen";
    assert_eq!(found(&without, &anybody(), asked).await, ["lunch"]);
    assert_eq!(found(&with, &anybody(), asked).await, ["lunch"]);
    assert_eq!(
        found(&with, &board(), asked).await,
        ["salaries"],
        "a filter for whoever may read it"
    );
    assert_eq!(found(&with, &anybody(), "floor:x canteen").await, ["lunch"]);
    assert!(found(&with, &anybody(), "floor:y canteen").await.is_empty());
}
