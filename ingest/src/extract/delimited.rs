//! Tables in delimited text (CSV, TSV and their kin): a Markdown table, or a list of fields for each record where
//! records are too long for that.
//!
//! A row of a table says what its figures are only together with the header, so a chunk needs both. Where a row alone
//! fills most of a chunk, each field is written with the name of its column in place of a table.

use lectern_domain::Extracted;

use super::compose::Composition;

/// Rows that are longer than this on average are written as lists of fields.
const LONG_ROW_BYTES: usize = 500;

/// So are rows with more fields than this.
const MANY_COLUMNS: usize = 30;

/// So many records are held at a time; each such part of a table has the header.
const RECORDS_AT_ONCE: usize = 2_000;

/// Reads delimited text. Spans are those of the Markdown that comes out.
pub(super) fn read(text: &str, delimiter: u8) -> Extracted {
    let mut records = records(text.trim_start_matches('\u{feff}'), delimiter);
    let mut header = records.next().unwrap_or_default();
    let shape = Shape::of(text.trim_start_matches('\u{feff}'), delimiter);
    header.resize(shape.columns.max(header.len()), String::new());
    let mut composition = Composition::default();
    loop {
        let rows: Vec<Vec<String>> = records.by_ref().take(RECORDS_AT_ONCE).collect();
        if rows.is_empty() && composition != Composition::default() {
            break;
        }
        shape.write(&mut composition, &header, &rows);
        if rows.len() < RECORDS_AT_ONCE {
            break;
        }
    }
    composition.finish(if delimiter == b'\t' {
        "text/tab-separated-values"
    } else {
        "text/csv"
    })
}

/// The records that aren't blank.
fn records(text: &str, delimiter: u8) -> impl Iterator<Item = Vec<String>> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records()
        .map_while(Result::ok)
        .map(|record| record.iter().map(str::to_owned).collect())
        .filter(|row: &Vec<String>| row.iter().any(|field| !field.trim().is_empty()))
}

/// How large a table is.
#[derive(Default)]
struct Shape {
    columns: usize,
    rows: usize,
    bytes: usize,
}

impl Shape {
    fn of(text: &str, delimiter: u8) -> Self {
        records(text, delimiter).skip(1).fold(Self::default(), Self::with)
    }

    fn with(self, row: impl AsRef<[String]>) -> Self {
        let row = row.as_ref();
        Self {
            columns: self.columns.max(row.len()),
            rows: self.rows + 1,
            bytes: self.bytes + row.iter().map(String::len).sum::<usize>(),
        }
    }

    /// Writes rows of the table, or its records one by one where they are long.
    fn write(&self, composition: &mut Composition, header: &[String], rows: &[Vec<String>]) {
        let columns = self.columns.max(header.len());
        if columns <= MANY_COLUMNS && self.bytes <= LONG_ROW_BYTES * self.rows {
            composition.table(header, rows);
            return;
        }
        if rows.is_empty() {
            composition.paragraph(&header.join("\n"));
        }
        for row in rows {
            composition.paragraph(&fields(header, row));
        }
    }
}

/// Writes a table that is at hand.
pub(super) fn write_table(composition: &mut Composition, header: &[String], rows: &[Vec<String>]) {
    rows.iter()
        .fold(Shape::default(), Shape::with)
        .write(composition, header, rows);
}

/// A record as a list: a line for each field that isn't empty, with the name of its column.
fn fields(header: &[String], row: &[String]) -> String {
    let mut list = String::new();
    for (column, field) in row
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.trim().is_empty())
    {
        let name = header.get(column).map_or("", |name| name.trim());
        if !list.is_empty() {
            list.push('\n');
        }
        if !name.is_empty() {
            list.push_str(name);
            list.push_str(": ");
        }
        list.push_str(field.trim());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_quoted_fields_and_uneven_rows() {
        let extracted = read("name,town\n\"Doe, Jane\",\"New\nYork\"\n\nJohn\nx,y,z\n", b',');
        assert_eq!(
            extracted.text,
            "| name | town | |\n| --- | --- | --- |\n| Doe, Jane | New York | |\n| John | | |\n| x | y | z |"
        );
        assert_eq!(extracted.blocks.len(), 1);
    }

    #[test]
    fn a_long_table_is_written_in_parts_and_nothing_is_lost() {
        let rows = 3 * RECORDS_AT_ONCE;
        let source: String = (0..rows).map(|row| format!("{row},x\n")).collect();
        let extracted = read(&format!("id,word\n{source}0,x,y\n"), b',');
        assert!(extracted.blocks.len() >= 4, "{}", extracted.blocks.len());
        for block in &extracted.blocks {
            let part = block.span.of(&extracted.text).unwrap();
            assert!(
                part.starts_with("| id | word | |\n| --- | --- | --- |\n| "),
                "{part:.80}"
            );
        }
        let lines = extracted
            .text
            .lines()
            .filter(|line| line.ends_with("| x | |"))
            .count();
        assert_eq!(lines, rows);
        assert_eq!(
            read("only,a header\n", b',').text,
            "| only | a header |\n| --- | --- |"
        );
    }

    #[test]
    fn long_records_are_lists_of_named_fields() {
        let story = "It was a long day, and nothing came of it. ".repeat(20);
        let extracted = read(&format!("id;story;note\n1;{story};\n2;{story};end\n"), b';');
        assert_eq!(extracted.blocks.len(), 2);
        let second = extracted.blocks[1].span.of(&extracted.text).unwrap();
        assert!(
            second.starts_with("id: 2\nstory: It was") && second.ends_with("\nnote: end"),
            "{second}"
        );
        assert!(!extracted.text.contains("note: \n"));
    }
}
