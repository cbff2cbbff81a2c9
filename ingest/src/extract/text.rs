//! Plain text: paragraphs between blank lines.

use lectern_domain::{Block, BlockKind, Extracted, TextSpan};

/// Reads plain text. The text is the file itself.
pub(super) fn read(text: String) -> Extracted {
    Extracted {
        media_type: "text/plain".to_owned(),
        blocks: paragraphs(&text, 0, None),
        text,
        ..Extracted::default()
    }
}

/// The paragraphs of a text that stands at `offset` in the document, on `page`.
pub(super) fn paragraphs(text: &str, offset: usize, page: Option<u32>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph: Option<TextSpan> = None;
    let mut at = offset;
    for line in text.split_inclusive('\n') {
        let words = line.trim_end();
        if words.is_empty() {
            blocks.extend(paragraph.take().map(|span| block(span, page)));
        } else {
            let end = at + words.len();
            paragraph.get_or_insert(TextSpan { start: at, end }).end = end;
        }
        at += line.len();
    }
    blocks.extend(paragraph.map(|span| block(span, page)));
    blocks
}

fn block(span: TextSpan, page: Option<u32>) -> Block {
    Block {
        kind: BlockKind::Paragraph,
        span,
        page,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_stand_between_blank_lines() {
        let extracted = read("  one\ntwo \r\n \t\r\n\nthree\n".to_owned());
        let texts: Vec<&str> = extracted
            .blocks
            .iter()
            .map(|block| block.span.of(&extracted.text).unwrap())
            .collect();
        assert_eq!(texts, ["  one\ntwo", "three"]);
    }
}
