//! Real papers from outside the project, and questions that other people wrote about them.
//!
//! The material is the ARAGOG set (15 arXiv papers as PDF, 107 questions of which 98 are about one of them),
//! looked for where `LECTERN_TEST_DATA` says. It isn't part of the project, and without it nothing here is
//! checked.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Server, Workplace, skipped};

/// The share of questions whose paper must be the first result, and among the first three.
const FIRST: f64 = 0.75;
const AMONG_THREE: f64 = 0.90;

#[derive(Deserialize)]
struct Questions {
    questions: Vec<String>,
    /// The paper that answers the question of the same place.
    filepaths: Vec<String>,
}

fn material() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LECTERN_TEST_DATA")?).join("aragog");
    folder.is_dir().then_some(folder)
}

/// Each question about one of the papers in `papers`, with the name of that paper.
fn answerable(material: &Path, papers: &Path) -> Vec<(String, String)> {
    let file = std::fs::read_to_string(material.join("eval_questions_relevant_doc.json")).unwrap();
    let all: Questions = serde_json::from_str(&file).unwrap();
    all.questions
        .into_iter()
        .zip(all.filepaths)
        .map(|(question, path)| (question, path.rsplit('/').next().unwrap().to_owned()))
        .filter(|(_, paper)| papers.join(paper).is_file())
        .collect()
}

#[test]
fn the_paper_that_answers_is_found_first() {
    let Some(material) = material() else {
        return skipped("LECTERN_TEST_DATA names no folder with the ARAGOG papers");
    };
    let papers = material.join("papers_for_questions");
    let questions = answerable(&material, &papers);
    assert!(
        questions.len() >= 90,
        "{} questions prove little",
        questions.len()
    );

    let workplace = Workplace::new();
    let mut command = workplace.program();
    command
        .args(["--json", "ingest", "--kb", KB, "--create"])
        .arg(&papers);
    let counts = Outcome::of(command).exits(0).counts();
    assert_eq!((counts.new, counts.failed), (15, 0));

    let server = Server::start(&workplace);
    let (mut first, mut among_three) = (0, 0);
    for (question, paper) in &questions {
        let body = json!({ "text": question, "limit": 3 });
        let found = server
            .post(&format!("/knowledge-bases/{KB}/search"), &body)
            .is(200)
            .json();
        let results: Vec<&str> = found["passages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|passage| passage["uri"].as_str().unwrap())
            .collect();
        let rank = results.iter().position(|uri| uri.ends_with(&format!("/{paper}")));
        first += usize::from(rank == Some(0));
        among_three += usize::from(rank.is_some());
        if rank != Some(0) {
            println!("{question:?} finds {:?} before {paper}", results.first());
        }
    }
    let share = |count: usize| count as f64 / questions.len() as f64;
    println!(
        "{} questions: the paper is first for {:.3}, among the first three for {:.3}",
        questions.len(),
        share(first),
        share(among_three)
    );
    assert!(share(first) >= FIRST, "{first} of {}", questions.len());
    assert!(
        share(among_three) >= AMONG_THREE,
        "{among_three} of {}",
        questions.len()
    );
}
