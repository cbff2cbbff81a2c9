//! Each action, alone and after others.

use lectern_domain::{AttributeValue, Attributes};
use serde_json::{Value, json};

use super::documents::{apply, attributes, rule, rules};
use crate::enrich::{Effect, Enriched, Verdict};

fn done(actions: Value) -> Enriched {
    apply(
        &rule(json!([]), actions),
        attributes(),
        "Invoice INV-0042 of 2022-11-30, and INV-0043. Total: 17.5 EUR\n",
    )
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::Text(value.to_owned())
}

#[test]
fn set_and_delete() {
    let enriched = done(json!([
        { "set": { "attribute": "department", "value": "legal" } },
        { "set": { "attribute": "reviewed", "value": "2024-02-01T00:00:00Z" } },
        { "set": { "attribute": "title", "value": "Another title" } },
        { "delete": { "attribute": "pages" } },
        { "delete": { "attribute": "missing" } },
    ]));
    assert_eq!(enriched.attributes["department"], text("legal"));
    assert!(matches!(enriched.attributes["reviewed"], AttributeValue::Date(_)));
    assert_eq!(enriched.title, "Another title");
    assert!(!enriched.attributes.contains_key("title"));
    assert!(!enriched.attributes.contains_key("pages"));
    assert!(matches!(
        enriched.trace[0].effects[4],
        Effect::Nothing { tried: "delete", .. }
    ));
}

#[test]
fn derive_gives_the_first_group_in_the_type_that_is_asked_for() {
    let enriched = done(json!([
        { "derive": { "attribute": "unit", "from": "path", "pattern": "^departments/([^/]+)/" } },
        { "derive": { "attribute": "year", "from": "path", "pattern": r"/(\d{4})/", "as": "number" } },
        { "derive": { "attribute": "dated", "from": "text", "pattern": r"\d{4}-\d{2}-\d{2}", "as": "date" } },
        { "derive": { "attribute": "invoices", "from": "text", "pattern": r"INV-\d+", "as": "list" } },
        { "derive": { "attribute": "tags", "from": "tags", "pattern": "^(...)", "as": "list" } },
        { "derive": { "attribute": "title", "from": "title", "pattern": "policy" } },
        { "derive": { "attribute": "absent", "from": "text", "pattern": "Order" } },
        { "derive": { "attribute": "absent", "from": "text", "pattern": "Invoice", "as": "number" } },
    ]));
    let attributes = enriched.attributes;
    assert_eq!(attributes["unit"], text("hr"));
    assert_eq!(attributes["year"], AttributeValue::Number(2023.0));
    assert_eq!(
        attributes["dated"],
        AttributeValue::Date("2022-11-30T00:00:00Z".parse().unwrap())
    );
    let list = |values: &[&str]| AttributeValue::TextList(values.iter().map(ToString::to_string).collect());
    assert_eq!(attributes["invoices"], list(&["INV-0042", "INV-0043"]));
    assert_eq!(attributes["tags"], list(&["lea", "pol"]));
    assert_eq!(enriched.title, "policy");
    assert!(!attributes.contains_key("absent"));
}

#[test]
fn map_replaces_what_it_knows() {
    let enriched = done(json!([
        { "map": { "attribute": "department", "values": { "hr": "Human Resources" } } },
        { "map": { "attribute": "tags", "to": "topics", "values": { "leave": "absence" } } },
        { "map": { "attribute": "pages", "to": "length", "values": { "12": "short" } } },
        { "map": { "attribute": "source", "to": "origin", "values": {}, "otherwise": "elsewhere" } },
        { "map": { "attribute": "title", "to": "unknown", "values": { "x": "y" } } },
    ]));
    let attributes = enriched.attributes;
    assert_eq!(attributes["department"], text("Human Resources"));
    assert_eq!(
        attributes["topics"],
        AttributeValue::TextList(vec!["absence".to_owned(), "policy".to_owned()])
    );
    assert_eq!(attributes["length"], text("short"));
    assert_eq!(attributes["origin"], text("elsewhere"));
    assert!(!attributes.contains_key("unknown"));
}

#[test]
fn a_drop_ends_the_rules_and_is_told_by_name() {
    let enrichment = rules(json!([
        { "name": "first", "actions": [{ "set": { "attribute": "draft", "value": "yes" } }] },
        { "name": "no drafts", "when": [{ "attribute": "draft", "equals": "yes" }], "actions": ["drop"] },
        { "name": "never reached", "actions": [{ "set": { "attribute": "x", "value": 1 } }] },
    ]));
    let enriched = apply(&enrichment, Attributes::new(), "A draft.\n");
    assert_eq!(enriched.verdict, Verdict::Dropped("no drafts".to_owned()));
    assert_eq!(enriched.trace.len(), 2);
    assert_eq!(enriched.trace[1].effects, [Effect::Dropped]);
}

#[test]
fn without_rules_a_document_stays_what_it_is() {
    let enrichment = rules(json!([]));
    let source = Attributes::from([("author".to_owned(), text("the source"))]);
    let enriched = apply(&enrichment, source.clone(), "# A\n\nText.\n");
    assert_eq!(enriched.attributes, source);
    assert_eq!(enriched.title, "Leave policy");
    assert_eq!(enriched.extracted.text, "# A\n\nText.\n");
    assert_eq!(enriched.verdict, Verdict::Kept);
}
