//! The command line: help, exit codes, and errors that say what, why and what to do. None of these
//! needs a model.

use crate::harness::{Outcome, Workplace};

#[test]
fn help_names_every_command_and_an_example() {
    let help = Workplace::bare().type_in(&["--help"]).exits(0).stdout;
    for command in [
        "demo",
        "serve",
        "kb",
        "ingest",
        "search",
        "ask",
        "models",
        "eval",
        "bench",
        "analytics",
        "fsck",
    ] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is missing:\n{help}"
        );
    }
    assert!(help.contains("Examples:"), "{help}");
    assert!(
        !help.contains("extract-worker"),
        "a hidden command is shown:\n{help}"
    );

    let codes = Workplace::bare().type_in(&["help", "exit-codes"]).exits(0).stdout;
    assert!(codes.contains("some documents failed"), "{codes}");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_no_command_with_help() {
    let lectern = Workplace::bare();
    assert_eq!(lectern.type_in(&["frobnicate"]).code, 2);
    lectern
        .type_in(&["search", "--kb", "papers", "--mode", "psychic", "x"])
        .exits(2);
    assert!(lectern.type_in(&[]).stderr.contains("Usage: lectern"));
}

#[test]
fn a_knowledge_base_is_made_listed_and_deleted() {
    let lectern = Workplace::bare();
    lectern
        .type_in(&["kb", "create", "papers", "--description", "What we cite"])
        .exits(0);

    let listed = lectern.type_in(&["kb", "list", "--json"]).exits(0).json();
    let papers = &listed["knowledge_bases"][0];
    assert_eq!(papers["name"], "papers");
    assert_eq!(papers["description"], "What we cite");
    assert_eq!(papers["document_count"], 0);
    assert!(
        lectern
            .type_in(&["kb", "list"])
            .exits(0)
            .stdout
            .contains("papers")
    );

    lectern.type_in(&["kb", "delete", "papers"]).exits(0);
    assert_eq!(
        lectern.type_in(&["kb", "list", "--json"]).exits(0).json()["knowledge_bases"],
        serde_json::json!([])
    );
}

#[test]
fn an_error_says_what_and_what_to_do_and_has_its_exit_code() {
    let lectern = Workplace::bare();
    lectern.type_in(&["kb", "create", "papers"]).exits(0);
    for (arguments, code, words) in [
        (
            &["kb", "create", "papers"][..],
            5,
            "already a knowledge base \"papers\"",
        ),
        (
            &["kb", "create", "Not A Name"],
            2,
            "1 to 64 of the characters a-z, 0-9, - and _",
        ),
        (&["kb", "delete", "other"], 3, "no knowledge base \"other\""),
        (
            &["search", "--kb", "other", "words"],
            3,
            "no knowledge base \"other\"",
        ),
        (&["ask", "--kb", "other", "words"], 3, "`lectern kb list`"),
        (&["search", "--kb", "papers", " "], 2, "hint:"),
        (
            &["ingest", "--kb", "papers", "/no/such/folder"],
            3,
            "/no/such/folder",
        ),
        (&["eval", "/no/such/folder"], 3, "corpus.jsonl"),
        (&["models", "verify", "gpt-17"], 3, "gpt-17"),
    ] {
        let outcome = lectern.type_in(arguments);
        assert_eq!(outcome.code, code, "{arguments:?}: {outcome:#?}");
        assert!(
            outcome.stderr.starts_with("error: "),
            "{arguments:?}: {outcome:#?}"
        );
        assert!(outcome.stderr.contains(words), "{arguments:?}: {outcome:#?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}

#[test]
fn an_error_can_be_read_by_a_program() {
    let lectern = Workplace::bare();
    let outcome = lectern.type_in(&["search", "--kb", "papers", "--json", "words"]);
    let error: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(error["error"]["code"], "kb_not_found");
    assert!(
        error["error"]["hint"].as_str().unwrap().contains("lectern kb"),
        "{error}"
    );
}

#[test]
fn a_misspelt_setting_is_refused_by_name() {
    let lectern = Workplace::bare();
    std::fs::write(lectern.data().join("lectern.toml"), "[server]\nprot = 8081\n").unwrap();
    let outcome = lectern.type_in(&["kb", "list"]);
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert!(
        outcome.stderr.contains("prot") && outcome.stderr.contains("lectern.toml"),
        "{outcome:#?}"
    );

    let lectern = Workplace::bare();
    let mut command = lectern.program();
    command.args(["kb", "list"]).env("LECTERN_SERVER__PROT", "1");
    assert!(Outcome::of(command).exits(2).stderr.contains("prot"));
}

#[test]
fn a_taken_port_is_told_before_anything_is_done() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let lectern = Workplace::bare();
    for arguments in [["serve", "--port", &port], ["demo", "--port", &port]] {
        let outcome = lectern.type_in(&arguments);
        assert_eq!(outcome.code, 5, "{outcome:#?}");
        assert!(
            outcome.stderr.contains(&port) && outcome.stderr.contains("--port"),
            "{outcome:#?}"
        );
    }
}
