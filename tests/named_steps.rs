//! Every named step of ingestion fails, panics, or kills its process, one after the other: nothing lost, no ghost,
//! nothing twice, nothing old, nothing torn.
//!
//! What must be found is known outside of the program ([`Records`]). The state is looked at *before* anything may
//! heal it (`fsck --as-found`), and the next fault comes on top of what the last one left; now and then all of it
//! is healed and looked at through a server. A killed process loses no page that the system has; what a
//! power cut loses is another question.

use std::collections::{BTreeMap, BTreeSet};

use lectern_ingest::failpoints::FAILPOINTS;

use crate::harness::lectern::Outcome;
use crate::harness::records::{Records, chunks_of, file, text};
use crate::harness::{Server, Workplace};

/// Documents in the folder.
const DOCUMENTS: usize = 40;
/// After so many faults all is looked at from outside.
const LOOK_EVERY: usize = 12;

/// What a step does instead of its work.
const ACTIONS: [&str; 3] = ["return(error)", "panic", "return(kill)"];

/// Ingests with a fault planned at a step. Whether the step was reached: it killed the process, or it is named in
/// what the program told.
fn ingest_with_fault(lectern: &Workplace, point: &str, action: &str) -> bool {
    let mut command = lectern.ingest_command();
    command.env("LECTERN_TEST_FAILPOINTS", format!("{point}={action}"));
    let outcome = Outcome::of(command);
    if action == "return(kill)" {
        return outcome.code == -1;
    }
    let told = outcome.stderr.lines().chain(outcome.stdout.lines());
    let mut what_happened = told.filter(|line| !line.contains("failpoints are armed"));
    what_happened.any(|line| line.contains(point))
}

/// Before anything is healed: whatever is in an index is known to the ledger, and whatever may be seen is there.
fn assert_sound_as_found(lectern: &Workplace, what: &str) {
    let report = lectern.run(["fsck", "--as-found"]).json();
    for check in report["checks"].as_array().unwrap() {
        for index in check["indexes"].as_array().unwrap() {
            for fault in ["missing", "ghost", "duplicate", "misfiled"] {
                assert_eq!(index[fault]["count"], 0, "{what}: {fault}: {report:#}");
            }
        }
        assert_eq!(check["files_damaged"]["count"], 0, "{what}: {report:#}");
        assert_eq!(check["torn_documents"], 0, "{what}: {report:#}");
    }
}

#[test]
fn every_named_step_may_fail_panic_or_die() {
    let lectern = Workplace::new();
    let mut records = Records::default();
    for number in 0..DOCUMENTS {
        lectern.write(file(number), text(number, 1));
        records.settle(number, Some(1));
    }
    lectern.ingest().exits(0);
    let server = Server::start(&lectern);
    let chunks = chunks_of(&server, 0);
    server.kill();

    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let points = FAILPOINTS.iter().copied();
    let faults = points.flat_map(|point| ACTIONS.map(|action| (point, action)));
    for (round, (point, action)) in faults.enumerate() {
        change_the_folder(&lectern, &mut records, round);
        if ingest_with_fault(&lectern, point, action) {
            reached.entry(action).or_default().insert(point);
        }
        assert_sound_as_found(&lectern, &format!("after {point}={action}"));
        if round % LOOK_EVERY == LOOK_EVERY - 1 {
            heal_and_look(&lectern, &mut records, chunks);
        }
    }
    heal_and_look(&lectern, &mut records, chunks);
    let all: BTreeSet<&str> = FAILPOINTS.iter().copied().collect();
    for action in ACTIONS {
        let missed: Vec<&&str> = all.difference(&reached[action]).collect();
        assert!(missed.is_empty(), "{action} never came to {missed:?}");
    }
}

/// One document is new or changed, and every third time another one is gone.
fn change_the_folder(lectern: &Workplace, records: &mut Records, round: usize) {
    let number = round % DOCUMENTS;
    let version = records.highest(number) + 1;
    lectern.write(file(number), text(number, version));
    records.settle(number, Some(version));
    let other = (number + DOCUMENTS / 2) % DOCUMENTS;
    if round % 3 == 2 && records.latest(other).is_some() {
        lectern.remove(&file(other));
        records.settle(other, None);
    }
}

/// A job without a fault brings everything in order, and the next one has nothing to do.
fn heal_and_look(lectern: &Workplace, records: &mut Records, chunks: usize) {
    let ended = lectern.ingest().exits(0);
    println!("healed: {:?}", ended.counts());
    lectern.assert_sound();
    let server = Server::start(lectern);
    records.check_at_rest(&server, chunks);
    server.kill();
    let again = lectern.ingest().exits(0);
    assert_eq!(
        again.json()["chunks_embedded"],
        0,
        "what is known was embedded again"
    );
}
