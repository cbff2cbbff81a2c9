//! A generated mailbox: 10,000 messages in 800 threads that span mbox files, Maildir folders and folders of messages, written in an order
//! that has nothing to do with time, some of them several times. Every thread is whole, every message is in one document, and the
//! counts add up.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and tells its seed"
)]

mod mailbox;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::time::Instant;

use futures::StreamExt;
use lectern_connector_mail::{Account, MailConfig, MailConnector};
use lectern_domain::AttributeValue;
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};

use mailbox::{MESSAGES, Mailbox, THREADS};

const SEED: u64 = 20_261_121;

struct Listed {
    items: Vec<SourceItem>,
    skipped: BTreeMap<String, u64>,
    account: Account,
}

async fn list(connector: &MailConnector) -> Listed {
    let (mut items, mut skipped) = (Vec::new(), BTreeMap::new());
    let mut events = connector.list(None);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ListEvent::Item(item) => items.push(item),
            ListEvent::Skipped { code, reason, .. } => {
                let count = reason.split(' ').next().unwrap().parse::<u64>().unwrap();
                *skipped.entry(code.to_owned()).or_default() += count;
            }
            ListEvent::Checkpoint(_) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(events);
    let account = connector.account().unwrap();
    assert!(account.adds_up(), "{account:?}");
    assert_eq!(account.documents + account.attachments, items.len() as u64);
    Listed {
        items,
        skipped,
        account,
    }
}

async fn fetch_all(connector: &MailConnector, items: &[SourceItem]) -> Vec<(SourceItem, Fetched)> {
    let mut fetched = Vec::new();
    for item in items {
        fetched.push((item.clone(), connector.fetch(item).await.unwrap()));
    }
    fetched
}

fn tags(items: &[SourceItem]) -> BTreeMap<String, Option<String>> {
    items
        .iter()
        .map(|item| (item.key.clone(), item.change_tag.clone()))
        .collect()
}

fn changed(before: &[SourceItem], after: &[SourceItem]) -> Vec<String> {
    let before = tags(before);
    let others = tags(after)
        .into_iter()
        .filter(|(key, tag)| before.get(key) != Some(tag));
    others.map(|(key, _)| key).collect()
}

/// Which words of the messages each thread has, by its key without the number of the part.
fn marks(documents: &[(SourceItem, Fetched)]) -> HashMap<String, BTreeSet<String>> {
    let mut found: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (item, fetched) in documents {
        let thread = item.key.rsplit_once('/').unwrap().0.to_owned();
        let text = std::str::from_utf8(&fetched.bytes).unwrap();
        for mark in text.split_whitespace().filter(|word| word.starts_with("mark-")) {
            let is_new = found
                .entry(thread.clone())
                .or_default()
                .insert(mark.trim_end_matches('.').to_owned());
            assert!(is_new, "{mark} is there twice, or is quoted");
        }
        assert!(
            text.contains("\nFrom here on, too.") || text.contains("mark-late"),
            "{text}"
        );
    }
    found
}

fn key(root: &str) -> String {
    format!("threads/{}", &blake3::hash(root.as_bytes()).to_hex()[..32])
}

#[tokio::test]
async fn every_thread_is_whole_and_every_message_accounted_for() {
    println!("seed {SEED}");
    let mut mailbox = Mailbox::generate(SEED);
    let folder = tempfile::tempdir().unwrap();
    mailbox.write(folder.path(), SEED);
    let config = MailConfig::new(vec![folder.path().to_owned()]);
    let connector = MailConnector::new(config.clone()).unwrap();

    let start = Instant::now();
    let listed = list(&connector).await;
    println!("{:?} in {:?}", listed.account, start.elapsed());
    assert_eq!(mailbox.mails.len(), MESSAGES);
    assert_eq!(listed.account.messages, MESSAGES as u64 + mailbox.copies);
    assert_eq!(listed.account.in_threads, MESSAGES as u64);
    assert_eq!(listed.account.threads, THREADS as u64);
    assert_eq!(
        listed.skipped,
        BTreeMap::from([("duplicate".to_owned(), mailbox.copies)])
    );

    let start = Instant::now();
    let documents = fetch_all(&connector, &listed.items).await;
    println!("{} documents fetched in {:?}", documents.len(), start.elapsed());
    let expected: HashMap<String, BTreeSet<String>> = mailbox
        .threads
        .iter()
        .map(|(root, marks)| (key(root), marks.clone()))
        .collect();
    assert_eq!(marks(&documents), expected);
    let count = |fetched: &Fetched| match fetched.attributes["message_count"] {
        AttributeValue::Number(count) => count,
        ref other => panic!("{other:?}"),
    };
    let messages: f64 = documents.iter().map(|(_, fetched)| count(fetched)).sum();
    assert_eq!(messages, MESSAGES as f64);

    // The same again, and by another connector.
    let again = list(&MailConnector::new(config).unwrap()).await;
    assert_eq!(changed(&listed.items, &again.items), [""; 0]);

    // One answer is one change.
    let late = mailbox.answer(MESSAGES / 2);
    let mut sent = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.path().join("boxes/Sent"))
        .unwrap();
    write!(
        sent,
        "From x@a.example Mon Jan  5 10:00:00 2026\n{}\n",
        mailbox.mails[late].text
    )
    .unwrap();
    drop(sent);
    let after = list(&connector).await;
    let new = changed(&listed.items, &after.items);
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new[0].starts_with(&key(&mailbox.mails[late].thread)), "{new:?}");
    let item = after.items.iter().find(|item| item.key == new[0]).unwrap();
    let text = connector.fetch(item).await.unwrap().bytes.to_vec();
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains(&mailbox.mails[late].mark)
    );
    let left = tags(&after.items);
    assert!(
        tags(&listed.items).keys().all(|key| left.contains_key(key)),
        "nothing is gone"
    );
}
