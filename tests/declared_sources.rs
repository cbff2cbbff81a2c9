//! Sources that `lectern.toml` declares: they are there at every start, as the file says, and one that can't be used holds up no
//! other.

use serde_json::{Value, json};

use crate::harness::jobs::Job;
use crate::harness::lectern::KB;
use crate::harness::{Server, Workplace};

/// A name that nothing else in the tests has.
const SECRET: &str = "hunter-of-secrets-4714";

/// Has the file declare those sources, written in TOML.
fn declare(lectern: &Workplace, sources: &[String]) {
    let text = format!("[generation]\nmodel = \"extractive\"\n\n{}", sources.join("\n"));
    std::fs::write(lectern.data().join("lectern.toml"), text).unwrap();
}

/// A source of files in that folder beside the documents, and what else is said of it.
fn files(lectern: &Workplace, name: &str, folder: &str, more: &str) -> String {
    let root = lectern.elsewhere(folder);
    format!(
        "[[sources]]\nknowledge_base = {KB:?}\nname = {name:?}\nconfig = {{ kind = \"files\", roots = [{root:?}] }}\n{more}\n"
    )
}

fn listed(lectern: &Workplace) -> Vec<Value> {
    let list = lectern.run(["source", "list", "--kb", KB]).exits(0).json();
    let sources = list["sources"].as_array().unwrap();
    sources.iter().map(|listed| listed["source"].clone()).collect()
}

fn path(rest: &str) -> String {
    format!("/knowledge-bases/{KB}/{rest}")
}

#[test]
fn a_declared_source_is_there_is_synced_and_follows_its_file() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    let rules = "access = [\"user:operator\"]\nsettings = { schedule = \"0 3 * * *\", deletions = { max_share = 0.5 } }";
    declare(&lectern, &[files(&lectern, "reading", "documents", rules)]);

    let server = Server::start(&lectern);
    let shown = server.get(&path("sources/reading")).is(200).json()["source"].clone();
    assert_eq!(shown["default_access"]["allow"], json!(["user:operator"]));
    assert_eq!(shown["settings"]["deletions"]["max_share"], 0.5);
    assert!(shown["next_run"].is_string(), "{shown:#}");
    let job = Job::sync(&server, "reading").ended();
    assert_eq!(job["counts"]["new"], 1, "{job:#}");

    // What is set elsewhere counts until the next start; then the file does, and nothing is read again for it.
    let path_of_source = path("sources/reading");
    let changed = json!({ "deletions": { "max_share": 0.1 } });
    let request = server
        .request(reqwest::Method::PATCH, &path_of_source)
        .json(&changed);
    let set = crate::harness::server::send(request).is(200).json();
    assert_eq!(set["source"]["settings"]["deletions"]["max_share"], 0.1);
    server.kill();
    let again = &listed(&lectern)[0];
    assert_eq!(again["settings"]["deletions"]["max_share"], 0.5, "{again:#}");
    assert_eq!(
        (&again["id"], &again["created_at"]),
        (&shown["id"], &shown["created_at"])
    );
    assert_eq!(lectern.found("worker bee"), ["bees.md"]);

    // Another folder under the same name: the next sync takes in and out.
    std::fs::create_dir(lectern.elsewhere("other")).unwrap();
    std::fs::write(
        lectern.elsewhere("other").join("wasps.md"),
        "# Wasps\n\nWasps make paper.\n",
    )
    .unwrap();
    declare(&lectern, &[files(&lectern, "reading", "other", rules)]);
    let synced = lectern
        .run(["source", "sync", "--kb", KB, "reading", "--allow-deletes"])
        .exits(0);
    assert_eq!((synced.counts().new, synced.counts().deleted), (1, 1));
    assert_eq!(lectern.found("paper"), ["wasps.md"]);
    assert_eq!(lectern.found("worker bee"), [""; 0]);
    lectern.assert_sound();
}

#[test]
fn one_that_cannot_be_used_is_told_and_holds_up_no_other() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    let good = files(&lectern, "reading", "documents", "");
    declare(&lectern, &[good]);
    assert_eq!(listed(&lectern).len(), 1);

    let moved = files(&lectern, "reading", "not-there", "");
    let secret = format!(
        "[[sources]]\nknowledge_base = {KB:?}\nname = \"bucket\"\n\
         config = {{ kind = \"s3\", buckets = [\"s3://shelf\"], secret_access_key = {SECRET:?} }}\n"
    );
    let other = files(&lectern, "other", "documents", "");
    declare(&lectern, &[moved, secret, other]);
    let outcome = lectern.type_in(&["source", "list", "--kb", KB]).exits(0);
    for told in ["not-there", "\"reading\"", "\"bucket\"", "lectern.toml"] {
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains(SECRET), "{}", outcome.stderr);
    let sources = listed(&lectern);
    let names: Vec<_> = sources
        .iter()
        .map(|source| source["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["other", "reading"]);
    let documents = lectern.documents().canonicalize().unwrap();
    assert_eq!(
        sources[1]["config"]["roots"],
        json!([documents]),
        "it is what it was"
    );
}

#[test]
fn a_declared_source_is_removed_where_it_is_declared_first() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    declare(&lectern, &[files(&lectern, "reading", "documents", "")]);
    lectern.run(["source", "sync", "--kb", KB, "reading"]).exits(0);
    let remove = ["source", "remove", "--kb", KB, "reading", "--yes"];
    lectern.run(remove).fails(5, "source_declared", "lectern.toml");
    let server = Server::start(&lectern);
    server
        .delete(&path("sources/reading"))
        .fails(409, "source_declared", "lectern.toml");
    server.kill();

    // Taken out of the file it stays, with its documents, until somebody removes it.
    declare(&lectern, &[]);
    assert_eq!(listed(&lectern).len(), 1);
    assert_eq!(lectern.found("worker bee"), ["bees.md"]);
    lectern.run(remove).exits(0);
    assert_eq!(lectern.found("worker bee"), [""; 0]);
}

#[test]
fn a_mistake_in_the_file_is_named() {
    let lectern = Workplace::new();
    let one = files(&lectern, "reading", "documents", "");
    declare(&lectern, &[one.clone(), one]);
    lectern
        .run(["kb", "list"])
        .fails(2, "config_invalid", "two sources");
    declare(
        &lectern,
        &[files(&lectern, "reading", "documents", "acces = [\"everyone\"]")],
    );
    lectern.run(["kb", "list"]).fails(2, "config_invalid", "acces");
    declare(
        &lectern,
        &[files(
            &lectern,
            "reading",
            "documents",
            "settings = { schedule = \"at noon\" }",
        )],
    );
    lectern.run(["kb", "list"]).fails(2, "config_invalid", "at noon");
}
