//! The listing: documents by their keys, what is attached to them, what is left out, what is gone since the last one, and an account
//! of every message at the end.
//!
//! It names everything each time: a tag says what changed. What a thread was of which a message can't be read any more is
//! kept ([`Held`]).

use std::collections::BTreeSet;
use std::path::Path;

use lectern_connector_files::file_uri;
use lectern_domain::ports::{Cursor, ListEvent, SourceItem};

use crate::account::{Account, Reason};
use crate::document::Document;
use crate::entry::{hash_of, hex};
use crate::error::Error;
use crate::index::{Index, Purpose};
use crate::kind::Kind;
use crate::memory::{Held, Memory};
use crate::scan::Fault;
use crate::shelf::Shelf;

/// Reasons of which one event tells the count.
const COUNTED: [Reason; 5] = [
    Reason::Duplicate,
    Reason::Deleted,
    Reason::Draft,
    Reason::Excluded,
    Reason::Incomplete,
];

/// Takes the events. False says that nobody listens any more.
pub(crate) type Give<'a> = &'a mut dyn FnMut(ListEvent) -> bool;

/// Lists everything, and what is gone of what was told `before`. Gives the account, or nothing where nobody listened to the end.
pub(crate) fn list(
    shelf: &Shelf,
    before: Option<&Memory>,
    is_wanted: &dyn Fn() -> bool,
    listener: Give<'_>,
) -> Result<Option<Account>, Error> {
    let index = shelf.index(Purpose::Listing, is_wanted)?;
    let mut account = index.account.clone();
    let held = Held::of(&index, before);
    let mut told = BTreeSet::new();
    let mut give = |event| {
        let event = match event {
            ListEvent::Item(item) | ListEvent::Skipped { item, .. } if held.has(&item.key) => {
                Held::event(item)
            }
            event => event,
        };
        if let ListEvent::Item(item) | ListEvent::Skipped { item, .. } | ListEvent::Failed { item, .. } =
            &event
        {
            told.insert(item.key.clone());
        }
        listener(event)
    };
    let give: Give<'_> = &mut give;
    for piece in &index.pieces {
        let document = Document {
            index: &index,
            config: &shelf.config,
            piece,
        };
        if !give(ListEvent::Item(document.item())) || !list_attached(document, &mut account, give) {
            return Ok(None);
        }
    }
    if !list_left(shelf, &index, &account, give) || !list_gone(shelf, before, &held, &told, listener) {
        return Ok(None);
    }
    if let Some(cursor) = cursor_of(&index, before, held, told)
        && !listener(ListEvent::Checkpoint(cursor))
    {
        return Ok(None);
    }
    tracing::info!(
        mailboxes = account.mailboxes,
        messages = account.messages,
        in_threads = account.in_threads,
        left_out = ?account.left_out,
        threads = account.threads,
        documents = account.documents,
        attachments = account.attachments,
        signatures = account.signatures,
        "mailboxes were listed"
    );
    Ok(Some(account))
}

fn list_attached(document: Document<'_>, account: &mut Account, give: Give<'_>) -> bool {
    for member in &document.piece.members {
        let attached = &document.index.member(*member).1.attached;
        account.signatures += attached.iter().filter(|attached| attached.is_signature).count() as u64;
    }
    let limit_bytes = document.config.max_attachment_bytes;
    for (item, attached) in document.attached() {
        let size_bytes = attached.size_bytes;
        let event = match size_bytes > limit_bytes {
            false => ListEvent::Item(item),
            true => ListEvent::Skipped {
                item,
                code: "too_large",
                reason: format!("it has {size_bytes} bytes; the limit is {limit_bytes}"),
            },
        };
        account.attachments += u64::from(size_bytes <= limit_bytes);
        if !give(event) {
            return false;
        }
    }
    true
}

/// Names what was told before and isn't any more: it is gone, unless it is kept.
fn list_gone(
    shelf: &Shelf,
    before: Option<&Memory>,
    held: &Held,
    told: &BTreeSet<String>,
    give: Give<'_>,
) -> bool {
    let root = first_root(shelf);
    let mut missing = before.into_iter().flat_map(|before| before.keys.difference(told));
    missing.all(|key| {
        give(match held.has(key) {
            true => Held::event(SourceItem::new(key.clone(), root.clone())),
            false => ListEvent::Gone { key: key.clone() },
        })
    })
}

/// What is remembered of a listing: what it told of, and what it kept.
fn cursor_of(
    index: &Index,
    before: Option<&Memory>,
    held: Held,
    mut told: BTreeSet<String>,
) -> Option<Cursor> {
    let known = before.into_iter().flat_map(|before| &before.keys);
    told.extend(known.filter(|key| held.has(key)).cloned());
    let cursor = held.memory(index, told).cursor();
    if cursor.is_none() {
        tracing::warn!("the mailboxes are too large to be remembered; the next listing is a full one");
    }
    cursor
}

/// Names what is left out.
fn list_left(shelf: &Shelf, index: &Index, account: &Account, give: Give<'_>) -> bool {
    for (path, fault) in index.faults() {
        if !give(event_of(&path, fault)) {
            return false;
        }
    }
    let others = index
        .files
        .iter()
        .filter(|file| file.scan.kind == Kind::Other)
        .map(|file| {
            let path = index.folders[file.folder as usize].path().join(&file.name);
            (path, "not_mail", "it is neither an mbox nor a message")
        });
    let left = index
        .left
        .iter()
        .map(|left| (left.path.clone(), left.code, left.reason));
    for (path, code, reason) in left.chain(others) {
        let item = SourceItem::new(format!("files/{}", name_of(&path)), file_uri(&path));
        let reason = reason.to_owned();
        if !give(ListEvent::Skipped { item, code, reason }) {
            return false;
        }
    }
    let root = first_root(shelf);
    let counted = COUNTED.iter().filter_map(|reason| {
        let count = account.left_out.get(reason.code())?;
        let sentence = format!(
            "{count} of the {} messages {}",
            account.messages,
            reason.sentence()?
        );
        Some((reason.code(), sentence))
    });
    let signatures = (account.signatures > 0).then(|| {
        (
            "signature",
            format!("{} attachments are signatures", account.signatures),
        )
    });
    for (code, reason) in counted.chain(signatures) {
        let item = SourceItem::new(format!("left-out/{code}"), root.clone());
        if !give(ListEvent::Skipped { item, code, reason }) {
            return false;
        }
    }
    true
}

/// The address of what belongs to no file.
fn first_root(shelf: &Shelf) -> String {
    let root = shelf.config.roots.first();
    root.map(|root| file_uri(root)).unwrap_or_default()
}

/// What is said of a message that can't be read, or is too large to be.
fn event_of(path: &Path, fault: &Fault) -> ListEvent {
    let key = format!("messages/{}-{}", name_of(path), fault.offset);
    let item = SourceItem::new(key, file_uri(path));
    let reason = match fault.offset {
        0 => fault.sentence.clone(),
        offset => format!("at byte {offset}: {}", fault.sentence),
    };
    let code = fault.code;
    match fault.reason {
        Reason::TooLarge => ListEvent::Skipped { item, code, reason },
        _ => ListEvent::Failed { item, code, reason },
    }
}

/// A name of a path that has no slash.
fn name_of(path: &Path) -> String {
    hex(&hash_of(path.as_os_str().as_encoded_bytes()))
}
