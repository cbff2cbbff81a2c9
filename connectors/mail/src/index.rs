//! The index: which messages there are, where each of them lies, and which documents they make.
//!
//! It is made by reading each file once ([`scan`](crate::scan)). A file that is as it was keeps what was read of it. Of an mbox of 100,000
//! messages with up to four references it takes about 350 bytes for each message, and 450 at most while threads are put together
//! (`tests/memory.rs`); a file of one message takes some hundred bytes more for its name and state.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use lectern_connector_files::State;

use crate::account::{Account, Reason};
use crate::config::{MailConfig, Readers};
use crate::cut::{Line, Piece, PieceKey, Rules, cut};
use crate::entry::{Entry, Hash, hash_of};
use crate::error::Error;
use crate::find::{Folder, FolderState, Found, Left, find};
use crate::kind::Kind;
use crate::scan::{Fault, Scan, scan};
use crate::thread::{Node, threads};

/// How often the walk is done once more, because folders changed while it was on its way.
const MOST_WALKS: usize = 3;
const DAY_SECONDS: i64 = 86_400;

/// A file that was read.
#[derive(Clone, Debug)]
pub(crate) struct MailFile {
    pub(crate) folder: u32,
    pub(crate) name: std::ffi::OsString,
    pub(crate) scan: Arc<Scan>,
    state: Option<State>,
    is_settled: bool,
}

/// A message that stands in a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) file: u32,
    entry: u32,
}

/// What the mailboxes had at one time.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) folders: Vec<Folder>,
    pub(crate) files: Vec<MailFile>,
    pub(crate) left: Vec<Left>,
    pub(crate) places: Vec<Place>,
    /// The folders of the other copies of a message.
    also_in: HashMap<u32, Vec<u32>>,
    /// The message that each message answers, if that is there and read by the same people.
    pub(crate) parents: Vec<Option<u32>>,
    /// By their keys.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) account: Account,
    /// Of the folders, before they were read.
    states: Vec<FolderState>,
}

/// What an index is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Listing,
    /// One document, each message of which is held against its hash: then an mbox that goes on is read from there on.
    Fetch,
}

/// What is read, and how.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) config: &'a MailConfig,
    /// What this has of files that are as they were is taken from here.
    pub(crate) before: Option<&'a Index>,
    pub(crate) purpose: Purpose,
    /// Asked again and again: false ends the reading.
    pub(crate) is_wanted: &'a dyn Fn() -> bool,
}

impl Index {
    /// Reads what there is.
    pub(crate) fn read(reading: Reading<'_>) -> Result<Self, Error> {
        let mut walks = 0;
        let mut index = loop {
            walks += 1;
            let found = find(reading.config)?;
            let (index, is_whole) = Self::of_files(found, reading)?;
            // A message that moves from one folder to another while the walk is between them might be in neither.
            if is_whole || walks >= MOST_WALKS {
                break index;
            }
        };
        index.put_together(reading.config);
        Ok(index)
    }

    /// Reads the files. Says whether all were there.
    fn of_files(found: Found, reading: Reading<'_>) -> Result<(Self, bool), Error> {
        let config = reading.config;
        let mut index = Self {
            folders: found.folders,
            left: found.left,
            states: found.states,
            ..Self::default()
        };
        let known = reading.before.map(Self::known).unwrap_or_default();
        let (mut count, mut is_whole) = (0, true);
        for file in found.files {
            if !(reading.is_wanted)() {
                return Err(Error::Stopped);
            }
            let folder = &index.folders[file.folder as usize];
            // An mbox is a folder of messages, and can be left out like one.
            if !folder.is_maildir && config.excludes(&label(folder, &file.name, Kind::Mbox)) {
                continue;
            }
            let path = folder.path().join(&file.name);
            let is_root = file.is_root;
            let old = known.get(&path).copied();
            let Some(read) = read_file(folder, file, &path, old, reading)? else {
                is_whole = false;
                continue;
            };
            if is_root && read.scan.kind == Kind::Other {
                return Err(Error::NotAMailbox { path });
            }
            count += read.scan.count();
            if count > config.max_messages {
                return Err(Error::TooManyMessages {
                    limit: config.max_messages,
                });
            }
            index.files.push(read);
        }
        is_whole &= index.states.iter().all(FolderState::is_same);
        Ok((index, is_whole))
    }

    fn known(&self) -> HashMap<PathBuf, &MailFile> {
        let path = |file: &MailFile| self.folders[file.folder as usize].path().join(&file.name);
        self.files.iter().map(|file| (path(file), file)).collect()
    }

    /// Whether nothing shows that anything changed since. Costs a look at each folder and each mbox.
    pub(crate) fn is_current(&self) -> bool {
        let is_same = |file: &MailFile| {
            let path = self.folders[file.folder as usize].path().join(&file.name);
            let now = path.symlink_metadata().map(|metadata| State::of(&metadata)).ok();
            file.is_settled && now.is_some() && now == file.state
        };
        let mut mailboxes = self.files.iter().filter(|file| file.scan.kind != Kind::Message);
        self.states.iter().all(FolderState::is_current) && mailboxes.all(is_same)
    }

    /// Makes documents of the messages.
    fn put_together(&mut self, config: &MailConfig) {
        self.count();
        let identities = self.choose();
        let nodes: Vec<Node<'_>> = identities
            .iter()
            .zip(&self.places)
            .map(|(identity, place)| Node::new(*identity, self.entry(*place)))
            .collect();
        let mut found = threads(&nodes, i64::from(config.subject_days) * DAY_SECONDS);
        drop(nodes);
        let rules = Rules {
            max_messages: config.max_document_messages as usize,
            max_bytes: u64::from(config.max_document_bytes),
            is_by_audience: config.readers == Readers::Participants,
        };
        if rules.is_by_audience {
            // What somebody quotes to others of a message that they didn't get is all that they have of it.
            let audience = |member: u32| self.entry(self.places[member as usize]).audience;
            for (member, parent) in (0_u32..).zip(&mut found.parents) {
                *parent = parent.filter(|parent| audience(*parent) == audience(member));
            }
        }
        let mut pieces = Vec::new();
        let line = |member: u32| {
            let entry = self.entry(self.places[member as usize]);
            let is_cut = found.parents[member as usize].is_some();
            Line {
                bytes: if is_cut { entry.own_bytes } else { entry.full_bytes },
                audience: entry.audience,
            }
        };
        for thread in &found.threads {
            cut(thread, rules, line, &mut pieces);
        }
        pieces.sort_by_key(|piece| piece.key);
        self.account.threads = found.threads.len() as u64;
        self.account.documents = pieces.len() as u64;
        self.account.in_threads = self.places.len() as u64;
        self.parents = found.parents;
        self.pieces = pieces;
    }

    fn count(&mut self) {
        let mut account = Account::default();
        for file in &self.files {
            account.mailboxes += u64::from(matches!(file.scan.kind, Kind::Mbox | Kind::Message));
            account.messages += file.scan.messages;
            for (reason, count) in &file.scan.left_out {
                account.leave_out(*reason, *count);
            }
        }
        self.account = account;
    }

    /// Chooses one of the copies of each message: the one with the most text, whatever the order. Gives what tells each of them from the others.
    fn choose(&mut self) -> Vec<Hash> {
        let mut chosen: HashMap<Hash, u32> = HashMap::new();
        let mut identities = Vec::new();
        let (mut places, mut also_in) = (Vec::new(), HashMap::<u32, Vec<u32>>::new());
        let mut duplicates = 0;
        for (number, file) in self.files.iter().enumerate() {
            for (entry_number, entry) in file.scan.entries.iter().enumerate() {
                let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                let place = Place {
                    file: bounded(number),
                    entry: bounded(entry_number),
                };
                let identity = identity(entry);
                let Some(known) = chosen.get(&identity).copied() else {
                    chosen.insert(identity, bounded(places.len()));
                    identities.push(identity);
                    places.push(place);
                    continue;
                };
                duplicates += 1;
                let other: Place = places[known as usize];
                let rank = |entry: &Entry| (std::cmp::Reverse(entry.full_bytes), entry.content);
                let is_better = rank(entry) < rank(self.entry(other));
                let (kept, copy) = if is_better { (place, other) } else { (other, place) };
                places[known as usize] = kept;
                let others = also_in.entry(known).or_default();
                if others.last() != Some(&copy.file) {
                    others.push(copy.file);
                }
            }
        }
        self.account.leave_out(Reason::Duplicate, duplicates);
        (self.places, self.also_in) = (places, also_in);
        identities
    }

    pub(crate) fn entry(&self, place: Place) -> &Entry {
        &self.files[place.file as usize].scan.entries[place.entry as usize]
    }

    /// A message of a document.
    pub(crate) fn member(&self, member: u32) -> (&MailFile, &Entry) {
        let place = self.places[member as usize];
        (&self.files[place.file as usize], self.entry(place))
    }

    /// The folders that a message lies in, as people call them.
    pub(crate) fn labels(&self, member: u32) -> Vec<String> {
        let copies = self.also_in.get(&member).map(Vec::as_slice).unwrap_or_default();
        let files = [self.places[member as usize].file]
            .into_iter()
            .chain(copies.iter().copied());
        let mut labels: Vec<String> = files
            .map(|number| {
                let file = &self.files[number as usize];
                label(&self.folders[file.folder as usize], &file.name, file.scan.kind)
            })
            .filter(|label| !label.is_empty())
            .collect();
        labels.sort();
        labels.dedup();
        labels
    }

    /// The document of that key.
    pub(crate) fn piece(&self, key: &PieceKey) -> Option<&Piece> {
        let place = self.pieces.binary_search_by_key(key, |piece| piece.key).ok()?;
        self.pieces.get(place)
    }

    /// What is told of messages that can't be read, and where they lie.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (PathBuf, &Fault)> {
        self.files.iter().flat_map(|file| {
            let path = self.folders[file.folder as usize].path().join(&file.name);
            file.scan.faults.iter().map(move |fault| (path.clone(), fault))
        })
    }
}

/// What people call the folder of a message: an mbox is one itself.
fn label(folder: &Folder, name: &std::ffi::OsStr, kind: Kind) -> String {
    match kind {
        Kind::Mbox => crate::names::below(&folder.label, &name.to_string_lossy()),
        _ => folder.label.clone(),
    }
}

/// What two copies of a message have in common, and no other message.
pub(crate) fn identity(entry: &Entry) -> Hash {
    let date = entry.date.unwrap_or(i64::MIN).to_le_bytes();
    hash_of(&[entry.id.as_slice(), &date].concat())
}

fn read_file(
    folder: &Folder,
    file: crate::find::MailFile,
    path: &std::path::Path,
    old: Option<&MailFile>,
    reading: Reading<'_>,
) -> Result<Option<MailFile>, Error> {
    let mut before = None;
    if let Some(old) = old.filter(|old| old.is_settled || reading.purpose == Purpose::Fetch)
        && let Some(state) = &old.state
    {
        let is_same = path
            .symlink_metadata()
            .is_ok_and(|metadata| State::of(&metadata) == *state);
        if old.is_settled && is_same {
            return Ok(Some(MailFile {
                folder: file.folder,
                ..old.clone()
            }));
        }
        before = (reading.purpose == Purpose::Fetch).then_some((&*old.scan, state));
    }
    let scanned = scan(folder, &file.name, before, reading)?;
    Ok(scanned.map(|scanned| MailFile {
        folder: file.folder,
        name: file.name,
        scan: Arc::new(scanned.scan),
        state: scanned.state,
        is_settled: scanned.is_settled,
    }))
}
