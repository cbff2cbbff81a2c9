//! XLSX and XLSB (ISO/IEC 29500-1, 12 and 18): sheet by sheet, each region between empty rows as a table.
//!
//! The way of a workbook: `calamine` streams the cells of a sheet ([`cells`]), so that a far cell costs no room for those
//! before it; [`grid`] makes tables of them, with merged cells; then come the sheet's comments, charts and text boxes
//! ([`around`]). Values are the stored ones: formulas with their last result, dates as ISO 8601.

mod around;
mod cells;
mod grid;

use std::io::Cursor;

use calamine::{Dimensions, Reader as _, Xlsb, Xlsx};

use super::super::ExtractError;
use super::drawing::with_part;
use super::package::Package;
use super::properties::Properties;
use super::relations::Relations;
use super::writer::Writer;
use around::Around;
pub(super) use cells::number;

/// The level of a sheet's name.
const SHEET_LEVEL: u8 = 2;

/// The most merged cells of a sheet that are put together.
const MAX_MERGED: usize = 10_000;

/// Reads an XLSX, or an XLSB where `is_binary`.
pub(super) fn read(
    package: &mut Package<'_>,
    bytes: &[u8],
    is_binary: bool,
    writer: &mut Writer,
) -> Result<Properties, ExtractError> {
    // `calamine` inflates by itself.
    package.verify(|name| [".xml", ".rels", ".bin"].iter().any(|end| name.ends_with(end)))?;
    let properties = Properties::of_package(package)?;
    if is_binary {
        binary(bytes, writer)?;
    } else {
        workbook(package, bytes, writer)?;
    }
    Ok(properties)
}

fn damaged(error: impl std::fmt::Display) -> ExtractError {
    ExtractError::ArchiveDamaged(format!("the workbook: {error}"))
}

fn binary(bytes: &[u8], writer: &mut Writer) -> Result<(), ExtractError> {
    let mut workbook = Xlsb::new(Cursor::new(bytes)).map_err(damaged)?;
    for (number, name) in (1_u32..).zip(workbook.sheet_names()) {
        begin_sheet(number, &name, writer);
        match workbook.worksheet_cells_reader(&name) {
            Ok(mut reader) => {
                let cells = cells::collect(|| reader.next_cell(), writer);
                grid::write(cells, &[], writer);
            }
            Err(error) => writer.warn(format!("the sheet {name:?} could not be read: {error}")),
        }
    }
    Ok(())
}

fn workbook(package: &mut Package<'_>, bytes: &[u8], writer: &mut Writer) -> Result<(), ExtractError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let main = Relations::of(package, "")?
        .of_kind("officeDocument")
        .next()
        .unwrap_or("xl/workbook.xml")
        .to_owned();
    let relations = Relations::of(package, &main)?;
    let sheets: Vec<(String, String)> = with_part(&main, package, writer, |top, _, _| {
        let listed = top
            .child("sheets")
            .into_iter()
            .flat_map(|sheets| sheets.all("sheet"));
        Ok(listed
            .filter_map(|sheet| {
                let part = relations.target(sheet.prefixed("id")?)?;
                Some((sheet.attribute("name")?.to_owned(), part.to_owned()))
            })
            .collect())
    })?;
    let around = Around::of(&relations, package, writer)?;
    for (number, (name, part)) in (1_u32..).zip(&sheets) {
        begin_sheet(number, name, writer);
        if !part.contains("chartsheets/") {
            let mut merged = workbook.merge_cells_by_sheet_name(name).unwrap_or_default();
            merged.truncate(MAX_MERGED);
            sheet(&mut workbook, name, &merged, writer);
        }
        around.write(part, package, writer)?;
    }
    Ok(())
}

fn begin_sheet(number: u32, name: &str, writer: &mut Writer) {
    writer.turn_to(Some(number));
    writer.heading(SHEET_LEVEL, name);
}

fn sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str, merged: &[Dimensions], writer: &mut Writer) {
    match workbook.worksheet_cells_reader(name) {
        Ok(mut reader) => {
            let cells = cells::collect(|| reader.next_cell(), writer);
            grid::write(cells, merged, writer);
        }
        Err(error) => writer.warn(format!("the sheet {name:?} could not be read: {error}")),
    }
}

#[cfg(test)]
mod tests;
