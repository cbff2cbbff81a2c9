//! What extraction finds in other people's documents, beside what markitdown finds.
//!
//! The documents are no part of the project: `LECTERN_TEST_DATA` names the folder in which `formats/docling` and
//! `formats/markitdown` lie, and without it the test says that it is skipped. `LECTERN_TEST_MARKITDOWN` names the file
//! that `markitdown_baseline.py` writes; without it that column stays empty.
//!
//! Every file goes through a real child process, as in the server. Then:
//!
//! * of the words of docling's ground truth, the share that is found ([`words`]), per format;
//! * the strings that markitdown's own tests ask for, and those that must not come out ([`expectations`]);
//! * every file is read or refused with a code: no crash, no time-out, no limit of memory.
//!
//! This program is its own extraction process: started as `formats extract-worker` it serves files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may fail"
)]

#[path = "formats/expectations.rs"]
mod expectations;
#[path = "formats/report.rs"]
mod report;
#[path = "formats/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt;
use lectern_domain::ports::{Extractor, RawFile};
use lectern_domain::{Extracted, PortError};
use lectern_ingest::extract::{ExtractorPool, ExtractorSettings, run_worker};

/// What a failure may not be: a file that does this to the child is not contained by the reader.
const UNCONTAINED: [&str; 5] = [
    "extraction_timeout",
    "extraction_crashed",
    "extraction_memory",
    "extraction_not_started",
    "parser_failed",
];

/// Files that can't be read, and the codes that say why.
const REFUSED: [(&str, &[&str]); 6] = [
    ("pdf_password/sources/2206.01062_pg3.pdf", &["pdf_encrypted"]),
    ("libreoffice-writer-password.pdf", &["pdf_encrypted"]),
    ("pages_password_protected.pages", &["unknown_format", "encrypted"]),
    ("imagemagick-lzw.pdf", &["no_text_layer"]),
    ("cmyk-image.pdf", &["no_text_layer"]),
    ("random.bin", &["not_text"]),
];

/// A file of the test data, and what became of it.
struct Outcome {
    /// Its path below `formats`.
    path: String,
    ground_truth: Option<String>,
    result: Result<Extracted, PortError>,
    /// What markitdown makes of it, empty where it fails.
    markitdown: Option<String>,
}

impl Outcome {
    /// The text, and the title before it where that isn't in it: both are searched.
    fn text(&self) -> String {
        let Ok(extracted) = &self.result else {
            return String::new();
        };
        let title = extracted.title.as_deref().unwrap_or_default();
        let says_title = words::words(&extracted.text)
            .join(" ")
            .contains(&words::words(title).join(" "));
        let title = if says_title { "" } else { title };
        format!("{title}\n{}", extracted.text)
    }

    fn format(&self) -> String {
        let extension = self.path.rsplit('.').next().unwrap_or_default();
        extension.to_ascii_lowercase()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|argument| argument == "extract-worker")
    {
        return run_worker();
    }
    if arguments.iter().any(|argument| argument == "--list") {
        println!("formats: test");
        return ExitCode::SUCCESS;
    }
    let folder = std::env::var_os("LECTERN_TEST_DATA").map(|data| PathBuf::from(data).join("formats"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("test formats ... skipped: LECTERN_TEST_DATA names no folder with formats in it");
        return ExitCode::SUCCESS;
    };
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcomes = runtime.block_on(extract_all(&folder, filter.as_deref()));
    let mut complaints = report::shares(&outcomes, filter.is_none());
    complaints.extend(expectations::check(&folder, &outcomes));
    complaints.extend(contained(&outcomes));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    println!("test formats ... ok");
    ExitCode::SUCCESS
}

/// Extracts every document below `folder` whose path contains `filter`.
async fn extract_all(folder: &Path, filter: Option<&str>) -> Vec<Outcome> {
    let worker: Vec<OsString> = vec![std::env::current_exe().unwrap().into(), "extract-worker".into()];
    let pool = ExtractorPool::new(ExtractorSettings {
        workers: 2,
        timeout: Duration::from_secs(120),
        ..ExtractorSettings::new(worker)
    });
    let baseline: BTreeMap<String, String> = match std::env::var_os("LECTERN_TEST_MARKITDOWN") {
        Some(path) => serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
        None => BTreeMap::new(),
    };
    let mut files = Vec::new();
    documents(folder, &mut files);
    files.sort();
    let pool = &pool;
    let readings = files.into_iter().map(|file| async move {
        let path = file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let raw = RawFile {
            name: file.file_name().unwrap().to_str().unwrap().to_owned(),
            media_type: None,
            bytes: fs::read(&file).unwrap().into(),
        };
        let result = pool.extract(&raw).await;
        (path, ground_truth(&file), result)
    });
    let read: Vec<_> = futures::stream::iter(readings).buffered(2).collect().await;
    read.into_iter()
        .filter(|(path, ..)| filter.is_none_or(|filter| path.contains(filter)))
        .map(|(path, ground_truth, result)| Outcome {
            markitdown: baseline.get(&path).cloned(),
            path,
            ground_truth,
            result,
        })
        .collect()
}

/// The files that are documents: neither what belongs to a ground truth nor what describes the folder.
fn documents(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let describes = ["LICENSE", "README.md", "files.json", "expected_strings.json"]
            .contains(&name.as_str())
            || name.starts_with("requirements.");
        if path.is_dir() {
            if name != "groundtruth" && name != "expected_outputs" {
                documents(&path, files);
            }
        } else if !describes {
            files.push(path);
        }
    }
}

/// The Markdown that docling makes of a file, named after the file or after its stem.
fn ground_truth(file: &Path) -> Option<String> {
    let folder = file.parent()?.parent()?.join("groundtruth");
    let name = file.file_name()?.to_str()?;
    let stem = file.file_stem()?.to_str()?;
    [name, stem]
        .iter()
        .find_map(|name| fs::read_to_string(folder.join(format!("{name}.md"))).ok())
}

/// Complaints about files that were neither read nor refused in an orderly way.
fn contained(outcomes: &[Outcome]) -> Vec<String> {
    let mut complaints = Vec::new();
    for outcome in outcomes {
        let code = outcome.result.as_ref().err().map(|error| error.code);
        if let Err(error) = &outcome.result
            && UNCONTAINED.contains(&error.code)
        {
            complaints.push(format!("{} is not contained: {error}", outcome.path));
        }
        let expected = REFUSED.iter().find(|(path, _)| outcome.path.ends_with(path));
        if let Some((_, codes)) = expected
            && !code.is_some_and(|code| codes.contains(&code))
        {
            complaints.push(format!("{} gave {code:?} and not {codes:?}", outcome.path));
        }
    }
    complaints
}
