//! The connector: the listing on a thread of its own, and the way from a key to a document.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_connector_files::{Listed, listing_of};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, PortError};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::account::Account;
use crate::again::read_again;
use crate::attachment;
use crate::config::MailConfig;
use crate::document::Document;
use crate::error::Error;
use crate::index::{Index, Purpose, identity};
use crate::key::Key;
use crate::listing;
use crate::memory::Memory;
use crate::mime::Mail;
use crate::scan::open;
use crate::shelf::Shelf;

/// Reads mailboxes.
#[derive(Clone, Debug)]
pub struct MailConnector {
    shelf: Arc<Shelf>,
    account: Arc<Mutex<Option<Account>>>,
}

impl MailConnector {
    /// A connector for mailboxes that are there. Reads nothing yet.
    ///
    /// Fails with [`Error::Setting`], [`Error::PathNotFound`] or [`Error::PathUnreadable`].
    pub fn new(config: MailConfig) -> Result<Self, Error> {
        config.check()?;
        for root in &config.roots {
            root.metadata().map_err(|error| Error::of_path(root, error))?;
        }
        Ok(Self {
            shelf: Arc::new(Shelf::new(config)),
            account: Arc::default(),
        })
    }

    /// What became of each message in the last listing that was read to its end.
    pub fn account(&self) -> Option<Account> {
        let account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.clone()
    }

    fn read(&self, key: &str) -> Result<Fetched, Error> {
        let parsed = Key::parse(key).ok_or_else(|| gone(key))?;
        let index = self.shelf.index(Purpose::Fetch, &|| true)?;
        match self.read_of(&index, &parsed, key) {
            // Once more with what is there now.
            Err(Error::Changed { .. }) => {
                let newer = self.shelf.another(&index)?;
                self.read_of(&newer, &parsed, key)
            }
            read => read,
        }
    }

    fn read_of(&self, index: &Index, parsed: &Key, key: &str) -> Result<Fetched, Error> {
        let piece = index.piece(&parsed.piece).ok_or_else(|| gone(key))?;
        let document = Document {
            index,
            config: &self.shelf.config,
            piece,
        };
        let read = |member| message(index, member, key);
        match parsed.attached {
            None => document.fetched(read, || changed(key)),
            Some((id, place)) => {
                let member = piece
                    .members
                    .iter()
                    .find(|member| identity(index.member(**member).1) == id);
                let member = *member.ok_or_else(|| gone(key))?;
                self.attachment(document, member, place, &read(member)?, key)
            }
        }
    }

    fn attachment(
        &self,
        document: Document<'_>,
        member: u32,
        place: usize,
        bytes: &[u8],
        key: &str,
    ) -> Result<Fetched, Error> {
        let place = place.checked_sub(1).ok_or_else(|| gone(key))?;
        let attached = document.index.member(member).1.attached.get(place);
        let attached = attached
            .filter(|attached| !attached.is_signature)
            .ok_or_else(|| gone(key))?;
        let limit_bytes = self.shelf.config.max_attachment_bytes;
        if attached.size_bytes > limit_bytes {
            return Err(Error::TooLarge {
                key: key.to_owned(),
                size_bytes: attached.size_bytes,
                limit_bytes,
            });
        }
        let mail = Mail::parse(bytes).map_err(|_| changed(key))?;
        let content = attachment::content(&mail, place).ok_or_else(|| changed(key))?;
        Ok(document.fetched_attachment(member, &mail.fields, attached, content))
    }
}

/// The bytes of a message of the index.
fn message(index: &Index, member: u32, key: &str) -> Result<Vec<u8>, Error> {
    let (file, entry) = index.member(member);
    let folder = &index.folders[file.folder as usize];
    let path = || folder.path().join(&file.name);
    let handle = match open(folder, &file.name) {
        Ok(handle) => handle,
        // It was moved, or its flags changed.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(changed(key)),
        Err(error) => return Err(Error::of_path(&path(), error)),
    };
    let bytes = read_again(&handle, file.scan.kind, entry).map_err(|error| Error::of_path(&path(), error))?;
    bytes.ok_or_else(|| changed(key))
}

fn gone(key: &str) -> Error {
    Error::Gone { key: key.to_owned() }
}

fn changed(key: &str) -> Error {
    Error::Changed { key: key.to_owned() }
}

#[async_trait]
impl Connector for MailConnector {
    fn describe(&self) -> String {
        let roots: Vec<String> = self
            .shelf
            .config
            .roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        format!("the mailboxes {}", roots.join(", "))
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let before = match since.map(Memory::read).transpose() {
            Ok(before) => before,
            Err(error) => return stream::iter([Err(error.into())]).boxed(),
        };
        let (shelf, account) = (Arc::clone(&self.shelf), Arc::clone(&self.account));
        let list = move |sender: &mpsc::Sender<Listed>| {
            let mut give = |event| sender.blocking_send(Ok(event)).is_ok();
            match listing::list(&shelf, before.as_ref(), &|| !sender.is_closed(), &mut give) {
                Ok(Some(listed)) => *account.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed),
                Ok(None) => {}
                Err(error) => {
                    if sender.blocking_send(Err(PortError::from(error))).is_err() {
                        tracing::debug!("nobody listened to the end of a listing");
                    }
                }
            }
        };
        listing_of(list, |error| Error::ThreadEnded(error).into())
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let (connector, key) = (self.clone(), item.key.clone());
        let fetched = spawn_blocking(move || connector.read(&key));
        fetched.await.map_err(Error::ThreadEnded)?.map_err(of_document)
    }
}

/// What an error says about a document: without its mailbox, nothing is known about it, and it isn't gone.
fn of_document(error: Error) -> PortError {
    let is_mailbox_lost = matches!(error, Error::PathNotFound { .. });
    let mut error = PortError::from(error);
    if is_mailbox_lost {
        error.kind = ErrorKind::Unavailable;
    }
    error
}
