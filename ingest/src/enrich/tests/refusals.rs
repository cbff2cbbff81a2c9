//! Rules that can't be applied are refused before a document is touched, with words that help.

use serde_json::{Value, json};

use super::documents::{rule, rules};

fn refusal(when: Value, actions: Value) -> String {
    rule(when, actions).check().unwrap_err().to_string()
}

#[test]
fn what_is_wrong_with_a_rule_is_told() {
    let set = json!([{ "set": { "attribute": "x", "value": 1 } }]);
    let refusals = [
        refusal(json!([]), json!([])),
        refusal(json!([{ "attribute": "x" }]), set.clone()),
        refusal(json!([{ "attribute": "x", "matches": "(" }]), set.clone()),
        refusal(
            json!([{ "attribute": "x", "matches": r"\w{1000}{100}" }]),
            set.clone(),
        ),
        refusal(json!([{ "attribute": "x", "glob": "[" }]), set.clone()),
        refusal(json!([{ "attribute": "x", "before": "spring" }]), set.clone()),
        refusal(json!([{ "attribute": "x", "greater_than": "many" }]), set.clone()),
        refusal(json!([{ "attribute": "x", "exists": "yes" }]), set.clone()),
        refusal(json!([{ "attribute": "x", "equals": true }]), set),
        refusal(
            json!([]),
            json!([{ "set": { "attribute": "uri", "value": "x" } }]),
        ),
        refusal(
            json!([]),
            json!([{ "set": { "attribute": "title", "value": 3 } }]),
        ),
        refusal(json!([]), json!([{ "delete": { "attribute": "title" } }])),
        refusal(json!([]), json!([{ "delete": { "attribute": "" } }])),
        refusal(json!([]), json!([{ "map": { "attribute": "x", "values": {} } }])),
        refusal(json!([]), json!([{ "redact": {} }])),
        refusal(
            json!([]),
            json!([{ "redact": { "kind": "email", "pattern": "x" } }]),
        ),
        refusal(json!([]), json!([{ "redact": { "pattern": "x*" } }])),
        refusal(
            json!([]),
            json!([{ "redact": { "pattern": "x", "replacement": "xx" } }]),
        ),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    the rule "the rule" has no action
    the rule "the rule" has a condition on "x" without an operator; try equals, glob, matches or exists
    the rule "the rule" has the regular expression "(": unclosed group
    the rule "the rule" has the regular expression "\\w{1000}{100}": it would take more than 1048576 bytes; repeat less of it
    the rule "the rule" has the glob "[": unclosed character class; missing ']'
    the rule "the rule" compares "x": before needs a date such as "2024-01-31"
    the rule "the rule" compares "x": greater_than needs a number or a date such as "2024-01-31"
    the rule "the rule" compares "x": exists needs true or false
    the rule "the rule" compares "x": equals needs a text, a number, a date or a list
    the rule "the rule" can't change "uri", which is what the source or the file says
    the rule "the rule" can only give the title a text, and can't delete it
    the rule "the rule" can only give the title a text, and can't delete it
    the rule "the rule" names the attribute "": use 1 to 200 characters, none of them a control character
    the rule "the rule" maps "x" by an empty list of values
    the rule "the rule" redacts: give either kind (email, card, iban, key) or pattern
    the rule "the rule" redacts: give either kind (email, card, iban, key) or pattern
    the rule "the rule" redacts "x*", which matches the empty text
    the rule "the rule" redacts by "xx", which the pattern matches again
    "#);
}

#[test]
fn a_set_of_rules_is_bounded_and_its_names_differ() {
    let named = |name: &str| json!({ "name": name, "actions": ["drop"] });
    let twice = rules(json!([named("a"), named("a")])).check().unwrap_err();
    assert_eq!(twice.to_string(), "two rules are named \"a\"");
    let nameless = rules(json!([named(" ")])).check().unwrap_err();
    assert_eq!(
        nameless.to_string(),
        "rule number 1 needs a name of 1 to 200 characters"
    );
    let many: Vec<Value> = (0..101).map(|number| named(&number.to_string())).collect();
    let many = rules(json!(many)).check().unwrap_err();
    assert_eq!(many.to_string(), "there are 101 rules; a source may have 100");
    assert_eq!(many.code(), "enrichment_invalid");
}

#[test]
fn unknown_words_are_refused_and_known_ones_named() {
    for (wrong, told) in [
        (
            json!([{ "name": "a", "action": ["drop"] }]),
            "unknown field `action`",
        ),
        (
            json!([{ "name": "a", "actions": ["dropp"] }]),
            "unknown variant `dropp`, expected one of `set`",
        ),
        (
            json!([{ "name": "a", "when": [{ "attribute": "x", "equal": 1 }], "actions": ["drop"] }]),
            "unknown variant `equal`, expected one of `equals`",
        ),
        (
            json!([{ "name": "a", "actions": [{ "redact": { "kind": "phone" } }] }]),
            "unknown variant `phone`, expected one of `email`, `card`, `iban`, `key`",
        ),
    ] {
        let error =
            serde_json::from_value::<crate::enrich::Enrichment>(json!({ "rules": wrong })).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn rules_read_back_as_they_were_written() {
    let rules = rules(json!([{
        "name": "everything",
        "when": [
            { "attribute": "created", "before": "2024-01-01T00:00:00Z", "exists": true },
            { "attribute": "path", "glob": ["a/**", "b"] },
        ],
        "actions": [
            { "set": { "attribute": "n", "value": 5 } },
            { "derive": { "attribute": "y", "from": "path", "pattern": "x", "as": "list" } },
            { "map": { "attribute": "y", "values": { "a": "b" } } },
            { "redact": { "kind": "iban" } },
            "drop",
        ],
    }]));
    let stored = serde_json::to_string(&rules).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::enrich::Enrichment>(&stored).unwrap(),
        rules
    );
}
