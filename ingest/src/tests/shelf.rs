//! A source in memory, that can be listed whole or by what changed, with tags or without.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use lectern_domain::ports::{
    CURSOR_EXPIRED, Connector, Cursor, Fetched, ListEvent, SIDECAR_INVALID, SourceItem,
};
use lectern_domain::{Acl, Attributes, ErrorKind, PortError};

/// A document of [`Shelf`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Book {
    pub(super) text: String,
    pub(super) acl: Option<Acl>,
    pub(super) attributes: Attributes,
    /// Another one with every change.
    revision: u64,
}

/// A source in memory.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) books: Mutex<BTreeMap<String, Book>>,
    /// After so many lines the listing breaks off.
    pub(super) breaks_after: Mutex<Option<usize>>,
    /// Folders that can't be read.
    pub(super) lost: Mutex<Vec<String>>,
    /// Who may read what is in them, where that is known.
    pub(super) readers_of_lost: Mutex<Option<Acl>>,
    /// Keys that are left out, with the code of the reason.
    pub(super) left_out: Mutex<BTreeMap<String, &'static str>>,
    /// Keys with something beside them that can't be read.
    pub(super) broken_beside: Mutex<Vec<String>>,
    /// Keys that are listed and gone when they are fetched.
    pub(super) vanishing: Mutex<Vec<String>>,
    revision: AtomicU64,
    turned: AtomicUsize,
    is_tagged: AtomicBool,
    is_logged: AtomicBool,
    /// The keys that were changed or taken, in that order. A cursor is a place in it.
    log: Mutex<Vec<String>>,
    /// Cursors before this place are too old.
    expired: AtomicUsize,
    /// How far a cursor is moved back before it is used, at most.
    forgets: AtomicUsize,
    fetched: AtomicUsize,
    asked: Mutex<Vec<Option<usize>>>,
}

impl Shelf {
    pub(super) fn put(&self, key: &str, text: &str) {
        let acl = self
            .books
            .lock()
            .unwrap()
            .get(key)
            .and_then(|book| book.acl.clone());
        self.put_for(key, text, acl);
    }

    pub(super) fn put_for(&self, key: &str, text: &str, acl: Option<Acl>) {
        let text = text.to_owned();
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        let attributes = Attributes::new();
        let book = Book {
            text,
            acl,
            attributes,
            revision,
        };
        self.books.lock().unwrap().insert(key.to_owned(), book);
        self.log.lock().unwrap().push(key.to_owned());
    }

    /// Says something of a book from now on.
    pub(super) fn describe(&self, key: &str, attributes: Attributes) {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        let mut books = self.books.lock().unwrap();
        let book = books.get_mut(key).unwrap();
        book.attributes = attributes;
        book.revision = revision;
        self.log.lock().unwrap().push(key.to_owned());
    }

    pub(super) fn take(&self, key: &str) {
        self.books.lock().unwrap().remove(key);
        self.log.lock().unwrap().push(key.to_owned());
    }

    /// From now on a listing begins with another book and goes on from there.
    pub(super) fn turn(&self, by: usize) {
        self.turned.store(by, Ordering::Relaxed);
    }

    /// From now on books have change tags.
    pub(super) fn has_tags(&self) {
        self.is_tagged.store(true, Ordering::Relaxed);
    }

    /// From now on listings give cursors.
    pub(super) fn keeps_a_log(&self) {
        self.is_logged.store(true, Ordering::Relaxed);
    }

    /// All cursors so far are too old.
    pub(super) fn expire(&self) {
        let places = self.log.lock().unwrap().len();
        self.expired.store(places + 1, Ordering::Relaxed);
    }

    /// Names that many changes again that it has named before.
    pub(super) fn forgets(&self, changes: usize) {
        self.forgets.store(changes, Ordering::Relaxed);
    }

    /// How many books were fetched since this was asked last.
    pub(super) fn take_fetched(&self) -> usize {
        self.fetched.swap(0, Ordering::Relaxed)
    }

    /// The cursors of the listings since this was asked last.
    pub(super) fn take_asked(&self) -> Vec<Option<usize>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn item(&self, key: &str, book: &Book) -> SourceItem {
        let is_tagged = self.is_tagged.load(Ordering::Relaxed);
        SourceItem {
            change_tag: is_tagged.then(|| format!("revision {}", book.revision)),
            ..SourceItem::new(key, format!("shelf:{key}"))
        }
    }

    fn named(&self, key: &str, book: &Book) -> ListEvent {
        let item = self.item(key, book);
        match self.left_out.lock().unwrap().get(key) {
            None => ListEvent::Item(item),
            Some(code) => ListEvent::Skipped {
                item,
                code,
                reason: "the shelf leaves it out".to_owned(),
            },
        }
    }

    fn everything(&self) -> Vec<ListEvent> {
        let lost = self.lost.lock().unwrap();
        let books = self.books.lock().unwrap();
        let folders = lost.iter().map(|folder| ListEvent::Failed {
            item: SourceItem::new(folder, format!("shelf:{folder}")),
            code: "permission_denied",
            reason: "the folder can't be read".to_owned(),
        });
        let readers = self.readers_of_lost.lock().unwrap();
        let readers = lost.iter().zip(readers.iter().cycle());
        let readers = readers.map(|(folder, acl)| ListEvent::Readers {
            key: folder.clone(),
            acl: acl.clone(),
        });
        let readable = books
            .iter()
            .filter(|(key, _)| !lost.iter().any(|folder| key.starts_with(folder)));
        let items = readable.map(|(key, book)| self.named(key, book));
        let mut events: Vec<ListEvent> = folders.chain(readers).chain(items).collect();
        let turn = self.turned.load(Ordering::Relaxed) % events.len().max(1);
        events.rotate_left(turn);
        events
    }

    fn changes_since(&self, place: usize) -> Vec<ListEvent> {
        let log = self.log.lock().unwrap();
        let books = self.books.lock().unwrap();
        let place = place.saturating_sub(self.forgets.load(Ordering::Relaxed));
        let mut keys: Vec<&String> = log[place..].iter().collect();
        keys.sort();
        keys.dedup();
        let event = |key: &String| match books.get(key) {
            Some(book) => self.named(key, book),
            None => ListEvent::Gone { key: key.clone() },
        };
        keys.into_iter().map(event).collect()
    }
}

#[async_trait]
impl Connector for Shelf {
    fn describe(&self) -> String {
        "a shelf".to_owned()
    }

    fn list(&self, since: Option<&Cursor>) -> BoxStream<'_, Result<ListEvent, PortError>> {
        let since: Option<usize> = since.map(|cursor| cursor.0.parse().unwrap());
        self.asked.lock().unwrap().push(since);
        let error = |code, about| Err(PortError::new(ErrorKind::Unavailable, code, about));
        if since.is_some_and(|place| place < self.expired.load(Ordering::Relaxed)) {
            return stream::iter([error(CURSOR_EXPIRED, "the cursor is too old")]).boxed();
        }
        let mut events = match since {
            None => self.everything(),
            Some(place) => self.changes_since(place),
        };
        if self.is_logged.load(Ordering::Relaxed) {
            let place = self.log.lock().unwrap().len();
            events.push(ListEvent::Checkpoint(Cursor(place.to_string())));
        }
        let mut lines: Vec<Result<ListEvent, PortError>> = events.into_iter().map(Ok).collect();
        if let Some(count) = *self.breaks_after.lock().unwrap() {
            lines.truncate(count);
            lines.push(error("source_lost", "the source went away"));
        }
        stream::iter(lines).boxed()
    }

    async fn fetch(&self, item: &SourceItem) -> Result<Fetched, PortError> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let gone = || PortError::new(ErrorKind::NotFound, "path_not_found", "there is no such book");
        if self.vanishing.lock().unwrap().contains(&item.key) {
            return Err(gone());
        }
        if self.broken_beside.lock().unwrap().contains(&item.key) {
            let about = "what stands beside it can't be read";
            return Err(PortError::new(ErrorKind::Invalid, SIDECAR_INVALID, about));
        }
        let book = self
            .books
            .lock()
            .unwrap()
            .get(&item.key)
            .cloned()
            .ok_or_else(gone)?;
        Ok(Fetched {
            bytes: book.text.into_bytes().into(),
            file_name: item.key.clone(),
            media_type: None,
            title: None,
            acl: book.acl,
            attributes: book.attributes,
        })
    }
}
