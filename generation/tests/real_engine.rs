//! The promises of the engine, with the real small model. `LECTERN_TEST_MODELS` names a model folder;
//! without it these tests say that they were skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::let_underscore_must_use,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use futures::StreamExt;
use lectern_domain::TokenUsage;
use lectern_domain::ports::{FinishReason, Generator, GeneratorEvent, Message, Prompt, Role};
use lectern_generation::catalogue::{Catalogue, ModelName, ModelStore};
use lectern_generation::engine::{MistralGenerator, MistralSettings};

/// The small model, loaded once for all tests; `None` (and a word about it) where there is none.
async fn small_model() -> Option<Arc<MistralGenerator>> {
    let Some(folder) = std::env::var_os("LECTERN_TEST_MODELS") else {
        eprintln!(
            "SKIPPED: LECTERN_TEST_MODELS names no folder with the model {}",
            ModelName::SMALL_GENERATOR
        );
        return None;
    };
    let catalogue = Catalogue::builtin();
    let entry = catalogue.find(ModelName::SMALL_GENERATOR.as_str()).unwrap();
    let gguf = ModelStore::new(folder).require(entry).unwrap().gguf().unwrap();
    let settings = MistralSettings {
        context_tokens: 1_024,
        ..MistralSettings::new(entry.name.as_str(), gguf)
    };
    Some(Arc::new(MistralGenerator::load(settings).unwrap()))
}

fn prompt(question: &str, max_output_tokens: usize) -> Prompt {
    let message = |role, text: &str| Message {
        role,
        text: text.to_owned(),
    };
    Prompt {
        messages: vec![
            message(Role::System, "Answer in one sentence."),
            message(Role::User, question),
        ],
        max_output_tokens,
    }
}

async fn answer(generator: &MistralGenerator, prompt: Prompt) -> (String, FinishReason, TokenUsage) {
    let mut events = generator.generate(prompt).await.unwrap();
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event.unwrap() {
            GeneratorEvent::Token(token) => text.push_str(&token),
            GeneratorEvent::Done { finish, usage } => {
                assert!(events.next().await.is_none());
                return (text, finish, usage);
            }
        }
    }
    panic!("the stream ended without an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_counts_repeats_and_can_be_left() {
    let Some(generator) = small_model().await else {
        return;
    };
    let (text, finish, usage) = answer(&generator, prompt("What is the capital of France?", 48)).await;
    assert!(text.contains("Paris"), "{text}");
    assert_eq!(finish, FinishReason::Stop);
    assert!(usage.output_tokens > 0 && usage.output_tokens <= 48, "{usage:?}");
    assert!(usage.first_token_ms > 0.0 && usage.output_ms > 0.0, "{usage:?}");

    // What is counted beside the engine is what the engine counts, but for the template's marks.
    let counted = generator.count_tokens("Answer in one sentence.")
        + generator.count_tokens("What is the capital of France?");
    let marks = i64::from(usage.prompt_tokens) - i64::try_from(counted).unwrap();
    assert!(
        (6..=16).contains(&marks),
        "{counted} tokens were counted, the engine says {usage:?}"
    );

    let again = answer(&generator, prompt("What is the capital of France?", 48)).await;
    assert_eq!(again.0, text);

    // A reader that leaves in the middle leaves the engine in good health.
    let mut left = generator
        .generate(prompt("Write a long poem about the sea.", 400))
        .await
        .unwrap();
    assert!(matches!(left.next().await, Some(Ok(GeneratorEvent::Token(_)))));
    drop(left);
    let never_read = generator
        .generate(prompt("Write a long poem about the wind.", 400))
        .await
        .unwrap();
    drop(never_read);
    let (text, finish, usage) = answer(&generator, prompt("Count from one to a hundred.", 5)).await;
    assert_eq!((finish, usage.output_tokens), (FinishReason::Length, 5), "{text}");

    // A reader that doesn't read doesn't hold up the next one.
    let idle = generator
        .generate(prompt("Write about stones.", 64))
        .await
        .unwrap();
    answer(&generator, prompt("Say hello.", 8)).await;
    drop(idle);

    let refusal = generator
        .generate(prompt(&"word ".repeat(2_000), 8))
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refusal.code, "prompt_too_long");
}

#[tokio::test]
async fn a_file_that_is_no_model_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.gguf");
    std::fs::write(&path, b"GGUF and then nothing").unwrap();
    let error = MistralGenerator::load(MistralSettings::new("broken", &path)).unwrap_err();
    assert_eq!(error.code(), "gguf_unreadable");
    assert!(error.to_string().contains("broken.gguf"), "{error}");
}
