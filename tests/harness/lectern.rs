//! Running `lectern` as a script does: arguments, an exit code, JSON on standard output, errors on the other.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::models;

/// The knowledge base that most tests use.
pub const KB: &str = "notes";

/// A data folder and a folder of documents of one's own. Both go when the value goes.
pub struct Workplace {
    folder: TempDir,
    models: PathBuf,
}

impl Workplace {
    /// One without settings, for what needs no model; none is fetched for it.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("lectern-test-")
            .tempdir()
            .unwrap();
        let workplace = Self {
            models: folder.path().join("models"),
            folder,
        };
        std::fs::create_dir(workplace.data()).unwrap();
        std::fs::create_dir(workplace.documents()).unwrap();
        workplace
    }

    /// One whose answers are made of the documents' own sentences, without a model that writes.
    pub fn new() -> Self {
        Self::with_settings("[generation]\nmodel = \"extractive\"\n")
    }

    /// One with this `lectern.toml`.
    pub fn with_settings(settings: &str) -> Self {
        let workplace = Self::bare().using_models(models::folder());
        std::fs::write(workplace.data().join("lectern.toml"), settings).unwrap();
        workplace
    }

    /// The same with other models.
    pub fn using_models(mut self, models: &Path) -> Self {
        self.models = models.to_owned();
        self
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder with the documents.
    pub fn documents(&self) -> PathBuf {
        self.folder.path().join("documents")
    }

    /// The folder that holds all of it, to be removed by somebody else.
    pub fn into_folder(self) -> PathBuf {
        self.folder.keep()
    }

    /// Room for something else.
    pub fn elsewhere(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a document, and the folders that it lies in.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.documents().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Takes a document away.
    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.documents().join(name)).unwrap();
    }

    /// The program on this data folder, not started yet. Nothing of the tests' own settings reaches it.
    pub fn program(&self) -> Command {
        self.wrapped(&[])
    }

    /// The same, started by another program (`setpriv`, `unshare`).
    pub fn wrapped(&self, wrapper: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_lectern");
        let mut command = match wrapper.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
            .env("LECTERN_DATA", self.data())
            .env("LECTERN_MODELS", &self.models)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, as a person types it.
    pub fn type_in(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.program();
        command.args(arguments);
        Outcome::of(command)
    }

    /// Runs a command with `--json` to its end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        let mut command = self.program();
        command.arg("--json").args(arguments);
        Outcome::of(command)
    }

    /// Takes the folder of documents in, or what changed in it.
    pub fn ingest(&self) -> Outcome {
        Outcome::of(self.ingest_command())
    }

    /// [`Workplace::ingest`], not started yet.
    pub fn ingest_command(&self) -> Command {
        let mut command = self.program();
        command
            .args(["--json", "ingest", "--kb", KB, "--create"])
            .arg(self.documents());
        command
    }

    /// The passages that a search gives.
    pub fn search(&self, mode: &str, text: &str) -> Vec<Value> {
        let found = self
            .run(["search", "--kb", KB, "--mode", mode, text])
            .exits(0)
            .json();
        found["passages"].as_array().unwrap().clone()
    }

    /// The file names of the documents in which the words are found, best first.
    pub fn found(&self, text: &str) -> Vec<String> {
        file_names(&self.search("lexical", text))
    }

    /// Has `fsck` prove that ledger, vectors, words and texts agree.
    pub fn assert_sound(&self) {
        let report = self.run(["fsck"]).exits(0).json();
        assert_eq!(report["clean"], true, "{report:#}");
    }
}

fn is_setting(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("LECTERN_"))
}

/// The last component of each passage's address.
pub fn file_names(passages: &[Value]) -> Vec<String> {
    passages
        .iter()
        .map(|passage| {
            passage["uri"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    /// -1 where a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Runs `command` to its end.
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let mut shown = format!("{command:?}");
        shown.truncate(shown.floor_char_boundary(1000));
        Self {
            command: shown,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, checked: it ended with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "{}\n{}\n{}",
            self.command, self.stdout, self.stderr
        );
        self
    }

    /// What was printed.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}\n{}", self.command, self.stdout, self.stderr))
    }

    /// The same, checked: it ended with `exit`, the error `code` and a message that names `named`.
    #[track_caller]
    pub fn fails(self, exit: i32, code: &str, named: &str) -> Self {
        let outcome = self.exits(exit);
        let line = outcome.stderr.lines().find(|line| line.starts_with("{\"error\""));
        let line = line.unwrap_or_else(|| panic!("no error in JSON: {}", outcome.stderr));
        let error: Value = serde_json::from_str(line).unwrap();
        assert_eq!(error["error"]["code"], code, "{line}");
        let told = format!("{} {}", error["error"]["message"], error["error"]["because"]);
        assert!(told.contains(named), "{named:?} is not named: {line}");
        outcome
    }

    /// The counts of an ingestion, checked: they add up.
    #[track_caller]
    pub fn counts(&self) -> Counts {
        let report = self.json();
        let count = |name: &str| report["job"]["counts"][name].as_u64().unwrap();
        let counts = Counts {
            new: count("new"),
            modified: count("modified"),
            unchanged: count("unchanged"),
            deleted: count("deleted"),
            skipped: count("skipped"),
            failed: count("failed"),
        };
        let accounted = counts.new + counts.modified + counts.unchanged + counts.skipped + counts.failed;
        assert_eq!(count("scanned"), accounted, "{report:#}");
        counts
    }

    /// The code and the reason of the document that could not be taken in.
    #[track_caller]
    pub fn problem(&self, key: &str) -> (String, String) {
        let report = self.json();
        let problems = report["problems"].as_array().unwrap();
        let problem = problems.iter().find(|problem| problem["key"] == key);
        let problem = problem.unwrap_or_else(|| panic!("nothing is said of {key:?}: {report:#}"));
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        (text("code"), text("reason"))
    }
}

/// What an ingestion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub new: u64,
    pub modified: u64,
    pub unchanged: u64,
    pub deleted: u64,
    pub skipped: u64,
    pub failed: u64,
}
