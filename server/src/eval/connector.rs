//! The corpus of an evaluation as a source of documents, so that it takes the ordinary way in.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{Attributes, ErrorKind, PortError};
use serde::Deserialize;

/// A document of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CorpusDocument {
    /// What the judgements call it.
    #[serde(rename = "_id")]
    pub id: String,
    /// May be empty.
    #[serde(default)]
    pub title: String,
    /// May be empty.
    pub text: String,
}

/// Documents of a corpus, each a plain text with the title that the corpus gives it. A document
/// without any text is listed as skipped.
#[derive(Debug)]
pub struct CorpusConnector {
    documents: Vec<CorpusDocument>,
    by_id: HashMap<String, usize>,
}

impl CorpusConnector {
    /// A source of `documents`. Of two with the same id the last one counts.
    pub fn new(documents: Vec<CorpusDocument>) -> Self {
        let by_id = documents
            .iter()
            .enumerate()
            .map(|(index, document)| (document.id.clone(), index))
            .collect();
        Self { documents, by_id }
    }

    fn is_the_one(&self, index: usize, id: &str) -> bool {
        self.by_id.get(id) == Some(&index)
    }
}

#[async_trait]
impl Connector for CorpusConnector {
    fn describe(&self) -> String {
        format!("a corpus of {} documents", self.by_id.len())
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let events = self
            .documents
            .iter()
            .enumerate()
            .filter(|(index, document)| self.is_the_one(*index, &document.id))
            .map(|(_, document)| Ok(list_event(document)));
        stream::iter(events).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let document = self
            .by_id
            .get(&item.key)
            .and_then(|index| self.documents.get(*index))
            .ok_or_else(|| {
                PortError::new(
                    ErrorKind::NotFound,
                    "document_not_found",
                    format!("the corpus has no document {:?}", item.key),
                )
            })?;
        let title = document.title.trim();
        Ok(Fetched {
            bytes: Arc::from(text_of(document).as_bytes()),
            file_name: format!("{}.txt", document.id),
            media_type: Some("text/plain".to_owned()),
            title: (!title.is_empty()).then(|| title.to_owned()),
            acl: None,
            attributes: Attributes::new(),
        })
    }
}

fn list_event(document: &CorpusDocument) -> ListEvent {
    let text = text_of(document);
    let item = SourceItem {
        key: document.id.clone(),
        uri: uri_of(&document.id),
        size_bytes: Some(text.len() as u64),
        modified_at: None,
        change_tag: None,
    };
    if text.is_empty() {
        return ListEvent::Skipped {
            item,
            code: "empty_file",
            reason: "neither title nor text".to_owned(),
        };
    }
    ListEvent::Item(item)
}

/// The text of a document, or its title where it has no text.
fn text_of(document: &CorpusDocument) -> &str {
    let text = document.text.trim();
    if text.is_empty() {
        document.title.trim()
    } else {
        text
    }
}

/// The address that a passage of document `id` carries.
pub fn uri_of(id: &str) -> String {
    format!("corpus:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, title: &str, text: &str) -> CorpusDocument {
        CorpusDocument {
            id: id.into(),
            title: title.into(),
            text: text.into(),
        }
    }

    #[tokio::test]
    async fn every_document_is_listed_once_and_can_be_fetched() {
        let connector = CorpusConnector::new(vec![
            document("1", "", "first"),
            document("2", "only a title", " "),
            document("3", "", ""),
            document("1", "again", "second"),
        ]);
        let events: Vec<ListEvent> = connector.list(None).map(Result::unwrap).collect().await;
        assert_eq!(events.len(), 3);
        assert!(matches!(&events[1], ListEvent::Skipped { item, .. } if item.key == "3"));

        let ListEvent::Item(item) = &events[2] else {
            panic!("document 1 is not listed")
        };
        let fetched = connector.fetch(item).await.unwrap();
        assert_eq!(&*fetched.bytes, b"second");
        assert_eq!(fetched.title.as_deref(), Some("again"));
        assert_eq!(item.uri, uri_of("1"));

        let gone = SourceItem {
            key: "9".into(),
            ..item.clone()
        };
        assert_eq!(
            connector.fetch(&gone).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
    }
}
