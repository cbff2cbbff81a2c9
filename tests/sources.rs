//! Sources that are kept in step by jobs: each is told truthfully, stops when it is asked to, asks before it
//! deletes a lot, and goes on after whatever interrupted it.

use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::jobs::Job;
use crate::harness::lectern::KB;
use crate::harness::oracle::{Oracle, word};
use crate::harness::server::send;
use crate::harness::{Outcome, Server, Workplace, events, until};

/// Documents of a job that is interrupted.
const MANY: usize = 240;
/// The source that the tests make.
const SOURCE: &str = "reading";

fn source(lectern: &Workplace, action: &str, more: &[&str]) -> Outcome {
    let mut arguments = vec!["source", action, "--kb", KB];
    arguments.extend(more);
    lectern.run(arguments)
}

fn add(lectern: &Workplace) {
    let mut command = lectern.program();
    command
        .args([
            "--json", "source", "add", "--create", "--kb", KB, "--name", SOURCE,
        ])
        .arg(lectern.documents());
    Outcome::of(command).exits(0);
}

fn path(rest: &str) -> String {
    format!("/knowledge-bases/{KB}/{rest}")
}

/// The job's id, of a body that shows it.
fn id_of(body: &Value) -> Uuid {
    body["job"]["id"].as_str().unwrap().parse().unwrap()
}

/// Waits until a job has published something. Whether it goes on.
fn until_published(job: Job) -> bool {
    let published = |now: &Value| now["progress"]["chunks_published"].as_u64().unwrap_or(0) > 0;
    let now = job.follow(|now| published(now) || !now["ended_at"].is_null());
    now["ended_at"].is_null()
}

/// A server in the middle of a job over [`MANY`] new documents, and the job's id. However fast the machine, each
/// document takes a moment.
fn in_the_middle_of_a_job(lectern: &Workplace) -> (Server, Uuid) {
    let mut oracle = Oracle::default();
    for number in 0..MANY {
        oracle.write(lectern, number, 1);
    }
    add(lectern);
    let mut command = lectern.program();
    command.env("LECTERN_TEST_FAILPOINTS", "embed.before=sleep(20)");
    let server = Server::launch(command, None);
    let job = Job::sync(&server, SOURCE);
    let id = job.id();
    assert!(
        until_published(job),
        "the job was over before anything could happen to it"
    );
    (server, id)
}

/// What a job counted, after checking that it adds up.
fn count(job: &Value, name: &str) -> u64 {
    let counts = &job["counts"];
    let number = |name: &str| counts[name].as_u64().unwrap();
    let parts = [
        "new",
        "modified",
        "unchanged",
        "metadata_only",
        "skipped",
        "failed",
    ];
    assert_eq!(
        number("scanned"),
        parts.map(number).iter().sum::<u64>(),
        "{job:#}"
    );
    number(name)
}

#[test]
fn a_source_is_added_synced_shown_and_removed() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    lectern.write("hives.txt", "The hive behind the orchard is called Theodora.\n");
    add(&lectern);
    source(&lectern, "sync", &["nothing"]).fails(3, "source_not_found", "nothing");
    let mut again = lectern.program();
    again
        .args(["--json", "source", "add", "--kb", KB, "--name", SOURCE])
        .arg(lectern.documents());
    Outcome::of(again).fails(5, "source_exists", SOURCE);

    let first = source(&lectern, "sync", &[SOURCE]).exits(0);
    assert_eq!(first.counts().new, 2);
    lectern.write("hives.txt", "The hive behind the orchard is called Leocadia.\n");
    let second = source(&lectern, "sync", &[SOURCE]).exits(0);
    assert_eq!((second.counts().modified, second.counts().unchanged), (1, 1));

    let status = source(&lectern, "status", &[SOURCE]).exits(0).json();
    assert_eq!(status["source"]["name"], SOURCE);
    for name in [
        "documents",
        "indexed",
        "searchable_by_words",
        "searchable_by_meaning",
    ] {
        assert_eq!(status["totals"][name], 2, "{name}: {status:#}");
    }
    let hives = &status["documents"][1];
    assert_eq!(
        (hives["status"].as_str(), hives["searchable"].as_str()),
        (Some("indexed"), Some("words_and_meaning"))
    );
    assert_eq!(
        (&hives["current_version"], &hives["chunk_count"]),
        (&json!(2), &json!(1))
    );
    assert!(hives["attempts"].as_u64().unwrap() >= 1, "{hives:#}");
    assert!(
        hives["attempted_at"].is_string() && hives["indexed_at"].is_string(),
        "{hives:#}"
    );

    let history = source(&lectern, "history", &[SOURCE]).exits(0).json();
    let jobs = history["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    assert_eq!(
        (count(&jobs[0], "modified"), count(&jobs[1], "new")),
        (1, 2),
        "newest first"
    );
    for job in jobs {
        assert_eq!(
            (job["state"].as_str(), &job["reason"]),
            (Some("complete"), &Value::Null)
        );
        assert!(job["started_at"].as_str().unwrap() <= job["ended_at"].as_str().unwrap());
    }
    let listed = source(&lectern, "list", &[]).exits(0).json();
    assert_eq!(listed["sources"][0]["last_job"]["id"], jobs[0]["id"]);

    source(&lectern, "remove", &[SOURCE, "--yes"]).exits(0);
    assert_eq!(lectern.found("Leocadia"), [""; 0]);
    assert!(
        lectern.documents().join("hives.txt").is_file(),
        "a folder is never touched"
    );
    lectern.assert_sound();
}

#[test]
fn a_person_reads_tables() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    lectern.write("broken.pdf", "%PDF-1.4\nnothing of a file\n%%EOF");
    add(&lectern);
    lectern.type_in(&["source", "sync", "--kb", KB, SOURCE]).exits(4);
    let status = lectern
        .type_in(&["source", "status", "--kb", KB, SOURCE])
        .exits(0)
        .stdout;
    for shown in [
        "words and meaning",
        "broken.pdf",
        "pdf_",
        "2: 1 indexed, 0 pending, 0 skipped, 1 failed",
    ] {
        assert!(status.contains(shown), "{shown:?} is missing in\n{status}");
    }
    let failed = lectern
        .type_in(&["source", "status", "--kb", KB, SOURCE, "--status", "failed"])
        .exits(0)
        .stdout;
    assert!(!failed.contains("bees.md"), "{failed}");
    let history = lectern
        .type_in(&["source", "history", "--kb", KB, SOURCE])
        .exits(0)
        .stdout;
    assert!(history.contains("complete"), "{history}");
    let list = lectern.type_in(&["source", "list", "--kb", KB]).exits(0).stdout;
    assert!(list.contains(SOURCE) && list.contains("complete"), "{list}");
}

#[test]
fn a_document_that_fails_says_why_how_often_and_when() {
    let lectern = Workplace::new();
    lectern.write("broken.pdf", "%PDF-1.4\nnothing of a file\n%%EOF");
    lectern.write("empty.md", "");
    lectern.write("good.md", "# Good\n\nThe lantern burns whale oil.\n");
    add(&lectern);
    let server = Server::start(&lectern);
    for attempt in 1..=2 {
        let job = Job::sync(&server, SOURCE).ended();
        assert_eq!(
            (job["state"].as_str(), count(&job, "failed")),
            (Some("complete"), 1),
            "{job:#}"
        );
        let failed = server.get(&path("documents?status=failed")).is(200).json();
        let document = &failed["documents"][0];
        assert_eq!(
            document["key"].as_str().unwrap().rsplit('/').next(),
            Some("broken.pdf")
        );
        assert!(
            document["reason"].as_str().unwrap().starts_with("pdf_damaged: "),
            "{document:#}"
        );
        assert_eq!(
            (&document["searchable"], &document["attempts"]),
            (&json!("nothing"), &json!(attempt))
        );
        assert!(document["attempted_at"].is_string(), "{document:#}");
    }
    let skipped = server.get(&path("documents?status=skipped")).is(200).json();
    assert!(
        skipped["documents"][0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("empty_file"),
        "{skipped:#}"
    );
    let found = json!({ "text": "lantern" });
    let found = server.post(&path("search"), &found).is(200).json();
    assert_eq!(found["embedded"], json!({ "documents": 1, "of": 1 }));
}

#[test]
fn a_job_is_watched_from_the_queue_to_its_end() {
    let lectern = Workplace::new();
    let mut oracle = Oracle::default();
    for number in 0..60 {
        oracle.write(&lectern, number, 1);
    }
    add(&lectern);
    let server = Server::start(&lectern);
    let id = Job::sync(&server, SOURCE).id();
    let stream = server.get(&path(&format!("ingestions/{id}/events"))).is(200);
    let events = events::parse(&stream.body);
    let (done, steps) = events.split_last().unwrap();
    assert!(!steps.is_empty(), "{}", stream.body);
    let mut last = (0, 0, 0);
    for step in steps {
        assert_eq!(step.name, "progress");
        assert!(
            ["queued", "running"].contains(&step.data["state"].as_str().unwrap()),
            "{step:?}"
        );
        let number = |name: &str| step.data[name].as_u64().unwrap();
        let now = (
            number("listed"),
            number("chunks_published"),
            number("chunks_embedded"),
        );
        assert!(
            now.0 >= last.0 && now.1 >= last.1 && now.2 >= last.2,
            "{last:?} {now:?}"
        );
        last = now;
    }
    assert_eq!(done.name, "done");
    assert_eq!(
        (
            done.data["job"]["state"].as_str(),
            count(&done.data["job"], "new")
        ),
        (Some("complete"), 60)
    );
    for place in ["waiting", "reading", "embedding"] {
        until("the gauges to say that no job is left", || {
            (server.metric(&format!("lectern_jobs_{place}")) == 0.0).then_some(())
        });
    }
}

#[test]
fn a_job_that_is_stopped_keeps_what_it_did_and_the_next_goes_on() {
    let lectern = Workplace::new();
    let (server, id) = in_the_middle_of_a_job(&lectern);
    let stopped = Job::of(&server, id).stop();
    assert_eq!(stopped["state"], "stopped", "{stopped:#}");
    assert!(
        stopped["reason"].as_str().unwrap().starts_with("stopped: "),
        "{stopped:#}"
    );
    let before = count(&stopped, "new");

    let next = Job::sync(&server, SOURCE);
    assert_ne!(next.id(), id);
    let ended = next.ended();
    assert_eq!(
        (ended["state"].as_str(), count(&ended, "scanned")),
        (Some("complete"), MANY as u64)
    );
    assert!(count(&ended, "unchanged") >= before, "{ended:#}");
    server.kill();
    lectern.assert_sound();
}

#[test]
fn a_job_that_would_delete_a_lot_deletes_nothing_and_asks() {
    let lectern = Workplace::new();
    let mut oracle = Oracle::default();
    for number in 0..14 {
        oracle.write(&lectern, number, 1);
    }
    add(&lectern);
    source(&lectern, "sync", &[SOURCE]).exits(0);
    for number in 0..11 {
        oracle.remove(&lectern, number);
    }
    oracle.write(&lectern, 14, 1);
    let asks = source(&lectern, "sync", &[SOURCE]).exits(7).json();
    assert_eq!(asks["job"]["state"], "stopped", "{asks:#}");
    let reason = asks["job"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("too_many_deletes: "), "{reason}");
    assert!(
        reason.contains("11") && reason.contains("--allow-deletes"),
        "{reason}"
    );
    assert_eq!(
        (count(&asks["job"], "new"), count(&asks["job"], "deleted")),
        (1, 0)
    );
    assert_eq!(lectern.found(&word(3, 1)).len(), 1, "nothing was deleted");
    assert_eq!(lectern.found(&word(14, 1)).len(), 1, "the rest was done");

    // Over HTTP the same, and then it is allowed.
    let server = Server::start(&lectern);
    let asks = Job::sync(&server, SOURCE).ended();
    assert!(
        asks["reason"].as_str().unwrap().starts_with("too_many_deletes: "),
        "{asks:#}"
    );
    let allowed = json!({ "allow_deletes": true });
    let queued = server
        .post(&path(&format!("sources/{SOURCE}/sync")), &allowed)
        .is(202);
    let ended = Job::of(&server, id_of(&queued.json())).ended();
    assert_eq!(
        (ended["state"].as_str(), count(&ended, "deleted")),
        (Some("complete"), 11)
    );
    server.kill();
    assert_eq!(lectern.found(&word(3, 1)), [""; 0]);
    lectern.assert_sound();
}

#[test]
fn a_killed_server_goes_on_with_its_job_when_it_starts_again() {
    let lectern = Workplace::new();
    let (server, id) = in_the_middle_of_a_job(&lectern);
    server.kill();

    // Nobody asks again.
    let server = Server::start(&lectern);
    let ended = Job::of(&server, id).ended();
    assert_eq!(ended["state"], "complete", "{ended:#}");
    assert_eq!(
        (count(&ended, "scanned"), count(&ended, "new")),
        (MANY as u64, MANY as u64),
        "{ended:#}"
    );
    assert_eq!(ended["attempts"], 2, "{ended:#}");
    assert!(ended["history"].to_string().contains("interrupted"), "{ended:#}");
    server.kill();
    lectern.assert_sound();
}

#[test]
#[cfg(unix)]
fn a_server_that_is_told_to_end_leaves_its_job_queued_and_the_command_line_goes_on_with_it() {
    let lectern = Workplace::new();
    let (server, id) = in_the_middle_of_a_job(&lectern);
    let told = Command::new("kill")
        .arg(server.process_id().to_string())
        .status()
        .unwrap();
    assert!(told.success());
    until("the server to be gone", || {
        // Nobody answers once it is gone; until then it says that it ends.
        (source(&lectern, "history", &[SOURCE]).code == 0).then_some(())
    });
    let history = source(&lectern, "history", &[SOURCE]).exits(0).json();
    let waiting = &history["jobs"][0];
    assert_eq!(
        (&waiting["id"], &waiting["state"]),
        (&json!(id), &json!("queued")),
        "{waiting:#}"
    );
    assert!(
        waiting["reason"].as_str().unwrap().starts_with("interrupted: "),
        "{waiting:#}"
    );

    let ended = source(&lectern, "sync", &[SOURCE]).exits(0).json();
    assert_eq!(id_of(&ended), id);
    assert_eq!(
        (count(&ended["job"], "new"), ended["job"]["state"].as_str()),
        (MANY as u64, Some("complete"))
    );
    lectern.assert_sound();
}

#[test]
fn a_job_that_waits_can_be_given_up() {
    let lectern = Workplace::new();
    let (server, id) = in_the_middle_of_a_job(&lectern);
    server.kill();
    let stopped = source(&lectern, "stop", &[SOURCE]).exits(0).json();
    assert_eq!(
        (&stopped["stopped"][0]["id"], &stopped["stopped"][0]["state"]),
        (&json!(id), &json!("stopped"))
    );
    let server = Server::start(&lectern);
    assert_eq!(Job::of(&server, id).now()["state"], "stopped");
    server.kill();
    lectern.assert_sound();
}

#[test]
fn a_source_of_a_server_is_one_of_the_command_line() {
    let lectern = Workplace::new();
    lectern.write("bees.md", "# Bees\n\nA worker bee lives about six weeks.\n");
    lectern.run(["kb", "create", KB]).exits(0);
    let server = Server::start(&lectern);
    let body = json!({ "paths": [lectern.documents()] });
    let begun = send(
        server
            .request(reqwest::Method::POST, &path("ingestions"))
            .json(&body),
    )
    .is(202);
    let id = id_of(&begun.json());
    assert_eq!(
        begun.header("location"),
        format!("/api/v1{}", path(&format!("ingestions/{id}")))
    );
    assert_eq!(count(&Job::of(&server, id).ended(), "new"), 1);
    server.kill();
    let again = lectern.ingest().exits(0);
    assert_eq!(again.counts().unchanged, 1, "the same paths are the same source");
    let listed = source(&lectern, "list", &[]).exits(0).json();
    assert_eq!(listed["sources"].as_array().unwrap().len(), 1);
}
