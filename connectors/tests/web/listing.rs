//! A connector for a site of the test's own, and what a listing of it says.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use futures::StreamExt;
use lectern_connectors::web::{Found, Lookup, WebConfig, WebConnector};
use lectern_domain::PortError;
use lectern_domain::ports::{Connector, Cursor, ListEvent, SourceItem};

use crate::site::Site;

/// A configuration that begins at a page of the site, without pauses.
pub fn config(site: &Site, seed: &str) -> WebConfig {
    WebConfig {
        allow_private_hosts: vec!["127.0.0.1".to_owned()],
        pause_ms: 0,
        retries: 0,
        ..WebConfig::new(vec![format!("{}{seed}", site.address())])
    }
}

pub fn connector(config: WebConfig) -> WebConnector {
    WebConnector::resolving(config, Arc::new(Loopback)).unwrap()
}

/// Says of every name that ends with `.example` that it is this machine.
struct Loopback;

impl Lookup for Loopback {
    fn lookup(&self, name: &str) -> Found {
        let is_known = name.ends_with(".example");
        Box::pin(async move {
            match is_known {
                true => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
                false => Err(io::Error::other("no such name")),
            }
        })
    }
}

/// What a listing said.
#[derive(Debug, Default)]
pub struct Listing {
    pub items: BTreeMap<String, SourceItem>,
    pub skipped: BTreeMap<String, &'static str>,
    pub failed: BTreeMap<String, &'static str>,
    pub gone: Vec<String>,
    pub cursor: Option<Cursor>,
    pub error: Option<PortError>,
}

impl Listing {
    pub async fn of(connector: &WebConnector, since: Option<&Cursor>) -> Self {
        let mut listing = Self::default();
        let mut events = connector.list(since);
        while let Some(event) = events.next().await {
            match event {
                Ok(ListEvent::Item(item)) => {
                    let twice = listing.items.insert(item.key.clone(), item);
                    assert_eq!(twice, None);
                }
                Ok(ListEvent::Skipped { item, code, .. }) => {
                    assert_eq!(listing.skipped.insert(item.key, code), None);
                }
                Ok(ListEvent::Failed { item, code, .. }) => {
                    assert_eq!(listing.failed.insert(item.key, code), None);
                }
                Ok(ListEvent::Gone { key }) => listing.gone.push(key),
                Ok(ListEvent::Checkpoint(cursor)) => listing.cursor = Some(cursor),
                Ok(other @ ListEvent::Readers { .. }) => panic!("{other:?}"),
                Err(error) => {
                    listing.error = Some(error);
                    break;
                }
            }
        }
        listing
    }

    /// A listing that ended well.
    pub async fn whole(connector: &WebConnector, since: Option<&Cursor>) -> Self {
        let listing = Self::of(connector, since).await;
        assert!(listing.error.is_none(), "{listing:?}");
        listing
    }

    /// The paths of the documents.
    pub fn paths(&self, site: &Site) -> Vec<String> {
        let path = |key: &String| key.replacen(site.address(), "", 1);
        self.items.keys().map(path).collect()
    }

    pub fn code(&self) -> Option<&'static str> {
        self.error.as_ref().map(|error| error.code)
    }
}

/// The key of a page.
pub fn key(site: &Site, path: &str) -> String {
    format!("{}{path}", site.address())
}
