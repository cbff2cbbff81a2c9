//! What the promises are checked with: the real binary, real models, real folders, and nothing inside.
//!
//! A test makes a [`Workplace`] (a data folder and a folder of documents of its own), runs commands
//! there ([`lectern`]) or starts a [`Server`] over it, and looks at exit codes, JSON and answers. Tests that
//! only read share one server over the handbook in `examples/` ([`handbook`]). Nothing waits by sleeping for
//! a time that is hoped to be enough: [`until`] asks again until what is waited for has come.

pub mod models;
pub mod lectern;
pub mod server;
pub mod events;
pub mod jobs;
pub mod handbook;
pub mod oracle;
pub mod records;
pub mod pdf;
pub mod small_disk;

use std::fmt::Display;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use handbook::handbook;
pub use lectern::{Outcome, Workplace};
pub use server::{Reply, Server};

/// How long something may take that is certain to come. Reached only when a promise is broken.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// A look takes no longer than this where the machine is at work.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something to see, and fails the test where it never comes.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_or_tell(what, look, || "nothing more is known")
}

/// The same; where it never comes, `tell` says what there is instead.
pub fn until_or_tell<T, I: Display>(
    what: &str,
    mut look: impl FnMut() -> Option<T>,
    tell: impl FnOnce() -> I,
) -> T {
    let mut waited = Duration::ZERO;
    loop {
        let begun = Instant::now();
        if let Some(seen) = look() {
            return seen;
        }
        if waited >= PATIENCE {
            panic!("waited {PATIENCE:?} in vain for {what}: {}", tell());
        }
        std::thread::sleep(PAUSE);
        // A machine that stood still meanwhile has done nothing, so that isn't waiting.
        waited += begun.elapsed().min(LONGEST_LOOK);
    }
}

/// The repository, where the examples lie.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Says aloud that a promise was not checked here, and why.
pub fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// Whether the tests run as the superuser, whom permissions don't bind and who may mount file systems.
pub fn is_superuser() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}
