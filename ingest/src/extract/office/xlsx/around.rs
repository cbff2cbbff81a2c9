//! What a sheet has besides its cells: comments, charts, text boxes and descriptions of pictures.

use std::collections::HashMap;

use super::super::super::ExtractError;
use super::super::drawing::{self, with_part};
use super::super::marks;
use super::super::package::Package;
use super::super::relations::Relations;
use super::super::writer::Writer;
use super::super::xml::Element;

/// What is needed to read the parts around the sheets of a workbook.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Names of those who wrote threaded comments, by id.
    persons: HashMap<String, String>,
}

impl Around {
    pub(super) fn of(
        workbook: &Relations,
        package: &mut Package<'_>,
        writer: &mut Writer,
    ) -> Result<Self, ExtractError> {
        let mut persons = HashMap::new();
        for part in workbook.of_kind("person") {
            persons.extend(with_part(part, package, writer, |top, _, _| Ok(names(top)))?);
        }
        Ok(Self { persons })
    }

    /// Writes what belongs to the sheet in this part.
    pub(super) fn write(
        &self,
        sheet: &str,
        package: &mut Package<'_>,
        writer: &mut Writer,
    ) -> Result<(), ExtractError> {
        let relations = Relations::of(package, sheet)?;
        for part in relations.of_kind("comments") {
            with_part(part, package, writer, |top, _, writer| {
                notes(top, writer);
                Ok(())
            })?;
        }
        for part in relations.of_kind("threadedComment") {
            with_part(part, package, writer, |top, _, writer| {
                for one in top.all("threadedComment") {
                    let author = one.attribute("personId").and_then(|id| self.persons.get(id));
                    let text = one.child("text").map(Element::words).unwrap_or_default();
                    write_comment(one, author.map_or("", String::as_str), &text, writer);
                }
                Ok(())
            })?;
        }
        for part in relations.of_kind("drawing") {
            let drawn = Relations::of(package, part)?;
            with_part(part, package, writer, |top, package, writer| {
                for properties in top.descendants("cNvPr") {
                    if let Some(description) = drawing::description(properties) {
                        writer.paragraph(&description);
                    }
                }
                for body in top.descendants("txBody") {
                    writer.paragraph(&drawing::body(body));
                }
                drawing::references(top, &drawn, package, writer)
            })?;
        }
        Ok(())
    }
}

fn names(top: &Element<'_>) -> HashMap<String, String> {
    top.all("person")
        .filter_map(|person| {
            let name = person.attribute("displayName")?.to_owned();
            Some((person.attribute("id")?.to_owned(), name))
        })
        .collect()
}

/// Notes, which were called comments before there were threads. Those that stand for a thread are left to it.
fn notes(top: &Element<'_>, writer: &mut Writer) {
    let authors: Vec<String> = top
        .child("authors")
        .into_iter()
        .flat_map(|authors| authors.all("author"))
        .map(Element::words)
        .collect();
    for one in top
        .child("commentList")
        .into_iter()
        .flat_map(|list| list.all("comment"))
    {
        let author = one
            .attribute("authorId")
            .and_then(|place| authors.get(place.parse::<usize>().ok()?))
            .map_or("", String::as_str);
        if !author.starts_with("tc=") {
            let text = one.child("text").map(Element::words).unwrap_or_default();
            write_comment(one, author, &text, writer);
        }
    }
}

fn write_comment(element: &Element<'_>, author: &str, text: &str, writer: &mut Writer) {
    if !text.trim().is_empty() {
        let cell = element.attribute("ref").unwrap_or_default();
        let written = element.attribute("dT").unwrap_or_default();
        writer.paragraph(&format!("{cell} {}", marks::comment(author, written, text)));
    }
}
