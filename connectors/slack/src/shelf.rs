//! What is kept between a listing and the fetches after it: the lists, the indexes of a few conversations, a few days.
//!
//! Each is used for as long as the files that it was made from are the same, and made again otherwise: so a fetch gives
//! what the export has now. What changed within the last two seconds is read each time. All of it is bounded, and
//! documents that are fetched in the order of the listing find theirs here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::SlackConfig;
use crate::directory::{Conversation, Directory};
use crate::error::Error;
use crate::export::{Export, Unreadable};
use crate::index::{Day, Index, read_day};
use crate::message::{Record, Scene};

/// What all indexes together may take, but for one.
const MOST_INDEX_BYTES: usize = 64 << 20;
/// Conversations at a time.
const MOST_INDEXES: usize = 64;
/// What the days together may take.
const MOST_DAY_BYTES: usize = 64 << 20;
/// What a record takes besides its text.
const RECORD_BYTES: usize = 256;

/// The export and its lists as they were at one time.
#[derive(Debug)]
pub(crate) struct Snapshot {
    signature: Option<String>,
    pub(crate) export: Export,
    pub(crate) directory: Directory,
}

/// The index of a conversation.
#[derive(Debug)]
pub(crate) struct Held {
    number: u64,
    pub(crate) snapshot: Arc<Snapshot>,
    conversation: String,
    pub(crate) index: Index,
}

impl Held {
    pub(crate) fn conversation(&self) -> Option<&Conversation> {
        self.snapshot.directory.conversations.get(&self.conversation)
    }
}

/// What is kept.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) config: SlackConfig,
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    /// The latest last.
    indexes: Mutex<VecDeque<Arc<Held>>>,
    days: Mutex<HeldDays>,
    next_number: AtomicU64,
}

#[derive(Debug, Default)]
struct HeldDays {
    /// The number of the index and that of the day, the latest last.
    days: VecDeque<((u64, usize), Arc<Day>, usize)>,
    bytes: usize,
}

impl Shelf {
    pub(crate) fn new(config: SlackConfig) -> Self {
        Self {
            config,
            snapshot: Mutex::default(),
            indexes: Mutex::default(),
            days: Mutex::default(),
            next_number: AtomicU64::default(),
        }
    }

    /// The export as it is now. Waits for the disk.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let mut kept = locked(&self.snapshot);
        // Looked at before anything is read: what changes meanwhile is seen the next time.
        let signature = Export::signature(&self.config)?;
        let is_current = |kept: &&Arc<Snapshot>| signature.is_some() && kept.signature == signature;
        if let Some(kept) = kept.as_ref().filter(is_current) {
            return Ok(Arc::clone(kept));
        }
        let export = Export::open(&self.config)?;
        let directory = Directory::read(&export, &self.config)?;
        let new = Arc::new(Snapshot {
            signature,
            export,
            directory,
        });
        *kept = Some(Arc::clone(&new));
        Ok(new)
    }

    /// The index of a conversation as it is now. Reads all of its messages, unless they are the same as before.
    pub(crate) fn index(
        &self,
        snapshot: &Arc<Snapshot>,
        conversation: &Conversation,
    ) -> Result<Arc<Held>, Unreadable> {
        if snapshot.directory.contested.contains_key(&conversation.folder) {
            let problem = "is claimed by several conversations, and whose messages it has is unknown";
            return Err(Unreadable::new("folder_contested", problem));
        }
        // One at a time: what is asked for together is mostly the same.
        let mut kept = locked(&self.indexes);
        let days = snapshot.export.days(&conversation.folder)?;
        let found = kept.iter().position(|held| {
            Arc::ptr_eq(&held.snapshot, snapshot)
                && held.conversation == conversation.id
                && days.signature.is_some()
                && held.index.days.signature == days.signature
        });
        if let Some(held) = found.and_then(|place| kept.remove(place)) {
            kept.push_back(Arc::clone(&held));
            return Ok(held);
        }
        kept.retain(|held| held.conversation != conversation.id && Arc::ptr_eq(&held.snapshot, snapshot));
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let index = Index::read(
            &snapshot.export,
            &snapshot.directory,
            conversation,
            days,
            &self.config,
            |place, day| self.keep_day((number, place), Arc::new(day)),
        );
        let held = Arc::new(Held {
            number,
            snapshot: Arc::clone(snapshot),
            conversation: conversation.id.clone(),
            index,
        });
        kept.push_back(Arc::clone(&held));
        let weight =
            |kept: &VecDeque<Arc<Held>>| -> usize { kept.iter().map(|held| held.index.weight_bytes()).sum() };
        while kept.len() > 1 && (kept.len() > MOST_INDEXES || weight(&kept) > MOST_INDEX_BYTES) {
            kept.pop_front();
        }
        Ok(held)
    }

    /// The records of a day's file.
    pub(crate) fn day(&self, held: &Held, number: usize) -> Result<Arc<Day>, Unreadable> {
        let key = (held.number, number);
        {
            let mut kept = locked(&self.days);
            let found = kept.days.iter().position(|(known, ..)| *known == key);
            if let Some(found) = found.and_then(|place| kept.days.remove(place)) {
                let day = Arc::clone(&found.1);
                kept.days.push_back(found);
                return Ok(day);
            }
        }
        let gone = || Unreadable::new("file_unreadable", "is gone");
        let file = held.index.days.files.get(number).ok_or_else(gone)?;
        let scene = Scene {
            directory: &held.snapshot.directory,
            conversation: held.conversation().ok_or_else(gone)?,
        };
        let (day, _) = read_day(&held.snapshot.export, file, scene, self.config.max_entry_bytes)?;
        let day = Arc::new(day);
        self.keep_day(key, Arc::clone(&day));
        Ok(day)
    }

    fn keep_day(&self, key: (u64, usize), day: Arc<Day>) {
        let texts = day.iter().map(|record| match record {
            Record::Message(message) => message.shown.block.len(),
            _ => 0,
        });
        let weight = texts.sum::<usize>() + day.len() * RECORD_BYTES;
        if weight > MOST_DAY_BYTES / 2 {
            return;
        }
        let mut kept = locked(&self.days);
        kept.bytes += weight;
        kept.days.push_back((key, day, weight));
        while kept.bytes > MOST_DAY_BYTES {
            let Some((_, _, weight)) = kept.days.pop_front() else {
                break;
            };
            kept.bytes -= weight;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
