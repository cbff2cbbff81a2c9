//! The connector: the listing on a thread of its own, and the way from a key to a file.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::BoxStream;
use lectern_connector_files::{Listed, listing_of};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{ErrorKind, PortError};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::account::Account;
use crate::config::GitConfig;
use crate::document::{Setting, path_of};
use crate::error::Error;
use crate::listing::{self, Listener};
use crate::shelf::Shelf;
use crate::store::locked;

/// Reads what is committed to a Git repository of this machine.
#[derive(Clone, Debug)]
pub struct GitConnector {
    shelf: Arc<Shelf>,
    account: Arc<Mutex<Option<Account>>>,
}

impl GitConnector {
    /// A connector for a repository that is there. Waits for the disk.
    ///
    /// Fails with [`Error::Setting`], [`Error::Pattern`], [`Error::PathNotFound`], [`Error::NotARepository`],
    /// [`Error::Unsupported`], and where the reference isn't there.
    pub fn new(config: GitConfig) -> Result<Self, Error> {
        let shelf = Shelf::open(config)?;
        shelf.tip()?;
        Ok(Self {
            shelf: Arc::new(shelf),
            account: Arc::default(),
        })
    }

    /// What the last listing that was read to its end has named.
    pub fn account(&self) -> Option<Account> {
        locked(&self.account).clone()
    }

    fn read(&self, key: &str) -> Result<Fetched, Error> {
        let gone = || Error::Gone { key: key.to_owned() };
        let path = path_of(key).ok_or_else(gone)?;
        let snapshot = self.shelf.snapshot(&|| false)?;
        let number = snapshot.files.find(&path);
        let number = number.ok_or_else(|| match snapshot.files.is_lost(&path) {
            true => Error::FolderLost { key: key.to_owned() },
            false => gone(),
        })?;
        let file = snapshot.files.files.get(number as usize).ok_or_else(gone)?;
        let trace = self.shelf.trace(&snapshot, number)?;
        let setting = Setting {
            shelf: &self.shelf,
            snapshot: &snapshot,
        };
        setting.fetch(file, &trace)
    }
}

#[async_trait]
impl Connector for GitConnector {
    fn describe(&self) -> String {
        let config = &self.shelf.config;
        format!(
            "{} of the Git repository {}",
            config.reference,
            config.repository.display()
        )
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let (shelf, account) = (Arc::clone(&self.shelf), Arc::clone(&self.account));
        let since = since.cloned();
        let list = move |sender: &mpsc::Sender<Listed>| {
            let listener = Listener {
                give: &mut |event| sender.blocking_send(Ok(event)).is_ok(),
                is_gone: &|| sender.is_closed(),
            };
            match listing::list(&shelf, since.as_ref(), listener) {
                Ok(listed) => *locked(&account) = Some(listed),
                Err(Error::Stopped) => tracing::debug!("nobody listened to the end of a listing"),
                // Nobody may listen any more.
                Err(error) => drop(sender.blocking_send(Err(error.into()))),
            }
        };
        listing_of(list, |error| Error::ThreadEnded(error).into())
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        let (connector, key) = (self.clone(), item.key.clone());
        let fetched = spawn_blocking(move || connector.read(&key)).await;
        fetched.map_err(Error::ThreadEnded)?.map_err(of_document)
    }
}

/// What an error says about a document: without the branch, nothing is known about it, and it isn't gone.
fn of_document(error: Error) -> PortError {
    let is_branch_lost = matches!(error, Error::ReferenceNotFound { .. });
    let mut error = PortError::from(error);
    if is_branch_lost {
        error.kind = ErrorKind::Unavailable;
    }
    error
}
