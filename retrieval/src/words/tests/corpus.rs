//! Random documents of a few words, with readers and attributes of all kinds.

use super::*;
use crate::conformance::Dice;

pub(super) const WORDS: [&str; 8] = [
    "anchor", "barrel", "copper", "dragon", "ember", "falcon", "garnet", "harbor",
];

/// Sixty documents of one to three chunks.
pub(super) fn random(base: KnowledgeBaseId, dice: &mut Dice) -> Vec<IndexEntry> {
    let mut entries = Vec::new();
    for number in 0..60 {
        let name = format!("d{number}");
        let title = words(dice, 3);
        let metadata = DocumentMetadata {
            acl: acl(dice),
            attributes: attributes(dice),
        };
        for ordinal in 0..1 + dice.below(3) as u32 {
            let length = 1 + dice.below(8);
            let mut entry = entry(
                base,
                (&name, ordinal),
                (&title, &words(dice, length)),
                metadata.clone(),
            );
            if dice.below(3) == 0 {
                entry.chunk.heading_path = vec![words(dice, 1), words(dice, 2)];
            }
            if dice.below(4) == 0 {
                entry.chunk.table_header = Some(SpannedText {
                    span: TextSpan { start: 0, end: 0 },
                    text: words(dice, 2),
                });
            }
            entries.push(entry);
        }
    }
    // Chunks of a document lie in several segments.
    for place in (1..entries.len()).rev() {
        entries.swap(place, dice.below(place + 1));
    }
    entries
}

pub(super) fn words(dice: &mut Dice, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| WORDS[dice.below(WORDS.len())]).collect();
    words.join(" ")
}

fn acl(dice: &mut Dice) -> Acl {
    let user = |name: &str| Principal::User(name.to_owned());
    match dice.below(5) {
        0 => Acl::nobody(),
        1 => Acl::allowing([user("ada")]),
        2 => Acl {
            deny: [user("ada")].into(),
            ..Acl::everyone()
        },
        _ => Acl::everyone(),
    }
}

fn attributes(dice: &mut Dice) -> lectern_domain::Attributes {
    let mut parts = Vec::new();
    for name in ["colour", "pages", "written", "mixed"] {
        let text = |dice: &mut Dice| ["red", "blue", "Red", ""][dice.below(4)];
        let value = match (name, dice.below(5)) {
            (_, 0) => continue,
            ("pages", _) | ("mixed", 1) => format!("{}", dice.below(5) as f64 / 2.0 - 1.0),
            ("written", _) | ("mixed", 2) => format!("\"2026-01-0{}T00:00:00Z\"", 1 + dice.below(5)),
            (_, 3) => format!("[{:?},{:?}]", text(dice), text(dice)),
            (_, 4) if dice.below(4) == 0 => "[]".to_owned(),
            _ => format!("{:?}", text(dice)),
        };
        parts.push(format!("\"{name}\":{value}"));
    }
    let languages = ["en", "de", "ja"];
    if dice.below(3) == 0 {
        parts.push(format!("\"language\":\"{}\"", languages[dice.below(3)]));
    }
    serde_json::from_str(&format!("{{{}}}", parts.join(","))).unwrap()
}

/// A filter of any kind over the attributes.
pub(super) fn random_filter(dice: &mut Dice, depth: usize) -> Filter {
    if depth > 0 && dice.below(2) == 0 {
        let some: Vec<Filter> = (0..dice.below(4))
            .map(|_| random_filter(dice, depth - 1))
            .collect();
        return match dice.below(3) {
            0 => Filter::And(some),
            1 => Filter::Or(some),
            _ => Filter::Not(Box::new(random_filter(dice, depth - 1))),
        };
    }
    let name = ["colour", "pages", "written", "mixed", "nothing"][dice.below(5)];
    let value = [
        "\"red\"",
        "\"Red\"",
        "\"\"",
        "-0.5",
        "0",
        "\"2026-01-03\"",
        "\"2026-01-02T00:00:00Z\"",
    ][dice.below(7)];
    let other = ["\"blue\"", "1", "\"2026-01-01T00:00:00Z\""][dice.below(3)];
    let part = ["r", "R", "E", "red"][dice.below(4)];
    let bound = ["-1", "0.25", "\"2026-01-02T00:00:00.0000001Z\"", "\"2026-01-04\""][dice.below(4)];
    let side = ["above", "at_least", "below", "at_most"][dice.below(4)];
    let json = match dice.below(6) {
        0 => format!(r#"{{"equals":{{"attribute":"{name}","value":{value}}}}}"#),
        1 => format!(r#"{{"in":{{"attribute":"{name}","values":[{value},{other}]}}}}"#),
        2 => format!(r#"{{"range":{{"attribute":"{name}","{side}":{bound}}}}}"#),
        3 => format!(r#"{{"starts_with":{{"attribute":"{name}","text":"{part}"}}}}"#),
        4 => format!(r#"{{"contains":{{"attribute":"{name}","text":"{part}"}}}}"#),
        _ => format!(r#"{{"exists":{{"attribute":"{name}"}}}}"#),
    };
    serde_json::from_str(&json).unwrap()
}
