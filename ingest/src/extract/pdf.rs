//! PDF: the text of each page, from the first of two engines that makes sense of it.
//!
//! The way of a file: an [`Engine`] gives the text of each page, [`quality`] says which pages make sense, the second
//! engine is asked for those that don't, and [`layout`] makes paragraphs, headings and one text of the pages.
//!
//! Why `pdf_oxide` is first, measured on 15 arXiv papers (304 pages; one core of an x86-64 machine that was busy beside it):
//!
//! | engine | pages failed | ms per paper | single-letter words | letters per word | words of `pdftotext` found |
//! |---|---|---|---|---|---|
//! | `pdf_oxide` 0.3.77 | 0 | 271 | 0.044 | 5.06 | **0.992** |
//! | `pdf-extract` 0.12.1 | 0 | 192 | 0.042 | 4.99 | 0.974 |
//!
//! It finds more of the words of an outside reference in every one of the papers (0.959 to 0.999 against 0.943 to
//! 0.996), because it puts words together that a line broke; it reads columns in their order, knows fonts and sizes
//! (which give a title), and reports an encrypted file as that. `pdf-extract` is somewhat faster; beside
//! embedding, which takes seconds for a paper, neither counts. The table is printed by
//! `LECTERN_TEST_DATA=DIR cargo test --release -p lectern-ingest --test pdf_engines -- --nocapture`.

mod engine;
mod layout;
mod quality;
mod title;

use lectern_domain::Extracted;

use super::ExtractError;
pub use engine::{Document, Engine, pages};
pub use quality::Quality;

/// Where the end mark of a whole PDF stands (ISO 32000-1, 7.5.5), give or take what writers append.
const END_BYTES: usize = 2048;

/// Reads a PDF.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, ExtractError> {
    let first = pages(Engine::PdfOxide, bytes);
    if let Err(ExtractError::PdfEncrypted) = first {
        return Err(ExtractError::PdfEncrypted);
    }
    let first_is_weak = first.as_ref().map_or(true, |document| {
        document.pages.iter().any(is_weak) || is_blank(document)
    });
    let second = if first_is_weak {
        Some(pages(Engine::PdfExtract, bytes))
    } else {
        None
    };
    let (document, mut warnings) = best(first, second)?;
    let has_end = has_end_mark(bytes);
    if is_blank(&document) {
        // What a scan needs is no help for a file that was cut off.
        return Err(match has_end {
            true => ExtractError::NoTextLayer(document.pages.len()),
            false => ExtractError::PdfDamaged("it has no end mark, and no text in what is there".to_owned()),
        });
    }
    if !has_end {
        warnings.push("the file has no end mark: it may be truncated".to_owned());
    }
    let (text, blocks) = layout::lay_out(&document.pages);
    Ok(Extracted {
        title: document.title,
        media_type: "application/pdf".to_owned(),
        text,
        blocks,
        attributes: document.attributes,
        warnings,
        ..Extracted::default()
    })
}

fn has_end_mark(bytes: &[u8]) -> bool {
    let end = &bytes[bytes.len().saturating_sub(END_BYTES)..];
    end.windows(5).any(|window| window == b"%%EOF")
}

type Reading = Result<Document, ExtractError>;

/// The pages of the first engine, and those of the second where the first made no sense of a page.
fn best(first: Reading, second: Option<Reading>) -> Result<(Document, Vec<String>), ExtractError> {
    let mut document = match (first, second) {
        (Ok(document), None) => return Ok((document, Vec::new())),
        (Ok(document), Some(Ok(second))) if is_blank(&document) && !is_blank(&second) => {
            return Ok((second, vec!["read by the second PDF engine".to_owned()]));
        }
        (Ok(mut document), Some(Ok(second))) => {
            for (page, other) in document.pages.iter_mut().zip(second.pages) {
                if is_weak(page) && !is_weak(&other) {
                    *page = other;
                }
            }
            document
        }
        (Ok(document), Some(Err(_))) => document,
        (Err(error), None | Some(Err(_))) => return Err(error),
        (Err(error), Some(Ok(second))) if is_blank(&second) => return Err(error),
        (Err(_), Some(Ok(second))) => return Ok((second, vec!["read by the second PDF engine".to_owned()])),
    };
    let mut warnings = Vec::new();
    for (number, page) in (1_usize..).zip(&mut document.pages) {
        match page {
            Err(error) => {
                warnings.push(format!("page {number} could not be read: {error}"));
                *page = Ok(String::new());
            }
            Ok(text) if !Quality::of(text).is_sane() => {
                warnings.push(format!("the text of page {number} looks garbled"));
            }
            Ok(_) => {}
        }
    }
    Ok((document, warnings))
}

fn is_weak(page: &Result<String, String>) -> bool {
    page.as_ref().map_or(true, |text| !Quality::of(text).is_sane())
}

fn is_blank(document: &Document) -> bool {
    document
        .pages
        .iter()
        .all(|page| page.as_ref().map_or(true, |text| text.trim().is_empty()))
}
