//! The suite itself: a connector that keeps the contract passes, and one with a flaw is told by the rule that it breaks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_domain::ports::{CURSOR_EXPIRED, Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, PortError};

const TOKEN: &str = "tok/en+4711";
/// More than the suite opens at a time, and less than it drops.
const MOST_OPEN: usize = 15;

/// What the connector does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    NamesAMarker,
    NamesTwice,
    ForgetsTheEnd,
    ListingIsRead,
    GivesTheOldContent,
    KeepsItsTags,
    NamesOneChangeOnly,
    NamesNothingGone,
    SaysOtherThingsAgain,
    TakesAnyCursor,
    ListsWhatIsGone,
    OpensAnything,
    ListsAPageOnly,
    KeepsDroppedFetches,
    EndsWellWhileBroken,
    IsGoneWhileBroken,
    TellsInAddresses,
    TellsInErrors,
    TellsInDocuments,
    Logs,
    LogsOnAnotherThread,
    IsShown,
}

/// The rule that each of them breaks.
const BROKEN: [(Flaw, &str); 22] = [
    (Flaw::NamesAMarker, "empty"),
    (Flaw::NamesTwice, "named"),
    (Flaw::ForgetsTheEnd, "exact"),
    (Flaw::ListingIsRead, "repeatable"),
    (Flaw::GivesTheOldContent, "current"),
    (Flaw::KeepsItsTags, "tagged"),
    (Flaw::NamesOneChangeOnly, "since"),
    (Flaw::NamesNothingGone, "since"),
    (Flaw::SaysOtherThingsAgain, "since"),
    (Flaw::TakesAnyCursor, "since"),
    (Flaw::ListsWhatIsGone, "gone"),
    (Flaw::OpensAnything, "confined"),
    (Flaw::ListsAPageOnly, "whole"),
    (Flaw::KeepsDroppedFetches, "cancelled"),
    (Flaw::EndsWellWhileBroken, "failing"),
    (Flaw::IsGoneWhileBroken, "failing"),
    (Flaw::TellsInAddresses, "secret"),
    (Flaw::TellsInErrors, "secret"),
    (Flaw::TellsInDocuments, "secret"),
    (Flaw::Logs, "secret"),
    (Flaw::LogsOnAnotherThread, "secret"),
    (Flaw::IsShown, "secret"),
];

#[derive(Default)]
struct State {
    documents: BTreeMap<String, (Vec<u8>, usize)>,
    /// What each document was before it was replaced.
    before: BTreeMap<String, Vec<u8>>,
    /// The keys that changed, in that order. A cursor is a place in it.
    log: Vec<String>,
    listings: usize,
    /// Fetches that have begun and not ended.
    open: usize,
    is_broken: bool,
}

/// A source in memory.
struct Drawer {
    flaw: Flaw,
    state: Mutex<State>,
}

impl Drawer {
    fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn item(&self, key: &str, revision: usize, size: Option<usize>) -> SourceItem {
        let token = if self.has(Flaw::TellsInAddresses) {
            "?t=tok%2Fen%2B4711"
        } else {
            ""
        };
        let revision = if self.has(Flaw::KeepsItsTags) { 0 } else { revision };
        SourceItem {
            size_bytes: size.map(|size| size as u64),
            change_tag: Some(revision.to_string()),
            ..SourceItem::new(key, format!("drawer://{key}{token}"))
        }
    }

    fn everything(&self, state: &State) -> Vec<ListEvent> {
        let documents = state.documents.iter();
        let mut items: Vec<SourceItem> = documents
            .map(|(key, (bytes, revision))| self.item(key, *revision, Some(bytes.len())))
            .collect();
        if self.has(Flaw::NamesAMarker) {
            items.push(self.item("marker", 0, None));
        }
        if self.has(Flaw::NamesTwice) {
            items.extend(items.first().cloned());
        }
        if self.has(Flaw::ListingIsRead) && state.listings.is_multiple_of(2) {
            items.iter_mut().for_each(|item| item.uri.push('#'));
        }
        if self.has(Flaw::ListsWhatIsGone) && !state.documents.contains_key("short-lived.md") {
            let was_there = state.log.iter().any(|key| key == "short-lived.md");
            items.extend(was_there.then(|| self.item("short-lived.md", 0, None)));
        }
        if self.has(Flaw::ListsAPageOnly) {
            items.truncate(300);
        }
        items.into_iter().map(ListEvent::Item).collect()
    }

    fn changes(&self, state: &State, place: usize) -> Vec<ListEvent> {
        let mut keys: Vec<&String> = state.log[place..].iter().collect();
        keys.sort();
        keys.dedup();
        if self.has(Flaw::NamesOneChangeOnly) {
            keys.truncate(1);
        }
        if self.has(Flaw::SaysOtherThingsAgain) && state.listings.is_multiple_of(2) {
            keys.pop();
        }
        let event = |key: &String| match state.documents.get(key) {
            Some((bytes, revision)) => Some(ListEvent::Item(self.item(key, *revision, Some(bytes.len())))),
            None if self.has(Flaw::NamesNothingGone) => None,
            None => Some(ListEvent::Gone { key: key.clone() }),
        };
        keys.into_iter().filter_map(event).collect()
    }

    fn refusal(&self, kind: ErrorKind, code: &'static str) -> PortError {
        let told = if self.has(Flaw::TellsInErrors) {
            TOKEN
        } else {
            "it"
        };
        PortError::new(kind, code, format!("{told} can't be opened"))
    }
}

#[async_trait]
impl Connector for Drawer {
    fn describe(&self) -> String {
        "a drawer".to_owned()
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        if self.has(Flaw::Logs) {
            tracing::debug!(authorization = "dXNlcjp0b2svZW4rNDcxMQ==", "listing");
        }
        if self.has(Flaw::LogsOnAnotherThread) {
            let logging = std::thread::spawn(|| tracing::trace!("signed with {TOKEN}"));
            logging.join().unwrap();
        }
        let mut state = self.state();
        state.listings += 1;
        if state.is_broken && !self.has(Flaw::EndsWellWhileBroken) {
            return stream::iter([Err(self.refusal(ErrorKind::Unavailable, "drawer_stuck"))]).boxed();
        }
        let mut events = match since {
            None => self.everything(&state),
            Some(cursor) => match cursor.0.parse() {
                Ok(place) => self.changes(&state, place),
                Err(_) if self.has(Flaw::TakesAnyCursor) => self.everything(&state),
                Err(_) => {
                    return stream::iter([Err(self.refusal(ErrorKind::Unavailable, CURSOR_EXPIRED))]).boxed();
                }
            },
        };
        if state.is_broken {
            events.truncate(5);
        }
        events.push(ListEvent::Checkpoint(Cursor(state.log.len().to_string())));
        stream::iter(events.into_iter().map(Ok)).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        self.state().open += 1;
        tokio::task::yield_now().await;
        let mut state = self.state();
        if self.has(Flaw::KeepsDroppedFetches) && state.open > MOST_OPEN {
            return Err(self.refusal(ErrorKind::Unavailable, "drawer_full"));
        }
        state.open -= 1;
        if state.is_broken && !self.has(Flaw::IsGoneWhileBroken) {
            return Err(self.refusal(ErrorKind::Unavailable, "drawer_stuck"));
        }
        let found = state.documents.get(&item.key).filter(|_| !state.is_broken);
        let mut bytes = match found {
            Some((bytes, _)) => bytes.clone(),
            None if self.has(Flaw::OpensAnything) && item.key.starts_with('/') => b"root".to_vec(),
            None => return Err(self.refusal(ErrorKind::NotFound, "not_in_drawer")),
        };
        if self.has(Flaw::ForgetsTheEnd) {
            bytes.pop();
        }
        if let Some(before) = state
            .before
            .get(&item.key)
            .filter(|_| self.has(Flaw::GivesTheOldContent))
        {
            bytes.clone_from(before);
        }
        let title = self.has(Flaw::TellsInDocuments).then(|| TOKEN.to_owned());
        Ok(Fetched {
            bytes: bytes.into(),
            file_name: "x".to_owned(),
            media_type: None,
            title,
            acl: None,
            attributes: BTreeMap::new(),
        })
    }
}

#[async_trait]
impl Fixture for Drawer {
    fn connector(&self) -> &dyn Connector {
        self
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        let mut state = self.state();
        let revision = state.log.len();
        if let Some((before, _)) = state
            .documents
            .insert(name.to_owned(), (bytes.to_vec(), revision))
        {
            let is_another = before != bytes;
            let before = if is_another { before } else { bytes.to_vec() };
            state.before.insert(name.to_owned(), before);
        }
        state.log.push(name.to_owned());
        name.to_owned()
    }

    async fn remove(&self, name: &str) {
        let mut state = self.state();
        state.documents.remove(name);
        state.log.push(name.to_owned());
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn shown(&self) -> Vec<String> {
        let secret = if self.has(Flaw::IsShown) {
            TOKEN
        } else {
            "[secret]"
        };
        vec![format!("Drawer {{ token: {secret:?} }}")]
    }

    async fn break_source(&self, way: usize) -> bool {
        self.state().is_broken = way == 0;
        way == 0
    }

    async fn mend(&self) {
        self.state().is_broken = false;
    }
}

#[tokio::test]
async fn what_keeps_the_contract_passes() {
    connector_suite(&Drawer::new(Flaw::None)).await.unwrap();
}

#[tokio::test]
async fn what_breaks_a_rule_is_told_by_that_rule() {
    for (flaw, rule) in BROKEN {
        let violation = connector_suite(&Drawer::new(flaw)).await.unwrap_err();
        assert_eq!(violation.rule, rule, "{flaw:?}: {violation}");
        assert!(!violation.details.contains(TOKEN), "{violation}");
    }
}
