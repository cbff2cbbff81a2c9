//! Taking documents in: all of them, then only what changed, and an account that adds up.

use serde_json::Value;

use crate::harness::lectern::{Counts, KB, file_names};
use crate::harness::{Outcome, Workplace, handbook, repository};

/// Every file below a folder.
fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_document_of_the_handbook_is_taken_in() {
    let handbook = handbook();
    let files = files_below(&repository().join("examples"));
    assert!(files.len() >= 40, "only {} documents", files.len());
    for format in ["md", "html", "txt", "pdf"] {
        assert!(
            files.iter().any(|file| file.extension().unwrap() == format),
            "no {format}"
        );
    }

    let counts = handbook.ingestion.counts();
    assert_eq!(
        counts,
        Counts {
            new: files.len() as u64,
            ..Counts::default()
        }
    );
    let report = handbook.ingestion.json();
    assert_eq!(report["job"]["state"], "complete");
    assert_eq!(report["problems"], Value::Array(Vec::new()));
    assert!(report["chunks_embedded"].as_u64().unwrap() >= counts.new);

    let listed = handbook
        .server
        .get(&handbook.path("documents?limit=1000"))
        .is(200)
        .json();
    let documents = listed["documents"].as_array().unwrap();
    assert_eq!(documents.len(), files.len());
    for document in documents {
        assert_eq!(document["status"], "indexed", "{document:#}");
        assert!(document["chunk_count"].as_u64().unwrap() > 0, "{document:#}");
    }
}

#[test]
fn the_same_again_reads_and_embeds_nothing() {
    let lectern = Workplace::new();
    lectern.write("leave.md", "# Leave\n\nEverybody has 27 days.\n");
    lectern.write(
        "pay/bonus.html",
        "<html><body><h1>Bonus</h1><p>It is paid in June, to all.</p></body></html>",
    );
    lectern.write("notes.txt", "The archive is in the cellar.\n");
    let first = lectern.ingest().exits(0);
    assert_eq!(
        first.counts(),
        Counts {
            new: 3,
            ..Counts::default()
        }
    );
    assert_eq!(first.json()["chunks_embedded"], 3);

    let again = lectern.ingest().exits(0);
    assert_eq!(
        again.counts(),
        Counts {
            unchanged: 3,
            ..Counts::default()
        }
    );
    assert_eq!(again.json()["chunks_embedded"], 0);

    // Touched, and the same: the content decides, not the clock.
    lectern.write("notes.txt", "The archive is in the cellar.\n");
    let touched = lectern.ingest().exits(0);
    assert_eq!(
        touched.counts(),
        Counts {
            unchanged: 3,
            ..Counts::default()
        }
    );
    assert_eq!(touched.json()["chunks_embedded"], 0);
    lectern.assert_sound();
}

#[test]
fn what_changes_is_found_and_what_goes_is_not() {
    let lectern = Workplace::new();
    lectern.write("kept.md", "# Kept\n\nThe zebrawood desk stays where it is.\n");
    lectern.write(
        "changed.md",
        "# Changed\n\nThe password of the door is heliotrope.\n",
    );
    lectern.write("gone.md", "# Gone\n\nThe old kiln burns with anthracite.\n");
    lectern.ingest().exits(0);
    assert_eq!(lectern.found("heliotrope"), ["changed.md"]);
    assert_eq!(lectern.found("anthracite"), ["gone.md"]);

    lectern.write(
        "changed.md",
        "# Changed\n\nThe password of the door is marzipan.\n",
    );
    lectern.remove("gone.md");
    lectern.write("added.txt", "A new loom was bought from the weaver Obadiah.\n");
    let second = lectern.ingest().exits(0);
    assert_eq!(
        second.counts(),
        Counts {
            new: 1,
            modified: 1,
            unchanged: 1,
            deleted: 1,
            ..Counts::default()
        }
    );

    assert_eq!(lectern.found("heliotrope"), [""; 0]);
    assert_eq!(lectern.found("anthracite"), [""; 0]);
    assert_eq!(lectern.found("marzipan"), ["changed.md"]);
    assert_eq!(lectern.found("Obadiah"), ["added.txt"]);
    assert_eq!(lectern.found("zebrawood"), ["kept.md"]);
    for mode in ["vector", "hybrid"] {
        let passages = lectern.search(mode, "the password of the door");
        assert!(
            passages[0]["text"].as_str().unwrap().contains("marzipan"),
            "{mode}: {passages:#?}"
        );
        assert!(
            passages
                .iter()
                .all(|passage| !passage["text"].as_str().unwrap().contains("heliotrope"))
        );
        assert!(!file_names(&passages).contains(&"gone.md".to_owned()));
    }
    lectern.assert_sound();
}

#[test]
fn a_passage_lies_where_it_says() {
    let handbook = handbook();
    let body = serde_json::json!({ "text": "parental leave", "limit": 20 });
    let found = handbook
        .server
        .post(&handbook.path("search"), &body)
        .is(200)
        .json();
    let passages = found["passages"].as_array().unwrap();
    assert!(passages.len() >= 5);
    for passage in passages {
        let document = passage["document"].as_str().unwrap();
        let text = handbook
            .server
            .get(&handbook.path(&format!("documents/{document}/text")))
            .is(200)
            .json();
        let text = text["text"].as_str().unwrap();
        let place = |end: &str| usize::try_from(passage["span"][end].as_u64().unwrap()).unwrap();
        assert_eq!(
            text.get(place("start")..place("end")),
            passage["text"].as_str(),
            "{passage:#}"
        );
    }
}

#[test]
fn a_failed_new_version_leaves_the_old_one_to_be_found() {
    let lectern = Workplace::new();
    lectern.write(
        "report.md",
        "# Report\n\nThe harvest of quinces was 412 crates.\n",
    );
    lectern.ingest().exits(0);

    lectern.write(
        "report.md",
        [0, 159, 146, 150, 0, 1, 2, 3, 255, 254, 0, 0].repeat(40),
    );
    let second = lectern.ingest().exits(4);
    assert_eq!(
        second.counts(),
        Counts {
            failed: 1,
            ..Counts::default()
        }
    );
    assert_eq!(lectern.found("quinces"), ["report.md"]);

    // Again the same bad file: it is told again, and does no more harm than before.
    assert_eq!(
        lectern.ingest().exits(4).counts(),
        Counts {
            failed: 1,
            ..Counts::default()
        }
    );
    assert_eq!(lectern.found("quinces"), ["report.md"]);
    lectern.assert_sound();
}

#[test]
fn a_deleted_knowledge_base_is_gone_and_its_neighbour_is_not() {
    let lectern = Workplace::new();
    lectern.write("one.md", "The brass sextant hangs in the hall.\n");
    lectern.ingest().exits(0);
    let other = |arguments: &[&str]| lectern.run(arguments);
    let mut ingest = lectern.program();
    ingest
        .args(["--json", "ingest", "--kb", "other", "--create"])
        .arg(lectern.documents());
    Outcome::of(ingest).exits(0);

    other(&["kb", "delete", "other", "--yes"]).exits(0);
    other(&["search", "--kb", "other", "sextant"]).fails(3, "kb_not_found", "other");
    assert_eq!(lectern.found("sextant"), ["one.md"]);
    let listed = lectern.run(["kb", "list"]).exits(0).json();
    assert_eq!(listed["knowledge_bases"].as_array().unwrap().len(), 1);
    assert_eq!(listed["knowledge_bases"][0]["name"], KB);
    assert_eq!(listed["knowledge_bases"][0]["document_count"], 1);
    lectern.assert_sound();
}
