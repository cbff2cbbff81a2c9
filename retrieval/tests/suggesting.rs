//! What is suggested while somebody types, over the real index of words.
//!
//! `squad` measures rather than proves, and needs data from outside:
//! `LECTERN_TEST_DATA=... cargo test --release -p lectern-retrieval --test suggesting -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Instant;

use lectern_domain::{Acl, Attributes, DocumentId, Principal, ReadScope};
use lectern_retrieval::{Suggestion, SuggestionKind};

use support::{Filled, Text, anybody, filled, shared_data};

fn text(key: &str, title: &str, text: &str) -> Text {
    Text {
        key: key.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
        acl: Acl::everyone(),
        attributes: Attributes::new(),
    }
}

fn chefs() -> Acl {
    Acl::allowing([Principal::Group("chefs".into())])
}

#[expect(clippy::disallowed_methods, reason = "a test asks as several readers")]
fn chef() -> ReadScope {
    ReadScope::granted_by_authentication([Principal::Group("chefs".into())])
}

async fn suggest(filled: &Filled, scope: &ReadScope, typed: &str) -> Vec<Suggestion> {
    let suggested = filled
        .searcher
        .suggest(scope, filled.base, typed, Vec::new(), 20)
        .await;
    suggested.unwrap_or_else(|error| panic!("{typed:?}: {error}"))
}

/// The phrases that are suggested to anybody.
async fn phrases(filled: &Filled, typed: &str) -> Vec<String> {
    let suggested = suggest(filled, &anybody(), typed).await.into_iter();
    let phrases = suggested.filter(|suggestion| suggestion.kind == SuggestionKind::Phrase);
    phrases.map(|suggestion| suggestion.text).collect()
}

/// A kitchen's handbook, with an odd chunk in another language.
fn handbook() -> Vec<Text> {
    vec![
        text(
            "a",
            "Annual leave",
            "Annual leave request: the annual leave of cooks is long. The café au lait is hot.",
        ),
        text(
            "b",
            "Requests",
            "Send your annual leave request on paper, and the annual leave form.",
        ),
        text(
            "c",
            "Coffee",
            "A Café au Lait costs two euros at the university library.",
        ),
        text(
            "d",
            "Reading",
            "University libraries open at nine, the University Library at ten.",
        ),
        text("e", "東京", "東京タワーです。"),
        text("f", "旅行", "東京タワーへ行きます。"),
    ]
}

#[tokio::test]
async fn phrases_of_texts_stand_beside_titles() {
    let filled = filled(&handbook()).await;
    let suggested = suggest(&filled, &anybody(), "annual le").await;
    let shown: Vec<(SuggestionKind, &str)> = suggested
        .iter()
        .map(|suggestion| (suggestion.kind, suggestion.text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (SuggestionKind::Title, "Annual leave"),
            (SuggestionKind::Phrase, "annual leave request"),
        ],
        "the title isn't a phrase once more"
    );
    let marked: Vec<&str> = suggested[1]
        .highlights
        .iter()
        .filter_map(|span| span.of(&suggested[1].text))
        .collect();
    assert_eq!(marked, ["annual", "le"]);
    assert_eq!(phrases(&filled, "an").await, [""; 0], "too short");
    assert_eq!(phrases(&filled, "annual leave ").await, ["annual leave request"]);
    assert_eq!(
        phrases(&filled, "leave of co").await,
        ["leave of cooks"],
        "one passage, where no other has any"
    );
}

#[tokio::test]
async fn case_accents_and_endings_make_no_difference() {
    let filled = filled(&handbook()).await;
    for typed in ["cafe", "CAFÉ A", "Café au", "café au l"] {
        let phrases = phrases(&filled, typed).await;
        assert_eq!(phrases, ["café au lait"], "{typed}");
    }
    // The index has one stem for all of it, which is shorter than what was typed.
    for typed in [
        "uni",
        "univ",
        "universi",
        "universit",
        "university",
        "university lib",
    ] {
        let phrases = phrases(&filled, typed).await;
        assert_eq!(phrases, ["university library"], "{typed}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_never_suggested_and_changes_nothing() {
    let secret = |number: usize, words: &str| Text {
        acl: chefs(),
        ..text(&format!("secret-{number}"), "Secret", words)
    };
    // More than are looked at, with words that stand before all others, and long ones that begin like them.
    let mut all: Vec<Text> = (0..120)
        .map(|number| {
            secret(
                number,
                &format!("Annual leave is secretly doubled. Annual leaaa{number} plan. Cafe aaa noir. Universal aaa{number}."),
            )
        })
        .collect();
    all.extend(handbook());
    all.extend((120..200).map(|number| {
        secret(
            number,
            "Annual leave request: annual leave is secretly doubled. Café au rhum.",
        )
    }));
    let (with_secrets, without) = (filled(&all).await, filled(&handbook()).await);
    for typed in [
        "annual",
        "annual le",
        "annual leave",
        "annual leave ",
        "annual leave i",
        "leave",
        "leave is",
        "leave is sec",
        "secret",
        "caf",
        "cafe a",
        "cafe au ",
        "uni",
        "univers",
        "university ",
        "aaa",
        "a a",
        "東京タ",
    ] {
        let given = suggest(&with_secrets, &anybody(), typed).await;
        assert_eq!(given, suggest(&without, &anybody(), typed).await, "{typed}");
        assert!(
            given.iter().all(|given| !given.text.contains("secret")),
            "{typed}"
        );
    }
    let of_chef = suggest(&with_secrets, &chef(), "annual leave i").await;
    assert!(
        of_chef
            .iter()
            .any(|given| given.text == "Annual leave is secretly doubled"),
        "{of_chef:?}"
    );
}

#[tokio::test]
async fn the_ledger_has_the_last_word() {
    let filled = filled(&handbook()).await;
    let document = |key: &str| -> DocumentId {
        let (document, _) = filled.keys.iter().find(|(_, known)| *known == key).unwrap();
        *document
    };
    assert_eq!(phrases(&filled, "leave of co").await, ["leave of cooks"]);
    assert_eq!(phrases(&filled, "annual leave r").await, ["annual leave request"]);
    // The index knows nothing of it yet: one was taken away, one may be read by others alone.
    filled
        .ledger
        .change(document("a"), |chunk| chunk.is_current = false);
    assert_eq!(phrases(&filled, "leave of co").await, [""; 0]);
    assert_eq!(phrases(&filled, "annual leave r").await, ["annual leave request"]);
    filled
        .ledger
        .change(document("b"), |chunk| chunk.metadata.acl = chefs());
    assert_eq!(suggest(&filled, &anybody(), "annual leave r").await, []);
    assert_eq!(suggest(&filled, &chef(), "annual leave r").await.len(), 1);
}

#[tokio::test]
async fn a_phrase_goes_with_its_documents() {
    let filled = filled(&handbook()).await;
    let mut chunks = filled.parts.words.chunks(filled.base).await.unwrap();
    chunks.retain(|indexed| filled.ledger.text_of(indexed.chunk).contains("University"));
    let ids: Vec<_> = chunks.iter().map(|indexed| indexed.chunk).collect();
    let shown = phrases(&filled, "university libraries").await;
    assert_eq!(shown, ["University libraries open"]);
    filled.parts.words.delete(filled.base, &ids).await.unwrap();
    filled.parts.words.commit(filled.base).await.unwrap();
    assert_eq!(phrases(&filled, "university libraries").await, [""; 0]);
}

#[tokio::test]
async fn what_was_asked_before_comes_first_even_before_anything_is_typed() {
    let filled = filled(&handbook()).await;
    let asked = ["annual leave request", "annual budget"]
        .map(str::to_owned)
        .to_vec();
    for (typed, expected) in [
        ("", vec!["annual leave request", "annual budget"]),
        (
            "annual",
            vec!["annual leave request", "annual budget", "Annual leave"],
        ),
    ] {
        let scope = anybody();
        let suggested = filled
            .searcher
            .suggest(&scope, filled.base, typed, asked.clone(), 20);
        let suggested = suggested.await.unwrap();
        let texts: Vec<&str> = suggested.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, expected, "{typed:?}");
        assert_eq!(suggested[0].kind, SuggestionKind::Query);
    }
}

#[tokio::test]
async fn whatever_is_typed_gets_an_answer() {
    let filled = filled(&handbook()).await;
    let long = [
        "annual leave ".repeat(800),
        "x".repeat(10_000),
        "東".repeat(10_000),
        "\u{301}".repeat(1_000),
    ];
    for typed in long.iter().map(String::as_str).chain([
        "",
        " ",
        "\"",
        "\"annual leave",
        "\"annual leave\"",
        "+annual -leave",
        "title:annual",
        "annual:",
        "annual*",
        "annual~2",
        "(annual",
        "[a TO b]",
        "\\",
        "\0\u{1f}",
        "en\u{1f}annual",
        "東京タ",
        "東",
        "ー",
        "ไทย",
        "🙂 annual",
        "annual\nleave",
        "ANNUAL\u{a0}LEAVE",
        "e\u{301}te",
    ]) {
        suggest(&filled, &anybody(), typed).await;
    }
    assert_eq!(phrases(&filled, "\"annual leave").await, ["annual leave request"]);
    assert_eq!(phrases(&filled, "東京タ").await, ["東京タワー"]);
}

/// Words of a piece.
const PIECE_WORDS: usize = 150;
/// What is typed, letter by letter.
const TYPED: [&str; 12] = [
    "united states go",
    "oil cris",
    "world war ii",
    "the president of",
    "university of cal",
    "international relatio",
    "population den",
    "climate cha",
    "music vid",
    "supreme court o",
    "roman cath",
    "nineteenth cen",
];

#[tokio::test]
#[ignore = "measures suggestions; needs data from outside"]
async fn squad() {
    let Some(folder) = shared_data("squad") else {
        return;
    };
    let articles: usize = std::env::var("ARTICLES").map_or(100, |number| number.parse().unwrap());
    let files = std::fs::read_dir(folder.join("articles")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut texts = Vec::new();
    for file in files.iter().take(articles) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let pieces = words.chunks(PIECE_WORDS).map(|piece| piece.join(" "));
            texts.extend(pieces.map(|piece| text(&name, &name.replace('_', " "), &piece)));
        }
    }
    println!("{} chunks", texts.len());
    let filled = filled(&texts).await;
    let (scope, mut times) = (anybody(), Vec::new());
    for typed in TYPED {
        let ends = typed
            .char_indices()
            .map(|(at, _)| at)
            .skip(2)
            .chain([typed.len()]);
        for typed in ends.filter_map(|end| typed.get(..end)) {
            suggest(&filled, &anybody(), typed).await;
            let started = Instant::now();
            let suggested = filled.searcher.suggest(&scope, filled.base, typed, Vec::new(), 8);
            let suggested = suggested.await.unwrap();
            times.push((started.elapsed().as_secs_f64() * 1_000.0, typed));
            let shown = suggested.iter().map(|one| match one.kind {
                SuggestionKind::Phrase => one.text.clone(),
                _ => format!("[{}]", one.text),
            });
            println!("{typed:?}: {}", shown.collect::<Vec<_>>().join(" | "));
        }
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{} typed, p50 {:?} p95 {:?} most {:?}",
        times.len(),
        at(0.5),
        at(0.95),
        at(1.0)
    );
}
