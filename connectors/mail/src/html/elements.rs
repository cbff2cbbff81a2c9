//! The elements that are open, as far as lines depend on them.
//!
//! Most elements have an effect where they begin and where they end, and none between: these aren't kept. Of the others at most [`MOST_OPEN`] are. What
//! ends an element is told as browsers do it: a cell ends the one before it, and nothing in a cell ends what began outside of it.

use lectern_connector_markup::{Tag, add_decoded, is_one_of};

use super::page::Page;

/// Elements that are kept at the same time.
const MOST_OPEN: usize = 256;

/// Elements that have no end.
const WITHOUT_END: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// What holds no words that are shown.
const HIDDEN: [&str; 8] = [
    "template", "noscript", "svg", "canvas", "audio", "video", "object", "select",
];
/// What begins and ends a line.
const LINES: [&str; 26] = [
    "div",
    "section",
    "article",
    "aside",
    "header",
    "footer",
    "main",
    "nav",
    "address",
    "center",
    "form",
    "fieldset",
    "legend",
    "figure",
    "figcaption",
    "details",
    "summary",
    "dl",
    "dt",
    "dd",
    "caption",
    "body",
    "hgroup",
    "dialog",
    "search",
    "option",
];
/// Classes and ids of signatures.
const SIGNATURES: [&str; 4] = [
    "gmail_signature",
    "moz-signature",
    "Signature",
    "protonmail_signature_block",
];

/// What an element does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bold,
    Cell,
    Heading,
    /// It isn't shown, and nothing in it is.
    Hidden,
    Item,
    Line,
    List,
    NumberedList,
    Other,
    Paragraph,
    Preformatted,
    Quote,
    Row,
    Table,
}

impl Kind {
    fn of(tag: &Tag<'_>) -> Self {
        if is_left_out(tag) || is_one_of(tag.name, &HIDDEN) {
            return Self::Hidden;
        }
        match tag.name.to_ascii_lowercase().as_str() {
            "b" | "strong" => Self::Bold,
            "td" | "th" => Self::Cell,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Self::Heading,
            "li" => Self::Item,
            "ul" | "menu" | "dir" => Self::List,
            "ol" => Self::NumberedList,
            "p" => Self::Paragraph,
            "pre" | "listing" => Self::Preformatted,
            "blockquote" => Self::Quote,
            "tr" => Self::Row,
            "table" => Self::Table,
            name if LINES.contains(&name) => Self::Line,
            _ => Self::Other,
        }
    }

    /// Whether it does something between its beginning and its end.
    fn is_kept(self) -> bool {
        !matches!(self, Self::Line | Self::Other | Self::Paragraph)
    }

    fn begins_line(self) -> bool {
        !matches!(self, Self::Bold | Self::Hidden | Self::Other)
    }
}

#[derive(Debug)]
struct Open<'a> {
    name: &'a str,
    kind: Kind,
}

/// The elements that are open.
#[derive(Debug, Default)]
pub(super) struct Elements<'a> {
    open: Vec<Open<'a>>,
    /// How many of them are hidden.
    hidden: usize,
    /// How many more there are than are kept.
    beyond: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn start(&mut self, tag: &Tag<'a>, page: &mut Page) {
        if is_one_of(tag.name, &WITHOUT_END) {
            if self.hidden == 0 {
                Self::without_end(tag, page);
            }
            return;
        }
        let mut kind = Kind::of(tag);
        self.end_before(kind, page);
        // Without a table around them, these are lines.
        let mut around = self.open.iter().rev().map(|open| open.kind);
        let around = around.find(|kind| matches!(kind, Kind::Row | Kind::Cell | Kind::Table));
        match (kind, around) {
            (Kind::Cell, Some(Kind::Table)) => self.push("tr", Kind::Row, page),
            (Kind::Cell, Some(Kind::Row)) | (Kind::Row, Some(Kind::Table)) => {}
            (Kind::Cell | Kind::Row, _) => kind = Kind::Line,
            _ => {}
        }
        if kind.is_kept() || self.hidden > 0 {
            self.push(tag.name, kind, page);
        } else {
            Self::pass(kind, page);
        }
    }

    pub(super) fn end(&mut self, name: &str, page: &mut Page) {
        let kind = Kind::of(&Tag::named(name));
        if !kind.is_kept() && self.hidden == 0 {
            return Self::pass(kind, page);
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let is_of_table = is_one_of(name, &["table", "tr", "td", "th", "thead", "tbody", "tfoot"]);
        let mut found = None;
        for (place, open) in self.open.iter().enumerate().rev() {
            if open.name.eq_ignore_ascii_case(name) {
                found = Some(place);
                break;
            }
            let is_wall = match open.kind {
                Kind::Table => true,
                Kind::Cell => !is_of_table,
                _ => false,
            };
            if is_wall {
                break;
            }
        }
        if let Some(place) = found {
            self.end_from(place, page);
        }
    }

    pub(super) fn end_all(&mut self, page: &mut Page) {
        self.end_from(0, page);
    }

    /// Ends what can't go on where such an element begins.
    fn end_before(&mut self, kind: Kind, page: &mut Page) {
        let is_wall = |open: Kind| match kind {
            Kind::Item => matches!(open, Kind::List | Kind::NumberedList | Kind::Cell | Kind::Table),
            _ => open == Kind::Table,
        };
        if matches!(kind, Kind::Item | Kind::Cell | Kind::Row) {
            let near = self.open.iter().enumerate().rev();
            let mut near = near.take_while(|(_, open)| !is_wall(open.kind));
            if let Some((place, _)) = near.find(|(_, open)| open.kind == kind) {
                self.end_from(place, page);
            }
        }
        // A paragraph ends where a line begins, whether it has an end tag or not.
        let hidden = self.open.iter().rposition(|open| open.kind == Kind::Hidden);
        if let Some(place) = hidden
            && kind.begins_line()
            && self.open[place].name.eq_ignore_ascii_case("p")
        {
            self.end_from(place, page);
        }
    }

    fn end_from(&mut self, place: usize, page: &mut Page) {
        while self.open.len() > place {
            if let Some(open) = self.open.pop() {
                self.hidden -= usize::from(open.kind == Kind::Hidden);
                Self::finish(open.kind, page);
            }
        }
        page.is_hidden = self.hidden > 0;
    }

    fn push(&mut self, name: &'a str, kind: Kind, page: &mut Page) {
        if self.open.len() >= MOST_OPEN {
            self.beyond += 1;
            return;
        }
        match kind {
            Kind::Bold => page.bold += 1,
            Kind::Cell => page.begin_cell(),
            Kind::Heading => {
                page.part(2);
                page.bold += 1;
            }
            Kind::Hidden => {
                if is_one_of(name, &LINES) || is_one_of(name, &["p", "pre", "table"]) {
                    page.part(1);
                }
                self.hidden += 1;
            }
            Kind::Item => page.begin_item(),
            Kind::List => page.begin_list(false),
            Kind::NumberedList => page.begin_list(true),
            Kind::Preformatted => {
                page.begin_block();
                page.preformatted += 1;
            }
            Kind::Quote => {
                page.begin_block();
                page.quotes += 1;
            }
            Kind::Row => page.begin_row(),
            Kind::Table => page.begin_block(),
            Kind::Line | Kind::Other | Kind::Paragraph => Self::pass(kind, page),
        }
        page.is_hidden = self.hidden > 0;
        self.open.push(Open { name, kind });
    }

    fn finish(kind: Kind, page: &mut Page) {
        match kind {
            Kind::Bold => page.bold -= 1,
            Kind::Cell => page.end_cell(),
            Kind::Heading => {
                page.part(2);
                page.bold -= 1;
            }
            Kind::Item => page.end_item(),
            Kind::List | Kind::NumberedList => page.end_list(),
            Kind::Preformatted => {
                page.part(2);
                page.preformatted -= 1;
            }
            Kind::Quote => {
                page.part(2);
                page.quotes -= 1;
            }
            Kind::Row => page.end_row(),
            Kind::Table => page.part(2),
            Kind::Hidden | Kind::Line | Kind::Other | Kind::Paragraph => Self::pass(kind, page),
        }
    }

    /// The beginning or the end of what has no other effect.
    fn pass(kind: Kind, page: &mut Page) {
        match kind {
            Kind::Paragraph => page.part(2),
            kind if kind.begins_line() => page.part(1),
            _ => {}
        }
    }

    fn without_end(tag: &Tag<'_>, page: &mut Page) {
        match tag.name.to_ascii_lowercase().as_str() {
            "br" => page.line_break(),
            "hr" => page.part(2),
            "img" => {
                let mut description = String::new();
                add_decoded(tag.attribute("alt").unwrap_or_default(), &mut description);
                page.words(&description);
            }
            _ => {}
        }
    }
}

/// Whether an element is a signature, or isn't shown.
fn is_left_out(tag: &Tag<'_>) -> bool {
    let value = |name: &str| tag.attribute(name).unwrap_or_default();
    let is_signature = |value: &str| value.split_whitespace().any(|word| SIGNATURES.contains(&word));
    let is_hidden = || {
        let style: String = value("style").split_whitespace().collect();
        style.to_ascii_lowercase().contains("display:none")
    };
    is_signature(value("class")) || is_signature(value("id")) || is_hidden()
}
