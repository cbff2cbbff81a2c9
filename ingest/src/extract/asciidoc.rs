//! `AsciiDoc` and reStructuredText: the text is the file itself, with the headings, listings and tables that are
//! marked in it.

use lectern_domain::{Block, BlockKind, Extracted, TextSpan};

use super::read::title_line;

/// What a heading of reStructuredText is underlined with.
const UNDERLINES: &str = "=-`:.'\"~^_*+#";

/// Reads `AsciiDoc`.
pub(super) fn read(text: String) -> Extracted {
    let blocks = asciidoc_blocks(&text);
    finish(text, blocks, "text/asciidoc")
}

/// Reads reStructuredText.
pub(super) fn read_restructured(text: String) -> Extracted {
    let blocks = restructured_blocks(&text);
    finish(text, blocks, "text/x-rst")
}

/// The document, with its highest heading as the title where that comes first.
fn finish(text: String, blocks: Vec<Block>, media_type: &str) -> Extracted {
    let title = blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { level, title } => Some((*level, title.clone())),
        _ => None,
    });
    Extracted {
        title: title.filter(|(level, _)| *level == 1).map(|(_, title)| title),
        media_type: media_type.to_owned(),
        blocks,
        text,
        ..Extracted::default()
    }
}

/// Blocks in the making: lines are added to the open one until it ends.
struct Blocks<'a> {
    text: &'a str,
    done: Vec<Block>,
    open: Option<(BlockKind, TextSpan)>,
}

impl<'a> Blocks<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            done: Vec::new(),
            open: None,
        }
    }

    fn end(&mut self) {
        self.done.extend(self.open.take().map(|(kind, span)| Block {
            kind,
            span,
            page: None,
        }));
    }

    /// Adds a line to the open block, which becomes one of `kind` where none is open.
    fn add(&mut self, kind: BlockKind, line: TextSpan) {
        match &mut self.open {
            Some((_, span)) => span.end = line.end,
            None => self.open = Some((kind, line)),
        }
    }

    fn heading(&mut self, level: u8, words: &str, span: TextSpan) {
        self.end();
        if let Some(title) = title_line(words) {
            self.add(BlockKind::Heading { level, title }, span);
            self.end();
        }
    }

    /// The lines of the text with their places, without white space at the end.
    fn lines(&self) -> Vec<(&'a str, TextSpan)> {
        let mut at = 0;
        let mut lines = Vec::new();
        for line in self.text.split_inclusive('\n') {
            let words = line.trim_end();
            let span = TextSpan {
                start: at,
                end: at + words.len(),
            };
            lines.push((words, span));
            at += line.len();
        }
        lines
    }
}

fn asciidoc_blocks(text: &str) -> Vec<Block> {
    let mut blocks = Blocks::new(text);
    // The line that ends the listing or table that is open.
    let mut fence: Option<&str> = None;
    for (line, span) in blocks.lines() {
        if let Some(end) = fence {
            blocks.add(BlockKind::Code, span);
            if line == end {
                fence = None;
                blocks.end();
            }
            continue;
        }
        let level = line.bytes().take_while(|byte| *byte == b'=').count();
        if line.is_empty() {
            blocks.end();
        } else if (1..=6).contains(&level) && line[level..].starts_with(' ') {
            blocks.heading(u8::try_from(level).unwrap_or(6), &line[level..], span);
        } else if line == "|==="
            || line
                .strip_prefix(['-', '.', '=', '+', '/'])
                .is_some_and(|_| is_fence(line))
        {
            blocks.end();
            let kind = if line == "|===" {
                BlockKind::Table
            } else {
                BlockKind::Code
            };
            blocks.add(kind, span);
            fence = Some(line);
        } else {
            blocks.add(BlockKind::Paragraph, span);
        }
    }
    blocks.end();
    blocks.done
}

/// Whether a line is four or more of one character.
fn is_fence(line: &str) -> bool {
    let first = line.as_bytes()[0];
    line.len() >= 4 && line.bytes().all(|byte| byte == first)
}

fn restructured_blocks(text: &str) -> Vec<Block> {
    let mut blocks = Blocks::new(text);
    // Each kind of underline is a level, in the order in which they come.
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut in_listing = false;
    let lines = blocks.lines();
    let mut place = 0;
    while place < lines.len() {
        let (line, span) = lines[place];
        let next = lines.get(place + 1).copied();
        let after = lines.get(place + 2).copied();
        let is_indented = line.starts_with([' ', '\t']);
        if line.is_empty() {
            if !in_listing {
                blocks.end();
            }
        } else if let (Some(mark), Some((words, _)), Some((end, end_span))) = (underline(line), next, after)
            && underline(end) == Some(mark)
            && !words.is_empty()
        {
            let whole = TextSpan {
                start: span.start,
                end: end_span.end,
            };
            blocks.heading(level_of(&mut styles, (mark, true)), words, whole);
            in_listing = false;
            place += 2;
        } else if let Some((mark, end_span)) = next.and_then(|(end, at)| Some((underline(end)?, at)))
            && !is_indented
            && underline(line).is_none()
            && end_span.len() + 1 >= line.chars().count()
        {
            let whole = TextSpan {
                start: span.start,
                end: end_span.end,
            };
            blocks.heading(level_of(&mut styles, (mark, false)), line, whole);
            in_listing = false;
            place += 1;
        } else {
            if in_listing && !is_indented {
                in_listing = false;
                blocks.end();
            }
            let kind = if in_listing {
                BlockKind::Code
            } else {
                BlockKind::Paragraph
            };
            blocks.add(kind, span);
            if !in_listing && (line.ends_with("::") || line.starts_with(".. code")) {
                blocks.end();
                in_listing = true;
            }
        }
        place += 1;
    }
    blocks.end();
    blocks.done
}

/// The character that a line consists of, where it can underline a heading.
fn underline(line: &str) -> Option<char> {
    let first = line.chars().next()?;
    let is_line = line.len() >= 3 && line.chars().all(|character| character == first);
    (is_line && UNDERLINES.contains(first)).then_some(first)
}

fn level_of(styles: &mut Vec<(char, bool)>, style: (char, bool)) -> u8 {
    let place = styles
        .iter()
        .position(|other| *other == style)
        .unwrap_or_else(|| {
            styles.push(style);
            styles.len() - 1
        });
    u8::try_from(place + 1).unwrap_or(6).min(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(extracted: &Extracted) -> String {
        let pieces = extracted.blocks.iter().map(|block| {
            let kind = match &block.kind {
                BlockKind::Heading { level, title } => format!("h{level} {title:?}"),
                other => format!("{other:?}"),
            };
            format!("{kind} {:?}", block.span.of(&extracted.text).unwrap())
        });
        pieces.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn asciidoc_has_headings_listings_and_tables() {
        let text = "= Title\n\nWords\nof it.\n\n== Part\n----\ncode\n\nmore\n----\n\n|===\n|a |b\n\n|1 |2\n|===\nend\n";
        let extracted = read(text.to_owned());
        assert_eq!(extracted.title.as_deref(), Some("Title"));
        insta::assert_snapshot!(outline(&extracted), @r#"
        h1 "Title" "= Title"
        Paragraph "Words\nof it."
        h2 "Part" "== Part"
        Code "----\ncode\n\nmore\n----"
        Table "|===\n|a |b\n\n|1 |2\n|==="
        Paragraph "end"
        "#);
    }

    #[test]
    fn restructured_text_has_underlined_headings() {
        let text =
            "=====\nTitle\n=====\n\nPart\n----\nWords::\n\n    code\n\n    more\n\nEnd.\n\nNext\n----\n\nx\n";
        let extracted = read_restructured(text.to_owned());
        assert_eq!(extracted.title.as_deref(), Some("Title"));
        insta::assert_snapshot!(outline(&extracted), @r#"
        h1 "Title" "=====\nTitle\n====="
        h2 "Part" "Part\n----"
        Paragraph "Words::"
        Code "    code\n\n    more"
        Paragraph "End."
        h2 "Next" "Next\n----"
        Paragraph "x"
        "#);
    }
}
