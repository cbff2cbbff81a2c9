//! The two listings: everything, and what changed since a commit.

use std::collections::BTreeSet;

use lectern_domain::ports::{Cursor, ListEvent};

use crate::account::Account;
use crate::config::GitConfig;
use crate::document::{Setting, key_of};
use crate::error::Error;
use crate::files::{Files, LeftOut};
use crate::object::Id;
use crate::reference::Tip;
use crate::shelf::Shelf;

/// Changes whenever a listing since a cursor of another version would leave something out.
const FORM: &str = "1";

/// Whoever takes the events.
pub(crate) struct Listener<'a> {
    /// Takes one. False says that nobody listens any more.
    pub(crate) give: &'a mut dyn FnMut(ListEvent) -> bool,
    /// Whether nobody does.
    pub(crate) is_gone: &'a dyn Fn() -> bool,
}

impl Listener<'_> {
    fn give(&mut self, event: ListEvent) -> Result<(), Error> {
        if (self.give)(event) {
            Ok(())
        } else {
            Err(Error::Stopped)
        }
    }
}

/// Lists everything, or what changed since `cursor`.
pub(crate) fn list(
    shelf: &Shelf,
    cursor: Option<&Cursor>,
    mut listener: Listener<'_>,
) -> Result<Account, Error> {
    let snapshot = shelf.snapshot_for_listing(listener.is_gone)?;
    let setting = Setting {
        shelf,
        snapshot: &snapshot,
    };
    let mut account = Account::default();
    match cursor {
        None => {
            account.commits = shelf.trace_all(&snapshot, listener.is_gone)?;
            list_left_out(setting, &[], &mut account, &mut listener)?;
            let all = snapshot.files.numbers();
            list_files(setting, &all, &mut account, &mut listener)?;
        }
        Some(cursor) => {
            let known = commit_of(cursor, &shelf.config, &snapshot.tip).ok_or(Error::CursorExpired)?;
            if known != snapshot.tip.commit {
                list_since(setting, known, &mut account, &mut listener)?;
            }
        }
    }
    account.tell(&snapshot);
    listener.give(ListEvent::Checkpoint(cursor_of(&shelf.config, &snapshot.tip)))?;
    Ok(account)
}

/// Lists what differs from the commit `known`.
fn list_since(
    setting: Setting<'_>,
    known: Option<Id>,
    account: &mut Account,
    listener: &mut Listener<'_>,
) -> Result<(), Error> {
    let Setting { shelf, snapshot } = setting;
    let older = match known.map(|known| shelf.files_of(known)).transpose() {
        // Nobody knows what was under a folder that can't be read.
        Ok(Some(older)) if older.has_lost_folders() => {
            return Err(Error::CursorExpired);
        }
        Ok(older) => older.unwrap_or_default(),
        Err(Error::Object(_) | Error::TreeCorrupt { .. }) => return Err(Error::CursorExpired),
        Err(error) => return Err(error),
    };
    let (differing, commits) = shelf.trace_since(snapshot, known, listener.is_gone)?;
    account.commits = commits;
    list_left_out(setting, &older.left_out, account, listener)?;
    list_files(setting, &differing, account, listener)?;
    let now = keys(setting, &snapshot.files);
    let lost: Vec<&String> = now.iter().filter(|key| key.ends_with('/')).collect();
    for key in keys(setting, &older) {
        if now.contains(&key) || lost.iter().any(|lost| key.starts_with(*lost)) {
            continue;
        }
        account.gone += 1;
        listener.give(ListEvent::Gone { key })?;
    }
    Ok(())
}

/// Every key that a listing of these files names; folders that are lost end with a slash.
fn keys(setting: Setting<'_>, files: &Files) -> BTreeSet<String> {
    let left_out = files
        .left_out
        .iter()
        .map(|left_out| setting.item_left_out(left_out).key);
    let files = files.files.iter().map(|file| key_of(&file.path));
    left_out.chain(files).collect()
}

/// Lists what stands in the tree and isn't read, but for what is listed already.
fn list_left_out(
    setting: Setting<'_>,
    listed: &[LeftOut],
    account: &mut Account,
    listener: &mut Listener<'_>,
) -> Result<(), Error> {
    let listed: BTreeSet<&LeftOut> = listed.iter().collect();
    for left_out in &setting.snapshot.files.left_out {
        let item = setting.item_left_out(left_out);
        let (code, reason) = (left_out.code, left_out.reason.clone());
        if left_out.is_lost_folder {
            account.failed += 1;
            listener.give(ListEvent::Failed { item, code, reason })?;
        } else if !listed.contains(left_out) {
            account.skipped += 1;
            listener.give(ListEvent::Skipped { item, code, reason })?;
        }
    }
    Ok(())
}

/// Lists these files.
fn list_files(
    setting: Setting<'_>,
    wanted: &BTreeSet<u32>,
    account: &mut Account,
    listener: &mut Listener<'_>,
) -> Result<(), Error> {
    for number in wanted {
        let Some(file) = setting.snapshot.files.files.get(*number as usize) else {
            continue;
        };
        let trace = setting.shelf.trace(setting.snapshot, *number)?;
        let event = match setting.look(file) {
            Ok((size_bytes, None)) => {
                account.documents += 1;
                account.undated += u64::from(trace.last.is_none() || trace.first.is_none());
                ListEvent::Item(setting.item(file, &trace, Some(size_bytes)))
            }
            Ok((size_bytes, Some((code, reason)))) => {
                account.skipped += 1;
                let item = setting.item(file, &trace, Some(size_bytes));
                ListEvent::Skipped { item, code, reason }
            }
            Err(error) => {
                account.failed += 1;
                let item = setting.item(file, &trace, None);
                let (code, reason) = (error.code(), error.to_string());
                ListEvent::Failed { item, code, reason }
            }
        };
        listener.give(event)?;
    }
    Ok(())
}

/// The cursor of a listing of this tip.
fn cursor_of(config: &GitConfig, tip: &Tip) -> Cursor {
    let commit = tip
        .commit
        .map_or_else(|| "-".to_owned(), |commit| commit.to_string());
    Cursor(format!("{FORM} {commit} {}", digest(config, tip)))
}

/// The commit that a cursor stands for, where it is one of this configuration.
fn commit_of(cursor: &Cursor, config: &GitConfig, tip: &Tip) -> Option<Option<Id>> {
    let rest = cursor.0.strip_prefix(FORM)?.strip_prefix(' ')?;
    let (commit, digested) = rest.split_once(' ')?;
    if digested != digest(config, tip) {
        return None;
    }
    match commit {
        "-" => Some(None),
        commit => Id::from_hex(commit.as_bytes()).map(Some),
    }
}

/// What has to be the same for two listings to be about the same.
fn digest(config: &GitConfig, tip: &Tip) -> String {
    let hash = blake3::hash(format!("{config:?} {:?}", tip.branch).as_bytes());
    hash.to_hex().get(..16).unwrap_or_default().to_owned()
}
