//! Documents for the tests, and rules as they are written.

use lectern_domain::{AttributeValue, Attributes, Block, BlockKind, Extracted, TextSpan};

use crate::enrich::{DocumentFacts, Enriched, Enricher, Enrichment};

/// Rules from JSON.
pub(super) fn rules(json: serde_json::Value) -> Enrichment {
    serde_json::from_value(serde_json::json!({ "rules": json })).unwrap()
}

/// Rules of which there is one: `actions` where `when` holds.
pub(super) fn rule(when: serde_json::Value, actions: serde_json::Value) -> Enrichment {
    rules(serde_json::json!([{ "name": "the rule", "when": when, "actions": actions }]))
}

/// A text whose lines are blocks: headings where they begin with `#`.
pub(super) fn extracted(text: &str) -> Extracted {
    let mut blocks = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let span = TextSpan {
            start,
            end: start + content.len(),
        };
        start += line.len();
        if content.is_empty() {
            continue;
        }
        let kind = match content.strip_prefix("# ") {
            Some(title) => BlockKind::Heading {
                level: 1,
                title: title.to_owned(),
            },
            None => BlockKind::Paragraph,
        };
        blocks.push(Block {
            kind,
            span,
            page: None,
        });
    }
    Extracted {
        title: None,
        media_type: "text/markdown".to_owned(),
        text: text.to_owned(),
        blocks,
        ..Extracted::default()
    }
}

/// A document with these attributes and this text, taken through the rules.
pub(super) fn apply(enrichment: &Enrichment, attributes: Attributes, text: &str) -> Enriched {
    let facts = DocumentFacts {
        path: "departments/hr/2023/leave policy.md".to_owned(),
        uri: "file:///srv/departments/hr/2023/leave%20policy.md".to_owned(),
        source: "handbook".to_owned(),
        size_bytes: 2048,
        modified_at: Some("2024-05-01T08:00:00Z".parse().unwrap()),
    };
    let title = "Leave policy".to_owned();
    Enricher::new(enrichment)
        .unwrap()
        .apply(facts, title, attributes, extracted(text))
}

/// Attributes of every type.
pub(super) fn attributes() -> Attributes {
    let date = "2023-06-15T00:00:00Z".parse().unwrap();
    Attributes::from([
        ("department".to_owned(), AttributeValue::Text("hr".to_owned())),
        (
            "tags".to_owned(),
            AttributeValue::TextList(vec!["leave".to_owned(), "policy".to_owned()]),
        ),
        ("pages".to_owned(), AttributeValue::Number(12.0)),
        ("created".to_owned(), AttributeValue::Date(date)),
    ])
}
