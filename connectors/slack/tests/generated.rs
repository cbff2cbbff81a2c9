//! A large generated export: 100,000 messages in 200 conversations with 5,000 threads that span days. Every message is in
//! one document or left out by name, every thread is whole, every document has its conversation's readers, and no token
//! is anywhere.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and tells its seed"
)]

#[allow(dead_code, reason = "other tests use the rest")]
mod workspace;
#[path = "workspace/archive.rs"]
mod archive;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use futures::StreamExt;
use futures::stream;
use lectern_connector_slack::{SlackConfig, SlackConnector};
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};
use lectern_domain::{Acl, AttributeValue, Principal};

use workspace::{LARGE, Workspace};

const SEED: u64 = 20_261_121;

struct Listed {
    items: Vec<SourceItem>,
    skipped: BTreeMap<String, u64>,
}

async fn list(connector: &SlackConnector) -> Listed {
    let mut listed = Listed {
        items: Vec::new(),
        skipped: BTreeMap::new(),
    };
    let mut events = connector.list(None);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ListEvent::Item(item) => listed.items.push(item),
            ListEvent::Skipped { code, reason, .. } => {
                let count = reason.split(' ').next().unwrap().parse::<u64>().unwrap();
                *listed.skipped.entry(code.to_owned()).or_default() += count;
            }
            other => panic!("{other:?}"),
        }
    }
    listed
}

async fn fetch_all(connector: &SlackConnector, items: &[SourceItem]) -> Vec<(SourceItem, Fetched)> {
    stream::iter(items.to_vec())
        .map(|item| async move {
            let fetched = connector.fetch(&item).await.unwrap();
            (item, fetched)
        })
        .buffer_unordered(8)
        .collect()
        .await
}

fn tags(items: &[SourceItem]) -> BTreeMap<String, Option<String>> {
    items
        .iter()
        .map(|item| (item.key.clone(), item.change_tag.clone()))
        .collect()
}

fn number(fetched: &Fetched, name: &str) -> f64 {
    match fetched.attributes[name] {
        AttributeValue::Number(number) => number,
        ref other => panic!("{other:?}"),
    }
}

/// Everything that a document says, in one text.
fn everything(item: &SourceItem, fetched: &Fetched) -> String {
    let attributes = serde_json::to_string(&fetched.attributes).unwrap();
    let text = String::from_utf8(fetched.bytes.to_vec()).unwrap();
    format!(
        "{item:?} {text} {attributes} {:?} {} {:?}",
        fetched.title, fetched.file_name, fetched.acl
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_a_large_export_is_accounted_for() {
    println!("seed {SEED}");
    let workspace = Workspace::generate(SEED, LARGE);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("export.zip");
    archive::write(&workspace, &archive);
    let connector = SlackConnector::new(SlackConfig::new(archive)).unwrap();

    let start = Instant::now();
    let listed = list(&connector).await;
    println!("{} documents listed in {:?}", listed.items.len(), start.elapsed());
    let account = connector.account().unwrap();
    println!("{account:?}");
    assert!(account.adds_up());
    assert_eq!(account.messages, LARGE.messages as u64);
    assert_eq!(account.conversations, LARGE.conversations as u64);
    assert_eq!(account.documents, listed.items.len() as u64);
    assert_eq!(account.threads, LARGE.threads as u64);
    let left_out: BTreeMap<String, u64> = account
        .left_out
        .iter()
        .map(|(code, count)| ((*code).to_owned(), *count))
        .collect();
    assert_eq!(left_out, workspace.left_out, "as the generator has it");
    assert_eq!(left_out, listed.skipped, "as the events have it");

    let start = Instant::now();
    let documents = fetch_all(&connector, &listed.items).await;
    println!("{} documents fetched in {:?}", documents.len(), start.elapsed());
    check(&workspace, &documents, account.indexed);
}

/// Holds the documents against what was generated.
fn check(workspace: &Workspace, documents: &[(SourceItem, Fetched)], indexed: u64) {
    let mut found: HashMap<String, &str> = HashMap::new();
    let mut messages = 0.0;
    for (item, fetched) in documents {
        let said = everything(item, fetched);
        assert!(!said.to_lowercase().contains("xox"), "{said}");
        assert_eq!(item.size_bytes, Some(fetched.bytes.len() as u64), "{}", item.key);
        messages += number(fetched, "message_count");
        let conversation = &workspace.conversations[item.key.split('/').next().unwrap()];
        let readers: BTreeSet<Principal> = conversation
            .readers
            .iter()
            .map(|name| name.parse().unwrap())
            .collect();
        assert_eq!(fetched.acl, Some(Acl::allowing(readers)), "{}", item.key);
        let text = std::str::from_utf8(&fetched.bytes).unwrap();
        let marks = text.split_whitespace().filter(|word| word.starts_with("mark-"));
        for mark in marks {
            let before = found.insert(mark.to_owned(), &item.key);
            assert_eq!(before, None, "{mark} is in two documents");
        }
    }
    assert_eq!(messages, indexed as f64);
    assert_eq!(found.len() as u64, indexed);
    for (mark, expected) in &workspace.marks {
        let key = found
            .get(mark)
            .unwrap_or_else(|| panic!("{mark} is in no document"));
        match &expected.thread {
            // A reply, or what began a thread.
            Some(thread) => assert_eq!(key, thread, "{mark}"),
            None => assert!(!workspace.threads.contains(*key), "{mark} is in a thread"),
        }
    }
    assert_eq!(found.len(), workspace.marks.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_export_changes_what_is_new_in_it() {
    println!("seed {SEED}");
    let mut workspace = Workspace::generate(SEED, LARGE);
    let folder = tempfile::tempdir().unwrap();
    let unpacked = folder.path().join("export");
    workspace.write_folder(&unpacked);
    let connector = SlackConnector::new(SlackConfig::new(unpacked.clone())).unwrap();
    let before = tags(&list(&connector).await.items);

    let archive = folder.path().join("export.zip");
    archive::write(&workspace, &archive);
    let packed = SlackConnector::new(SlackConfig::new(archive)).unwrap();
    assert_eq!(tags(&list(&packed).await.items), before, "packed, it is the same");

    let changes = |after: &BTreeMap<String, Option<String>>| -> Vec<String> {
        let changed = after.iter().filter(|(key, tag)| before.get(*key) != Some(*tag));
        changed.map(|(key, _)| key.clone()).collect()
    };
    // One more message within the pause, and one more reply to the oldest thread of another channel.
    let (said, replied) = workspace.go_on();
    workspace.write_folder(&unpacked);
    let after = tags(&list(&connector).await.items);
    let changed = changes(&after);
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(changed.contains(&replied), "{changed:?}");
    assert!(
        changed.iter().any(|key| key.starts_with(&format!("{said}/"))),
        "{changed:?}"
    );
    assert!(
        before.keys().all(|key| after.contains_key(key)),
        "nothing is gone"
    );
}
