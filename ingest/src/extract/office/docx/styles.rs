//! The styles of a document: which paragraph is a heading, a line of code, or an item of a list.

use std::collections::HashMap;

use super::super::xml::Element;

/// A style may be based on another, and that on another: no writer goes deeper than this.
const MAX_CHAIN: usize = 20;

/// Paragraph styles by id.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Style>,
}

#[derive(Debug, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline_level: Option<u8>,
    numbering: Option<(Option<String>, Option<usize>)>,
    font: Option<String>,
}

impl Styles {
    /// Reads `w:styles`.
    pub(super) fn of(styles: &Element<'_>) -> Self {
        let by_id = styles
            .all("style")
            .filter_map(|style| {
                let properties = style.child("pPr");
                let read = Style {
                    name: style.value_of("name").unwrap_or_default().to_lowercase(),
                    based_on: style.value_of("basedOn").map(str::to_owned),
                    outline_level: properties
                        .and_then(|it| it.value_of("outlineLvl"))
                        .and_then(|level| level.parse().ok()),
                    numbering: properties.and_then(|it| it.child("numPr")).map(numbering),
                    font: style
                        .at(&["rPr", "rFonts"])
                        .and_then(|fonts| fonts.attribute("ascii"))
                        .map(str::to_owned),
                };
                Some((style.attribute("styleId")?.to_owned(), read))
            })
            .collect();
        Self { by_id }
    }

    /// The style and those that it is based on, nearest first.
    fn chain<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Style> {
        let first = self.by_id.get(id);
        std::iter::successors(first, |style| self.by_id.get(style.based_on.as_deref()?)).take(MAX_CHAIN)
    }

    /// The level of a heading, from 1; `None` for what is no heading.
    pub(super) fn heading_level(&self, id: &str) -> Option<u8> {
        self.chain(id).find_map(|style| {
            let by_name = match style.name.as_str() {
                "title" => Some(1),
                "subtitle" => Some(2),
                name => name
                    .strip_prefix("heading ")
                    .and_then(|level| level.trim().parse().ok()),
            };
            let by_outline = style
                .outline_level
                .filter(|level| *level < 9)
                .map(|level| level + 1);
            by_name.or(by_outline)
        })
    }

    /// The list that the style puts its paragraphs in, and the level.
    pub(super) fn numbering(&self, id: &str) -> Option<(String, usize)> {
        let list = self
            .chain(id)
            .find_map(|style| style.numbering.as_ref()?.0.clone())?;
        let level = self
            .chain(id)
            .find_map(|style| style.numbering.as_ref()?.1)
            .unwrap_or(0);
        Some((list, level))
    }

    /// Whether the style is one for program text.
    pub(super) fn is_code(&self, id: &str) -> bool {
        self.chain(id).any(|style| {
            let name = style.name.as_str();
            name == "html preformatted"
                || name == "macro"
                || name.split([' ', '-', '_']).any(|word| word == "code")
                || name.contains("sourcecode")
                || name.contains("verbatim")
                || style.font.as_deref().is_some_and(is_monospace)
        })
    }
}

/// List and level of `w:numPr`.
pub(super) fn numbering(properties: &Element<'_>) -> (Option<String>, Option<usize>) {
    (
        properties.value_of("numId").map(str::to_owned),
        properties.value_of("ilvl").and_then(|level| level.parse().ok()),
    )
}

/// Whether all letters of a font have one width, by the names of those in use.
pub(super) fn is_monospace(font: &str) -> bool {
    let font = font.to_lowercase();
    [
        "courier",
        "consolas",
        "mono",
        "menlo",
        "lucida console",
        "source code",
        "cascadia",
    ]
    .iter()
    .any(|name| font.contains(name))
}

#[cfg(test)]
mod tests {
    use super::super::super::xml::parse;
    use super::*;

    #[test]
    fn a_style_inherits_and_a_circle_ends() {
        let xml = "<w:styles><w:style w:styleId='a'><w:name w:val='Heading 2'/></w:style>\
                   <w:style w:styleId='b'><w:name w:val='mine'/><w:basedOn w:val='a'/></w:style>\
                   <w:style w:styleId='c'><w:name w:val='x'/><w:basedOn w:val='c'/></w:style>\
                   <w:style w:styleId='d'><w:name w:val='y'/><w:pPr><w:outlineLvl w:val='2'/><w:numPr><w:numId w:val='7'/></w:numPr></w:pPr></w:style>\
                   <w:style w:styleId='e'><w:name w:val='Source Code'/></w:style></w:styles>";
        let tree = parse(xml).unwrap();
        let styles = Styles::of(tree.top().unwrap());
        let levels = ["a", "b", "c", "d", "nothing"].map(|id| styles.heading_level(id));
        assert_eq!(levels, [Some(2), Some(2), None, Some(3), None]);
        assert_eq!(styles.numbering("d"), Some(("7".to_owned(), 0)));
        assert!(styles.is_code("e") && !styles.is_code("a"));
    }
}
