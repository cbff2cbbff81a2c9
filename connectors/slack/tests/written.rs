//! A small export by hand with everything that a workspace can write, and all that becomes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use lectern_connector_slack::{Account, MembersAs, SlackConfig, SlackConnector};
use lectern_domain::ports::{Connector, ListEvent, SourceItem};
use lectern_domain::{Acl, ErrorKind, PortError, Principal};
use serde_json::{Value, json};

fn written() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/written")
}

fn config(export: PathBuf) -> SlackConfig {
    SlackConfig {
        workspace_url: Some("https://acme.slack.com/".to_owned()),
        ..SlackConfig::new(export)
    }
}

/// A copy of the export to be changed.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&written(), folder.path());
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
}

async fn events(connector: &SlackConnector) -> Vec<Result<ListEvent, PortError>> {
    connector.list(None).collect().await
}

async fn lines(connector: &SlackConnector) -> Vec<String> {
    let line = |event: Result<ListEvent, PortError>| match event {
        Ok(ListEvent::Item(item)) => item.key,
        Ok(ListEvent::Skipped { item, code, reason }) => format!("skipped {} {code}: {reason}", item.key),
        Ok(ListEvent::Failed { item, code, reason }) => format!("failed {} {code}: {reason}", item.key),
        Err(error) => format!("error {}: {error}", error.code),
        other => format!("{other:?}"),
    };
    events(connector).await.into_iter().map(line).collect()
}

async fn documents(connector: &SlackConnector) -> Vec<SourceItem> {
    let items = events(connector)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Ok(ListEvent::Item(item)) => Some(item),
            _ => None,
        });
    items.collect()
}

#[tokio::test]
async fn everything_that_is_written_is_shown_or_left_out_by_name() {
    let connector = SlackConnector::new(config(written())).unwrap();
    insta::assert_snapshot!("events", lines(&connector).await.join("\n"));
    let mut all = String::new();
    for item in documents(&connector).await {
        let fetched = connector.fetch(&item).await.unwrap();
        assert_eq!(
            item.size_bytes.unwrap(),
            fetched.bytes.len() as u64,
            "{}",
            item.key
        );
        let attributes = serde_json::to_string_pretty(&fetched.attributes).unwrap();
        let readers: Vec<String> = fetched
            .acl
            .unwrap()
            .allow
            .iter()
            .map(Principal::to_string)
            .collect();
        writeln!(
            all,
            "=== {} <{}>\n{} {:?} {:?}\nreaders: {}\n{attributes}\n---\n{}",
            item.key,
            item.uri,
            fetched.file_name,
            fetched.title,
            fetched.media_type,
            readers.join(" "),
            String::from_utf8_lossy(&fetched.bytes)
        )
        .unwrap();
    }
    assert!(!all.to_lowercase().contains("xox"), "{all}");
    insta::assert_snapshot!("documents", all);
    let account = connector.account().unwrap();
    assert!(account.adds_up());
    insta::assert_snapshot!("account", format!("{account:#?}"));
}

#[tokio::test]
async fn a_broken_day_costs_that_day_and_deletes_nothing() {
    let folder = copy();
    let whole = SlackConnector::new(config(written())).unwrap();
    let before: Vec<String> = documents(&whole).await.into_iter().map(|item| item.key).collect();
    let day = folder.path().join("general/2024-03-03.json");
    std::fs::write(&day, "[{\"type\": \"message\", \"text\": \"xoxe-1-2\", ").unwrap();
    let connector = SlackConnector::new(config(folder.path().to_owned())).unwrap();
    let told = lines(&connector).await;
    let failed: Vec<&String> = told.iter().filter(|line| line.starts_with("failed")).collect();
    assert_eq!(failed.len(), 1, "{told:#?}");
    assert!(
        failed[0].starts_with("failed CGEN/ broken_json: general/2024-03-03.json of the export"),
        "{failed:?}"
    );
    assert!(!failed[0].contains("xox"), "{failed:?}");
    let readers: Vec<_> = events(&connector)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Ok(ListEvent::Readers { key, acl }) => Some((key, acl)),
            _ => None,
        })
        .collect();
    let workspace = Acl::allowing([Principal::Group("slack".to_owned())]);
    assert_eq!(readers, [("CGEN/".to_owned(), workspace)], "who reads what stays");
    // The thread whose last reply was on that day stays as it was; what ended before is listed.
    let after: Vec<String> = documents(&connector)
        .await
        .into_iter()
        .map(|item| item.key)
        .collect();
    let thread = "CGEN/1709283780.000100";
    assert!(
        before.contains(&thread.to_owned()) && !after.contains(&thread.to_owned()),
        "{after:?}"
    );
    assert!(after.contains(&"CGEN/1709294400.000100".to_owned()), "{after:?}");
    assert!(after.contains(&"GPLAN/1709283600.000100".to_owned()), "{after:?}");
    let error = connector.fetch(&SourceItem::new(thread, "")).await.unwrap_err();
    assert_eq!(
        (error.code, error.kind),
        ("day_unreadable", ErrorKind::Unavailable)
    );
    let account = connector.account().unwrap();
    assert!(account.adds_up(), "{account:?}");
    assert_eq!(
        (account.days_unreadable, account.left_out["day_unreadable"] > 0),
        (1, true)
    );
}

#[tokio::test]
async fn a_list_that_is_lost_or_broken_ends_the_listing() {
    let folder = copy();
    let path = folder.path().to_owned();
    std::fs::remove_file(path.join("groups.json")).unwrap();
    let connector = SlackConnector::new(config(path.clone())).unwrap();
    let told = lines(&connector).await;
    assert!(
        told.iter()
            .any(|line| line.starts_with("failed plans/ conversation_unlisted: 2 messages")),
        "{told:#?}"
    );
    let last = told.last().unwrap();
    assert!(
        last.starts_with("error conversation_unlisted") && last.contains("groups.json"),
        "{last}"
    );
    assert!(connector.account().is_none());

    let mut without = config(path.clone());
    without.exclude = vec!["plans".to_owned(), "CGEN".to_owned()];
    let told = lines(&SlackConnector::new(without).unwrap()).await;
    assert!(
        told.iter()
            .all(|line| !line.contains("plans") && !line.contains("CGEN")),
        "{told:#?}"
    );
    assert!(told.iter().all(|line| !line.starts_with("error")), "{told:#?}");

    std::fs::write(path.join("channels.json"), "[{\"name\": \"xoxe-1\"").unwrap();
    let error = SlackConnector::new(config(path.clone())).unwrap_err();
    assert_eq!(error.code(), "export_list_broken");
    assert!(!error.to_string().contains("xox"), "{error}");
    assert_eq!(
        events(&connector)
            .await
            .last()
            .unwrap()
            .as_ref()
            .unwrap_err()
            .code,
        "export_list_broken"
    );
    std::fs::remove_file(path.join("users.json")).unwrap();
    assert_eq!(
        SlackConnector::new(config(path)).unwrap_err().code(),
        "not_an_export"
    );
}

#[tokio::test]
async fn members_are_named_as_is_asked_and_the_unknown_are_nobody() {
    for (members_as, expected) in [
        (
            MembersAs::Email,
            ["user:UDORA", "user:ada@acme.example"].as_slice(),
        ),
        (MembersAs::Name, &["user:ada", "user:dora"]),
        (MembersAs::Id, &["user:UADA", "user:UDORA"]),
    ] {
        let config = SlackConfig {
            members_as,
            workspace_access: vec![Principal::Everyone],
            ..config(written())
        };
        let connector = SlackConnector::new(config).unwrap();
        let acl = async |key: &str| {
            connector
                .fetch(&SourceItem::new(key, ""))
                .await
                .unwrap()
                .acl
                .unwrap()
        };
        let plans = acl("GPLAN/1709283600.000100").await;
        let readers: Vec<String> = plans.allow.iter().map(Principal::to_string).collect();
        assert_eq!(readers, expected);
        assert_eq!(acl("CGEN/1709294400.000100").await, Acl::everyone());
    }
}

#[tokio::test]
async fn a_folder_of_two_conversations_is_nobodys() {
    let folder = copy();
    let groups = r#"[{"id": "GPLAN", "name": "plans", "members": ["UADA"]}, {"id": "GOLD", "name": "plans", "members": ["UBO"]}]"#;
    std::fs::write(folder.path().join("groups.json"), groups).unwrap();
    let connector = SlackConnector::new(config(folder.path().to_owned())).unwrap();
    let told = lines(&connector).await;
    for id in ["GPLAN", "GOLD"] {
        assert!(
            told.iter()
                .any(|line| line.starts_with(&format!("failed {id}/ folder_contested"))),
            "{told:#?}"
        );
    }
    assert!(told.iter().all(|line| !line.starts_with("GPLAN/17")), "{told:#?}");
}

#[tokio::test]
async fn what_is_gone_from_a_newer_export_is_not_found() {
    let folder = copy();
    let connector = SlackConnector::new(config(folder.path().to_owned())).unwrap();
    let items = documents(&connector).await;
    let day = folder.path().join("plans/2024-03-01.json");
    std::fs::write(
        &day,
        r#"[{"type": "message", "user": "UADA", "text": "other words", "ts": "1709283600.000100"}]"#,
    )
    .unwrap();
    let plans = items.iter().find(|item| item.key.starts_with("GPLAN/")).unwrap();
    let fetched = connector.fetch(plans).await.unwrap();
    assert!(String::from_utf8_lossy(&fetched.bytes).contains("other words"));
    std::fs::remove_file(&day).unwrap();
    assert_eq!(
        connector.fetch(plans).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    // A larger bound than a file has is an error of that file alone.
    let small = SlackConfig {
        max_entry_bytes: 3_000,
        ..config(folder.path().to_owned())
    };
    let told = lines(&SlackConnector::new(small).unwrap()).await;
    assert!(
        told.iter().any(|line| line.starts_with("failed CGEN/ too_large")),
        "{told:#?}"
    );
    assert!(told.iter().any(|line| line.starts_with("DADABO/")), "{told:#?}");
}

/// Reads an export whose channel has these records, each on a day of its own, in this order.
async fn read_in_order(records: &[&Value]) -> (String, Account) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("users.json", r#"[{"id": "UADA", "name": "ada"}]"#);
    write(
        "channels.json",
        r#"[{"id": "CGEN", "name": "general", "members": []}]"#,
    );
    write("__uploads/FPLAN/plan.txt", "the plan");
    for (day, record) in records.iter().enumerate() {
        let day = format!("general/2024-03-{:02}.json", day + 1);
        write(&day, &json!([record]).to_string());
    }
    let connector = SlackConnector::new(config(folder.path().to_owned())).unwrap();
    let mut all = String::new();
    for item in documents(&connector).await {
        let fetched = connector.fetch(&item).await.unwrap();
        writeln!(all, "{} {}", item.key, String::from_utf8_lossy(&fetched.bytes)).unwrap();
    }
    let account = connector.account().unwrap();
    assert!(account.adds_up(), "{account:?}");
    assert_eq!(account.messages, records.len() as u64);
    (all, account)
}

/// That in both orders of the records as many messages stand in documents, and as many are left out for each reason. Gives all
/// that the documents say.
async fn read_both_ways(records: &[&Value], indexed: u64, left_out: &[(&'static str, u64)]) -> [String; 2] {
    let there = read_in_order(records).await;
    let backwards: Vec<&Value> = records.iter().rev().copied().collect();
    let back = read_in_order(&backwards).await;
    let left_out: BTreeMap<&str, u64> = left_out.iter().copied().collect();
    [there, back].map(|(all, account)| {
        assert_eq!(
            (account.indexed, &account.left_out),
            (indexed, &left_out),
            "{all}"
        );
        all
    })
}

fn said(at: &str, text: &str) -> Value {
    json!({"type": "message", "user": "UADA", "text": text, "ts": at})
}

/// A record of the second `at` that a message is this now.
fn changed(at: u64, message: &Value) -> Value {
    json!({"type": "message", "subtype": "message_changed", "hidden": true, "ts": format!("{at}.000000"), "message": message})
}

#[tokio::test]
async fn a_message_that_was_deleted_and_left_its_replies_is_not_told_in_whatever_order_its_records_come() {
    const ROOT: &str = "1709283600.000100";
    let mut root = said(ROOT, "said in anger");
    root["reply_count"] = json!(1);
    root["files"] = json!([{"id": "FPLAN", "name": "plan.txt"}]);
    let mut reply = said("1709283700.000100", "an answer that stays");
    reply["thread_ts"] = json!(ROOT);
    let mut tombstone = said(ROOT, "This message was deleted.");
    tombstone["subtype"] = json!("tombstone");
    let deletion = changed(1_709_290_000, &tombstone);
    let left_out = [("deleted_message", 2)];
    for all in read_both_ways(&[&root, &reply, &deletion], 1, &left_out).await {
        assert!(
            !all.contains("anger") && !all.contains("plan") && all.contains("an answer that stays"),
            "{all}"
        );
    }
    // What was deleted stays so, whatever state of it is newer.
    let late = changed(1_709_295_000, &root);
    let left_out = [("deleted_message", 2), ("superseded_message", 1)];
    for all in read_both_ways(&[&root, &late, &reply, &deletion], 1, &left_out).await {
        assert!(!all.contains("anger"), "{all}");
    }
}

#[tokio::test]
async fn a_message_that_an_edit_left_empty_is_not_told_until_it_is_written_anew() {
    const AT: &str = "1709283600.000100";
    let mut first = said(AT, "a slip");
    first["files"] = json!([{"id": "FPLAN", "name": "plan.txt"}]);
    let neighbour = said("1709283650.000100", "a neighbour");
    let emptied = changed(1_709_290_000, &said(AT, ""));
    let left_out = [("empty_message", 1), ("superseded_message", 1)];
    for all in read_both_ways(&[&first, &neighbour, &emptied], 1, &left_out).await {
        assert!(
            !all.contains("slip") && !all.contains("plan") && all.contains("a neighbour"),
            "{all}"
        );
    }
    let anew = changed(1_709_295_000, &said(AT, "said better"));
    for all in read_both_ways(&[&first, &neighbour, &emptied, &anew], 2, &left_out).await {
        assert!(
            !all.contains("slip") && all.contains("said better") && all.contains("a neighbour"),
            "{all}"
        );
    }
}

#[tokio::test]
async fn a_file_that_several_messages_share_stays_for_as_long_as_one_of_them_does() {
    let sharing = |at: &str| {
        let mut message = said(at, "here it is");
        message["files"] = json!([{"id": "FPLAN", "name": "plan.txt", "mimetype": "text/plain"}]);
        message
    };
    let (first, second) = (sharing("1709283600.000100"), sharing("1709370000.000100"));
    let deleted = json!({"type": "message", "subtype": "message_deleted", "deleted_ts": "1709283600.000100",
                         "ts": "1709456400.000100"});
    let left_out = [("deleted_message", 2)];
    for all in read_both_ways(&[&first, &second, &deleted], 1, &left_out).await {
        assert!(all.contains("the plan"), "{all}");
    }
}
