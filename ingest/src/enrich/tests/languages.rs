//! The language is told where it is clear, and not guessed where it isn't.

use lectern_domain::{AttributeValue, Attributes};
use serde_json::json;

use super::documents::{apply, rules};

fn language(text: &str) -> Option<String> {
    let enriched = apply(&rules(json!([])), Attributes::new(), text);
    enriched.attributes.get("language").map(|value| match value {
        AttributeValue::Text(code) => code.clone(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn clear_texts_have_a_language() {
    for (code, text) in [
        (
            "en",
            "Parents may take twenty weeks of leave, which they can share between them as they like.\n",
        ),
        (
            "de",
            "Eltern können zwanzig Wochen Urlaub nehmen, die sie untereinander aufteilen dürfen, wie sie möchten.\n",
        ),
        (
            "fr",
            "Les parents peuvent prendre vingt semaines de congé, qu'ils partagent entre eux comme ils le souhaitent.\n",
        ),
        (
            "ja",
            "両親は二十週間の休暇を取ることができ、それを自由に分けることができます。休暇の申請は三か月前までに人事部に提出してください。書類は窓口にあります。\n",
        ),
    ] {
        assert_eq!(language(text).as_deref(), Some(code), "{text}");
    }
}

#[test]
fn unclear_texts_have_none() {
    for text in [
        "",
        "OK\n",
        "# Only a heading that says a good deal about leave for parents\n",
        "12 34 56\n",
    ] {
        assert_eq!(language(text), None, "{text}");
    }
}

#[test]
fn what_the_file_or_the_source_says_is_not_overruled() {
    let stated = Attributes::from([("language".to_owned(), AttributeValue::Text("nl".to_owned()))]);
    let text = "Parents may take twenty weeks of leave, which they can share between them as they like.\n";
    let enriched = apply(&rules(json!([])), stated.clone(), text);
    assert_eq!(enriched.attributes, stated);
}
