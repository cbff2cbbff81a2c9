//! Which PDF engine comes first: both on real papers, beside Poppler's `pdftotext` as a reference from outside.
//!
//! `LECTERN_TEST_DATA=DIR cargo test --release -p lectern-ingest --test pdf_engines -- --nocapture` prints a table of
//! the papers in `DIR/aragog/papers_for_questions`. Without that folder the test says that it is skipped.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test may fail")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use lectern_ingest::extract::pdf::{Document, Engine, Quality, pages};

const ENGINES: [(&str, Engine); 2] = [
    ("pdf_oxide", Engine::PdfOxide),
    ("pdf-extract", Engine::PdfExtract),
];

fn papers() -> Option<Vec<PathBuf>> {
    let folder = Path::new(&std::env::var_os("LECTERN_TEST_DATA")?).join("aragog/papers_for_questions");
    let mut papers: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .map(|entry| entry.unwrap().path())
        .collect();
    papers.sort();
    Some(papers)
}

fn text(document: &Document) -> String {
    let pages: Vec<&str> = document.pages.iter().flatten().map(String::as_str).collect();
    pages
        .join("\n")
        .replace('\u{fb01}', "fi")
        .replace('\u{fb02}', "fl")
        .replace('\u{fb00}', "ff")
}

/// Words of three letters or more with how often they occur.
fn words(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text
        .split(|character: char| !character.is_alphabetic())
        .filter(|word| word.chars().count() > 2)
    {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    words
}

fn reference(paper: &Path) -> Option<HashMap<String, usize>> {
    let output = Command::new("pdftotext").arg(paper).arg("-").output().ok()?;
    Some(words(&String::from_utf8_lossy(&output.stdout)))
}

/// The part of the reference's words that the text has, each as often as it occurs.
fn recall(text: &str, reference: &HashMap<String, usize>) -> f64 {
    let found = words(text);
    let shared: usize = reference
        .iter()
        .map(|(word, count)| *found.get(word).unwrap_or(&0).min(count))
        .sum();
    shared as f64 / reference.values().sum::<usize>().max(1) as f64
}

#[test]
fn the_first_engine_reads_papers_better_than_the_second() {
    let Some(papers) = papers() else {
        eprintln!("skipped: LECTERN_TEST_DATA names no folder with aragog/papers_for_questions");
        return;
    };
    println!("| paper | engine | pages | failed | ms | single letters | mean length | words of pdftotext |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut sums = [(0_usize, 0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64); 2];
    let mut has_reference = true;
    for paper in &papers {
        let bytes = std::fs::read(paper).unwrap();
        let reference = reference(paper);
        has_reference &= reference.is_some();
        for ((name, engine), sum) in ENGINES.iter().zip(&mut sums) {
            let begun = Instant::now();
            let outcome = pages(*engine, &bytes);
            let ms = begun.elapsed().as_secs_f64() * 1000.0;
            let document = outcome.unwrap_or_default();
            let failed = document.pages.iter().filter(|page| page.is_err()).count()
                + usize::from(document.pages.is_empty());
            let text = text(&document);
            let quality = Quality::of(&text);
            let recall = reference
                .as_ref()
                .map_or(f64::NAN, |reference| recall(&text, reference));
            let (single, mean) = (quality.single_letter_share, quality.mean_length);
            println!(
                "| {} | {name} | {} | {failed} | {ms:.0} | {single:.3} | {mean:.2} | {recall:.3} |",
                paper.file_stem().unwrap().to_string_lossy(),
                document.pages.len()
            );
            *sum = (
                sum.0 + failed,
                sum.1 + ms,
                sum.2 + single,
                sum.3 + mean,
                sum.4 + recall,
            );
        }
    }
    let count = papers.len() as f64;
    for ((name, _), (failed, ms, single, mean, recall)) in ENGINES.iter().zip(sums) {
        println!(
            "| all {} | {name} | | {failed} | {:.0} | {:.3} | {:.2} | {:.3} |",
            papers.len(),
            ms / count,
            single / count,
            mean / count,
            recall / count
        );
    }
    if has_reference {
        let [first, second] = sums;
        assert!(first.0 <= second.0, "the first engine fails more often");
        assert!(first.4 >= second.4, "the first engine finds fewer words");
    }
}
