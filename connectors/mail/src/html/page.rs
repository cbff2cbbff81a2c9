//! The lines that are written: how far apart they are, what stands before them, and rows whose cells are put together.

/// What stands before a line is bounded, so that what is written is no more than some times what was read.
const MOST_MARKS: usize = 4;

/// A page while it is written.
#[derive(Debug, Default)]
pub(super) struct Page {
    written: String,
    /// The line that words are added to.
    line: String,
    /// Whether a space is due before the next word.
    is_spaced: bool,
    /// Whether the line has a beginning of bold words without an end.
    is_marked: bool,
    /// 1 where a new line is due before the next one, 2 where an empty one is.
    gap: u8,
    /// How many quotes the last line was in.
    last_quotes: usize,
    /// What is due before the first line of an item.
    mark: Option<String>,
    /// The numbers of the next items, of those lists that have numbers.
    lists: Vec<Option<u32>>,
    rows: Vec<Row>,
    /// The bytes of lines that aren't written yet.
    held_bytes: usize,
    pub(super) quotes: usize,
    pub(super) bold: usize,
    pub(super) preformatted: usize,
    pub(super) is_hidden: bool,
}

/// A row of a table that is open.
#[derive(Debug, Default)]
struct Row {
    /// What is due before it.
    gap: u8,
    /// The cells that are one line.
    cells: Vec<String>,
    cell: Option<Cell>,
}

/// The cell of a row that is open.
#[derive(Debug, Default)]
struct Cell {
    /// The first line, as long as there is no other.
    line: Option<String>,
    /// Whether it has several lines, which are written as they come.
    is_block: bool,
}

impl Page {
    /// How much there is, about.
    pub(super) fn bytes(&self) -> usize {
        self.written.len() + self.held_bytes + self.line.len()
    }

    pub(super) fn words(&mut self, text: &str) {
        if self.is_hidden {
            return;
        }
        for character in text.chars() {
            if self.preformatted > 0 && character == '\n' {
                self.line_break();
            } else if character.is_whitespace() && (self.preformatted == 0 || self.line.is_empty()) {
                self.is_spaced = true;
            } else {
                self.add(character);
            }
        }
    }

    fn add(&mut self, character: char) {
        let is_bold = self.bold > 0;
        if self.is_marked && !is_bold {
            self.line.push_str("**");
        }
        if self.is_spaced && !self.line.is_empty() {
            self.line.push(' ');
        }
        if is_bold && !self.is_marked {
            self.line.push_str("**");
        }
        (self.is_marked, self.is_spaced) = (is_bold, false);
        self.line.push(character);
    }

    /// Ends the line. The next one is so far apart: 1 begins a line, 2 a paragraph.
    pub(super) fn part(&mut self, gap: u8) {
        if self.is_marked {
            self.line.push_str("**");
        }
        (self.is_marked, self.is_spaced) = (false, false);
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.put(line);
        }
        self.gap = self.gap.max(gap);
    }

    pub(super) fn line_break(&mut self) {
        let gap = if self.line.is_empty() { 2 } else { 1 };
        self.part(gap);
    }

    /// Ends the line before what isn't a part of a row.
    pub(super) fn begin_block(&mut self) {
        self.part(2);
        self.stand_alone();
    }

    /// Puts a line where it belongs.
    fn put(&mut self, line: String) {
        let cell = self.rows.last_mut().and_then(|row| row.cell.as_mut());
        match cell {
            Some(cell) if !cell.is_block && cell.line.is_none() => {
                self.held_bytes += line.len();
                cell.line = Some(line);
            }
            _ => {
                self.stand_alone();
                self.write(&line);
            }
        }
    }

    /// Writes what is held of the open cell and those before it in its row: it has more than a line.
    fn stand_alone(&mut self) {
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        let Some(cell) = row.cell.as_mut().filter(|cell| !cell.is_block) else {
            return;
        };
        cell.is_block = true;
        let (held, cells, before) = (cell.line.take(), std::mem::take(&mut row.cells), row.gap);
        row.gap = 2;
        let behind = self.gap;
        self.gap = before;
        self.write_row(&cells);
        if let Some(held) = held {
            self.held_bytes = self.held_bytes.saturating_sub(held.len());
            self.write(&held);
            self.gap = behind;
        }
    }

    fn write_row(&mut self, cells: &[String]) {
        if !cells.is_empty() {
            let bytes: usize = cells.iter().map(String::len).sum();
            self.held_bytes = self.held_bytes.saturating_sub(bytes);
            self.write(&cells.join(" | "));
            self.gap = 2;
        }
    }

    pub(super) fn begin_row(&mut self) {
        self.part(1);
        self.rows.push(Row {
            gap: std::mem::take(&mut self.gap),
            ..Row::default()
        });
    }

    pub(super) fn begin_cell(&mut self) {
        self.part(1);
        let gap = std::mem::take(&mut self.gap);
        if let Some(row) = self.rows.last_mut() {
            row.gap = row.gap.max(gap);
            row.cell = Some(Cell::default());
        }
    }

    pub(super) fn end_cell(&mut self) {
        self.part(1);
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        let cell = row.cell.take().unwrap_or_default();
        self.gap = if cell.is_block { 2 } else { 0 };
        row.cells.extend(cell.line);
    }

    pub(super) fn end_row(&mut self) {
        self.part(1);
        if let Some(row) = self.rows.pop() {
            self.gap = self.gap.max(row.gap);
            self.write_row(&row.cells);
            self.gap = if row.cells.is_empty() { self.gap } else { 1 };
        }
    }

    pub(super) fn begin_list(&mut self, is_numbered: bool) {
        match self.lists.is_empty() {
            true => self.begin_block(),
            false => self.part(1),
        }
        self.lists.push(is_numbered.then_some(1));
    }

    pub(super) fn end_list(&mut self) {
        self.part(1);
        self.lists.pop();
        self.gap = if self.lists.is_empty() { 2 } else { 1 };
    }

    pub(super) fn begin_item(&mut self) {
        self.part(1);
        self.stand_alone();
        self.mark = Some(match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        });
    }

    pub(super) fn end_item(&mut self) {
        self.part(1);
        self.mark = None;
    }

    /// Writes a line, with what stands before it.
    fn write(&mut self, line: &str) {
        let quotes = self.quotes.min(MOST_MARKS);
        if !self.written.is_empty() {
            self.written.push('\n');
            if self.gap > 1 {
                let marks = ["> "; MOST_MARKS].concat();
                let marks = &marks[..2 * quotes.min(self.last_quotes)];
                self.written.push_str(marks.trim_end());
                self.written.push('\n');
            }
        }
        (self.gap, self.last_quotes) = (0, quotes);
        (0..quotes).for_each(|_| self.written.push_str("> "));
        let mark = self.mark.take();
        let indent = self.lists.len() - usize::from(mark.is_some() && !self.lists.is_empty());
        (0..indent.min(MOST_MARKS)).for_each(|_| self.written.push_str("  "));
        self.written.push_str(&mark.unwrap_or_default());
        // The headings and fences of the document aren't those of the message.
        if ["#", "```", "~~~"].iter().any(|begin| line.starts_with(begin)) {
            self.written.push('\\');
        }
        self.written.push_str(line);
    }

    pub(super) fn finish(mut self) -> String {
        self.part(1);
        self.written
    }
}
