//! The connector: the listing on a thread of its own, and the way from a key to a document.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::BoxStream;
use lectern_connector_files::{Listed, listing_of};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, PortError};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::account::Account;
use crate::clean::{mask, scrub};
use crate::config::SlackConfig;
use crate::document::{Key, Setting};
use crate::error::Error;
use crate::export::Unreadable;
use crate::index::hash_of;
use crate::listing;
use crate::message::{Record, Shown};
use crate::moment::Moment;
use crate::shelf::{Held, Shelf};

/// Reads an export of a Slack workspace.
#[derive(Clone, Debug)]
pub struct SlackConnector {
    shelf: Arc<Shelf>,
    account: Arc<Mutex<Option<Account>>>,
}

impl SlackConnector {
    /// A connector for an export that is there. Reads its lists.
    ///
    /// Fails with [`Error::Setting`], [`Error::PathNotFound`], [`Error::NotAnExport`] or [`Error::List`].
    pub fn new(config: SlackConfig) -> Result<Self, Error> {
        config.check()?;
        let shelf = Shelf::new(config);
        shelf.snapshot()?;
        Ok(Self {
            shelf: Arc::new(shelf),
            account: Arc::default(),
        })
    }

    /// What became of each message in the last listing that was read to its end.
    pub fn account(&self) -> Option<Account> {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.clone()
    }

    fn read(&self, key: &str) -> Result<Fetched, Error> {
        let gone = || Error::Gone {
            key: scrub(key).into_owned(),
        };
        let parsed = Key::parse(key).ok_or_else(gone)?;
        let snapshot = self.shelf.snapshot()?;
        let conversation = snapshot.directory.conversations.get(parsed.channel());
        let conversation = conversation.ok_or_else(gone)?;
        let held = self
            .shelf
            .index(&snapshot, conversation)
            .map_err(|unreadable| unread(&conversation.folder, unreadable))?;
        let setting = Setting {
            directory: &snapshot.directory,
            conversation,
            config: &self.shelf.config,
        };
        match parsed {
            Key::Messages { first, .. } => self.messages(setting, &held, first, gone),
            Key::File { id, .. } => {
                let file = held.index.files.iter().find(|file| file.id == id);
                let file = file.ok_or_else(|| missing(&held, gone))?;
                let mut bytes = snapshot
                    .export
                    .read(&file.stored, self.shelf.config.max_file_bytes)
                    .map_err(|unreadable| unread(&file.stored.name, unreadable))?;
                mask(&mut bytes);
                Ok(setting.file(file, bytes))
            }
        }
    }

    fn messages(
        &self,
        setting: Setting<'_>,
        held: &Held,
        first: Moment,
        gone: impl Fn() -> Error,
    ) -> Result<Fetched, Error> {
        let piece = held.index.piece(first).ok_or_else(|| missing(held, &gone))?;
        if let Some((name, _)) = held.index.unreadable.first().filter(|_| piece.is_withheld) {
            let problem = "can't be read, and the document may have messages in it";
            return Err(unread(name, Unreadable::new("day_unreadable", problem)));
        }
        let mut messages: Vec<(Moment, Shown)> = Vec::with_capacity(piece.lines.len());
        let mut open = None;
        for entry in piece
            .lines
            .iter()
            .filter_map(|line| held.index.entries.get(*line))
        {
            let day = match open.take() {
                Some((number, day)) if number == entry.day => day,
                _ => self.shelf.day(held, entry.day).map_err(|unreadable| {
                    let file = held.index.days.files.get(entry.day);
                    unread(file.map_or("", |file| file.name.as_str()), unreadable)
                })?,
            };
            // What was exchanged since the index was made is never mixed with what wasn't.
            match day.get(entry.place) {
                Some(Record::Message(message)) if hash_of(message) == entry.hash => {
                    messages.push((message.at, message.shown.clone()));
                }
                _ => {
                    return Err(Error::Changed {
                        key: first.to_string(),
                    });
                }
            }
            open = Some((entry.day, day));
        }
        Ok(setting.messages(piece, &messages))
    }
}

/// What it is when the index has no such document: gone, unless a day that can't be read may have it.
fn missing(held: &Held, gone: impl Fn() -> Error) -> Error {
    match held.index.unreadable.first() {
        None => gone(),
        Some((name, _)) => {
            let problem = "can't be read, and the document may have messages in it";
            unread(name, Unreadable::new("day_unreadable", problem))
        }
    }
}

fn unread(name: &str, unreadable: Unreadable) -> Error {
    Error::File {
        name: scrub(name).into_owned(),
        code: unreadable.code,
        problem: unreadable.problem,
    }
}

#[async_trait]
impl Connector for SlackConnector {
    fn describe(&self) -> String {
        format!("the Slack export {}", self.shelf.config.export.display())
    }

    fn list(&self, _since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let (shelf, account) = (Arc::clone(&self.shelf), Arc::clone(&self.account));
        let list = move |sender: &mpsc::Sender<Listed>| {
            let mut give = |event| sender.blocking_send(Ok(event)).is_ok();
            match listing::list(&shelf, &mut give) {
                Ok(Some(listed)) => *account.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed),
                Ok(None) => {}
                Err(error) => {
                    let error = PortError::from(error);
                    if sender.blocking_send(Err(error)).is_err() {
                        tracing::debug!("nobody listened to the end of a listing");
                    }
                }
            }
        };
        listing_of(list, |error| Error::ThreadEnded(error).into())
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let (connector, key) = (self.clone(), item.key.clone());
        let fetched = spawn_blocking(move || match connector.read(&key) {
            // Once more with what is there now.
            Err(Error::Changed { .. }) => connector.read(&key),
            read => read,
        });
        fetched.await.map_err(Error::ThreadEnded)?.map_err(of_document)
    }
}

/// What an error says about a document: without its export, nothing is known about it, and it isn't gone.
fn of_document(error: Error) -> PortError {
    let is_export_lost = matches!(error, Error::PathNotFound { .. });
    let mut error = PortError::from(error);
    if is_export_lost {
        error.kind = ErrorKind::Unavailable;
    }
    error
}
