//! What `lectern demo` brings along: a small company's handbook, and the answer that was given to its
//! first question.
//!
//! The handbook is part of the binary. It is unpacked into the data folder, so that a citation opens
//! a file that is there, and left alone as long as it is the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lectern_domain::ContentHash;
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

use crate::cli::ask::WholeAnswer;

/// The question that the demo asks.
pub const QUESTION: &str = "How many weeks of parental leave do I get at full pay?";

/// The files of the handbook.
#[derive(RustEmbed)]
#[folder = "../examples"]
struct Handbook;

/// The answer to [`QUESTION`], and what it was made from.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    made_from: String,
    text: String,
    citations: String,
}

/// The demo's folder in the data folder.
#[derive(Clone, Debug)]
pub struct DemoFolder {
    root: PathBuf,
    digest: ContentHash,
}

impl DemoFolder {
    /// The folder `root`, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            digest: digest(),
        }
    }

    /// Where the handbook lies once it is unpacked.
    pub fn handbook(&self) -> PathBuf {
        self.root.join("handbook")
    }

    /// Writes the handbook, unless it is there as this binary has it. Says whether it wrote.
    pub fn unpack(&self) -> Result<bool> {
        let note = self.root.join("handbook.digest");
        let digest = self.digest.to_hex();
        if fs::read_to_string(&note).is_ok_and(|noted| noted == digest) && self.all_files_are_there() {
            return Ok(false);
        }
        let handbook = self.handbook();
        let failed = || format!("can't unpack the handbook into {}", handbook.display());
        match fs::remove_dir_all(&handbook) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(failed),
            _ => {}
        }
        for (path, content) in files() {
            write_file(&handbook.join(path), &content).with_context(failed)?;
        }
        fs::write(&note, digest).with_context(failed)?;
        Ok(true)
    }

    fn all_files_are_there(&self) -> bool {
        let handbook = self.handbook();
        files().all(|(path, content)| {
            fs::metadata(handbook.join(path)).is_ok_and(|found| found.len() == content.len() as u64)
        })
    }

    /// The answer and its citations from an earlier start, if handbook and model are the same.
    pub fn kept_answer(&self, model: &str) -> Option<(String, String)> {
        let bytes = fs::read(self.answer_file()).ok()?;
        let kept: KeptAnswer = serde_json::from_slice(&bytes).ok()?;
        (kept.made_from == self.made_from(model)).then_some((kept.text, kept.citations))
    }

    /// Keeps an answer for the next start.
    pub fn keep_answer(&self, answer: &WholeAnswer, citations: &str) -> Result<()> {
        let kept = KeptAnswer {
            made_from: self.made_from(&answer.model),
            text: answer.text.clone(),
            citations: citations.to_owned(),
        };
        fs::write(self.answer_file(), serde_json::to_vec_pretty(&kept)?).context("can't keep the answer")
    }

    fn answer_file(&self) -> PathBuf {
        self.root.join("answer.json")
    }

    fn made_from(&self, model: &str) -> String {
        ContentHash::of(format!("{QUESTION}\n{model}\n{}", self.digest).as_bytes()).to_hex()
    }
}

fn files() -> impl Iterator<Item = (String, Vec<u8>)> {
    Handbook::iter().filter_map(|path| {
        let file = Handbook::get(&path)?;
        Some((path.into_owned(), file.data.into_owned()))
    })
}

/// A hash over the names and contents of all files.
fn digest() -> ContentHash {
    let mut names: Vec<_> = Handbook::iter().collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        if let Some(file) = Handbook::get(&name) {
            text.push_str(&format!("{name}\n{:?}\n", file.metadata.sha256_hash()));
        }
    }
    ContentHash::of(text.as_bytes())
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handbook_is_unpacked_once_and_mended_when_a_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let demo = DemoFolder::new(folder.path().join("demo"));
        assert!(demo.unpack().unwrap());
        assert!(!demo.unpack().unwrap(), "written again though nothing changed");

        let (first, content) = files().next().unwrap();
        fs::remove_file(demo.handbook().join(&first)).unwrap();
        assert!(demo.unpack().unwrap());
        assert_eq!(fs::read(demo.handbook().join(&first)).unwrap(), content);
    }

    #[test]
    fn the_handbook_is_large_enough_to_be_searched() {
        assert!(files().count() >= 40);
    }
}
