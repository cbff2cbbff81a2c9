//! A file with messages, read once: what kind of file it is, and an [`Entry`] of each message in it.
//!
//! An mbox is read up to the length that it had when it was opened. Its last message is left out while it may be half: when the file
//! changed just now and doesn't end with an empty line. What shows afterwards that the file was rewritten meanwhile has it read again.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use lectern_connector_files::open_beneath;

use crate::account::Reason;
use crate::config::MailConfig;
use crate::entry::{self, Entry};
use crate::error::Error;
use crate::find::Folder;
use crate::index::Reading;
use crate::mbox::{self, Raw, is_field, unquoted};
use crate::state::State;

/// What is read of an mbox at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// What is looked at to see what a file is.
const HEAD_BYTES: u64 = 8 << 10;
/// How often a file that is rewritten is read.
const MOST_TRIES: usize = 3;

/// Fields of which a message has one at least.
const TELLING: [&str; 7] = [
    "from",
    "date",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mbox,
    /// One message.
    Message,
    /// It has no messages, but may get some.
    Empty,
    Other,
}

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
    /// Where the last message that was read ends.
    end: u64,
}

impl Scan {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            messages: 0,
            left_out: BTreeMap::new(),
            faults: Vec::new(),
            end: 0,
        }
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
            false => kind(&mut file)?,
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

/// What a file is, by how it begins.
fn kind(file: &mut File) -> io::Result<Kind> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Kind::Empty);
    }
    if head.starts_with(b"From ") {
        return Ok(Kind::Mbox);
    }
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    let mut is_told = false;
    for (number, line) in lines.iter().enumerate() {
        let is_continued = number > 0 && (line.starts_with(b" ") || line.starts_with(b"\t"));
        if line.is_empty() || *line == b"\r" {
            break;
        }
        if is_continued {
            continue;
        }
        if !is_field(line) {
            // The last line may be cut.
            let is_cut = number + 1 == lines.len() && head.len() as u64 == HEAD_BYTES;
            return Ok(if is_cut && is_told {
                Kind::Message
            } else {
                Kind::Other
            });
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        is_told |= TELLING
            .iter()
            .any(|telling| telling.as_bytes().eq_ignore_ascii_case(name));
    }
    Ok(if is_told { Kind::Message } else { Kind::Other })
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

/// The flags of a message in a Maildir: `1700000000.M1P2.host:2,FS`.
fn maildir_flags(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let flags = name.rsplit_once(":2,").or_else(|| name.rsplit_once("!2,"));
    flags.map(|(_, flags)| flags.to_owned()).unwrap_or_default()
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
        if scan.messages > config.max_messages {
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

/// Whether a file is the one that was read before with something added at its end.
fn goes_on(file: &File, before: &Scan, known: &State, now: &State) -> io::Result<bool> {
    let is_longer = before.kind == Kind::Mbox
        && !before.entries.is_empty()
        && !before.left_out.contains_key(&Reason::Incomplete)
        && known.number == now.number
        && now.size_bytes >= before.end + 5;
    Ok(is_longer && bytes_at(file, before.end, 5)? == b"From " && ends_hold(file, before)?)
}

/// Whether the first and the last message are where they were.
fn ends_hold(file: &File, scan: &Scan) -> io::Result<bool> {
    for entry in [scan.entries.first(), scan.entries.last()].into_iter().flatten() {
        if !holds(file, Kind::Mbox, entry)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a message is still where it was.
fn holds(file: &File, kind: Kind, entry: &Entry) -> io::Result<bool> {
    Ok(read_again(file, kind, entry)?.is_some())
}

/// The bytes of a message that is still where it was.
pub(crate) fn read_again(file: &File, kind: Kind, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
    let bytes = match bytes_at(file, entry.offset, u64::from(entry.length)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = match kind {
        Kind::Mbox => unquoted(&bytes).into_owned(),
        _ => bytes,
    };
    let is_same = entry::parse(&bytes).is_ok_and(|message| entry::content(&message) == entry.content);
    // One that grew would be another.
    let is_whole = kind == Kind::Mbox || file.metadata()?.len() == u64::from(entry.length);
    Ok((is_same && is_whole).then_some(bytes))
}

fn bytes_at(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}
