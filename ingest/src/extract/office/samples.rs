//! Office files for tests, made in memory.

use std::io::{Cursor, Write};

use lectern_domain::Extracted;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::{ExtractError, read::read};

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A zip archive of these parts.
pub(super) fn archive(parts: &[(&str, String)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The relationships part of what has these: id, kind, target.
pub(super) fn relationships(relations: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        let mode = if target.contains("://") {
            " TargetMode='External'"
        } else {
            ""
        };
        format!("<Relationship Id='{id}' Type='{TYPES}/{kind}' Target='{target}'{mode}/>")
    };
    format!(
        "<Relationships>{}</Relationships>",
        relations.iter().map(one).collect::<String>()
    )
}

/// An OOXML package whose main part has this content type.
pub(super) fn package(main: &str, content_type: &str, parts: &[(&str, String)]) -> Vec<u8> {
    let types = format!("<Types><Override PartName='/{main}' ContentType='{content_type}'/></Types>");
    let root = relationships(&[
        ("r1", "officeDocument", main),
        ("r2", "core-properties", "docProps/core.xml"),
    ]);
    let mut all = vec![("[Content_Types].xml", types), ("_rels/.rels", root)];
    all.extend(parts.iter().cloned());
    archive(&all)
}

/// A DOCX with this in its body, and other parts.
pub(super) fn docx(body: &str, parts: &[(&str, String)]) -> Vec<u8> {
    let document = format!("<w:document><w:body>{body}</w:body></w:document>");
    let mut all = vec![("word/document.xml", document)];
    all.extend(parts.iter().cloned());
    package(
        "word/document.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        &all,
    )
}

/// An `OpenDocument` file with this in its content part.
pub(super) fn open_document(kind: &str, styles: &str, body: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:automatic-styles>{styles}</office:automatic-styles>\
         <office:body>{body}</office:body></office:document-content>"
    );
    let meta = "<office:document-meta><office:meta><dc:title>A title</dc:title><meta:initial-creator>A. B.</meta:initial-creator>\
                <dc:creator>C. D.</dc:creator><meta:creation-date>2024-03-01T10:00:00</meta:creation-date>\
                <dc:date>2024-04-01T10:00:00.5</dc:date><meta:keyword>leave</meta:keyword></office:meta></office:document-meta>";
    archive(&[
        ("mimetype", format!("application/vnd.oasis.opendocument.{kind}")),
        ("meta.xml", meta.to_owned()),
        ("content.xml", content),
    ])
}

/// Reads a file as the server does, but in this process.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    read("a.bin", None, bytes)
}

/// The blocks of a file with their pages, one on a line.
pub(super) fn blocks(extracted: &Extracted) -> String {
    let shown = |block: &lectern_domain::Block| {
        let text = block.span.of(&extracted.text).unwrap();
        let page = block.page.map_or_else(|| "-".to_owned(), |page| page.to_string());
        format!("{page} {text}")
    };
    extracted.blocks.iter().map(shown).collect::<Vec<_>>().join("\n")
}
