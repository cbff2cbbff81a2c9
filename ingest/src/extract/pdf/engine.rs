//! The two PDF engines behind one function. Both are pure Rust, and both panic on some files: a panic is an error
//! here. What they do beside that (abort, hang, take all memory) is the child process's business.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lectern_domain::Attributes;
use pdf_oxide::PdfDocument;

use super::title::{self, title};
use crate::extract::ExtractError;
use crate::extract::worker::panic_message;

/// A PDF engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `pdf_oxide`, the first.
    PdfOxide,
    /// `pdf-extract`, for what the first makes no sense of.
    PdfExtract,
}

/// What an engine finds in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The text of each page as the engine gives it, or why there is none.
    pub pages: Vec<Result<String, String>>,
    /// The title that the file states, or the largest words on its first page.
    pub title: Option<String>,
    /// What else the file says about itself: author, subject, keywords, dates.
    pub attributes: Attributes,
}

/// The pages of a PDF, read by one engine.
///
/// Fails with [`ExtractError::PdfEncrypted`] where a password is needed (a file that is encrypted with an empty
/// password is read), and with [`ExtractError::PdfDamaged`] where the engine finds no document.
pub fn pages(engine: Engine, bytes: &[u8]) -> Result<Document, ExtractError> {
    let read = || match engine {
        Engine::PdfOxide => with_pdf_oxide(bytes),
        Engine::PdfExtract => with_pdf_extract(bytes),
    };
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(ExtractError::PdfDamaged(panic_message(panic.as_ref()))))
}

fn with_pdf_oxide(bytes: &[u8]) -> Result<Document, ExtractError> {
    let damaged = |error: pdf_oxide::Error| match error {
        pdf_oxide::Error::EncryptedPdf => ExtractError::PdfEncrypted,
        other => ExtractError::PdfDamaged(other.to_string()),
    };
    let pdf = PdfDocument::from_bytes(bytes.to_vec()).map_err(damaged)?;
    if pdf.is_encrypted() && !pdf.is_authenticated() {
        return Err(ExtractError::PdfEncrypted);
    }
    let count = pdf.page_count().map_err(damaged)?;
    let mut pages = Vec::new();
    for number in 0..count {
        let text = catch_unwind(AssertUnwindSafe(|| pdf.extract_text(number)));
        pages.push(match text {
            Ok(text) => text.map_err(|error| error.to_string()),
            Err(panic) => Err(panic_message(panic.as_ref())),
        });
    }
    if pages.is_empty() {
        return Err(ExtractError::PdfDamaged("it has no pages".to_owned()));
    }
    let describe = || (title(&pdf), title::attributes(&pdf));
    let (title, attributes) = catch_unwind(AssertUnwindSafe(describe)).unwrap_or_default();
    Ok(Document {
        pages,
        title,
        attributes,
    })
}

fn with_pdf_extract(bytes: &[u8]) -> Result<Document, ExtractError> {
    let pages = pdf_extract::extract_text_from_mem_by_pages(bytes)
        .map_err(|error| ExtractError::PdfDamaged(error.to_string()))?;
    if pages.is_empty() {
        return Err(ExtractError::PdfDamaged("it has no pages".to_owned()));
    }
    Ok(Document {
        pages: pages.into_iter().map(Ok).collect(),
        ..Document::default()
    })
}
