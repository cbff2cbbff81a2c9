//! Tables of HTML. A cell that spans several columns or rows stands in each of them, so that a row can be read alone.
//!
//! The converter walks the tree from the inside: cells and rows leave marks around what they hold (control characters,
//! which HTML can't contain), and the table is made of those.

use std::borrow::Cow;

use htmd::Element;
use htmd::element_handler::{HandlerResult, Handlers};

use crate::extract::compose::markdown_table;

const CELL: char = '\u{1}';
const CONTENT: char = '\u{2}';
const ROW: char = '\u{3}';
const CAPTION: char = '\u{4}';
const MARKS: [char; 4] = [CELL, CONTENT, ROW, CAPTION];

/// A cell spans at most so many columns or rows.
const MAX_SPAN: usize = 100;

/// Spans are written out in a table of at most so many cells.
const MAX_CELLS: usize = 100_000;

/// The text of a cell that is longer than this stands only in its first place.
const LONG_CELL_BYTES: usize = 200;

/// A table with a cell longer than this lays out a page and holds no data.
const LAYOUT_CELL_BYTES: usize = 1_500;

/// The page without the characters that are used as marks.
pub(super) fn without_marks(html: &str) -> Cow<'_, str> {
    if html.contains(MARKS) {
        Cow::Owned(html.replace(MARKS, ""))
    } else {
        Cow::Borrowed(html)
    }
}

pub(super) fn cell(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let span = |name: &str| {
        let stated = element
            .attrs
            .iter()
            .find(|attribute| &*attribute.name.local == name);
        stated
            .and_then(|attribute| attribute.value.trim().parse::<usize>().ok())
            .unwrap_or(1)
            .clamp(1, MAX_SPAN)
    };
    let (columns, rows) = (span("colspan"), span("rowspan"));
    let content = handlers.walk_children(element.node).content;
    Some(format!("{CELL}{columns},{rows}{CONTENT}{}", content.trim()).into())
}

pub(super) fn row(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    Some(format!("{ROW}{content}").into())
}

pub(super) fn caption(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    Some(format!("{CAPTION}{}", content.trim()).into())
}

/// A cell, and how many columns and rows it takes.
struct Cell {
    text: String,
    columns: usize,
    rows: usize,
}

pub(super) fn table(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let mut pieces = content.split(ROW);
    // What stands before the first row: a caption, or a table without rows.
    let before = pieces.next().unwrap_or_default().replace(MARKS, "\n\n");
    let rows: Vec<Vec<Cell>> = pieces.map(cells).filter(|row| !row.is_empty()).collect();
    let columns = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.columns).sum())
        .max();
    let is_layout = columns.unwrap_or(0) <= 1 || rows.iter().flatten().any(Cell::is_layout);
    let body = if is_layout {
        let texts = rows.iter().flatten().map(|cell| cell.text.trim());
        texts
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n\n")
    } else {
        let mut grid = expand(&rows);
        let header = grid.remove(0);
        markdown_table(&header, &grid)
    };
    let before = before.trim();
    let gap = if before.is_empty() { "" } else { "\n\n" };
    Some(format!("\n\n{before}{gap}{body}\n\n").into())
}

/// The cells of a row.
fn cells(row: &str) -> Vec<Cell> {
    row.split(CELL)
        .skip(1)
        .filter_map(|cell| {
            let (spans, text) = cell.split_once(CONTENT)?;
            let (columns, rows) = spans.split_once(',')?;
            Some(Cell {
                text: text.replace(CAPTION, " ").trim().to_owned(),
                columns: columns.parse().ok()?,
                rows: rows.parse().ok()?,
            })
        })
        .collect()
}

impl Cell {
    /// Whether it holds a piece of a page: headings, a table of several lines, a long text.
    fn is_layout(&self) -> bool {
        self.text.len() > LAYOUT_CELL_BYTES
            || self
                .text
                .lines()
                .any(|line| line.starts_with('#') || line.starts_with("| "))
    }
}

/// The table as a grid, with a cell in each place that it spans.
fn expand(rows: &[Vec<Cell>]) -> Vec<Vec<String>> {
    let is_small = rows
        .iter()
        .flatten()
        .map(|cell| cell.columns * cell.rows)
        .sum::<usize>()
        <= MAX_CELLS;
    let mut grid: Vec<Vec<String>> = Vec::with_capacity(rows.len());
    // For each column, the text that reaches down into the next rows, and how many it still reaches.
    let mut reaching: Vec<(usize, String)> = Vec::new();
    for row in rows {
        let mut line: Vec<String> = Vec::new();
        let mut waiting = row.iter();
        loop {
            let column = line.len();
            if let Some((left, text)) = reaching.get_mut(column).filter(|(left, _)| *left > 0) {
                *left -= 1;
                line.push(text.clone());
                continue;
            }
            let Some(cell) = waiting.next() else { break };
            let (columns, rows) = if is_small {
                (cell.columns, cell.rows)
            } else {
                (1, 1)
            };
            let again = if cell.text.len() <= LONG_CELL_BYTES {
                cell.text.as_str()
            } else {
                ""
            };
            for place in 0..columns {
                line.push(if place == 0 {
                    cell.text.clone()
                } else {
                    again.to_owned()
                });
                if reaching.len() < line.len() {
                    reaching.resize(line.len(), (0, String::new()));
                }
                reaching[line.len() - 1] = (rows - 1, again.to_owned());
            }
        }
        grid.push(line);
    }
    grid
}
