//! What a connector lists, as tests look at it.

#![allow(dead_code, reason = "each test uses what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use lectern_connector_git::{GitConfig, GitConnector};
use lectern_domain::PortError;
use lectern_domain::attribute::{AttributeValue, Attributes};
use lectern_domain::ports::{Connector, Cursor, ListEvent, SourceItem};

/// A listing that ended well, by what its events say.
#[derive(Debug, Default)]
pub struct Listed {
    pub items: BTreeMap<String, SourceItem>,
    /// By key: the code.
    pub skipped: BTreeMap<String, &'static str>,
    pub failed: BTreeMap<String, &'static str>,
    pub gone: BTreeSet<String>,
    pub cursor: Option<Cursor>,
}

impl Listed {
    pub fn keys(&self) -> Vec<&str> {
        self.items.keys().map(String::as_str).collect()
    }

    pub fn gone(&self) -> Vec<&str> {
        self.gone.iter().map(String::as_str).collect()
    }

    pub fn tag(&self, key: &str) -> &str {
        self.items[key].change_tag.as_deref().unwrap()
    }
}

pub async fn try_list(connector: &GitConnector, since: Option<&Cursor>) -> Result<Listed, PortError> {
    let mut listed = Listed::default();
    let mut events = connector.list(since);
    while let Some(event) = events.next().await {
        let (key, outcome) = match event? {
            ListEvent::Item(item) => {
                let key = item.key.clone();
                assert!(listed.items.insert(key.clone(), item).is_none(), "{key:?} twice");
                continue;
            }
            ListEvent::Checkpoint(cursor) => {
                listed.cursor = Some(cursor);
                continue;
            }
            ListEvent::Skipped { item, code, .. } => (item.key, Some((code, true))),
            ListEvent::Failed { item, code, .. } => (item.key, Some((code, false))),
            ListEvent::Gone { key } => (key, None),
            other @ ListEvent::Readers { .. } => panic!("{other:?}"),
        };
        let is_new = match outcome {
            Some((code, true)) => listed.skipped.insert(key.clone(), code).is_none(),
            Some((code, false)) => listed.failed.insert(key.clone(), code).is_none(),
            None => listed.gone.insert(key.clone()),
        };
        assert!(is_new, "{key:?} twice");
    }
    Ok(listed)
}

pub async fn list(connector: &GitConnector) -> Listed {
    try_list(connector, None).await.unwrap()
}

pub async fn list_since(connector: &GitConnector, listed: &Listed) -> Listed {
    try_list(connector, listed.cursor.as_ref()).await.unwrap()
}

pub fn open(config: &GitConfig) -> GitConnector {
    GitConnector::new(config.clone()).unwrap()
}

pub async fn fetch(connector: &GitConnector, key: &str) -> Result<(Vec<u8>, Attributes), PortError> {
    let fetched = connector.fetch(&SourceItem::new(key, "")).await?;
    Ok((fetched.bytes.to_vec(), fetched.attributes))
}

/// An attribute as a text, dates as seconds.
pub fn shown(attributes: &Attributes, name: &str) -> String {
    match attributes.get(name) {
        None => "-".to_owned(),
        Some(AttributeValue::Text(text)) => text.clone(),
        Some(AttributeValue::TextList(texts)) => texts.join(", "),
        Some(AttributeValue::Date(date)) => date.timestamp().to_string(),
        Some(AttributeValue::Number(number)) => number.to_string(),
    }
}
