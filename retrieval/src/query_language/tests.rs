use lectern_domain::attribute::parse_date;
use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> ParsedQuery {
    read(text, |name| {
        ["author", "pages", "modified", "team.name"].contains(&name)
    })
}

fn clause_of(text: &str, field: WordField, occurrence: Occurrence, is_phrase: bool) -> WordClause {
    WordClause {
        field,
        occurrence,
        is_phrase,
        text: text.to_owned(),
        synonyms: Vec::new(),
    }
}

fn filter(json: &str) -> Filter {
    let filter: Filter = serde_json::from_str(json).unwrap();
    filter.check().unwrap();
    filter
}

#[test]
fn what_has_no_operator_is_words() {
    for text in [
        "",
        "  ",
        "parental leave",
        "what is C++?",
        "-5 degrees",
        "+49 30 123",
        "a - b",
        "a -- b",
        "e-mail",
        "don't 'quote' me",
        "http://x.org/a:b",
        "title://x",
        "error: foo",
        "error:foo",
        "title: foo",
        "author: ada",
        "16:9",
        "a 5\" pipe",
        "an \"unbalanced quote",
        "\" spaced \"",
        "\"\"",
        "\"?!\"",
        "+ - \" : +: -: -\"",
        "ls -l --all -",
        "author:",
        "author:\"\"",
        "pages:>=many",
        "+\u{1f600}",
    ] {
        let read = parsed(text);
        assert_eq!(read.words, WordQuery::plain(text), "{text}");
        assert_eq!(read.filter, None, "{text}");
    }
}

#[test]
fn operators_are_read() {
    use Occurrence::{Must, MustNot, Should};
    for (text, clauses) in [
        (
            r#"how "parental leave" works"#,
            vec![
                clause_of("how", WordField::Any, Should, false),
                clause_of("parental leave", WordField::Any, Must, true),
                clause_of("works", WordField::Any, Should, false),
            ],
        ),
        (
            "paid leave +sick -unpaid",
            vec![
                clause_of("paid leave", WordField::Any, Should, false),
                clause_of("sick", WordField::Any, Must, false),
                clause_of("unpaid", WordField::Any, MustNot, false),
            ],
        ),
        (
            r#"-"night shift" +e-mail „lange Pause“"#,
            vec![
                clause_of("night shift", WordField::Any, MustNot, true),
                clause_of("e-mail", WordField::Any, Must, true),
                clause_of("lange Pause", WordField::Any, Must, true),
            ],
        ),
        (
            r#"title:leave Headings:"who pays" -text:draft"#,
            vec![
                clause_of("leave", WordField::Title, Must, false),
                clause_of("who pays", WordField::Heading, Must, true),
                clause_of("draft", WordField::Text, MustNot, false),
            ],
        ),
    ] {
        let read = parsed(text);
        assert_eq!(read.words.clauses, clauses, "{text}");
        assert_eq!(read.filter, None, "{text}");
    }
}

#[test]
fn attributes_become_a_filter() {
    for (text, json) in [
        (
            "author:ada",
            r#"{"contains":{"attribute":"author","text":"ada"}}"#,
        ),
        (
            r#"-author:"Ada L" "#,
            r#"{"not":{"contains":{"attribute":"author","text":"Ada L"}}}"#,
        ),
        (
            "author:=Ada",
            r#"{"equals":{"attribute":"author","value":"Ada"}}"#,
        ),
        (
            "author:Ad*",
            r#"{"starts_with":{"attribute":"author","text":"Ad"}}"#,
        ),
        ("author:*", r#"{"exists":{"attribute":"author"}}"#),
        ("team.name:*", r#"{"exists":{"attribute":"team.name"}}"#),
        ("pages:>=10", r#"{"range":{"attribute":"pages","at_least":10}}"#),
        (
            "pages:10..20",
            r#"{"range":{"attribute":"pages","at_least":10,"at_most":20}}"#,
        ),
        (
            "modified:<2024-05",
            r#"{"range":{"attribute":"modified","below":"2024-05-01T00:00:00Z"}}"#,
        ),
        (
            "modified:<=2024-05-03",
            r#"{"range":{"attribute":"modified","below":"2024-05-04T00:00:00Z"}}"#,
        ),
        (
            "modified:>2024",
            r#"{"or":[{"range":{"attribute":"modified","above":2024}},
                      {"range":{"attribute":"modified","at_least":"2025-01-01T00:00:00Z"}}]}"#,
        ),
        (
            "author:ada pages:<5",
            r#"{"and":[{"contains":{"attribute":"author","text":"ada"}},
                       {"range":{"attribute":"pages","below":5}}]}"#,
        ),
    ] {
        let read = parsed(text);
        assert_eq!(read.filter, Some(filter(json)), "{text}");
        assert!(read.words.clauses.is_empty(), "{text}");
    }
    let read = parsed("notes of author:ada on tides");
    let texts: Vec<_> = read
        .words
        .clauses
        .iter()
        .map(|clause| clause.text.as_str())
        .collect();
    assert_eq!(texts, ["notes of", "on tides"]);
}

#[test]
fn a_day_is_found_by_its_name() {
    let read = parsed("modified:2024-05-03").filter.unwrap();
    for (moment, matches) in [
        ("2024-05-02T23:59:59Z", false),
        ("2024-05-03T00:00:00Z", true),
        ("2024-05-03T18:00:00Z", true),
        ("2024-05-04T00:00:00Z", false),
    ] {
        let date = AttributeValue::Date(parse_date(moment).unwrap());
        assert_eq!(
            read.matches(&[("modified".to_owned(), date)].into()),
            matches,
            "{moment}"
        );
    }
}

#[test]
fn what_is_very_long_is_read_too() {
    for piece in [
        "\"",
        "\"a ",
        "+a",
        "-\"b",
        "author:\"",
        "\u{201c}x ",
        "title:y ",
        "((",
        ":",
    ] {
        let text = piece.repeat(20_000 / piece.len());
        let read = parsed(&text);
        assert!(read.words.clauses.len() <= 2 * MOST_OPERATORS + 1, "{piece}");
    }
}

proptest! {
    #[test]
    fn nothing_is_wrong(text in any::<String>()) {
        parsed(&text);
    }

    #[test]
    fn whatever_is_made_of_operators_can_be_asked(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "+", "-", "\"", "word", "title:", "author:", "pages:", ">=", "5", "2024-01", "..", "*", " ", "\u{201e}", "é",
            ]),
            0..40,
        ),
    ) {
        let read = parsed(&pieces.concat());
        if let Some(filter) = read.filter {
            prop_assert!(filter.check().is_ok(), "{:?}", filter);
        }
        for clause in &read.words.clauses {
            prop_assert!(pieces.concat().contains(&clause.text));
        }
    }

    #[test]
    fn words_without_signs_are_plain(text in "[a-zA-Z0-9 .,;!?'-]{0,80}") {
        prop_assume!(!text.split_whitespace().any(|piece| piece.starts_with('-')));
        prop_assert_eq!(parsed(&text), ParsedQuery { words: WordQuery::plain(text), filter: None });
    }
}
