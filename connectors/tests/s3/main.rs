//! The connector for buckets keeps the contract of connectors: on a bucket in memory, on moto where it is installed, on
//! s3s-fs where the feature `s3s` is on, and on each of them through a bad proxy.
//!
//! The bucket in memory is for what no real server can be brought to do: a million objects, a page that fails, an object
//! that changes under the reader.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod access;
mod changes;
mod listings;
mod moto;
mod proxy;
#[cfg(feature = "s3s")]
mod real;
mod shelf;

use async_trait::async_trait;
use futures::StreamExt;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::{SourceConfig, open};
use lectern_domain::PortError;
use lectern_domain::ports::{Connector, Fetched, ListEvent, SourceItem};
use serde_json::{Value, json};

use proxy::Proxy;
use shelf::{BUCKET, Shelf};

/// The seed of the proxies; another one with `LECTERN_TEST_SEED`.
fn seed() -> u64 {
    let set = std::env::var("LECTERN_TEST_SEED").ok();
    set.map_or(0x5eed, |seed| seed.parse().unwrap())
}

/// A connector for a bucket at `endpoint`, with `more` settings.
fn connector(endpoint: &str, bucket: &str, more: Value) -> Box<dyn Connector> {
    let mut config = json!({
        "kind": "s3", "buckets": [bucket], "endpoint": endpoint, "allow_http": true,
        "credentials": {"from": "anonymous"},
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    open(&SourceConfig::from_json(config).unwrap()).unwrap()
}

fn on_shelf(shelf: &Shelf, more: Value) -> Box<dyn Connector> {
    connector(shelf.endpoint(), BUCKET, more)
}

/// All events of a listing that ends well.
async fn listed(connector: &dyn Connector) -> Vec<ListEvent> {
    connector.list(None).map(Result::unwrap).collect().await
}

/// The same as lines: a key, or a key and why it is left out.
async fn lines(connector: &dyn Connector) -> Vec<String> {
    let line = |event| match event {
        ListEvent::Item(item) => item.key,
        ListEvent::Skipped { item, code, .. } => format!("{}: {code}", item.key),
        other => panic!("{other:?}"),
    };
    listed(connector).await.into_iter().map(line).collect()
}

async fn item(connector: &dyn Connector, key: &str) -> SourceItem {
    let events = listed(connector).await;
    let found = events.into_iter().find_map(|event| match event {
        ListEvent::Item(item) if item.key == key => Some(item),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{key} is not listed"))
}

async fn fetch(connector: &dyn Connector, key: &str) -> Result<Fetched, PortError> {
    connector.fetch(&SourceItem::new(key, "")).await
}

struct OnShelf {
    shelf: Shelf,
    connector: Box<dyn Connector>,
}

#[async_trait]
impl Fixture for OnShelf {
    fn connector(&self) -> &dyn Connector {
        self.connector.as_ref()
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> String {
        self.shelf.put(name, bytes);
        format!("{BUCKET}/{}", name.replace('%', "%25"))
    }

    async fn remove(&self, name: &str) {
        self.shelf.remove(name);
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    let shelf = Shelf::new();
    let connector = on_shelf(&shelf, json!({}));
    connector_suite(&OnShelf { shelf, connector }).await.unwrap();
}

#[tokio::test]
async fn the_contract_is_kept_over_a_bad_way() {
    let shelf = Shelf::new();
    let proxy = Proxy::new(shelf.endpoint(), seed());
    let connector = connector(&proxy.endpoint, BUCKET, json!({}));
    connector_suite(&OnShelf { shelf, connector }).await.unwrap();
    proxy.assert_bad();
}
