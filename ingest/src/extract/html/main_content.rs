//! What of a page's body is its main content, given the article that Readability finds.
//!
//! Between the first and the last piece of the article everything is kept. Before and after, menus are lists and lines
//! of few words; sentences, tables and listings are kept there too: for a knowledge base a lost paragraph is worse
//! than a menu too many.

use std::collections::HashSet;

use lectern_domain::{Block, BlockKind};

use crate::extract::markdown::outline;

/// A page with fewer letters than this is kept whole: its menus can't be large.
const SMALL_PAGE_LETTERS: usize = 2_000;

/// A line with fewer letters than this may belong to a menu.
const CONTENT_LETTERS: usize = 60;

/// A line with at least so many letters is known again in the article.
const KNOWN_LETTERS: usize = 20;

/// The main content of `body`; both are Markdown.
pub(super) fn of(body: String, article: &str) -> String {
    let in_article: HashSet<String> = lines(article)
        .filter(|line| line.len() >= KNOWN_LETTERS)
        .collect();
    if in_article.is_empty() || lines(&body).map(|line| line.len()).sum::<usize>() < SMALL_PAGE_LETTERS {
        return body;
    }
    let blocks = outline(&body).blocks;
    let text = |block: &Block| block.span.of(&body).unwrap_or_default();
    let is_of_article =
        |block: &Block| !is_heading(block) && lines(text(block)).any(|line| in_article.contains(&line));
    let first = blocks.iter().position(is_of_article);
    let last = blocks.iter().rposition(is_of_article);
    let (Some(first), Some(last)) = (first, last) else {
        return body;
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut next_is_kept = false;
    for (place, block) in blocks.iter().enumerate().rev() {
        let is_kept = (first..=last).contains(&place)
            || match &block.kind {
                // A heading goes with what stands under it; the highest one names the page.
                BlockKind::Heading { level, .. } => next_is_kept || *level == 1,
                BlockKind::Paragraph => is_prose(text(block)),
                BlockKind::Table | BlockKind::Code => true,
            };
        if is_kept {
            kept.push(text(block));
        }
        next_is_kept = is_kept;
    }
    kept.reverse();
    kept.join("\n\n")
}

fn is_heading(block: &Block) -> bool {
    matches!(block.kind, BlockKind::Heading { .. })
}

/// Whether a paragraph has a long line or ends as a sentence does.
fn is_prose(text: &str) -> bool {
    let is_long = lines(text).any(|line| line.len() >= CONTENT_LETTERS);
    let is_sentence = text.trim_end().ends_with(['.', '!', '?', '。', '؟']) && text.contains(' ');
    is_long || is_sentence
}

/// The letters of each line, in lower case and without anything between them. Lengths are about those in letters, and
/// exact for ASCII.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| {
        line.chars()
            .filter(|character| character.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_within_the_article_is_kept_and_menus_around_it_are_not() {
        let paragraph = |topic: &str| {
            format!("The {topic} is what this paragraph is about, and it goes on for long enough to be one. ")
                .repeat(12)
        };
        let body = format!(
            "- Home\n- About us\n\nJump to content\n\n# Page\n\n12 languages\n\n{}\n\n## Short\n\nYes.\n\n{}\n\n\
             ## Figures\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n{}\n\nImprint\n\n## Links\n\n- one\n",
            paragraph("duck"),
            paragraph("goose"),
            paragraph("swan"),
        );
        let article = format!("{}\n\n{}", paragraph("duck"), paragraph("goose"));
        let text = of(body, &article);
        for present in [
            "# Page",
            "## Short\n\nYes.",
            "goose",
            "## Figures\n\n| a | b |",
            "swan",
        ] {
            assert!(text.contains(present), "{present} is missing in {text}");
        }
        for absent in ["Home", "Jump", "languages", "Imprint", "Links", "one\n"] {
            assert!(!text.contains(absent), "{absent} is in {text}");
        }
    }
}
