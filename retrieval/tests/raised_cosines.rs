//! A model whose cosines are never low is judged like one whose cosines are: what is found, in which order, and whether
//! anything was found at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use lectern_domain::ports::{CosineScale, Embedder, Reranker};
use lectern_domain::{Acl, Attributes, Confidence, PortError};
use lectern_retrieval::{SearchMode, SearchRequest, SearchResponse, Searcher, SearcherParts};

use support::word_counts::WordCounts;
use support::{Filled, Text, anybody, fill};

/// Of the words; one more is for what all texts have in common.
const DIMENSIONS: usize = 256;

/// Makes a vector of the words of a text, and adds so much in common that no cosine is less than `floor`.
#[derive(Clone, Copy)]
struct Raised {
    floor: f32,
    scale: CosineScale,
}

impl Raised {
    fn vector(&self, text: &str) -> Vec<f32> {
        let words = WordCounts::vector_of_size(text, DIMENSIONS);
        let own = words.iter().map(|number| number * (1.0 - self.floor).sqrt());
        own.chain([self.floor.sqrt()]).collect()
    }
}

#[async_trait]
impl Embedder for Raised {
    fn model(&self) -> &str {
        "raised"
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS + 1
    }

    fn max_tokens(&self) -> usize {
        256
    }

    fn cosine_scale(&self) -> CosineScale {
        self.scale
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, PortError> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }

    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, PortError> {
        Ok(self.vector(text))
    }
}

async fn filled(embedder: Raised) -> Filled {
    let texts: Vec<Text> = [
        ("leave", "Parental leave is twenty weeks with full pay."),
        ("moving", "A day of leave is given for moving house."),
        ("canteen", "The canteen serves soup on Mondays."),
        ("bicycles", "Bicycles are kept in the yard behind the gate."),
    ]
    .map(|(key, text)| Text {
        key: key.to_owned(),
        title: key.to_owned(),
        text: text.to_owned(),
        acl: Acl::everyone(),
        attributes: Attributes::new(),
    })
    .into();
    let vectors = texts.iter().map(|text| embedder.vector(&text.text)).collect();
    fill(Arc::new(embedder), &texts, vectors).await
}

async fn ask(embedder: Raised, mode: SearchMode, question: &str) -> (Filled, SearchResponse) {
    let filled = filled(embedder).await;
    let request = SearchRequest {
        mode,
        ..SearchRequest::new(question)
    };
    let found = filled.searcher.search(&anybody(), filled.base, &request).await;
    (filled, found.unwrap())
}

fn shown((filled, found): &(Filled, SearchResponse)) -> Vec<(String, Confidence)> {
    let hits = found.passages.iter();
    hits.map(|hit| (filled.keys[&hit.document].clone(), hit.confidence))
        .collect()
}

const PLAIN: Raised = Raised {
    floor: 0.0,
    scale: CosineScale::PLAIN,
};
const RAISED: Raised = Raised {
    floor: 0.7,
    scale: CosineScale::above(0.7),
};

#[tokio::test]
async fn both_models_find_the_same_and_are_as_sure_of_it() {
    let questions = [
        "How many weeks of parental leave with full pay?",
        "Is a day of leave given for moving?",
        "quantum chromodynamics",
    ];
    for mode in [SearchMode::Vector, SearchMode::Hybrid] {
        for question in questions {
            let (plain, raised) = (
                ask(PLAIN, mode, question).await,
                ask(RAISED, mode, question).await,
            );
            assert_eq!(shown(&plain), shown(&raised), "{question}");
            assert_eq!(plain.1.relevant, raised.1.relevant, "{question}");
            for (one, other) in plain.1.passages.iter().zip(&raised.1.passages) {
                let (one, other) = (one.score.value(), other.score.value());
                assert!((one - other).abs() < 1e-3, "{question}: {one} and {other}");
            }
        }
    }
}

#[tokio::test]
async fn without_its_scale_such_a_model_would_find_everything_relevant() {
    let question = "quantum chromodynamics";
    assert!(!ask(RAISED, SearchMode::Vector, question).await.1.relevant);
    let unsaid = Raised {
        scale: CosineScale::PLAIN,
        ..RAISED
    };
    assert!(ask(unsaid, SearchMode::Vector, question).await.1.relevant);
}

/// Judges no knowledge base of the model [`Raised`].
struct ForOthers;

#[async_trait]
impl Reranker for ForOthers {
    fn judges(&self, embedding_model: &str) -> bool {
        embedding_model != "raised"
    }

    async fn rerank(&self, _: &str, _: &[String]) -> Result<Vec<f32>, PortError> {
        panic!("it was asked for what it doesn't judge")
    }
}

#[tokio::test]
async fn a_reranker_is_asked_only_where_it_judges() {
    let filled = filled(RAISED).await;
    let searcher = Searcher::new(SearcherParts {
        reranker: Some(Arc::new(ForOthers)),
        ..filled.parts.clone()
    });
    let request = SearchRequest::new("parental leave");
    let found = searcher.search(&anybody(), filled.base, &request).await.unwrap();
    assert!(!found.passages.is_empty());
}
