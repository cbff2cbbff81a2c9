//! Objects that change, vanish or are locked while they are read.

use super::*;
use lectern_connectors::s3::{AttemptTime, Limits};
use lectern_domain::ErrorKind;
use std::time::Duration;

#[tokio::test]
async fn an_object_that_changes_all_the_time_is_never_a_mixture() {
    let shelf = Shelf::new();
    let version = |number: u8| vec![b'a' + number % 26; 200_000];
    shelf.put("a.txt", &version(0));
    let mut number = 0;
    shelf.before_get(move |key, objects| {
        number += 1;
        if let Some(stored) = objects.get_mut(key) {
            stored.bytes = version(number);
            stored.etag = format!("\"{number:032x}\"");
        }
    });
    let proxy = Proxy::new(shelf.endpoint(), seed());
    let connector = connector(&proxy.endpoint, BUCKET, json!({"sidecars": false}));
    let item = item(connector.as_ref(), "shelf/a.txt").await;
    let mut versions = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let fetched = connector.fetch(&item).await.unwrap();
        assert_eq!(fetched.bytes.len(), 200_000);
        assert!(
            fetched.bytes.iter().all(|byte| *byte == fetched.bytes[0]),
            "two versions in one"
        );
        versions.insert(fetched.bytes[0]);
    }
    assert!(versions.len() > 10);
    proxy.assert_bad();
}

#[tokio::test]
async fn what_vanishes_between_listing_and_fetching_is_gone() {
    let shelf = Shelf::new();
    shelf.put("a.md", b"a");
    shelf.put("b.md", b"b");
    let connector = on_shelf(&shelf, json!({"tags": true}));
    let item = item(connector.as_ref(), "shelf/a.md").await;
    shelf.remove("a.md");
    assert_eq!(
        connector.fetch(&item).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    assert_eq!(lines(connector.as_ref()).await, ["shelf/b.md"]);
}

/// A connector that gives a request up after three attempts, each of which has a quarter of a second.
fn hasty(endpoint: &str) -> S3Connector {
    let config = json!({
        "kind": "s3", "buckets": [BUCKET], "endpoint": endpoint, "allow_http": true,
        "credentials": {"from": "anonymous"},
    });
    let SourceConfig::S3(config) = SourceConfig::from_json(config).unwrap() else {
        panic!("the configuration is no bucket's");
    };
    let limits = Limits {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(1),
        retries: 2,
        ..Limits::default()
    };
    let attempt_time = AttemptTime {
        least: Duration::from_millis(250),
        bytes_per_second: u64::MAX,
    };
    S3Connector::with_patience(S3Config::clone(&config), limits, attempt_time).unwrap()
}

/// That whatever is asked for is given up after three attempts, for this reason. Gives the two errors.
async fn assert_given_up(connector: &S3Connector, reason: &str) {
    let listed: Vec<_> = connector.list(None).collect().await;
    let [Err(listing)] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    let fetching = fetch(connector, "shelf/a.txt").await.unwrap_err();
    for error in [listing, &fetching] {
        assert_eq!(
            (error.code, error.kind),
            ("bucket_unavailable", ErrorKind::Unavailable),
            "{error:?}"
        );
        let message = &error.message;
        assert!(
            message.contains("failed 3 times") && message.contains(reason),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_can_not_be_reached_is_given_up_after_its_attempts() {
    // A port where nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_given_up(&hasty(&endpoint), "").await;
}

#[tokio::test]
async fn an_answer_that_comes_by_single_bytes_is_given_up_after_its_attempts() {
    let shelf = Shelf::new();
    shelf.put("a.txt", &[b'a'; 2000]);
    shelf.drip();
    assert_given_up(&hasty(shelf.endpoint()), "no whole answer within 250ms").await;
}

#[tokio::test]
async fn an_object_with_the_customers_own_key_is_read_with_it() {
    let shelf = Shelf::new();
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    shelf.put("secret.md", b"sealed");
    shelf.change("secret.md", |stored| stored.customer_key = Some(key.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let with_key = |content: &str| {
        std::fs::write(&file, content).unwrap();
        on_shelf(&shelf, json!({"customer_key": {"file": &file}}))
    };
    let reader = with_key(key);
    assert_eq!(
        &*fetch(reader.as_ref(), "shelf/secret.md").await.unwrap().bytes,
        b"sealed"
    );
    let error = fetch(with_key("c2hvcnQ=").as_ref(), "shelf/secret.md")
        .await
        .unwrap_err();
    assert_eq!(error.code, "bucket_setting_invalid");
    assert!(!format!("{error:?}").contains("c2hvcnQ"), "{error:?}");
    let without = on_shelf(&shelf, json!({}));
    let error = fetch(without.as_ref(), "shelf/secret.md").await.unwrap_err();
    assert_eq!(
        error.message,
        "reading the object \"shelf/secret.md\" was answered with 400 InvalidRequest"
    );
}
