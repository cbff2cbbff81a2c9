//! How good the ranking is, on collections with judgements, and how well a foreign question is told
//! from one that can be answered.
//!
//! These measure rather than prove, take minutes, and need models and data from outside:
//! `LECTERN_TEST_MODELS=... LECTERN_TEST_DATA=... cargo test --release -p lectern-retrieval --test ranking -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use lectern_domain::ports::Embedder;
use lectern_domain::{Acl, Attributes};
use lectern_retrieval::{EmbedderSettings, FastEmbedder, SearchMode, SearchRequest};
use serde_json::Value;

use support::{Filled, Text, anybody, fill, model_files, shared_data};

/// A collection in BEIR layout.
struct Collection {
    name: &'static str,
    texts: Vec<Text>,
    questions: Vec<(String, String)>,
    /// By question: how relevant each text is.
    judgements: HashMap<String, HashMap<String, f64>>,
}

fn read_collection(name: &'static str) -> Option<Collection> {
    let folder = shared_data(name)?;
    let lines = |file: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let field = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let texts = lines("corpus.jsonl")
        .iter()
        .map(|line| Text {
            key: field(line, "_id"),
            title: field(line, "title"),
            text: field(line, "text"),
            acl: Acl::everyone(),
            attributes: Attributes::new(),
        })
        .collect();
    let questions = lines("queries.jsonl")
        .iter()
        .map(|line| (field(line, "_id"), field(line, "text")))
        .collect();
    Some(Collection {
        name,
        texts,
        questions,
        judgements: read_judgements(&folder.join("qrels.tsv")),
    })
}

fn read_judgements(file: &Path) -> HashMap<String, HashMap<String, f64>> {
    let mut judgements: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for line in fs::read_to_string(file).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let grade: f64 = fields[2].parse().unwrap();
        judgements
            .entry(fields[0].to_owned())
            .or_default()
            .insert(fields[1].to_owned(), grade);
    }
    judgements
}

/// nDCG with gains of `grade` and a discount of `log2(rank + 1)`, as `trec_eval` has it.
fn ndcg(ranked: &[String], grades: &HashMap<String, f64>, depth: usize) -> f64 {
    let discounted = |gains: &[f64]| -> f64 {
        let terms = gains.iter().take(depth).enumerate();
        terms.map(|(rank, gain)| gain / ((rank + 2) as f64).log2()).sum()
    };
    let gains: Vec<f64> = ranked
        .iter()
        .map(|key| grades.get(key).copied().unwrap_or(0.0))
        .collect();
    let mut ideal: Vec<f64> = grades.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best = discounted(&ideal);
    if best == 0.0 {
        0.0
    } else {
        discounted(&gains) / best
    }
}

fn recall(ranked: &[String], grades: &HashMap<String, f64>, depth: usize) -> f64 {
    let relevant = grades.values().filter(|grade| **grade > 0.0).count();
    let found = ranked
        .iter()
        .take(depth)
        .filter(|key| grades.get(*key).is_some_and(|grade| *grade > 0.0));
    found.count() as f64 / relevant.max(1) as f64
}

fn embedder() -> Option<Arc<dyn Embedder>> {
    let settings = EmbedderSettings::for_this_machine("all-minilm-l6-v2-int8");
    Some(Arc::new(FastEmbedder::load(&model_files()?, settings).unwrap()))
}

/// The vectors of a collection, kept between runs beside the other temporary files.
async fn vectors(collection: &Collection, embedder: &dyn Embedder) -> Vec<Vec<f32>> {
    let file = std::env::temp_dir().join(format!("lectern-ranking-int8-{}.json", collection.name));
    if let Ok(text) = fs::read_to_string(&file) {
        let vectors: Vec<Vec<f32>> = serde_json::from_str(&text).unwrap();
        if vectors.len() == collection.texts.len() {
            return vectors;
        }
    }
    let texts = collection
        .texts
        .iter()
        .map(|text| lectern_domain::chunk::text_to_embed(&text.title, &[], None, &text.text));
    let vectors = embedder.embed(texts.collect()).await.unwrap();
    fs::write(&file, serde_json::to_string(&vectors).unwrap()).unwrap();
    vectors
}

/// nDCG@10 and Recall@100, over all questions with judgements.
async fn measure(collection: &Collection, filled: &Filled, mode: SearchMode) -> (f64, f64) {
    let (mut sum_ndcg, mut sum_recall, mut count) = (0.0, 0.0, 0);
    for (id, text) in &collection.questions {
        let Some(grades) = collection.judgements.get(id) else {
            continue;
        };
        let request = SearchRequest {
            mode,
            limit: 100,
            per_document: Some(1),
            ..SearchRequest::new(text)
        };
        let response = filled
            .searcher
            .search(&anybody(), filled.base, &request)
            .await
            .unwrap();
        let ranked: Vec<String> = response
            .passages
            .iter()
            .map(|passage| filled.keys[&passage.document].clone())
            .collect();
        sum_ndcg += ndcg(&ranked, grades, 10);
        sum_recall += recall(&ranked, grades, 100);
        count += 1;
    }
    (sum_ndcg / f64::from(count), sum_recall / f64::from(count))
}

async fn rank(name: &'static str, least: [(SearchMode, f64); 3]) {
    let Some(collection) = read_collection(name) else {
        return;
    };
    let Some(embedder) = embedder() else { return };
    let vectors = vectors(&collection, embedder.as_ref()).await;
    let filled = fill(embedder, &collection.texts, vectors).await;
    let mut too_low = Vec::new();
    for (mode, least) in least {
        let (ndcg, recall) = measure(&collection, &filled, mode).await;
        println!("{name:10} {mode:8} nDCG@10 {ndcg:.4}  Recall@100 {recall:.4}");
        if ndcg < least {
            too_low.push(format!("{mode}: {ndcg:.4} where {least} was reached before"));
        }
    }
    assert!(too_low.is_empty(), "{name}: {too_low:?}");
}

#[tokio::test]
#[ignore = "measures the ranking; takes minutes and needs models and data from outside"]
async fn cranfield() {
    let least = [
        (SearchMode::Lexical, 0.385),
        (SearchMode::Vector, 0.395),
        (SearchMode::Hybrid, 0.43),
    ];
    rank("cranfield", least).await;
}

#[tokio::test]
#[ignore = "measures the ranking; takes minutes and needs models and data from outside"]
async fn xquad() {
    let least = [
        (SearchMode::Lexical, 0.960),
        (SearchMode::Vector, 0.940),
        (SearchMode::Hybrid, 0.960),
    ];
    rank("xquad-en", least).await;
}

/// The Markdown and the plain text of the example handbook in pieces of up to 150 words, and the
/// questions that they answer.
fn handbook() -> Collection {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let is_read = |name: &str| name.ends_with(".md") || name.ends_with(".txt");
    let folders = fs::read_dir(root.join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut texts = Vec::new();
    for folder in folders.filter(|path| path.is_dir()) {
        for file in fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            if is_read(&file.to_string_lossy()) {
                texts.extend(pieces(&file));
            }
        }
    }
    let questions = fs::read_to_string(root.join("tests/fixtures/handbook-questions.json")).unwrap();
    let questions: Vec<Value> = serde_json::from_str(&questions).unwrap();
    let answered = questions
        .iter()
        .filter(|question| question["document"].as_str().is_some_and(is_read));
    let questions = answered.enumerate().map(|(number, question)| {
        (
            number.to_string(),
            question["question"].as_str().unwrap().to_owned(),
        )
    });
    Collection {
        name: "handbook",
        texts,
        questions: questions.collect(),
        judgements: HashMap::new(),
    }
}

fn pieces(file: &Path) -> Vec<Text> {
    let text = fs::read_to_string(file).unwrap();
    let title = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches('#')
        .trim();
    let words = |text: &str| text.split_whitespace().count();
    let mut pieces = vec![String::new()];
    for paragraph in text.split("\n\n") {
        let last = pieces.last_mut().unwrap();
        if words(last) + words(paragraph) > 150 {
            pieces.push(paragraph.to_owned());
        } else {
            last.push_str(paragraph);
            last.push_str("\n\n");
        }
    }
    let piece = |text| Text {
        key: file.display().to_string(),
        title: title.to_owned(),
        text,
        acl: Acl::everyone(),
        attributes: Attributes::new(),
    };
    pieces.into_iter().map(piece).collect()
}

/// How many of the questions of one collection another one refuses.
async fn refused(asked: &Collection, filled: &Filled) -> usize {
    let mut refused = 0;
    for (_, text) in &asked.questions {
        let request = SearchRequest::new(text);
        let response = filled
            .searcher
            .search(&anybody(), filled.base, &request)
            .await
            .unwrap();
        refused += usize::from(!response.relevant);
    }
    refused
}

#[tokio::test]
#[ignore = "measures what is refused; takes minutes and needs models and data from outside"]
async fn calibration() {
    let (Some(cranfield), Some(mut xquad)) = (read_collection("cranfield"), read_collection("xquad-en"))
    else {
        return;
    };
    let Some(embedder) = embedder() else { return };
    // Every third is enough.
    xquad.questions = xquad.questions.into_iter().step_by(3).collect();
    let collections = [cranfield, xquad, handbook()];
    let (mut own, mut foreign) = ((0, 0), (0, 0));
    for base in &collections {
        let vectors = vectors(base, embedder.as_ref()).await;
        let filled = fill(Arc::clone(&embedder), &base.texts, vectors).await;
        for asked in &collections {
            let (refused, of) = (refused(asked, &filled).await, asked.questions.len());
            println!(
                "{:10} asked {:10} refused {refused:4} of {of:4}",
                base.name, asked.name
            );
            let sum = if asked.name == base.name {
                &mut own
            } else {
                &mut foreign
            };
            *sum = (sum.0 + refused, sum.1 + of);
        }
    }
    println!("own refused {own:?}, foreign refused {foreign:?}");
    assert!(
        own.0 * 100 < own.1 * 2,
        "fewer than 2 % of the questions with an answer are refused"
    );
    assert!(
        foreign.0 * 100 > foreign.1 * 95,
        "more than 95 % of the foreign questions are refused"
    );
}
