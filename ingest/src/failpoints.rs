//! Named places where a test can make this process fail: with an error, a panic, or a `SIGKILL`.
//!
//! A document passes them in the order of [`FAILPOINTS`]; each step has one before it and one after it. They are
//! compiled into every build, because a crash test is worth what the tested binary is worth, and they are asleep until
//! [`arm_from_environment`] is called: then each costs one relaxed load.
//!
//! The actions are those of the `fail` crate (`1*off->return(kill)` is a kill at the second pass):
//! `return(error)` makes the step fail with the code `failpoint`, `return(kill)` ends the process as `kill -9` does,
//! `panic` panics, `sleep(milliseconds)` blocks.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use crate::error::{Error, Result};

/// The variable that holds the actions: `name=action;name=action`.
pub const VARIABLE: &str = "LECTERN_TEST_FAILPOINTS";

/// All failpoints, in the order of the data.
pub const FAILPOINTS: &[&str] = &[
    "recover.before",
    "recover.after",
    "fetch.before",
    "fetch.after",
    "extract.before",
    "extract.after",
    "chunk.before",
    "chunk.after",
    "stage.before",
    "stage.after",
    "words.upsert.before",
    "words.upsert.after",
    "words.commit.before",
    "words.commit.after",
    "flip.before",
    "flip.after",
    "embed.before",
    "embed.after",
    "vectors.store.before",
    "vectors.store.after",
    "vectors.upsert.before",
    "vectors.upsert.after",
    "vectors.commit.before",
    "vectors.commit.after",
    "mark.before",
    "mark.after",
    "collect.words.before",
    "collect.words.after",
    "collect.vectors.before",
    "collect.vectors.after",
    "collect.rows.before",
    "collect.rows.after",
    "cursor.before",
    "cursor.after",
];

static ARMED: AtomicBool = AtomicBool::new(false);

/// Sets the failpoints that [`VARIABLE`] names, for the rest of the process. Does nothing where it isn't set. To be
/// called once, at the start of the program, and by nothing but a test's program.
///
/// # Errors
/// [`Error::BadFailpoints`] for a name that isn't in [`FAILPOINTS`] or an action that can't be read.
pub fn arm_from_environment() -> Result<()> {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Ok(());
    };
    for setting in text.split(';').filter(|setting| !setting.trim().is_empty()) {
        let bad = |problem: String| Error::BadFailpoints {
            setting: setting.to_owned(),
            problem,
        };
        let (name, actions) = setting
            .split_once('=')
            .ok_or_else(|| bad("expected name=action".to_owned()))?;
        let name = FAILPOINTS
            .iter()
            .find(|known| **known == name.trim())
            .ok_or_else(|| bad(format!("there is no failpoint {:?}", name.trim())))?;
        fail::cfg(scoped(name), actions.trim()).map_err(bad)?;
    }
    ARMED.store(true, Ordering::Relaxed);
    tracing::warn!(failpoints = text, "failpoints are armed");
    Ok(())
}

/// Fails here, if a test has asked for it.
pub(crate) fn failpoint(name: &'static str) -> Result<()> {
    debug_assert!(FAILPOINTS.contains(&name), "{name} is missing in the list");
    if !ARMED.load(Ordering::Relaxed) {
        return Ok(());
    }
    match fail::eval(&scoped(name), |action| action) {
        None => Ok(()),
        Some(action) if action.as_deref() == Some("kill") => {
            // What this process has in memory is gone from here on, as with a crash.
            kill_process(getpid(), Signal::KILL).map_err(|error| Error::File {
                action: "end",
                path: "this process".into(),
                source: error.into(),
            })
        }
        Some(_) => Err(Error::Failpoint { name }),
    }
}

/// The name under which `fail` keeps a failpoint. Unit tests share a process and run on threads of their own, so
/// each has its own set.
fn scoped(name: &str) -> String {
    match cfg!(test) {
        true => format!("{:?}:{name}", std::thread::current().id()),
        false => name.to_owned(),
    }
}

/// Sets one failpoint for the thread of this test, until the guard is dropped.
#[cfg(test)]
pub(crate) fn arm(name: &str, actions: &str) -> fail::FailGuard {
    assert!(FAILPOINTS.contains(&name), "{name}");
    ARMED.store(true, Ordering::Relaxed);
    fail::FailGuard::new(scoped(name), actions).unwrap()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_a_failpoint_before_it_and_one_after_it() {
        let names: BTreeSet<&str> = FAILPOINTS.iter().copied().collect();
        assert_eq!(names.len(), FAILPOINTS.len(), "a name stands twice");
        for name in FAILPOINTS {
            let step = name
                .strip_suffix(".before")
                .or(name.strip_suffix(".after"))
                .unwrap();
            assert!(names.contains(format!("{step}.before").as_str()), "{name}");
            assert!(names.contains(format!("{step}.after").as_str()), "{name}");
        }
    }

    #[test]
    fn an_armed_failpoint_fails_and_a_sleeping_one_does_not() {
        failpoint("flip.before").unwrap();
        let guard = arm("flip.before", "1*off->return(error)");
        failpoint("flip.before").unwrap();
        let error = failpoint("flip.before").unwrap_err();
        assert_eq!(error.code(), "failpoint");
        failpoint("flip.after").unwrap();
        drop(guard);
        failpoint("flip.before").unwrap();
    }
}
