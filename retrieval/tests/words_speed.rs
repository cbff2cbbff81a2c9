//! How fast the index of words answers, and how large it is.
//!
//! This measures rather than proves, and needs data from outside:
//! `LECTERN_TEST_DATA=... cargo test --release -p lectern-retrieval --test words_speed -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery};
use lectern_domain::{
    Acl, Attributes, Chunk, ChunkId, DocumentId, DocumentMetadata, Filter, KnowledgeBaseId, SourceId,
    TextSpan, Version, WordQuery,
};
use lectern_retrieval::TantivyWords;

use support::{anybody, shared_data};

/// Words of a piece.
const PIECE_WORDS: usize = 60;

/// The articles in pieces, each article a document with a category, a number and a date.
fn entries(folder: &Path, base: KnowledgeBaseId) -> Vec<IndexEntry> {
    let mut files: Vec<_> = fs::read_dir(folder.join("articles"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let mut entries = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let document = DocumentId::derive(SourceId::derive(base, "speed"), &name);
        let attributes: Attributes = serde_json::from_value(serde_json::json!({
            "title": name, "category": format!("c{}", number % 10), "pages": number,
            "modified": format!("20{:02}-01-01T00:00:00Z", number % 100),
        }))
        .unwrap();
        let metadata = Arc::new(DocumentMetadata {
            acl: Acl::everyone(),
            attributes,
        });
        let text = fs::read_to_string(file).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        for (ordinal, some) in (0..).zip(words.chunks(PIECE_WORDS)) {
            let text = some.join(" ");
            let chunk = Chunk {
                id: ChunkId::derive(document, Version::FIRST, ordinal),
                knowledge_base: base,
                document,
                version: Version::FIRST,
                ordinal,
                title: name.replace('_', " "),
                heading_path: Vec::new(),
                page: None,
                span: TextSpan {
                    start: 0,
                    end: text.len(),
                },
                text,
                table_header: None,
                token_count: 0,
            };
            entries.push(IndexEntry {
                chunk,
                metadata: Arc::clone(&metadata),
                vector: Vec::new(),
            });
        }
    }
    entries
}

fn questions(folder: &Path) -> Vec<String> {
    let lines = fs::read_to_string(folder.join("queries.jsonl")).unwrap();
    let text = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].clone();
    lines
        .lines()
        .map(|line| text(line).as_str().unwrap().to_owned())
        .collect()
}

fn bytes_under(folder: &Path) -> u64 {
    let size = |path: &Path| match path.is_dir() {
        true => bytes_under(path),
        false => path.metadata().unwrap().len(),
    };
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| size(&entry.unwrap().path()))
        .sum()
}

/// What the threads of this process have computed so far, where the system tells (Linux).
fn cpu_milliseconds() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = tasks.filter_map(|task| {
        let spent = fs::read_to_string(task.path().join("schedstat")).ok()?;
        spent.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1_000_000.0
}

async fn time(index: &TantivyWords, base: KnowledgeBaseId, questions: &[String], filter: Option<&Filter>) {
    let mut times: Vec<f64> = Vec::new();
    let mut found = 0;
    let computed = cpu_milliseconds();
    for question in questions {
        let query = IndexQuery {
            words: &WordQuery::plain(question),
            vector: &[],
            filter,
            documents: None,
        };
        let started = Instant::now();
        found += index.search(base, query, &anybody(), 200).await.unwrap().len();
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let computed = (cpu_milliseconds() - computed) / questions.len() as f64;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{:60} p50 {:.2} ms  p99 {:.2} ms  computed {computed:.2} ms  {found} found",
        filter.map_or("no filter".to_owned(), |filter| serde_json::to_string(filter)
            .unwrap()),
        at(0.5),
        at(0.99)
    );
}

#[tokio::test]
#[ignore = "measures the index of words; needs data from outside"]
async fn speed() {
    let (Some(articles), Some(asked)) = (shared_data("squad"), shared_data("xquad-en")) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let index = TantivyWords::open(directory.path()).unwrap();
    let base = KnowledgeBaseId::generate();
    let entries = entries(&articles, base);
    let (started, computed) = (Instant::now(), cpu_milliseconds());
    for some in entries.chunks(500) {
        index.upsert(base, some).await.unwrap();
    }
    index.commit(base).await.unwrap();
    println!(
        "{} chunks written in {:?}, computed {:.0} ms",
        entries.len(),
        started.elapsed(),
        cpu_milliseconds() - computed
    );
    index.optimize(base).await.unwrap();
    index.commit(base).await.unwrap();
    println!("{} bytes", bytes_under(directory.path()));
    let questions = questions(&asked);
    time(&index, base, &questions, None).await;
    time(&index, base, &questions, None).await;
    for filter in [
        r#"{"equals":{"attribute":"category","value":"c3"}}"#,
        r#"{"range":{"attribute":"pages","above":250}}"#,
        r#"{"range":{"attribute":"pages","above":484}}"#,
        r#"{"range":{"attribute":"modified","at_least":"2090-01-01"}}"#,
    ] {
        let filter: Filter = serde_json::from_str(filter).unwrap();
        time(&index, base, &questions, Some(&filter)).await;
    }
}
