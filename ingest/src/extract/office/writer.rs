//! From the parts of an office file, in the order in which they are read, to one text with its blocks.
//!
//! The text is Markdown without emphasis and escapes, as [`Composition`] writes it. Consecutive items of a list are one
//! block, as are consecutive lines of program text.

use lectern_domain::{BlockKind, Extracted};

use super::super::compose::Composition;
use super::table::Table;

/// The most warnings that are kept of one file.
const MAX_WARNINGS: usize = 20;

/// What is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    written: Composition,
    /// A list or program text that the next block may go on with.
    open: Option<(BlockKind, String)>,
    warnings: Vec<String>,
    /// The page, slide or sheet that is being written, from 1.
    page: Option<u32>,
}

impl Writer {
    /// A heading of level 1 to 6.
    pub(super) fn heading(&mut self, level: u8, words: &str) {
        self.close();
        self.written.heading(level, words);
    }

    /// Running text; its own line breaks are kept.
    pub(super) fn paragraph(&mut self, text: &str) {
        let text = tidy(text);
        if !text.is_empty() {
            self.close();
            self.written.paragraph(&text);
        }
    }

    /// An item of a list, `depth` levels deep from 0, with its number or `-`.
    pub(super) fn item(&mut self, depth: usize, marker: &str, text: &str) {
        let indent = "  ".repeat(depth.min(8));
        let text = tidy(text).replace('\n', &format!("\n{indent}  "));
        if !text.is_empty() {
            self.go_on(BlockKind::Paragraph, &format!("{indent}{marker} {text}"));
        }
    }

    /// A line of program text, or several.
    pub(super) fn code(&mut self, text: &str) {
        let goes_on = matches!(self.open, Some((BlockKind::Code, _)));
        if goes_on || !text.trim().is_empty() {
            self.go_on(BlockKind::Code, text.trim_end());
        }
    }

    /// A table; one that has a single cell is a frame, and what it says is running text.
    pub(super) fn table(&mut self, table: &Table) {
        if let Some(text) = table.only_cell() {
            return self.paragraph(text);
        }
        if let Some((header, rows)) = table.places().split_first() {
            self.close();
            self.written.table(header, rows);
        }
    }

    /// Another document, whole, after what is there.
    pub(super) fn append(&mut self, other: Extracted) {
        self.close();
        self.written.append(other);
    }

    /// Tells of something that could not be read.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning.into());
        }
    }

    /// Says where what comes stands. A list doesn't go on over a page.
    pub(super) fn turn_to(&mut self, page: Option<u32>) {
        if page != self.page {
            self.close();
            self.page = page;
            self.written.page = page;
        }
    }

    /// The document.
    pub(super) fn finish(mut self, media_type: &str) -> Extracted {
        self.close();
        Extracted {
            warnings: self.warnings,
            ..self.written.finish(media_type)
        }
    }

    fn go_on(&mut self, kind: BlockKind, line: &str) {
        match &mut self.open {
            Some((open, text)) if *open == kind => {
                text.push('\n');
                text.push_str(line);
            }
            _ => {
                self.close();
                self.open = Some((kind, line.to_owned()));
            }
        }
    }

    fn close(&mut self) {
        if let Some((kind, text)) = self.open.take() {
            self.written.push(kind, &text);
        }
    }
}

/// A text without white space around it and at the ends of its lines, and without empty lines.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if !tidied.is_empty() {
            tidied.push('\n');
        }
        tidied.push_str(line);
    }
    tidied.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::table::Cell;
    use super::*;

    #[test]
    fn items_and_lines_of_code_join_and_the_rest_stands_alone() {
        let mut writer = Writer::default();
        writer.turn_to(Some(3));
        writer.heading(2, " A\ntitle ");
        writer.item(0, "-", "one");
        writer.item(1, "2.", "two\nlines");
        writer.turn_to(Some(4));
        writer.item(0, "-", "three");
        writer.code("let x = 1;");
        writer.code("");
        writer.code("  let y;");
        writer.paragraph(" ");
        writer.table(&Table {
            rows: vec![vec![Cell::new("framed")]],
        });
        let extracted = writer.finish("text/plain");
        let shown = |block: &lectern_domain::Block| {
            let text = block.span.of(&extracted.text).unwrap();
            format!("{:?} {:?} {text:?}", block.page.unwrap(), block.kind)
        };
        let blocks: Vec<String> = extracted.blocks.iter().map(shown).collect();
        insta::assert_snapshot!(blocks.join("\n"), @r###"
        3 Heading { level: 2, title: "A title" } "## A title"
        3 Paragraph "- one\n  2. two\n    lines"
        4 Paragraph "- three"
        4 Code "let x = 1;\n\n  let y;"
        4 Paragraph "framed"
        "###);
    }
}
