//! A server that takes pushes, deletions and a folder is killed at random instants, again and again, while somebody
//! searches.
//!
//! What must be found is known outside of the server: [`Records`] has what was acknowledged, and, for the one
//! request that the kill cut off, what may have become of it. After each start it is looked at twice: at once,
//! before the server has done what waits (each document whole, in a version that it may have), and when
//! nothing waits any more (exactly the latest). The searcher in between may never see a torn document, and nobody
//! ever sees one that is somebody else's.
//!
//! `LECTERN_TEST_KILLS=1000` makes it long; `LECTERN_TEST_SEED` does the same again.

use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::harness::lectern::KB;
use crate::harness::oracle::Dice;
use crate::harness::records::{Records, chunks_of, file, shown_if_there, text};
use crate::harness::server::try_send;
use crate::harness::{Reply, Server, Workplace, until};

/// Kills where nothing else is said.
const KILLS: usize = 50;
/// Documents in the folder. As many are pushed under the numbers that follow, and as many that are somebody
/// else's under those after them.
const DOCUMENTS: usize = 20;
/// The longest time from a start to the kill.
const LONGEST_LIFE_MS: usize = 1_500;

/// The folder, what is known of the documents, and the account.
struct Trial<'a> {
    lectern: &'a Workplace,
    records: Records,
    dice: Dice,
    chunks: usize,
    kills: usize,
    operations: usize,
    restarts: Vec<Duration>,
}

impl Trial<'_> {
    /// Changes documents until the server is gone: it is killed at a random instant.
    fn round(&mut self, server: &Server) {
        let looked_at = Mutex::new(self.records.clone());
        let chunks = self.chunks;
        let life = Duration::from_millis(self.dice.between(0, LONGEST_LIFE_MS) as u64);
        std::thread::scope(|scope| {
            scope.spawn(|| poll(server, &looked_at, chunks));
            scope.spawn(|| {
                // A random instant is what is wanted here; nothing is waited for.
                std::thread::sleep(life);
                kill(server.process_id());
            });
            while self.operate(server).is_some() {
                looked_at.lock().unwrap().clone_from(&self.records);
            }
        });
        self.kills += 1;
    }

    /// Nothing where the server is gone.
    fn operate(&mut self, server: &Server) -> Option<()> {
        match self.dice.between(0, 19) {
            0..=6 => self.push(server)?,
            7..=8 => self.push_for_somebody_else(server)?,
            9..=10 => self.delete(server)?,
            11..=15 => self.change_the_folder(),
            _ => self.sync(server)?,
        }
        self.operations += 1;
        Some(())
    }

    fn push(&mut self, server: &Server) -> Option<()> {
        let number = DOCUMENTS + self.dice.between(0, DOCUMENTS - 1);
        let version = Some(self.records.highest(number) + 1);
        let body = json!({ "key": file(number), "text": text(number, version?) });
        match try_send(server.request(Method::POST, &documents()).json(&body)) {
            Some(reply) => {
                assert!([200, 202].contains(&reply.status), "{}", reply.body);
                self.records.is_to_be(number, version);
                Some(())
            }
            None => {
                self.records.may_be(number, version);
                None
            }
        }
    }

    /// The records never learn of it: it may never be seen.
    fn push_for_somebody_else(&mut self, server: &Server) -> Option<()> {
        let number = 2 * DOCUMENTS + self.dice.between(0, DOCUMENTS - 1);
        self.records.settle(number, None);
        let acl = json!({ "allow": ["user:someone-else"] });
        let body = json!({ "key": file(number), "text": text(number, 1), "acl": acl });
        let reply = try_send(server.request(Method::POST, &documents()).json(&body))?;
        assert!([200, 202].contains(&reply.status), "{}", reply.body);
        Some(())
    }

    fn delete(&mut self, server: &Server) -> Option<()> {
        let number = DOCUMENTS + self.dice.between(0, DOCUMENTS - 1);
        let list = all_documents(server)?.json();
        let listed = list["documents"].as_array().unwrap();
        let Some(found) = listed.iter().find(|document| document["key"] == file(number)) else {
            return Some(());
        };
        let path = format!("{}/{}", documents(), found["id"].as_str().unwrap());
        match try_send(server.request(Method::DELETE, &path)) {
            Some(reply) => {
                assert_eq!(reply.status, 204, "{}", reply.body);
                self.records.settle(number, None);
                Some(())
            }
            None => {
                self.records.may_be(number, None);
                None
            }
        }
    }

    fn change_the_folder(&mut self) {
        let number = self.dice.between(0, DOCUMENTS - 1);
        if self.records.latest(number).is_some() && self.dice.between(0, 4) == 0 {
            self.lectern.remove(&file(number));
            self.records.is_to_be(number, None);
        } else {
            let version = self.records.highest(number) + 1;
            self.lectern.write(file(number), text(number, version));
            self.records.is_to_be(number, Some(version));
        }
    }

    /// A sync that is refused because one runs is asked for again when all is brought to rest.
    fn sync(&mut self, server: &Server) -> Option<()> {
        let reply = self.ask_for_sync(server)?;
        assert!([200, 202, 409].contains(&reply.status), "{}", reply.body);
        Some(())
    }

    fn ask_for_sync(&self, server: &Server) -> Option<Reply> {
        let body = json!({ "paths": [self.lectern.documents()], "allow_deletes": true });
        let path = format!("/knowledge-bases/{KB}/ingestions");
        try_send(server.request(Method::POST, &path).json(&body))
    }

    /// Starts the server again, and looks before it can have done what waits.
    fn restart(&mut self) -> Server {
        let begun = Instant::now();
        let server = Server::start(self.lectern);
        self.restarts.push(begun.elapsed());
        self.records.check_under_way(&server, self.chunks);
        server
    }

    /// Waits until nothing waits any more, and looks again.
    fn bring_to_rest(&mut self, server: &Server) {
        let job = until("a sync to be accepted", || {
            let reply = self.ask_for_sync(server).expect("the server is there");
            (reply.status == 202).then(|| reply.json()["job"]["id"].as_str().unwrap().to_owned())
        });
        until("the sync to end", || {
            let path = format!("/knowledge-bases/{KB}/ingestions/{job}");
            let job = server.get(&path).is(200).json()["job"].clone();
            (!job["ended_at"].is_null()).then(|| assert_eq!(job["state"], "complete", "{job:#}"))
        });
        until("nothing to wait", || {
            let list = all_documents(server).expect("the server is there").is(200).json();
            let listed = list["documents"].as_array().unwrap();
            let is_done = |document: &serde_json::Value| {
                document["status"] == "indexed" && document["searchable"] == "words_and_meaning"
            };
            listed.iter().all(is_done).then_some(())
        });
        self.records.check_at_rest(server, self.chunks);
    }
}

fn documents() -> String {
    format!("/knowledge-bases/{KB}/documents")
}

fn all_documents(server: &Server) -> Option<Reply> {
    try_send(server.request(Method::GET, &format!("{}?limit=1000", documents())))
}

/// Searches until the server is gone. Each document is whole, or not there.
fn poll(server: &Server, records: &Mutex<Records>, chunks: usize) {
    for number in (0..3 * DOCUMENTS).cycle() {
        // A version more than is known may have been pushed meanwhile.
        let highest = records.lock().unwrap().highest(number) + 2;
        match shown_if_there(server, number, highest) {
            Some(shown) => shown.whole(number, chunks),
            None => return,
        };
    }
}

fn kill(process: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

#[test]
fn a_server_that_is_killed_at_any_moment_keeps_what_it_acknowledged() {
    let kills = std::env::var("LECTERN_TEST_KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let lectern = Workplace::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let mut records = Records::default();
    for number in 0..DOCUMENTS {
        lectern.write(file(number), text(number, 1));
        records.settle(number, Some(1));
    }
    lectern.ingest().exits(0);
    let mut server = Server::start(&lectern);
    let mut trial = Trial {
        lectern: &lectern,
        chunks: chunks_of(&server, 0),
        records,
        dice: Dice::new(),
        kills: 0,
        operations: 0,
        restarts: Vec::new(),
    };
    while trial.kills < kills {
        trial.round(&server);
        // Until it is gone, the data folder is its own.
        server.end();
        server = trial.restart();
        if trial.dice.between(0, 3) == 0 || trial.kills == kills {
            trial.bring_to_rest(&server);
        }
    }
    server.kill();
    lectern.assert_sound();
    trial.restarts.sort_unstable();
    let at = |share: f64| trial.restarts[((trial.restarts.len() - 1) as f64 * share) as usize];
    println!(
        "{} kills, {} operations: 0 lost, 0 ghost, 0 duplicate, 0 stale, 0 torn, 0 misfiled; \
         restart p50 {:?}, p99 {:?}",
        trial.kills,
        trial.operations,
        at(0.5),
        at(0.99)
    );
}
