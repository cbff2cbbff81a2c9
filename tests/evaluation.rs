//! `lectern eval`: the figures of a search over judged queries, in the shape that scripts read; saved questions about a
//! knowledge base that people use, runs that are kept and compared, and gates.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::Workplace;
use crate::harness::lectern::KB;

const FIGURES: [&str; 10] = [
    "ndcg@10",
    "recall@10",
    "recall@100",
    "map",
    "mrr@10",
    "hit@1",
    "hit@3",
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

/// A knowledge base with a file for each subject, and a file with a question about each.
fn with_questions(lectern: &Workplace) -> String {
    let mut questions = String::new();
    for (number, (title, text, question)) in SUBJECTS.iter().enumerate() {
        lectern.write(format!("{number}.txt"), text);
        let line = json!({
            "id": title, "question": question, "documents": [format!("{number}.txt")], "texts": [text],
            "spans": [{ "document": format!("{number}.txt"), "start": 0, "end": text.len() }],
        });
        questions.push_str(&format!("{line}\n"));
    }
    lectern.ingest().exits(0);
    let path = lectern.elsewhere("questions.jsonl");
    fs::write(&path, questions).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn saved_questions_are_asked_of_a_knowledge_base_and_the_run_is_kept() {
    let lectern = Workplace::new();
    let questions = with_questions(&lectern);
    let report = lectern
        .run(["eval", "--kb", KB, "--questions", &questions])
        .exits(0)
        .json();
    for name in ["ndcg@10", "hit@1", "text@1", "span@1"] {
        assert_eq!(report["hybrid"][name], 1.0, "{name}: {report:#}");
    }
    let kept = lectern.run(["eval", "runs"]).exits(0).json();
    assert_eq!(kept.as_array().unwrap().len(), 1, "{kept:#}");
    assert_eq!(kept[0]["ways"], report);
    assert_eq!(kept[0]["name"], KB);

    // The same once more is the same configuration, and no difference.
    lectern
        .run(["eval", "--kb", KB, "--questions", &questions])
        .exits(0);
    let kept = lectern.run(["eval", "runs"]).exits(0).json();
    assert_eq!(kept[0]["configuration_hash"], kept[1]["configuration_hash"]);
    let [before, after] = [&kept[0], &kept[1]].map(|run| run["run"].as_str().unwrap());
    let compared = lectern.run(["eval", "compare", before, after]).exits(0).json();
    assert_eq!(compared.as_array().unwrap().len(), 3);
    for way in compared.as_array().unwrap() {
        let change = &way["metrics"]["ndcg@10"];
        assert_eq!(
            (&change["difference"], &change["ties"]),
            (&json!(0.0), &json!(SUBJECTS.len())),
            "{change}"
        );
    }
}

#[test]
fn a_gate_that_is_missed_has_an_exit_code_of_its_own() {
    let lectern = Workplace::new();
    let questions = with_questions(&lectern);
    // Nothing answers this one.
    let mut all = fs::read_to_string(&questions).unwrap();
    all.push_str("{\"question\": \"bread\", \"documents\": [\"nowhere.txt\"]}\n");
    fs::write(&questions, all).unwrap();
    let gated = |gates: &[&str]| {
        let mut arguments = vec!["eval", "--kb", KB, "--questions", &questions];
        arguments.extend(gates.iter().flat_map(|gate| ["--gate", gate]));
        lectern.run(arguments)
    };
    gated(&["ndcg@10=0.85", "lexical:hit@1=0.5", "text@3=1"]).exits(0);
    let missed = gated(&["ndcg@10=0.86", "hit@1=0.1"]).exits(8);
    assert!(
        missed
            .stderr
            .contains("ndcg@10=0.86: the hybrid search reached 0.8571"),
        "{}",
        missed.stderr
    );
    assert!(!missed.stderr.contains("hit@1=0.1"), "{}", missed.stderr);
    assert!(
        missed.json()["hybrid"].is_object(),
        "the figures are printed all the same"
    );
    gated(&["ndcg=0.5"]).exits(2);
}

#[test]
fn a_folder_that_is_kept_is_filled_once_and_two_runs_are_compared() {
    let lectern = Workplace::new();
    write_dataset(&lectern);
    let path = |name: &str| lectern.elsewhere(name).to_str().unwrap().to_owned();
    let documents = lectern.documents().to_str().unwrap().to_owned();
    let (kept, before, after) = (path("kept"), path("before.json"), path("after.json"));
    let eval = |run: &str| {
        lectern
            .run(["eval", &documents, "--in", &kept, "--save", run])
            .exits(0)
            .json()
    };
    eval(&before);
    // A judgement is changed, no document: nothing is taken in again, and one question has lost.
    let judgements = lectern.documents().join("qrels.tsv");
    let changed = fs::read_to_string(&judgements)
        .unwrap()
        .replace("q0\td0", "q0\tnone");
    fs::write(&judgements, changed).unwrap();
    eval(&after);
    let run: Value = serde_json::from_slice(&fs::read(&after).unwrap()).unwrap();
    assert_eq!(
        (&run["corpus"]["documents"], &run["corpus"]["left_out"]),
        (&json!(6), &json!(0))
    );
    let compared = lectern
        .run(["eval", "compare", &before, &after, "--way", "hybrid"])
        .exits(0)
        .json();
    let change = &compared[0]["metrics"]["hit@1"];
    assert_eq!(
        (&change["wins"], &change["losses"]),
        (&json!(0), &json!(1)),
        "{change}"
    );
    assert!(
        change["low"].as_f64().unwrap() < 0.0 && change["high"] == 0.0,
        "{change}"
    );
    assert_eq!(compared[0]["extremes"][0]["question"], SUBJECTS[0].2);
    lectern
        .run(["eval", "compare", &before, "nowhere.json"])
        .fails(3, "eval_run_missing", "nowhere.json");
    lectern
        .run(["eval", "compare", &before, &judgements.to_string_lossy()])
        .fails(2, "eval_run_invalid", "qrels.tsv");
}

#[test]
fn a_comparison_names_what_was_set_for_searches_meanwhile() {
    let lectern = Workplace::new();
    let questions = with_questions(&lectern);
    let path = |name: &str| lectern.elsewhere(name).to_str().unwrap().to_owned();
    let [before, after, older, settings] = ["before", "after", "older", "settings"].map(path);
    let eval = |run: &str| {
        lectern
            .run(["eval", "--kb", KB, "--questions", &questions, "--save", run])
            .exits(0);
    };
    let told = |before: &str, after: &str| lectern.run(["eval", "compare", before, after]).exits(0).stderr;
    eval(&before);
    eval(&after);
    assert!(told(&before, &after).contains("the same configuration"));

    fs::write(&settings, r#"{"synonyms": "magma => lava"}"#).unwrap();
    lectern.run(["kb", "settings", KB, "--set", &settings]).exits(0);
    eval(&after);
    let stderr = told(&before, &after);
    assert!(
        stderr.contains("The configurations differ in search_settings.synonyms."),
        "{stderr}"
    );

    // A run of an older version doesn't tell what was set.
    let mut run: Value = serde_json::from_slice(&fs::read(&before).unwrap()).unwrap();
    let told_then = run["configuration"].as_object_mut().unwrap();
    assert!(told_then.remove("search_settings").is_some());
    fs::write(&older, run.to_string()).unwrap();
    let stderr = told(&older, &after);
    assert!(stderr.contains("search_settings (in one run alone)"), "{stderr}");
}

#[test]
fn questions_without_ids_are_found_again_when_a_line_was_added_above_them() {
    let lectern = Workplace::new();
    let file = with_questions(&lectern);
    let path = |name: &str| lectern.elsewhere(name).to_str().unwrap().to_owned();
    let (before, after) = (path("before.json"), path("after.json"));
    let eval = |questions: &[String], run: &str| {
        fs::write(&file, questions.concat()).unwrap();
        lectern
            .run(["eval", "--kb", KB, "--questions", &file, "--save", run])
            .exits(0);
    };
    let line = |(number, text): (usize, &str)| {
        let line = json!({ "question": text, "documents": [format!("{number}.txt")] });
        format!("{line}\n")
    };
    let mut questions: Vec<String> = (0..).zip(SUBJECTS.map(|(_, _, text)| text)).map(line).collect();
    eval(&questions, &before);
    questions.insert(
        0,
        line((usize::MAX, "which nothing in the library is an answer to")),
    );
    eval(&questions, &after);
    let compared = lectern
        .run(["eval", "compare", &before, &after, "--way", "lexical"])
        .exits(0)
        .json();
    let compared = &compared[0];
    assert_eq!(
        (&compared["questions"], &compared["unpaired"]),
        (&json!(SUBJECTS.len()), &json!(1)),
        "{compared:#}"
    );
    let change = &compared["metrics"]["ndcg@10"];
    assert_eq!(change["ties"], json!(SUBJECTS.len()), "{change:#}");
}

#[test]
fn late_interaction_is_measured_beside_the_others_where_it_is_configured() {
    let lectern = Workplace::with_settings("[retrieval]\nreranker = \"late_interaction\"\n");
    write_dataset(&lectern);
    let report = eval(&lectern);
    for name in ["ndcg@10", "map", "hit@1"] {
        assert_eq!(report["reranked"][name], 1.0, "{report:#}");
    }
}

#[test]
fn a_cross_encoder_without_its_files_is_told_by_the_file_that_is_missing() {
    let settings =
        "[retrieval]\nreranker = \"cross_encoder\"\ncross_encoder = { folder = \"/nowhere/judge\" }\n";
    let lectern = Workplace::with_settings(settings);
    lectern.write("a.txt", "Bread is baked.");
    lectern.ingest().exits(0);
    let search = lectern.run(["search", "--kb", KB, "bread"]);
    search.fails(3, "model_file_missing", "/nowhere/judge/model.onnx");

    let lectern = Workplace::with_settings("[retrieval]\nreranker = \"cross_encoder\"\n");
    lectern
        .run(["kb", "list"])
        .fails(2, "config_invalid", "cross_encoder = { folder");
}
