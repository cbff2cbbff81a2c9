//! Tables and sheets of an `OpenDocument` file: repeated rows and cells are written out, as far as they say something.

use super::super::super::ExtractError;
use super::super::table::{Cell, Table, regions};
use super::super::xml::Element;
use super::text::Hanging;
use super::{PAGE_LEVEL, Reader};

/// A row or a cell that says something is repeated at most this often: a file of a kilobyte can ask for a million.
const MAX_REPEATED: usize = 1_000;

/// The most cells of one table.
const MAX_CELLS: usize = 2_000_000;

impl Reader<'_, '_> {
    /// A sheet begins with its name; each region between empty rows is a table.
    pub(super) fn sheet(&mut self, sheet: &Element<'_>) -> Result<(), ExtractError> {
        self.page += 1;
        self.writer.turn_to(Some(self.page));
        self.writer
            .heading(PAGE_LEVEL, sheet.attribute("name").unwrap_or_default());
        let mut hanging = Vec::new();
        let rows = self.rows(sheet, &mut hanging);
        for region in regions(rows) {
            self.writer.table(&region);
        }
        self.hanging(hanging)?;
        for shapes in sheet.all("shapes") {
            self.blocks(shapes)?;
        }
        Ok(())
    }

    /// A table in a text or on a slide.
    pub(super) fn table(&mut self, table: &Element<'_>) -> Result<(), ExtractError> {
        let mut hanging = Vec::new();
        let rows = self.rows(table, &mut hanging);
        self.writer.table(&Table { rows });
        self.hanging(hanging)
    }

    fn rows<'e, 'x>(&mut self, table: &'e Element<'x>, hanging: &mut Vec<Hanging<'e, 'x>>) -> Vec<Vec<Cell>> {
        let mut rows = Vec::new();
        let mut cells = 0;
        self.push_rows(table, &mut rows, &mut cells, hanging);
        if cells > MAX_CELLS {
            self.writer
                .warn(format!("a table was cut after {MAX_CELLS} cells"));
        }
        rows
    }

    fn push_rows<'e, 'x>(
        &mut self,
        parent: &'e Element<'x>,
        rows: &mut Vec<Vec<Cell>>,
        cells: &mut usize,
        hanging: &mut Vec<Hanging<'e, 'x>>,
    ) {
        for element in parent.elements() {
            match element.name {
                "table-row" => {
                    let row = self.row(element, hanging);
                    let says_something = row.iter().any(|cell| !cell.text.is_empty());
                    let times = match repeated(element, "number-rows-repeated") {
                        times if says_something => times,
                        _ => 1,
                    };
                    for _ in 0..times {
                        *cells += row.len();
                        if *cells > MAX_CELLS {
                            return;
                        }
                        rows.push(row.clone());
                    }
                }
                "table-header-rows" | "table-rows" | "table-row-group" => {
                    self.push_rows(element, rows, cells, hanging);
                }
                _ => {}
            }
        }
    }

    fn row<'e, 'x>(&mut self, row: &'e Element<'x>, hanging: &mut Vec<Hanging<'e, 'x>>) -> Vec<Cell> {
        let mut cells = Vec::new();
        // Empty cells are written only where another follows.
        let mut empty = 0;
        for cell in row.all("table-cell") {
            let times = repeated(cell, "number-columns-repeated");
            let text = self.cell(cell, hanging);
            let columns = number(cell, "number-columns-spanned");
            let rows = number(cell, "number-rows-spanned");
            if text.is_empty() && columns == 1 && rows == 1 {
                empty += times;
                continue;
            }
            cells.extend((0..empty).map(|_| Cell::new("")));
            empty = 0;
            cells.extend((0..times).map(|_| Cell::spanning(text.as_str(), columns, rows)));
            if cells.len() > MAX_CELLS {
                break;
            }
        }
        cells
    }

    fn cell<'e, 'x>(&mut self, cell: &'e Element<'x>, hanging: &mut Vec<Hanging<'e, 'x>>) -> String {
        let mut text = String::new();
        self.push_cell(cell, &mut text, hanging);
        if text.trim().is_empty()
            && let Some(value) = cell.attribute("value").or_else(|| cell.attribute("date-value"))
        {
            return value.to_owned();
        }
        text.trim().to_owned()
    }

    fn push_cell<'e, 'x>(
        &mut self,
        parent: &'e Element<'x>,
        text: &mut String,
        hanging: &mut Vec<Hanging<'e, 'x>>,
    ) {
        for element in parent.elements() {
            match element.name {
                "p" | "h" => {
                    let mut line = self.line(element);
                    text.push_str(&line.text);
                    text.push('\n');
                    hanging.append(&mut line.hanging);
                }
                "annotation" => hanging.push(Hanging::Comment(element)),
                "frame" | "custom-shape" => hanging.push(Hanging::Frame(element)),
                _ => self.push_cell(element, text, hanging),
            }
        }
    }
}

fn number(element: &Element<'_>, name: &str) -> usize {
    element
        .attribute(name)
        .and_then(|number| number.parse().ok())
        .unwrap_or(1)
}

fn repeated(element: &Element<'_>, name: &str) -> usize {
    number(element, name).clamp(1, MAX_REPEATED)
}
