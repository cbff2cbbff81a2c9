//! The listing: one conversation after the other, by id, and an account of every message at the end.

use lectern_domain::ports::{ListEvent, SourceItem};

use crate::account::{Account, Reason};
use crate::clean::scrub;
use crate::directory::CONVERSATIONS;
use crate::document::Setting;
use crate::error::Error;
use crate::export::{USERS, Unreadable};
use crate::index::Index;
use crate::json::records;
use crate::shelf::{Shelf, Snapshot};

/// What the folders of conversations about a file or a canvas begin with. No list says who may read them.
const ABOUT_FILES: &str = "FC:";

/// Takes the events. False says that nobody listens any more.
pub(crate) type Give<'a> = &'a mut dyn FnMut(ListEvent) -> bool;

/// Lists everything. Gives the account, or nothing where nobody listened to the end.
pub(crate) fn list(shelf: &Shelf, give: Give<'_>) -> Result<Option<Account>, Error> {
    let snapshot = shelf.snapshot()?;
    let mut account = Account::default();
    let mut bytes_read = 0_u64;
    for conversation in snapshot.directory.conversations.values() {
        let setting = Setting {
            directory: &snapshot.directory,
            conversation,
            config: &shelf.config,
        };
        account.conversations += 1;
        let is_heard = match shelf.index(&snapshot, conversation) {
            Ok(held) => {
                bytes_read = bytes_read.saturating_add(held.index.bytes_read);
                list_conversation(setting, &held.index, &mut account, give)
            }
            Err(unreadable) => {
                account.days_unreadable += 1;
                give(readers(setting)) && give(lost(setting, &conversation.folder, &unreadable, None))
            }
        };
        if !is_heard {
            return Ok(None);
        }
        if bytes_read >= shelf.config.max_total_bytes {
            return Err(Error::TooLarge {
                limit_bytes: shelf.config.max_total_bytes,
            });
        }
    }
    if !list_rest(shelf, &snapshot, &mut account, give)? {
        return Ok(None);
    }
    tracing::info!(
        messages = account.messages,
        indexed = account.indexed,
        left_out = ?account.left_out,
        documents = account.documents,
        threads = account.threads,
        threads_short = account.threads_short,
        files = account.files,
        days_unreadable = account.days_unreadable,
        "a Slack export was listed"
    );
    Ok(Some(account))
}

fn list_conversation(setting: Setting<'_>, index: &Index, account: &mut Account, give: Give<'_>) -> bool {
    account.messages += index.messages;
    if !index.unreadable.is_empty() && !give(readers(setting)) {
        return false;
    }
    for (file, unreadable) in &index.unreadable {
        account.days_unreadable += 1;
        let withheld = index.left_out.get(&Reason::DayUnreadable).copied();
        if !give(lost(setting, file, unreadable, withheld)) {
            return false;
        }
    }
    for piece in index.pieces.iter().filter(|piece| !piece.is_withheld) {
        account.documents += 1;
        account.indexed += piece.lines.len() as u64;
        account.threads += u64::from(piece.is_thread);
        account.threads_short += u64::from(piece.is_short);
        if !give(ListEvent::Item(setting.item(index, piece))) {
            return false;
        }
    }
    for file in &index.files {
        account.files += 1;
        let item = setting.file_item(file);
        let limit_bytes = setting.config.max_file_bytes;
        let event = match file.stored.size_bytes > limit_bytes {
            false => ListEvent::Item(item),
            true => ListEvent::Skipped {
                reason: format!(
                    "it has {} bytes; the limit is {limit_bytes}",
                    file.stored.size_bytes
                ),
                item,
                code: "too_large",
            },
        };
        if !give(event) {
            return false;
        }
    }
    for (reason, count) in &index.left_out {
        account.leave_out(*reason, *count);
        let event = ListEvent::Skipped {
            item: SourceItem::new(
                format!("{}/left-out/{}", setting.conversation.id, reason.code()),
                setting.address(None),
            ),
            code: reason.code(),
            reason: format!(
                "{count} of the {} messages in {} {}",
                index.messages,
                scrub(&setting.conversation.label()),
                reason.sentence()
            ),
        };
        if !give(event) {
            return false;
        }
    }
    true
}

/// Who may read what stays of a conversation that can't be read whole: whoever has left it doesn't any longer.
fn readers(setting: Setting<'_>) -> ListEvent {
    ListEvent::Readers {
        key: format!("{}/", setting.conversation.id),
        acl: setting.conversation.acl.clone(),
    }
}

/// What is said of a file of messages that can't be read: of what the conversation had, all that isn't listed stays.
fn lost(setting: Setting<'_>, file: &str, unreadable: &Unreadable, withheld: Option<u64>) -> ListEvent {
    let withheld = match withheld {
        Some(count) => format!(", {count} messages that may belong to it are held back"),
        None => String::new(),
    };
    ListEvent::Failed {
        item: SourceItem::new(format!("{}/", setting.conversation.id), setting.address(None)),
        code: unreadable.code,
        reason: format!(
            "{} of the export {}{withheld}, and nothing of {} is deleted until it can be read",
            scrub(file),
            unreadable.problem,
            scrub(&setting.conversation.label()),
        ),
    }
}

/// Names what belongs to no conversation. Fails where that looks like a list that was lost.
fn list_rest(
    shelf: &Shelf,
    snapshot: &Snapshot,
    account: &mut Account,
    give: Give<'_>,
) -> Result<bool, Error> {
    let root = snapshot.export.root();
    let is_read = |name: &str| USERS.contains(&name) || CONVERSATIONS.iter().any(|(list, _)| *list == name);
    let others = root
        .lists
        .keys()
        .filter(|name| !is_read(name) && !name.starts_with('.'));
    for name in others {
        let name = scrub(name);
        let event = ListEvent::Skipped {
            item: SourceItem::new(name.clone(), format!("slack-export://{name}")),
            code: "not_messages",
            reason: "it has no messages".to_owned(),
        };
        if !give(event) {
            return Ok(false);
        }
    }
    let excluded = &shelf.config.exclude;
    let is_unlisted =
        |name: &&String| !snapshot.directory.known_folders.contains(*name) && !excluded.contains(name);
    let mut first_lost = None;
    for folder in root.folders.iter().filter(is_unlisted) {
        let Some((event, messages)) = unlisted(shelf, snapshot, folder) else {
            continue;
        };
        account.messages += messages;
        account.leave_out(Reason::Unlisted, messages);
        if !give(event) {
            return Ok(false);
        }
        if !folder.starts_with(ABOUT_FILES) {
            first_lost.get_or_insert(folder);
        }
    }
    let missing = &snapshot.directory.missing_lists;
    match first_lost.filter(|_| !missing.is_empty()) {
        None => Ok(true),
        Some(folder) => Err(Error::Unlisted {
            folder: scrub(folder).into_owned(),
            missing: missing.join(", "),
        }),
    }
}

/// What is said of a folder that no list names, and how many messages it has. Nothing of one without messages.
fn unlisted(shelf: &Shelf, snapshot: &Snapshot, folder: &str) -> Option<(ListEvent, u64)> {
    let days = snapshot.export.days(folder).ok()?;
    let mut messages = 0;
    for file in &days.files {
        let bytes = snapshot.export.read(file, shelf.config.max_entry_bytes);
        let mut count = 0;
        let is_read = bytes.and_then(|bytes| records(&bytes, |_| count += 1)).is_ok();
        messages += if is_read { count } else { 0 };
    }
    if days.files.is_empty() {
        return None;
    }
    let name = scrub(folder).into_owned();
    let item = |key: String| SourceItem::new(key, format!("slack-export://{name}"));
    let reason = format!("{messages} messages {}", Reason::Unlisted.sentence());
    let code = Reason::Unlisted.code();
    let event = match folder.starts_with(ABOUT_FILES) {
        true => ListEvent::Skipped {
            item: item(name.clone()),
            code,
            reason,
        },
        false => ListEvent::Failed {
            item: item(format!("{name}/")),
            code,
            reason,
        },
    };
    Some((event, messages))
}
