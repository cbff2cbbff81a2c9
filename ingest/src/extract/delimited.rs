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

/// Reads delimited text. Spans are those of the Markdown that comes out.
pub(super) fn read(text: &str, delimiter: u8) -> Extracted {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map_while(Result::ok)
        .map(|record| record.iter().map(str::to_owned).collect())
        .filter(|row: &Vec<String>| row.iter().any(|field| !field.trim().is_empty()))
        .collect();
    if rows.is_empty() {
        return Extracted::default();
    }
    let header = rows.remove(0);
    let mut composition = Composition::default();
    write_table(&mut composition, &header, &rows);
    composition.finish(if delimiter == b'\t' {
        "text/tab-separated-values"
    } else {
        "text/csv"
    })
}

/// Writes a table, or its records one by one where they are long.
pub(super) fn write_table(composition: &mut Composition, header: &[String], rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
    let bytes: usize = rows.iter().flatten().map(String::len).sum();
    if columns <= MANY_COLUMNS && bytes <= LONG_ROW_BYTES * rows.len() {
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
