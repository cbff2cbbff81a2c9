//! Clauses: the index finds exactly the chunks that pass what is demanded, and the check of one chunk agrees.

use lectern_domain::{Occurrence, WordClause, WordField};

use super::corpus::{WORDS, random, words};
use super::*;
use crate::conformance::Dice;
use crate::words::admits;

fn random_query(dice: &mut Dice) -> WordQuery {
    let clauses = (0..1 + dice.below(3)).map(|_| {
        let count = 1 + dice.below(2);
        WordClause {
            field: [
                WordField::Any,
                WordField::Any,
                WordField::Title,
                WordField::Heading,
                WordField::Text,
            ][dice.below(5)],
            occurrence: [Occurrence::Should, Occurrence::Must, Occurrence::MustNot][dice.below(3)],
            is_phrase: dice.below(2) == 0,
            text: [words(dice, count), "?!".to_owned()][usize::from(dice.below(12) == 0)].clone(),
            synonyms: (0..dice.below(3).saturating_sub(1))
                .map(|_| words(dice, count))
                .collect(),
        }
    });
    WordQuery {
        clauses: clauses.collect(),
        ..WordQuery::default()
    }
}

/// Whether one of the clauses that only add to the score matches, as [`admits`] would find if it were demanded.
fn wants(query: &WordQuery, chunk: &LedgerChunk) -> bool {
    let asks = |clause: &&WordClause| WORDS.iter().any(|word| clause.text.contains(word));
    let optional = query
        .clauses
        .iter()
        .filter(|clause| clause.occurrence == Occurrence::Should);
    let optional: Vec<&WordClause> = optional.filter(asks).collect();
    let has_demands = query
        .clauses
        .iter()
        .any(|clause| clause.occurrence == Occurrence::Must && asks(&clause));
    let excludes = query
        .clauses
        .iter()
        .any(|clause| clause.occurrence == Occurrence::MustNot && asks(&clause));
    if has_demands {
        return true;
    }
    if optional.is_empty() {
        return excludes;
    }
    optional.iter().any(|clause| {
        let texts = match clause.is_phrase {
            true => vec![clause.text.clone()],
            false => clause.text.split(' ').map(str::to_owned).collect(),
        };
        let alone = |text: String, is_phrase| WordQuery {
            clauses: vec![WordClause {
                text,
                occurrence: Occurrence::Must,
                is_phrase,
                synonyms: Vec::new(),
                ..(*clause).clone()
            }],
            ..WordQuery::default()
        };
        texts
            .into_iter()
            .any(|text| admits(&alone(text, clause.is_phrase), chunk))
            || clause
                .synonyms
                .iter()
                .any(|synonym| admits(&alone(synonym.clone(), true), chunk))
    })
}

#[tokio::test]
async fn the_index_and_the_check_of_one_chunk_agree() {
    for seed in 20..24 {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let written = written(|base| random(base, &mut dice)).await;
        let scope = reader(&["bo"]);
        for _ in 0..300 {
            let query = random_query(&mut dice);
            let found: BTreeSet<ChunkId> = written.found(&query, None, &scope).await.into_iter().collect();
            let expected = written.entries.iter().filter(|entry| {
                let chunk = in_ledger(entry);
                scope.may_read(&entry.metadata.acl) && admits(&query, &chunk) && wants(&query, &chunk)
            });
            let expected: BTreeSet<ChunkId> = expected.map(|entry| entry.chunk.id).collect();
            assert_eq!(found, expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn a_synonym_counts_as_much_as_the_word() {
    let written = written(|base| {
        vec![
            entry(base, ("1", 0), ("A", "vacation"), of_everyone("{}")),
            entry(base, ("2", 0), ("B", "holiday"), of_everyone("{}")),
            entry(base, ("3", 0), ("C", "something"), of_everyone("{}")),
        ]
    })
    .await;
    let query = WordQuery {
        clauses: vec![WordClause {
            text: "vacation".into(),
            synonyms: vec!["holiday".into()],
            ..WordClause::default()
        }],
        ..WordQuery::default()
    };
    let asked = IndexQuery {
        words: &query,
        vector: &[],
        filter: None,
        documents: None,
    };
    let found = written
        .index
        .search(written.base, asked, &reader(&[]), 9)
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].score, found[1].score);
}

#[tokio::test]
async fn no_phrase_reaches_from_one_text_into_the_next() {
    let written = written(|base| {
        let mut entry = entry(base, ("1", 0), ("A", "beta gamma"), of_everyone("{}"));
        entry.chunk.table_header = Some(SpannedText {
            span: TextSpan { start: 0, end: 0 },
            text: format!("alpha {}", "x".repeat(200)),
        });
        vec![entry]
    })
    .await;
    for (text, is_found) in [
        ("alpha beta", false),
        ("beta gamma", true),
        ("betas GAMMA", true),
        ("gamma beta", false),
    ] {
        let query = crate::query_language::read(&format!("\"{text}\""), |_| false).words;
        assert_eq!(
            !written.found(&query, None, &reader(&[])).await.is_empty(),
            is_found,
            "{text}"
        );
        assert_eq!(
            admits(&query, &in_ledger(&written.entries[0])),
            is_found,
            "{text}"
        );
    }
}
