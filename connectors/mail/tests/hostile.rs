//! Messages that were written to do harm: what they cost is bounded, each is read or told, and they hide no other message.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and tells its figures"
)]

mod mailbox;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use futures::StreamExt;
use lectern_connector_mail::{MailConfig, MailConnector};
use lectern_domain::ports::{Connector, ListEvent, SourceItem};

use mailbox::memory;

const LINE: &str = "From x@a.example Mon Jan  5 10:00:00 2026\n";
/// The text of a message has at most so many bytes, with what stands around it and the empty lines that part quotes from answers.
const MOST_TEXT_BYTES: usize = 2 * (2 << 20) + (64 << 10);
/// What reading all of it takes in memory, where the largest message has 32 MiB.
const MOST_MEMORY_BYTES: usize = 320 << 20;

/// A message of that name.
fn message(name: &str, fields: &str, body: &str) -> String {
    format!(
        "From: ada@a.example\nTo: bo@a.example\nSubject: {name}\nMessage-ID: <{name}@x>\n{fields}\n{body}\n"
    )
}

fn key(name: &str) -> String {
    // A thread is named by the first message that is known of.
    let id = match name {
        "references" => "0".to_owned(),
        name => format!("{name}@x"),
    };
    format!("threads/{}/1", &blake3::hash(id.as_bytes()).to_hex()[..32])
}

/// Messages that can be read, and something that their documents say.
fn readable() -> Vec<(&'static str, &'static str, String)> {
    let html = "Content-Type: text/html\n";
    let opened: String = (0..240).map(|number| format!("<b a={number}>")).collect();
    let attributes: String = (0..300_000).map(|number| format!(" a{number}")).collect();
    let many = |text: &str, count: usize| text.repeat(count);
    let mixed = "Content-Type: multipart/mixed; boundary=b\n";
    let encoded = |message: &str| {
        let coded: Vec<String> = message.bytes().map(|byte| format!("={byte:02X}")).collect();
        let lines: Vec<String> = coded.chunks(25).map(<[String]>::concat).collect();
        format!(
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{}",
            lines.join("=\n")
        )
    };
    let nested = many("Content-Type: message/rfc822\n\n", 50_000);
    let ids: String = (0..20_000).map(|number| format!(" <{number}>\n")).collect();
    let continued: String = (0..20_000).map(|number| format!(";\n a*{number}=x")).collect();
    let signs: String = ["(", "\"", "<", ",", ":", ";", "=?", "\\", "[", "&", "'"]
        .map(|sign| format!("From: {0}\nTo: {0}\nReceived: {0}\nX: {0}\n", many(sign, 5_000)))
        .concat();
    vec![
        (
            "formatting",
            "**x**",
            message(
                "formatting",
                html,
                &format!("<p>{opened}</p>{}", many("<p>x</p>", 500_000)),
            ),
        ),
        (
            "attributes",
            "\n\nx",
            message("attributes", html, &format!("<p{attributes}>x")),
        ),
        (
            "elements",
            "> x",
            message(
                "elements",
                html,
                &many("<div><table><tr><td><blockquote>x", 300_000),
            ),
        ),
        (
            "comments",
            "\n\nx",
            message("comments", html, &many("x<!-- <style> &", 500_000)),
        ),
        (
            "messages",
            "Attachments: ",
            message("messages", "", "x").replace("\n\n", &format!("\n{nested}")),
        ),
        (
            "encoded",
            "Attachments: ",
            message(
                "encoded",
                mixed,
                &format!("--b\n\nx\n--b\n{}\n--b--", encoded(&encoded(&nested))),
            ),
        ),
        (
            "boundaries",
            "\n\nx",
            message(
                "boundaries",
                mixed,
                &many("--b\nContent-Type: multipart/mixed; boundary=c\n\nx\n", 900),
            ),
        ),
        (
            "references",
            "\n\nx",
            message("references", &format!("References:{ids}"), "x"),
        ),
        (
            "parameters",
            "\n\nx",
            message(
                "parameters",
                &format!("Content-Type: text/plain{continued}\n"),
                "x",
            ),
        ),
        ("signs", "\n\nx", message("signs", &signs, "x")),
        ("fields", "\n\nx", message("fields", &many("A:\n", 80_000), "x")),
        (
            "subject",
            "# subject Re: ",
            message("subject", "", "x").replace(": subject", &format!(": {}", many("Re: subject ", 20_000))),
        ),
        (
            "people",
            "and 1970 more",
            message("people", &format!("Cc: {}\n", many("a <a@x>, ", 25_000)), "x"),
        ),
        (
            "flowed",
            "ada@a.example",
            message(
                "flowed",
                "Content-Type: text/plain; format=flowed\n",
                &many(" \n", 4 << 20),
            ),
        ),
        (
            "quotes",
            "> a\n\nb",
            message("quotes", "", &many("> a\nb\n\n", 400_000)),
        ),
        (
            "openers",
            "On a",
            message("openers", "", &many("From: a\nOn a\n____\n\n\n", 200_000)),
        ),
        (
            "endless",
            "(The message goes on.)",
            message("endless", "", &many("x", 32 << 20)),
        ),
    ]
}

/// Messages that go beyond a bound, and what is said of them.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    let mixed = "Content-Type: multipart/mixed; boundary=b\n";
    let deep: String = (0..40)
        .map(|level| {
            format!(
                "--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n\n",
                level + 1
            )
        })
        .collect();
    let ids: String = (0..100_000).map(|number| format!(" <{number}@x>\n")).collect();
    vec![
        (
            "parts",
            message("parts", mixed, &"--b\n\nx\n".repeat(500_000)),
            "it has more than 1000 parts",
        ),
        (
            "depth",
            message(
                "depth",
                "Content-Type: multipart/mixed; boundary=b0\n",
                &format!("{deep}x"),
            ),
            "its parts lie more than 32 deep in each other",
        ),
        (
            "references-2",
            message("references-2", &format!("References:{ids}"), "x"),
            "its header fields have more than 256 KiB",
        ),
        (
            "fields-2",
            message("fields-2", &"A:\n".repeat(1 << 20), "x"),
            "its header fields have more than 256 KiB",
        ),
        (
            "subject-2",
            message("subject-2", &format!("Subject: {}\n", "x".repeat(4 << 20)), "x"),
            "its header fields have more than 256 KiB",
        ),
        (
            "part-fields",
            message(
                "part-fields",
                mixed,
                &format!("--b\n{}\nx\n--b--", "A:\n".repeat(1 << 20)),
            ),
            "the header fields of a part have more than 16 KiB",
        ),
    ]
}

/// An mbox with a message of 1 GiB, most of which is a hole, between two others.
fn write_mbox(path: &Path) {
    let mut file = File::create(path).unwrap();
    let before = format!(
        "{LINE}{}\n{LINE}{}",
        message("before", "", "x"),
        message("huge", "", "x")
    );
    file.write_all(before.as_bytes()).unwrap();
    file.set_len(before.len() as u64 + (1 << 30)).unwrap();
    drop(file);
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    write!(file, "\n\n{LINE}{}\n", message("behind", "", "x")).unwrap();
}

#[tokio::test]
async fn what_a_message_costs_is_bounded_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(format!("{name}.eml"));
    let mut expected = BTreeMap::new();
    for (name, text, problem) in refused() {
        std::fs::write(path(name), text).unwrap();
        expected.insert(format!("the message cannot be read: {problem}"), ());
    }
    let mut said = vec![("before", "\n\nx"), ("behind", "\n\nx")];
    for (name, part, text) in readable() {
        std::fs::write(path(name), text).unwrap();
        said.push((name, part));
    }
    write_mbox(&folder.path().join("box"));

    let connector = MailConnector::new(MailConfig::new(vec![folder.path().to_owned()])).unwrap();
    // From here on, the most is counted anew.
    let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory("VmRSS").filter(|_| is_reset);
    let (mut items, mut told) = (BTreeMap::new(), Vec::new());
    let mut events = connector.list(None);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ListEvent::Item(item) => drop(items.insert(item.key.clone(), item)),
            ListEvent::Skipped { code, reason, .. } | ListEvent::Failed { code, reason, .. } => {
                told.push((code, reason))
            }
            ListEvent::Checkpoint(_) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(events);
    assert!(connector.account().unwrap().adds_up());
    assert!(told.iter().any(|(code, _)| *code == "too_large"), "{told:?}");
    assert_eq!(told.len(), 1 + refused().len(), "{told:?}");
    let found: BTreeMap<String, ()> = told.into_iter().map(|(_, reason)| (reason, ())).collect();
    assert!(
        expected.keys().all(|reason| found.contains_key(reason)),
        "{found:?}"
    );

    let mut problems = Vec::new();
    for (name, part) in said {
        let Some(item) = items.get(&key(name)) else {
            problems.push(format!("{name} is missing"));
            continue;
        };
        let fetched = connector.fetch(item).await.unwrap();
        let text = String::from_utf8(fetched.bytes.to_vec()).unwrap();
        if text.len() > MOST_TEXT_BYTES || !text.contains(part) {
            let begin: String = text.chars().take(200).collect();
            problems.push(format!(
                "{name} has {} bytes, without {part:?}: {begin}",
                text.len()
            ));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let attachments: Vec<&SourceItem> = items
        .values()
        .filter(|item| item.key.split('/').count() > 3)
        .collect();
    for item in attachments {
        let fetched = connector.fetch(item).await.unwrap();
        assert_eq!(item.size_bytes, Some(fetched.bytes.len() as u64), "{}", item.key);
    }
    let Some((before, most)) = before.zip(memory("VmHWM")) else {
        return println!("SKIPPED: the system doesn't tell what a process has in memory");
    };
    let most = most.saturating_sub(before);
    println!("{} MiB at most in memory", most >> 20);
    assert!(most <= MOST_MEMORY_BYTES, "{most} bytes");
}
