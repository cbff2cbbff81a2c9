//! Chunks with what was typed as a phrase, whatever the language.

use super::*;

async fn found(
    written: &Written,
    typed: &str,
    goes_on: bool,
    scope: &ReadScope,
    limit: usize,
) -> BTreeSet<usize> {
    let found = written
        .index
        .with_phrase(written.base, typed, goes_on, scope, limit)
        .await
        .unwrap();
    let place = |chunk: &ChunkId| written.entries.iter().position(|entry| entry.chunk.id == *chunk);
    let places: BTreeSet<usize> = found.iter().filter_map(place).collect();
    assert_eq!(places.len(), found.len(), "each once, and all of them written");
    places
}

/// The texts, each in a document of its own, in these languages.
async fn texts(texts: &[(&str, &str)]) -> Written {
    written(|base| {
        let texts = texts.iter().enumerate();
        let entry = |(number, (language, text)): (usize, &(&str, &str))| {
            entry(
                base,
                (&number.to_string(), 0),
                ("", text),
                of_everyone(&format!(r#"{{"language":"{language}"}}"#)),
            )
        };
        texts.map(entry).collect()
    })
    .await
}

#[tokio::test]
async fn words_stand_one_after_the_other_and_the_last_may_go_on() {
    let written = texts(&[
        ("en", "The oil crisis of October."),
        ("en", "A crisis without oil, and oil without a crisis."),
        ("en", "Oil crises: an oil cruise."),
        ("de", "Eine Ölkrise, oil critics."),
        ("en", "Universities and their relations."),
    ])
    .await;
    let anybody = reader(&[]);
    for (typed, goes_on, expected) in [
        ("oil", true, &[0, 1, 2, 3][..]),
        ("oil", false, &[0, 1, 2, 3]),
        ("OIL cri", true, &[0, 2, 3]),
        ("oil cris", true, &[0, 2]),
        ("oil crisis o", true, &[0]),
        ("oil crisis", false, &[0]),
        ("oil cri", false, &[]),
        ("oil c", true, &[0, 2, 3]),
        ("crisis oil", true, &[]),
        ("ölkr", true, &[3]),
        ("universit", true, &[4]),
        ("their relatio", true, &[4]),
        ("nothing like it", true, &[]),
        ("?!", true, &[]),
    ] {
        let expected: BTreeSet<usize> = expected.iter().copied().collect();
        let found = found(&written, typed, goes_on, &anybody, 10).await;
        // One letter stands for any word.
        let is_right = match typed {
            "oil c" | "oil crisis o" => found.is_superset(&expected),
            _ => found == expected,
        };
        assert!(is_right, "{typed:?}: {found:?}");
    }
}

#[tokio::test]
async fn as_many_are_found_as_there_are_whichever_terms_they_have() {
    // The stem of what was typed is shorter than that, and other chunks have the shorter word.
    let population = |number: usize| match number % 3 {
        0 => ("en", "The population grew."),
        1 => ("en", "Popular populations."),
        _ => ("en", "The populace is popular."),
    };
    let all: Vec<(&str, &str)> = (0..90).map(population).collect();
    let written = texts(&all).await;
    for typed in ["population", "populatio", "popul", "the population"] {
        let some = found(&written, typed, true, &reader(&[]), 20).await;
        assert_eq!(some.len(), 20, "{typed}: {some:?}");
    }
}

#[tokio::test]
async fn a_heading_counts_and_japanese_is_cut_in_its_own_way() {
    let written = written(|base| {
        let entry = |name: &str, text: &str, language: &str| {
            let metadata = of_everyone(&format!(r#"{{"language":"{language}"}}"#));
            entry(base, (name, 0), ("", text), metadata)
        };
        let mut headed = entry("headed", "Nothing else.", "en");
        headed.chunk.heading_path = vec!["Oil".to_owned(), "The oil embargo".to_owned()];
        vec![
            headed,
            entry("tower", "東京タワーです。", "ja"),
            entry("capital", "京都の東です。", "ja"),
        ]
    })
    .await;
    let anybody = reader(&[]);
    assert_eq!(
        found(&written, "oil emb", true, &anybody, 10).await,
        BTreeSet::from([0])
    );
    assert_eq!(
        found(&written, "oil the", true, &anybody, 10).await,
        BTreeSet::new(),
        "two headings"
    );
    assert_eq!(
        found(&written, "東京タ", true, &anybody, 10).await,
        BTreeSet::from([1])
    );
    assert_eq!(
        found(&written, "京都", true, &anybody, 10).await,
        BTreeSet::from([2])
    );
}

#[tokio::test]
async fn only_readable_chunks_count_up_to_the_limit() {
    let written = written(|base| {
        let acl = |number: usize| match number % 3 {
            0 => Acl::everyone(),
            1 => Acl::nobody(),
            _ => Acl::allowing([Principal::User("ada".into())]),
        };
        let entry = |number: usize| {
            let metadata = DocumentMetadata::readable_by(acl(number));
            entry(
                base,
                (&number.to_string(), 0),
                ("", &format!("oil cr{number}")),
                metadata,
            )
        };
        (0..300).map(entry).collect()
    })
    .await;
    for typed in ["oil", "oil cr"] {
        for (scope, readable) in [(reader(&[]), 100), (reader(&["ada"]), 200)] {
            let all = found(&written, typed, true, &scope, 1_000).await;
            assert_eq!(all.len(), readable, "{typed}");
            let may_read = |place: &usize| scope.may_read(&written.entries[*place].metadata.acl);
            assert!(all.iter().all(may_read), "{typed}");
            let some = found(&written, typed, true, &scope, 10).await;
            assert_eq!(some.len(), 10, "{typed}");
            assert!(
                some.is_subset(&all) && some.last() > Some(&200),
                "from all over: {some:?}"
            );
        }
    }
}
