//! `lectern extract-worker`: the child process in which files are read.

use std::process::ExitCode;

/// Reads files until standard input ends.
pub fn run() -> ExitCode {
    lectern_ingest::extract::run_worker()
}
