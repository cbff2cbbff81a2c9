//! The child's side: read a frame, read the file, answer, again.
//!
//! Two threads: one reads requests, the other reads files. So the child notices at once when its parent is
//! gone, in the middle of a document too, and leaves no process behind.

use std::any::Any;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lectern_domain::{Attachment, Extracted, MAX_ATTACHMENTS};

use super::frame::{self, MAX_HEADER_BYTES, Request, Response};
use super::limits::Limits;
use super::{ExtractError, read};

/// The stack of the thread that parses. Deeper nesting than this allows ends the child.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The main loop of the hidden subcommand `extract-worker`. Ends when the parent closes the socket.
///
/// Call it before anything else is started: the limits that it sets are those of the whole process.
pub fn run_worker() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("extract-worker: {error} (this command is started by lectern itself, on a socket)");
            ExitCode::from(2)
        }
    }
}

fn serve() -> io::Result<()> {
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let Some(limits) = frame::read(&mut socket, MAX_HEADER_BYTES)? else {
        return Ok(());
    };
    let limits: Limits = serde_json::from_slice(&limits)?;
    limits.apply()?;
    let answers = socket.try_clone()?;
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new()
        .name("parse".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || parse_all(&receiver, answers, limits))?;
    read_all(socket, &sender, limits)
}

/// Reads requests until the parent is gone. The process then ends, whatever the other thread is doing.
fn read_all(
    mut socket: UnixStream,
    files: &SyncSender<(Request, Vec<u8>)>,
    limits: Limits,
) -> io::Result<()> {
    while let Some(header) = frame::read(&mut socket, MAX_HEADER_BYTES)? {
        let request = serde_json::from_slice(&header)?;
        let bytes = frame::read(&mut socket, limits.max_input_bytes)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if files.send((request, bytes)).is_err() {
            break;
        }
    }
    Ok(())
}

fn parse_all(files: &Receiver<(Request, Vec<u8>)>, mut answers: UnixStream, limits: Limits) {
    while let Ok((request, bytes)) = files.recv() {
        let (response, attachments) = answer(&request, &bytes, &limits);
        let sent = frame::write(&mut answers, &response).and_then(|()| {
            attachments
                .iter()
                .try_for_each(|attachment| frame::write(&mut answers, &attachment.bytes))
        });
        if let Err(error) = sent {
            eprintln!("extract-worker: cannot answer: {error}");
            std::process::exit(1);
        }
    }
}

/// The answer to one file, as JSON within the limit, and the attachments whose bytes go after it.
fn answer(request: &Request, bytes: &[u8], limits: &Limits) -> (Vec<u8>, Vec<Attachment>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        read(&request.name, request.media_type.as_deref(), bytes)
    }));
    let response: Response = match outcome {
        Err(panic) => Err(ExtractError::ParserFailed(panic_message(panic.as_ref()))),
        Ok(Ok(extracted)) if extracted.text.len() as u64 > limits.max_output_bytes => {
            Err(ExtractError::OutputTooLarge(limits.max_output_bytes))
        }
        Ok(other) => other,
    };
    let response = response.map(|extracted| with_bounded_attachments(extracted, limits));
    match serde_json::to_vec(&response) {
        Ok(json) if json.len() as u64 <= limits.max_response_bytes() => (
            json,
            response.map_or_else(|_| Vec::new(), |extracted| extracted.attachments),
        ),
        Ok(_) => (too_large(limits), Vec::new()),
        Err(error) => {
            eprintln!("extract-worker: cannot write the answer: {error}");
            (too_large(limits), Vec::new())
        }
    }
}

/// Keeps the attachments that the limits allow, and says how many they don't.
fn with_bounded_attachments(mut extracted: Extracted, limits: &Limits) -> Extracted {
    let found = extracted.attachments.len();
    let mut left = limits.max_input_bytes;
    extracted.attachments.truncate(MAX_ATTACHMENTS);
    extracted.attachments.retain(|attachment| {
        let fits = attachment.bytes.len() as u64 <= left;
        left -= if fits { attachment.bytes.len() as u64 } else { 0 };
        fits
    });
    let lost = found - extracted.attachments.len();
    if lost > 0 {
        extracted.warnings.push(format!(
            "{lost} of {found} attachments were left out: a file may have {MAX_ATTACHMENTS}, with {} bytes together",
            limits.max_input_bytes
        ));
    }
    extracted
}

fn too_large(limits: &Limits) -> Vec<u8> {
    let response: Response = Err(ExtractError::OutputTooLarge(limits.max_output_bytes));
    serde_json::to_vec(&response).unwrap_or_default()
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
