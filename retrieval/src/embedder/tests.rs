//! What the real models must do. Needs `LECTERN_TEST_MODELS`, a folder as the model store makes it.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The default model, and the same computing with floats.
const MODELS: [&str; 2] = ["all-minilm-l6-v2-int8", "all-minilm-l6-v2"];

/// The files of the default model, or `None`, said aloud, where this machine hasn't got them.
fn files() -> Option<EmbedderFiles> {
    files_of(MODELS[0])
}

fn files_of(name: &str) -> Option<EmbedderFiles> {
    let Some(models) = std::env::var_os("LECTERN_TEST_MODELS").map(PathBuf::from) else {
        println!("SKIPPED: no models (set LECTERN_TEST_MODELS to a folder made by `lectern models pull`)");
        return None;
    };
    let model = models.join(name);
    Some(EmbedderFiles {
        model: file_like(&model, ".onnx"),
        tokenizer: model.join("tokenizer.json"),
        config: model.join("config.json"),
        special_tokens_map: model.join("special_tokens_map.json"),
        tokenizer_config: model.join("tokenizer_config.json"),
        onnx_runtime: file_like(&models.join("onnxruntime"), "libonnxruntime"),
    })
}

fn file_like(directory: &Path, part: &str) -> PathBuf {
    let mut files = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.file_name().unwrap().to_string_lossy().contains(part))
        .unwrap_or_else(|| panic!("no {part} in {}", directory.display()))
}

fn settings(sessions: usize) -> EmbedderSettings {
    EmbedderSettings {
        sessions,
        query_threads: 1,
        ..EmbedderSettings::for_this_machine("a model")
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_have_unit_length_and_depend_on_their_own_text_alone() {
    for files in MODELS.into_iter().filter_map(files_of) {
        let embedder = FastEmbedder::load(&files, settings(2)).unwrap();
        assert_eq!(embedder.dimensions(), 384);
        let text = "Parental leave is twenty weeks.".to_owned();
        let alone = embedder.embed(vec![text.clone()]).await.unwrap();
        let among = embedder
            .embed(vec![
                "word ".repeat(400),
                text.clone(),
                "x".to_owned(),
                text.clone(),
                String::new(),
            ])
            .await
            .unwrap();
        assert_eq!(among.len(), 5);
        for vector in &among {
            let length = cosine(vector, vector).sqrt();
            assert!((length - 1.0).abs() < 1e-4, "length {length}");
        }
        assert_eq!(alone[0], among[1], "its neighbours don't matter");
        assert_eq!(alone[0], among[3], "nor does the session");
        assert!(cosine(&alone[0], &embedder.embed_query(&text).await.unwrap()) > 0.9999);
    }
}

/// A model whose prefixes are nothing special still shows where they go.
#[tokio::test]
async fn questions_and_texts_are_read_behind_their_prefixes() {
    let Some(files) = files() else { return };
    let plain = FastEmbedder::load(&files, settings(1)).unwrap();
    let prefixes = Prefixes {
        question: "query: ".to_owned(),
        document: "passage: ".to_owned(),
    };
    let with_prefixes = EmbedderSettings {
        prefixes,
        ..settings(1)
    };
    let told = FastEmbedder::load(&files, with_prefixes).unwrap();
    let text = "Parental leave is twenty weeks.";
    let near = |one: &[f32], other: &[f32]| cosine(one, other) > 0.9999;

    let question = told.embed_query(text).await.unwrap();
    assert!(near(
        &question,
        &plain.embed_query(&format!("query: {text}")).await.unwrap()
    ));
    let document = told.embed(vec![text.to_owned()]).await.unwrap();
    let written_out = plain.embed(vec![format!("passage: {text}")]).await.unwrap();
    assert!(near(&document[0], &written_out[0]));
    assert!(!near(&document[0], &question) && !near(&document[0], &plain.embed_query(text).await.unwrap()));
}

#[tokio::test]
async fn the_model_on_integers_says_nearly_the_same_as_the_one_on_floats() {
    let (Some(integers), Some(floats)) = (files_of(MODELS[0]), files_of(MODELS[1])) else {
        return;
    };
    let texts = [
        "Parental leave is twenty weeks.",
        "The canteen serves soup on Mondays, and whoever comes after two finds that there is none left.",
        "x",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    let vectors = |files: EmbedderFiles| {
        let texts = texts.clone();
        async move {
            let embedder = FastEmbedder::load(&files, settings(1)).unwrap();
            embedder.embed(texts).await.unwrap()
        }
    };
    let (integers, floats) = (vectors(integers).await, vectors(floats).await);
    for (number, (one, other)) in integers.iter().zip(&floats).enumerate() {
        let cosine = cosine(one, other);
        assert!((0.98..0.999_999).contains(&cosine), "text {number}: {cosine}");
    }
}

#[tokio::test]
async fn what_means_the_same_is_nearer() {
    let Some(files) = files() else { return };
    let embedder = FastEmbedder::load(&files, settings(1)).unwrap();
    let question = embedder
        .embed_query("How long may new parents stay at home?")
        .await
        .unwrap();
    let texts = [
        "Parental leave is twenty weeks.",
        "The canteen serves soup on Mondays.",
    ];
    let vectors = embedder.embed(texts.map(str::to_owned).to_vec()).await.unwrap();
    assert!(cosine(&question, &vectors[0]) > cosine(&question, &vectors[1]) + 0.2);
}

#[test]
fn a_damaged_model_is_told_apart_from_a_missing_one() {
    let Some(files) = files() else { return };
    let directory = tempfile::tempdir().unwrap();
    let damaged = directory.path().join("model.onnx");
    let mut bytes = fs::read(&files.model).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&damaged, bytes).unwrap();

    let load = |model: &Path| {
        let files = EmbedderFiles {
            model: model.to_owned(),
            ..files.clone()
        };
        FastEmbedder::load(&files, settings(2)).unwrap_err()
    };
    let error = load(&damaged);
    assert_eq!(error.code(), "model_corrupt");
    assert!(
        error.to_string().contains(&damaged.display().to_string()),
        "{error}"
    );
    let error = load(Path::new("/nonexistent/model.onnx"));
    assert_eq!(error.code(), "model_file_missing");
}

#[test]
fn a_missing_library_is_an_error_and_no_panic() {
    let nowhere = PathBuf::from("/nonexistent/libonnxruntime.so");
    let files = EmbedderFiles {
        model: nowhere.clone(),
        tokenizer: nowhere.clone(),
        config: nowhere.clone(),
        special_tokens_map: nowhere.clone(),
        tokenizer_config: nowhere.clone(),
        onnx_runtime: nowhere.clone(),
    };
    let error = FastEmbedder::load(&files, settings(1)).unwrap_err();
    assert_eq!(error.code(), "model_file_missing");

    let directory = tempfile::tempdir().unwrap();
    let no_library = directory.path().join("libonnxruntime.so");
    fs::write(&no_library, "not a library").unwrap();
    let files = EmbedderFiles {
        onnx_runtime: no_library,
        ..files
    };
    let error = FastEmbedder::load(&files, settings(1)).unwrap_err();
    assert_eq!(error.code(), "model_corrupt");
}
