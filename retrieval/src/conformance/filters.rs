//! Filters: random ones over random attributes, against their meaning, which is [`Filter::matches`].
//!
//! An index may leave a part of a filter to the recheck, so it may give too much where a filter looks into texts; it
//! never leaves out what passes. Everything else it tells exactly.

use std::collections::BTreeSet;
use std::sync::Arc;

use lectern_domain::ports::{ChunkIndex, IndexEntry, IndexQuery};
use lectern_domain::{
    Acl, AttributeValue, Attributes, ChunkId, DocumentId, DocumentMetadata, Filter, KnowledgeBaseId,
    PortError, SourceId, WordQuery,
};
use serde_json::{Value, json};

use super::long_life::Dice;
use super::{TOPICS, anybody, direction, entry};

/// Documents, each of one chunk.
const DOCUMENTS: u32 = 120;
/// Filters that are tried.
const FILTERS: usize = 300;

/// Searches with many filters, then changes attributes and searches again.
pub(super) async fn filters_hold(index: &dyn ChunkIndex, dimensions: usize) -> Result<(), PortError> {
    let base = KnowledgeBaseId::generate();
    let mut dice = Dice(11);
    let mut entries: Vec<IndexEntry> = (0..DOCUMENTS)
        .map(|number| {
            of_document(
                entry(base, 2, number, Acl::everyone(), dimensions),
                number,
                &mut dice,
            )
        })
        .collect();
    index.upsert(base, &entries).await?;
    index.commit(base).await?;
    agree(index, base, &entries, dimensions, &mut dice).await?;
    for entry in entries.iter_mut().step_by(3) {
        let metadata = DocumentMetadata {
            acl: Acl::everyone(),
            attributes: attributes(&mut dice),
        };
        index.set_metadata(base, &[entry.chunk.id], &metadata).await?;
        entry.metadata = Arc::new(metadata);
    }
    index.commit(base).await?;
    agree(index, base, &entries, dimensions, &mut dice).await?;
    for listed in index.chunks(base).await? {
        let entry = entries.iter().find(|entry| entry.chunk.id == listed.chunk);
        let expected = entry.map(|entry| entry.metadata.digest());
        assert_eq!(
            Some(listed.metadata),
            expected,
            "a chunk is listed with its metadata"
        );
    }
    index.optimize(base).await?;
    agree(index, base, &entries, dimensions, &mut dice).await?;
    index.drop_knowledge_base(base).await
}

async fn agree(
    index: &dyn ChunkIndex,
    base: KnowledgeBaseId,
    entries: &[IndexEntry],
    dimensions: usize,
    dice: &mut Dice,
) -> Result<(), PortError> {
    for _ in 0..FILTERS {
        let filter = filter(dice, 3);
        let query = IndexQuery {
            words: &WordQuery::plain(TOPICS[2]),
            vector: &direction(2, 0, dimensions),
            filter: Some(&filter),
            documents: None,
        };
        let found = index.search(base, query, &anybody(), entries.len()).await?;
        let found: BTreeSet<ChunkId> = found.into_iter().map(|found| found.chunk).collect();
        let passing = entries
            .iter()
            .filter(|entry| filter.matches(&entry.metadata.attributes));
        let passing: BTreeSet<ChunkId> = passing.map(|entry| entry.chunk.id).collect();
        match filter.looks_into_texts() {
            true => assert!(passing.is_subset(&found), "{filter:?} left out what passes"),
            false => assert_eq!(passing, found, "{filter:?}"),
        }
    }
    Ok(())
}

fn of_document(mut entry: IndexEntry, number: u32, dice: &mut Dice) -> IndexEntry {
    let source = SourceId::derive(entry.chunk.knowledge_base, "filters");
    entry.chunk.document = DocumentId::derive(source, &number.to_string());
    entry.chunk.id = ChunkId::derive(entry.chunk.document, entry.chunk.version, 0);
    entry.chunk.ordinal = 0;
    entry.metadata = Arc::new(DocumentMetadata {
        acl: Acl::everyone(),
        attributes: attributes(dice),
    });
    entry
}

const NAMES: [&str; 5] = ["colour", "pages", "written", "a name.with \"signs\"", "mixed"];
const TEXTS: [&str; 6] = ["red", "Red", "reddish brown", "blå/grün", "", "2026-01-02"];

fn attributes(dice: &mut Dice) -> Attributes {
    let mut attributes = Attributes::new();
    for name in NAMES {
        if dice.below(3) > 0 {
            attributes.insert(name.to_owned(), value(dice, name));
        }
    }
    attributes
}

/// `pages` are numbers, `written` dates, `mixed` is anything, the others are texts and lists of them.
fn value(dice: &mut Dice, name: &str) -> AttributeValue {
    let json: Value = match (name, dice.below(4)) {
        ("pages", kind) | ("mixed", kind @ 0) => json!(dice.below(9) as f64 / 2.0 - kind as f64),
        ("written", _) | ("mixed", 1) => json!(format!("2026-01-0{}T00:00:00Z", 1 + dice.below(9))),
        (_, 2) => json!([TEXTS[dice.below(6)], TEXTS[dice.below(6)]]),
        _ => json!(TEXTS[dice.below(6)]),
    };
    serde_json::from_value(json).unwrap_or(AttributeValue::Number(0.0))
}

fn single(dice: &mut Dice, name: &str) -> AttributeValue {
    match value(dice, name) {
        AttributeValue::TextList(texts) => AttributeValue::Text(texts.concat()),
        other => other,
    }
}

fn filter(dice: &mut Dice, depth: usize) -> Filter {
    let name = NAMES[dice.below(NAMES.len())];
    if depth > 0 && dice.below(2) == 0 {
        let some: Vec<Filter> = (0..dice.below(4)).map(|_| filter(dice, depth - 1)).collect();
        return match dice.below(3) {
            0 => Filter::And(some),
            1 => Filter::Or(some),
            _ => Filter::Not(Box::new(filter(dice, depth - 1))),
        };
    }
    let json = match dice.below(7) {
        0 => json!({"equals": {"attribute": name, "value": single(dice, name)}}),
        1 => json!({"in": {"attribute": name, "values": [single(dice, name), single(dice, name)]}}),
        2 => json!({"range": {"attribute": name, "above": dice.below(4)}}),
        3 => json!({"range": {"attribute": name, "at_least": "2026-01-03", "below": "2026-01-06T00:00:00Z"}}),
        4 => json!({"starts_with": {"attribute": name, "text": (["re", "R", "blå/"][dice.below(3)])}}),
        5 => json!({"contains": {"attribute": name, "text": (["RED", "n", "GRÜN"][dice.below(3)])}}),
        _ => json!({"exists": {"attribute": name}}),
    };
    serde_json::from_value(json).unwrap_or(Filter::And(Vec::new()))
}
