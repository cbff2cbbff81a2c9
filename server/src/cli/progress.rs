//! Progress bars on standard error, for a person who waits. Where it isn't a terminal they are silent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lectern_generation::catalogue::PullProgress;
use lectern_ingest::{Progress, ProgressSnapshot};
use tokio::task::JoinHandle;

const STEPS: &str = "{bar:30} {pos}/{len} {elapsed} {msg}";
const TICK: Duration = Duration::from_millis(120);

/// A bar that follows a job until it is dropped.
#[derive(Debug)]
pub struct IngestBar {
    bar: ProgressBar,
    follower: JoinHandle<()>,
}

impl IngestBar {
    /// Shows how far `progress` is.
    pub fn follow(progress: &Progress) -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style("{bar:30} {pos}/{len} documents, {msg}"));
        bar.enable_steady_tick(TICK);
        let mut changes = progress.subscribe();
        let shown = bar.clone();
        let follower = tokio::spawn(async move {
            loop {
                let snapshot = changes.borrow_and_update().clone();
                shown.set_length(snapshot.listed);
                shown.set_position(snapshot.counts.scanned);
                shown.set_message(message(&snapshot));
                if changes.changed().await.is_err() {
                    break;
                }
                tokio::time::sleep(TICK).await;
            }
        });
        Self { bar, follower }
    }
}

impl Drop for IngestBar {
    fn drop(&mut self) {
        self.follower.abort();
        self.bar.finish_and_clear();
    }
}

/// Both steps: what can be found by its words, and what by its meaning too.
fn message(snapshot: &ProgressSnapshot) -> String {
    if snapshot.ended {
        return "everything can be found; making the searches quick".to_owned();
    }
    let chunks = format!(
        "{} chunks searchable by words, {} of {} by meaning",
        snapshot.chunks_published,
        snapshot.chunks_embedded + snapshot.chunks_reused,
        snapshot.chunks_cut
    );
    match &snapshot.current_document {
        Some(key) if !snapshot.words_complete => format!("{chunks}, {}", shortened(key, 40)),
        _ => chunks,
    }
}

/// The end of a long name tells more than its beginning.
fn shortened(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(length - limit + 1).collect();
    format!("…{tail}")
}

/// Bars for files that are being fetched. Where nobody sees bars, a line for each file.
#[derive(Debug, Default)]
pub struct PullBars {
    all: MultiProgress,
    by_file: Mutex<HashMap<String, ProgressBar>>,
}

impl PullBars {
    fn bar(&self, file: &str) -> Option<ProgressBar> {
        self.by_file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(file)
            .cloned()
    }

    fn is_seen(&self) -> bool {
        !self.all.is_hidden()
    }
}

impl PullProgress for PullBars {
    fn file_started(&self, file: &str, total_bytes: u64) {
        if !self.is_seen() {
            super::output::note(format!("fetching {file} ({})", super::output::bytes(total_bytes)));
        }
        let bar = self.all.add(ProgressBar::new(total_bytes));
        bar.set_style(style(
            "{msg:32!} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ));
        bar.set_message(shortened(file, 32));
        self.by_file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(file.to_owned(), bar);
    }

    fn file_advanced(&self, file: &str, done_bytes: u64) {
        if let Some(bar) = self.bar(file) {
            bar.set_position(done_bytes);
        }
    }

    fn file_finished(&self, file: &str) {
        if let Some(bar) = self.bar(file) {
            bar.finish();
        }
        if !self.is_seen() {
            super::output::note(format!("fetched {file}"));
        }
    }

    fn note(&self, message: &str) {
        if self.is_seen() {
            self.all.suspend(|| super::output::note(message));
        } else {
            super::output::note(message);
        }
    }
}

/// A sign of life while something takes seconds.
#[derive(Debug)]
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Says what is waited for.
    pub fn start(message: &'static str) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_message(message);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar for work in several steps, until it is dropped.
#[derive(Debug)]
pub struct StepBar(ProgressBar);

impl StepBar {
    /// Shows nothing yet.
    pub fn start() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style(STEPS));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Says which step it is, and how much of it is done. A step of unknown length has none.
    pub fn show(&self, step: &str, done: u64, of: u64) {
        if self.0.message() != step {
            self.0.set_message(step.to_owned());
        }
        self.0.set_length(of);
        self.0.set_position(done);
    }
}

impl Drop for StepBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The template is part of the program; should it not be one, the plain bar does.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_templates() {
        for template in [
            STEPS,
            "{bar:30} {pos}/{len} documents, {msg}",
            "{msg:32!} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(shortened("a/b.md", 10), "a/b.md");
        assert_eq!(shortened("some/long/path/report.md", 10), "…report.md");
    }
}
