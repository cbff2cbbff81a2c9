//! Each operator, on each type that it compares.

use serde_json::{Value, json};

use super::documents::{apply, attributes, rule};

/// Whether the condition holds for the document of the tests.
fn holds(condition: Value) -> bool {
    let rule = rule(
        json!([condition]),
        json!([{ "set": { "attribute": "x", "value": 1 } }]),
    );
    let enriched = apply(&rule, attributes(), "Leave is granted on request.\n");
    let applied = enriched.attributes.contains_key("x");
    assert_eq!(applied, enriched.trace[0].failed.is_none());
    applied
}

#[test]
fn what_holds() {
    for condition in [
        json!({ "attribute": "department", "equals": "hr" }),
        json!({ "attribute": "department", "not_equals": "it" }),
        json!({ "attribute": "missing", "not_equals": "it" }),
        json!({ "attribute": "pages", "equals": 12 }),
        json!({ "attribute": "created", "equals": "2023-06-15" }),
        json!({ "attribute": "tags", "equals": ["leave", "policy"] }),
        json!({ "attribute": "tags", "contains": "policy" }),
        json!({ "attribute": "tags", "not_contains": "pol" }),
        json!({ "attribute": "title", "contains": "policy" }),
        json!({ "attribute": "text", "contains": "on request" }),
        json!({ "attribute": "missing", "not_contains": "x" }),
        json!({ "attribute": "path", "begins_with": "departments/" }),
        json!({ "attribute": "tags", "begins_with": "lea" }),
        json!({ "attribute": "department", "exists": true }),
        json!({ "attribute": "missing", "exists": false }),
        json!({ "attribute": "pages", "greater_than": 11, "less_than": 13 }),
        json!({ "attribute": "pages", "greater_than_or_equals": 12, "less_than_or_equals": 12 }),
        json!({ "attribute": "size", "greater_than": 1024 }),
        json!({ "attribute": "created", "after": "2023-01-01", "before": "2024-01-01T00:00:00Z" }),
        json!({ "attribute": "created", "greater_than": "2023-01-01" }),
        json!({ "attribute": "modified", "after": "2024-04-30" }),
        json!({ "attribute": "text", "matches": r"(?i)\bLEAVE\b" }),
        json!({ "attribute": "tags", "matches": "^pol" }),
        json!({ "attribute": "path", "glob": "departments/*/**" }),
        json!({ "attribute": "path", "glob": ["other/**", "**/*.md"] }),
        json!({ "attribute": "type", "glob": "text/*" }),
        json!({ "attribute": "source", "equals": "handbook" }),
        json!({ "attribute": "uri", "begins_with": "file:" }),
    ] {
        assert!(holds(condition.clone()), "{condition} should hold");
    }
}

#[test]
fn what_does_not_hold() {
    for condition in [
        json!({ "attribute": "department", "equals": "HR" }),
        json!({ "attribute": "department", "not_equals": "hr" }),
        json!({ "attribute": "missing", "equals": "hr" }),
        json!({ "attribute": "pages", "equals": "12" }),
        json!({ "attribute": "tags", "equals": "leave" }),
        json!({ "attribute": "tags", "contains": "pol" }),
        json!({ "attribute": "tags", "not_contains": "policy" }),
        json!({ "attribute": "pages", "contains": "1" }),
        json!({ "attribute": "department", "begins_with": "r" }),
        json!({ "attribute": "department", "exists": false }),
        json!({ "attribute": "missing", "exists": true }),
        json!({ "attribute": "pages", "greater_than": 12 }),
        json!({ "attribute": "pages", "greater_than": 11, "less_than": 12 }),
        json!({ "attribute": "department", "greater_than": 1 }),
        json!({ "attribute": "pages", "after": "2020-01-01" }),
        json!({ "attribute": "created", "before": "2023-06-15" }),
        json!({ "attribute": "missing", "before": "2023-06-15" }),
        json!({ "attribute": "text", "matches": "^granted" }),
        json!({ "attribute": "path", "glob": "departments/*" }),
        json!({ "attribute": "path", "glob": "*.md" }),
        json!({ "attribute": "missing", "glob": "**" }),
    ] {
        assert!(!holds(condition.clone()), "{condition} should not hold");
    }
}

#[test]
fn all_conditions_of_a_rule_must_hold_and_the_first_that_does_not_is_told() {
    let rule = rule(
        json!([
            { "attribute": "department", "equals": "hr" },
            { "attribute": "pages", "less_than": 3 },
            { "attribute": "text", "contains": "nowhere" },
        ]),
        json!(["drop"]),
    );
    let enriched = apply(&rule, attributes(), "Some text.\n");
    insta::assert_json_snapshot!(enriched.trace, @r#"
    [
      {
        "rule": "the rule",
        "failed": {
          "attribute": "pages",
          "operator": "less_than",
          "found": 12.0
        },
        "effects": []
      }
    ]
    "#);
}
