//! `lectern eval`: the figures of a search over judged queries, in the shape that scripts read.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::Workplace;

const FIGURES: [&str; 8] = [
    "ndcg@10",
    "recall@10",
    "recall@100",
    "map",
    "mrr@10",
    "p50_ms",
    "p95_ms",
    "p99_ms",
];

/// Documents about things that have little to do with each other, and a question about each.
const SUBJECTS: [(&str, &str, &str); 6] = [
    (
        "Volcanoes",
        "Lava flows down the slope of the volcano when it erupts.",
        "lava of an erupting volcano",
    ),
    (
        "Bread",
        "Knead the dough, let the yeast rise, and bake the bread in a hot oven.",
        "baking bread with yeast",
    ),
    (
        "Chess",
        "The bishop moves along the diagonals of the chess board.",
        "bishop on the chess board",
    ),
    (
        "Tides",
        "The moon's gravity raises the tides of the ocean twice a day.",
        "moon and ocean tides",
    ),
    (
        "Violins",
        "A violin has four strings and is played with a bow of horsehair.",
        "strings of a violin",
    ),
    (
        "Vaccines",
        "A vaccine teaches the immune system to recognise a virus.",
        "vaccine and immune system",
    ),
];

fn write_dataset(lectern: &Workplace) {
    let (mut corpus, mut queries) = (String::new(), String::new());
    let mut judgements = String::from("query-id\tcorpus-id\tscore\n");
    for (number, (title, text, question)) in SUBJECTS.iter().enumerate() {
        corpus.push_str(&format!(
            "{}\n",
            json!({ "_id": format!("d{number}"), "title": title, "text": text })
        ));
        queries.push_str(&format!(
            "{}\n",
            json!({ "_id": format!("q{number}"), "text": question })
        ));
        judgements.push_str(&format!("q{number}\td{number}\t1\n"));
    }
    lectern.write("corpus.jsonl", corpus);
    lectern.write("queries.jsonl", queries);
    lectern.write("qrels.tsv", judgements);
}

fn eval(lectern: &Workplace) -> Value {
    lectern
        .run(["eval".as_ref(), lectern.documents().as_os_str()])
        .exits(0)
        .json()
}

#[test]
fn a_perfect_search_has_perfect_figures_under_their_names() {
    let lectern = Workplace::new();
    write_dataset(&lectern);
    let report = eval(&lectern);
    let modes: BTreeSet<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(modes, BTreeSet::from(["lexical", "vector", "hybrid"]));
    for mode in ["lexical", "vector", "hybrid"] {
        let figures = report[mode].as_object().unwrap();
        let names: BTreeSet<&str> = figures.keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(FIGURES), "{mode}");
        for name in ["ndcg@10", "recall@10", "recall@100", "map", "mrr@10"] {
            assert_eq!(figures[name], 1.0, "{mode} {name}");
        }
        let time = |name: &str| figures[name].as_f64().unwrap();
        assert!(0.0 < time("p50_ms") && time("p50_ms") <= time("p95_ms") && time("p95_ms") <= time("p99_ms"));
    }
    assert!(
        !lectern.data().join("ledger.sqlite").exists(),
        "the evaluation wrote into the data folder"
    );
}

#[test]
fn a_wrong_judgement_costs_what_it_should() {
    let lectern = Workplace::new();
    write_dataset(&lectern);
    // Every question is judged to be answered by a document that isn't there.
    let path = lectern.documents().join("qrels.tsv");
    let judgements = fs::read_to_string(&path).unwrap().replace("\td", "\tnone");
    fs::write(&path, judgements).unwrap();
    let report = eval(&lectern);
    for mode in ["lexical", "vector", "hybrid"] {
        for name in ["ndcg@10", "recall@100", "map", "mrr@10"] {
            assert_eq!(report[mode][name], 0.0, "{mode} {name}");
        }
    }
}

#[test]
fn a_broken_data_set_is_told_with_file_and_line() {
    let lectern = Workplace::new();
    let folder = lectern.documents();
    let eval = || lectern.run(["eval".as_ref(), folder.as_os_str()]);
    eval().fails(3, "eval_file_missing", "corpus.jsonl");
    write_dataset(&lectern);
    lectern.write(
        "queries.jsonl",
        "{\"_id\": \"q1\", \"text\": \"fine\"}\n{\"_id\": \n",
    );
    eval().fails(2, "eval_line_invalid", "line 2 of");
}
