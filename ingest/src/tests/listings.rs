//! Listings that say the same in other words: replayed, reordered, overlapping, with checkpoints anywhere. What is there
//! afterwards is what one clean listing makes. And documents that change between their listing and their fetch.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{Attributes, ErrorKind, JobCounts, JobState, PortError};

use super::desk::Desk;
use crate::failpoints::arm;
use crate::{Cancellation, DocumentFilter, Progress};

/// So many sources with scripts of their own are tried.
const SEEDS: u64 = 12;
const DOCUMENTS: u64 = 24;

/// A source whose listings are written down.
#[derive(Default)]
struct Script {
    events: Mutex<Vec<ListEvent>>,
    texts: Mutex<BTreeMap<String, String>>,
    /// What a document becomes right after it was read once.
    turns_into: Mutex<BTreeMap<String, String>>,
    asked: Mutex<Vec<Option<String>>>,
    fetched: Mutex<Vec<String>>,
}

impl Script {
    fn put(&self, key: &str, text: &str) {
        self.texts.lock().unwrap().insert(key.to_owned(), text.to_owned());
    }

    fn take(&self, key: &str) {
        self.texts.lock().unwrap().remove(key);
    }

    fn says(&self, events: Vec<ListEvent>) {
        *self.events.lock().unwrap() = events;
    }

    fn texts(&self) -> BTreeMap<String, String> {
        self.texts.lock().unwrap().clone()
    }

    fn take_fetched(&self) -> usize {
        std::mem::take(&mut *self.fetched.lock().unwrap()).len()
    }
}

#[async_trait]
impl Connector for Script {
    fn describe(&self) -> String {
        "a script".to_owned()
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        self.asked
            .lock()
            .unwrap()
            .push(since.map(|cursor| cursor.0.clone()));
        let events = self.events.lock().unwrap().clone();
        stream::iter(events.into_iter().map(Ok)).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        self.fetched.lock().unwrap().push(item.key.clone());
        let read = self.texts.lock().unwrap().get(&item.key).cloned();
        let text =
            read.ok_or_else(|| PortError::new(ErrorKind::NotFound, "gone", "there is no such page"))?;
        let next = self.turns_into.lock().unwrap().remove(&item.key);
        if let Some(next) = next {
            self.put(&item.key, &next);
            // Whoever is asked next overtakes this one.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        }
        Ok(Fetched {
            bytes: text.into_bytes().into(),
            file_name: item.key.clone(),
            media_type: None,
            title: None,
            acl: None,
            attributes: Attributes::new(),
        })
    }
}

fn item(key: &str) -> ListEvent {
    ListEvent::Item(SourceItem::new(key, format!("script:{key}")))
}

fn tagged(key: &str, tag: &str) -> ListEvent {
    ListEvent::Item(SourceItem {
        change_tag: Some(tag.to_owned()),
        ..SourceItem::new(key, format!("script:{key}"))
    })
}

fn gone(key: &str) -> ListEvent {
    ListEvent::Gone { key: key.to_owned() }
}

fn checkpoint(text: &str) -> ListEvent {
    ListEvent::Checkpoint(Cursor(text.to_owned()))
}

/// Numbers that follow from a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % bound
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for place in (1..values.len()).rev() {
            let other = self.below(place as u64 + 1);
            values.swap(place, usize::try_from(other).unwrap());
        }
    }

    /// Each event up to three times, in any order, with checkpoints in between and `last` at the end.
    fn mixed(&mut self, events: &[ListEvent], last: &str) -> Vec<ListEvent> {
        let mut mixed = Vec::new();
        for event in events {
            for _ in 0..=self.below(3) {
                mixed.push(event.clone());
            }
        }
        self.shuffle(&mut mixed);
        for number in 0..self.below(4) {
            let place = usize::try_from(self.below(mixed.len() as u64 + 1)).unwrap();
            mixed.insert(place, checkpoint(&format!("on the way {number}")));
        }
        mixed.push(checkpoint(last));
        mixed
    }
}

async fn sync(desk: &Desk, script: &Arc<Script>) -> JobCounts {
    let connector: Arc<dyn Connector> = script.clone();
    let (progress, cancel) = (Progress::new(), Cancellation::new());
    let report = desk
        .ingestion
        .sync(&desk.knowledge_base, &desk.source, connector, progress, cancel)
        .await
        .unwrap();
    assert_eq!(report.job.state, JobState::Complete, "{:?}", report.job);
    assert!(report.job.counts.add_up(), "{:?}", report.job.counts);
    report.job.counts
}

/// The texts by key, as words and meaning find them.
async fn visible(desk: &Desk) -> BTreeMap<String, String> {
    let visible = desk.visible().await;
    assert_eq!(desk.visible_by_meaning().await, visible);
    visible.into_iter().map(|(key, (text, _))| (key, text)).collect()
}

/// Everything that the ledger and the two indexes have, in words that don't depend on the folder: of each document the key,
/// the version and how it stands, of each chunk the document, the place and the text.
async fn everything(desk: &Desk) -> (Vec<String>, BTreeSet<String>, BTreeSet<String>) {
    let filter = DocumentFilter::default();
    let page = desk
        .ledger()
        .documents(desk.knowledge_base.id, filter, None, 1_000)
        .await
        .unwrap();
    let keys: BTreeMap<_, _> = page
        .items
        .iter()
        .map(|document| (document.id, document.key.clone()))
        .collect();
    let documents = page.items.iter().map(|document| {
        format!(
            "{} {:?} {:?} {:?} {} {} {:?}",
            document.key,
            document.current_version,
            document.status,
            document.searchable,
            document.chunk_count,
            document.uri,
            document.acl
        )
    });
    let entries = |index: &super::doubles::MemoryIndex| {
        let entries = index.entries(desk.knowledge_base.id);
        let lines: BTreeSet<String> = entries
            .iter()
            .map(|entry| {
                let chunk = &entry.chunk;
                let key = &keys[&chunk.document];
                format!(
                    "{key} {:?} {} {:?} {:?} {:?}",
                    chunk.version, chunk.ordinal, chunk.text, entry.metadata.acl, entry.vector
                )
            })
            .collect();
        assert_eq!(lines.len(), entries.len(), "nothing is there twice");
        lines
    };
    (documents.collect(), entries(&desk.words), entries(&desk.vectors))
}

fn key(number: u64) -> String {
    format!("{number:02}.txt")
}

fn text(number: u64, round: u64) -> String {
    format!(
        "{number} in round {round} two three\n\nseven eight nine ten eleven twelve\n\nthe last of {number}"
    )
}

#[tokio::test]
async fn replayed_reordered_and_overlapping_listings_make_what_a_clean_one_makes() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let script = Arc::new(Script::default());
        (0..DOCUMENTS).for_each(|number| script.put(&key(number), &text(number, 0)));
        let all: Vec<ListEvent> = (0..DOCUMENTS).map(|number| item(&key(number))).collect();

        let clean = Desk::new().await;
        script.says(all.clone());
        sync(&clean, &script).await;
        let expected = everything(&clean).await;

        let desk = Desk::new().await;
        let mixed = dice.mixed(&all, "first");
        script.says(mixed.clone());
        sync(&desk, &script).await;
        assert_eq!(everything(&desk).await, expected, "seed {seed}");
        assert_eq!(visible(&desk).await, script.texts(), "seed {seed}");

        // The same again, and once more in another order: nothing is made anew.
        let work = desk.work();
        script.says(mixed);
        sync(&desk, &script).await;
        script.says(dice.mixed(&all, "first"));
        sync(&desk, &script).await;
        assert_eq!(desk.work(), work, "seed {seed}");
        assert_eq!(everything(&desk).await, expected, "seed {seed}");
        desk.assert_clean().await;
    }
}

#[tokio::test]
async fn mixed_listings_of_changes_make_what_is_there() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let (desk, script) = (Desk::new().await, Arc::new(Script::default()));
        (0..DOCUMENTS).for_each(|number| script.put(&key(number), &text(number, 0)));
        let all: Vec<ListEvent> = (0..DOCUMENTS).map(|number| item(&key(number))).collect();
        script.says(dice.mixed(&all, "0"));
        sync(&desk, &script).await;
        let mut before = Vec::new();
        for round in 1..5 {
            let mut changes = Vec::new();
            for number in 0..DOCUMENTS {
                match dice.below(8) {
                    0 => {
                        script.take(&key(number));
                        changes.push(gone(&key(number)));
                    }
                    1 | 2 => {
                        script.put(&key(number), &text(number, round));
                        changes.push(item(&key(number)));
                    }
                    _ => {}
                }
            }
            let now = dice.mixed(&changes, &round.to_string());
            // What was said the last time comes once more, and what is said now counts, since it comes later: a document
            // that is back was gone, and one that is gone was there.
            let last = std::mem::replace(&mut before, changes);
            let mut events = last;
            events.retain(|event| is_told_again(event, &before, &script));
            events.extend(now);
            script.says(events);
            sync(&desk, &script).await;
            assert_eq!(visible(&desk).await, script.texts(), "seed {seed}, round {round}");
        }
        let asked = script.asked.lock().unwrap().clone();
        let cursors: Vec<Option<&str>> = asked.iter().map(Option::as_deref).collect();
        assert_eq!(
            cursors,
            [None, Some("0"), Some("1"), Some("2"), Some("3")],
            "seed {seed}"
        );
        desk.assert_clean().await;
    }
}

/// Whether an event of the last listing may come again: what it says is true, or is said otherwise later on.
fn is_told_again(event: &ListEvent, now: &[ListEvent], script: &Script) -> bool {
    let ListEvent::Gone { key } = event else {
        return true;
    };
    let is_back = now
        .iter()
        .any(|event| matches!(event, ListEvent::Item(item) if item.key == *key));
    is_back || !script.texts.lock().unwrap().contains_key(key)
}

#[tokio::test]
async fn of_two_fetches_of_one_document_the_later_one_counts() {
    let (desk, script) = (Desk::new().await, Arc::new(Script::default()));
    for number in 0..8 {
        script.put(&key(number), "the old text");
        script
            .turns_into
            .lock()
            .unwrap()
            .insert(key(number), "the new text".to_owned());
    }
    let named: Vec<ListEvent> = (0..8)
        .flat_map(|number| [item(&key(number)), item(&key(number))])
        .collect();
    script.says([named, vec![checkpoint("end")]].concat());
    sync(&desk, &script).await;
    assert_eq!(visible(&desk).await, script.texts());
    assert!(script.texts().values().all(|text| text == "the new text"));
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_is_gone_and_back_stays_and_what_is_there_and_gone_goes() {
    let (desk, script) = (Desk::new().await, Arc::new(Script::default()));
    script.put("a.txt", "a");
    script.put("b.txt", "b");
    script.says(vec![item("a.txt"), item("b.txt"), checkpoint("1")]);
    sync(&desk, &script).await;
    script.put("a.txt", "a is back, and another");
    script.says(vec![
        gone("a.txt"),
        item("a.txt"),
        item("b.txt"),
        gone("b.txt"),
        checkpoint("2"),
    ]);
    let counts = sync(&desk, &script).await;
    assert_eq!((counts.modified, counts.deleted), (1, 1));
    script.take("b.txt");
    assert_eq!(visible(&desk).await, script.texts());
    desk.assert_clean().await;
}

#[tokio::test]
async fn what_changes_between_listing_and_fetching_is_fetched_again() {
    let (desk, script) = (Desk::new().await, Arc::new(Script::default()));
    // Listed as the first version, fetched as the second.
    script.put("a.txt", "second");
    script.says(vec![tagged("a.txt", "1")]);
    sync(&desk, &script).await;
    assert_eq!((script.take_fetched(), visible(&desk).await), (1, script.texts()));
    // Listed as what it is, it is read once more: the tag that is kept isn't that of what was read.
    script.says(vec![tagged("a.txt", "2")]);
    assert_eq!(sync(&desk, &script).await.unchanged, 1);
    assert_eq!(script.take_fetched(), 1);
    sync(&desk, &script).await;
    assert_eq!(script.take_fetched(), 0);

    // Read, and changed before it was found: the next listing tells.
    script
        .turns_into
        .lock()
        .unwrap()
        .insert("a.txt".to_owned(), "fourth".to_owned());
    script.put("a.txt", "third");
    script.says(vec![tagged("a.txt", "3")]);
    sync(&desk, &script).await;
    assert_eq!(visible(&desk).await["a.txt"], "third", "one version, whole");
    script.says(vec![tagged("a.txt", "4")]);
    assert_eq!(sync(&desk, &script).await.modified, 1);
    assert_eq!((script.take_fetched(), visible(&desk).await), (2, script.texts()));
}

#[tokio::test]
async fn a_cursor_and_the_deletions_of_its_listing_are_one_step() {
    for step in ["cursor.before", "cursor.after"] {
        for action in ["return(error)", "panic"] {
            let about = format!("{step}={action}");
            let (mut desk, script) = (Desk::new().await, Arc::new(Script::default()));
            script.put("a.txt", "first");
            script.put("b.txt", "second");
            script.says(vec![item("a.txt"), item("b.txt"), checkpoint("1")]);
            sync(&desk, &script).await;
            script.put("a.txt", "changed");
            script.says(vec![item("a.txt"), gone("b.txt"), checkpoint("2")]);
            {
                let _armed = arm(step, action);
                let connector: Arc<dyn Connector> = script.clone();
                let (progress, cancel) = (Progress::new(), Cancellation::new());
                let sync =
                    desk.ingestion
                        .sync(&desk.knowledge_base, &desk.source, connector, progress, cancel);
                let ended = AssertUnwindSafe(sync).catch_unwind().await;
                let is_complete = matches!(&ended, Ok(Ok(report)) if report.job.state == JobState::Complete);
                assert!(!is_complete, "{about}");
            }
            desk.reopen().await;
            desk.ingestion.recover().await.unwrap();
            let known = desk.ledger().list_cursor(desk.source.id).await.unwrap();
            assert_eq!(
                known, None,
                "{about}: the old one isn't true any more, the new one not yet"
            );
            assert!(
                visible(&desk).await.contains_key("b.txt"),
                "{about}: nor is anything deleted"
            );

            // Everything is listed.
            script.take("b.txt");
            script.says(vec![item("a.txt"), checkpoint("2")]);
            sync(&desk, &script).await;
            let asked: Vec<Option<String>> = script.asked.lock().unwrap().drain(..).collect();
            assert_eq!(asked, [None, Some("1".to_owned()), None], "{about}");
            let known = desk.ledger().list_cursor(desk.source.id).await.unwrap().unwrap();
            assert_eq!(
                (known.cursor.0.as_str(), visible(&desk).await),
                ("2", script.texts()),
                "{about}"
            );
            desk.assert_clean().await;
        }
    }
}
