//! Facets, lists of documents and orders against a plain count.

use super::corpus::{WORDS, random, random_filter};
use super::*;
use crate::conformance::Dice;

/// The documents that are meant, each with the chunks that count.
fn meant<'a>(
    written: &'a Written,
    word: Option<&str>,
    filter: Option<&Filter>,
    scope: &ReadScope,
) -> BTreeMap<DocumentId, Vec<&'a IndexEntry>> {
    let mut meant: BTreeMap<DocumentId, Vec<&IndexEntry>> = BTreeMap::new();
    for entry in &written.entries {
        let chunk = &entry.chunk;
        let header = chunk
            .table_header
            .as_ref()
            .map_or("", |header| header.text.as_str());
        let texts = format!(
            "{} {} {header} {}",
            chunk.title,
            chunk.heading_path.join(" "),
            chunk.text
        );
        let has_word = word.is_none_or(|word| texts.split_whitespace().any(|there| there == word));
        let passes = filter.is_none_or(|filter| filter.matches(&entry.metadata.attributes));
        if has_word && passes && scope.may_read(&entry.metadata.acl) {
            meant.entry(chunk.document).or_default().push(entry);
        }
    }
    meant
}

fn values(entry: &IndexEntry, name: &str) -> Vec<AttributeValue> {
    match entry.metadata.attributes.get(name) {
        None => Vec::new(),
        Some(AttributeValue::TextList(texts)) => {
            let once: BTreeSet<&String> = texts.iter().collect();
            once.into_iter()
                .map(|text| AttributeValue::Text(text.clone()))
                .collect()
        }
        Some(value) => vec![value.clone()],
    }
}

#[tokio::test]
async fn documents_are_counted_as_a_plain_count_does() {
    for seed in 0..4 {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let mut written = written(|base| random(base, &mut dice)).await;
        let gone = written.entries.split_off(written.entries.len() - 10);
        let gone: Vec<ChunkId> = gone.iter().map(|entry| entry.chunk.id).collect();
        written.index.delete(written.base, &gone).await.unwrap();
        written.index.commit(written.base).await.unwrap();
        for round in 0..60 {
            let scope = reader([&[][..], &["ada"], &["bo"]][dice.below(3)]);
            let filter = random_filter(&mut dice, 2);
            let filter = (dice.below(3) > 0).then_some(filter);
            let word = (dice.below(2) == 0).then(|| WORDS[dice.below(WORDS.len())]);
            let query = word.map(WordQuery::plain);
            let set = DocumentSet {
                query: query.as_ref(),
                filter: filter.as_ref(),
                scope: &scope,
            };
            let expected = meant(&written, word, filter.as_ref(), &scope);
            let label = format!("round {round}: {word:?} {filter:?} {scope:?}");
            let ids: Vec<DocumentId> = expected.keys().copied().collect();
            let listed = written
                .index
                .documents(written.base, set, ids.len())
                .await
                .unwrap();
            assert_eq!(listed, Some(ids.clone()), "{label}");
            if !ids.is_empty() {
                let too_many = written
                    .index
                    .documents(written.base, set, ids.len() - 1)
                    .await
                    .unwrap();
                assert_eq!(too_many, None, "{label}");
            }
            facets_agree(&written, set, &expected, 1 + dice.below(6)).await;
            for name in ["colour", "pages", "written", "mixed", "nothing"] {
                let further = (0..dice.below(3)).map(|_| ["pages", "colour", "mixed"][dice.below(3)]);
                let names: Vec<&str> = std::iter::once(name).chain(further).collect();
                let by: Vec<SortKey> = names
                    .into_iter()
                    .map(|name| SortKey {
                        attribute: name.to_owned(),
                        descending: dice.below(2) == 0,
                    })
                    .collect();
                order_agrees(&written, set, &expected, &by, 1 + dice.below(70)).await;
            }
        }
    }
}

async fn facets_agree(
    written: &Written,
    set: DocumentSet<'_>,
    expected: &BTreeMap<DocumentId, Vec<&IndexEntry>>,
    limit: usize,
) {
    let names = ["colour", "pages", "written", "mixed", "nothing"];
    let wanted = names.map(|name| FacetRequest {
        attribute: name.to_owned(),
        limit,
    });
    let facets = written.index.facets(written.base, set, &wanted).await.unwrap();
    for (facet, name) in facets.iter().zip(names) {
        let mut counts: Vec<(AttributeValue, u64)> = Vec::new();
        for value in expected.values().flat_map(|chunks| values(chunks[0], name)) {
            match counts.iter_mut().find(|(known, _)| *known == value) {
                Some((_, count)) => *count += 1,
                None => counts.push((value, 1)),
            }
        }
        counts.sort_by(|one, other| {
            other
                .1
                .cmp(&one.1)
                .then_with(|| order_of_values(&one.0, &other.0))
        });
        let given: Vec<_> = facet
            .values
            .iter()
            .map(|value| (value.value.clone(), value.documents))
            .collect();
        assert_eq!(
            given,
            counts.iter().take(limit).cloned().collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(facet.other_values, counts.len().saturating_sub(limit) as u64);
        assert_eq!(facet.attribute, name);
    }
}

/// The value that counts of an attribute.
fn value_in_order(entry: &IndexEntry, by: &SortKey) -> Option<AttributeValue> {
    let mut values = values(entry, &by.attribute);
    values.sort_by(order_of_values);
    match by.descending {
        true => values.pop(),
        false => values.into_iter().next(),
    }
}

async fn order_agrees(
    written: &Written,
    set: DocumentSet<'_>,
    expected: &BTreeMap<DocumentId, Vec<&IndexEntry>>,
    by: &[SortKey],
    limit: usize,
) {
    let found = written
        .index
        .in_order(written.base, set, by, limit)
        .await
        .unwrap();
    assert_eq!(found.len(), limit.min(expected.len()));
    let chunks: BTreeMap<ChunkId, &IndexEntry> = expected
        .values()
        .flatten()
        .map(|entry| (entry.chunk.id, *entry))
        .collect();
    let keys = |entry: &IndexEntry| -> Vec<Option<AttributeValue>> {
        by.iter().map(|key| value_in_order(entry, key)).collect()
    };
    let mut all: Vec<Vec<Option<AttributeValue>>> = expected.values().map(|chunks| keys(chunks[0])).collect();
    all.sort_by(|one, other| {
        let pairs = by.iter().zip(one.iter().zip(other));
        pairs
            .map(|(key, (one, other))| match (one, other) {
                (Some(one), Some(other)) if key.descending => order_of_values(other, one),
                (Some(one), Some(other)) => order_of_values(one, other),
                (one, other) => other.is_some().cmp(&one.is_some()),
            })
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let given: Vec<_> = found.iter().map(|found| keys(chunks[&found.chunk])).collect();
    assert_eq!(given, all[..found.len()], "{by:?}");
    let mut seen = BTreeSet::new();
    for pair in found.windows(2) {
        let same = keys(chunks[&pair[0].chunk]) == keys(chunks[&pair[1].chunk]);
        assert!(
            !same || pair[0].chunk < pair[1].chunk,
            "equal ones in the order of the ids"
        );
    }
    for found in &found {
        let entry = chunks[&found.chunk];
        assert!(seen.insert(entry.chunk.document), "each document once");
        let of_document = &expected[&entry.chunk.document];
        if set.query.is_none() {
            let first = of_document.iter().map(|entry| entry.chunk.ordinal).min();
            assert_eq!(Some(entry.chunk.ordinal), first, "its first chunk stands for it");
        }
    }
}

#[tokio::test]
async fn names_of_attributes_are_those_of_documents_that_may_be_read() {
    let of_ada = |base| {
        let hidden = DocumentMetadata {
            acl: Acl::allowing([Principal::User("ada".to_owned())]),
            ..of_everyone(r#"{"band":"x","floor":2}"#)
        };
        vec![
            entry(
                base,
                ("open", 0),
                ("Open", "anchor"),
                of_everyone(r#"{"floor":1}"#),
            ),
            entry(base, ("hidden", 0), ("Hidden", "barrel"), hidden),
        ]
    };
    let written = written(of_ada).await;
    let names = ["floor", "band", "nothing"].map(str::to_owned);
    let among = async |scope: &ReadScope| {
        let among = written.index.attributes_among(written.base, &names, scope).await;
        among.unwrap()
    };
    assert_eq!(among(&reader(&["ada"])).await, ["floor", "band"]);
    assert_eq!(among(&reader(&["bo"])).await, ["floor"]);
    let open = [written.entries[0].chunk.id];
    written.index.delete(written.base, &open).await.unwrap();
    written.index.commit(written.base).await.unwrap();
    assert_eq!(among(&reader(&["ada"])).await, ["floor", "band"]);
    assert_eq!(
        among(&reader(&["bo"])).await,
        Vec::<String>::new(),
        "nobody's any more who is seen"
    );
}

#[tokio::test]
async fn filters_on_texts_are_exact() {
    let mut dice = Dice(3);
    let written = written(|base| random(base, &mut dice)).await;
    for _ in 0..300 {
        let filter = random_filter(&mut dice, 2);
        let scope = reader(&[]);
        let set = DocumentSet {
            query: None,
            filter: Some(&filter),
            scope: &scope,
        };
        let expected: Vec<DocumentId> = meant(&written, None, Some(&filter), &scope).into_keys().collect();
        let listed = written.index.documents(written.base, set, expected.len()).await;
        assert_eq!(listed.unwrap(), Some(expected), "{filter:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_has_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let index = TantivyWords::open(directory.path()).unwrap();
    let (base, scope) = (KnowledgeBaseId::generate(), reader(&[]));
    let set = DocumentSet {
        query: None,
        filter: None,
        scope: &scope,
    };
    assert_eq!(index.documents(base, set, 0).await.unwrap(), Some(Vec::new()));
    assert!(index.titles(base, "a", &scope, 9).await.unwrap().is_empty());
    assert!(index.corrections(base, "word", &scope).await.unwrap().is_empty());
    assert!(!index.is_outdated(base).await.unwrap());
}
