//! DOC, PPT and XLS of 1997 to 2003, in OLE2 containers ([MS-CFB]), through `undoc`.

use undoc::model::{ListType, RevisionType};
use undoc::{Block, Document, Error, FormatType, Paragraph};

use super::super::ExtractError;
use super::super::read::title_line;
use super::Office;
use super::marks;
use super::properties::{Properties, date};
use super::table::{Cell, Table};
use super::writer::Writer;

/// Which kind of file the container is.
pub(super) fn recognise(bytes: &[u8]) -> Result<Office, ExtractError> {
    match undoc::detect_format_from_bytes(bytes).map_err(error)? {
        FormatType::Doc => Ok(Office::Doc),
        FormatType::Ppt => Ok(Office::Ppt),
        FormatType::Xls => Ok(Office::Xls),
        other => Err(ExtractError::UnknownFormat(other.name().to_owned())),
    }
}

fn error(error: Error) -> ExtractError {
    match error {
        Error::Encrypted => ExtractError::Encrypted,
        Error::UnsupportedFormat(_) => ExtractError::UnknownFormat("application/x-cfb".to_owned()),
        other => ExtractError::ArchiveDamaged(other.to_string()),
    }
}

/// Reads a file of the old formats.
pub(super) fn read(bytes: &[u8], writer: &mut Writer) -> Result<Properties, ExtractError> {
    let document = undoc::parse_bytes(bytes).map_err(error)?;
    let has_pages = document.format != FormatType::Doc;
    for (number, section) in (1_u32..).zip(&document.sections) {
        if has_pages {
            writer.turn_to(Some(number));
            begin_section(&document, section, number, writer);
        }
        blocks(&section.content, writer);
        for (words, paragraphs) in [
            ("Notes: ", &section.notes),
            ("", &section.header),
            ("", &section.footer),
        ] {
            let lines: Vec<String> = paragraphs.iter().flatten().map(text).collect();
            let text = lines.join("\n");
            if !text.trim().is_empty() {
                writer.paragraph(&format!("{words}{}", text.trim()));
            }
        }
    }
    let metadata = document.metadata;
    Ok(Properties {
        title: metadata.title.as_deref().and_then(title_line),
        author: metadata.author.as_deref().and_then(title_line),
        subject: metadata.subject.as_deref().and_then(title_line),
        keywords: metadata.keywords,
        language: None,
        created: metadata.created.as_deref().and_then(date),
        modified: metadata.modified.as_deref().and_then(date),
    })
}

/// A slide begins with its title, where it has one; a sheet with its name.
fn begin_section(document: &Document, section: &undoc::Section, number: u32, writer: &mut Writer) {
    let begins_with_heading = match section.content.first() {
        Some(Block::Paragraph(first)) => first.is_heading(),
        _ => false,
    };
    if begins_with_heading {
        return;
    }
    match (&section.name, document.format) {
        (Some(name), _) => writer.heading(2, name),
        (None, FormatType::Ppt) => writer.heading(2, &format!("Slide {number}")),
        (None, _) => {}
    }
}

fn blocks(content: &[Block], writer: &mut Writer) {
    for block in content {
        match block {
            Block::Paragraph(paragraph) => write(paragraph, writer),
            Block::Table(table) => writer.table(&self::table(table)),
            Block::Note { label, content } => {
                let lines: Vec<String> = content.iter().map(text).collect();
                writer.paragraph(&format!("[{label}] {}", lines.join("\n").trim()));
            }
            Block::Image { alt_text, .. } => {
                if let Some(words) = alt_text
                    .as_deref()
                    .map(str::trim)
                    .filter(|words| !words.is_empty())
                {
                    writer.paragraph(&marks::image(words));
                }
            }
            Block::PageBreak | Block::SectionBreak => {}
        }
    }
}

fn write(paragraph: &Paragraph, writer: &mut Writer) {
    let text = text(paragraph);
    if paragraph.is_heading() {
        // A title takes the first level, so that of a slide is one below that of the presentation.
        return writer.heading(paragraph.heading.level(), &text);
    }
    match &paragraph.list_info {
        Some(list) if list.list_type == ListType::Numbered => {
            let mark = list
                .number
                .map_or_else(|| "-".to_owned(), |number| format!("{number}."));
            writer.item(usize::from(list.level), &mark, &text);
        }
        Some(list) if list.list_type == ListType::Bullet => writer.item(usize::from(list.level), "-", &text),
        _ => writer.paragraph(&text),
    }
}

/// The words of a paragraph, without what was deleted with changes tracked.
fn text(paragraph: &Paragraph) -> String {
    let mut text = String::new();
    for run in paragraph
        .runs
        .iter()
        .filter(|run| run.revision != RevisionType::Deleted)
    {
        text.push_str(&run.text);
        if let Some(label) = &run.note {
            text.push_str(&format!("[{label}]"));
        }
        if run.line_break {
            text.push('\n');
        }
    }
    for description in paragraph
        .images
        .iter()
        .filter_map(|image| image.alt_text.as_deref())
    {
        if !description.trim().is_empty() {
            text.push_str(&format!(" {}", marks::image(description)));
        }
    }
    text
}

fn table(table: &undoc::Table) -> Table {
    let cell = |cell: &undoc::Cell| {
        let mut lines: Vec<String> = cell.content.iter().map(text).collect();
        for nested in &cell.nested_tables {
            lines.extend(
                self::table(nested)
                    .rows
                    .into_iter()
                    .flatten()
                    .map(|cell| cell.text),
            );
        }
        Cell::spanning(lines.join("\n"), cell.col_span as usize, cell.row_span as usize)
    };
    Table {
        rows: table
            .rows
            .iter()
            .map(|row| row.cells.iter().map(cell).collect())
            .collect(),
    }
}
