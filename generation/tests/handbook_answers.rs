//! What the default generator makes of the handbook in `examples`: right, cited, short.
//!
//! Takes minutes on a CPU and 1.1 GB of weights, so it runs only when asked for:
//! `LECTERN_TEST_MODELS=FOLDER cargo test --release -p lectern-generation --test handbook_answers -- --ignored --nocapture`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use lectern_domain::{
    AnswerEvent, ChunkId, Confidence, DocumentId, KnowledgeBaseId, Passage, Score, SourceId, TextSpan,
    TokenUsage, Version,
};
use lectern_generation::catalogue::{Catalogue, ModelName, ModelStore};
use lectern_generation::engine::{MistralGenerator, MistralSettings};
use lectern_generation::{Admission, AdmissionSettings, AnswerSettings, Answerer, AnswererParts};

/// A question, the pages of the handbook that a search might find, best first, and what a right answer
/// says (any of these; none for a question that the pages don't answer).
struct Case(&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    Case(
        "How many weeks of parental leave at full pay do I get?",
        &["people/parental-leave.md", "people/annual-leave.md"],
        &["20"],
    ),
    Case(
        "How much do you pay per kilometre for a private car?",
        &["people/expenses.md", "people/travel.md"],
        &["0.34"],
    ),
    Case(
        "When are laptops replaced, and what does the old one cost?",
        &["it/laptops.md", "security/lost-device.md"],
        &["120"],
    ),
    Case(
        "Who approves an expense claim of 3,000 euros?",
        &["people/expenses.md", "people/travel.md"],
        &["Finance Lead"],
    ),
    Case(
        "What is the limit for dinner on a business trip?",
        &["people/travel.md", "people/expenses.md"],
        &["35"],
    ),
    Case(
        "How fast must I acknowledge a page when on call?",
        &["engineering/on-call.md", "engineering/incident-response.md"],
        &["15 minutes"],
    ),
    Case(
        "The VPN shows error 619. What should I do?",
        &["it/wifi-and-vpn.txt", "it/accounts-and-passwords.md"],
        &["hotspot"],
    ),
    Case(
        "What does the company pay for a hotel in Paris?",
        &["people/travel.md", "people/expenses.md"],
        &["190"],
    ),
    Case(
        "How long is the warranty of a forklift?",
        &["support/returns.md", "it/laptops.md"],
        &[],
    ),
    Case(
        "Who won the football world cup in 2018?",
        &["people/annual-leave.md", "people/learning-budget.md"],
        &[],
    ),
];

/// The passages of a page: its sections, packed until they have some 150 words.
fn passages(page: &str) -> Vec<Passage> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let title = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
    let document = DocumentId::derive(SourceId::derive(KnowledgeBaseId::generate(), "handbook"), page);
    let mut packed: Vec<String> = vec![String::new()];
    for paragraph in text.split("\n\n").skip(1) {
        let words = |text: &str| text.split_whitespace().count();
        if packed
            .last()
            .is_some_and(|last| words(last) + words(paragraph) > 150)
        {
            packed.push(String::new());
        }
        let last = packed.last_mut().unwrap();
        last.push_str(paragraph);
        last.push_str("\n\n");
    }
    let passage = |(ordinal, text): (u32, String)| Passage {
        chunk: ChunkId::derive(document, Version::FIRST, ordinal),
        document,
        version: Version::FIRST,
        title: title.clone(),
        uri: format!("file:///{page}"),
        heading_path: Vec::new(),
        page: None,
        span: TextSpan {
            start: 0,
            end: text.len(),
        },
        text,
        table_header: None,
        parent: None,
        score: Score::clamped(0.5),
        confidence: Confidence::High,
    };
    (0..).zip(packed).map(passage).collect()
}

async fn answer(answerer: &Answerer, case: &Case) -> (String, Vec<String>, TokenUsage) {
    let passages: Vec<Passage> = case.1.iter().flat_map(|page| passages(page)).collect();
    let mut events = answerer.answer(case.0, passages, true).await.unwrap();
    while let Some(event) = events.next().await {
        if let AnswerEvent::Done {
            text,
            citations,
            usage,
            ..
        } = event.unwrap()
        {
            return (
                text,
                citations
                    .into_iter()
                    .map(|citation| citation.passage.uri)
                    .collect(),
                usage,
            );
        }
    }
    panic!("{}: the answer has no end", case.0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and the default generator"]
async fn the_handbook_is_answered_from() {
    let folder = std::env::var_os("LECTERN_TEST_MODELS").expect("LECTERN_TEST_MODELS names a model folder");
    let catalogue = Catalogue::builtin();
    let entry = catalogue.find(ModelName::GENERATOR.as_str()).unwrap();
    let gguf = ModelStore::new(folder).require(entry).unwrap().gguf().unwrap();
    let generator = MistralGenerator::load(MistralSettings::new(entry.name.as_str(), gguf)).unwrap();
    generator.warm_up().await.unwrap();
    let answerer = Answerer::new(AnswererParts {
        generator: Arc::new(generator),
        embedder: None,
        admission: Admission::new(AdmissionSettings::default()),
        settings: AnswerSettings::default(),
    });

    let mut right = 0;
    for case in CASES {
        let (text, cited, usage) = answer(&answerer, case).await;
        let is_right = match case.2 {
            [] => text.contains("don't know") && cited.is_empty(),
            facts => {
                facts.iter().any(|fact| text.contains(fact))
                    && cited
                        .iter()
                        .any(|uri| uri.ends_with(case.1[0]) || uri.ends_with(case.1[1]))
                    && text.split_whitespace().count() <= 80
            }
        };
        right += usize::from(is_right);
        eprintln!(
            "{} {}\n  {text}\n  {cited:?} {} prompt tokens, {} output tokens, first after {:.1} s, then {:.1} s",
            if is_right { "right" } else { "WRONG" },
            case.0,
            usage.prompt_tokens,
            usage.output_tokens,
            usage.first_token_ms / 1e3,
            usage.output_ms / 1e3,
        );
    }
    eprintln!("{right} of {} are right", CASES.len());
    assert!(right * 10 >= CASES.len() * 8, "{right} of {}", CASES.len());
}
