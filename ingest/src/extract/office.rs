//! Office files: documents, slides, sheets and books, recognised from what is in the file.
//!
//! The way of a file: [`read_archive`] looks into the table of contents for what it is; the archive is
//! held to its budget by [`package`], its parts are read as trees by [`xml`], the reader of the format goes through them
//! in the order in which a person reads, and [`writer`] makes one text with blocks of what it finds. What the file says of
//! itself comes from [`properties`].
//!
//! | format | reader |
//! |---|---|
//! | DOCX | [`docx`] |
//! | PPTX | [`pptx`] |
//! | XLSX, XLSB | [`xlsx`]: cells through `calamine` |
//! | ODT, ODP, ODS | [`odf`] |
//! | EPUB | [`epub`]: the package through `rbook`, chapters as HTML |
//! | DOC, PPT, XLS of 1997 to 2003 | [`legacy`]: through `undoc` |
//!
//! Why DOCX and PPTX have readers of their own, where `undoc` reads them too: it refuses a document for one damaged chart
//! or header, reads no comments and no equations, and knows no namespace prefixes but the usual ones.
//!
//! A part that is damaged costs that part and a warning. What is deliberately not read: macros, embedded
//! files, pictures (but for their descriptions), and text that was deleted with changes tracked.

mod package;
mod xml;
mod table;
mod writer;
mod relations;
mod marks;
pub(super) mod properties;
mod math;
mod drawing;
mod docx;
mod pptx;
mod xlsx;
mod odf;
mod epub;
mod legacy;
#[cfg(test)]
mod samples;

use lectern_domain::{Block, BlockKind, Extracted};

use super::ExtractError;
use package::Package;
use writer::Writer;

/// What kind of office file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Office {
    Docx,
    Pptx,
    Xlsx,
    Xlsb,
    Odt,
    Odp,
    Ods,
    Epub,
    Doc,
    Ppt,
    Xls,
}

impl Office {
    fn media_type(self) -> &'static str {
        match self {
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Xlsb => "application/vnd.ms-excel.sheet.binary.macroenabled.12",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Odp => "application/vnd.oasis.opendocument.presentation",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Epub => "application/epub+zip",
            Self::Doc => "application/msword",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Xls => "application/vnd.ms-excel",
        }
    }
}

/// Reads a zip archive that is an office file.
///
/// Errors: it is none, encrypted, damaged, or more than the budget.
pub(super) fn read_archive(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    read(in_archive(bytes)?, bytes)
}

/// Reads an OLE2 container that is an office file of the old formats.
///
/// Errors: it is none, encrypted or damaged.
pub(super) fn read_compound_file(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    read(legacy::recognise(bytes)?, bytes)
}

fn in_archive(bytes: &[u8]) -> Result<Office, ExtractError> {
    let mut package = Package::open(bytes)?;
    if let Some(stated) = package.text("mimetype")? {
        match stated.trim() {
            "application/vnd.oasis.opendocument.text"
            | "application/vnd.oasis.opendocument.text-template" => {
                return Ok(Office::Odt);
            }
            "application/vnd.oasis.opendocument.presentation"
            | "application/vnd.oasis.opendocument.presentation-template" => return Ok(Office::Odp),
            "application/vnd.oasis.opendocument.spreadsheet"
            | "application/vnd.oasis.opendocument.spreadsheet-template" => return Ok(Office::Ods),
            "application/epub+zip" => return Ok(Office::Epub),
            _ => {}
        }
    }
    if package.has("META-INF/container.xml") && package.names().any(|name| name.ends_with(".opf")) {
        return Ok(Office::Epub);
    }
    let types = package.text("[Content_Types].xml")?.unwrap_or_default();
    let found = [
        (".wordprocessingml.document.main+xml", Office::Docx),
        (".wordprocessingml.template.main+xml", Office::Docx),
        ("ms-word.document.macroEnabled.main+xml", Office::Docx),
        ("ms-word.template.macroEnabledTemplate.main+xml", Office::Docx),
        (".presentationml.presentation.main+xml", Office::Pptx),
        (".presentationml.slideshow.main+xml", Office::Pptx),
        (".presentationml.template.main+xml", Office::Pptx),
        ("ms-powerpoint.presentation.macroEnabled.main+xml", Office::Pptx),
        ("ms-powerpoint.slideshow.macroEnabled.main+xml", Office::Pptx),
        (".spreadsheetml.sheet.main+xml", Office::Xlsx),
        (".spreadsheetml.template.main+xml", Office::Xlsx),
        ("ms-excel.sheet.macroEnabled.main+xml", Office::Xlsx),
        ("ms-excel.template.macroEnabled.main+xml", Office::Xlsx),
        ("ms-excel.sheet.binary.macroEnabled.main", Office::Xlsb),
    ]
    .into_iter()
    .find(|(mark, _)| types.contains(mark))
    .map(|(_, office)| office);
    found.ok_or_else(|| ExtractError::UnknownFormat("application/zip".to_owned()))
}

/// Reads an office file of a known kind.
fn read(office: Office, bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let mut writer = Writer::default();
    let properties = match office {
        Office::Doc | Office::Ppt | Office::Xls => legacy::read(bytes, &mut writer)?,
        Office::Docx => docx::read(&mut Package::open(bytes)?, &mut writer)?,
        Office::Pptx => pptx::read(&mut Package::open(bytes)?, &mut writer)?,
        Office::Xlsx => xlsx::read(&mut Package::open(bytes)?, bytes, false, &mut writer)?,
        Office::Xlsb => xlsx::read(&mut Package::open(bytes)?, bytes, true, &mut writer)?,
        Office::Odt | Office::Odp | Office::Ods => odf::read(&mut Package::open(bytes)?, &mut writer)?,
        Office::Epub => epub::read(&mut Package::open(bytes)?, bytes, &mut writer)?,
    };
    let mut extracted = writer.finish(office.media_type());
    if extracted.text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    // The first heading of a workbook is the name of a sheet.
    let from_text = match office {
        Office::Xlsx | Office::Xlsb | Office::Xls | Office::Ods => None,
        _ => first_heading(&extracted.blocks),
    };
    extracted.title = properties.title.clone().or(from_text);
    extracted.attributes = properties.into_attributes();
    Ok(extracted)
}

fn first_heading(blocks: &[Block]) -> Option<String> {
    blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { title, .. } => Some(title.clone()),
        _ => None,
    })
}
