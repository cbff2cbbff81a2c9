//! An export of a Slack workspace: its threads are found whole, by whom their conversation allows; a newer export brings
//! in what is new in it, and no token of it reaches the disk.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::lectern::KB;
use crate::harness::{Outcome, Workplace};

/// A word that stands in what the operator may not read.
const CANARY: &str = "zyzzyvacanary";
/// In the address of a file, as Slack gives exports out.
const TOKEN: &str = "xoxe-4242424242-canarytoken";

const FRIDAY: i64 = 1_709_283_600;

fn message(minute: i64, user: &str, text: &str) -> Value {
    json!({"type": "message", "user": user, "text": text, "ts": format!("{}.000100", FRIDAY + minute * 60)})
}

fn reply(minute: i64, user: &str, text: &str, to: i64) -> Value {
    let mut reply = message(minute, user, text);
    reply["thread_ts"] = json!(format!("{}.000100", FRIDAY + to * 60));
    reply
}

fn write(export: &Path, name: &str, content: &Value) {
    let path = export.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content.to_string()).unwrap();
}

/// An export with six documents, and a source of it.
fn workplace() -> Workplace {
    let lectern = Workplace::new();
    let export = lectern.elsewhere("export");
    let user =
        |id: &str, name: &str, real: &str| json!({"id": id, "name": name, "profile": {"real_name": real}});
    let users = json!([
        user("UADA", "ada", "Ada Lovelace"),
        user("UOP", "operator", "Odd Operator")
    ]);
    write(&export, "users.json", &users);
    write(
        &export,
        "channels.json",
        &json!([{"id": "CGEN", "name": "general", "members": ["UADA", "UOP"]}]),
    );
    let groups = json!([
        {"id": "GSECRET", "name": "secret", "members": ["UADA"]},
        {"id": "GMINE", "name": "mine", "members": ["UADA", "UOP"]},
    ]);
    write(&export, "groups.json", &groups);
    write(
        &export,
        "dms.json",
        &json!([{"id": "DOTHER", "members": ["UADA", "UNKNOWN"]}]),
    );
    write(&export, "mpims.json", &json!([]));
    let url = format!("https://files.slack.com/files-pri/T1-F1/plan.pdf?t={TOKEN}");
    let mut with_file = message(
        3,
        "UADA",
        &format!("The plan of the harbour: <{url}|here>, or {TOKEN}"),
    );
    with_file["files"] = json!([{"id": "F1", "name": "plan.pdf", "url_private": url}]);
    let mut joined = message(0, "UADA", "<@UADA> has joined the channel");
    joined["subtype"] = json!("channel_join");
    let first_day = json!([
        joined,
        message(1, "UADA", "Who has the keys to the lighthouse?"),
        reply(2, "UOP", "Theodora keeps them, says <@UADA>.", 1),
        with_file,
        message(300, "UOP", "The ferry to Skagen leaves at dawn."),
    ]);
    write(&export, "general/2024-03-01.json", &first_day);
    let days_later = json!([reply(4000, "UADA", "They hang behind the barometer now.", 1)]);
    write(&export, "general/2024-03-04.json", &days_later);
    let secret = json!([message(1, "UADA", &format!("The merger is called {CANARY}."))]);
    write(&export, "secret/2024-03-01.json", &secret);
    write(&export, "DOTHER/2024-03-01.json", &secret);
    write(
        &export,
        "mine/2024-03-01.json",
        &json!([message(1, "UADA", "The anchor weighs nine tons.")]),
    );

    let config = lectern.elsewhere("slack.toml");
    let text = format!(
        "kind = \"slack\"\nexport = {export:?}\nworkspace_url = \"https://acme.slack.com\"\n\
         workspace_access = [\"everyone\"]\nmembers_as = \"name\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut add = lectern.program();
    add.args([
        "--json", "source", "add", "--create", "--kb", KB, "--name", "slack", "--config",
    ])
    .arg(config);
    let added = Outcome::of(add).exits(0).json();
    assert_eq!(added["source"]["kind"], "slack", "{added:#}");
    lectern
}

fn sync(lectern: &Workplace) -> Outcome {
    lectern.run(["source", "sync", "--kb", KB, "slack"])
}

fn texts(lectern: &Workplace, mode: &str, question: &str) -> Vec<String> {
    let passages = lectern.search(mode, question);
    let text = |passage: &Value| passage["text"].as_str().unwrap().to_owned();
    passages.iter().map(text).collect()
}

#[test]
fn a_thread_is_found_whole_and_what_is_private_by_its_members_alone() {
    let lectern = workplace();
    let counts = sync(&lectern).exits(0).counts();
    assert_eq!((counts.new, counts.skipped, counts.failed), (6, 1, 0));

    let found = lectern.search("lexical", "lighthouse keys");
    let text = found[0]["text"].as_str().unwrap();
    for part in [
        "Who has the keys",
        "Theodora keeps them, says @Ada Lovelace",
        "behind the barometer",
    ] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    assert_eq!(
        found[0]["uri"],
        "https://acme.slack.com/archives/CGEN/p1709283660000100"
    );
    assert_eq!(
        lectern.found("anchor"),
        ["p1709283660000100"],
        "the operator is a member"
    );
    for mode in ["lexical", "vector", "hybrid"] {
        for question in [CANARY, "what is the merger called"] {
            let texts = texts(&lectern, mode, question);
            assert!(
                texts.iter().all(|text| !text.contains(CANARY)),
                "{mode} {question}: {texts:?}"
            );
        }
    }
    let skipped = lectern
        .run(["source", "status", "--kb", KB, "slack", "--status", "skipped"])
        .exits(0)
        .json();
    let reason = skipped["documents"][0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("join_or_leave: 1 of the 6 messages in #general"),
        "{reason}"
    );
    assert_no_token(&lectern.data());
    lectern.assert_sound();
}

#[test]
fn a_newer_export_brings_what_is_new_and_a_broken_one_takes_nothing() {
    let lectern = workplace();
    let export = lectern.elsewhere("export");
    sync(&lectern).exits(0);
    let again = sync(&lectern).exits(0).counts();
    assert_eq!(
        (again.new, again.modified, again.unchanged, again.deleted),
        (0, 0, 6, 0)
    );

    // A late reply, a message within the pause, and one that is gone.
    let late = json!([
        reply(4000, "UADA", "They hang behind the barometer now.", 1),
        reply(4001, "UOP", "Behind the hygrometer, since Sunday.", 1),
    ]);
    write(&export, "general/2024-03-04.json", &late);
    std::fs::remove_file(export.join("mine/2024-03-01.json")).unwrap();
    let newer = sync(&lectern).exits(0).counts();
    assert_eq!(
        (newer.new, newer.modified, newer.unchanged, newer.deleted),
        (0, 1, 4, 1)
    );
    assert_eq!(lectern.found("hygrometer"), ["p1709283660000100"]);
    assert_eq!(lectern.found("anchor"), [""; 0]);

    std::fs::write(
        export.join("general/2024-03-04.json"),
        format!("[{{\"text\": \"{TOKEN}"),
    )
    .unwrap();
    let broken = sync(&lectern).exits(4);
    let counts = broken.counts();
    assert_eq!((counts.failed, counts.deleted), (1, 0));
    assert!(
        broken.stdout.contains("general/2024-03-04.json"),
        "{}",
        broken.stdout
    );
    assert!(
        !broken.stdout.contains("xoxe") && !broken.stderr.contains("xoxe"),
        "{}",
        broken.stdout
    );
    assert_eq!(
        lectern.found("hygrometer"),
        ["p1709283660000100"],
        "what was there stays"
    );

    std::fs::remove_file(export.join("users.json")).unwrap();
    assert_ne!(sync(&lectern).code, 0);
    assert_eq!(
        lectern.found("hygrometer"),
        ["p1709283660000100"],
        "what was there stays"
    );
    assert_no_token(&lectern.data());
    lectern.assert_sound();
}

/// No file of a folder has the token in it.
fn assert_no_token(folder: &Path) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_token(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let wanted = TOKEN.as_bytes();
        assert!(
            !bytes.windows(wanted.len()).any(|window| window == wanted),
            "{}",
            path.display()
        );
    }
}
