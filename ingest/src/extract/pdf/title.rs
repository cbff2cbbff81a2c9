//! What a PDF says about itself, and its title: the one that the file states, or else the largest words on its first
//! page.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use lectern_domain::Attributes;
use pdf_oxide::PdfDocument;
use pdf_oxide::layout::TextSpan;
use pdf_oxide::object::Object;

use crate::extract::office::properties::{Properties, keywords};
use crate::extract::read::title_line;

/// A span belongs to the title's line when it is at least this large beside the largest one: small capitals are
/// set in 0.8 of the size.
const SMALL_CAPITALS: f32 = 0.7;

/// Titles are set larger than text by at least this factor.
const LARGER_THAN_TEXT: f32 = 1.15;

/// The title of a document.
pub(super) fn title(pdf: &PdfDocument) -> Option<String> {
    information(pdf, "Title")
        .filter(|title| is_title(title))
        .or_else(|| largest_words(&pdf.extract_spans(0).ok()?))
}

/// Author, subject, keywords and dates, as far as the file states them.
pub(super) fn attributes(pdf: &PdfDocument) -> Attributes {
    let stated = information(pdf, "Keywords").unwrap_or_default();
    let properties = Properties {
        author: information(pdf, "Author"),
        subject: information(pdf, "Subject"),
        keywords: keywords(&stated),
        created: information(pdf, "CreationDate").as_deref().and_then(date),
        modified: information(pdf, "ModDate").as_deref().and_then(date),
        ..Properties::default()
    };
    properties.into_attributes()
}

/// A date such as `D:20260105100000+01'00'` (ISO 32000-1, 7.9.4); what is left out at the end is the least there is.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().trim_start_matches("D:");
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = text.split_at(end);
    let part = |at: usize, length: usize, least: u32| match digits.get(at..at + length) {
        Some(part) => part.parse().ok(),
        None => Some(least),
    };
    let year = digits.get(..4)?.parse().ok()?;
    let day = NaiveDate::from_ymd_opt(year, part(4, 2, 1)?, part(6, 2, 1)?)?;
    let time = day.and_hms_opt(part(8, 2, 0)?, part(10, 2, 0)?, part(12, 2, 0)?)?;
    let offsets: Vec<i32> = zone
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect();
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let minutes = offsets.first().unwrap_or(&0) * 60 + offsets.get(1).unwrap_or(&0);
    let zone = FixedOffset::east_opt(sign * minutes.checked_mul(60)?)?;
    Some(zone.from_local_datetime(&time).single()?.to_utc())
}

/// An entry of the document information dictionary (ISO 32000-1, 14.3.3).
fn information(pdf: &PdfDocument, key: &str) -> Option<String> {
    let information = pdf.resolve_object(pdf.trailer().as_dict()?.get("Info")?).ok()?;
    let value = pdf.resolve_object(information.as_dict()?.get(key)?).ok()?;
    title_line(&text_string(&value)?)
}

/// A text string: UTF-16 or UTF-8 with a byte order mark, else `PDFDocEncoding`, whose letters are those of Latin-1.
fn text_string(value: &Object) -> Option<String> {
    let bytes = value.as_string()?;
    let decoded = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding
            .decode_without_bom_handling(&bytes[mark..])
            .0
            .into_owned(),
        None => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    Some(
        decoded
            .chars()
            .filter(|character| !character.is_control())
            .collect(),
    )
}

/// Whether a stated title is one: not the name of a file, and not what a program puts there unasked.
fn is_title(text: &str) -> bool {
    let folded = text.to_lowercase();
    let is_file_name = [
        ".doc", ".docx", ".tex", ".dvi", ".pdf", ".indd", ".qxd", ".ps", ".rtf", ".ppt", ".pptx",
    ]
    .iter()
    .any(|extension| folded.ends_with(extension));
    let is_default = [
        "untitled",
        "microsoft word",
        "microsoft powerpoint",
        "powerpoint presentation",
        "document",
        "contents",
        "table of contents",
    ]
    .iter()
    .any(|default| folded.starts_with(default));
    text.chars().filter(|character| character.is_alphabetic()).count() >= 4 && !is_file_name && !is_default
}

/// The lines with the largest upright words.
fn largest_words(spans: &[TextSpan]) -> Option<String> {
    let upright: Vec<&TextSpan> = spans
        .iter()
        .filter(|span| span.rotation_degrees == 0.0 && !span.text.trim().is_empty())
        .filter(|span| !span.text.trim_start().starts_with("arXiv:"))
        .collect();
    let text_size = median_size(&upright)?;
    let mut sizes: Vec<f32> = upright.iter().map(|span| span.font_size).collect();
    sizes.sort_by(|left, right| right.total_cmp(left));
    sizes.dedup_by(|left, right| (*left - *right).abs() < 0.2);
    sizes
        .into_iter()
        .take(4)
        .take_while(|size| *size >= text_size * LARGER_THAN_TEXT)
        .find_map(|size| lines_of_size(&upright, size))
}

/// The text of the lines with words of `size`, unless it is too short (an initial) or too long for a title.
fn lines_of_size(spans: &[&TextSpan], size: f32) -> Option<String> {
    let mut lines: Vec<f32> = spans
        .iter()
        .filter(|span| (span.font_size - size).abs() < 0.2)
        .map(|span| span.bbox.y)
        .collect();
    lines.sort_by(f32::total_cmp);
    lines.dedup_by(|upper, lower| (*upper - *lower).abs() < size * 0.6);
    // From the top of the page down, then from left to right: the order of the file is often another one.
    let line_of = |span: &TextSpan| {
        lines
            .iter()
            .copied()
            .find(|y| (span.bbox.y - y).abs() < size * 0.6)
    };
    let mut title: Vec<(f32, &TextSpan)> = spans
        .iter()
        .filter(|span| span.font_size >= size * SMALL_CAPITALS)
        .filter_map(|span| Some((line_of(span)?, *span)))
        .collect();
    title.sort_by(|(line, span), (other_line, other)| {
        other_line
            .total_cmp(line)
            .then(span.bbox.x.total_cmp(&other.bbox.x))
    });
    let mut text = String::new();
    let mut last: Option<(f32, &TextSpan)> = None;
    for (line, span) in title {
        let is_next_word = last.is_none_or(|(last_line, last)| {
            let gap = span.bbox.x - (last.bbox.x + last.bbox.width);
            last_line != line || gap > size * 0.15
        });
        if is_next_word {
            text.push(' ');
        }
        text.push_str(&span.text);
        last = Some((line, span));
    }
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    (8..=200)
        .contains(&letters)
        .then(|| title_line(&text))
        .flatten()
        .filter(|title| is_title(title))
}

/// The size in which most letters of the page are set.
fn median_size(spans: &[&TextSpan]) -> Option<f32> {
    let mut sizes: Vec<(f32, usize)> = spans
        .iter()
        .map(|span| (span.font_size, span.text.len()))
        .collect();
    sizes.sort_by(|left, right| left.0.total_cmp(&right.0));
    let half = sizes.iter().map(|(_, length)| length).sum::<usize>() / 2;
    let mut seen = 0;
    sizes.into_iter().find_map(|(size, length)| {
        seen += length;
        (seen > half).then_some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_their_zone_and_as_far_as_they_go() {
        let shown = |text| date(text).map(|date| date.to_rfc3339());
        assert_eq!(
            shown("D:20260105100000+01'00'").unwrap(),
            "2026-01-05T09:00:00+00:00"
        );
        assert_eq!(
            shown("D:20260105100000-05'30").unwrap(),
            "2026-01-05T15:30:00+00:00"
        );
        assert_eq!(shown("20260105100000Z").unwrap(), "2026-01-05T10:00:00+00:00");
        assert_eq!(shown("D:2026").unwrap(), "2026-01-01T00:00:00+00:00");
        assert_eq!(shown("D:20261305"), None);
        assert_eq!(shown("Monday"), None);
    }
}
