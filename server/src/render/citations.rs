//! The text of an answer as HTML, with its numbers as links to its sources.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lectern_domain::Citation;
use pulldown_cmark::{CowStr, Event, Tag, TagEnd, TextMergeStream, html};

use super::events::{Links, markdown};
use super::sanitise;

/// The HTML of an answer. `[2]` becomes a link to `#source-2` where `citations` has a number 2, and
/// stays text where not.
pub fn answer_html(text: &str, citations: &[Citation]) -> String {
    let numbers: BTreeSet<u32> = citations.iter().map(|citation| citation.number).collect();
    let mut in_code_block = false;
    let events = TextMergeStream::new(markdown(text, Links::Unwrapped).map(|(event, _)| event));
    let linked = events.map(|event| match event {
        Event::Start(Tag::CodeBlock(kind)) => {
            in_code_block = true;
            Event::Start(Tag::CodeBlock(kind))
        }
        Event::End(TagEnd::CodeBlock) => {
            in_code_block = false;
            Event::End(TagEnd::CodeBlock)
        }
        Event::Text(words) if !in_code_block => link_numbers(words, &numbers),
        other => other,
    });
    let mut unsafe_html = String::with_capacity(text.len() * 2);
    html::push_html(&mut unsafe_html, linked);
    sanitise::answer(&unsafe_html)
}

/// Splits `words` at each `[N]` of `numbers`. The words between are escaped here, since what comes
/// back is HTML.
fn link_numbers<'a>(words: CowStr<'a>, numbers: &BTreeSet<u32>) -> Event<'a> {
    let mut markup = String::new();
    let mut written = 0;
    let mut open_from = 0;
    while let Some(open) = words[open_from..].find('[').map(|at| at + open_from) {
        open_from = open + 1;
        let Some(close) = words[open_from..].find(']').map(|at| at + open_from) else {
            break;
        };
        let Ok(number) = words[open_from..close].parse::<u32>() else {
            continue;
        };
        if !numbers.contains(&number) {
            continue;
        }
        escape_into(&mut markup, &words[written..open]);
        // Writing to a String can't fail.
        write!(
            markup,
            "<a class=\"citation\" href=\"#source-{number}\" data-source=\"{number}\">[{number}]</a>"
        )
        .ok();
        written = close + 1;
        open_from = written;
    }
    if written == 0 {
        return Event::Text(words);
    }
    escape_into(&mut markup, &words[written..]);
    Event::InlineHtml(markup.into())
}

fn escape_into(markup: &mut String, words: &str) {
    html::push_html(markup, std::iter::once(Event::Text(words.into())));
}

#[cfg(test)]
mod tests {
    use lectern_domain::{ChunkId, Confidence, DocumentId, Passage, Score, TextSpan, Version};

    use super::*;

    fn citation(number: u32) -> Citation {
        Citation {
            number,
            passage: Passage {
                chunk: ChunkId(uuid::Uuid::nil()),
                document: DocumentId(uuid::Uuid::nil()),
                version: Version::FIRST,
                title: "Leave".to_owned(),
                uri: "file:///leave.md".to_owned(),
                heading_path: Vec::new(),
                page: None,
                span: TextSpan { start: 0, end: 1 },
                text: "x".to_owned(),
                table_header: None,
                parent: None,
                score: Score::clamped(1.0),
                confidence: Confidence::High,
            },
        }
    }

    #[test]
    fn the_numbers_of_sources_become_links() {
        let html = answer_html(
            "It is **20 weeks** [1][3], see [2] & `[1]`.",
            &[citation(1), citation(3)],
        );
        insta::assert_snapshot!(html, @r##"<p>It is <strong>20 weeks</strong> <a class="citation" href="#source-1" data-source="1">[1]</a><a class="citation" href="#source-3" data-source="3">[3]</a>, see [2] &amp; <code>[1]</code>.</p>"##);
    }

    #[test]
    fn an_answer_leads_nowhere_and_runs_nothing() {
        let hostile = "<script>alert(1)</script> [1] <img src=x onerror=alert(1)> [click](https://evil.example) \
             ![i](https://evil.example/p.png) [ref][r] <https://evil.example> \n\n[r]: javascript:alert(1)\n\n<svg onload=alert(1)>";
        let html = answer_html(hostile, &[citation(1)]);
        assert_eq!(html.matches("<a ").count(), 1, "{html}");
        for forbidden in ["<script", "<img", "<svg", "href=\"h", "href=\"j"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
    }
}
