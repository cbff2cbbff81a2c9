//! Tables of a document: merged cells are put together, and a cell becomes one text.

use super::super::table::{Cell, Table};
use super::super::xml::Element;
use super::Reader;
use super::inline::{Hanging, Line, chosen};

/// The rows of a table or the cells of a row, through what may stand around them.
fn through<'e, 'x>(parent: &'e Element<'x>, name: &str, found: &mut Vec<&'e Element<'x>>) {
    for element in parent.elements() {
        match element.name {
            found_name if found_name == name => found.push(element),
            "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo" | "bookmarkStart" => {
                through(element, name, found)
            }
            "AlternateContent" => {
                if let Some(chosen) = chosen(element) {
                    through(chosen, name, found);
                }
            }
            _ => {}
        }
    }
}

fn rows<'e, 'x>(table: &'e Element<'x>) -> Vec<&'e Element<'x>> {
    let mut found = Vec::new();
    through(table, "tr", &mut found);
    found
}

fn cells<'e, 'x>(row: &'e Element<'x>) -> Vec<&'e Element<'x>> {
    let mut found = Vec::new();
    through(row, "tc", &mut found);
    found
}

/// The cell of a table that has no other: a frame.
pub(super) fn only_cell<'e, 'x>(table: &'e Element<'x>) -> Option<&'e Element<'x>> {
    match rows(table).as_slice() {
        [row] => match cells(row).as_slice() {
            [cell] => Some(cell),
            _ => None,
        },
        _ => None,
    }
}

fn count(properties: Option<&Element<'_>>, name: &str) -> usize {
    properties
        .and_then(|it| it.value_of(name))
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

impl Reader<'_, '_> {
    /// Reads a table; what hangs on its paragraphs is added to `hanging`.
    pub(super) fn grid<'e, 'x>(
        &mut self,
        table: &'e Element<'x>,
        hanging: &mut Vec<Hanging<'e, 'x>>,
    ) -> Table {
        let mut grid = Table::default();
        // Where the merged cell begins that each column is in: its row, and its place in that.
        let mut merged: Vec<Option<(usize, usize)>> = Vec::new();
        for row in rows(table) {
            if row.child("trPr").is_some_and(|it| it.child("del").is_some()) {
                continue;
            }
            let mut read: Vec<Cell> = Vec::new();
            let mut column = count(row.child("trPr"), "gridBefore").min(1_000);
            read.extend((0..column).map(|_| Cell::new("")));
            for cell in cells(row) {
                let properties = cell.child("tcPr");
                let columns = count(properties, "gridSpan").clamp(1, 1_000);
                let merge = properties.and_then(|it| it.child("vMerge"));
                let text = self.cell(cell, hanging);
                let goes_on = merge.is_some_and(|it| it.attribute("val") != Some("restart"));
                if merged.len() < column + columns {
                    merged.resize(column + columns, None);
                }
                let owner = merged[column].filter(|_| goes_on);
                if let Some(owner) = owner.and_then(|(row, place)| grid.rows.get_mut(row)?.get_mut(place)) {
                    owner.rows += 1;
                } else {
                    let place = merge.map(|_| (grid.rows.len(), read.len()));
                    merged[column..column + columns].fill(place);
                    read.push(Cell::spanning(text, columns, 1));
                }
                column += columns;
            }
            grid.rows.push(read);
        }
        grid
    }

    /// What a cell says, in one text.
    fn cell<'e, 'x>(&mut self, cell: &'e Element<'x>, hanging: &mut Vec<Hanging<'e, 'x>>) -> String {
        let mut text = String::new();
        self.cell_content(cell, &mut text, hanging);
        text.trim().to_owned()
    }

    fn cell_content<'e, 'x>(
        &mut self,
        parent: &'e Element<'x>,
        text: &mut String,
        hanging: &mut Vec<Hanging<'e, 'x>>,
    ) {
        for element in parent.elements() {
            match element.name {
                "p" => {
                    let mut line = Line::default();
                    self.inline(element, &mut line);
                    if let Some((_, mark)) = self.item(element).filter(|_| !line.text.trim().is_empty()) {
                        text.push_str(&mark);
                        text.push(' ');
                    }
                    text.push_str(&line.text);
                    text.push('\n');
                    hanging.append(&mut line.hanging);
                }
                "tbl" => {
                    for row in self.grid(element, hanging).rows {
                        let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
                        text.push_str(&cells.join(" "));
                        text.push('\n');
                    }
                }
                "tcPr" | "sdtPr" | "sdtEndPr" | "del" | "moveFrom" => {}
                "AlternateContent" => {
                    if let Some(chosen) = chosen(element) {
                        self.cell_content(chosen, text, hanging);
                    }
                }
                _ => self.cell_content(element, text, hanging),
            }
        }
    }
}
