//! Markdown: the text is the file itself, and the blocks lie where `pulldown-cmark` finds them in it.

use lectern_domain::{Block, BlockKind, Extracted, TextSpan};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

use super::office::properties::Properties;
use super::read::title_line;

mod front_matter;

/// Reads Markdown (`CommonMark` with tables, footnotes, strike-through, task lists and YAML front matter).
pub(super) fn read(text: String) -> Extracted {
    let outline = outline(&text);
    Extracted {
        title: outline.title,
        media_type: "text/markdown".to_owned(),
        blocks: outline.blocks,
        text,
        attributes: outline.properties.into_attributes(),
        ..Extracted::default()
    }
}

/// What a Markdown text consists of.
pub(super) struct Outline {
    /// From the front matter, or the first heading where no higher one follows.
    pub(super) title: Option<String>,
    pub(super) blocks: Vec<Block>,
    /// What the front matter says besides.
    properties: Properties,
}

/// Finds the blocks of the outermost level: a list, a quotation or a table is one block with all that is in it.
pub(super) fn outline(text: &str) -> Outline {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut blocks: Vec<Block> = Vec::new();
    let mut properties = Properties::default();
    let mut open: Option<Open> = None;
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    open = Some(Open::new(
                        tag,
                        TextSpan {
                            start: range.start,
                            end: range.end,
                        },
                    ));
                }
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    match open.take() {
                        Some(ended) if ended.is_front_matter => {
                            properties = front_matter::read(&ended.words);
                        }
                        Some(ended) => blocks.extend(ended.close(text)),
                        None => {}
                    }
                }
            }
            Event::Text(words) | Event::Code(words) | Event::Html(words) | Event::InlineHtml(words) => {
                open.iter_mut().for_each(|open| open.words.push_str(&words));
            }
            Event::SoftBreak | Event::HardBreak => open.iter_mut().for_each(|open| open.words.push(' ')),
            _ => {}
        }
    }
    Outline {
        title: properties.title.clone().or_else(|| first_heading(&blocks)),
        blocks,
        properties,
    }
}

/// A block of the outermost level that hasn't ended.
struct Open {
    kind: Option<BlockKind>,
    span: TextSpan,
    /// Its words, without markup.
    words: String,
    is_front_matter: bool,
    is_html: bool,
}

impl Open {
    fn new(tag: Tag<'_>, span: TextSpan) -> Self {
        let kind = match &tag {
            Tag::Heading { level, .. } => Some(BlockKind::Heading {
                level: heading_level(*level),
                title: String::new(),
            }),
            Tag::CodeBlock(_) => Some(BlockKind::Code),
            Tag::Table(_) => Some(BlockKind::Table),
            Tag::MetadataBlock(_) => None,
            _ => Some(BlockKind::Paragraph),
        };
        Self {
            kind,
            span,
            words: String::new(),
            is_front_matter: matches!(tag, Tag::MetadataBlock(_)),
            is_html: matches!(tag, Tag::HtmlBlock),
        }
    }

    /// The block, unless there is nothing to read in it.
    fn close(self, text: &str) -> Option<Block> {
        let covered = self.span.of(text)?;
        let without_end = covered.trim_end();
        let without_blank_lines = without_end.trim_start_matches(['\n', '\r']);
        if self.is_html && !has_words(&self.words) {
            return None;
        }
        let span = TextSpan {
            start: self.span.start + without_end.len() - without_blank_lines.len(),
            end: self.span.start + without_end.len(),
        };
        let kind = match self.kind? {
            BlockKind::Heading { level, .. } => BlockKind::Heading {
                level,
                title: title_line(&self.words)?,
            },
            other => other,
        };
        (!span.is_empty()).then_some(Block {
            kind,
            span,
            page: None,
        })
    }
}

fn heading_level(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// Whether something is left of a piece of HTML without its tags and comments.
fn has_words(html: &str) -> bool {
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        if !before.trim().is_empty() {
            return true;
        }
        let end = if tag.starts_with("!--") { "-->" } else { ">" };
        match tag.split_once(end) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    !rest.trim().is_empty()
}

/// The first heading, where it is the only one of its level or stands before everything else.
fn first_heading(blocks: &[Block]) -> Option<String> {
    let mut headings = blocks
        .iter()
        .enumerate()
        .filter_map(|(place, block)| match &block.kind {
            BlockKind::Heading { level, title } => Some((place, *level, title)),
            _ => None,
        });
    let (place, level, title) = headings.next()?;
    let is_highest = headings.all(|(_, other, _)| other > level);
    (is_highest || place == 0).then(|| title.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_where_they_stand_in_the_file() {
        let text = concat!(
            "---\ntitle: \"The *handbook*\"\nauthor: nobody\n---\n\n# Leave of `absence`\n\nFirst\nparagraph.\n\n",
            "- one\n- two\n\n  still two\n\n```rust\nfn main() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n",
            "<!-- nothing -->\n\n<div>\nwords\n</div>\n\n***\n\n> quoted\n\nUnder\n-----\n\nÜmläute.\n"
        );
        let extracted = read(text.to_owned());
        let blocks: Vec<String> = extracted
            .blocks
            .iter()
            .map(|block| format!("{:?} {:?}", block.kind, block.span.of(text).unwrap()))
            .collect();
        insta::assert_snapshot!(blocks.join("\n"), @r##"
        Heading { level: 1, title: "Leave of absence" } "# Leave of `absence`"
        Paragraph "First\nparagraph."
        Paragraph "- one\n- two\n\n  still two"
        Code "```rust\nfn main() {}\n```"
        Table "| a | b |\n|---|---|\n| 1 | 2 |"
        Paragraph "<div>\nwords\n</div>"
        Paragraph "> quoted"
        Heading { level: 2, title: "Under" } "Under\n-----"
        Paragraph "Ümläute."
        "##);
        assert_eq!(extracted.title.as_deref(), Some("The *handbook*"));
        assert_eq!(extracted.text, text);
    }

    #[test]
    fn the_title_is_the_first_heading_where_it_stands_for_the_whole() {
        let title = |text: &str| outline(text).title;
        assert_eq!(title("# A\n\n## B\n").as_deref(), Some("A"));
        assert_eq!(title("Badges\n\n# A\n\n## B\n").as_deref(), Some("A"));
        assert_eq!(title("Words\n\n## A\n\n## B\n"), None);
        assert_eq!(title("no heading"), None);
    }
}
