//! A bucket of 100,000 objects is listed in the memory of a page, and a second listing tells that nothing changed. It is alone in
//! its process, whose memory is looked at. `LECTERN_TEST_BUCKET_KEYS` makes the bucket larger.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "the suite uses the rest")]
#[path = "s3/shelf.rs"]
mod shelf;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use futures::StreamExt;
use lectern_connectors::{SourceConfig, open};
use lectern_domain::ports::{Connector, ListEvent};
use serde_json::json;

use shelf::{BUCKET, Shelf};

/// What this process has in memory, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A hash of all keys and change tags, and how many they are. Nothing is kept.
async fn digest(connector: &dyn Connector) -> (usize, u64) {
    let (mut count, mut digest) = (0, 0);
    let mut listing = connector.list(None);
    while let Some(event) = listing.next().await {
        let ListEvent::Item(item) = event.unwrap() else {
            panic!("an item is left out")
        };
        assert!(item.change_tag.is_some(), "{} would be fetched again", item.key);
        digest = BuildHasherDefault::<DefaultHasher>::default().hash_one((digest, item.key, item.change_tag));
        count += 1;
    }
    (count, digest)
}

#[tokio::test]
async fn a_large_bucket_is_listed_in_little_memory_and_tells_that_nothing_changed() {
    let set = std::env::var("LECTERN_TEST_BUCKET_KEYS").ok();
    let keys: usize = set.map_or(100_000, |keys| keys.parse().unwrap());
    let shelf = Shelf::new();
    shelf.number(keys);
    let config = json!({
        "kind": "s3", "buckets": [BUCKET], "endpoint": shelf.endpoint(), "allow_http": true,
        "credentials": {"from": "anonymous"},
    });
    let connector = open(&SourceConfig::from_json(config).unwrap()).unwrap();
    let mut listing = connector.list(None);
    for _ in 0..5000 {
        listing.next().await.unwrap().unwrap();
    }
    drop(listing);
    shelf.requests();

    let (before, begun) = (resident_kib(), std::time::Instant::now());
    let first = digest(connector.as_ref()).await;
    let (after, took) = (resident_kib(), begun.elapsed());
    println!("{keys} keys in {took:.1?}, {before} KiB before and {after} KiB after");
    assert_eq!(first.0, keys);
    assert!(
        after < before + (16 << 10),
        "{before} KiB before, {after} KiB after"
    );
    assert_eq!(digest(connector.as_ref()).await, first);
    let requests = shelf.requests();
    assert_eq!(requests.len(), 2 * keys.div_ceil(1000));
    assert!(requests.iter().all(|request| request == "list"));
}
