//! A private message is found by the members of its conversation and by nobody else, in a generated export of a whole
//! workspace; no token of it is anywhere; and every message is in a document or left out by a reason.
//!
//! The caller of the program is `user:operator`. So each round has another person of the workspace bear that name, and what
//! is found goes through the read scope as it does for everybody. `LECTERN_TEST_SLACK_MESSAGES=100000` makes it the whole
//! workspace; documents needn't have their vectors for it.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::jobs::Job;
use crate::harness::lectern::KB;
use crate::harness::{Outcome, Server, Workplace};

#[allow(dead_code, reason = "the tests of the connector use the rest")]
#[path = "../connectors/slack/tests/workspace/mod.rs"]
mod workspace;

use workspace::{Size, Workspace, user};

/// Messages where nothing else is said.
const MESSAGES: usize = 3_000;
const SEED: u64 = 20_261_121;
/// Of the messages that everybody may find, every so manieth is looked for.
const PUBLIC_EVERY: usize = 10;
/// How the tokens of the workspace begin.
const TOKENS: [&[u8]; 2] = [b"xoxe-", b"xoxb-"];

fn size() -> Size {
    let set = std::env::var("LECTERN_TEST_SLACK_MESSAGES").ok();
    let messages = set.map_or(MESSAGES, |messages| messages.parse().unwrap());
    Size {
        messages,
        conversations: (messages / 500).clamp(20, 200),
        threads: messages / 20,
    }
}

fn path(rest: &str) -> String {
    format!("/knowledge-bases/{KB}/{rest}")
}

/// A server over an export in which that person is called `operator`.
fn serve(lectern: &Workplace, workspace: &Workspace) -> Server {
    let export = lectern.elsewhere("export");
    workspace.write_folder(&export);
    let config = json!({
        "kind": "slack", "export": export, "workspace_url": "https://acme.slack.com",
        "workspace_access": ["user:operator"], "members_as": "name",
    });
    let file = lectern.elsewhere("slack.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut add = lectern.program();
    add.args([
        "source", "add", "--create", "--kb", KB, "--name", "slack", "--config",
    ])
    .arg(file);
    Outcome::of(add).exits(0);
    Server::start(lectern)
}

/// Syncs until everything can be found by its words. Its vectors aren't asked for, so nobody waits for them.
fn sync(server: &Server) {
    let job = Job::sync(server, "slack");
    job.follow(|now| now["progress"]["words_complete"] == true || now["state"] == "complete");
    job.stop();
}

/// All documents of the source, a page at a time.
fn documents(server: &Server) -> Vec<Value> {
    let mut all = Vec::new();
    let mut query = "documents?limit=1000".to_owned();
    loop {
        let page = server.get(&path(&query)).is(200).json();
        all.extend(page["documents"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            None => return all,
            Some(cursor) => query = format!("documents?limit=1000&cursor={cursor}"),
        }
    }
}

/// Messages in documents, and those that were left out as the reasons say it.
fn account(documents: &[Value]) -> (u64, u64) {
    let (mut indexed, mut left_out) = (0, 0);
    for document in documents {
        match document["status"].as_str().unwrap() {
            "indexed" => indexed += document["attributes"]["message_count"].as_f64().unwrap() as u64,
            "skipped" => {
                let reason = document["reason"].as_str().unwrap();
                let (_, told) = reason.split_once(": ").unwrap();
                left_out += told.split(' ').next().unwrap().parse::<u64>().unwrap();
            }
            other => panic!("{other}: {document:#}"),
        }
    }
    (indexed, left_out)
}

/// Whether a word is found, in a passage that has it.
fn finds(server: &Server, word: &str) -> bool {
    let body = json!({ "text": word, "mode": "lexical", "limit": 20 });
    let found = server.post(&path("search"), &body).is(200).json();
    let passages = found["passages"].as_array().unwrap();
    passages
        .iter()
        .any(|passage| passage["text"].as_str().unwrap().contains(word))
}

fn assert_no_token(folder: &Path) -> usize {
    let mut files = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_no_token(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            files += 1;
            for token in TOKENS {
                let is_there = bytes.windows(token.len()).any(|window| window == token);
                assert!(!is_there, "{}", path.display());
            }
        }
    }
    files
}

/// A round with that person as the operator.
fn round(workspace: &mut Workspace, size: Size, operator: u64) {
    workspace.operator = Some(operator);
    let lectern = Workplace::new();
    let start = Instant::now();
    let server = serve(&lectern, workspace);
    sync(&server);
    println!(
        "{} messages can be found after {:.1?}",
        size.messages,
        start.elapsed()
    );

    let documents = documents(&server);
    let (indexed, left_out) = account(&documents);
    println!(
        "{} documents, {indexed} messages in them, {left_out} left out",
        documents.len()
    );
    assert_eq!(left_out, workspace.left_out.values().sum::<u64>());
    assert_eq!(indexed, workspace.marks.len() as u64);
    let all = size.messages / size.conversations * size.conversations;
    assert_eq!(indexed + left_out, all as u64, "every message of the export");

    let (mut found, mut hidden) = (0, 0);
    let asking = Instant::now();
    for (number, (word, mark)) in workspace.marks.iter().enumerate() {
        let conversation = &workspace.conversations[&mark.conversation];
        if !conversation.is_private && number % PUBLIC_EVERY != 0 {
            continue;
        }
        let may_read = !conversation.is_private || conversation.members.contains(&user(operator));
        assert_eq!(finds(&server, word), may_read, "{word} in {}", mark.conversation);
        match may_read {
            true => found += 1,
            false => hidden += 1,
        }
    }
    println!(
        "user {operator}: {found} messages looked for and found, {hidden} looked for and not found, in {:.1?}",
        asking.elapsed()
    );
    assert!(found > 0 && hidden > 0);
    assert_eq!(
        server.metric("lectern_recheck_dropped_total"),
        0.0,
        "the indexes let something through"
    );
    println!("{} files without a token", assert_no_token(&lectern.data()));
}

#[test]
fn a_private_message_is_found_by_its_members_alone() {
    println!("seed {SEED}");
    let size = size();
    let mut workspace = Workspace::generate(SEED, size);
    let is_private = workspace
        .conversations
        .values()
        .filter(|conversation| conversation.is_private);
    let members: Vec<String> = is_private
        .map(|conversation| conversation.members[0].clone())
        .collect();
    // One of a direct message, and one of a group's.
    for member in [members.first(), members.last()] {
        let number = member.unwrap()[1..].parse().unwrap();
        round(&mut workspace, size, number);
    }
}
