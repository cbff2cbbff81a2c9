//! The connector for buckets keeps the contract of connectors: on a bucket in memory, on moto, Azurite and an emulator of
//! Google's where they are installed, on s3s-fs where the feature `s3s` is on, and on each of them through a bad proxy.
//!
//! The bucket in memory is for what no real server can be brought to do: a million objects, a page that fails, an object
//! that changes under the reader.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod access;
mod azure;
mod changes;
mod google;
mod listings;
mod moto;
mod proxy;
#[cfg(feature = "s3s")]
mod real;
mod server;
#[allow(dead_code, reason = "the promises use the rest")]
mod shelf;

use async_trait::async_trait;
use futures::StreamExt;
use lectern_connectors::conformance::{Fixture, connector_suite};
use lectern_connectors::s3::{S3Config, S3Connector};
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

/// What nobody may be told: the key of the fixtures, and its session's token.
const KEY_ID: &str = "AKIAREADERREADER";
const SECRET: &str = "not/told+to/anybody==";
const TOKEN: &str = "nor/this+token/of=a;session";

/// The configuration of a bucket that is read with a key in files: its id, its secret, and its token, if it has one.
fn keyed(endpoint: &str, bucket: &str, folder: &tempfile::TempDir, key: [&str; 3]) -> SourceConfig {
    let places = ["id", "secret", "token"].map(|name| folder.path().join(name));
    for (place, content) in places.iter().zip(key) {
        std::fs::write(place, content).unwrap();
    }
    let [id, secret, token] = places;
    let mut credentials = json!({"from": "key", "id": {"file": id}, "secret": {"file": secret}});
    if !key[2].is_empty() {
        credentials["token"] = json!({"file": token});
    }
    let config = json!({
        "kind": "s3", "buckets": [bucket], "endpoint": endpoint, "allow_http": true, "credentials": credentials,
    });
    SourceConfig::from_json(config).unwrap()
}

/// What can be seen of the connector of a configuration.
fn shown(config: &SourceConfig) -> Vec<String> {
    let SourceConfig::S3(s3) = config else {
        panic!("{config:?} is no bucket's");
    };
    let connector = S3Connector::new(S3Config::clone(s3)).unwrap();
    vec![
        format!("{config:?} {connector:?}"),
        config.to_json().unwrap().to_string(),
    ]
}

struct OnShelf {
    shelf: Shelf,
    config: SourceConfig,
    connector: Box<dyn Connector>,
    /// Where the key is.
    _folder: tempfile::TempDir,
}

impl OnShelf {
    fn over(endpoint: &str, shelf: &Shelf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = keyed(endpoint, BUCKET, &folder, [KEY_ID, SECRET, TOKEN]);
        Self {
            shelf: shelf.clone(),
            connector: open(&config).unwrap(),
            config,
            _folder: folder,
        }
    }
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

    fn secrets(&self) -> Vec<String> {
        [KEY_ID, SECRET, TOKEN].map(str::to_owned).to_vec()
    }

    fn shown(&self) -> Vec<String> {
        shown(&self.config)
    }

    /// Nobody is let in, the bucket isn't there, and a page in the middle fails.
    async fn break_source(&self, way: usize) -> bool {
        match way {
            0 => self.shelf.refuse(403, "AccessDenied"),
            1 => self.shelf.refuse(404, "NoSuchBucket"),
            2 => {
                self.shelf.page(200);
                self.shelf.requests();
                self.shelf
                    .break_page(2, 403, "<Error><Code>AccessDenied</Code></Error>");
            }
            _ => return false,
        }
        true
    }

    async fn mend(&self) {
        self.shelf.mend();
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    let shelf = Shelf::new();
    connector_suite(&OnShelf::over(shelf.endpoint(), &shelf))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_contract_is_kept_over_a_bad_way() {
    let shelf = Shelf::new();
    let proxy = Proxy::new(shelf.endpoint(), seed());
    connector_suite(&OnShelf::over(&proxy.endpoint, &shelf))
        .await
        .unwrap();
    proxy.assert_bad();
}
