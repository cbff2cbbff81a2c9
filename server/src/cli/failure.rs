//! How an error is told: what was tried, why it failed, what to do.
//!
//! ```text
//! error: there is no knowledge base "papers"
//!   hint: `lectern kb list` shows those that are there, `lectern kb create papers` makes one
//! ```
//!
//! With `--json` the same stands on standard error in the shape that the API has. The kind of the
//! error decides the exit code.

use std::io;
use std::process::ExitCode;

use lectern_domain::{ErrorKind, PortError};
use serde_json::json;

use super::exit::Exit;
use super::output;

/// Prints `error` and says how the program ends.
pub fn report(error: &anyhow::Error, as_json: bool) -> ExitCode {
    if is_closed_pipe(error) {
        return Exit::Done.into();
    }
    let (kind, code) = classify(error);
    if as_json {
        output::note(to_json(error, code).to_string());
    } else {
        output::note(to_text(error, code));
    }
    Exit::of_error(kind).into()
}

/// The kind and the code of the outermost error that has them.
fn classify(error: &anyhow::Error) -> (ErrorKind, &'static str) {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<PortError>() {
            return (error.kind, error.code);
        }
        if let Some(error) = cause.downcast_ref::<lectern_ingest::Error>() {
            return (error.kind(), error.code());
        }
        if let Some(error) = cause.downcast_ref::<lectern_retrieval::Error>() {
            return (error.kind(), error.code());
        }
        if let Some(error) = cause.downcast_ref::<lectern_generation::Error>() {
            return (error.kind(), error.code());
        }
        if let Some(error) = cause.downcast_ref::<lectern_connectors::Error>() {
            return (error.kind(), error.code());
        }
        if let Some(error) = cause.downcast_ref::<io::Error>()
            && matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        {
            return (ErrorKind::NoSpace, "disk_full");
        }
    }
    (ErrorKind::Internal, "failed")
}

/// The message, then its causes; a cause that repeats what was said is left out.
fn told(error: &anyhow::Error) -> (String, Vec<String>) {
    let mut messages = error.chain().map(ToString::to_string);
    let first = messages.next().unwrap_or_default();
    let mut causes: Vec<String> = Vec::new();
    for message in messages {
        let known = first.contains(&message) || causes.iter().any(|cause| cause.contains(&message));
        if !known {
            causes.push(message);
        }
    }
    (first, causes)
}

fn to_text(error: &anyhow::Error, code: &str) -> String {
    let (message, causes) = told(error);
    let mut text = format!("{} {message}", output::styled_for_stderr("error:", "1;31"));
    for cause in causes {
        text.push_str(&format!("\n  because: {cause}"));
    }
    if let Some(hint) = hint_for(code) {
        text.push_str(&format!(
            "\n  {} {hint}",
            output::styled_for_stderr("hint:", "1;36")
        ));
    }
    text
}

fn to_json(error: &anyhow::Error, code: &str) -> serde_json::Value {
    let (message, causes) = told(error);
    json!({ "error": { "code": code, "message": message, "because": causes, "hint": hint_for(code) } })
}

/// Somebody downstream has read enough (`lectern search ... | head -1`).
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// What to do about the codes that people meet at a terminal.
fn hint_for(code: &str) -> Option<&'static str> {
    let hint = match code {
        "kb_not_found" => "`lectern kb list` shows those that are there, `lectern kb create NAME` makes one",
        "kb_exists" => "choose another name, or use the knowledge base that is there",
        "source_not_found" => "`lectern source list --kb NAME` shows those that are there",
        "source_exists" => "choose another name, or change the one that is there with --replace",
        "data_folder_in_use" => {
            "stop the other process, ask it over HTTP if it is a server, or name another folder with --data"
        }
        "data_folder_unusable" => "name a folder that you may write to with --data or LECTERN_DATA",
        "no_data_folder" => "name one with --data or LECTERN_DATA",
        "model_missing" | "model_file_missing" => "`lectern models pull` fetches the models that are missing",
        "model_corrupt" | "model_damaged" => {
            "`lectern models verify` names the damaged file, `lectern models pull` fetches it again"
        }
        "port_taken" => "stop what listens there, or choose another port with --port (0 takes a free one)",
        "config_invalid" => "correct the setting; unknown keys are refused so that a misspelt one is noticed",
        "eval_file_missing" => "the folder must hold corpus.jsonl, queries.jsonl and qrels.tsv",
        "question_empty" => {
            "say what you are looking for, for example: lectern search --kb NAME \"parental leave\""
        }
        "question_too_long" => "ask with at most 20,000 characters",
        "enrichment_invalid" => "`lectern preview --enrichment FILE` tries rules on one document",
        "path_not_in_source" => "`lectern source list` shows the folders of each source",
        "job_running" => "wait until the other job has ended",
        "disk_full" => "free some space and run the command again; what was indexed before is still there",
        "analytics_damaged" => {
            "remove analytics.sqlite* from the data folder; nothing but the analytics is lost"
        }
        "path_not_found" => "check the spelling; a relative path counts from the folder you are in",
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn sample() -> anyhow::Error {
        let cause = io::Error::other("the disk said no");
        anyhow::Error::from(
            PortError::new(
                ErrorKind::NotFound,
                "kb_not_found",
                "there is no knowledge base \"papers\"",
            )
            .caused_by(cause),
        )
    }

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        insta::assert_snapshot!(to_text(&sample().context("can't search"), "kb_not_found"), @r#"
        error: can't search
          because: there is no knowledge base "papers"
          because: the disk said no
          hint: `lectern kb list` shows those that are there, `lectern kb create NAME` makes one
        "#);
    }

    #[test]
    fn the_kind_is_found_under_what_was_added_to_the_error() {
        let error = Err::<(), _>(sample()).context("can't search").unwrap_err();
        assert_eq!(classify(&error), (ErrorKind::NotFound, "kb_not_found"));
        let full = anyhow::Error::from(io::Error::from(io::ErrorKind::StorageFull)).context("can't write");
        assert_eq!(classify(&full), (ErrorKind::NoSpace, "disk_full"));
    }
}
