//! A document as HTML, with one passage of it marked.

use std::ops::Range;

use lectern_domain::TextSpan;
use pulldown_cmark::{CowStr, Event, html};

use super::events::{Links, Located, markdown, plain};
use super::sanitise;

/// The longest text that is rendered, in bytes; of a longer one, the part around the passage.
const LONGEST_BYTES: usize = 512 * 1024;

/// A document, or the part of it around a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassageHtml {
    /// Cleaned; the passage is in `<mark class="passage">`, whose first piece has the id `passage`.
    pub html: String,
    /// Whether the document is longer than what is shown.
    pub is_excerpt: bool,
}

/// A span that isn't one of this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes {start} to {end} are no passage of a text of {length} bytes")]
pub struct SpanError {
    /// The first byte asked for.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The length of the text.
    pub length: usize,
}

/// Renders `text` with `span` marked. A mark can't reach over the border of an element, so each piece
/// of text within the span gets a mark of its own. Cost: linear in the text, about 30 ms for 512 KiB.
pub fn passage_html(text: &str, media_type: &str, span: TextSpan) -> Result<PassageHtml, SpanError> {
    if span.is_empty() || span.of(text).is_none() {
        return Err(SpanError {
            start: span.start,
            end: span.end,
            length: text.len(),
        });
    }
    let window = window_around(text, span);
    let shown = &text[window.clone()];
    let passage = span.start.max(window.start) - window.start..span.end.min(window.end) - window.start;
    let unsafe_html = match media_type {
        "text/markdown" | "text/html" => marked(shown, markdown(shown, Links::Kept), &passage),
        _ => marked(shown, plain(shown), &passage),
    };
    Ok(PassageHtml {
        html: sanitise::document(&unsafe_html),
        is_excerpt: window.len() < text.len(),
    })
}

fn marked<'a>(text: &'a str, events: impl Iterator<Item = Located<'a>>, passage: &Range<usize>) -> String {
    let mut pieces = Vec::new();
    let mut first = true;
    for (event, range) in events {
        let overlaps = range.start < passage.end && passage.start < range.end;
        match event {
            Event::Text(words) if overlaps => {
                let inner = if text.get(range.clone()) == Some(&*words) {
                    range.start.max(passage.start) - range.start..range.end.min(passage.end) - range.start
                } else {
                    // An escape or an entity: the text isn't what stands in the source, so it is marked whole.
                    0..words.len()
                };
                push_text(&mut pieces, &words[..inner.start]);
                push_mark(
                    &mut pieces,
                    &mut first,
                    Event::Text(words[inner.clone()].to_owned().into()),
                );
                push_text(&mut pieces, &words[inner.end..]);
            }
            Event::Code(words) if overlaps => push_mark(&mut pieces, &mut first, Event::Code(words)),
            other => pieces.push(other),
        }
    }
    let mut unsafe_html = String::with_capacity(text.len() * 5 / 4);
    html::push_html(&mut unsafe_html, pieces.into_iter());
    unsafe_html
}

fn push_text(pieces: &mut Vec<Event<'_>>, words: &str) {
    if !words.is_empty() {
        pieces.push(Event::Text(words.to_owned().into()));
    }
}

fn push_mark<'a>(pieces: &mut Vec<Event<'a>>, first: &mut bool, event: Event<'a>) {
    let opening = if *first {
        "<mark id=\"passage\" class=\"passage\">"
    } else {
        "<mark class=\"passage\">"
    };
    *first = false;
    pieces.push(Event::InlineHtml(CowStr::Borrowed(opening)));
    pieces.push(event);
    pieces.push(Event::InlineHtml(CowStr::Borrowed("</mark>")));
}

/// The part of `text` that is shown: all of it, or about [`LONGEST_BYTES`] with the passage in the
/// middle, cut between paragraphs where there are any.
fn window_around(text: &str, span: TextSpan) -> Range<usize> {
    if text.len() <= LONGEST_BYTES {
        return 0..text.len();
    }
    let around = LONGEST_BYTES.saturating_sub(span.len()) / 2;
    let earliest = text.floor_char_boundary(span.start.saturating_sub(around));
    let latest = text.floor_char_boundary((span.end + around).min(earliest + LONGEST_BYTES).min(text.len()));
    let start = if earliest == 0 {
        0
    } else {
        text[earliest..span.start]
            .find("\n\n")
            .map_or(earliest, |at| earliest + at + 2)
    };
    let end = if latest == text.len() || latest <= span.end {
        latest
    } else {
        text[span.end..latest]
            .rfind("\n\n")
            .map_or(latest, |at| span.end + at)
    };
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span_of(text: &str, part: &str) -> TextSpan {
        let start = text.find(part).unwrap();
        TextSpan {
            start,
            end: start + part.len(),
        }
    }

    #[test]
    fn a_passage_over_several_elements_is_marked_piece_by_piece() {
        let text = "# Leave\n\nIt is *20 weeks*.\n\n- one\n- two\n";
        let html = passage_html(text, "text/markdown", span_of(text, "is *20 weeks*.\n\n- one"))
            .unwrap()
            .html;
        insta::assert_snapshot!(html, @r#"
        <h1>Leave</h1>
        <p>It <mark id="passage" class="passage">is </mark><em><mark class="passage">20 weeks</mark></em><mark class="passage">.</mark></p>
        <ul>
        <li><mark class="passage">one</mark></li>
        <li>two</li>
        </ul>
        "#);
    }

    #[test]
    fn plain_text_keeps_its_lines_and_shows_its_markup() {
        let text = "a <b>\nsecond *line*\n\nnext";
        let html = passage_html(text, "text/plain", span_of(text, "second"))
            .unwrap()
            .html;
        insta::assert_snapshot!(html, @r#"
        <p>a &lt;b&gt;<br>
        <mark id="passage" class="passage">second</mark> *line*</p>
        <p>next</p>
        "#);
    }

    #[test]
    fn a_hostile_document_runs_nothing() {
        let text = "<script>alert(1)</script>\n\n<mark id=\"passage\" onclick=\"x()\">a</mark>\n\n[a](javascript:alert(1)) \
            [b](data:text/html,x) [c](vbscript:x) [d](//evil.example) ![i](https://evil.example/i.png)\n\n\
            <math><mtext></mtext><mglyph><svg><mtext><style><path id=\"</style><img onerror=alert(1) src>\">\n\nend";
        let html = passage_html(text, "text/markdown", span_of(text, "end"))
            .unwrap()
            .html;
        for forbidden in [
            "<script", "<img", "<svg", "<math", "<style", "href=\"j", "href=\"d", "href=\"v", "href=\"/",
        ] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert_eq!(html.matches("<mark id=\"passage\"").count(), 1, "{html}");
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for (start, end) in [(0, 0), (3, 2), (0, 99), (1, 2)] {
            assert!(
                passage_html("é and", "text/plain", TextSpan { start, end }).is_err(),
                "{start}..{end}"
            );
        }
    }

    #[test]
    fn a_long_document_is_shown_in_part_with_the_passage_in_it() {
        let text = format!(
            "{}needle\n\n{}",
            "some words\n\n".repeat(60_000),
            "more words\n\n".repeat(60_000)
        );
        let rendered = passage_html(&text, "text/plain", span_of(&text, "needle")).unwrap();
        assert!(rendered.is_excerpt);
        assert!(rendered.html.contains(">needle</mark>"));
        assert!(rendered.html.len() < 2 * LONGEST_BYTES);
    }

    #[test]
    fn deep_nesting_is_flattened() {
        let text = format!("{} deep", ">".repeat(100_000));
        let html = passage_html(&text, "text/markdown", span_of(&text, "deep"))
            .unwrap()
            .html;
        assert!(html.matches("<blockquote>").count() <= 60);
        assert!(html.contains("deep"));
    }

    proptest! {
        #[test]
        fn the_marked_text_is_the_passage(before in "[a-z ]{0,20}", passage in "[a-z]{1,20}", after in "[a-z ]{0,20}") {
            let text = format!("x{before}{passage}{after}x");
            let start = 1 + before.len();
            let span = TextSpan { start, end: start + passage.len() };
            let html = passage_html(&text, "text/plain", span).unwrap().html;
            let marked = html.split("class=\"passage\">").nth(1).unwrap().split("</mark>").next().unwrap();
            prop_assert_eq!(marked, passage);
        }
    }
}
