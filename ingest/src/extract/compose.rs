//! Writing a document's text: what a reader finds is written as Markdown, piece by piece, and each piece becomes
//! a block that lies exactly where it was written.

use lectern_domain::{Block, BlockKind, Extracted, TextSpan};

use super::read::title_line;

/// A table block ends after so much text, and the next one begins with the header again: whoever cuts a table into
/// chunks handles one block at a time.
const TABLE_BYTES: usize = 128 * 1024;

/// A text in the making.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Composition {
    text: String,
    blocks: Vec<Block>,
    /// The page or slide that the next blocks stand on.
    pub(super) page: Option<u32>,
}

impl Composition {
    /// A heading; level 1 is the highest. One without words is left out.
    pub(super) fn heading(&mut self, level: u8, words: &str) {
        let level = level.clamp(1, 6);
        if let Some(title) = title_line(words) {
            let line = format!("{} {title}", "#".repeat(usize::from(level)));
            self.push(BlockKind::Heading { level, title }, &line);
        }
    }

    /// Running text or a list.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.push(BlockKind::Paragraph, text);
    }

    /// A table. Rows are filled up or lengthen the table; nothing of a cell is lost but its line breaks.
    pub(super) fn table(&mut self, header: &[String], rows: &[Vec<String>]) {
        for part in table_parts(header, rows, TABLE_BYTES) {
            self.push(BlockKind::Table, &part);
        }
    }

    /// A block as it is.
    pub(super) fn push(&mut self, kind: BlockKind, piece: &str) {
        let piece = piece.trim_matches(['\n', '\r']).trim_end();
        if piece.trim().is_empty() {
            return;
        }
        self.part();
        let start = self.text.len();
        self.text.push_str(piece);
        self.blocks.push(Block {
            kind,
            span: TextSpan {
                start,
                end: self.text.len(),
            },
            page: self.page,
        });
    }

    /// Another document, whole, after this one.
    pub(super) fn append(&mut self, other: Extracted) {
        if other.text.trim().is_empty() {
            return;
        }
        self.part();
        let offset = self.text.len();
        self.text.push_str(other.text.trim_end());
        let end = self.text.len();
        self.blocks.extend(other.blocks.into_iter().map(|block| Block {
            span: TextSpan {
                start: (block.span.start + offset).min(end),
                end: (block.span.end + offset).min(end),
            },
            ..block
        }));
    }

    /// A blank line between what is there and what comes.
    fn part(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
    }

    /// The document.
    pub(super) fn finish(self, media_type: &str) -> Extracted {
        Extracted {
            media_type: media_type.to_owned(),
            text: self.text,
            blocks: self.blocks,
            ..Extracted::default()
        }
    }
}

/// A Markdown table.
pub(super) fn markdown_table(header: &[String], rows: &[Vec<String>]) -> String {
    table_parts(header, rows, usize::MAX).concat()
}

/// A Markdown table in parts of about `most` bytes, each with the header.
fn table_parts(header: &[String], rows: &[Vec<String>], most: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
    if columns == 0 {
        return Vec::new();
    }
    let head = format!("{}\n|{}", table_row(header, columns), " --- |".repeat(columns));
    let mut parts = Vec::new();
    let mut part = head.clone();
    for row in rows {
        if part.len() > most {
            parts.push(std::mem::replace(&mut part, head.clone()));
        }
        part.push('\n');
        part.push_str(&table_row(row, columns));
    }
    parts.push(part);
    parts
}

/// A row of a Markdown table.
fn table_row(cells: &[String], columns: usize) -> String {
    let mut row = String::from("|");
    for column in 0..columns {
        let cell = cells.get(column).map_or("", String::as_str);
        row.push(' ');
        for (place, word) in cell.split_whitespace().enumerate() {
            if place > 0 {
                row.push(' ');
            }
            row.push_str(&word.replace('|', "\\|"));
        }
        row.push_str(if row.ends_with(' ') { "|" } else { " |" });
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_lies_where_it_was_written() {
        let mut composition = Composition::default();
        composition.heading(1, "  A\ntitle ");
        composition.heading(2, " ");
        composition.paragraph("\nwords\n\n");
        let cells = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        composition.table(
            &cells(&["a", "b"]),
            &[cells(&["1|2", "x\ny"]), cells(&["", "3", "4"])],
        );
        let mut other = Composition::default();
        other.paragraph("üb\n");
        composition.append(other.finish("text/plain"));
        let extracted = composition.finish("text/plain");
        let pieces: Vec<&str> = extracted
            .blocks
            .iter()
            .map(|block| block.span.of(&extracted.text).unwrap())
            .collect();
        assert_eq!(
            pieces,
            [
                "# A title",
                "words",
                "| a | b | |\n| --- | --- | --- |\n| 1\\|2 | x y | |\n| | 3 | 4 |",
                "üb"
            ]
        );
        assert_eq!(extracted.text, pieces.join("\n\n"));
    }

    #[test]
    fn a_long_table_is_cut_and_each_part_has_the_header() {
        let rows: Vec<Vec<String>> = (0..20_000)
            .map(|row| vec![row.to_string(), "some words".to_owned()])
            .collect();
        let mut composition = Composition::default();
        composition.table(&["id".to_owned(), "text".to_owned()], &rows);
        let extracted = composition.finish("text/csv");
        assert!(extracted.blocks.len() > 2);
        assert!(extracted.blocks.iter().all(|block| {
            let table = block.span.of(&extracted.text).unwrap();
            table.starts_with("| id | text |\n| --- | --- |\n| ") && table.len() < TABLE_BYTES + 1024
        }));
    }
}
