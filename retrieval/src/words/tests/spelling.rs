//! Titles and corrections: what is found, and that nothing unreadable shows.

use super::corpus::random;
use super::*;
use crate::conformance::Dice;

fn titled(base: KnowledgeBaseId) -> Vec<IndexEntry> {
    let of_ada = DocumentMetadata::readable_by(Acl::allowing([Principal::User("ada".into())]));
    let everyone = || of_everyone("{}");
    vec![
        entry(
            base,
            ("1", 0),
            ("Annual report 2024", "Revenue of the quarries."),
            everyone(),
        ),
        entry(
            base,
            ("1", 1),
            ("Annual report 2024", "The second part."),
            everyone(),
        ),
        entry(
            base,
            ("2", 0),
            ("Annual leave", "Receiving paid holidays; a maintenance window."),
            everyone(),
        ),
        entry(
            base,
            ("3", 0),
            ("The annual Übersicht", "Maintenance is announced."),
            everyone(),
        ),
        entry(
            base,
            ("4", 0),
            ("Annual layoffs (secret)", "Kryptonite purchases."),
            of_ada,
        ),
        entry(
            base,
            ("5", 0),
            ("Leave of absence", "Die Straßen sind gesperrt."),
            of_everyone(r#"{"language":"de"}"#),
        ),
    ]
}

#[tokio::test]
async fn titles_begin_like_what_was_typed() {
    let written = written(titled).await;
    for (typed, expected) in [
        (
            "ann",
            &["Annual leave", "Annual report 2024", "The annual Übersicht"][..],
        ),
        ("ANNUAL R", &["Annual report 2024"]),
        ("annual l", &["Annual leave"]),
        ("leave", &["Leave of absence", "Annual leave"]),
        ("uber", &["The annual Übersicht"]),
        ("report ann", &["Annual report 2024"]),
        ("secret", &[]),
        ("absence leave", &["Leave of absence"]),
        ("2024", &["Annual report 2024"]),
        ("", &[]),
        ("?", &[]),
    ] {
        let found = written
            .index
            .titles(written.base, typed, &reader(&[]), 10)
            .await
            .unwrap();
        let titles: Vec<&str> = found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(titles, expected, "{typed}");
    }
    let of_ada = written
        .index
        .titles(written.base, "annual la", &reader(&["ada"]), 10)
        .await
        .unwrap();
    assert_eq!(of_ada[0].title, "Annual layoffs (secret)");
    assert_eq!(of_ada[0].chunk, written.entries[4].chunk.id);
    let few = written
        .index
        .titles(written.base, "ann", &reader(&[]), 2)
        .await
        .unwrap();
    assert_eq!(few.len(), 2);
}

#[tokio::test]
async fn titles_are_those_of_a_plain_search() {
    for seed in 10..13 {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let written = written(|base| random(base, &mut dice)).await;
        for typed in ["a", "an", "anchor", "anchor b", "garnet harbor f", "x"] {
            for names in [&[][..], &["ada"]] {
                let scope = reader(names);
                let words: Vec<&str> = typed.split(' ').collect();
                let (last, whole) = words.split_last().unwrap();
                let fits = |title: &str| {
                    let words: Vec<&str> = title.split(' ').collect();
                    title.starts_with(typed)
                        || (whole.iter().all(|word| words.contains(word))
                            && words.iter().any(|word| word.starts_with(last)))
                };
                let readable = written.entries.iter().filter(|entry| {
                    entry.chunk.ordinal == 0
                        && scope.may_read(&entry.metadata.acl)
                        && fits(&entry.chunk.title)
                });
                let expected: BTreeSet<String> = readable.map(|entry| entry.chunk.title.clone()).collect();
                let found = written
                    .index
                    .titles(written.base, typed, &scope, 1_000)
                    .await
                    .unwrap();
                let titles: BTreeSet<String> = found.iter().map(|found| found.title.clone()).collect();
                assert_eq!(titles, expected, "{typed}");
                assert_eq!(found.len(), expected.len(), "each once");
                let begins: Vec<bool> = found.iter().map(|found| found.title.starts_with(typed)).collect();
                assert!(
                    begins.is_sorted_by(|one, next| one >= next),
                    "what begins so comes first"
                );
            }
        }
    }
}

async fn corrected(written: &Written, text: &str, names: &[&str]) -> Vec<(String, String)> {
    let corrections = written
        .index
        .corrections(written.base, text, &reader(names))
        .await
        .unwrap();
    let each = corrections.into_iter().map(|correction| {
        assert_eq!(
            text.get(correction.start..correction.end),
            Some(correction.word.as_str())
        );
        (correction.word, correction.corrected)
    });
    each.collect()
}

#[tokio::test]
async fn words_that_nobody_wrote_are_corrected() {
    let written = written(titled).await;
    for (text, expected) in [
        (
            "Maintainance of the anual reprot",
            &[
                ("Maintainance", "maintenance"),
                ("anual", "annual"),
                ("reprot", "report"),
            ][..],
        ),
        ("recieving", &[("recieving", "receiving")]),
        ("annual leave 2024", &[]),
        ("zzyzx qqqq", &[]),
        ("strasen", &[("strasen", "straßen")]),
        ("人工智能 ab1cd", &[]),
    ] {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(word, corrected)| ((*word).to_owned(), (*corrected).to_owned()))
            .collect();
        assert_eq!(corrected(&written, text, &[]).await, expected, "{text}");
    }
}

#[tokio::test]
async fn no_correction_tells_of_what_may_not_be_read() {
    let written = written(titled).await;
    assert_eq!(corrected(&written, "kryptonit", &[]).await, []);
    assert_eq!(
        corrected(&written, "kriptonite", &["ada"]).await,
        [("kriptonite".to_owned(), "kryptonite".to_owned())]
    );
    // Known to the index, and not to this reader: it is corrected like a word that isn't there at all.
    let known_to_ada = written_with_secret("harbour").await;
    assert_eq!(
        corrected(&known_to_ada, "harbour", &[]).await,
        [("harbour".to_owned(), "harbor".to_owned())]
    );
    assert_eq!(corrected(&known_to_ada, "harbour", &["ada"]).await, []);
}

async fn written_with_secret(word: &str) -> Written {
    let word = word.to_owned();
    written(move |base| {
        let of_ada = DocumentMetadata::readable_by(Acl::allowing([Principal::User("ada".into())]));
        vec![
            entry(base, ("1", 0), ("A", &word), of_ada),
            entry(base, ("2", 0), ("B", "The harbor."), of_everyone("{}")),
        ]
    })
    .await
}

#[tokio::test]
async fn a_search_that_tolerates_typos_finds_what_was_meant() {
    let written = written(titled).await;
    let mut query = WordQuery::plain("maintainance");
    assert!(written.found(&query, None, &reader(&[])).await.is_empty());
    query.tolerates_typos = true;
    assert_eq!(written.found(&query, None, &reader(&[])).await.len(), 2);
    let mut secret = WordQuery::plain("kriptonite");
    secret.tolerates_typos = true;
    assert!(written.found(&secret, None, &reader(&[])).await.is_empty());
    assert_eq!(written.found(&secret, None, &reader(&["ada"])).await.len(), 1);
}
