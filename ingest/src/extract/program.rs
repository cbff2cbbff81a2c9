//! Programs: the text is the file itself, in blocks that end where a definition does.
//!
//! A definition begins at the left margin after a blank line, in nearly every language, and its comment stands with
//! it. Chunks are packed from whole blocks, so a function that fits a chunk isn't cut.

use lectern_domain::{Block, BlockKind, Extracted, TextSpan};

/// Reads a program.
pub(super) fn read(text: String, language: &str) -> Extracted {
    Extracted {
        media_type: format!("text/x-{language}"),
        blocks: definitions(&text),
        text,
        ..Extracted::default()
    }
}

/// The pieces between blank lines that are followed by a line at the left margin.
fn definitions(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<TextSpan> = None;
    let mut after_blank = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim_end();
        if words.is_empty() {
            after_blank = true;
        } else {
            let begins = after_blank && !line.starts_with([' ', '\t', '}', ')', ']']);
            if begins {
                blocks.extend(open.take().map(block));
            }
            let end = at + words.len();
            open.get_or_insert(TextSpan { start: at, end }).end = end;
            after_blank = false;
        }
        at += line.len();
    }
    blocks.extend(open.map(block));
    blocks
}

fn block(span: TextSpan) -> Block {
    Block {
        kind: BlockKind::Code,
        span,
        page: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_with_its_comment_is_a_block() {
        let source =
            "use a;\nuse b;\n\n/// Does it.\nfn one() {\n    x();\n\n    y();\n\n}\n\n\nfn two() {}\n";
        let extracted = read(source.to_owned(), "rust");
        let pieces: Vec<&str> = extracted
            .blocks
            .iter()
            .map(|block| block.span.of(source).unwrap())
            .collect();
        assert_eq!(
            pieces,
            [
                "use a;\nuse b;",
                "/// Does it.\nfn one() {\n    x();\n\n    y();\n\n}",
                "fn two() {}"
            ]
        );
        assert_eq!(
            (extracted.text.as_str(), extracted.media_type.as_str()),
            (source, "text/x-rust")
        );
    }
}
