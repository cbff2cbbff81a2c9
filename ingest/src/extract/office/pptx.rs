//! PPTX (ISO/IEC 29500-1, 13 and 19): slide by slide in the order of the show, each with its notes and comments.
//!
//! The way of a presentation: the list of slides gives the order; a slide begins with its title as a heading (or its number,
//! where it has none), then come its shapes in the order of the file, which is that of the reading order in
//! `PowerPoint`; groups are opened, tables and charts become tables, and notes and comments follow.

use std::collections::{BTreeSet, HashMap};

use super::super::ExtractError;
use super::drawing::{self, with_part};
use super::marks;
use super::package::Package;
use super::properties::Properties;
use super::relations::Relations;
use super::table::{Cell, Table};
use super::writer::Writer;
use super::xml::Element;

/// The level of a slide's title; level 1 is left to the presentation.
const SLIDE_LEVEL: u8 = 2;

/// Reads a PPTX.
pub(super) fn read(package: &mut Package<'_>, writer: &mut Writer) -> Result<Properties, ExtractError> {
    let properties = Properties::of_package(package)?;
    let main = Relations::of(package, "")?
        .of_kind("officeDocument")
        .next()
        .unwrap_or("ppt/presentation.xml")
        .to_owned();
    if !package.has(&main) {
        return Err(ExtractError::ArchiveDamaged(format!("{main} is missing")));
    }
    let relations = Relations::of(package, &main)?;
    let mut slides: Vec<String> = with_part(&main, package, writer, |presentation, _, _| {
        let listed = presentation
            .child("sldIdLst")
            .into_iter()
            .flat_map(|list| list.all("sldId"));
        Ok(listed
            .filter_map(|slide| relations.target(slide.prefixed("id")?).map(str::to_owned))
            .collect())
    })?;
    if slides.is_empty() {
        slides = relations.of_kind("slide").map(str::to_owned).collect();
    }
    let mut authors = HashMap::new();
    for kind in ["commentAuthors", "authors"] {
        if let Some(part) = relations.of_kind(kind).next() {
            authors.extend(with_part(part, package, writer, |top, _, _| Ok(names(top)))?);
        }
    }
    let mut reader = Reader {
        authors,
        footers: BTreeSet::new(),
        relations: Relations::default(),
    };
    for (number, slide) in (1_u32..).zip(&slides) {
        reader.slide(number, slide, package, writer)?;
    }
    Ok(properties)
}

/// Names of authors by id.
fn names(top: &Element<'_>) -> HashMap<String, String> {
    top.elements()
        .filter_map(|author| {
            let name = author.attribute("name")?.to_owned();
            Some((author.attribute("id")?.to_owned(), name))
        })
        .collect()
}

struct Reader {
    authors: HashMap<String, String>,
    /// Footers that have been shown: they are on every slide.
    footers: BTreeSet<String>,
    /// Of the slide that is being read.
    relations: Relations,
}

impl Reader {
    fn slide(
        &mut self,
        number: u32,
        part: &str,
        package: &mut Package<'_>,
        writer: &mut Writer,
    ) -> Result<(), ExtractError> {
        writer.turn_to(Some(number));
        self.relations = Relations::of(package, part)?;
        with_part(part, package, writer, |slide, package, writer| {
            let Some(shapes) = slide.at(&["cSld", "spTree"]) else {
                return Ok(());
            };
            let title = title(shapes);
            let words = title.and_then(|shape| shape.child("txBody")).map(drawing::body);
            match words.as_deref().map(str::trim) {
                Some(words) if !words.is_empty() => writer.heading(SLIDE_LEVEL, words),
                _ => writer.heading(SLIDE_LEVEL, &format!("Slide {number}")),
            }
            self.shapes(shapes, title, package, writer)
        })?;
        self.notes(package, writer)?;
        self.comments(package, writer)
    }

    /// The shapes of a slide or of a group, without its title.
    fn shapes(
        &mut self,
        parent: &Element<'_>,
        title: Option<&Element<'_>>,
        package: &mut Package<'_>,
        writer: &mut Writer,
    ) -> Result<(), ExtractError> {
        for shape in parent.elements() {
            if title.is_some_and(|title| std::ptr::eq(title, shape)) {
                continue;
            }
            match shape.name {
                "sp" | "cxnSp" => self.text(shape, writer),
                "grpSp" => self.shapes(shape, title, package, writer)?,
                "graphicFrame" => {
                    describe(shape, writer);
                    for table in shape.descendants("tbl") {
                        writer.table(&self::table(table));
                    }
                    drawing::references(shape, &self.relations, package, writer)?;
                }
                "pic" => describe(shape, writer),
                "AlternateContent" => {
                    if let Some(chosen) = shape.child("Choice").or_else(|| shape.child("Fallback")) {
                        self.shapes(chosen, title, package, writer)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&mut self, shape: &Element<'_>, writer: &mut Writer) {
        describe(shape, writer);
        let Some(body) = shape.child("txBody") else {
            return;
        };
        let kind = placeholder(shape);
        match kind {
            Some("sldNum" | "dt") => return,
            Some("ftr" | "hdr") => {
                let words = drawing::body(body).trim().to_owned();
                if self.footers.insert(words.clone()) {
                    writer.paragraph(&words);
                }
                return;
            }
            _ => {}
        }
        // A placeholder without a type is one for content, and its paragraphs have bullets by themselves.
        let is_list = matches!(kind, Some("body" | "obj" | "")) && body.all("p").count() > 1;
        let mut numbers = [0_usize; 10];
        for paragraph in body.all("p") {
            let text = drawing::paragraph(paragraph);
            if text.trim().is_empty() {
                continue;
            }
            let properties = paragraph.child("pPr");
            let has = |name: &str| properties.is_some_and(|it| it.child(name).is_some());
            let depth = properties
                .and_then(|it| it.attribute("lvl"))
                .and_then(|level| level.parse::<usize>().ok())
                .unwrap_or(0)
                .min(numbers.len() - 1);
            numbers.iter_mut().skip(depth + 1).for_each(|number| *number = 0);
            if has("buAutoNum") {
                numbers[depth] += 1;
                writer.item(depth, &format!("{}.", numbers[depth]), &text);
            } else if has("buChar") || has("buBlip") || (is_list && !has("buNone")) {
                writer.item(depth, "-", &text);
            } else {
                writer.paragraph(&text);
            }
        }
    }

    /// What the speaker wrote below the slide.
    fn notes(&self, package: &mut Package<'_>, writer: &mut Writer) -> Result<(), ExtractError> {
        let Some(part) = self.relations.of_kind("notesSlide").next() else {
            return Ok(());
        };
        with_part(part, package, writer, |notes, _, writer| {
            let bodies: Vec<String> = notes
                .descendants("sp")
                .into_iter()
                .filter(|shape| {
                    !matches!(
                        placeholder(shape),
                        Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg")
                    )
                })
                .filter_map(|shape| shape.child("txBody"))
                .map(drawing::body)
                .collect();
            let words = bodies.join("\n");
            if !words.trim().is_empty() {
                writer.paragraph(&format!("Notes: {}", words.trim()));
            }
            Ok(())
        })
    }

    /// Comments of both forms: of 2007 (`p:cm` with `p:text`) and of 2018 (with a text body, and replies).
    fn comments(&self, package: &mut Package<'_>, writer: &mut Writer) -> Result<(), ExtractError> {
        let parts: Vec<String> = ["comments", "modernComment"]
            .into_iter()
            .flat_map(|kind| self.relations.of_kind(kind))
            .map(str::to_owned)
            .collect();
        for part in parts {
            with_part(&part, package, writer, |list, _, writer| {
                for one in list.all("cm") {
                    self.comment(one, writer);
                    for reply in one.descendants("reply") {
                        self.comment(reply, writer);
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn comment(&self, element: &Element<'_>, writer: &mut Writer) {
        let author = element.attribute("authorId").and_then(|id| self.authors.get(id));
        let text = match element.child("txBody") {
            Some(body) => drawing::body(body),
            None => element.child("text").map(Element::words).unwrap_or_default(),
        };
        if !text.trim().is_empty() {
            let written = element.attribute("dt").or_else(|| element.attribute("created"));
            let author = author.map_or("", String::as_str);
            writer.paragraph(&marks::comment(author, written.unwrap_or_default(), &text));
        }
    }
}

/// The shape that holds the title, wherever it stands.
fn title<'e, 'x>(shapes: &'e Element<'x>) -> Option<&'e Element<'x>> {
    shapes
        .descendants("sp")
        .into_iter()
        .find(|shape| matches!(placeholder(shape), Some("title" | "ctrTitle")))
}

/// The type of a placeholder, empty where it has none; `None` for a shape that isn't one.
fn placeholder<'e>(shape: &'e Element<'_>) -> Option<&'e str> {
    let placeholder = shape.at(&["nvSpPr", "nvPr", "ph"])?;
    Some(placeholder.attribute("type").unwrap_or_default())
}

/// Writes the description that its author gave a picture or a shape.
fn describe(shape: &Element<'_>, writer: &mut Writer) {
    let properties = shape.elements().find_map(|child| child.child("cNvPr"));
    if let Some(description) = properties.and_then(drawing::description) {
        writer.paragraph(&description);
    }
}

fn table(element: &Element<'_>) -> Table {
    let number =
        |cell: &Element<'_>, name: &str| cell.attribute(name).and_then(|it| it.parse().ok()).unwrap_or(1);
    let is_covered = |cell: &Element<'_>| {
        ["hMerge", "vMerge"]
            .iter()
            .any(|name| matches!(cell.attribute(name), Some("1" | "true")))
    };
    let row = |row: &Element<'_>| {
        row.all("tc")
            .filter(|cell| !is_covered(cell))
            .map(|cell| {
                let text = cell.child("txBody").map(drawing::body).unwrap_or_default();
                Cell::spanning(text, number(cell, "gridSpan"), number(cell, "rowSpan"))
            })
            .collect()
    };
    Table {
        rows: element.all("tr").map(row).collect(),
    }
}

#[cfg(test)]
mod tests;
