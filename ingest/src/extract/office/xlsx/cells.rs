//! The cells of a sheet as texts.

use std::collections::BTreeMap;
use std::fmt::Display;

use calamine::{Cell, DataRef, ExcelDateTime};
use chrono::NaiveTime;

use super::super::writer::Writer;

/// The most cells of one sheet, and the most text: a shared text may be referred to by every cell.
const MAX_CELLS: usize = 2_000_000;
const MAX_TEXT_BYTES: usize = 128 * 1024 * 1024;

/// The texts of the cells that have one, by row and column from 0.
pub(super) type Cells = BTreeMap<u32, BTreeMap<u32, String>>;

/// Reads cells until there are no more. What breaks the reading is told as a warning, and the cells before it are
/// kept.
pub(super) fn collect<'a, E: Display>(
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'a>>>, E>,
    writer: &mut Writer,
) -> Cells {
    let mut cells = Cells::new();
    let (mut count, mut bytes) = (0_usize, 0_usize);
    loop {
        let cell = match next() {
            Ok(Some(cell)) => cell,
            Ok(None) => return cells,
            Err(error) => {
                writer.warn(format!("a sheet is damaged and was read in part: {error}"));
                return cells;
            }
        };
        let text = text(cell.get_value());
        if text.trim().is_empty() {
            continue;
        }
        count += 1;
        bytes += text.len();
        if count > MAX_CELLS || bytes > MAX_TEXT_BYTES {
            writer.warn(format!(
                "a sheet was cut after {count} cells and {bytes} bytes of text"
            ));
            return cells;
        }
        let (row, column) = cell.get_position();
        cells.entry(row).or_default().insert(column, text);
    }
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => self::number(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(is_true) => if *is_true { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(date) => self::date(date),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number with the 15 digits that Excel shows: the rest is what binary arithmetic left over.
pub(in super::super) fn number(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if rounded != 0.0 && !(1e-9..1e15).contains(&rounded.abs()) {
        return format!("{rounded:e}");
    }
    rounded.to_string()
}

/// A date, a date with its time, a time of day, or a duration in hours.
fn date(date: &ExcelDateTime) -> String {
    if date.is_duration() {
        let seconds = (date.as_f64() * 86_400.0).round() as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let Some(moment) = date.as_datetime() else {
        return number(date.as_f64());
    };
    if date.as_f64() < 1.0 {
        return moment.format("%H:%M:%S").to_string();
    }
    if moment.time() == NaiveTime::MIN {
        return moment.format("%Y-%m-%d").to_string();
    }
    moment.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_excel_shows_them() {
        let shown = [0.1 + 0.2, 3.0, -1.5, 1e20, 0.0, 4.3 - f64::EPSILON].map(number);
        assert_eq!(shown, ["0.3", "3", "-1.5", "1e20", "0", "4.3"]);
    }
}
