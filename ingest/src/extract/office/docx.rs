//! DOCX (ISO/IEC 29500-1, 11 and 17): the body in its order, with what hangs on a paragraph right after it.
//!
//! The way of a document: [`read`] collects styles, rules of numbers, notes and comments; [`Reader::blocks`] goes through the
//! body; [`inline`] makes one line of a paragraph and notes what hangs on it (text boxes, charts, footnotes, comments),
//! which then follows; [`grid`] reads tables. Headers and footers come once, at the end.
//!
//! Page numbers are those of Word's last layout, where it left marks of it.

mod grid;
mod inline;
mod numbering;
mod styles;

use std::collections::{BTreeSet, HashMap};

use super::super::ExtractError;
use super::drawing::{self, with_part};
use super::marks;
use super::package::Package;
use super::properties::Properties;
use super::relations::Relations;
use super::writer::Writer;
use super::xml::Element;
use inline::{Hanging, Line};
use numbering::Numbering;
use styles::Styles;

/// Reads a DOCX.
pub(super) fn read(package: &mut Package<'_>, writer: &mut Writer) -> Result<Properties, ExtractError> {
    let properties = Properties::of_package(package)?;
    let main = Relations::of(package, "")?
        .of_kind("officeDocument")
        .next()
        .unwrap_or("word/document.xml")
        .to_owned();
    if !package.has(&main) {
        return Err(ExtractError::ArchiveDamaged(format!("{main} is missing")));
    }
    let relations = Relations::of(package, &main)?;
    with_part(&main, package, writer, |document, package, writer| {
        let mut reader = Reader {
            relations,
            page: (!document.descendants("lastRenderedPageBreak").is_empty()).then_some(1),
            package,
            writer,
            styles: Styles::default(),
            numbering: Numbering::default(),
            notes: HashMap::new(),
            comments: HashMap::new(),
            notes_shown: 0,
        };
        reader.prepare()?;
        if let Some(body) = document.child("body") {
            reader.blocks(body)?;
        }
        reader.headers_and_footers()
    })?;
    Ok(properties)
}

struct Reader<'p, 'b> {
    package: &'p mut Package<'b>,
    writer: &'p mut Writer,
    relations: Relations,
    styles: Styles,
    numbering: Numbering,
    /// Texts by `footnote` or `endnote` and id.
    notes: HashMap<(&'static str, String), String>,
    /// Comments as they are written, by id.
    comments: HashMap<String, String>,
    notes_shown: usize,
    /// The page that is being read; `None` where the file doesn't say.
    page: Option<u32>,
}

impl Reader<'_, '_> {
    /// Reads the parts that the body refers to.
    fn prepare(&mut self) -> Result<(), ExtractError> {
        if let Some(part) = self.part_of_kind("styles") {
            self.styles = with_part(&part, self.package, self.writer, |top, _, _| Ok(Styles::of(top)))?;
        }
        if let Some(part) = self.part_of_kind("numbering") {
            self.numbering = with_part(&part, self.package, self.writer, |top, _, _| {
                Ok(Numbering::of(top))
            })?;
        }
        for (kind, element) in [("footnotes", "footnote"), ("endnotes", "endnote")] {
            let Some(part) = self.part_of_kind(kind) else {
                continue;
            };
            let notes = with_part(&part, self.package, self.writer, |top, _, _| {
                Ok(notes(top, element))
            })?;
            self.notes.extend(notes);
        }
        if let Some(part) = self.part_of_kind("comments") {
            self.comments = with_part(&part, self.package, self.writer, |top, _, _| Ok(comments(top)))?;
        }
        Ok(())
    }

    fn part_of_kind(&self, kind: &str) -> Option<String> {
        self.relations.of_kind(kind).next().map(str::to_owned)
    }

    /// Everything that stands in a body, a cell with structure, or a text box.
    fn blocks(&mut self, parent: &Element<'_>) -> Result<(), ExtractError> {
        for element in parent.elements() {
            match element.name {
                "p" => self.paragraph(element)?,
                "tbl" => self.table(element)?,
                "sectPr" | "sdtPr" | "sdtEndPr" | "del" | "moveFrom" => {}
                "altChunk" => self.writer.warn("an embedded document was not read"),
                "AlternateContent" => {
                    if let Some(chosen) = inline::chosen(element) {
                        self.blocks(chosen)?;
                    }
                }
                "oMathPara" | "oMath" => {
                    let mut line = Line::default();
                    self.inline(element, &mut line);
                    self.writer.paragraph(&line.text);
                }
                _ => self.blocks(element)?,
            }
        }
        Ok(())
    }

    fn paragraph(&mut self, paragraph: &Element<'_>) -> Result<(), ExtractError> {
        let mut line = Line {
            page: self.page,
            ..Line::default()
        };
        self.inline(paragraph, &mut line);
        let properties = paragraph.child("pPr");
        let style = properties.and_then(|it| it.value_of("pStyle"));
        let item = self.item(paragraph);
        let level = properties
            .and_then(|it| it.value_of("outlineLvl"))
            .and_then(|level| level.parse::<u8>().ok())
            .map(|level| level + 1)
            .filter(|level| *level <= 9)
            .or_else(|| self.styles.heading_level(style?));
        self.writer.turn_to(line.page);
        match (level, item) {
            (Some(level), Some((_, mark))) if mark != "-" => {
                self.writer.heading(level, &format!("{mark} {}", line.text));
            }
            (Some(level), _) => self.writer.heading(level, &line.text),
            (None, _) if line.is_monospace || style.is_some_and(|style| self.styles.is_code(style)) => {
                self.writer.code(&line.text);
            }
            (None, Some((_, mark))) if mark.is_empty() => self.writer.paragraph(&line.text),
            (None, Some((depth, mark))) => self.writer.item(depth, &mark, &line.text),
            (None, None) => self.writer.paragraph(&line.text),
        }
        self.writer.turn_to(self.page);
        self.hanging(line.hanging)
    }

    /// Depth and mark of a paragraph that is an item of a list. Counts it.
    fn item(&mut self, paragraph: &Element<'_>) -> Option<(usize, String)> {
        let properties = paragraph.child("pPr")?;
        let of_style = properties
            .value_of("pStyle")
            .and_then(|style| self.styles.numbering(style));
        let (list, level) = properties
            .child("numPr")
            .map(styles::numbering)
            .unwrap_or_default();
        let level = level.or(of_style.as_ref().map(|(_, level)| *level)).unwrap_or(0);
        let list = list.or(of_style.map(|(list, _)| list))?;
        Some((level, self.numbering.next(&list, level)?))
    }

    fn table(&mut self, element: &Element<'_>) -> Result<(), ExtractError> {
        self.writer.turn_to(self.page);
        if let Some(frame) = grid::only_cell(element) {
            return self.blocks(frame);
        }
        let page = self.page;
        let mut hanging = Vec::new();
        let table = self.grid(element, &mut hanging);
        self.writer.turn_to(page);
        self.writer.table(&table);
        self.writer.turn_to(self.page);
        self.hanging(hanging)
    }

    /// What hangs on a paragraph or on the cells of a table.
    fn hanging(&mut self, hanging: Vec<Hanging<'_, '_>>) -> Result<(), ExtractError> {
        for one in hanging {
            match one {
                Hanging::TextBox(content) => self.blocks(content)?,
                Hanging::Drawing(drawing) => {
                    drawing::references(drawing, &self.relations, self.package, self.writer)?;
                }
                Hanging::Note(mark, text) => self.writer.paragraph(&format!("{mark} {text}")),
                Hanging::Comment(id) => {
                    if let Some(comment) = self.comments.get(&id) {
                        self.writer.paragraph(comment);
                    }
                }
            }
        }
        Ok(())
    }

    /// What stands above and below the pages, each text once.
    fn headers_and_footers(&mut self) -> Result<(), ExtractError> {
        let parts: Vec<String> = ["header", "footer"]
            .into_iter()
            .flat_map(|kind| self.relations.of_kind(kind))
            .map(str::to_owned)
            .collect();
        self.writer.turn_to(None);
        self.page = None;
        let mut seen = BTreeSet::new();
        for part in parts {
            let lines = with_part(&part, self.package, self.writer, |top, _, _| {
                Ok(top.descendants("p").into_iter().map(plain).collect::<Vec<_>>())
            })?;
            for line in lines {
                let line = line.trim();
                if line.chars().any(char::is_alphabetic) && seen.insert(line.to_owned()) {
                    self.writer.paragraph(line);
                }
            }
        }
        Ok(())
    }
}

/// The words of a paragraph of a note, a comment or a header.
fn plain(paragraph: &Element<'_>) -> String {
    let mut text = String::new();
    inline::push_plain(paragraph, &mut text);
    text
}

fn paragraphs(parent: &Element<'_>) -> String {
    let lines: Vec<String> = parent.descendants("p").into_iter().map(plain).collect();
    lines.join("\n").trim().to_owned()
}

fn notes(top: &Element<'_>, kind: &'static str) -> HashMap<(&'static str, String), String> {
    top.all(kind)
        .filter_map(|note| {
            let text = paragraphs(note);
            (!text.is_empty()).then(|| Some(((kind, note.attribute("id")?.to_owned()), text)))?
        })
        .collect()
}

fn comments(top: &Element<'_>) -> HashMap<String, String> {
    top.all("comment")
        .filter_map(|comment| {
            let stated = |name: &str| comment.attribute(name).unwrap_or_default();
            let written = marks::comment(stated("author"), stated("date"), &paragraphs(comment));
            Some((comment.attribute("id")?.to_owned(), written))
        })
        .collect()
}

#[cfg(test)]
mod tests;
