//! What the index takes in memory: of a mailbox that is much larger than what is kept of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and tells its figures"
)]

mod mailbox;

use std::io::Write;
use std::time::Instant;

use futures::StreamExt;
use lectern_connector_mail::{MailConfig, MailConnector};
use lectern_domain::ports::Connector;

use mailbox::memory;

const MESSAGES: usize = 100_000;
/// In each thread.
const ANSWERS: usize = 10;
const BODY_BYTES: usize = 4_000;
/// At most, for each message, while threads are put together.
const MOST_BYTES: usize = 1_000;

#[tokio::test]
async fn some_hundred_bytes_are_kept_of_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let body = "some words of a body\n".repeat(BODY_BYTES / 21);
    for number in 0..MESSAGES {
        let (thread, place) = (number / ANSWERS, number % ANSWERS);
        let id = |place: usize| format!("<thread-{thread}-message-{place}@mail.a.example>");
        let chain: Vec<String> = (place.saturating_sub(4)..place).map(id).collect();
        let answers = if place == 0 {
            String::new()
        } else {
            format!("References: {}\n", chain.join(" "))
        };
        write!(
            file,
            "From x@a.example Mon Jan  5 10:00:00 2026\nFrom: ada@a.example\nTo: bo@a.example\nSubject: Matter {thread}\nMessage-ID: {}\n\
             {answers}Date: Mon, 5 Jan 2026 10:{:02}:00 +0000\n\n{body}\n\n",
            id(place),
            place
        )
        .unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let size = std::fs::metadata(&path).unwrap().len();
    let connector = MailConnector::new(MailConfig::new(vec![path])).unwrap();
    let before = memory("VmRSS");
    let start = Instant::now();
    assert_eq!(
        connector.list(None).count().await,
        MESSAGES / ANSWERS + 1,
        "and a cursor"
    );
    let elapsed = start.elapsed();
    assert_eq!(connector.account().unwrap().threads as usize, MESSAGES / ANSWERS);
    let Some(((before, after), most)) = before.zip(memory("VmRSS")).zip(memory("VmHWM")) else {
        return println!("SKIPPED: the system doesn't tell what a process has in memory");
    };
    let each = |bytes: usize| bytes.saturating_sub(before) / MESSAGES;
    println!(
        "{size} bytes of mail in {elapsed:?}; for each message {} bytes after and {} at most",
        each(after),
        each(most)
    );
    assert!(each(most) <= MOST_BYTES, "{} bytes for each message", each(most));
}
