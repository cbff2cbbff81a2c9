//! What the header fields of a message say: who, when, about what, in answer to what.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mail_parser::{Address, HeaderForm, HeaderValue, Message};

/// A subject, a name or an address is cut after so many characters.
const LONGEST: usize = 200;
/// Addresses of a field that are read.
const MOST_ADDRESSES: usize = 2_000;

/// What stands before the subject of an answer, without the colon.
const ANSWERS: [&str; 14] = [
    "re", "aw", "antw", "sv", "vs", "ref", "rif", "res", "odp", "ynt", "ant", "r", "回复", "答复",
];
/// What stands before the subject of a message that was passed on.
const FORWARDS: [&str; 11] = [
    "fwd", "fw", "wg", "tr", "rv", "enc", "vb", "vl", "doorst", "pd", "转发",
];

/// A subject taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Without the words that say that it is an answer, in its own letters.
    pub(crate) shown: String,
    /// What answers to it and it have in common; empty where it says nothing.
    pub(crate) base: String,
    /// Whether it says of itself that it is an answer.
    pub(crate) is_answer: bool,
}

impl Subject {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        Self::read(message.subject().unwrap_or_default())
    }

    /// Takes a subject apart (RFC 5256, 2.1, with the words of other languages).
    pub(crate) fn read(subject: &str) -> Self {
        let subject = one_line(subject);
        let mut is_answer = false;
        let (mut shown, mut rest) = (subject.as_str(), subject.as_str());
        loop {
            if let Some((behind, answers)) = behind_prefix(rest) {
                is_answer |= answers;
                if std::ptr::eq(shown, rest) && answers {
                    shown = behind;
                }
                rest = behind;
            } else if let Some(behind) = behind_blob(rest) {
                rest = behind;
            } else {
                break;
            }
        }
        let mut base = rest.to_lowercase();
        while let Some(before) = base.strip_suffix("(fwd)") {
            base = before.trim_end().to_owned();
        }
        let shown = if shown.is_empty() { &subject } else { shown };
        Self {
            shown: shown.to_owned(),
            base,
            is_answer,
        }
    }
}

/// What is behind `Re:`, `Re[2]:` or `AW (3):`, and whether that says that it is an answer.
fn behind_prefix(subject: &str) -> Option<(&str, bool)> {
    let (head, behind) = subject.split_once([':', '：'])?;
    let word = head.trim_end();
    let word = match word.rfind(['[', '(']) {
        Some(place) if word.ends_with([']', ')']) => {
            let number = &word[place + 1..word.len() - 1];
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| word[..place].trim_end())?
        }
        _ => word,
    };
    let word = word.to_lowercase();
    let is_answer = ANSWERS.contains(&word.as_str());
    (is_answer || FORWARDS.contains(&word.as_str())).then(|| (behind.trim_start(), is_answer))
}

/// What is behind `[list]`, where anything is.
fn behind_blob(subject: &str) -> Option<&str> {
    let (_, behind) = subject.strip_prefix('[')?.split_once(']')?;
    let behind = behind.trim_start();
    (!behind.is_empty()).then_some(behind)
}

/// The text on one line, cut where it is long.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > LONGEST * 4 {
            break;
        }
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => line[..end].to_owned(),
        None => line,
    }
}

/// When the message was written, or else when it was received last, in seconds.
pub(crate) fn seconds(message: &Message<'_>) -> Option<i64> {
    let written = message.date().copied();
    let received = || message.received().and_then(mail_parser::Received::date);
    let valid = |date: &mail_parser::DateTime| date.is_valid() && date.year > 0;
    written
        .filter(valid)
        .or_else(|| received().filter(valid))
        .map(|date| date.to_timestamp())
}

/// The same as a time.
pub(crate) fn date(message: &Message<'_>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds(message)?, 0)
}

/// A person of a field: how people call them, and their address in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) address: Option<String>,
}

/// The people that a field names.
pub(crate) fn people(field: Option<&Address<'_>>) -> Vec<Person> {
    let person = |one: &mail_parser::Addr<'_>| {
        let address = one.address().map(|address| one_line(address).to_lowercase());
        let address = address.filter(|address| !address.is_empty());
        let name = one.name().map(one_line).filter(|name| !name.is_empty());
        let name = name.or_else(|| address.clone())?;
        Some(Person { name, address })
    };
    let all = field.iter().flat_map(|field| field.iter());
    all.take(MOST_ADDRESSES).filter_map(person).collect()
}

/// Who wrote it.
pub(crate) fn authors(message: &Message<'_>) -> Vec<Person> {
    people(message.from().or_else(|| message.sender()))
}

/// The addresses of all whom From, To and Cc name.
pub(crate) fn participants(message: &Message<'_>) -> BTreeSet<String> {
    let all = [people(message.from()), people(message.to()), people(message.cc())];
    all.into_iter()
        .flatten()
        .filter_map(|person| person.address)
        .collect()
}

/// The ids of a field, without what stands around them.
pub(crate) fn ids(field: &HeaderValue<'_>) -> Vec<String> {
    let texts: Vec<&str> = match field {
        HeaderValue::Text(text) => vec![text.as_ref()],
        HeaderValue::TextList(texts) => texts.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    };
    let clean = |text: &str| -> String {
        let is_part = |character: &char| !character.is_whitespace() && !"<>".contains(*character);
        text.chars().filter(is_part).collect()
    };
    texts.into_iter().map(clean).filter(|id| !id.is_empty()).collect()
}

/// A field as one text: of several of that name, the first.
pub(crate) fn text(message: &Message<'_>, name: &'static str) -> Option<String> {
    let values = message.header_as(name, HeaderForm::Text);
    let text = values.first().and_then(HeaderValue::as_text).map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What Gmail's export says of the folders of a message.
pub(crate) fn labels(message: &Message<'_>) -> Vec<String> {
    let text = text(message, "X-Gmail-Labels").unwrap_or_default();
    let labels = text
        .split(',')
        .map(|label| one_line(label.trim().trim_matches('"')));
    labels.filter(|label| !label.is_empty()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_taken_apart() {
        for (subject, shown, base, is_answer) in [
            ("Lighthouse keys", "Lighthouse keys", "lighthouse keys", false),
            (
                "Re: Lighthouse\r\n keys",
                "Lighthouse keys",
                "lighthouse keys",
                true,
            ),
            ("AW: Re[2]: WG: Keys", "WG: Keys", "keys", true),
            ("[staff] Re: Keys (fwd)", "[staff] Re: Keys (fwd)", "keys", true),
            ("Re: [staff] Keys", "[staff] Keys", "keys", true),
            ("SV (3): Nycklar", "Nycklar", "nycklar", true),
            ("Fwd: Keys", "Fwd: Keys", "keys", false),
            ("回复：钥匙", "钥匙", "钥匙", true),
            ("Note: keys", "Note: keys", "note: keys", false),
            ("Re:", "Re:", "", true),
            ("[all]", "[all]", "[all]", false),
            ("", "", "", false),
        ] {
            let expected = Subject {
                shown: shown.to_owned(),
                base: base.to_owned(),
                is_answer,
            };
            assert_eq!(Subject::read(subject), expected, "{subject:?}");
        }
    }
}
