//! Thousands of random operations against a plain map of what must be found.
//!
//! Documents are pushed, changed, deleted and given other readers, and questions are asked in between, over HTTP to a
//! real server that is killed or ended now and then. Every operation that the server acknowledged goes into the
//! [`Model`]; every answer is held against it:
//!
//! * **settled** (nothing waits): exactly the documents that have the word and may be read are found;
//! * **under way**: a document may still be found as it was, or already as it will be, and not otherwise; one that
//!   was deleted, or whose new readers don't include the caller, is gone from the acknowledgement on.
//!
//! `LECTERN_TEST_OPERATIONS=200000` makes it long; `LECTERN_TEST_SEED` does the same again.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::oracle::{Dice, word};
use crate::harness::server::send;
use crate::harness::{Server, Workplace, until_or_tell};

/// Operations where nothing else is said.
const OPERATIONS: usize = 20_000;
/// Documents that there can be.
const KEYS: usize = 120;
/// Texts that a document can have; several have the same.
const TEXTS: usize = 60;
/// Changes that may wait before the test waits for them.
const MOST_WAITING: usize = 24;
/// Out of so many operations one ends the server.
const RESTART_ODDS: usize = 1_000;

/// Who may read a document. The caller is the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    Everyone,
    Operator,
    SomebodyElse,
    Nobody,
}

impl Readers {
    fn include_the_caller(self) -> bool {
        matches!(self, Self::Everyone | Self::Operator)
    }

    fn acl(self) -> Value {
        match self {
            Self::Everyone => json!({ "allow": ["everyone"] }),
            Self::Operator => json!({ "allow": ["user:operator"] }),
            Self::SomebodyElse => json!({ "allow": ["user:someone-else"] }),
            Self::Nobody => json!({ "allow": [] }),
        }
    }

    fn roll(dice: &mut Dice) -> Self {
        match dice.between(0, 9) {
            0..=5 => Self::Everyone,
            6..=7 => Self::Operator,
            8 => Self::SomebodyElse,
            _ => Self::Nobody,
        }
    }
}

/// A document as it was acknowledged; `None` once it is deleted.
type State = Option<(usize, Readers)>;

/// What must be found.
#[derive(Debug, Default)]
struct Model {
    /// What is known to be in the indexes.
    settled: BTreeMap<usize, State>,
    /// What was acknowledged since, oldest first.
    waiting: BTreeMap<usize, Vec<State>>,
}

impl Model {
    fn acknowledge(&mut self, key: usize, state: State) {
        self.waiting.entry(key).or_default().push(state);
    }

    fn latest(&self, key: usize) -> State {
        let waiting = self.waiting.get(&key).and_then(|states| states.last());
        *waiting.unwrap_or_else(|| self.settled.get(&key).unwrap_or(&None))
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    fn count_waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    fn settle(&mut self) {
        for (key, states) in std::mem::take(&mut self.waiting) {
            self.settled.insert(key, states.last().copied().flatten());
        }
        self.settled.retain(|_, state| state.is_some());
    }

    /// The documents that a question for `text` must find, and those that it may find.
    fn expected(&self, text: usize) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let shows =
            |state: &State| state.is_some_and(|(has, readers)| has == text && readers.include_the_caller());
        let keys: BTreeSet<usize> = self.settled.keys().chain(self.waiting.keys()).copied().collect();
        let (mut must, mut may) = (BTreeSet::new(), BTreeSet::new());
        for key in keys {
            let states: Vec<State> = std::iter::once(self.settled.get(&key).copied().flatten())
                .chain(self.waiting.get(&key).into_iter().flatten().copied())
                .collect();
            if states.iter().all(shows) {
                must.insert(key);
            }
            let may_be_read = self
                .latest(key)
                .is_some_and(|(_, readers)| readers.include_the_caller());
            if may_be_read && states.iter().any(shows) {
                may.insert(key);
            }
        }
        (must, may)
    }

    fn documents(&self) -> usize {
        self.settled.len()
    }
}

/// The server, the model, and how many of each operation there were.
struct Trial<'a> {
    lectern: &'a Workplace,
    server: Server,
    model: Model,
    dice: Dice,
    done: BTreeMap<&'static str, usize>,
}

impl Trial<'_> {
    fn step(&mut self) {
        if self.dice.between(1, RESTART_ODDS) == 1 {
            return self.restart();
        }
        if self.model.count_waiting() >= MOST_WAITING {
            self.settle();
        }
        match self.dice.between(0, 99) {
            0..=24 => self.push(),
            25..=31 => self.delete(),
            32..=38 => self.change_readers(),
            39..=41 => self.settle(),
            42..=47 => self.ask_by_meaning(),
            _ => self.ask_by_words(),
        }
    }

    fn count(&mut self, operation: &'static str) {
        *self.done.entry(operation).or_default() += 1;
    }

    fn push(&mut self) {
        self.count("push");
        let key = self.dice.between(0, KEYS - 1);
        let state = (self.dice.between(0, TEXTS - 1), Readers::roll(&mut self.dice));
        self.send_push(key, state);
    }

    fn change_readers(&mut self) {
        let key = self.dice.between(0, KEYS - 1);
        let Some((text, _)) = self.model.latest(key) else {
            return;
        };
        self.count("change of readers");
        let readers = Readers::roll(&mut self.dice);
        self.send_push(key, (text, readers));
    }

    fn send_push(&mut self, key: usize, (text, readers): (usize, Readers)) {
        let body =
            json!({ "key": name(key), "title": "Record", "text": content(text), "acl": readers.acl() });
        let reply = self
            .server
            .post(&format!("/knowledge-bases/{KB}/documents"), &body);
        assert!([200, 202].contains(&reply.status), "{}", reply.body);
        self.model.acknowledge(key, Some((text, readers)));
    }

    fn delete(&mut self) {
        let key = self.dice.between(0, KEYS - 1);
        let Some(_) = self.model.latest(key) else { return };
        self.count("deletion");
        let id = self.id(key);
        self.server
            .delete(&format!("/knowledge-bases/{KB}/documents/{id}"))
            .is(204);
        self.model.acknowledge(key, None);
    }

    fn id(&self, key: usize) -> String {
        let documents = self.documents();
        let document = documents.iter().find(|document| document["key"] == name(key));
        document.unwrap_or_else(|| panic!("{} is not listed", name(key)))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn documents(&self) -> Vec<Value> {
        let path = format!("/knowledge-bases/{KB}/documents?limit=1000");
        let list = self.server.get(&path).is(200).json();
        list["documents"].as_array().unwrap().clone()
    }

    /// Waits until nothing waits, and holds the whole list against the model.
    fn settle(&mut self) {
        self.count("settling");
        let is_done = |document: &Value| {
            document["status"] == "indexed" && document["searchable"] == "words_and_meaning"
        };
        let settled = || Some(self.documents()).filter(|all| all.iter().all(is_done));
        let documents = until_or_tell("all documents to be settled", settled, || {
            let mut waiting = self.documents();
            waiting.retain(|document| !is_done(document));
            format!(
                "{waiting:?}, after {:?}; {}",
                self.done,
                self.server.get("/metrics").body
            )
        });
        self.model.settle();
        let listed: BTreeSet<&str> = documents
            .iter()
            .map(|document| document["key"].as_str().unwrap())
            .collect();
        let expected: BTreeSet<String> = self.model.settled.keys().map(|key| name(*key)).collect();
        assert_eq!(
            listed,
            expected.iter().map(String::as_str).collect(),
            "after {:?}",
            self.done
        );
        assert_eq!(documents.len(), self.model.documents());
    }

    fn ask_by_words(&mut self) {
        self.count("question by words");
        let text = self.dice.between(0, TEXTS - 1);
        let (must, may) = self.model.expected(text);
        let found = self.found("lexical", &word(text, 1));
        let keys: Vec<usize> = found.iter().map(|(key, _)| *key).collect();
        let unique: BTreeSet<usize> = keys.iter().copied().collect();
        let settled = self.model.is_settled();
        assert_eq!(keys.len(), unique.len(), "twice in {keys:?}");
        let is_right = must.is_subset(&unique) && unique.is_subset(&may);
        assert!(
            is_right,
            "text {text}: found {unique:?}, must {must:?}, may {may:?}, settled {settled}, after {:?}: {}",
            self.done,
            self.described(must.symmetric_difference(&unique))
        );
    }

    /// What the model and the server say of documents.
    fn described<'k>(&self, keys: impl Iterator<Item = &'k usize>) -> String {
        let documents = self.documents();
        let line = |key: &usize| {
            let listed = documents.iter().find(|document| document["key"] == name(*key));
            let (settled, waiting) = (self.model.settled.get(key), self.model.waiting.get(key));
            format!(
                "{}: settled {settled:?}, waiting {waiting:?}, listed {listed:?}",
                name(*key)
            )
        };
        keys.map(line).collect::<Vec<_>>().join("; ")
    }

    /// What is near isn't known exactly, but each passage must be one that may be shown.
    fn ask_by_meaning(&mut self) {
        self.count("question by meaning");
        let text = self.dice.between(0, TEXTS - 1);
        for (key, passage) in self.found("vector", &format!("What happened to {}?", word(text, 1))) {
            let shown = (0..TEXTS).find(|text| passage.contains(&word(*text, 1))).unwrap();
            let (_, may) = self.model.expected(shown);
            assert!(
                may.contains(&key),
                "{} shows {passage:?} after {:?}",
                name(key),
                self.done
            );
        }
    }

    fn found(&self, mode: &str, text: &str) -> Vec<(usize, String)> {
        let body = json!({ "text": text, "mode": mode, "limit": KEYS, "fold": false });
        let request = self
            .server
            .request(Method::POST, &format!("/knowledge-bases/{KB}/search"));
        let found = send(request.json(&body)).is(200).json();
        let passages = found["passages"].as_array().unwrap().iter();
        passages
            .map(|passage| {
                let key = passage["uri"].as_str().unwrap().trim_start_matches("record-");
                (key.parse().unwrap(), passage["text"].as_str().unwrap().to_owned())
            })
            .collect()
    }

    /// Ends the server, by force or well, and starts another one on the same data folder.
    fn restart(&mut self) {
        let is_killed = self.dice.between(0, 1) == 0;
        self.count(if is_killed { "kill" } else { "restart" });
        match is_killed {
            true => self.server.end(),
            false => self.server.end_well(),
        }
        self.server = Server::start(self.lectern);
    }
}

fn name(key: usize) -> String {
    format!("record-{key}")
}

fn content(text: usize) -> String {
    format!(
        "In the matter of {} the parcel was weighed, packed and handed to the carrier in the evening.",
        word(text, 1)
    )
}

#[test]
fn random_operations_give_what_a_plain_map_gives() {
    let operations =
        std::env::var("LECTERN_TEST_OPERATIONS").map_or(OPERATIONS, |count| count.parse().unwrap());
    let lectern = Workplace::new();
    lectern.run(["kb", "create", KB]).exits(0);
    let mut trial = Trial {
        lectern: &lectern,
        server: Server::start(&lectern),
        model: Model::default(),
        dice: Dice::new(),
        done: BTreeMap::new(),
    };
    for _ in 0..operations {
        trial.step();
    }
    trial.settle();
    println!("{operations} operations, no divergence: {:?}", trial.done);
    let Trial { server, .. } = trial;
    server.kill();
    lectern.assert_sound();
}
