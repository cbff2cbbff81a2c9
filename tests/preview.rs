//! A preview shows what a job would do with a document, and does nothing; rules do what the preview showed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

/// What the rules of these tests take out.
const SECRET: &str = "obadiah.finch@example.org";

const RULES: &str = r#"
[[rules]]
name = "no drafts"
when = [{ attribute = "path", glob = "drafts/**" }]
actions = ["drop"]

[[rules]]
name = "unit by folder"
actions = [{ derive = { attribute = "unit", from = "path", pattern = '^units/([^/]+)/' } }]

[[rules]]
name = "personal data"
actions = [{ redact = { kind = "email" } }, { redact = { kind = "card" } }]
"#;

const MINUTES: &str = "# Minutes by obadiah.finch@example.org\n\n\
    The orchard behind the harbour was sold to the botanical society, and the money went to the lighthouse fund.\n\n\
    Questions go to obadiah.finch@example.org. The deposit was paid with 4111 1111 1111 1111 in May.\n\n\
    | month | visitors |\n|---|---|\n| May | 120 |\n| June | 340 |\n";

fn workplace() -> Workplace {
    let lectern = Workplace::new();
    lectern.write("units/garden/minutes.md", MINUTES);
    lectern.write("drafts/plan.md", "# Plan\n\nThe zeppelin lands on Thursday.\n");
    std::fs::write(lectern.elsewhere("rules.toml"), RULES).unwrap();
    lectern
}

fn add(lectern: &Workplace, more: &[&str]) -> Outcome {
    let mut command = lectern.program();
    command
        .args([
            "--json", "source", "add", "--create", "--kb", KB, "--name", "papers",
        ])
        .args(more)
        .arg(lectern.documents());
    Outcome::of(command)
}

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "papers"])
}

fn preview(lectern: &Workplace, name: &str, more: &[&str]) -> Outcome {
    let mut command = lectern.program();
    command
        .args(["--json", "preview", "--kb", KB])
        .args(more)
        .arg(lectern.documents().join(name));
    Outcome::of(command)
}

/// All files under a folder with their contents.
fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    found.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
    }
    found
}

#[test]
fn a_preview_shows_text_blocks_chunks_attributes_and_rules_and_writes_nothing() {
    let lectern = workplace();
    add(&lectern, &[]).exits(0);
    let rules = lectern.elsewhere("rules.toml");
    let rules = ["--enrichment", rules.to_str().unwrap()];
    let shown = preview(&lectern, "units/garden/minutes.md", &rules)
        .exits(0)
        .json();

    assert_eq!(shown["left_out"], Value::Null);
    assert_eq!(shown["key"], "units/garden/minutes.md");
    let attributes = &shown["attributes"];
    for (name, value) in [
        ("title", json!("Minutes by [email]")),
        ("path", json!("units/garden/minutes.md")),
        ("source", json!("papers")),
        ("type", json!("text/markdown")),
        ("unit", json!("garden")),
        ("language", json!("en")),
        ("size", json!(MINUTES.len() as f64)),
    ] {
        assert_eq!(attributes[name], value, "{name}: {attributes:#}");
    }
    let text = shown["text"].as_str().unwrap();
    assert!(text.contains("Questions go to [email]. The deposit was paid with [card] in May."));
    for piece in shown["chunks"]
        .as_array()
        .unwrap()
        .iter()
        .chain(shown["blocks"].as_array().unwrap())
    {
        let place = |end: &str| usize::try_from(piece["span"][end].as_u64().unwrap()).unwrap();
        let found = text.get(place("start")..place("end")).unwrap();
        assert!(piece["text"].is_null() || piece["text"] == found, "{piece:#}");
    }
    assert_eq!(
        shown["blocks"].as_array().unwrap().len(),
        4,
        "{:#}",
        shown["blocks"]
    );
    assert_eq!(shown["rules"][0]["failed"]["attribute"], "path");
    assert_eq!(shown["rules"][2]["effects"][0]["in_text"], 2);
    assert!(!shown.to_string().contains(SECRET));

    // Nothing came into being by it.
    let status = lectern
        .run(["source", "status", "--kb", KB, "papers"])
        .exits(0)
        .json();
    assert_eq!(status["documents"], json!([]));
    assert_eq!(files(&lectern.data().join("texts")).len(), 0);
    assert_eq!(lectern.found("orchard"), [""; 0]);
    let human = lectern.type_in(&[
        "preview",
        "--kb",
        KB,
        rules[0],
        rules[1],
        lectern.documents().join("drafts/plan.md").to_str().unwrap(),
    ]);
    assert!(human.exits(0).stdout.contains("the rule \"no drafts\" drops it"));
    lectern.assert_sound();
}

#[test]
fn a_job_does_what_the_preview_showed_and_what_is_redacted_is_nowhere() {
    let lectern = workplace();
    let rules = lectern.elsewhere("rules.toml");
    add(&lectern, &["--enrichment", rules.to_str().unwrap()]).exits(0);
    let shown = preview(&lectern, "units/garden/minutes.md", &[]).exits(0).json();
    let job = sync(&lectern).exits(0);
    assert_eq!((job.counts().new, job.counts().skipped), (1, 1));
    let (code, reason) = job.problem("drafts/plan.md");
    assert_eq!(code, "dropped_by_rule");
    assert!(reason.contains("no drafts"), "{reason}");

    let passages = lectern.search("lexical", "orchard botanical society");
    let chunks = shown["chunks"].as_array().unwrap();
    for passage in &passages {
        let chunk = chunks.iter().find(|chunk| chunk["span"] == passage["span"]);
        assert_eq!(chunk.unwrap()["text"], passage["text"]);
        assert_eq!(passage["title"], "Minutes by [email]");
    }
    assert!(!passages.is_empty());
    for gone in ["obadiah", "finch", "zeppelin", "4111"] {
        assert_eq!(lectern.found(gone), [""; 0], "{gone}");
    }
    for secret in [SECRET, "obadiah.finch", "4111 1111", "zeppelin"] {
        for (path, content) in files(&lectern.data()) {
            let is_there = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} is in {}", path.display());
        }
    }
    lectern.assert_sound();
}

#[test]
fn changed_rules_reach_the_documents_with_the_next_sync() {
    let lectern = workplace();
    add(&lectern, &[]).exits(0);
    assert_eq!(sync(&lectern).exits(0).counts().new, 2);
    assert_eq!(lectern.found("zeppelin"), ["plan.md"]);
    assert_eq!(lectern.found("obadiah"), ["minutes.md"]);

    let rules = lectern.elsewhere("rules.toml");
    add(&lectern, &["--replace", "--enrichment", rules.to_str().unwrap()]).exits(0);
    let job = sync(&lectern).exits(0);
    assert_eq!((job.counts().modified, job.counts().skipped), (1, 1));
    assert_eq!(lectern.found("zeppelin"), [""; 0]);
    assert_eq!(lectern.found("obadiah"), [""; 0]);
    assert_eq!(lectern.found("botanical"), ["minutes.md"]);
    assert_eq!(sync(&lectern).exits(0).counts().unchanged, 1);
    lectern.assert_sound();
}

#[test]
fn what_is_wrong_with_a_preview_is_told() {
    let lectern = workplace();
    add(&lectern, &[]).exits(0);
    preview(&lectern, "nowhere.md", &[]).fails(3, "path_not_found", "nowhere.md");
    preview(&lectern, "units", &[]).fails(2, "not_a_file", "units");
    preview(&lectern, "drafts/plan.md", &["--source", "other"]).fails(3, "source_not_found", "other");
    let wrong = lectern.elsewhere("wrong.toml");
    std::fs::write(
        &wrong,
        "[[rules]]\nname = \"years\"\nactions = [{ redact = { pattern = '(' } }]\n",
    )
    .unwrap();
    let wrong = ["--enrichment", wrong.to_str().unwrap()];
    preview(&lectern, "drafts/plan.md", &wrong).fails(2, "enrichment_invalid", "years");
    add(&lectern, &["--replace", wrong[0], wrong[1]]).fails(2, "enrichment_invalid", "wrong.toml");

    lectern.write("broken.pdf", "%PDF-1.7\nnothing that a PDF has");
    let broken = preview(&lectern, "broken.pdf", &[]).exits(4).json();
    assert_eq!(broken["left_out"]["status"], "failed");
    assert_eq!(broken["chunks"], json!([]));
}
