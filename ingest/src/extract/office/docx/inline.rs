//! One paragraph of a document as one line, and what hangs on it.

use super::super::drawing;
use super::super::marks;
use super::super::math;
use super::super::xml::Element;
use super::Reader;
use super::styles::is_monospace;

/// What is read after the paragraph that it hangs on.
#[derive(Debug)]
pub(super) enum Hanging<'e, 'x> {
    TextBox(&'e Element<'x>),
    /// A drawing, which may refer to charts and diagrams.
    Drawing(&'e Element<'x>),
    /// A footnote: the mark that stands in the text, and the note.
    Note(String, String),
    /// The id of a comment.
    Comment(String),
}

/// What a paragraph says.
#[derive(Debug, Default)]
pub(super) struct Line<'e, 'x> {
    pub(super) text: String,
    /// The page on which its first word stands.
    pub(super) page: Option<u32>,
    /// Whether all of it is set in a font with letters of one width.
    pub(super) is_monospace: bool,
    pub(super) has_other_font: bool,
    pub(super) hanging: Vec<Hanging<'e, 'x>>,
}

/// The form of an `mc:AlternateContent` that is read: the newer one where there is one.
pub(super) fn chosen<'e, 'x>(element: &'e Element<'x>) -> Option<&'e Element<'x>> {
    element.child("Choice").or_else(|| element.child("Fallback"))
}

impl Reader<'_, '_> {
    /// Adds what stands in a paragraph, or in a part of one.
    pub(super) fn inline<'e, 'x>(&mut self, parent: &'e Element<'x>, line: &mut Line<'e, 'x>) {
        for element in parent.elements() {
            match element.name {
                "r" => {
                    let before = line.text.len();
                    self.inline(element, line);
                    note_font(element, before, line);
                }
                "lastRenderedPageBreak" => {
                    self.page = self.page.map(|page| page.saturating_add(1));
                    if line.text.trim().is_empty() {
                        line.page = self.page;
                    }
                }
                "footnoteReference" => self.note("footnote", element, line),
                "endnoteReference" => self.note("endnote", element, line),
                "commentReference" => {
                    let id = element.attribute("id").unwrap_or_default().to_owned();
                    line.hanging.push(Hanging::Comment(id));
                }
                "hyperlink" => {
                    let before = line.text.len();
                    self.inline(element, line);
                    if let Some(address) = element.prefixed("id").and_then(|id| self.relations.address(id)) {
                        let linked = marks::link(line.text.get(before..).unwrap_or_default(), address);
                        line.text.truncate(before);
                        line.text.push_str(&linked);
                    }
                }
                "drawing" | "pict" | "object" => drawn(element, line),
                "AlternateContent" => {
                    if let Some(chosen) = chosen(element) {
                        self.inline(chosen, line);
                    }
                }
                _ => {
                    if !push_one(element, &mut line.text) {
                        self.inline(element, line);
                    }
                }
            }
        }
    }

    fn note(&mut self, kind: &'static str, reference: &Element<'_>, line: &mut Line<'_, '_>) {
        let id = reference.attribute("id").unwrap_or_default().to_owned();
        if let Some(text) = self.notes.get(&(kind, id)) {
            self.notes_shown += 1;
            let mark = format!("[{}]", self.notes_shown);
            line.text.push_str(&mark);
            line.hanging.push(Hanging::Note(mark, text.clone()));
        }
    }
}

/// The words of a paragraph alone, as of a note or a header.
pub(super) fn push_plain(parent: &Element<'_>, text: &mut String) {
    for element in parent.elements() {
        match element.name {
            "AlternateContent" => {
                if let Some(chosen) = chosen(element) {
                    push_plain(chosen, text);
                }
            }
            // Paragraphs of their own.
            "txbxContent" => {}
            _ => {
                if !push_one(element, text) {
                    push_plain(element, text);
                }
            }
        }
    }
}

/// Adds what an element says by itself; false where what stands in it says something.
fn push_one(element: &Element<'_>, text: &mut String) -> bool {
    match element.name {
        "t" => element.words().chars().for_each(|character| match character {
            '☐' => text.push_str("[ ]"),
            '☑' | '☒' => text.push_str("[x]"),
            other => text.push(other),
        }),
        "tab" | "ptab" => text.push('\t'),
        "br" if element.attribute("type") == Some("page") => {}
        "br" | "cr" => text.push('\n'),
        "noBreakHyphen" => text.push('-'),
        "sym" => text.extend(symbol(element)),
        "oMath" => text.push_str(&format!(" ${}$ ", math::latex(element))),
        "oMathPara" => {
            for equation in element.all("oMath") {
                text.push_str(&format!("\n$${}$$\n", math::latex(equation)));
            }
        }
        "ruby" => {
            let part = |name: &str| element.child(name).map(Element::words).unwrap_or_default();
            text.push_str(&format!("{} ({})", part("rubyBase"), part("rt")));
        }
        "checkBox" => text.push_str(if is_checked(element) { "[x] " } else { "[ ] " }),
        "pPr" | "rPr" | "sdtPr" | "sdtEndPr" | "instrText" | "delText" | "delInstrText" | "del"
        | "moveFrom" | "sectPr" | "ddList" => {}
        _ => return false,
    }
    true
}

/// The state of a check box of an old form.
fn is_checked(element: &Element<'_>) -> bool {
    let state = element.child("checked").or_else(|| element.child("default"));
    state.is_some_and(|state| !matches!(state.attribute("val"), Some("0" | "false")))
}

/// A character by its place in a font of symbols: check boxes and arrows; others say nothing.
fn symbol(element: &Element<'_>) -> Option<char> {
    let code = u32::from_str_radix(element.attribute("char")?, 16).ok()?;
    match code & 0xff {
        0xe0 => Some('→'),
        0xdf => Some('←'),
        0xfc => Some('✓'),
        0xb7 => Some('·'),
        _ if code < 0xf000 => char::from_u32(code),
        _ => None,
    }
}

/// What a drawing says: its description, its text boxes, and what it refers to.
fn drawn<'e, 'x>(element: &'e Element<'x>, line: &mut Line<'e, 'x>) {
    for properties in element.descendants("docPr") {
        if let Some(description) = drawing::description(properties) {
            separate(&mut line.text);
            line.text.push_str(&description);
        }
    }
    for path in element.descendants("textpath") {
        separate(&mut line.text);
        line.text.push_str(path.attribute("string").unwrap_or_default());
    }
    let boxes = element.descendants("txbxContent");
    line.hanging.extend(boxes.into_iter().map(Hanging::TextBox));
    line.hanging.push(Hanging::Drawing(element));
}

fn separate(text: &mut String) {
    if !text.is_empty() && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
}

/// Keeps track of whether every run so far is in a font with letters of one width.
fn note_font(run: &Element<'_>, before: usize, line: &mut Line<'_, '_>) {
    if line
        .text
        .get(before..)
        .is_none_or(|added| added.trim().is_empty())
    {
        return;
    }
    let font = run
        .at(&["rPr", "rFonts"])
        .and_then(|fonts| fonts.attribute("ascii"));
    line.has_other_font |= !font.is_some_and(is_monospace);
    line.is_monospace = !line.has_other_font;
}
