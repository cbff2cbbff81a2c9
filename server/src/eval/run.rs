//! A run: what an evaluation measured, question by question, with what it was measured.
//!
//! It is kept as one JSON file, so that a change can be compared with what was before it ([`super::compare`]). The
//! configuration is kept with its hash: two runs with the same one differ by the data or by chance.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use lectern_domain::{ErrorKind, PortError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asking::Way;
use super::measures::Measures;

/// The version of the file.
const FORMAT: u32 = 1;

/// The folder in the data folder that keeps the runs of its knowledge bases.
const FOLDER: &str = "evaluations";

/// What an evaluation measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the file.
    pub format: u32,
    /// What was asked: a folder or a knowledge base.
    pub name: String,
    /// When it was measured.
    pub at: DateTime<Utc>,
    /// What it was measured with.
    pub configuration: Value,
    /// The hash of that, by which equal ones are known.
    pub configuration_hash: String,
    /// What was searched.
    pub corpus: CorpusFigures,
    /// The questions by their ids.
    pub questions: BTreeMap<String, String>,
    /// What was measured, by way.
    pub ways: BTreeMap<Way, ModeRun>,
}

/// What was searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorpusFigures {
    /// Documents.
    pub documents: u64,
    /// Chunks that they were cut into.
    pub chunks: u64,
    /// Documents that were skipped or failed.
    pub left_out: u64,
    /// How long taking them in took, in seconds.
    pub ingest_s: f64,
}

/// One way of searching, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeRun {
    /// The means over the questions.
    pub means: Measures,
    /// How long an ordinary search took.
    pub times: Times,
    /// The measures of each question, by its id.
    pub questions: BTreeMap<String, Measures>,
}

/// How long an ordinary search took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Half of the questions took no longer.
    pub p50_ms: f64,
    /// 95 in 100 took no longer.
    pub p95_ms: f64,
    /// 99 in 100 took no longer.
    pub p99_ms: f64,
}

impl Run {
    /// A run of now, without any way yet.
    pub fn new(name: String, configuration: Value, corpus: CorpusFigures) -> Self {
        let hash = blake3::hash(configuration.to_string().as_bytes());
        Self {
            format: FORMAT,
            name,
            at: Utc::now(),
            configuration,
            configuration_hash: hash.to_hex().to_string(),
            corpus,
            questions: BTreeMap::new(),
            ways: BTreeMap::new(),
        }
    }

    /// Reads a run.
    ///
    /// Fails with `NotFound` `eval_run_missing` or `Invalid` `eval_run_invalid`, naming the file.
    pub fn read(path: &Path) -> Result<Self, PortError> {
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("can't read the run {}", path.display());
            PortError::new(ErrorKind::NotFound, "eval_run_missing", message).caused_by(error)
        })?;
        let invalid = |what: &str| {
            let message = format!("{} {what}", path.display());
            PortError::new(ErrorKind::Invalid, "eval_run_invalid", message)
        };
        let run: Self =
            serde_json::from_str(&text).map_err(|error| invalid("is not a run").caused_by(error))?;
        if run.format != FORMAT {
            return Err(invalid("is a run of another format; evaluate again"));
        }
        Ok(run)
    }

    /// Writes it to `path`, whole or not at all.
    ///
    /// Fails with `eval_run_unwritable`.
    pub fn write(&self, path: &Path) -> Result<(), PortError> {
        let failed = |error: std::io::Error| {
            let message = format!("can't write the run {}", path.display());
            PortError::new(ErrorKind::Invalid, "eval_run_unwritable", message).caused_by(error)
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        file.write_all(&text).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Where the data folder `data` keeps this run.
    pub fn place_in(&self, data: &Path) -> PathBuf {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name: String = (self.name.chars())
            .map(|c| if is_plain(c) { c } else { '-' })
            .collect();
        let at = self.at.format("%Y%m%dT%H%M%S%3f");
        data.join(FOLDER).join(format!("{at}-{name}.json"))
    }
}

/// The runs that the data folder `data` keeps, oldest first.
///
/// Fails with `eval_run_missing` where the folder can't be read.
pub fn kept(data: &Path) -> Result<Vec<PathBuf>, PortError> {
    let folder = data.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| {
        let message = format!("can't list the runs in {}", folder.display());
        PortError::new(ErrorKind::NotFound, "eval_run_missing", message).caused_by(error)
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The file that `name` means: a path, or the name of a run that the data folder keeps.
pub fn find(data: &Path, name: &str) -> PathBuf {
    let path = PathBuf::from(name);
    let kept = data
        .join(FOLDER)
        .join(format!("{}.json", name.trim_end_matches(".json")));
    if !path.exists() && kept.is_file() {
        kept
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::super::measures::Metric;
    use super::*;

    fn run() -> Run {
        let mut run = Run::new(
            "my papers/1".into(),
            serde_json::json!({ "a": 1 }),
            CorpusFigures::default(),
        );
        let measures = Measures::from([(Metric::Ndcg10, 0.5)]);
        let of_hybrid = ModeRun {
            means: measures.clone(),
            times: Times::default(),
            questions: BTreeMap::from([("q".to_owned(), measures)]),
        };
        run.ways.insert(Way::Hybrid, of_hybrid);
        run
    }

    #[test]
    fn a_run_is_read_as_it_was_written_and_found_by_its_name() {
        let data = tempfile::tempdir().unwrap();
        let run = run();
        let path = run.place_in(data.path());
        run.write(&path).unwrap();
        assert_eq!(kept(data.path()).unwrap(), std::slice::from_ref(&path));
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(name.ends_with("-my-papers-1"), "{name}");
        assert_eq!(Run::read(&find(data.path(), name)).unwrap(), run);
    }

    #[test]
    fn what_is_no_run_is_refused_by_name() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("x.json");
        assert_eq!(Run::read(&path).unwrap_err().code, "eval_run_missing");
        fs::write(&path, "{}").unwrap();
        assert_eq!(Run::read(&path).unwrap_err().code, "eval_run_invalid");
        let other = Run { format: 9, ..run() };
        other.write(&path).unwrap();
        assert!(Run::read(&path).unwrap_err().message.contains("another format"));
    }

    #[test]
    fn the_hash_tells_configurations_apart() {
        let hash = |value: Value| Run::new(String::new(), value, CorpusFigures::default()).configuration_hash;
        assert_eq!(hash(serde_json::json!({ "a": 1 })), run().configuration_hash);
        assert_ne!(hash(serde_json::json!({ "a": 2 })), run().configuration_hash);
    }
}
