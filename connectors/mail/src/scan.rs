//! A file with messages, read once: an [`Entry`] of each message in it.
//!
//! An mbox is read up to the length that it had when it was opened. Its last message is left out while it may be half: when the file
//! changed just now and doesn't end with an empty line. What shows afterwards that the file was rewritten meanwhile has it read again.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use lectern_connector_files::{State, open_beneath};

use crate::account::Reason;
use crate::again::{bytes_at, ends_hold, goes_on};
use crate::config::MailConfig;
use crate::entry::{self, Entry};
use crate::error::Error;
use crate::find::Folder;
use crate::index::Reading;
use crate::kind::{self, Kind, maildir_flags};
use crate::mbox::{self, Raw, unquoted};

/// What is read of an mbox at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// How often a file that is rewritten is read.
const MOST_TRIES: usize = 3;

/// Something that is told of a message that isn't in a thread.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) offset: u64,
    pub(crate) reason: Reason,
    pub(crate) code: &'static str,
    pub(crate) sentence: String,
}

/// What was read of a file.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) kind: Kind,
    pub(crate) entries: Vec<Entry>,
    pub(crate) messages: u64,
    pub(crate) left_out: BTreeMap<Reason, u64>,
    pub(crate) faults: Vec<Fault>,
    /// What is attached to them, and is a document.
    pub(crate) attachments: u64,
    /// Where the last message that was read ends.
    pub(crate) end: u64,
}

impl Scan {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            messages: 0,
            left_out: BTreeMap::new(),
            faults: Vec::new(),
            attachments: 0,
            end: 0,
        }
    }

    /// How many things there are to be kept.
    pub(crate) fn count(&self) -> u64 {
        self.messages + self.attachments
    }

    fn leave_out(&mut self, reason: Reason) {
        self.messages += 1;
        *self.left_out.entry(reason).or_default() += 1;
    }

    fn fault(&mut self, offset: u64, reason: Reason, code: &'static str, sentence: String) {
        self.leave_out(reason);
        self.faults.push(Fault {
            offset,
            reason,
            code,
            sentence,
        });
    }

    /// Takes a message in. `length` is what it takes in the file.
    fn take_in(&mut self, bytes: &[u8], offset: u64, length: u64, config: &MailConfig) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        match entry::read(bytes, offset, length, config) {
            entry::Read::Message(entry) => {
                self.messages += 1;
                self.attachments += entry.attached.len() as u64;
                self.entries.push(*entry);
            }
            entry::Read::LeftOut(reason) => self.leave_out(reason),
            entry::Read::Broken(problem) => {
                let sentence = format!("the message cannot be read: {problem}");
                self.fault(offset, Reason::Broken, Reason::Broken.code(), sentence);
            }
        }
    }

    fn too_large(&mut self, offset: u64, size_bytes: u64, config: &MailConfig) {
        let sentence = format!(
            "the message has {size_bytes} bytes; the limit is {}",
            config.max_message_bytes
        );
        self.fault(offset, Reason::TooLarge, Reason::TooLarge.code(), sentence);
    }
}

/// A file that was read, and its state before.
pub(crate) struct Scanned {
    pub(crate) state: Option<State>,
    pub(crate) is_settled: bool,
    pub(crate) scan: Scan,
}

/// Opens a file below its root, through no link.
pub(crate) fn open(folder: &Folder, name: &OsStr) -> io::Result<File> {
    let mut components = folder.components.clone();
    components.push(name.to_owned());
    open_beneath(&folder.root, &components)
}

/// Reads a file. `before` is what was read of it earlier, if what is behind that may be enough. Nothing where it is gone.
pub(crate) fn scan(
    folder: &Folder,
    name: &OsStr,
    before: Option<(&Scan, &State)>,
    reading: Reading<'_>,
) -> Result<Option<Scanned>, Error> {
    match try_scan(folder, name, before, reading) {
        Ok(scanned) => Ok(Some(scanned)),
        Err(Problem::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(Problem::Io(_)) if !(reading.is_wanted)() => Err(Error::Stopped),
        Err(Problem::Io(error)) => {
            let path = folder.path().join(name);
            // Of what must be one message, that message is missing; of anything else, nobody knows how many.
            if !folder.is_maildir && !name.as_encoded_bytes().ends_with(b".eml") {
                return Err(Error::of_path(&path, error));
            }
            let mut scan = Scan::new(Kind::Message);
            let code = match error.kind() {
                io::ErrorKind::PermissionDenied => "permission_denied",
                _ => Reason::Unreadable.code(),
            };
            scan.fault(
                0,
                Reason::Unreadable,
                code,
                format!("the message cannot be read: {error}"),
            );
            Ok(Some(Scanned {
                state: None,
                is_settled: false,
                scan,
            }))
        }
        Err(Problem::Busy) => Err(Error::Busy {
            path: folder.path().join(name),
        }),
    }
}

enum Problem {
    Io(io::Error),
    Busy,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn try_scan(
    folder: &Folder,
    name: &OsStr,
    before: Option<(&Scan, &State)>,
    reading: Reading<'_>,
) -> Result<Scanned, Problem> {
    let mut file = open(folder, name)?;
    for _ in 0..MOST_TRIES {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        let state = State::of(&metadata);
        let is_settled = state.is_settled();
        let scanned = |scan| Scanned {
            state: Some(state),
            is_settled,
            scan,
        };
        let is_named = name.as_encoded_bytes().ends_with(b".eml");
        let kind = match folder.is_maildir {
            true => Kind::Message,
            false => kind::of(&mut file)?,
        };
        // What is called a message and isn't one is broken.
        let kind = if is_named && kind == Kind::Other {
            Kind::Message
        } else {
            kind
        };
        match kind {
            Kind::Other | Kind::Empty => return Ok(scanned(Scan::new(kind))),
            Kind::Message => return Ok(scanned(message(&file, name, state.size_bytes, reading.config)?)),
            Kind::Mbox => {}
        }
        let scan = mailbox(&mut file, (&state, is_settled), before, reading)?;
        // What was only added to has what was read of it where it was.
        let after = State::of(&file.metadata()?);
        let is_same = after == state || (after.size_bytes >= scan.end && ends_hold(&file, &scan)?);
        if is_same {
            return Ok(scanned(scan));
        }
    }
    Err(Problem::Busy)
}

/// A file that is one message.
fn message(file: &File, name: &OsStr, size_bytes: u64, config: &MailConfig) -> io::Result<Scan> {
    let mut scan = Scan::new(Kind::Message);
    let flags = maildir_flags(name);
    if flags.contains('T') || flags.contains('D') {
        scan.leave_out(if flags.contains('T') {
            Reason::Deleted
        } else {
            Reason::Draft
        });
        return Ok(scan);
    }
    if size_bytes > config.max_message_bytes {
        scan.too_large(0, size_bytes, config);
        return Ok(scan);
    }
    let bytes = bytes_at(file, 0, size_bytes)?;
    scan.take_in(&bytes, 0, size_bytes, config);
    Ok(scan)
}

fn mailbox(
    file: &mut File,
    (state, is_settled): (&State, bool),
    before: Option<(&Scan, &State)>,
    reading: Reading<'_>,
) -> io::Result<Scan> {
    let config = reading.config;
    let mut scan = match before {
        Some((scan, known)) if goes_on(file, scan, known, state)? => scan.clone(),
        _ => Scan::new(Kind::Mbox),
    };
    let start = scan.end;
    file.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::with_capacity(
        BUFFER_BYTES,
        Wanted {
            file,
            is_wanted: reading.is_wanted,
        },
    );
    let mut give = |raw: Raw<'_>| {
        // More than there may be: that is told where the files are counted.
        if scan.count() > config.max_messages {
            return;
        }
        if !raw.is_closed && !is_settled {
            scan.leave_out(Reason::Incomplete);
            return;
        }
        scan.end = raw.end;
        match raw.bytes {
            Some(bytes) => scan.take_in(&unquoted(bytes), raw.offset, raw.length, config),
            None => scan.too_large(raw.offset, raw.length, config),
        }
    };
    mbox::messages(
        &mut reader,
        start,
        state.size_bytes,
        config.max_message_bytes,
        &mut give,
    )?;
    Ok(scan)
}

/// A file that is read for as long as somebody wants it.
struct Wanted<'a> {
    file: &'a mut File,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Read for Wanted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.is_wanted)() {
            true => self.file.read(buffer),
            false => Err(io::Error::other("nobody wants it")),
        }
    }
}
