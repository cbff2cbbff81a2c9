//! A table with merged cells, and what is to be read in each of its places.

/// The most columns that a cell may span, and rows (as in HTML: WHATWG, "algorithm for processing rows").
const MAX_COLUMN_SPAN: usize = 1_000;
const MAX_ROW_SPAN: usize = 65_534;

/// A longer text isn't repeated in the cells that a merged cell covers.
const MAX_REPEATED_BYTES: usize = 120;

/// A table. A merged cell stands once, where it begins; the places that it covers have no cell.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Columns that it takes, from 1.
    pub(super) columns: usize,
    /// Rows that it takes, from 1.
    pub(super) rows: usize,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::spanning(text, 1, 1)
    }

    pub(super) fn spanning(text: impl Into<String>, columns: usize, rows: usize) -> Self {
        Self {
            text: text.into(),
            columns: columns.clamp(1, MAX_COLUMN_SPAN),
            rows: rows.clamp(1, MAX_ROW_SPAN),
        }
    }
}

impl Table {
    /// The text of a table that has one cell: a frame around running text.
    pub(super) fn only_cell(&self) -> Option<&str> {
        match self.rows.as_slice() {
            [row] if row.len() == 1 => Some(&row[0].text),
            _ => None,
        }
    }

    /// Every place of the table with what stands there, without rows and columns at the end that are empty.
    ///
    /// The text of a merged cell is repeated in the places that it covers, so that each row can be read by
    /// itself; but a long one, or one that takes the whole width (a caption in the table), stands once.
    pub(super) fn places(&self) -> Vec<Vec<String>> {
        let mut rows = self.laid_out();
        rows.retain(|row| row.iter().any(|text| !text.trim().is_empty()));
        for row in &mut rows {
            let used = row.iter().rposition(|text| !text.trim().is_empty());
            row.truncate(used.map_or(0, |last| last + 1));
        }
        rows
    }

    fn laid_out(&self) -> Vec<Vec<String>> {
        // For each column: what a cell above says in it, and for how many further rows.
        let mut from_above: Vec<(usize, String)> = Vec::new();
        let width = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.columns).sum::<usize>())
            .max()
            .unwrap_or(0);
        let mut grid = Vec::with_capacity(self.rows.len());
        for cells in &self.rows {
            let mut row = Vec::with_capacity(cells.len());
            for cell in cells {
                pass_covered(&mut row, &mut from_above);
                let text = &cell.text;
                let is_repeated = text.len() <= MAX_REPEATED_BYTES;
                let across = is_repeated && cell.columns < width;
                for place in 0..cell.columns {
                    let column = row.len();
                    let shown = if place == 0 || across { text.as_str() } else { "" };
                    row.push(shown.to_owned());
                    if from_above.len() <= column {
                        from_above.resize(column + 1, (0, String::new()));
                    }
                    let below = if is_repeated { shown } else { "" };
                    from_above[column] = (cell.rows - 1, below.to_owned());
                }
            }
            while row.len() < from_above.len() {
                let before = row.len();
                pass_covered(&mut row, &mut from_above);
                if row.len() == before {
                    row.push(String::new());
                }
            }
            grid.push(row);
        }
        grid
    }
}

/// Fills the places of a row that cells above cover, from where the row has got to.
fn pass_covered(row: &mut Vec<String>, from_above: &mut [(usize, String)]) {
    while let Some((left @ 1.., text)) = from_above.get_mut(row.len()) {
        *left -= 1;
        row.push(text.clone());
    }
}

/// The tables of a sheet: what stands between empty rows, without the empty columns before it.
pub(super) fn regions(rows: Vec<Vec<Cell>>) -> Vec<Table> {
    let mut regions = Vec::new();
    let mut open: Vec<Vec<Cell>> = Vec::new();
    for row in rows {
        if row.iter().any(|cell| !cell.text.is_empty()) {
            open.push(row);
        } else if !open.is_empty() {
            regions.push(region(std::mem::take(&mut open)));
        }
    }
    if !open.is_empty() {
        regions.push(region(open));
    }
    regions
}

fn region(mut rows: Vec<Vec<Cell>>) -> Table {
    let empty_before = |row: &Vec<Cell>| {
        row.iter()
            .take_while(|cell| cell.text.is_empty() && cell.columns == 1)
            .count()
    };
    let margin = rows.iter().map(empty_before).min().unwrap_or(0);
    for row in &mut rows {
        row.drain(..margin);
        let used = row
            .iter()
            .rposition(|cell| !cell.text.is_empty())
            .map_or(0, |last| last + 1);
        row.truncate(used);
    }
    Table { rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[(&str, usize, usize)]]) -> Table {
        let cells = |row: &&[(&str, usize, usize)]| {
            row.iter()
                .map(|(text, columns, rows)| Cell::spanning(*text, *columns, *rows))
                .collect()
        };
        Table {
            rows: rows.iter().map(cells).collect(),
        }
    }

    #[test]
    fn a_merged_cell_is_readable_in_every_row_and_column() {
        let table = table(&[
            &[("Leave in 2024", 3, 1)],
            &[("Who", 1, 2), ("Weeks", 2, 1)],
            &[("min", 1, 1), ("max", 1, 1)],
            &[("Parents", 1, 1), ("20", 1, 1)],
        ]);
        let shown: Vec<String> = table.places().iter().map(|row| row.join(" / ")).collect();
        assert_eq!(
            shown,
            [
                "Leave in 2024",
                "Who / Weeks / Weeks",
                "Who / min / max",
                "Parents / 20"
            ]
        );
    }

    #[test]
    fn regions_stand_between_empty_rows_and_begin_at_their_first_column() {
        let rows = table(&[
            &[("", 1, 1)],
            &[("", 1, 1), ("a", 1, 1), ("", 1, 1)],
            &[("", 1, 1), ("", 1, 1), ("b", 1, 1)],
            &[],
            &[("c", 1, 1)],
        ])
        .rows;
        let places: Vec<Vec<Vec<String>>> = regions(rows).iter().map(Table::places).collect();
        assert_eq!(places, [vec![vec!["a"], vec!["", "b"]], vec![vec!["c"]]]);
    }

    #[test]
    fn spans_are_bounded() {
        let table = table(&[&[("a", usize::MAX, usize::MAX), ("b", 1, 1)], &[("c", 1, 1)]]);
        assert_eq!(table.laid_out()[0].len(), MAX_COLUMN_SPAN + 1);
    }
}
