//! The command line: help, exit codes, and errors that say what, why and what to do. None of these
//! needs a model.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::binary::Installation;

#[test]
fn help_names_every_command_and_an_example() {
    let help = Installation::new().succeed(&["--help"]).stdout;
    for command in [
        "demo", "serve", "kb", "ingest", "search", "ask", "models", "eval", "bench", "fsck",
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

    let codes = Installation::new().succeed(&["help", "exit-codes"]).stdout;
    assert!(codes.contains("some documents failed"), "{codes}");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_no_command_with_help() {
    let lectern = Installation::new();
    assert_eq!(lectern.run(&["frobnicate"]).code, 2);
    assert_eq!(
        lectern
            .run(&["search", "--kb", "papers", "--mode", "psychic", "x"])
            .code,
        2
    );
    assert!(lectern.run(&[]).stderr.contains("Usage: lectern"));
}

#[test]
fn a_knowledge_base_is_made_listed_and_deleted() {
    let lectern = Installation::new();
    lectern.succeed(&["kb", "create", "papers", "--description", "What we cite"]);

    let listed = lectern.succeed(&["kb", "list", "--json"]).json();
    let papers = &listed["knowledge_bases"][0];
    assert_eq!(papers["name"], "papers");
    assert_eq!(papers["description"], "What we cite");
    assert_eq!(papers["document_count"], 0);
    assert!(lectern.succeed(&["kb", "list"]).stdout.contains("papers"));

    lectern.succeed(&["kb", "delete", "papers"]);
    assert_eq!(
        lectern.succeed(&["kb", "list", "--json"]).json()["knowledge_bases"],
        serde_json::json!([])
    );
}

#[test]
fn an_error_says_what_and_what_to_do_and_has_its_exit_code() {
    let lectern = Installation::new();
    lectern.succeed(&["kb", "create", "papers"]);
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
        let outcome = lectern.run(arguments);
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
    let lectern = Installation::new();
    let outcome = lectern.run(&["search", "--kb", "papers", "--json", "words"]);
    let error: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(error["error"]["code"], "kb_not_found");
    assert!(
        error["error"]["hint"].as_str().unwrap().contains("lectern kb"),
        "{error}"
    );
}

#[test]
fn a_misspelt_setting_is_refused_by_name() {
    let lectern = Installation::new();
    std::fs::write(lectern.data().join("lectern.toml"), "[server]\nprot = 8081\n").unwrap();
    let outcome = lectern.run(&["kb", "list"]);
    assert_eq!(outcome.code, 2, "{outcome:#?}");
    assert!(
        outcome.stderr.contains("prot") && outcome.stderr.contains("lectern.toml"),
        "{outcome:#?}"
    );

    let lectern = Installation::new();
    let output = lectern
        .command(&["kb", "list"])
        .env("LECTERN_SERVER__PROT", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("prot"));
}

#[test]
fn a_second_process_on_the_same_data_folder_is_told_which_folder_is_in_use() {
    let lectern = Installation::new();
    let server = Server::start(&lectern);
    let outcome = lectern.run(&["kb", "list"]);
    assert_eq!(outcome.code, 5, "{outcome:#?}");
    assert!(
        outcome.stderr.contains("is in use by another lectern process"),
        "{outcome:#?}"
    );
    let folder = lectern.data().canonicalize().unwrap();
    assert!(
        outcome.stderr.contains(&folder.display().to_string()),
        "{outcome:#?}"
    );

    drop(server);
    lectern.succeed(&["kb", "list"]);
}

#[test]
fn a_taken_port_is_told_before_anything_is_done() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let lectern = Installation::new();
    for arguments in [["serve", "--port", &port], ["demo", "--port", &port]] {
        let outcome = lectern.run(&arguments);
        assert_eq!(outcome.code, 5, "{outcome:#?}");
        assert!(
            outcome.stderr.contains(&port) && outcome.stderr.contains("--port"),
            "{outcome:#?}"
        );
    }
}

/// A running server, killed when it goes.
struct Server(Child);

impl Server {
    /// Starts `lectern serve` on a free port and waits until it says that it serves.
    fn start(lectern: &Installation) -> Self {
        let mut child = lectern
            .command(&["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .map_while(Result::ok)
            .any(|line| line.contains("serves http://127.0.0.1:"));
        assert!(said, "the server ended before it served");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
