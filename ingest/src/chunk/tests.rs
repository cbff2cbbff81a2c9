//! What holds for every document, tried with random ones.

use lectern_domain::ports::TokenCounter;
use lectern_domain::{Block, BlockKind, Extracted, TextSpan};
use proptest::prelude::*;

use super::{ChunkDraft, ChunkSettings, Chunking, sentences_to_compare, split, title_to_embed};
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
    let drafts = split(
        &extracted,
        title,
        &Words,
        ChunkSettings::default(),
        Chunking::default(),
        &[],
    );
    let texts = texts(&extracted, &drafts);
    drafts
        .iter()
        .zip(texts)
        .map(|(draft, text)| (draft.heading_path.join(" > "), text.to_owned()))
        .collect()
}

fn check(extracted: &Extracted, title: &str, settings: ChunkSettings) {
    check_with(extracted, title, settings, Chunking::default());
}

/// What holds for every strategy. The sentences of the semantic one differ more and less in turns.
fn check_with(extracted: &Extracted, title: &str, settings: ChunkSettings, chunking: Chunking) {
    let sentences = sentences_to_compare(extracted, title, &Words, settings, chunking);
    let differences: Vec<f32> = (1..sentences.len())
        .map(|border| (border * 7 % 11) as f32 / 11.0)
        .collect();
    let drafts = split(extracted, title, &Words, settings, chunking, &differences);
    let title = title_to_embed(title, &Words, settings);
    let may_overlap = matches!(chunking, Chunking::Fixed { .. });
    let mut last = TextSpan { start: 0, end: 0 };
    for draft in &drafts {
        let text = draft.span.of(&extracted.text).expect("a span within the text");
        assert!(!text.trim().is_empty(), "a blank chunk");
        assert!(
            draft.span.start >= last.end
                || may_overlap && draft.span.start > last.start && draft.span.end > last.end,
            "chunks overlap or are out of order: {last:?}, {:?}",
            draft.span
        );
        last = draft.span;
        check_size(draft, title, &extracted.text, settings, chunking);
        check_context(draft, &extracted.text, chunking);
    }
    check_complete(extracted, &drafts);
}

fn check_size(draft: &ChunkDraft, title: &str, text: &str, settings: ChunkSettings, chunking: Chunking) {
    let tokens = Words.count(&draft.text_to_embed(title, text)) + settings.special_tokens;
    if matches!(chunking, Chunking::None {}) {
        assert!(draft.token_count as usize <= tokens);
        return;
    }
    assert_eq!(tokens, draft.token_count as usize);
    let own = draft.span.of(text).unwrap();
    assert!(
        tokens <= settings.max_tokens || own.chars().count() == 1,
        "{tokens} tokens in {own:?} with {chunking:?}"
    );
    // Under a short title the strategy's own size holds, not only the embedder's.
    let asked = match chunking {
        Chunking::Structural { max_tokens } => max_tokens.unwrap_or(u32::MAX),
        Chunking::Fixed { max_tokens, .. } | Chunking::Semantic { max_tokens, .. } => max_tokens,
        Chunking::Hierarchical { child_tokens, .. } => child_tokens,
        Chunking::None {} => u32::MAX,
    };
    if Words.count(title) <= asked as usize / 2 {
        assert!(
            draft.token_count <= asked || own.chars().count() == 1,
            "{tokens} of {asked} in {own:?}"
        );
    }
}

/// Parents contain their children and are no larger than asked; a header is the beginning of a table above.
fn check_context(draft: &ChunkDraft, text: &str, chunking: Chunking) {
    if let Some(header) = draft.table_header {
        assert!(
            header.end <= draft.span.start,
            "a header that isn't above its chunk"
        );
        assert!(header.of(text).unwrap().starts_with('|'));
    }
    let Chunking::Hierarchical { parent_tokens, .. } = chunking else {
        assert_eq!(draft.parent, None);
        return;
    };
    let parent = draft.parent.expect("a parent");
    assert!(parent.start <= draft.span.start && draft.span.end <= parent.end);
    let tokens = Words.count(parent.of(text).unwrap());
    assert!(
        tokens <= parent_tokens as usize || parent == draft.span,
        "a parent of {tokens} tokens"
    );
}

fn check_complete(extracted: &Extracted, drafts: &[ChunkDraft]) {
    let mut covered = vec![false; extracted.text.len()];
    for draft in drafts {
        covered[draft.span.start..draft.span.end].fill(true);
    }
    for block in &extracted.blocks {
        if matches!(block.kind, BlockKind::Heading { .. }) {
            continue;
        }
        for (at, character) in block.span.of(&extracted.text).unwrap().char_indices() {
            assert!(
                character.is_whitespace() || covered[block.span.start + at],
                "{character:?} at {} is in no chunk",
                block.span.start + at
            );
        }
    }
}

fn any_chunking() -> impl Strategy<Value = Chunking> {
    let size = 32_u32..200;
    prop_oneof![
        size.clone().prop_map(|tokens| Chunking::Structural {
            max_tokens: Some(tokens)
        }),
        (size.clone(), 0_u32..=50).prop_map(|(max_tokens, percent)| Chunking::Fixed {
            max_tokens,
            overlap_tokens: max_tokens * percent / 100,
        }),
        (size.clone(), 1_u32..6).prop_map(|(child_tokens, times)| Chunking::Hierarchical {
            child_tokens,
            parent_tokens: child_tokens * times,
        }),
        (size, 50_u8..=99).prop_map(|(max_tokens, percentile)| Chunking::Semantic {
            max_tokens,
            percentile
        }),
        Just(Chunking::None {}),
    ]
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
        // With a prefix, an embedder adds more than its special ones.
        special_tokens in 2_usize..8,
        other in any_chunking(),
    ) {
        let text = blocks.join("\n\n");
        if !text.trim().is_empty() {
            let settings = ChunkSettings { max_tokens, min_tokens: max_tokens / 4, special_tokens };
            for chunking in [Chunking::default(), other] {
                check_with(&markdown(&text), &title, settings, chunking);
                check_with(&read("a.txt", None, text.as_bytes()).unwrap(), &title, settings, chunking);
            }
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
fn a_table_that_fits_is_whole_and_a_larger_one_is_cut_at_rows_with_its_header() {
    let row = "| parental leave | twenty weeks | on request |\n";
    let header = "| what | how long | how |";
    let table = format!("{header}\n|---|---|---|\n{}", row.repeat(60));
    let extracted = markdown(&format!("{}\n\n{table}\n\nAfter it.", sentences(12)));
    let drafts = drafts(&extracted, Chunking::default());
    assert!(drafts.len() > 3);
    for (draft, text) in drafts.iter().zip(texts(&extracted, &drafts)) {
        assert!(text.ends_with('|') || text.ends_with('.'), "{text}");
        assert!(text.starts_with('|') || text.starts_with("Rule"), "{text}");
        let continues = text.starts_with("| parental");
        let named = draft
            .table_header
            .map(|header| header.of(&extracted.text).unwrap());
        assert_eq!(named, continues.then_some(header), "{text}");
        assert_eq!(
            draft.text_to_embed("Rules", &extracted.text).contains(header),
            text.contains('|')
        );
    }
}

#[test]
fn a_header_that_would_fill_a_chunk_is_not_repeated() {
    let header = format!("| {} |", "a very long name of a column ".repeat(20));
    let table = format!("{header}\n|---|\n{}", "| a value of it |\n".repeat(200));
    let extracted = markdown(&table);
    let drafts = drafts(&extracted, Chunking::default());
    assert!(drafts.len() > 3 && drafts.iter().all(|draft| draft.table_header.is_none()));
}

#[test]
fn neighbours_of_one_size_share_whole_sentences() {
    let extracted = markdown(&sentences(60));
    let chunking = Chunking::Fixed {
        max_tokens: 100,
        overlap_tokens: 40,
    };
    let drafts = drafts(&extracted, chunking);
    assert!(drafts.len() > 8, "{}", drafts.len());
    for pair in drafts.windows(2) {
        let shared = TextSpan {
            start: pair[1].span.start,
            end: pair[0].span.end,
        };
        let shared = shared.of(&extracted.text).unwrap();
        assert!(shared.starts_with("Rule") && shared.ends_with('.'), "{shared}");
        assert!(Words.count(shared) <= 40 && Words.count(shared) > 20, "{shared}");
    }
}

#[test]
fn neighbours_share_words_where_no_sentence_is_short_enough() {
    let extracted = markdown(&sentences(30).replace('.', ","));
    let chunking = Chunking::Fixed {
        max_tokens: 100,
        overlap_tokens: 6,
    };
    let drafts = drafts(&extracted, chunking);
    for pair in drafts.windows(2) {
        assert!(pair[1].span.start < pair[0].span.end, "nothing is shared");
        let (before, after) = extracted.text.split_at(pair[1].span.start);
        let is_within = before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric);
        assert!(!is_within, "cut within a word: {:?}", &after[..20]);
    }
}

#[test]
fn small_sections_have_a_parent_together_and_a_long_one_has_parents_of_even_size() {
    let short = |name: &str| format!("## {name}\n\n{}\n\n", sentences(4));
    let text = format!(
        "# Leave\n\n{}{}## Rules\n\n{}",
        short("Parents"),
        short("Illness"),
        sentences(60)
    );
    let extracted = markdown(&text);
    let chunking = Chunking::Hierarchical {
        child_tokens: 64,
        parent_tokens: 300,
    };
    let drafts = drafts(&extracted, chunking);
    let mut parents: Vec<TextSpan> = drafts.iter().filter_map(|draft| draft.parent).collect();
    parents.dedup();
    let tokens: Vec<usize> = parents
        .iter()
        .map(|parent| Words.count(parent.of(&extracted.text).unwrap()))
        .collect();
    assert!(
        parents.windows(2).all(|pair| pair[0].end <= pair[1].start),
        "{parents:?}"
    );
    assert_eq!(tokens.len(), 4, "{tokens:?}");
    assert!(
        tokens[1..].iter().all(|size| size.abs_diff(tokens[1]) < 64),
        "{tokens:?}"
    );
    assert!(drafts.len() > 2 * parents.len());
}

#[test]
fn a_text_is_cut_where_its_meaning_changes() {
    let extracted = markdown(&sentences(20));
    let settings = ChunkSettings::default();
    let chunking = Chunking::Semantic {
        max_tokens: 256,
        percentile: 90,
    };
    let compared = sentences_to_compare(&extracted, "", &Words, settings, chunking);
    assert_eq!(compared.len(), 20);
    let mut differences = vec![0.1; 19];
    differences[12] = 0.9;
    let drafts = split(&extracted, "", &Words, settings, chunking, &differences);
    assert_eq!(drafts.len(), 2);
    assert!(texts(&extracted, &drafts)[1].starts_with("Rule 13"));
}

#[test]
fn a_document_that_is_one_chunk_stays_one() {
    let extracted = markdown(&format!("# Rules\n\n{}", sentences(400)));
    let drafts = drafts(&extracted, Chunking::None {});
    assert_eq!(drafts.len(), 1);
    assert_eq!(texts(&extracted, &drafts)[0], extracted.text.trim());
    assert_eq!(drafts[0].token_count, 256);
    assert!(
        super::split(
            &Extracted::default(),
            "",
            &Words,
            ChunkSettings::default(),
            Chunking::None {},
            &[]
        )
        .is_empty()
    );
}

fn drafts(extracted: &Extracted, chunking: Chunking) -> Vec<ChunkDraft> {
    split(
        extracted,
        "Rules",
        &Words,
        ChunkSettings::default(),
        chunking,
        &[],
    )
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
    let drafts = split(
        &extracted,
        "",
        &Words,
        ChunkSettings::default(),
        Chunking::default(),
        &[],
    );
    assert_eq!(texts(&extracted, &drafts), ["Grüße"]);
}
