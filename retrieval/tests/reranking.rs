//! Closer judges, with real models on the real runtime: a cross-encoder of three words, and the default embedder by
//! its tokens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;
#[path = "support/tiny_cross_encoder.rs"]
mod tiny_cross_encoder;

use lectern_domain::ports::Reranker;
use lectern_retrieval::{FastReranker, LateInteraction};

use support::model_files;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn a_cross_encoder_judges_each_passage_in_its_place() {
    let Some(embedder) = model_files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = tiny_cross_encoder::write(folder.path(), &embedder.onnx_runtime);
    let reranker = FastReranker::load(&files, 1, 64).unwrap();
    // More than are judged together, and of different lengths.
    let passages = texts(&[
        "fair",
        "poor poor poor",
        "good",
        "poor",
        "fair fair",
        "good poor",
        "poor",
        "x",
        "good",
        "x x",
    ]);
    let judged = reranker.rerank("poor", &passages).await.unwrap();
    let logistic = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    for (passage, relevance) in passages.iter().zip(&judged) {
        let logit = if passage.contains("good") {
            4.0
        } else if passage.contains("fair") {
            3.0
        } else {
            2.0
        };
        assert!(
            (relevance - logistic(logit)).abs() < 1e-6,
            "{passage:?}: {relevance}"
        );
    }
    assert!(reranker.rerank("poor", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_model_that_is_none_is_told_by_its_file() {
    let Some(embedder) = model_files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = tiny_cross_encoder::write(folder.path(), &embedder.onnx_runtime);
    std::fs::write(&files.model, "no model").unwrap();
    let error = FastReranker::load(&files, 1, 64).unwrap_err();
    assert_eq!(error.code(), "model_corrupt");
    assert!(error.to_string().contains("model.onnx"), "{error}");
}

#[tokio::test]
async fn tokens_find_the_sentence_that_answers_among_many_others() {
    let Some(files) = model_files() else { return };
    let reranker = LateInteraction::load(&files, 2, 256).unwrap();
    let about_trains = "The station was built of brick. Its clock was given by the mayor. ";
    let passages = texts(&[
        "Trains run on rails, and rails are laid on sleepers.",
        &format!("{about_trains} Sauna tickets are sold at the desk on Fridays. {about_trains}"),
        about_trains,
    ]);
    let judged = reranker
        .rerank("Where are sauna tickets sold?", &passages)
        .await
        .unwrap();
    assert!(
        judged.iter().all(|relevance| (0.0..=1.0).contains(relevance)),
        "{judged:?}"
    );
    assert!(
        judged[1] > judged[0] + 0.1 && judged[1] > judged[2] + 0.1,
        "{judged:?}"
    );
    // A passage is judged by itself: neither its place nor its neighbours matter.
    let alone = reranker
        .rerank("Where are sauna tickets sold?", &passages[1..2])
        .await
        .unwrap();
    assert_eq!(alone[0], judged[1]);
}
