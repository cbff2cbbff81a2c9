//! Files of an evaluation, line by line. A broken line is an error with its file and number.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use lectern_domain::{ErrorKind, PortError};
use serde::de::DeserializeOwned;

/// The value of each line that isn't empty, with its number from 1.
pub fn read_json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, PortError> {
    let mut values = Vec::new();
    for_each_line(path, |number, line| {
        if !line.trim().is_empty() {
            let value = serde_json::from_str(line).map_err(|error| {
                bad_line(path, number, "is not the expected JSON object").caused_by(error)
            })?;
            values.push((number, value));
        }
        Ok(())
    })?;
    Ok(values)
}

/// Shows each line with its number from 1.
pub fn for_each_line(
    path: &Path,
    mut visit: impl FnMut(usize, &str) -> Result<(), PortError>,
) -> Result<(), PortError> {
    let reader = BufReader::new(File::open(path).map_err(|error| missing(path, error))?);
    for (index, line) in reader.lines().enumerate() {
        let line =
            line.map_err(|error| bad_line(path, index + 1, "can't be read as UTF-8").caused_by(error))?;
        visit(index + 1, &line)?;
    }
    Ok(())
}

/// A file that can't be read.
pub fn missing(path: &Path, error: std::io::Error) -> PortError {
    PortError::new(
        ErrorKind::NotFound,
        "eval_file_missing",
        format!("can't read {}", path.display()),
    )
    .caused_by(error)
}

/// A line that can't be used.
pub fn bad_line(path: &Path, number: usize, what: &str) -> PortError {
    PortError::new(
        ErrorKind::Invalid,
        "eval_line_invalid",
        format!("line {number} of {} {what}", path.display()),
    )
}
