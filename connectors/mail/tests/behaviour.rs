//! Small mailboxes: who reads what, what is left out and told, what changes when something is added, and what is attached.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod mailbox;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use futures::StreamExt;
use lectern_connector_mail::{Account, MailConfig, MailConnector, Readers};
use lectern_domain::ports::{Connector, Cursor, Fetched, ListEvent, SourceItem};
use lectern_domain::{Acl, AttributeValue, ErrorKind};

use mailbox::{date, quoted};

const MONDAY: i64 = 1_767_607_200;
const LINE: &str = "From x@a.example Mon Jan  5 10:00:00 2026\n";

/// A message, some hours after the first.
fn mail(id: &str, answers: &str, hour: i64, people: (&str, &str), text: &str) -> String {
    let answers = match answers {
        "" => String::new(),
        parent => format!("In-Reply-To: <{parent}@x>\n"),
    };
    let (from, to) = people;
    let subject = if answers.is_empty() { "Keys" } else { "Re: Keys" };
    format!(
        "From: {from}@a.example\nTo: {to}\nSubject: {subject}\nMessage-ID: <{id}@x>\n{answers}Date: {}\n\n{text}\n",
        date(MONDAY + hour * 3600)
    )
}

fn mbox(mails: &[String]) -> String {
    mails
        .iter()
        .map(|mail| format!("{LINE}{}\n", quoted(mail)))
        .collect()
}

#[derive(Default)]
struct Listed {
    items: BTreeMap<String, SourceItem>,
    /// The documents that are gone.
    gone: Vec<String>,
    /// The keys of what can't be read.
    failed: Vec<String>,
    cursor: Option<Cursor>,
    /// The codes of what is left out, with the reasons.
    left: Vec<(&'static str, String)>,
    account: Account,
}

async fn list(connector: &MailConnector) -> Listed {
    list_since(connector, None).await
}

async fn list_since(connector: &MailConnector, since: Option<&Cursor>) -> Listed {
    let mut listed = Listed::default();
    let mut events = connector.list(since);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ListEvent::Item(item) => assert!(listed.items.insert(item.key.clone(), item).is_none()),
            ListEvent::Skipped { code, reason, .. } => listed.left.push((code, reason)),
            ListEvent::Failed { item, code, reason } => {
                listed.failed.push(item.key);
                listed.left.push((code, reason));
            }
            ListEvent::Gone { key } => listed
                .gone
                .extend(Some(key).filter(|key| key.starts_with("threads/"))),
            ListEvent::Checkpoint(cursor) => listed.cursor = Some(cursor),
            other @ ListEvent::Readers { .. } => panic!("{other:?}"),
        }
    }
    drop(events);
    listed.account = connector.account().unwrap();
    assert!(listed.account.adds_up(), "{:?}", listed.account);
    listed
}

fn connector(root: &Path) -> MailConnector {
    MailConnector::new(MailConfig::new(vec![root.to_owned()])).unwrap()
}

async fn fetch(connector: &MailConnector, listed: &Listed) -> Vec<Fetched> {
    let mut all = Vec::new();
    for item in listed.items.values() {
        all.push(connector.fetch(item).await.unwrap());
    }
    all
}

fn text(fetched: &Fetched) -> String {
    String::from_utf8(fetched.bytes.to_vec()).unwrap()
}

async fn only_text(connector: &MailConnector) -> String {
    let listed = list(connector).await;
    let all = fetch(connector, &listed).await;
    assert_eq!(all.len(), 1);
    text(&all[0])
}

#[tokio::test]
async fn who_is_not_named_by_a_message_does_not_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("box");
    let all = [
        mail(
            "1",
            "",
            0,
            ("Ada", "bo@a.example, Cleo@a.example"),
            "Who has the keys?",
        ),
        mail("2", "1", 1, ("bo", "ada@a.example, cleo@a.example"), "Theodora."),
        mail("3", "1", 2, ("bo", "ada@a.example"), "Cleo must not know."),
    ];
    std::fs::write(&root, mbox(&all)).unwrap();
    let config = MailConfig {
        readers: Readers::Participants,
        ..MailConfig::new(vec![root.clone()])
    };
    let by_people = MailConnector::new(config).unwrap();
    let listed = list(&by_people).await;
    assert_eq!((listed.account.threads, listed.account.documents), (1, 2));
    let users = |names: &[&str]| {
        Acl::allowing(
            names
                .iter()
                .map(|name| format!("user:{name}@a.example").parse().unwrap()),
        )
    };
    for document in fetch(&by_people, &listed).await {
        let is_secret = text(&document).contains("must not know");
        let readers = if is_secret {
            users(&["ada", "bo"])
        } else {
            users(&["ada", "bo", "cleo"])
        };
        assert_eq!(document.acl, Some(readers), "{}", text(&document));
        assert_eq!(text(&document).contains("Theodora"), !is_secret);
    }
    // Without it the source's default counts, and the thread is one document.
    let plain = connector(&root);
    let listed = list(&plain).await;
    assert_eq!(listed.account.documents, 1);
    assert_eq!(fetch(&plain, &listed).await[0].acl, None);
}

#[tokio::test]
async fn a_quote_is_kept_until_the_quoted_message_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let answer = mail(
        "2",
        "1",
        1,
        ("bo", "ada@a.example"),
        "Theodora.\n\nAda wrote:\n> Who has the keys?",
    );
    std::fs::write(folder.path().join("2.eml"), answer).unwrap();
    let connector = connector(folder.path());
    let before = list(&connector).await;
    let expected = "# Keys\n\nParticipants: bo@a.example, ada@a.example\nDate: 2026-01-05\n\n## bo@a.example, 2026-01-05 11:00 UTC\n\n\
        To: ada@a.example\n\nTheodora.\n\nAda wrote:\n> Who has the keys?\n";
    assert_eq!(only_text(&connector).await, expected);

    let question = mail("1", "", 0, ("ada", "bo@a.example"), "Who has the keys?\n-- \nAda");
    std::fs::write(folder.path().join("1.eml"), question).unwrap();
    let after = list(&connector).await;
    let keys = |listed: &Listed| listed.items.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&before),
        keys(&after),
        "the thread has its name before it has its beginning"
    );
    assert_ne!(
        before.items.values().next().unwrap().change_tag,
        after.items.values().next().unwrap().change_tag
    );
    let text = only_text(&connector).await;
    assert!(
        text.ends_with(
            "Who has the keys?\n\n## bo@a.example, 2026-01-05 11:00 UTC\n\nTo: ada@a.example\n\nTheodora.\n"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_long_thread_is_cut_and_what_is_added_changes_its_end_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = MailConfig {
        max_document_messages: 4,
        ..MailConfig::new(vec![folder.path().to_owned()])
    };
    let connector = MailConnector::new(config).unwrap();
    let add = |number: i64| {
        let parent = if number == 0 {
            String::new()
        } else {
            (number - 1).to_string()
        };
        let mail = mail(
            &number.to_string(),
            &parent,
            number,
            ("ada", "bo@a.example"),
            "On it goes.",
        );
        std::fs::write(folder.path().join(format!("{number}.eml")), mail).unwrap();
    };
    (0..10).for_each(add);
    let mut before = list(&connector).await;
    assert_eq!(before.items.len(), 3);
    for number in 10..14 {
        add(number);
        let after = list(&connector).await;
        let tag = |listed: &Listed, key: &str| listed.items.get(key).and_then(|item| item.change_tag.clone());
        let changed = after
            .items
            .keys()
            .filter(|key| tag(&before, key) != tag(&after, key))
            .count();
        assert_eq!(changed, 1, "{number}");
        before = after;
    }
    let last = fetch(&connector, &before).await.pop().unwrap();
    assert!(
        text(&last)
            .starts_with("# Keys\n\nParticipants: ada@a.example, bo@a.example\nDate: 2026-01-05\nPart: 4\n"),
        "{}",
        text(&last)
    );
}

#[tokio::test]
async fn half_a_message_at_the_end_waits_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("box");
    let first = mail("1", "", 0, ("ada", "bo@a.example"), "Who has the keys?");
    std::fs::write(&root, mbox(&[first])).unwrap();
    let connector = connector(&root);
    let before = list(&connector).await;
    let answer = mbox(&[mail("2", "1", 1, ("bo", "ada@a.example"), "Theodora has them.")]);
    let (half, rest) = answer.split_at(answer.len() - 12);
    let mut file = std::fs::OpenOptions::new().append(true).open(&root).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    let during = list(&connector).await;
    assert_eq!(before.items, during.items);
    assert_eq!(
        during.left,
        [(
            "incomplete_message",
            "1 of the 2 messages are being written just now".to_owned()
        )]
    );
    assert!(!only_text(&connector).await.contains("Theodora"));
    file.write_all(rest.as_bytes()).unwrap();
    assert!(only_text(&connector).await.contains("Theodora has them."));
}

#[tokio::test]
async fn what_is_broken_or_left_out_is_told_and_hides_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let thread = [
        mail("1", "", 0, ("ada", "bo@a.example"), "Who has the keys?"),
        "\nno fields here\n".to_owned(),
        mail("2", "1", 1, ("bo", "ada@a.example"), "Theodora."),
        mail("2", "1", 1, ("bo", "ada@a.example"), "Theodora."),
        mail("3", "1", 2, ("bo", "ada@a.example"), &"x".repeat(5_000)),
        mail("4", "1", 2, ("bo", "ada@a.example"), "gone").replace("To:", "X-Mozilla-Status: 0009\nTo:"),
        mail("5", "1", 3, ("bo", "ada@a.example"), "gone").replace("To:", "X-Gmail-Labels: Spam,Work\nTo:"),
    ];
    let joined: String = thread
        .iter()
        .map(|mail| format!("{LINE}{mail}\n"))
        .collect::<String>()
        .replace(&format!("{LINE}\nno"), &format!("{LINE}>From \n\nno"));
    std::fs::write(root.join("box"), joined).unwrap();
    std::fs::write(root.join("broken.eml"), "no mail\n").unwrap();
    std::fs::write(root.join("notes.txt"), "no mail\n").unwrap();
    std::fs::write(root.join("Spam"), mbox(&[mail("6", "", 0, ("x", "y@x"), "buy")])).unwrap();
    std::fs::write(root.join("empty"), "").unwrap();
    std::fs::write(root.join(".hidden"), "hidden").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
    let config = MailConfig {
        exclude: vec!["spam".to_owned()],
        max_message_bytes: 4_000,
        ..MailConfig::new(vec![root.to_owned()])
    };
    let connector = MailConnector::new(config).unwrap();
    let listed = list(&connector).await;
    let mut codes: Vec<&str> = listed.left.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    let expected = [
        "deleted_message",
        "duplicate",
        "excluded_label",
        "link_not_followed",
        "message_broken",
        "message_broken",
        "not_mail",
        "too_large",
    ];
    assert_eq!(codes, expected, "{:?}", listed.left);
    assert_eq!((listed.account.messages, listed.account.in_threads), (8, 2));
    let text = only_text(&connector).await;
    assert!(text.contains("keys?") && text.contains("Theodora."), "{text}");
}

#[tokio::test]
async fn flags_and_moves_within_a_maildir_change_no_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for part in ["cur", "new", "tmp", ".Work.&ANw-ber/cur", ".Work.&ANw-ber/new"] {
        std::fs::create_dir_all(path(part)).unwrap();
    }
    std::fs::write(
        path("new/1.host"),
        mail("1", "", 0, ("ada", "bo@a.example"), "Who has the keys?"),
    )
    .unwrap();
    let answer = mail("2", "1", 1, ("bo", "ada@a.example"), "Theodora.");
    std::fs::write(path(".Work.&ANw-ber/cur/2.host:2,S"), answer).unwrap();
    let connector = connector(folder.path());
    let before = list(&connector).await;
    let all = fetch(&connector, &before).await;
    let folders = AttributeValue::TextList(vec!["INBOX".to_owned(), "Work/Über".to_owned()]);
    assert_eq!(all[0].attributes["folder"], folders);

    std::fs::rename(path("new/1.host"), path("cur/1.host:2,FS")).unwrap();
    let after = list(&connector).await;
    let tag = |listed: &Listed| listed.items.values().next().unwrap().change_tag.clone();
    assert_eq!(tag(&before), tag(&after), "a move");
    assert_eq!(only_text(&connector).await, text(&all[0]));
    assert_eq!(
        before.items.keys().collect::<Vec<_>>(),
        after.items.keys().collect::<Vec<_>>()
    );
    std::fs::rename(path("cur/1.host:2,FS"), path("cur/1.host:2,RS")).unwrap();
    assert_eq!(tag(&after), tag(&list(&connector).await), "a flag");
    std::fs::rename(path("cur/1.host:2,RS"), path("cur/1.host:2,ST")).unwrap();
    let trashed = list(&connector).await;
    assert_eq!(trashed.left[0].0, "deleted_message");
    assert_eq!(trashed.account.in_threads, 1);
}

#[tokio::test]
async fn what_is_attached_is_a_document_beside_its_thread() {
    let folder = tempfile::tempdir().unwrap();
    let body = "--b\nContent-Type: text/plain\n\nThe plan.\n--b\nContent-Type: application/pdf; name=\"=?utf-8?Q?Pl=C3=A4ne=2Epdf?=\"\n\
        Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQ=\n\
        --b\nContent-Type: application/pgp-signature\n\nsigned\n--b--\n";
    let mail = mail("1", "", 0, ("ada", "bo@a.example"), body).replace(
        "To:",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nTo:",
    );
    std::fs::write(folder.path().join("1.eml"), mail).unwrap();
    let connector = connector(folder.path());
    let listed = list(&connector).await;
    assert_eq!((listed.account.attachments, listed.account.signatures), (1, 1));
    assert_eq!(listed.left[0].0, "signature");
    let keys: Vec<&String> = listed.items.keys().collect();
    assert_eq!(keys.len(), 2);
    assert!(keys[1].starts_with(&format!("{}/", keys[0])), "{keys:?}");
    let all = fetch(&connector, &listed).await;
    assert!(
        text(&all[0]).ends_with("The plan.\n\nAttachments: Pläne.pdf\n"),
        "{}",
        text(&all[0])
    );
    assert_eq!(
        (&*all[1].bytes, all[1].file_name.as_str()),
        (b"%PDF-1.4".as_slice(), "Pläne.pdf")
    );
    assert_eq!(all[1].media_type.as_deref(), Some("application/pdf"));
    assert_eq!(
        all[1].attributes["attached_to"],
        AttributeValue::Text(keys[0].clone())
    );
    assert_eq!(listed.items[keys[1]].size_bytes, Some(8));
    for place in ["0", "2", "3", "99"] {
        let key = format!("{}/{place}", keys[1].rsplit_once('/').unwrap().0);
        let error = connector.fetch(&SourceItem::new(key, "")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{place}");
    }
}

#[tokio::test]
async fn a_root_that_is_gone_ends_the_listing_and_a_dropped_one_ends_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("box");
    std::fs::write(&root, mbox(&[mail("1", "", 0, ("ada", "bo@a.example"), "x")])).unwrap();
    let connector = connector(&root);
    drop(connector.list(None));
    assert_eq!(list(&connector).await.items.len(), 1);
    std::fs::remove_file(&root).unwrap();
    let mut events = connector.list(None);
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.code, events.next().await.is_none()),
        ("path_not_found", true)
    );
}

#[tokio::test]
async fn a_thread_stays_what_it_was_while_a_message_of_it_is_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mail");
    std::fs::create_dir(&root).unwrap();
    let with_file = mail("1", "", 0, ("ada", "bo@a.example"), "Who has the keys?");
    let files = [
        ("1.eml", with_file.clone()),
        ("2.eml", mail("2", "1", 1, ("bo", "ada@a.example"), "Theodora.")),
        (
            "3.eml",
            mail("3", "", 90, ("cy", "ada@a.example"), "Alone.").replace("Keys", "Other"),
        ),
        ("4.eml", "never was a message\n".to_owned()),
    ];
    for (name, content) in &files {
        std::fs::write(root.join(name), content).unwrap();
    }
    let boxed = [
        mail("5", "", 200, ("di", "ada@a.example"), "In a box.").replace("Keys", "Box"),
        mail("6", "", 400, ("ed", "ada@a.example"), "Beside it.").replace("Keys", "Beside"),
    ];
    std::fs::write(root.join("box"), mbox(&boxed)).unwrap();
    let connector = connector(&root);
    let whole = list(&connector).await;
    assert_eq!((whole.items.len(), whole.failed.len()), (4, 1));
    let cursor = whole.cursor.clone();
    let since = async |cursor: &Option<Cursor>| {
        let listed = list_since(&connector, cursor.as_ref()).await;
        let mut kept: Vec<String> = listed
            .failed
            .iter()
            .filter(|key| key.starts_with("threads/"))
            .cloned()
            .collect();
        kept.sort();
        (listed, kept)
    };
    // What never was a message holds nothing back.
    let (same, kept) = since(&cursor).await;
    assert!(kept.is_empty() && same.items == whole.items && same.gone.is_empty());

    let known = |listed: &Listed, kept: &[String]| {
        let mut known: Vec<String> = listed.items.keys().chain(kept).cloned().collect();
        known.sort();
        known
    };
    let all: Vec<String> = whole.items.keys().cloned().collect();
    for (name, lost) in [("2.eml", 1), ("3.eml", 1), ("box", 2)] {
        let content = std::fs::read(root.join(name)).unwrap();
        std::fs::write(root.join(name), "\u{1}garbage, as of a disk that failed").unwrap();
        let (broken, kept) = since(&cursor).await;
        assert_eq!(
            (kept.len(), broken.gone.len()),
            (lost, 0),
            "{name}: {:?}",
            broken.left
        );
        assert_eq!(known(&broken, &kept), all, "{name}");
        // It is remembered for as long as it lasts.
        let (again, kept_again) = since(&broken.cursor).await;
        assert_eq!((kept_again, again.gone.len()), (kept, 0), "{name}");
        std::fs::write(root.join(name), &content).unwrap();
        let (mended, kept) = since(&again.cursor).await;
        assert!(kept.is_empty() && mended.gone.is_empty(), "{name}");
        assert_eq!(mended.items.keys().cloned().collect::<Vec<_>>(), all, "{name}");
    }

    // One that was moved elsewhere isn't lost, and one that is taken away is gone.
    std::fs::write(root.join("7.eml"), &with_file).unwrap();
    std::fs::write(root.join("1.eml"), "garbage").unwrap();
    let (moved, kept) = since(&cursor).await;
    assert!(kept.is_empty() && moved.items.len() == 4, "{:?}", moved.left);
    std::fs::remove_file(root.join("3.eml")).unwrap();
    let (removed, kept) = since(&moved.cursor).await;
    assert_eq!((kept.len(), removed.items.len(), removed.gone.len()), (0, 3, 1));
}
