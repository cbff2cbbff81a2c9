//! ODT, ODP and ODS (ISO/IEC 26300-1): one reader, because text, tables and frames are the same in all three.
//!
//! The way of a document: [`read`] refuses what is encrypted, reads `meta.xml`, and goes through `content.xml`:
//! [`Reader::blocks`] writes headings, paragraphs, lists, tables, slides and sheets; [`text`] makes a line of a paragraph;
//! [`sheet`] reads tables. Objects in frames (charts, formulas) have a `content.xml` of their own.

mod sheet;
mod styles;
mod text;

use super::super::ExtractError;
use super::marks;
use super::package::Package;
use super::properties::Properties;
use super::writer::Writer;
use super::xml::{self, Element};
use styles::{Role, Styles};
use text::Hanging;

/// The level of a slide's or a sheet's heading.
const PAGE_LEVEL: u8 = 2;

/// Reads an `OpenDocument` file.
pub(super) fn read(package: &mut Package<'_>, writer: &mut Writer) -> Result<Properties, ExtractError> {
    let manifest = package.text("META-INF/manifest.xml")?.unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(ExtractError::Encrypted);
    }
    let meta = package.text("meta.xml")?.unwrap_or_default();
    let properties = match xml::parse(&meta)?.top().and_then(|top| top.child("meta")) {
        Some(meta) => Properties::of_elements(meta),
        None => Properties::default(),
    };
    if !package.has("content.xml") {
        return Err(ExtractError::ArchiveDamaged("content.xml is missing".to_owned()));
    }
    let mut reader = Reader {
        package,
        writer,
        styles: Styles::default(),
        page: 0,
        notes_shown: 0,
        objects: 0,
    };
    reader.part("content.xml")?;
    Ok(properties)
}

struct Reader<'p, 'b> {
    package: &'p mut Package<'b>,
    writer: &'p mut Writer,
    styles: Styles,
    /// Slides or sheets so far.
    page: u32,
    notes_shown: usize,
    /// Objects that are open: one within another.
    objects: usize,
}

/// What people make has no objects within objects within objects.
const MAX_OBJECTS: usize = 4;

impl Reader<'_, '_> {
    /// Reads the content of the document, or of an object in it.
    fn part(&mut self, name: &str) -> Result<(), ExtractError> {
        let Some(text) = self.package.text(name)? else {
            return Ok(());
        };
        let tree = xml::parse(&text)?;
        if let Some(reason) = &tree.broken {
            self.writer
                .warn(format!("{name} is damaged and was read in part: {reason}"));
        }
        let Some(top) = tree.top() else {
            return Ok(());
        };
        let outer = std::mem::replace(&mut self.styles, Styles::of(top));
        let read = self.blocks(top.child("body").unwrap_or(top));
        self.styles = outer;
        read
    }

    /// Everything that stands in a body, a section, a slide or a frame.
    fn blocks(&mut self, parent: &Element<'_>) -> Result<(), ExtractError> {
        for element in parent.elements() {
            match element.name {
                // A sheet is a table, and begins a page.
                "table" if parent.name == "spreadsheet" => self.sheet(element)?,
                _ => self.block(element)?,
            }
        }
        Ok(())
    }

    fn block(&mut self, element: &Element<'_>) -> Result<(), ExtractError> {
        match element.name {
            "h" | "p" => self.paragraph(element),
            "list" => self.list(element, None, 0),
            "table" => self.table(element),
            "page" => self.slide(element),
            "frame" | "custom-shape" | "rect" | "ellipse" | "line" | "connector" | "path" | "polygon"
            | "caption" => self.frame(element),
            "object" => self.object(element),
            "math" => {
                self.formula(element);
                Ok(())
            }
            "notes" => {
                self.speaker_notes(element);
                Ok(())
            }
            "annotation" => self.hanging(vec![Hanging::Comment(element)]),
            "tracked-changes"
            | "forms"
            | "scripts"
            | "settings"
            | "styles"
            | "automatic-styles"
            | "master-styles"
            | "font-face-decls"
            | "named-expressions"
            | "content-validations"
            | "database-ranges"
            | "animations"
            | "par"
            | "image"
            | "desc"
            | "title" => Ok(()),
            _ => self.blocks(element),
        }
    }

    fn paragraph(&mut self, element: &Element<'_>) -> Result<(), ExtractError> {
        let line = self.line(element);
        let role = element
            .attribute("style-name")
            .map(|style| self.styles.role(style));
        let level = element.attribute("outline-level").and_then(|it| it.parse().ok());
        match (element.name, role.unwrap_or_default()) {
            ("h", _) => self.writer.heading(level.unwrap_or(1), &line.text),
            (_, Role::Title) => self.writer.heading(1, &line.text),
            (_, Role::Subtitle) => self.writer.heading(2, &line.text),
            (_, Role::Code) => self.writer.code(&line.text),
            (_, Role::Text) => self.writer.paragraph(&line.text),
        }
        self.hanging(line.hanging)
    }

    /// A list, `depth` levels deep. One without a style has that of the list around it.
    fn list(&mut self, list: &Element<'_>, style: Option<&str>, depth: usize) -> Result<(), ExtractError> {
        let style = list.attribute("style-name").or(style);
        let is_numbered = style.is_some_and(|style| self.styles.is_numbered(style, depth));
        let mut number = 0_usize;
        for item in list
            .elements()
            .filter(|it| matches!(it.name, "list-item" | "list-header"))
        {
            let mut has_mark = false;
            for element in item.elements() {
                match element.name {
                    "p" | "h" => {
                        let line = self.line(element);
                        if !has_mark && is_numbered && item.name == "list-item" {
                            number += 1;
                            self.writer.item(depth, &format!("{number}."), &line.text);
                        } else {
                            self.writer.item(depth, "-", &line.text);
                        }
                        has_mark = true;
                        self.hanging(line.hanging)?;
                    }
                    "list" => self.list(element, style, depth + 1)?,
                    _ => self.block(element)?,
                }
            }
        }
        Ok(())
    }

    fn slide(&mut self, slide: &Element<'_>) -> Result<(), ExtractError> {
        self.page += 1;
        self.writer.turn_to(Some(self.page));
        let title = slide
            .all("frame")
            .find(|frame| frame.attribute("class") == Some("title"));
        let words = title.map(|frame| self.words(frame)).unwrap_or_default();
        match words.trim() {
            "" => self.writer.heading(PAGE_LEVEL, &format!("Slide {}", self.page)),
            words => self.writer.heading(PAGE_LEVEL, words),
        }
        for element in slide.elements() {
            if !title.is_some_and(|title| std::ptr::eq(title, element)) {
                self.block(element)?;
            }
        }
        Ok(())
    }

    /// A frame or a shape: its description, its text, and the object in it.
    fn frame(&mut self, frame: &Element<'_>) -> Result<(), ExtractError> {
        if matches!(frame.attribute("class"), Some("page-number" | "date-time")) {
            return Ok(());
        }
        let description = ["desc", "title"]
            .into_iter()
            .find_map(|name| frame.child(name))
            .map(Element::words)
            .unwrap_or_default();
        self.writer.paragraph(&marks::image(&description));
        self.blocks(frame)
    }

    fn speaker_notes(&mut self, notes: &Element<'_>) {
        let frames = notes
            .all("frame")
            .filter(|frame| frame.attribute("class") == Some("notes"));
        let words: Vec<String> = frames.map(|frame| self.words(frame)).collect();
        let words = words.join("\n");
        if !words.trim().is_empty() {
            self.writer.paragraph(&format!("Notes: {}", words.trim()));
        }
    }

    /// An embedded object, a chart or a formula: it stands here, or in a part of its own.
    fn object(&mut self, object: &Element<'_>) -> Result<(), ExtractError> {
        if object.elements().next().is_some() {
            return self.blocks(object);
        }
        let Some(folder) = object.attribute("href") else {
            return Ok(());
        };
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        if self.objects >= MAX_OBJECTS {
            return Ok(());
        }
        self.objects += 1;
        let read = self.part(&format!("{folder}/content.xml"));
        self.objects -= 1;
        read
    }

    /// A formula in `MathML`: as it was typed, where it says so, or its signs.
    fn formula(&mut self, math: &Element<'_>) {
        let typed = math.descendants("annotation").first().map(|typed| typed.words());
        let formula = typed.unwrap_or_else(|| math.words());
        let words: Vec<&str> = formula.split_whitespace().collect();
        if !words.is_empty() {
            self.writer.paragraph(&format!("${}$", words.join(" ")));
        }
    }

    /// What hangs on a line: notes, comments and frames.
    fn hanging(&mut self, hanging: Vec<Hanging<'_, '_>>) -> Result<(), ExtractError> {
        for one in hanging {
            match one {
                Hanging::Note(mark, body) => {
                    let words = self.words(body);
                    self.writer.paragraph(&format!("{mark} {}", words.trim()));
                }
                Hanging::Comment(element) => {
                    let stated = |name: &str| element.child(name).map(Element::words).unwrap_or_default();
                    let words = self.words(element);
                    let written = marks::comment(&stated("creator"), &stated("date"), &words);
                    self.writer.paragraph(&written);
                }
                Hanging::Frame(frame) => self.frame(frame)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
