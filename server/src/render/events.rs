//! From a text to Markdown events that hold nothing dangerous.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

/// A Markdown event with the bytes of the text that it comes from.
pub type Located<'a> = (Event<'a>, Range<usize>);

/// Elements nested deeper than this are shown without their element. Building a page takes time
/// with the square of the depth, and nobody quotes a quotation sixty times.
const DEEPEST: usize = 60;

/// Which links survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Those that the sanitiser lets through.
    Kept,
    /// None; their words stay.
    Unwrapped,
}

/// The events of a Markdown text. HTML is shown as text, images as their description.
pub fn markdown(text: &str, links: Links) -> impl Iterator<Item = Located<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut nesting = Nesting::default();
    Parser::new_ext(text, options)
        .into_offset_iter()
        .filter_map(move |(event, range)| harmless(event, links, &mut nesting).map(|event| (event, range)))
}

/// The events of a plain text: paragraphs between blank lines, line breaks as they are.
pub fn plain(text: &str) -> impl Iterator<Item = Located<'_>> {
    let mut events = Vec::new();
    let mut open = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim_end();
        let range = start..start + words.len();
        start += line.len();
        if words.trim().is_empty() {
            if open {
                events.push((Event::End(TagEnd::Paragraph), range));
                open = false;
            }
            continue;
        }
        let before = if open {
            Event::HardBreak
        } else {
            Event::Start(Tag::Paragraph)
        };
        events.push((before, range.start..range.start));
        events.push((Event::Text(CowStr::Borrowed(words)), range));
        open = true;
    }
    if open {
        events.push((Event::End(TagEnd::Paragraph), start..start));
    }
    events.into_iter()
}

/// Which of the open elements are shown.
#[derive(Default)]
struct Nesting {
    depth: usize,
}

fn harmless<'a>(event: Event<'a>, links: Links, nesting: &mut Nesting) -> Option<Event<'a>> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
        Event::Start(tag) => {
            nesting.depth += 1;
            if nesting.depth > DEEPEST {
                return None;
            }
            match tag {
                Tag::Image { .. } => None,
                Tag::Link { .. } if links == Links::Unwrapped => None,
                Tag::HtmlBlock => Some(Event::Start(Tag::Paragraph)),
                shown => Some(Event::Start(shown)),
            }
        }
        Event::End(tag) => {
            let hidden = nesting.depth > DEEPEST;
            nesting.depth = nesting.depth.saturating_sub(1);
            match tag {
                _ if hidden => None,
                TagEnd::Image => None,
                TagEnd::Link if links == Links::Unwrapped => None,
                TagEnd::HtmlBlock => Some(Event::End(TagEnd::Paragraph)),
                shown => Some(Event::End(shown)),
            }
        }
        other => Some(other),
    }
}
