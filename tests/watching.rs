//! What is saved in a watched folder is found within seconds, and what it said before isn't any more.
//!
//! The seconds are printed, not judged: they are the machine's.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::lectern::{KB, file_names};
use crate::harness::{Outcome, Server, Workplace, until};

/// Documents that don't change.
const OTHERS: usize = 40;
const SOURCE: &str = "notes";

struct Desk {
    lectern: Workplace,
    server: Server,
}

impl Desk {
    /// A server that watches a folder, once everything in it can be found by meaning.
    fn new() -> Self {
        let lectern = Workplace::new();
        for number in 0..OTHERS {
            let text = format!(
                "# Note {number}\n\nThe drawer {number} holds seeds of the year {}.\n",
                1900 + number
            );
            lectern.write(format!("seeds/{number}.md"), text);
        }
        lectern.write(
            "hives.md",
            "# Hives\n\nThe hive behind the orchard is called Theodora.\n",
        );
        let mut add = lectern.program();
        add.args([
            "source", "add", "--create", "--kb", KB, "--name", SOURCE, "--watch",
        ])
        // A renamed folder is many deletions, too.
        .args(["--exclude", "drafts/", "--max-deleted", "100"])
        .arg(lectern.documents());
        Outcome::of(add).exits(0);
        let server = Server::start(&lectern);
        let desk = Self { lectern, server };
        desk.until_settled();
        desk
    }

    fn get(&self, path: &str) -> Value {
        let path = format!("/knowledge-bases/{KB}/{path}");
        self.server.get(&path).is(200).json()
    }

    /// The files in which the words are found.
    fn found(&self, text: &str) -> Vec<String> {
        let body = json!({ "text": text, "mode": "lexical" });
        let path = format!("/knowledge-bases/{KB}/search");
        let found = self.server.post(&path, &body).is(200).json();
        file_names(found["passages"].as_array().unwrap())
    }

    /// Waits until the words are found there, or nowhere. Gives the seconds.
    fn until_found(&self, text: &str, files: &[&str]) -> f64 {
        let begun = Instant::now();
        until(&format!("{text:?} in {files:?}"), || {
            (self.found(text) == files).then_some(())
        });
        begun.elapsed().as_secs_f64()
    }

    /// Waits until no job of the source waits or runs. Gives the jobs, newest first.
    fn until_settled(&self) -> Vec<Value> {
        until("the jobs to end", || {
            let jobs = self.get(&format!("ingestions?source={SOURCE}&limit=100"))["jobs"].clone();
            let jobs = jobs.as_array().unwrap().clone();
            let has_ended = !jobs.is_empty() && jobs.iter().all(|job| !job["ended_at"].is_null());
            has_ended.then_some(jobs)
        })
    }
}

#[test]
fn a_saved_file_is_found_within_seconds_and_its_old_text_is_not() {
    let desk = Desk::new();
    assert_eq!(desk.found("Theodora"), ["hives.md"]);
    let first = desk.until_settled();
    assert_eq!(first[0]["counts"]["new"], OTHERS + 1, "{:#}", first[0]);

    desk.lectern.write(
        "hives.md",
        "# Hives\n\nThe hive behind the orchard is called Leocadia.\n",
    );
    let begun = Instant::now();
    let found = desk.until_found("Leocadia", &["hives.md"]);
    desk.until_found("Theodora", &[]);
    let lost = begun.elapsed().as_secs_f64();
    desk.until_settled();
    let settled = begun.elapsed().as_secs_f64();
    println!(
        "a saved file: new text found after {found:.2} s, old text gone after {lost:.2} s, all with its vectors after {settled:.2} s"
    );

    desk.lectern.write(
        "attic/new/lease.md",
        "# Lease\n\nThe attic is let to Benedikta.\n",
    );
    let found = desk.until_found("Benedikta", &["lease.md"]);
    println!("a new file in a new folder: found after {found:.2} s");

    desk.lectern.write(
        "drafts/letter.md",
        "# Letter\n\nDear Benedikta, the attic leaks.\n",
    );
    desk.lectern.remove("hives.md");
    let lost = desk.until_found("Leocadia", &[]);
    println!("a removed file: gone after {lost:.2} s");
    assert_eq!(desk.found("Benedikta"), ["lease.md"], "a draft is left out");

    // Only what changed was listed.
    let jobs = desk.until_settled();
    let listed: Vec<u64> = jobs
        .iter()
        .map(|job| job["counts"]["scanned"].as_u64().unwrap())
        .collect();
    assert!(
        listed
            .iter()
            .rev()
            .skip(1)
            .all(|scanned| *scanned < OTHERS as u64),
        "jobs that listed, newest first: {listed:?}"
    );
    drop(desk.server);
    desk.lectern.assert_sound();
}

#[test]
fn a_renamed_file_keeps_its_vectors() {
    let desk = Desk::new();
    let embedded = "lectern_ingest_chunks_embedded_total";
    let before = desk.server.metric(embedded);
    assert!(before >= OTHERS as f64, "{before}");
    let documents = desk.lectern.documents();
    fs::rename(documents.join("hives.md"), documents.join("beehives.md")).unwrap();
    fs::rename(documents.join("seeds"), documents.join("drawers")).unwrap();
    desk.until_found("Theodora", &["beehives.md"]);
    until("a file of the renamed folder", || {
        let body = json!({ "text": "1907", "mode": "lexical" });
        let found = desk.server.post(&format!("/knowledge-bases/{KB}/search"), &body);
        found.is(200).body.contains("/drawers/7.md").then_some(())
    });
    let totals = until("all vectors", || {
        desk.until_settled();
        let totals = desk.get(&format!("sources/{SOURCE}"))["source"]["documents"].clone();
        let all = json!(OTHERS + 1);
        (totals["searchable_by_meaning"] == all && totals["documents"] == all).then_some(totals)
    });
    assert_eq!(totals["failed"], 0, "{totals:#}");
    let renamed = desk.server.metric(embedded) - before;
    println!("{} files renamed, {renamed} chunks embedded", OTHERS + 1);
    assert_eq!(renamed, 0.0);
    drop(desk.server);
    desk.lectern.assert_sound();
}

#[test]
fn a_saved_sidecar_takes_its_document_from_those_who_may_not_read_it() {
    let desk = Desk::new();
    let sidecar = json!({ "AccessControlList": [{ "Name": "board", "Type": "GROUP", "Access": "ALLOW" }] });
    desk.lectern.write("hives.md.metadata.json", sidecar.to_string());
    let hidden = desk.until_found("Theodora", &[]);
    println!("an access list: counts after {hidden:.2} s");
    desk.lectern.remove("hives.md.metadata.json");
    let shown = desk.until_found("Theodora", &["hives.md"]);
    println!("without it: found after {shown:.2} s");
}

#[test]
fn what_changed_while_no_server_ran_is_found_when_one_does() {
    let mut desk = Desk::new();
    desk.server.end_well();
    desk.lectern.write(
        "hives.md",
        "# Hives\n\nThe hive behind the orchard is called Leocadia.\n",
    );
    desk.lectern.remove("seeds/7.md");
    desk.server = Server::start(&desk.lectern);
    desk.until_found("Leocadia", &["hives.md"]);
    desk.until_found("1907", &[]);
}
