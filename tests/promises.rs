//! What Lectern promises, asked of the real binary from outside, with the real engines and models.
//!
//! | Promise | File |
//! |---|---|
//! | The command line helps, is strict, and ends with exit codes that a script can trust | `command_line` |
//! | All documents of a folder are taken in, later only what changed, and the account adds up | `ingestion` |
//! | A source is kept in step by jobs that tell the truth, stop, ask, and go on after whatever happens | `sources` |
//! | A source that `lectern.toml` declares is there at every start, as the file says | `declared_sources` |
//! | A source has a schedule that is checked, shown, and outlives the process | `schedules` |
//! | What is saved in a watched folder is found within seconds, and its old text isn't | `watching` |
//! | A preview shows what a job would do, writes nothing, and rules do what it showed | `preview` |
//! | A sidecar file says what is known about its document, and a broken one opens nothing | `sidecars` |
//! | A secret of a source is used and never kept: no file, no answer and no log has it | `secrets` |
//! | A Slack export is threads and exchanges for their members, counted to the last message, without a token | `slack` |
//! | In a whole workspace, a private message is found by its members and by nobody else | `members` |
//! | Mailboxes are threads, whatever folders their messages lie in, and for their participants alone where that is asked | `mail` |
//! | What is committed to a Git repository is found with its author and dates, what a commit deletes is not | `git` |
//! | A search can be narrowed, counted, ordered, paged and tuned, and tells nothing of what its reader may not see | `searching` |
//! | The right document is found; what the documents don't tell is not answered | `handbook_questions` |
//! | A file that can't be read costs one document, told with a code and a reason | `bad_files`, `hostile_files` |
//! | Bad disks, folders, models and questions are told by name, and nothing is lost | `bad_places`, `full_disk`, `bad_questions` |
//! | What a lost or damaged file breaks is found, and mended without the source | `repair` |
//! | `kill -9` at any moment: nothing lost, nothing twice, nothing half, nothing old, nothing shown to others | `crash`, `named_steps`, `any_moment` |
//! | Whatever is done in whatever order, what is found is what was acknowledged | `model` |
//! | A bucket is kept in step as a folder is, and one that breaks off its listing loses nothing | `s3` |
//! | A web site is kept in step, what didn't change isn't sent again, and one that is down loses nothing | `web` |
//! | Answers stream sources, words, citations, and cite only what was found | `answers` |
//! | A client that leaves gives its place back; a full line says so | `leaving_clients` |
//! | Every failure over HTTP has one shape | `api_errors` |
//! | Only the operator or the token's holder is let in, no foreign page | `access` |
//! | The API's description, the page, health and figures are what they should be | `description` |
//! | Who may not read a document doesn't see it | `hidden_documents` |
//! | What is asked and opened is counted exactly, and erased by name to the last byte | `analytics` |
//! | An evaluation measures what it says | `evaluation` |
//! | Among real papers, the one that answers comes first | `outside_papers` |
//!
//! The tests fetch the small models once into the folder that `LECTERN_MODELS` names, or `lectern/models` in
//! the user's cache folder. Nothing else is needed; what can't be checked on a machine says SKIPPED.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking, in its helpers too"
)]

mod harness;
mod command_line;
mod ingestion;
mod sources;
mod declared_sources;
mod schedules;
mod watching;
mod repair;
mod preview;
mod sidecars;
mod secrets;
mod s3;
mod slack;
mod members;
mod web;
mod mail;
mod git;
mod searching;
mod handbook_questions;
mod bad_files;
mod hostile_files;
mod bad_places;
mod full_disk;
mod bad_questions;
mod crash;
mod named_steps;
mod any_moment;
mod model;
mod answers;
mod leaving_clients;
mod api_errors;
mod access;
mod description;
mod hidden_documents;
mod analytics;
mod evaluation;
mod outside_papers;
