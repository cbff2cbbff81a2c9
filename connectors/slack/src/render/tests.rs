use std::collections::BTreeMap;

use lectern_domain::Acl;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::directory::{Conversation, Kind};
use crate::message::Record;

fn shown(value: &Value) -> Option<Shown> {
    let conversation = Conversation {
        id: "C1".to_owned(),
        kind: Kind::Public,
        folder: "general".to_owned(),
        name: "general".to_owned(),
        acl: Acl::nobody(),
    };
    let mut directory = Directory::default();
    directory.conversations = BTreeMap::from([("C1".to_owned(), conversation.clone())]);
    let scene = Scene {
        directory: &directory,
        conversation: &conversation,
    };
    match Record::read(value, scene) {
        Record::Message(message) => Some(message.shown),
        _ => None,
    }
}

#[test]
fn what_programs_write_in_blocks_is_said_once() {
    let value = json!({
        "type": "message", "ts": "1709283120.000100", "bot_id": "B1", "username": "deployer",
        "text": "Deploy failed",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Deploy failed"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*web* at <https://ci.example/1|build 1>"},
             "fields": [{"type": "mrkdwn", "text": "eu-1"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "by <@U9>"}, {"type": "image", "alt_text": "red"}]},
            {"type": "divider"},
        ],
        "attachments": [{"title": "Log", "title_link": "https://ci.example/log", "text": "line 1\nline 2", "fallback": "no"}],
    });
    insta::assert_snapshot!(shown(&value).unwrap().block, @r"
    **deployer**, 2024-03-01 08:52 UTC:
    Deploy failed

    **web** at [build 1](https://ci.example/1)
    eu-1

    by @U9 red

    > [Log](https://ci.example/log)
    > line 1
    > line 2
    ");
}

#[test]
fn a_text_in_blocks_alone_is_read_from_them() {
    let value = json!({
        "type": "message", "ts": "1709283120.000100", "user": "U1", "text": "",
        "blocks": [{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [
                {"type": "text", "text": "a < b ", "style": {}},
                {"type": "text", "text": "bold", "style": {"bold": true, "italic": true}},
                {"type": "text", "text": " in "},
                {"type": "channel", "channel_id": "C1"},
                {"type": "text", "text": " "},
                {"type": "broadcast", "range": "here"},
                {"type": "emoji", "name": "tada"},
                {"type": "link", "url": "https://a.example/?x|y", "text": "here"},
            ]},
            {"type": "rich_text_list", "style": "bullet", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
            ]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said\nbefore"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "let x = *1*;"}]},
        ]}],
    });
    insta::assert_snapshot!(shown(&value).unwrap().block, @r"
    **U1**, 2024-03-01 08:52 UTC:
    a < b **_bold_** in #general @here:tada:[here](https://a.example/?xy)
    - one
    - two
    > said
    > before
    ```
    let x = *1*;
    ```
    ");
}

#[test]
fn files_are_named_and_what_is_there_of_their_text_is_shown() {
    let value = json!({
        "type": "message", "ts": "1709283120.000100", "user": "U1", "text": "",
        "files": [
            {"id": "F1", "name": "run_it.sh", "preview": "echo ```\nexit"},
            {"id": "F2", "mode": "tombstone"},
            {"id": "F3", "title": "Plan", "url_private": "https://files.slack.com/x?t=xoxe-1"},
        ],
    });
    let shown = shown(&value).unwrap();
    insta::assert_snapshot!(shown.block, @r"
    **U1**, 2024-03-01 08:52 UTC:
    Attached: run_it.sh

    Attached: a file that was deleted

    Attached: Plan

    ````
    echo ```
    exit
    ````
    ");
    assert_eq!(shown.summary, "run_it.sh");
}

#[test]
fn a_message_of_nothing_is_none() {
    for text in ["", "  \n "] {
        let value =
            json!({"type": "message", "ts": "1709283120.000100", "user": "U1", "text": text, "files": []});
        assert!(shown(&value).is_none());
    }
}

proptest! {
    /// Wherever a token stands, and whatever stands around it, it goes no further.
    #[test]
    fn no_token_is_shown(
        before in "([*_~`<>@#!| ]|&lt;|x|xo|xox){0,6}",
        head in "xox[abceprs]|XOXE|xapp|xoxe.xoxp",
        after in "([*_~`<>@#!|&; ]|1|a){0,6}",
    ) {
        let token = format!("{before}{head}-12345-abc{after}");
        let value = json!({
            "type": "message", "ts": "1709283120.000100", "username": token, "text": token,
            "bot_id": "B1",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": format!("b {token}")}}],
            "attachments": [{"title": token, "title_link": format!("https://a.example/{token}"), "footer": token,
                "fields": [{"title": token, "value": token}]}],
            "files": [{"id": "F1", "name": token, "preview": token}],
            "reactions": [{"name": token, "count": 1}],
        });
        let shown = serde_json::to_string(&shown(&value).unwrap()).unwrap().to_lowercase();
        prop_assert!(!shown.contains("12345"), "{shown}");
    }
}
