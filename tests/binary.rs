//! Runs the real `lectern` binary over a data folder of its own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A data folder that is there for one test.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Installation {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The command `lectern arguments...` over this data folder, in an environment without settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LECTERN_") {
                command.env_remove(name);
            }
        }
        command
            .env("LECTERN_DATA", self.data())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs `lectern arguments...` to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&self.command(arguments).output().unwrap())
    }

    /// Runs `lectern arguments...`, which must succeed.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, 0, "lectern {arguments:?} failed: {outcome:#?}");
        outcome
    }
}

impl Outcome {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:#?}"))
    }
}
