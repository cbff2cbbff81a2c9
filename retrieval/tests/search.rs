//! The whole way of a question, over both real indexes. The embedder and the ledger are made by hand,
//! so that what is near to what is known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use async_trait::async_trait;
use lectern_domain::ports::{ChunkLookup, OneEmbedder, Reranker};
use lectern_domain::{
    Acl, Attributes, ChunkId, EmbeddedShare, ErrorKind, KnowledgeBaseId, LedgerChunk, Passage, PortError,
    Principal, SearchSettings,
};
use lectern_retrieval::{Hit, SearchMode, SearchRequest, Searcher, SearcherParts};

use support::word_counts::WordCounts;
use support::{Filled, Text, anybody, filled};

fn text(key: &str, title: &str, text: &str, acl: Acl) -> Text {
    Text {
        key: key.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
        acl,
        attributes: Attributes::new(),
    }
}

async fn handbook() -> Filled {
    let ada = Acl::allowing([Principal::User("ada".into())]);
    let texts = [
        text(
            "leave",
            "Leave",
            "Parental leave is twenty weeks with full pay.",
            Acl::everyone(),
        ),
        text(
            "leave",
            "Leave",
            "Leave for moving house is one day.",
            Acl::everyone(),
        ),
        text(
            "canteen",
            "Canteen",
            "Soup is served on Mondays; parental advice is not.",
            Acl::everyone(),
        ),
        text(
            "salaries",
            "Salaries",
            "Parental leave costs the company a fortune.",
            ada,
        ),
        text(
            "lost",
            "Lost",
            "Parental leave nobody may read about.",
            Acl::nobody(),
        ),
        text("sauna", "Sauna", "The sauna opens at six.", Acl::everyone()),
    ];
    filled(&texts).await
}

fn request(question: &str, mode: SearchMode) -> SearchRequest {
    SearchRequest {
        mode,
        ..SearchRequest::new(question)
    }
}

async fn keys(filled: &Filled, request: &SearchRequest) -> Vec<String> {
    let response = filled
        .searcher
        .search(&anybody(), filled.base, request)
        .await
        .unwrap();
    response
        .passages
        .iter()
        .map(|passage| filled.keys[&passage.document].clone())
        .collect()
}

#[tokio::test]
async fn every_mode_finds_the_passage_and_hides_what_may_not_be_read() {
    let filled = handbook().await;
    for mode in SearchMode::ALL {
        let response = filled
            .searcher
            .search(
                &anybody(),
                filled.base,
                &request("parental leave twenty weeks", mode),
            )
            .await
            .unwrap();
        let first = &response.passages[0];
        assert_eq!(
            first.text, "Parental leave is twenty weeks with full pay.",
            "{mode}"
        );
        assert_eq!(response.mode, mode);
        let found: Vec<_> = response
            .passages
            .iter()
            .map(|passage| filled.keys[&passage.document].as_str())
            .collect();
        assert!(
            !found.contains(&"salaries") && !found.contains(&"lost"),
            "{mode}: {found:?}"
        );
    }
}

/// A ledger in which all that was found is replaced meanwhile, the first few times.
struct Overtaking {
    times: AtomicUsize,
    ledger: Arc<dyn ChunkLookup>,
}

#[async_trait]
impl ChunkLookup for Overtaking {
    async fn look_up(
        &self,
        base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<LedgerChunk>, PortError> {
        let mut known = self.ledger.look_up(base, chunks).await?;
        let one_less = |times: usize| times.checked_sub(1);
        if self.times.fetch_update(SeqCst, SeqCst, one_less).is_ok() {
            known.iter_mut().for_each(|chunk| chunk.is_current = false);
        }
        Ok(known)
    }

    async fn embedding_model(&self, base: KnowledgeBaseId) -> Result<Option<String>, PortError> {
        self.ledger.embedding_model(base).await
    }

    async fn embedded_share(&self, base: KnowledgeBaseId) -> Result<EmbeddedShare, PortError> {
        self.ledger.embedded_share(base).await
    }

    async fn not_embedded(
        &self,
        base: KnowledgeBaseId,
        chunks: &[ChunkId],
    ) -> Result<Vec<ChunkId>, PortError> {
        self.ledger.not_embedded(base, chunks).await
    }

    async fn search_settings(&self, base: KnowledgeBaseId) -> Result<Arc<SearchSettings>, PortError> {
        self.ledger.search_settings(base).await
    }

    async fn first_chunks(&self, base: KnowledgeBaseId, names: &[String]) -> Result<Vec<ChunkId>, PortError> {
        self.ledger.first_chunks(base, names).await
    }
}

#[tokio::test]
async fn a_document_that_is_replaced_under_the_question_is_found_all_the_same() {
    let filled = handbook().await;
    let passages_when_overtaken = async |times: usize| {
        let ledger = Overtaking {
            times: AtomicUsize::new(times),
            ledger: Arc::clone(&filled.parts.ledger),
        };
        let searcher = Searcher::new(SearcherParts {
            ledger: Arc::new(ledger),
            ..filled.parts.clone()
        });
        let request = request("sauna", SearchMode::Lexical);
        let found = searcher.search(&anybody(), filled.base, &request).await.unwrap();
        found.passages.len()
    };
    assert_eq!(passages_when_overtaken(0).await, 1);
    assert_eq!(passages_when_overtaken(2).await, 1);
    // Under a document that changes without end the question ends all the same.
    assert_eq!(passages_when_overtaken(1_000).await, 0);
}

#[tokio::test]
async fn scores_lie_within_0_and_1_and_fall() {
    let filled = handbook().await;
    for mode in SearchMode::ALL {
        let response = filled
            .searcher
            .search(
                &anybody(),
                filled.base,
                &request("parental leave twenty weeks", mode),
            )
            .await
            .unwrap();
        let scores: Vec<f32> = response
            .passages
            .iter()
            .map(|passage| passage.score.value())
            .collect();
        assert!(
            scores.iter().all(|score| (0.0..=1.0).contains(score)),
            "{mode}: {scores:?}"
        );
        assert!(
            scores.windows(2).all(|pair| pair[0] >= pair[1]),
            "{mode}: {scores:?}"
        );
    }
}

#[tokio::test]
async fn a_document_shows_as_many_passages_as_wanted() {
    let filled = handbook().await;
    let all = keys(&filled, &request("leave", SearchMode::Hybrid)).await;
    assert_eq!(all.iter().filter(|key| *key == "leave").count(), 2);
    let mut once = request("leave", SearchMode::Hybrid);
    once.per_document = Some(1);
    let once = keys(&filled, &once).await;
    assert_eq!(once.iter().filter(|key| *key == "leave").count(), 1);
}

#[tokio::test]
async fn words_are_found_without_a_model() {
    let filled = handbook().await;
    assert_eq!(
        keys(&filled, &request("unembeddable sauna", SearchMode::Lexical)).await,
        ["sauna"]
    );
    let request = request("unembeddable sauna", SearchMode::Hybrid);
    let error = filled
        .searcher
        .search(&anybody(), filled.base, &request)
        .await
        .unwrap_err();
    assert_eq!(error.code, "embedder_failed");
}

#[tokio::test]
async fn a_question_is_never_embedded_with_another_model_than_the_documents() {
    let filled = handbook().await;
    let other_model = WordCounts {
        model: "another-model",
    };
    let searcher = Searcher::new(SearcherParts {
        embedders: Arc::new(OneEmbedder(Arc::new(other_model))),
        ..filled.parts.clone()
    });
    for mode in [SearchMode::Vector, SearchMode::Hybrid] {
        let error = searcher
            .search(&anybody(), filled.base, &request("unembeddable sauna", mode))
            .await
            .unwrap_err();
        assert_eq!(error.code, "embedding_model_differs", "it isn't even tried");
        assert!(error.to_string().contains("word-counts"), "{error}");
    }
    let found = searcher
        .search(&anybody(), filled.base, &request("sauna", SearchMode::Lexical))
        .await
        .unwrap();
    assert!(!found.passages.is_empty());
}

#[tokio::test]
async fn no_character_of_a_question_is_syntax() {
    let filled = handbook().await;
    for question in [
        "title:sauna AND (",
        "\"sauna",
        "sauna OR *",
        "+sauna -opens",
        "sauna~2^3",
        "[sauna TO",
    ] {
        assert_eq!(
            keys(&filled, &request(question, SearchMode::Lexical)).await[0],
            "sauna",
            "{question}"
        );
    }
}

#[tokio::test]
async fn a_wrong_request_says_what_is_wrong() {
    let filled = handbook().await;
    let mut none = SearchRequest::new("leave");
    none.limit = 0;
    let mut many = SearchRequest::new("leave");
    many.limit = 1_001;
    let wrong = [
        (SearchRequest::new(" \n\t"), "question_empty", ErrorKind::Invalid),
        (
            SearchRequest::new("x".repeat(100_000)),
            "question_too_long",
            ErrorKind::TooLarge,
        ),
        (none, "limit_out_of_range", ErrorKind::Invalid),
        (many, "limit_out_of_range", ErrorKind::Invalid),
    ];
    for (request, code, kind) in wrong {
        let error = filled
            .searcher
            .search(&anybody(), filled.base, &request)
            .await
            .unwrap_err();
        assert_eq!((error.code, error.kind), (code, kind));
    }
    // The longest that is read.
    let longest = "leave ".repeat(3_333);
    assert!(
        !keys(&filled, &request(&longest, SearchMode::Hybrid))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_empty_knowledge_base_has_nothing_relevant() {
    let filled = handbook().await;
    let empty = KnowledgeBaseId::generate();
    let response = filled
        .searcher
        .search(&anybody(), empty, &SearchRequest::new("leave"))
        .await
        .unwrap();
    assert!(response.passages.is_empty() && !response.relevant);
}

/// Prefers short passages.
struct Shortest;

#[async_trait]
impl Reranker for Shortest {
    async fn rerank(&self, _: &str, passages: &[String]) -> Result<Vec<f32>, PortError> {
        Ok(passages
            .iter()
            .map(|passage| 1.0 / passage.len() as f32)
            .collect())
    }
}

#[tokio::test]
async fn a_reranker_has_the_last_word() {
    let filled = handbook().await;
    let searcher = Searcher::new(SearcherParts {
        reranker: Some(Arc::new(Shortest)),
        ..filled.parts.clone()
    });
    let request = SearchRequest::new("parental leave");
    let passages = searcher
        .search(&anybody(), filled.base, &request)
        .await
        .unwrap()
        .passages;
    let lengths: Vec<usize> = passages.iter().map(|hit| whole_length(hit)).collect();
    assert!(lengths.is_sorted(), "{lengths:?}");
    assert!(passages.len() > 2);

    let unjudged = SearchRequest {
        rerank: false,
        ..request
    };
    let as_fused = filled
        .searcher
        .search(&anybody(), filled.base, &unjudged)
        .await
        .unwrap();
    let found = searcher.search(&anybody(), filled.base, &unjudged).await.unwrap();
    let order = |found: &[Hit]| found.iter().map(|hit| hit.chunk).collect::<Vec<_>>();
    assert_eq!(order(&found.passages), order(&as_fused.passages));
}

fn whole_length(passage: &Passage) -> usize {
    passage.text_to_embed().len()
}
