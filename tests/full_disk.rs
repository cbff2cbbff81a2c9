//! A disk that is full: a server reads on and refuses to write, a command says what is the matter, nothing is
//! lost, and with room again everything is taken in.

use serde_json::{Value, json};

use crate::harness::lectern::{KB, file_names};
use crate::harness::small_disk::SmallDisk;
use crate::harness::{Outcome, Server, Workplace, skipped, until};

/// Documents that come while the disk is full.
const LATER: usize = 60;
/// Enough for the empty indexes, and soon full.
const SIZE: &str = "400m";

fn small_disk(lectern: &Workplace) -> Option<SmallDisk> {
    let disk = SmallDisk::under(lectern, SIZE);
    if disk.is_none() {
        skipped("only the superuser can mount a small disk in a namespace of its own");
    }
    disk
}

#[test]
fn a_command_on_a_full_disk_says_so_and_is_done_when_there_is_room() {
    let lectern = Workplace::new();
    let Some(disk) = small_disk(&lectern) else { return };
    let run = |arguments: &[&str]| {
        let mut command = lectern.wrapped(&disk.wrapper());
        command.arg("--json").args(arguments);
        Outcome::of(command)
    };
    let documents = lectern.documents();
    let ingest = || run(&["ingest", "--kb", KB, "--create", documents.to_str().unwrap()]);
    let found = |text: &str| {
        let found = run(&["search", "--kb", KB, "--mode", "lexical", "--top", "1000", text])
            .exits(0)
            .json();
        file_names(found["passages"].as_array().unwrap())
    };
    lectern.write("before.md", "The recipe wants samphire and butter.\n");
    ingest().exits(0);
    for number in 0..LATER {
        lectern.write(
            format!("{number}.md"),
            format!("# Number {number}\n\nThe parcel {number} is in the yard.\n"),
        );
    }

    disk.fill();
    let full = ingest();
    println!("{full:#?}");
    let full = full.exits(1);
    let told = format!("{}{}", full.stdout, full.stderr);
    assert!(told.contains("disk_full"), "{told}");

    disk.free();
    assert_eq!(found("samphire"), ["before.md"]);
    let counts = ingest().exits(0).counts();
    assert_eq!(counts.new + counts.unchanged, LATER as u64 + 1, "{counts:?}");
    assert_eq!(found("parcel").len(), LATER);
    assert_eq!(run(&["fsck"]).exits(0).json()["clean"], true);
}

#[test]
fn a_server_on_a_full_disk_reads_on_and_writes_again_when_there_is_room() {
    let lectern = Workplace::new();
    let Some(disk) = small_disk(&lectern) else { return };
    let server = Server::launch(lectern.wrapped(&disk.wrapper()), None);
    server.post("/knowledge-bases", &json!({ "name": KB })).is(201);
    let push = |key: &str, text: &str| {
        let body = json!({ "key": key, "title": key, "text": text });
        server.post(&format!("/knowledge-bases/{KB}/documents?wait=true"), &body)
    };
    let found = |text: &str, mode: &str| -> Vec<Value> {
        let body = json!({ "text": text, "mode": mode });
        let found = server
            .post(&format!("/knowledge-bases/{KB}/search"), &body)
            .is(200)
            .json();
        found["passages"].as_array().unwrap().clone()
    };
    push("before", "The recipe wants samphire and butter.").is(200);

    disk.fill();
    for round in 0..5 {
        let long = format!(
            "The parcel {round} is in the yard. {}",
            "It is waiting there. ".repeat(3_000)
        );
        push(&format!("refused-{round}"), &long).fails(507, "disk_full", "");
        for mode in ["lexical", "vector", "hybrid"] {
            assert_eq!(found("samphire", mode).len(), 1, "{mode}");
        }
    }
    assert_eq!(
        server.get(&format!("/knowledge-bases/{KB}")).is(200).json()["document_count"],
        1
    );

    disk.free();
    let accepted = push("after", "The parcel is in the yard.");
    assert!([200, 202].contains(&accepted.status), "{}", accepted.body);
    until("the document to be found", || {
        (found("parcel", "lexical").len() == 1).then_some(())
    });
    assert_eq!(found("samphire", "lexical").len(), 1);
    server.kill();
    let mut fsck = lectern.wrapped(&disk.wrapper());
    fsck.args(["--json", "fsck"]);
    assert_eq!(Outcome::of(fsck).exits(0).json()["clean"], true);
}
