//! Mailboxes: an exchange is found whole though its messages lie in several folders, an answer that comes later changes one document, and
//! what is for its participants is found by nobody else.

use std::io::Write;

use serde_json::Value;

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

/// A word that stands in what the operator may not read.
const CANARY: &str = "zyzzyvacanary";

fn mail(id: &str, answers: &str, day: u32, people: (&str, &str), subject: &str, text: &str) -> String {
    let answers = match answers {
        "" => String::new(),
        parent => format!("In-Reply-To: <{parent}@a.example>\nReferences: <{parent}@a.example>\n"),
    };
    let (from, to) = people;
    format!(
        "From: {from} <{from}>\nTo: {to}\nSubject: {subject}\nMessage-ID: <{id}@a.example>\n{answers}Date: {day} Jan 2026 10:00:00 +0000\n\n{text}\n"
    )
}

fn in_mbox(mail: &str) -> String {
    format!("From x@a.example Mon Jan  5 10:00:00 2026\n{mail}\n")
}

/// A source of a Maildir and an mbox, with three threads and a message that is there twice.
fn workplace(readers: &str) -> Workplace {
    let lectern = Workplace::new();
    let (maildir, sent) = (lectern.elsewhere("maildir"), lectern.elsewhere("sent.mbox"));
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let question = mail(
        "1",
        "",
        5,
        ("ada", "<operator>"),
        "The lighthouse",
        "Who has the keys to the lighthouse?",
    );
    let answer = mail(
        "2",
        "1",
        6,
        ("operator", "<ada>"),
        "Re: The lighthouse",
        "Theodora keeps them.\n\nAda wrote:\n> Who has the keys to the lighthouse?",
    );
    let secret = mail(
        "3",
        "",
        7,
        ("ada", "<bo>"),
        "The merger",
        &format!("The merger is called {CANARY}."),
    );
    let other = mail(
        "4",
        "",
        8,
        ("operator", "<ada>"),
        "The ferry",
        "The ferry to Skagen leaves at dawn.",
    );
    std::fs::write(maildir.join("cur/1.host:2,S"), &question).unwrap();
    std::fs::write(maildir.join("new/3.host"), secret).unwrap();
    std::fs::write(
        &sent,
        [question, answer, other].map(|mail| in_mbox(&mail)).concat(),
    )
    .unwrap();
    let config = lectern.elsewhere("mail.toml");
    let text = format!("kind = \"mail\"\nroots = [{maildir:?}, {sent:?}]\nreaders = {readers:?}\n");
    std::fs::write(&config, text).unwrap();
    let mut add = lectern.program();
    add.args([
        "--json", "source", "add", "--create", "--kb", KB, "--name", "post", "--config",
    ])
    .arg(config);
    let added = Outcome::of(add).exits(0).json();
    assert_eq!(added["source"]["kind"], "mail", "{added:#}");
    lectern
}

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "post"])
}

fn texts(lectern: &Workplace, mode: &str, question: &str) -> Vec<String> {
    let text = |passage: &Value| passage["text"].as_str().unwrap().to_owned();
    lectern.search(mode, question).iter().map(text).collect()
}

#[test]
fn an_exchange_is_found_whole_and_a_later_answer_changes_it_alone() {
    let lectern = workplace("source");
    let counts = sync(&lectern).exits(0).counts();
    assert_eq!((counts.new, counts.skipped, counts.failed), (3, 1, 0));
    let found = texts(&lectern, "lexical", "lighthouse keys");
    assert!(
        found[0].contains("Who has the keys") && found[0].contains("Theodora keeps them."),
        "{found:?}"
    );
    assert_eq!(
        found[0].matches("Who has the keys").count(),
        1,
        "what is quoted stands there once: {found:?}"
    );
    let skipped = lectern
        .run(["source", "status", "--kb", KB, "post", "--status", "skipped"])
        .exits(0)
        .json();
    let reason = skipped["documents"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("duplicate: 1 of the 5 messages"), "{reason}");

    let again = sync(&lectern).exits(0).counts();
    assert_eq!((again.new, again.modified, again.unchanged), (0, 0, 3));
    let late = mail(
        "5",
        "2",
        20,
        ("ada", "<operator>"),
        "Re: The lighthouse",
        "Behind the hygrometer, she says.",
    );
    let sent = lectern.elsewhere("sent.mbox");
    let mut sent = std::fs::OpenOptions::new().append(true).open(sent).unwrap();
    sent.write_all(in_mbox(&late).as_bytes()).unwrap();
    drop(sent);
    let newer = sync(&lectern).exits(0).counts();
    assert_eq!(
        (newer.new, newer.modified, newer.unchanged, newer.deleted),
        (0, 1, 2, 0)
    );
    let found = texts(&lectern, "lexical", "hygrometer");
    assert!(found[0].contains("Behind the hygrometer"), "{found:?}");
    lectern.assert_sound();
}

#[test]
fn what_is_for_its_participants_is_found_by_nobody_else() {
    let lectern = workplace("participants");
    let counts = sync(&lectern).exits(0).counts();
    assert_eq!((counts.new, counts.skipped, counts.failed), (3, 1, 0));
    for mode in ["lexical", "vector", "hybrid"] {
        for question in [CANARY, "what is the merger called"] {
            let found = texts(&lectern, mode, question);
            assert!(
                found.iter().all(|text| !text.contains(CANARY)),
                "{mode} {question}: {found:?}"
            );
        }
    }
    let found = texts(&lectern, "lexical", "lighthouse keys");
    assert!(
        found[0].contains("Theodora keeps them."),
        "the operator is named: {found:?}"
    );
    lectern.assert_sound();
}
