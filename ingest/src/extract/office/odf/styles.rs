//! What the styles of an `OpenDocument` file say of its paragraphs and lists.

use std::collections::{HashMap, HashSet};

use super::super::xml::Element;

/// What a paragraph is by its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Subtitle,
    Code,
    #[default]
    Text,
}

/// The automatic styles of a content part; the common ones are known by their names.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// The style that each is based on.
    parents: HashMap<String, String>,
    /// List styles with numbers, and the levels that have them, from 0.
    numbered: HashSet<(String, usize)>,
}

impl Styles {
    /// Reads `office:automatic-styles` of a content part.
    pub(super) fn of(content: &Element<'_>) -> Self {
        let mut styles = Self::default();
        let automatic = content.child("automatic-styles");
        for style in automatic.into_iter().flat_map(Element::elements) {
            let Some(name) = style.attribute("name") else {
                continue;
            };
            if let Some(parent) = style.attribute("parent-style-name") {
                styles.parents.insert(name.to_owned(), parent.to_owned());
            }
            for level in style.all("list-level-style-number") {
                let place = level
                    .attribute("level")
                    .and_then(|level| level.parse::<usize>().ok());
                let is_shown = level
                    .attribute("num-format")
                    .is_some_and(|format| !format.is_empty());
                if let Some(place) = place.filter(|_| is_shown) {
                    styles.numbered.insert((name.to_owned(), place.saturating_sub(1)));
                }
            }
        }
        styles
    }

    pub(super) fn role(&self, style: &str) -> Role {
        let parent = self.parents.get(style).map_or(style, String::as_str);
        match parent {
            "Title" => Role::Title,
            "Subtitle" => Role::Subtitle,
            "Preformatted_20_Text" | "Source_20_Text" => Role::Code,
            _ => Role::Text,
        }
    }

    /// Whether a list has numbers at a depth from 0.
    pub(super) fn is_numbered(&self, style: &str, depth: usize) -> bool {
        self.numbered.contains(&(style.to_owned(), depth))
    }
}
