//! `kill -9` in the middle of things: nothing lost, nothing twice, nothing half.
//!
//! Nothing is learnt from the program about what it did: the [`Oracle`] knows what must be found. (A killed
//! process loses no page that the system has; what a power cut loses is another question.)

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::harness::lectern::{KB, file_names};
use crate::harness::oracle::{Dice, Oracle, name, word};
use crate::harness::{Server, Workplace, until};

/// Documents of a crash test.
const DOCUMENTS: usize = 240;

/// When an ingestion is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// It has read that many documents more.
    Read(usize),
    /// The index of words has been committed that many times more, and nothing that follows is sure.
    Committed(usize),
}

/// What can be seen of an ingestion's progress from outside.
struct Progress {
    data: PathBuf,
    texts_before: HashSet<OsString>,
    last_commit: Option<SystemTime>,
    commits: usize,
}

impl Progress {
    fn new(lectern: &Workplace) -> Self {
        let data = lectern.data();
        let texts_before = stored_texts(&data);
        let last_commit = last_commit(&data);
        Self {
            data,
            texts_before,
            last_commit,
            commits: 0,
        }
    }

    fn has_come_to(&mut self, moment: Moment) -> bool {
        match moment {
            Moment::Read(count) => stored_texts(&self.data).difference(&self.texts_before).count() >= count,
            Moment::Committed(count) => {
                let now = last_commit(&self.data);
                self.commits += usize::from(now.is_some() && now != self.last_commit);
                self.last_commit = now;
                self.commits >= count
            }
        }
    }
}

/// The stored texts: what the program has read so far.
fn stored_texts(data: &Path) -> HashSet<OsString> {
    let Ok(folders) = std::fs::read_dir(data.join("texts")) else {
        return HashSet::new();
    };
    let files = folders
        .flatten()
        .filter_map(|folder| std::fs::read_dir(folder.path()).ok())
        .flatten()
        .flatten();
    files.map(|file| file.file_name()).collect()
}

/// When the index of words was last committed.
fn last_commit(data: &Path) -> Option<SystemTime> {
    let folders = std::fs::read_dir(data.join("words")).ok()?;
    let commits = folders
        .flatten()
        .filter_map(|folder| folder.path().join("meta.json").metadata().ok());
    commits.filter_map(|file| file.modified().ok()).max()
}

/// Starts an ingestion and kills it at that moment. Whether the moment came before the end.
fn ingest_and_crash(lectern: &Workplace, moment: Moment) -> bool {
    let mut progress = Progress::new(lectern);
    let mut command = lectern.ingest_command();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let came = until("an ingestion to get on", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        progress.has_come_to(moment).then_some(true)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    println!("killed at {moment:?}: {came}");
    came
}

/// Each document is found under its word, once, in its present version and no other, and there are no more.
fn assert_all_found_once(lectern: &Workplace, oracle: &Oracle) {
    let server = Server::start(lectern);
    let base = server.get(&format!("/knowledge-bases/{KB}")).is(200).json();
    assert_eq!(base["document_count"].as_u64(), Some(oracle.len() as u64));
    assert_eq!(
        base["chunk_count"], base["document_count"],
        "each document is one chunk"
    );
    for (number, version) in oracle.documents() {
        assert_eq!(
            found(&server, &word(number, version)),
            [name(number)[3..].to_owned()]
        );
        for old in 1..version {
            assert_eq!(
                found(&server, &word(number, old)),
                [""; 0],
                "an old version is visible"
            );
        }
    }
}

fn found(server: &Server, text: &str) -> Vec<String> {
    let body = json!({ "text": text, "mode": "lexical" });
    let found = server
        .post(&format!("/knowledge-bases/{KB}/search"), &body)
        .is(200)
        .json();
    file_names(found["passages"].as_array().unwrap())
}

#[test]
fn an_ingestion_that_is_killed_again_and_again_ends_as_if_it_never_was() {
    let mut dice = Dice::new();
    let lectern = Workplace::new();
    let mut oracle = Oracle::default();
    for number in 0..DOCUMENTS {
        oracle.write(&lectern, number, 1);
    }
    let mut in_time = 0;
    for moment in [
        Moment::Read(dice.between(1, 30)),
        Moment::Committed(dice.between(2, 3)),
        Moment::Read(dice.between(30, 60)),
        Moment::Committed(dice.between(1, 2)),
    ] {
        in_time += usize::from(ingest_and_crash(&lectern, moment));
    }
    let ended = lectern.ingest().exits(0);
    let counts = ended.counts();
    println!("after {in_time} crashes: {counts:?}");
    assert_eq!(counts.new + counts.unchanged, DOCUMENTS as u64);
    assert!(
        in_time >= 2,
        "only {in_time} crashes were in the middle of something"
    );
    lectern.assert_sound();
    assert_all_found_once(&lectern, &oracle);

    // Again and again some change, some go, some come, and each time it is killed.
    let moments = [
        Moment::Committed(1),
        Moment::Read(dice.between(1, 40)),
        Moment::Committed(dice.between(1, 2)),
    ];
    for (round, moment) in moments.into_iter().enumerate() {
        for number in (round..DOCUMENTS).step_by(5) {
            oracle.write(&lectern, number, 2 + u32::from(round == 2));
        }
        oracle.remove(&lectern, 20 * round + 4);
        oracle.write(&lectern, DOCUMENTS + round, 1);
        ingest_and_crash(&lectern, moment);
    }
    let ended = lectern.ingest().exits(0);
    println!("after the second round: {:?}", ended.counts());
    lectern.assert_sound();
    assert_all_found_once(&lectern, &oracle);
    let again = lectern.ingest().exits(0);
    assert_eq!(again.counts().unchanged, oracle.len() as u64);
    assert_eq!(again.json()["chunks_embedded"], 0);
}

#[test]
fn what_a_server_accepted_survives_its_crash() {
    let lectern = Workplace::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let server = Server::start(&lectern);
    let documents = format!("/knowledge-bases/{KB}/documents");
    let words: Vec<String> = (0..12).map(|number| word(number, 1)).collect();
    let mut accepted = Vec::new();
    for (number, word) in words.iter().enumerate() {
        let text = format!("# Note\n\nThe note of {word} was pushed.\n");
        let body = json!({ "key": format!("pushed-{number}.md"), "text": text });
        let reply = server.post(&documents, &body).is(202);
        accepted.push(reply.json()["document"]["id"].clone());
    }
    server.kill();

    let server = Server::start(&lectern);
    for (word, id) in words.iter().zip(&accepted) {
        let passages = until("a pushed document to be found", || {
            let body = json!({ "text": word, "mode": "lexical" });
            let found = server
                .post(&format!("/knowledge-bases/{KB}/search"), &body)
                .is(200)
                .json();
            let passages = found["passages"].as_array().unwrap().clone();
            (!passages.is_empty()).then_some(passages)
        });
        let documents: Vec<&Value> = passages.iter().map(|passage| &passage["document"]).collect();
        assert_eq!(documents, [id]);
    }
    server.kill();
    lectern.assert_sound();
}
