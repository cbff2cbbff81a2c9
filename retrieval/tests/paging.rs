//! Pages: over all of them everything is shown, once, and each says how it came to its place. Over both real indexes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::{Reranker, SortKey};
use lectern_domain::{Acl, ChunkId, DocumentId, PortError};
use lectern_retrieval::{Explanation, SearchMode, SearchRequest, SearchResponse, Searcher, SearcherParts};

use support::{Filled, Text, anybody, filled};

const LEAVE: &str = "Parents take some weeks of leave after a birth, and the leave is paid in full by the company for all \
                     of that time, whether it is taken at once or in several parts within the first years.";

/// A document with its number as an attribute.
fn text(number: usize, text: String) -> Text {
    Text {
        key: format!("text-{number}"),
        title: String::new(),
        text,
        acl: Acl::everyone(),
        attributes: serde_json::from_value(serde_json::json!({ "number": number })).unwrap(),
    }
}

/// Says the same as the others of its kind.
fn near_copy(number: usize) -> Text {
    let ending = ["See below.", "Or ask.", "Thank you.", "As ever."][number % 4];
    text(number, format!("{LEAVE} {ending}"))
}

/// Says something of its own.
fn statement(number: usize) -> Text {
    text(number, format!("{LEAVE} The price is {number} crowns."))
}

fn request(mode: SearchMode, limit: usize) -> SearchRequest {
    SearchRequest {
        mode,
        limit,
        ..SearchRequest::new("leave of parents after a birth")
    }
}

/// All pages of a search.
async fn pages(searcher: &Searcher, filled: &Filled, request: &SearchRequest) -> Vec<SearchResponse> {
    let first = searcher.search(&anybody(), filled.base, request).await.unwrap();
    let mut pages = vec![first];
    while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
        let page = searcher.next_page(&anybody(), filled.base, &next).await.unwrap();
        pages.push(page);
    }
    pages
}

/// The chunks of all pages, with those behind others.
fn shown(pages: &[SearchResponse]) -> Vec<ChunkId> {
    let hits = pages.iter().flat_map(|page| &page.passages);
    hits.flat_map(|hit| {
        let duplicates = hit.duplicates.iter().map(|passage| passage.chunk);
        std::iter::once(hit.chunk).chain(duplicates)
    })
    .collect()
}

fn is_each_once(chunks: &[ChunkId]) -> bool {
    chunks.iter().collect::<HashSet<_>>().len() == chunks.len()
}

#[tokio::test]
async fn pages_that_fold_are_full_and_lose_nothing() {
    // Every other one of the first is a near-copy: twelve of them, and eighteen others.
    let one = |number| match number < 24 && number % 2 == 0 {
        true => near_copy(number),
        false => statement(number),
    };
    let texts: Vec<Text> = (0..30).map(one).collect();
    let filled = filled(&texts).await;
    for mode in SearchMode::ALL {
        for limit in [20, 10, 7, 2] {
            let folding = SearchRequest {
                fold: true,
                ..request(mode, limit)
            };
            let pages = pages(&filled.searcher, &filled, &folding).await;
            let shown = shown(&pages);
            assert!(is_each_once(&shown), "{mode}, {limit}: nothing twice");
            assert_eq!(shown.len(), 30, "{mode}, {limit}: nothing left out");
            let hits: Vec<usize> = pages.iter().map(|page| page.passages.len()).collect();
            let (last, full) = hits.split_last().unwrap();
            assert!(
                full.iter().all(|hits| *hits == limit) && *last <= limit,
                "{mode}: {hits:?}"
            );
            assert!(
                limit < 20 || hits == [19],
                "{mode}: all copies are one hit: {hits:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_that_stays_short_among_many_copies_loses_nothing() {
    let mut texts: Vec<Text> = (0..170).map(near_copy).collect();
    let other = |number| {
        text(
            number,
            format!("Birth certificates are kept in archive {number} of the town."),
        )
    };
    texts.extend((170..175).map(other));
    let filled = filled(&texts).await;
    let folding = SearchRequest {
        fold: true,
        ..request(SearchMode::Lexical, 2)
    };
    let pages = pages(&filled.searcher, &filled, &folding).await;
    assert!(
        pages[0].passages.len() < 2,
        "so many are not looked at for a page"
    );
    assert!(pages.iter().all(|page| page.passages.len() <= 2));
    let shown = shown(&pages);
    assert!(is_each_once(&shown));
    assert_eq!(shown.len(), 175);
}

#[tokio::test]
async fn a_document_that_keeps_changing_takes_no_place_from_others() {
    let piece = |number: usize, words: &str| text(number, format!("{words} Piece of text {number}."));
    let mut texts: Vec<Text> = (1..8).map(|number| piece(number, "Leave.")).collect();
    // Both pieces of the first document match best.
    let best = "Leave of parents after a birth.";
    texts.extend([piece(0, best), piece(0, best)]);
    let filled = filled(&texts).await;
    let (torn, _) = filled.keys.iter().find(|(_, key)| *key == "text-0").unwrap();
    filled.ledger.change(*torn, |chunk| {
        if chunk.ordinal == 0 {
            chunk.version = chunk.version.next();
        }
    });
    let pages = pages(&filled.searcher, &filled, &request(SearchMode::Lexical, 3)).await;
    assert_eq!(pages[0].passages.len(), 2, "one version of the first document");
    let hits = || pages.iter().flat_map(|page| &page.passages);
    assert!(is_each_once(&hits().map(|hit| hit.chunk).collect::<Vec<_>>()));
    let documents: HashSet<DocumentId> = hits().map(|hit| hit.document).collect();
    assert_eq!(documents.len(), 8);
}

#[tokio::test]
async fn scores_of_a_listing_in_order_are_those_of_the_matches_on_every_page() {
    // The more often it is said, the better the match; the best ones come last.
    let texts: Vec<Text> = (0..12)
        .map(|number| {
            text(
                number,
                "leave ".repeat(1 + number) + &"other ".repeat(12 - number),
            )
        })
        .collect();
    let filled = filled(&texts).await;
    let in_order = |limit| SearchRequest {
        sort: vec![SortKey {
            attribute: "number".into(),
            descending: false,
        }],
        ..SearchRequest {
            text: "leave".into(),
            ..request(SearchMode::Hybrid, limit)
        }
    };
    let scores = |pages: &[SearchResponse]| -> Vec<f32> {
        let hits = pages.iter().flat_map(|page| &page.passages);
        hits.map(|hit| hit.score.value()).collect()
    };
    let whole = scores(&pages(&filled.searcher, &filled, &in_order(100)).await);
    assert!(
        whole.windows(2).all(|pair| pair[0] < pair[1]) && whole[11] == 1.0,
        "{whole:?}"
    );
    assert_eq!(
        scores(&pages(&filled.searcher, &filled, &in_order(5)).await),
        whole
    );
}

/// Prefers short passages.
struct Shortest;

#[async_trait]
impl Reranker for Shortest {
    async fn rerank(&self, _: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        let judged = passages.iter().map(|passage| 1.0 / passage.len() as f32);
        Ok(judged.collect())
    }
}

#[tokio::test]
async fn every_page_explains_its_passages_as_one_page_would() {
    let texts: Vec<Text> = (0..24)
        .map(|number| {
            let longer = format!("{LEAVE} {}", "More of it. ".repeat(number));
            // Half of them say nearly the same.
            let price = format!("The price is {number} crowns.");
            text(number, longer + if number % 2 == 0 { &price } else { "" })
        })
        .collect();
    let filled = filled(&texts).await;
    let searcher = Searcher::new(SearcherParts {
        reranker: Some(Arc::new(Shortest)),
        ..filled.parts.clone()
    });
    for fold in [false, true] {
        let explained = async |limit| -> HashMap<ChunkId, Explanation> {
            let tuning = r#"{"numbers":[{"attribute":"number","half":3,"weight":1}]}"#;
            let request = SearchRequest {
                explain: true,
                fold,
                tuning: Some(serde_json::from_str(tuning).unwrap()),
                ..request(SearchMode::Hybrid, limit)
            };
            let pages = pages(&searcher, &filled, &request).await;
            let hits = pages.iter().flat_map(|page| &page.passages);
            hits.map(|hit| (hit.chunk, hit.explanation.unwrap())).collect()
        };
        let whole = explained(50).await;
        assert!(whole.values().all(|one| one.words_rank.is_some()));
        assert!(whole.values().any(|one| one.reranked.is_some()));
        assert!(whole.values().any(|one| one.tuning < 1.0));
        assert_eq!(explained(2).await, whole, "fold: {fold}");
    }
}

#[tokio::test]
async fn a_cursor_outlives_hundreds_of_searches_of_others() {
    let texts: Vec<Text> = (0..5).map(statement).collect();
    let filled = filled(&texts).await;
    let request = request(SearchMode::Lexical, 2);
    let search = async || {
        let found = filled.searcher.search(&anybody(), filled.base, &request).await;
        found.unwrap().next.unwrap()
    };
    let next = search().await;
    for _ in 0..600 {
        search().await;
    }
    let page = filled.searcher.next_page(&anybody(), filled.base, &next).await;
    assert_eq!(page.unwrap().passages.len(), 2);
}
