//! What is read of each passage: its text, or its share of the larger piece around it.
//!
//! A source that is chunked hierarchically finds small pieces and hands their parent to the generator. Where
//! several pieces of one parent were found, each text would come several times; so the parent is divided
//! among them: a piece's share begins where it begins and ends where the next one does, and the first one's
//! share begins with the parent. A sentence is then cited by the piece that it stands in or follows.
//!
//! A piece that begins within a table is read below the table's header.

use std::borrow::Cow;

use lectern_domain::Passage;

/// What is read of each of `passages`, in their order.
pub fn texts_to_read(passages: &[Passage]) -> Vec<Cow<'_, str>> {
    passages
        .iter()
        .map(|passage| share_of_parent(passage, passages).map_or_else(|| passage.readable(), Cow::Borrowed))
        .collect()
}

/// The stretch of its parent that is read for `passage`; `None` where it has no parent that contains it.
fn share_of_parent<'a>(passage: &'a Passage, all: &[Passage]) -> Option<&'a str> {
    let parent = passage.parent.as_ref()?;
    if passage.span.start < parent.span.start || passage.span.end > parent.span.end {
        return None;
    }
    let starts = || {
        all.iter()
            .filter(|other| other.document == passage.document && other.version == passage.version)
            .filter(|other| other.parent.as_ref().map(|other| other.span) == Some(parent.span))
            .map(|other| other.span.start)
    };
    let is_first = starts().all(|start| start >= passage.span.start);
    let start = if is_first {
        parent.span.start
    } else {
        passage.span.start
    };
    let end = starts()
        .filter(|start| *start > passage.span.start)
        .min()
        .unwrap_or(parent.span.end);
    parent
        .text
        .get(start - parent.span.start..end.checked_sub(parent.span.start)?)
}

#[cfg(test)]
mod tests {
    use lectern_domain::{SpannedText, TextSpan};

    use super::*;
    use crate::answer::test_passage;

    const PARENT: &str = "One. Two. Three. Four.";

    fn child(of: &Passage, words: &str) -> Passage {
        let start = PARENT.find(words).unwrap();
        let span = TextSpan {
            start: 100 + start,
            end: 100 + start + words.len(),
        };
        Passage {
            span,
            text: words.to_owned(),
            parent: Some(SpannedText {
                span: TextSpan {
                    start: 100,
                    end: 100 + PARENT.len(),
                },
                text: PARENT.to_owned(),
            }),
            ..of.clone()
        }
    }

    #[test]
    fn a_parent_is_read_once_and_divided_among_its_pieces() {
        let document = test_passage("A", "");
        let alone = [child(&document, "Two.")];
        assert_eq!(texts_to_read(&alone), [PARENT]);

        let both = [
            child(&document, "Four."),
            test_passage("B", "Other."),
            child(&document, "Two."),
        ];
        assert_eq!(texts_to_read(&both), ["Four.", "Other.", "One. Two. Three. "]);
    }

    #[test]
    fn a_row_is_read_below_the_header_of_its_table() {
        let mut row = test_passage("Plans", "| large | 9 |");
        row.table_header = Some(SpannedText {
            span: TextSpan { start: 0, end: 16 },
            text: "| plan | price |".to_owned(),
        });
        assert_eq!(texts_to_read(&[row]), ["| plan | price |\n| large | 9 |"]);
    }

    #[test]
    fn a_parent_that_does_not_contain_the_piece_is_not_read() {
        let mut wrong = child(&test_passage("A", ""), "Two.");
        wrong.span = TextSpan { start: 0, end: 4 };
        assert_eq!(texts_to_read(&[wrong]), ["Two."]);
    }
}
