//! Records: documents of several chunks whose text is a function of number and version, and what may be found of
//! them while they change and after a fault.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::lectern::KB;
use super::oracle::word;
use super::server::{Reply, Server, send, try_send};

/// A version of a document that may be found; `None` where it may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    version: Option<u32>,
    /// Whether the program said yes to it. What a crash cut off may have become true or not.
    acknowledged: bool,
}

/// What may be found of each document, by number. The states of a document stand in the order in which they were
/// asked for.
#[derive(Clone, Debug, Default)]
pub struct Records {
    states: BTreeMap<usize, Vec<State>>,
    /// The highest version of each document. A number is never used twice, so that an old text is told from a
    /// new one.
    highest: BTreeMap<usize, u32>,
}

impl Records {
    /// The document will be found in this version, or be gone; until it is, it may be found as before.
    pub fn is_to_be(&mut self, number: usize, version: Option<u32>) {
        let acknowledged = true;
        self.note(number, version);
        self.states.entry(number).or_default().push(State {
            version,
            acknowledged,
        });
    }

    /// The same, asked for and not answered. What there was before, if only nothing, may stay.
    pub fn may_be(&mut self, number: usize, version: Option<u32>) {
        let acknowledged = false;
        self.note(number, version);
        let nothing = State {
            version: None,
            acknowledged: true,
        };
        let states = self.states.entry(number).or_insert_with(|| vec![nothing]);
        states.push(State {
            version,
            acknowledged,
        });
    }

    /// From now on the document is found in this version and no other, or not at all.
    pub fn settle(&mut self, number: usize, version: Option<u32>) {
        let acknowledged = true;
        self.note(number, version);
        self.states.insert(
            number,
            vec![State {
                version,
                acknowledged,
            }],
        );
    }

    fn note(&mut self, number: usize, version: Option<u32>) {
        let highest = self.highest.entry(number).or_default();
        *highest = version.unwrap_or_default().max(*highest);
    }

    /// The numbers of all documents that there ever were.
    pub fn numbers(&self) -> Vec<usize> {
        self.states.keys().copied().collect()
    }

    /// The version that the document has or will have.
    pub fn latest(&self, number: usize) -> Option<u32> {
        self.states.get(&number)?.last()?.version
    }

    /// The highest version that the document ever had; 0 where there was none.
    pub fn highest(&self, number: usize) -> u32 {
        self.highest.get(&number).copied().unwrap_or_default()
    }

    /// Whether the document may be found so while things are under way.
    fn may_show(&self, number: usize, version: Option<u32>) -> bool {
        match self.states.get(&number) {
            None => version.is_none(),
            // What was never there is absent until it is published.
            Some(states) => states.iter().any(|state| state.version == version) || version.is_none(),
        }
    }

    /// Whether the document may be found so when nothing waits: as the last acknowledged state says, or one that was
    /// cut off after it.
    fn may_rest_as(&self, number: usize, version: Option<u32>) -> bool {
        let states = self.states.get(&number).map(Vec::as_slice).unwrap_or_default();
        let last = states
            .iter()
            .rposition(|state| state.acknowledged)
            .unwrap_or_default();
        states[last..].iter().any(|state| state.version == version)
    }

    /// Holds what a server shows against what it may show while things are under way.
    pub fn check_under_way(&self, server: &Server, chunks: usize) {
        for number in self.numbers() {
            let found = shown(server, number, self.highest(number)).whole(number, chunks);
            assert!(
                self.may_show(number, found),
                "document {number} is found as {found:?}: {:?}",
                self.states[&number]
            );
        }
    }

    /// Holds what a server shows against what it must show when nothing waits. What a crash had left open is
    /// known from now on.
    pub fn check_at_rest(&mut self, server: &Server, chunks: usize) {
        for number in self.numbers() {
            let found = shown(server, number, self.highest(number)).whole(number, chunks);
            assert!(
                self.may_rest_as(number, found),
                "document {number} is found as {found:?}: {:?}",
                self.states[&number]
            );
            self.settle(number, found);
        }
    }
}

/// What a search shows of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    versions: Vec<u32>,
    chunks: usize,
}

impl Shown {
    /// The version that is shown whole; fails where it is torn.
    pub fn whole(&self, number: usize, chunks: usize) -> Option<u32> {
        assert!(
            self.versions.len() <= 1,
            "document {number} is torn between {:?}",
            self.versions
        );
        assert!(
            [0, chunks].contains(&self.chunks),
            "{} of {chunks} chunks of document {number} are shown",
            self.chunks
        );
        self.versions.first().copied()
    }
}

/// A document of several chunks; each of them has the document's word and that of its version.
pub fn text(number: usize, version: u32) -> String {
    let (own, current) = (word(number, 0), word(number, version));
    let sentence =
        format!("Under {own} the carrier of {current} signed for the parcel and drove to the coast. ");
    let section = |title: &str| format!("## {title}\n\n{}\n\n", sentence.repeat(7));
    format!("# Record {own}\n\n{}{}", section("Morning"), section("Evening"))
}

/// The file, and the key, of a document.
pub fn file(number: usize) -> String {
    format!("{:02}/record-{number:04}.md", number % 7)
}

/// What a search for a document shows of it.
#[track_caller]
pub fn shown(server: &Server, number: usize, highest: u32) -> Shown {
    shown_in(number, highest, send(search(server, number)).is(200))
}

/// The same, or nothing where the server is gone.
pub fn shown_if_there(server: &Server, number: usize, highest: u32) -> Option<Shown> {
    let reply = try_send(search(server, number))?;
    Some(shown_in(number, highest, reply.is(200)))
}

fn search(server: &Server, number: usize) -> reqwest::RequestBuilder {
    let body = json!({ "text": word(number, 0), "mode": "lexical", "limit": 20, "fold": false });
    let path = format!("/knowledge-bases/{KB}/search");
    server.request(Method::POST, &path).json(&body)
}

#[track_caller]
fn shown_in(number: usize, highest: u32, reply: Reply) -> Shown {
    let found = reply.json();
    let passages = found["passages"].as_array().unwrap();
    let version_of = |text: &str| {
        let version = (1..=highest + 1).find(|version| text.contains(&word(number, *version)));
        version.unwrap_or_else(|| panic!("no version of document {number}: {text}"))
    };
    let mut versions: Vec<u32> = passages
        .iter()
        .map(|passage| version_of(passage["text"].as_str().unwrap()))
        .collect();
    let chunks = versions.len();
    versions.sort_unstable();
    versions.dedup();
    Shown { versions, chunks }
}

/// How many chunks a document has: all have the same length.
pub fn chunks_of(server: &Server, number: usize) -> usize {
    let shown = shown(server, number, 1);
    assert_eq!(shown.versions, [1]);
    assert!(shown.chunks > 1, "a document of one chunk can't be torn");
    shown.chunks
}
