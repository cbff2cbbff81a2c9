//! How a command can end, as a script sees it.

use std::process::ExitCode;

use anyhow::Result;
use lectern_domain::ErrorKind;

use super::output;

/// What `lectern help exit-codes` prints.
pub const TABLE: &str = "\
Lists what the exit codes mean.

    0  done
    1  failed for a reason that is none of those below
    2  the command line, a setting or a request is wrong
    3  there is no such thing (knowledge base, folder, model)
    4  the job ran to its end, and some documents failed
    5  in conflict with what is there or goes on: the data folder is in use,
       the name is taken, the port is taken, a job is running
    6  a check found something wrong (`fsck`, `models verify`)
    7  the job deleted nothing, because it would delete a large part of its source;
       `--allow-deletes` is the answer
    8  an evaluation reached less than its `--gate`
  130  interrupted with Ctrl-C";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Done,
    /// Something failed.
    Failed,
    /// It was asked for wrongly.
    Usage,
    /// There is no such thing.
    NotFound,
    /// The job ended, and some documents failed.
    DocumentsFailed,
    /// It conflicts with what is there or goes on.
    Conflict,
    /// A check found something wrong.
    CheckFailed,
    /// A job would delete so much that it asks first.
    Asks,
    /// An evaluation reached less than its gate.
    BelowGate,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number that the system gets.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::DocumentsFailed => 4,
            Self::Conflict => 5,
            Self::CheckFailed => 6,
            Self::Asks => 7,
            Self::BelowGate => 8,
            Self::Interrupted => 130,
        }
    }

    /// The end of a command that met an error of this kind.
    pub fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Invalid | ErrorKind::TooLarge => Self::Usage,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Denied
            | ErrorKind::Overloaded
            | ErrorKind::Unavailable
            | ErrorKind::NoSpace
            | ErrorKind::Corrupt
            | ErrorKind::Internal => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Prints what is wrong with a command line, or the help that was asked for.
pub fn of_usage_error(error: &clap::Error) -> ExitCode {
    // Nothing can be said to somebody who has closed the stream.
    if error.print().is_err() {
        return Exit::Failed.into();
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}

/// Prints the table of exit codes.
pub fn print_table() -> Result<Exit> {
    output::line(TABLE)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_table() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::DocumentsFailed,
            Exit::Conflict,
            Exit::CheckFailed,
            Exit::Asks,
            Exit::BelowGate,
            Exit::Interrupted,
        ] {
            let code = format!("{:>5}  ", exit.code());
            assert!(
                TABLE.lines().any(|line| line.starts_with(&code)),
                "{exit:?} is missing"
            );
        }
    }
}
