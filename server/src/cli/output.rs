//! What goes to standard output: lines, tables and JSON.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table, TableComponent};
use serde::Serialize;

/// Prints a line.
pub fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref()).context("can't write to standard output")
}

/// Prints a piece of a line, to be seen at once.
pub fn piece(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("can't write to standard output")
}

/// Prints a value as indented JSON.
pub fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value).context("can't write the result as JSON")?)
}

/// Says something to a person on standard error. Who has closed it doesn't want to know.
pub fn note(text: impl AsRef<str>) {
    drop(writeln!(io::stderr().lock(), "{}", text.as_ref()));
}

/// Asks the person at the terminal. Where there is none, a script has decided: yes.
pub fn confirmed(question: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    note(format!("{question} Type yes to do it:"));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .context("can't read the answer")?;
    Ok(matches!(answer.trim(), "yes" | "y"))
}

/// The width of a table that no terminal shows, in characters.
const WIDTH_WITHOUT_TERMINAL: u16 = 140;

/// An empty table with these column names, no wider than the terminal.
pub fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns.to_vec());
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH_WITHOUT_TERMINAL);
    }
    table
}

/// Right-aligns the columns with these numbers.
pub fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
}

/// Wraps `text` in an ANSI style where standard error is a terminal that wants colour.
pub fn styled_for_stderr(text: &str, style: &str) -> String {
    let wanted = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if wanted {
        format!("\u{1b}[{style}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A number of bytes as people read it.
pub fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}
