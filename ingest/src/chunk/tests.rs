//! What holds for every document, tried with random ones.

use lectern_domain::ports::TokenCounter;
use lectern_domain::{Block, BlockKind, Extracted, TextSpan};
use proptest::prelude::*;

use super::{ChunkDraft, ChunkSettings, split, title_to_embed};
use crate::extract::read;

/// Counts as `WordPiece` does, roughly: one token for each four letters of a word, one for each other character.
struct Words;

impl TokenCounter for Words {
    fn count(&self, text: &str) -> usize {
        text.split(|character: char| !character.is_alphanumeric())
            .map(|word| word.chars().count().div_ceil(4))
            .sum::<usize>()
            + text
                .chars()
                .filter(|character| !character.is_alphanumeric() && !character.is_whitespace())
                .count()
    }
}

fn markdown(text: &str) -> Extracted {
    read("a.md", None, text.as_bytes()).unwrap()
}

fn texts<'a>(extracted: &'a Extracted, drafts: &[ChunkDraft]) -> Vec<&'a str> {
    drafts
        .iter()
        .map(|draft| draft.span.of(&extracted.text).unwrap())
        .collect()
}

fn chunked(text: &str, title: &str) -> Vec<(String, String)> {
    let extracted = markdown(text);
    let drafts = split(&extracted, title, &Words, ChunkSettings::default());
    let texts = texts(&extracted, &drafts);
    drafts
        .iter()
        .zip(texts)
        .map(|(draft, text)| (draft.heading_path.join(" > "), text.to_owned()))
        .collect()
}

fn check(extracted: &Extracted, title: &str, settings: ChunkSettings) {
    let drafts = split(extracted, title, &Words, settings);
    let mut read_to = 0;
    for draft in &drafts {
        assert!(
            draft.span.start >= read_to,
            "chunks overlap or are out of order at {:?}",
            draft.span
        );
        let text = draft.span.of(&extracted.text).expect("a span within the text");
        assert!(!text.trim().is_empty(), "a blank chunk");
        let title = title_to_embed(title, &Words, settings);
        let tokens = Words.count(&draft.text_to_embed(title, &extracted.text)) + settings.special_tokens;
        assert_eq!(tokens, draft.token_count as usize);
        assert!(
            tokens <= settings.max_tokens || text.chars().count() == 1,
            "{tokens} tokens in {text:?}"
        );
        read_to = draft.span.end;
    }
    let is_covered = |at: usize| {
        drafts
            .iter()
            .any(|draft| (draft.span.start..draft.span.end).contains(&at))
    };
    for block in &extracted.blocks {
        if matches!(block.kind, BlockKind::Heading { .. }) {
            continue;
        }
        for (at, character) in block.span.of(&extracted.text).unwrap().char_indices() {
            assert!(
                character.is_whitespace() || is_covered(block.span.start + at),
                "{character:?} at {} is in no chunk",
                block.span.start + at
            );
        }
    }
}

fn any_block() -> impl Strategy<Value = String> {
    let word = prop_oneof![8 => "[a-zäß]{1,9}", 1 => "[一-龥]{1,40}", 1 => "[a-z]{60,200}", 1 => Just("。".to_owned())];
    let line = prop::collection::vec(word, 1..25).prop_map(|words| words.join(" ") + ".");
    let lines = prop::collection::vec(line.clone(), 1..12).prop_map(|lines| lines.join("\n"));
    prop_oneof![
        2 => (1_usize..4, "[A-Z][a-z]{2,12}").prop_map(|(level, words)| format!("{} {words}", "#".repeat(level))),
        4 => lines.clone(),
        1 => lines.clone().prop_map(|lines| format!("```\n{lines}\n```")),
        1 => lines.prop_map(|lines| format!("- {}", lines.replace('\n', "\n- "))),
        1 => prop::collection::vec(line, 1..9).prop_map(|rows| {
            let rows: Vec<String> = rows.iter().map(|row| format!("| {row} | 1 |")).collect();
            format!("| a | b |\n|---|---|\n{}", rows.join("\n"))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn chunks_are_exact_ordered_complete_and_small_enough(
        blocks in prop::collection::vec(any_block(), 0..20),
        title in prop_oneof![8 => "[A-Za-z ]{0,40}", 1 => "[A-Za-z ]{200,2000}", 1 => "[一-龥!]{100,400}"],
        max_tokens in 48_usize..300,
    ) {
        let text = blocks.join("\n\n");
        if !text.trim().is_empty() {
            let settings = ChunkSettings { max_tokens, min_tokens: max_tokens / 4, ..ChunkSettings::default() };
            check(&markdown(&text), &title, settings);
            check(&read("a.txt", None, text.as_bytes()).unwrap(), &title, settings);
        }
    }
}

fn sentences(count: usize) -> String {
    (0..count)
        .map(|number| format!("Rule {number} says that leave is asked for in writing."))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_short_document_is_one_chunk() {
    let text =
        "# Leave\n\nAsk in writing.\n\n## Parents\n\nTwenty weeks.\n\n## Illness\n\nAs long as it takes.";
    let chunks = chunked(text, "Leave");
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].0, "Leave");
    assert!(
        chunks[0].1.starts_with("Ask")
            && chunks[0].1.contains("## Parents")
            && chunks[0].1.ends_with("takes.")
    );
}

#[test]
fn sections_keep_their_headings_and_small_ones_join_their_neighbours() {
    let long = sentences(14);
    let text = format!(
        "# Leave\n\n## Parents\n\n{long}\n\n## Illness\n\n{long}\n\n## Moving\n\nA day.\n\n## Voting\n\nAn hour."
    );
    let chunks = chunked(&text, "Handbook");
    let paths: Vec<&str> = chunks.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["Leave > Parents", "Leave"], "{chunks:#?}");
    assert!(chunks[1].1.starts_with("## Illness") && chunks[1].1.ends_with("An hour."));
}

#[test]
fn a_long_section_is_cut_at_sentences_into_even_pieces() {
    let chunks = chunked(&sentences(22), "Rules");
    assert_eq!(chunks.len(), 2);
    let lengths: Vec<usize> = chunks.iter().map(|(_, text)| text.len()).collect();
    assert!(lengths[0].abs_diff(lengths[1]) * 5 < lengths[0], "{lengths:?}");
    for (_, text) in &chunks {
        assert!(text.starts_with("Rule") && text.ends_with('.'), "{text}");
    }
}

#[test]
fn a_line_of_any_length_is_cut_at_sentences_where_it_has_them() {
    for (_, text) in chunked(&sentences(2_000), "Rules") {
        assert!(text.starts_with("Rule") && text.ends_with('.'), "{text}");
    }
    let nothing = " ".repeat(100_000);
    for text in [
        "龥".repeat(40_000),
        "word ".repeat(20_000),
        format!("one{nothing}two{nothing}three"),
    ] {
        check(
            &read("a.txt", None, text.as_bytes()).unwrap(),
            "",
            ChunkSettings::default(),
        );
    }
}

#[test]
fn hard_wrapped_text_is_cut_at_sentences_too() {
    let wrapped = sentences(40)
        .chars()
        .fold((String::new(), 0), |(mut text, column), character| {
            let wraps = character == ' ' && column > 60;
            text.push(if wraps { '\n' } else { character });
            (text, if wraps { 0 } else { column + 1 })
        });
    for (_, text) in chunked(&wrapped.0, "Rules") {
        assert!(text.starts_with("Rule") && text.ends_with('.'), "{text}");
    }
}

#[test]
fn a_table_that_fits_is_whole_and_a_larger_one_is_cut_at_rows() {
    let row = "| parental leave | twenty weeks | on request |\n";
    let table = format!("| what | how long | how |\n|---|---|---|\n{}", row.repeat(60));
    let chunks = chunked(&format!("{}\n\n{table}", sentences(12)), "Rules");
    for (_, text) in &chunks {
        assert!(text.ends_with('|') || text.ends_with('.'), "{text}");
        assert!(text.starts_with('|') || text.starts_with("Rule"), "{text}");
    }
}

#[test]
fn headings_alone_are_kept_where_there_is_nothing_else() {
    assert_eq!(chunked("# One\n\n## Two\n", "").len(), 1);
    let chunks = chunked("# One\n\n## Two\n\n## Three\n\nText.", "");
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0], ("One > Three".to_owned(), "Text.".to_owned()));
}

#[test]
fn a_title_longer_than_half_a_chunk_is_cut_after_a_word() {
    let settings = ChunkSettings::default();
    let usual = "Chapter seven: of leave, its length and its reasons";
    assert_eq!(title_to_embed(usual, &Words, settings), usual);
    let long = title_to_embed_of("word ".repeat(400));
    assert!(long.ends_with("word") && long.len() == 128 * 5 - 1, "{long}");
    assert_eq!(title_to_embed_of("龥".repeat(4_000)).chars().count(), 4 * 128);
    assert!(title_to_embed_of("!".repeat(1_000_000)).len() == 128);
    check(&markdown(&sentences(20)), &"word ".repeat(400), settings);
}

fn title_to_embed_of(title: String) -> String {
    title_to_embed(&title, &Words, ChunkSettings::default()).to_owned()
}

#[test]
fn blocks_that_make_no_sense_are_left_out() {
    let block = |start, end| Block {
        kind: BlockKind::Paragraph,
        span: TextSpan { start, end },
        page: None,
    };
    let extracted = Extracted {
        text: "Grüße an alle".to_owned(),
        blocks: vec![block(0, 3), block(0, 7), block(3, 7), block(8, 99)],
        ..Extracted::default()
    };
    let drafts = split(&extracted, "", &Words, ChunkSettings::default());
    assert_eq!(texts(&extracted, &drafts), ["Grüße"]);
}
