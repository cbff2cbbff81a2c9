//! The index of a conversation: which messages it has, in which file each stands, and which documents they make.
//!
//! It is made by reading the files of the conversation once, day by day, one day in memory at a time. Of each message it
//! keeps some hundred bytes: when, where, how long, and the hash of how it reads. A document's change tag is the hash
//! of those hashes, and of what all documents of the conversation share: its name and its readers. So a listing
//! holds no texts, and fetching a document reads the days that it has messages of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::account::Reason;
use crate::config::SlackConfig;
use crate::cut::{Hole, Line, Piece, Rules, cut};
use crate::directory::{Conversation, Directory};
use crate::export::{Days, Export, StoredFile, Unreadable};
use crate::json::records;
use crate::message::{Absent, Message, Record, Scene, SharedFile};
use crate::moment::Moment;

/// What a day's file says: its records, by their places in it.
pub(crate) type Day = Vec<Record>;

/// A file that was shared and that the export has.
#[derive(Clone, Debug)]
pub(crate) struct FileEntry {
    pub(crate) shared: SharedFile,
    pub(crate) id: String,
    pub(crate) stored: StoredFile,
    /// The message that it was shared with first.
    pub(crate) with: Moment,
    /// The key of the document that has the message.
    pub(crate) document: Moment,
    pub(crate) author: String,
}

/// A message of the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) line: Line,
    /// The number of the day's file.
    pub(crate) day: usize,
    /// The record's place in it.
    pub(crate) place: usize,
    pub(crate) hash: [u8; 16],
    pub(crate) changed: Moment,
    version: Moment,
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) days: Days,
    /// By time.
    pub(crate) entries: Vec<Entry>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) files: Vec<FileEntry>,
    /// Records in the files that could be read.
    pub(crate) messages: u64,
    pub(crate) left_out: BTreeMap<Reason, u64>,
    /// What was read for it, unpacked.
    pub(crate) bytes_read: u64,
    /// The files that can't be read, and why.
    pub(crate) unreadable: Vec<(String, Unreadable)>,
}

impl Index {
    /// Reads a conversation. `give` gets each day that was read, with its number.
    pub(crate) fn read(
        export: &Export,
        directory: &Directory,
        conversation: &Conversation,
        days: Days,
        config: &SlackConfig,
        mut give: impl FnMut(usize, Day),
    ) -> Self {
        let scene = Scene {
            directory,
            conversation,
        };
        let mut reading = Reading::default();
        let mut index = Self::default();
        for (number, file) in days.files.iter().enumerate() {
            let limit_bytes = config
                .max_total_bytes
                .saturating_sub(index.bytes_read)
                .min(config.max_entry_bytes);
            match read_day(export, file, scene, limit_bytes) {
                Ok((day, bytes)) => {
                    index.bytes_read += bytes;
                    reading.take_in(number, &day, &mut index);
                    reading.find_files(&day, export, &days, &mut index.files);
                    give(number, day);
                }
                Err(unreadable) => {
                    reading.spans.push(None);
                    index.unreadable.push((file.name.clone(), unreadable));
                }
            }
        }
        index.days = days;
        reading.finish(&mut index, config);
        index
    }

    /// The document of that key.
    pub(crate) fn piece(&self, key: Moment) -> Option<&Piece> {
        let place = self.pieces.binary_search_by_key(&key, |piece| piece.key).ok()?;
        self.pieces.get(place)
    }

    /// What this index takes in memory, about.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.entries.len() * (size_of::<Entry>() + size_of::<usize>())
            + self.pieces.len() * size_of::<Piece>()
    }
}

/// Reads the records of a day. Gives the size of its file, too.
pub(crate) fn read_day(
    export: &Export,
    file: &StoredFile,
    scene: Scene<'_>,
    limit_bytes: u64,
) -> Result<(Day, u64), Unreadable> {
    let bytes = export.read(file, limit_bytes)?;
    let mut day = Day::new();
    records(&bytes, |record: Value| day.push(Record::read(&record, scene)))?;
    Ok((day, bytes.len() as u64))
}

/// The hash of how a message reads.
pub(crate) fn hash_of(message: &Message) -> [u8; 16] {
    // All of it is text and numbers, which are always JSON.
    let shown = serde_json::to_vec(&message.shown).unwrap_or_default();
    let mut hash = [0; 16];
    hash.copy_from_slice(&blake3::hash(&shown).as_bytes()[..16]);
    hash
}

/// What is kept while the days are read.
#[derive(Default)]
struct Reading {
    by_time: HashMap<Moment, Entry>,
    /// Messages that were deleted, or whose newer state has nothing to be found: up to which state, and why. In whatever order
    /// the records come, they count once all are read.
    withdrawn: BTreeMap<Moment, (Moment, Reason)>,
    /// The ids of the files that were found.
    files: HashSet<String>,
    /// Replies of which a record has nothing to be found, by thread.
    replies_left_out: BTreeMap<Moment, BTreeSet<Moment>>,
    /// For each day's file the first and the last message; nothing where it can't be read.
    spans: Vec<Option<(Moment, Moment)>>,
}

impl Reading {
    fn take_in(&mut self, number: usize, day: &Day, index: &mut Index) {
        let mut span: Option<(Moment, Moment)> = None;
        for (place, record) in day.iter().enumerate() {
            index.messages += 1;
            match record {
                Record::LeftOut { reason, absent } => {
                    *index.left_out.entry(*reason).or_default() += 1;
                    if let Some(absent) = absent {
                        self.leave_out(absent, *reason);
                    }
                }
                Record::Deletion(at) => {
                    *index.left_out.entry(Reason::Deleted).or_default() += 1;
                    self.withdraw(*at, Moment(u64::MAX), Reason::Deleted);
                }
                Record::Message(message) => {
                    let (first, last) = span.unwrap_or((message.at, message.at));
                    span = Some((first.min(message.at), last.max(message.at)));
                    self.add(number, place, message, index);
                }
            }
        }
        self.spans.push(Some(span.unwrap_or_default()));
    }

    fn leave_out(&mut self, absent: &Absent, reason: Reason) {
        if let Some(thread) = absent.thread {
            self.replies_left_out.entry(thread).or_default().insert(absent.at);
        }
        if let Some(until) = absent.until {
            self.withdraw(absent.at, until, reason);
        }
    }

    fn withdraw(&mut self, at: Moment, until: Moment, reason: Reason) {
        let known = self.withdrawn.entry(at).or_insert((until, reason));
        if known.0 < until {
            *known = (until, reason);
        }
    }

    /// Notes the files that were shared and that the export has.
    fn find_files(&mut self, day: &Day, export: &Export, days: &Days, files: &mut Vec<FileEntry>) {
        let uploads = &export.root().uploads;
        if uploads.is_empty() && days.uploads.is_empty() {
            return;
        }
        for record in day {
            let Record::Message(message) = record else {
                continue;
            };
            for shared in &message.shown.files {
                let Some(id) = &shared.id else { continue };
                let stored = days.uploads.get(id).or_else(|| uploads.get(id));
                let Some(stored) = stored else { continue };
                files.push(FileEntry {
                    shared: shared.clone(),
                    id: id.clone(),
                    stored: stored.clone(),
                    with: message.at,
                    document: message.at,
                    author: message.shown.author.clone(),
                });
            }
        }
    }

    fn add(&mut self, day: usize, place: usize, message: &Message, index: &mut Index) {
        let entry = Entry {
            line: Line {
                at: message.at,
                answers: message.thread.filter(|_| message.is_reply()),
                replies: message.replies,
                bytes: u32::try_from(message.shown.block.len()).unwrap_or(u32::MAX),
            },
            day,
            place,
            hash: hash_of(message),
            changed: Moment(message.shown.changed),
            version: message.version,
        };
        match self.by_time.get_mut(&message.at) {
            None => {
                self.by_time.insert(message.at, entry);
                return;
            }
            // The same message once more: the newer state of it counts, and of two that are alike the first.
            Some(known) if known.version < entry.version => *known = entry,
            Some(_) => {}
        }
        *index.left_out.entry(Reason::Superseded).or_default() += 1;
    }

    /// Takes messages out that were withdrawn and not written anew since, with the files that were shared with them.
    fn take_out_withdrawn(&mut self, index: &mut Index) {
        for (at, (until, reason)) in &self.withdrawn {
            if self.by_time.get(at).is_none_or(|entry| entry.version > *until) {
                continue;
            }
            self.by_time.remove(at);
            let reason = match reason {
                Reason::Deleted => Reason::Deleted,
                _ => Reason::Superseded,
            };
            *index.left_out.entry(reason).or_default() += 1;
        }
        // Of several messages that share a file, the first that stays has it.
        let is_first = |file: &FileEntry| self.files.insert(file.id.clone());
        let (by_time, mut is_first) = (&self.by_time, is_first);
        index
            .files
            .retain(|file| by_time.contains_key(&file.with) && is_first(file));
    }

    /// How many replies of each thread are in no document.
    fn replies_left_out(&self) -> BTreeMap<Moment, u32> {
        let is_out = |at: &&Moment| !self.by_time.contains_key(*at);
        let counted = self.replies_left_out.iter().map(|(thread, replies)| {
            let count = replies.iter().filter(is_out).count();
            (*thread, u32::try_from(count).unwrap_or(u32::MAX))
        });
        counted.collect()
    }

    fn finish(mut self, index: &mut Index, config: &SlackConfig) {
        self.take_out_withdrawn(index);
        let replies_left_out = self.replies_left_out();
        index.entries = self.by_time.into_values().collect();
        index.entries.sort_by_key(|entry| entry.line.at);
        let lines: Vec<Line> = index.entries.iter().map(|entry| entry.line).collect();
        let rules = Rules {
            pause_microseconds: u64::from(config.pause_minutes) * 60_000_000,
            max_messages: config.max_exchange_messages as usize,
            max_bytes: u64::from(config.max_exchange_bytes),
        };
        let holes = holes(&index.days.files, &self.spans);
        index.pieces = cut(&lines, rules, &holes, &replies_left_out);
        name_documents(index);
        let withheld = index.pieces.iter().filter(|piece| piece.is_withheld);
        let withheld: usize = withheld.map(|piece| piece.lines.len()).sum();
        if withheld > 0 {
            index.left_out.insert(Reason::DayUnreadable, withheld as u64);
        }
    }
}

/// Notes for each file which document has the message that it was shared with.
fn name_documents(index: &mut Index) {
    if index.files.is_empty() {
        return;
    }
    let mut documents: HashMap<Moment, Moment> = HashMap::new();
    for piece in &index.pieces {
        let entries = piece.lines.iter().filter_map(|line| index.entries.get(*line));
        documents.extend(entries.map(|entry| (entry.line.at, piece.key)));
    }
    for file in &mut index.files {
        file.document = documents.get(&file.with).copied().unwrap_or(file.with);
    }
}

/// The times of which the files that can't be read would tell. The days of an export begin at the midnight of some zone,
/// and every message of a day lies between those of the files beside it.
fn holes(files: &[StoredFile], spans: &[Option<(Moment, Moment)>]) -> Vec<Hole> {
    const HOUR: u64 = 3_600_000_000;
    const EARLIEST: u64 = 14 * HOUR;
    const LATEST: u64 = (24 + 12) * HOUR;
    let mut holes = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let midnight = file.day().and_then(|day| day.and_hms_opt(0, 0, 0));
        let (None, Some(midnight)) = (spans[number], midnight) else {
            continue;
        };
        let midnight = u64::try_from(midnight.and_utc().timestamp_micros()).unwrap_or_default();
        let known = |spans: &[Option<(Moment, Moment)>]| -> Vec<(Moment, Moment)> {
            let spans = spans.iter().flatten().copied();
            spans.filter(|span| *span != Default::default()).collect()
        };
        let before = known(&spans[..number]).iter().map(|span| span.1).max();
        let after = known(&spans[number + 1..]).iter().map(|span| span.0).min();
        let start = Moment(midnight.saturating_sub(EARLIEST)).max(before.unwrap_or_default());
        let end = Moment(midnight + LATEST).min(after.unwrap_or(Moment(u64::MAX)));
        holes.push(Hole {
            start,
            end: end.max(start),
        });
    }
    holes
}
