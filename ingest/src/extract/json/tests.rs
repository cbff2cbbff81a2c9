use proptest::prelude::*;

use super::*;

fn text_of(source: &str) -> String {
    read(source.to_owned()).unwrap().text
}

#[test]
fn flat_objects_in_a_list_are_a_table() {
    insta::assert_snapshot!(text_of(r#"[{"id": 1, "name": "Ann", "tags": ["a", "b"]}, {"id": 2, "name": null}]"#), @r"
    | id | name | tags |
    | --- | --- | --- |
    | 1 | Ann | a, b |
    | 2 | | |
    ");
}

#[test]
fn small_objects_are_lines_and_large_ones_have_headings() {
    assert_eq!(
        text_of(r#"{"b": 1, "a": {"c": true, "d": [{"e": "x"}, {"e": "y"}]}}"#),
        "b: 1\na.c: true\na.d.e: x\na.d.e: y"
    );
    let long = "It was a long day. ".repeat(30);
    let source = format!(
        r#"{{"title": "Days", "year": 2026, "days": [{{"name": "Monday", "story": "{long}"}}, {{"name": "Tuesday", "story": "{long}", "more": {{"x": "{long}"}}}}], "end": 1}}"#
    );
    let extracted = read(source).unwrap();
    assert_eq!(extracted.title.as_deref(), Some("Days"));
    insta::assert_snapshot!(extracted.text.replace(long.trim_end(), "LONG").replace("LONG ", "LONG"), @r"
    title: Days
    year: 2026

    # days

    name: Monday
    story: LONG

    ## Tuesday

    name: Tuesday
    story: LONG

    ### more

    x: LONG

    end: 1
    ");
}

#[test]
fn lines_of_json_are_read_and_broken_ones_are_told() {
    let extracted =
        read("{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2, \"b\": \"y\"}\n{\"a\": \n".to_owned()).unwrap();
    assert_eq!(extracted.media_type, "application/jsonl");
    assert_eq!(
        extracted.text,
        "| a | b |\n| --- | --- |\n| 1 | x |\n| 2 | y |\n\n{\"a\":"
    );
    assert!(
        extracted.warnings[0].contains("the first is line 3"),
        "{:?}",
        extracted.warnings
    );
    let broken = read("{\"a\": 1,".to_owned()).unwrap();
    assert_eq!((broken.text.as_str(), broken.warnings.len()), ("{\"a\": 1,", 1));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(deep).unwrap_err().code(), "nested_too_deep");
}

#[test]
fn a_notebook_is_its_cells() {
    let source = r##"{"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "words"]},
        {"cell_type": "code", "source": "print(1)\n", "outputs": [{"text": ["1\n"]}]}]}"##;
    let extracted = read(source.to_owned()).unwrap();
    assert_eq!(extracted.title.as_deref(), Some("Title"));
    assert_eq!(
        extracted.text,
        "# Title\n\nwords\n\n```python\nprint(1)\n```\n\n```\n1\n```"
    );
    assert_eq!(extracted.blocks.len(), 4);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{1,8}( [a-z]{1,8}){0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,6}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn leaves(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|inner| leaves(inner, words)),
        Value::Array(list) => list.iter().for_each(|inner| leaves(inner, words)),
        scalar => words.extend(scalar_text(scalar).split_whitespace().map(str::to_owned)),
    }
}

proptest! {
    /// Every word of every value comes out, and all of the text lies in blocks.
    #[test]
    fn nothing_is_lost(value in any_json()) {
        let extracted = read(value.to_string()).unwrap();
        let found: Vec<&str> = extracted.text.split_whitespace().collect();
        let mut words = Vec::new();
        leaves(&value, &mut words);
        for word in words {
            let is_there = found.iter().any(|other| other.trim_end_matches(',') == word);
            prop_assert!(is_there, "{word:?} is missing in {:?}", extracted.text);
        }
        let covered: usize = extracted.blocks.iter().map(|block| block.span.len()).sum();
        let between = 2 * extracted.blocks.len().saturating_sub(1);
        prop_assert_eq!(covered + between, extracted.text.len());
    }
}
